"""Every sum on a lesson page adds up with the digits that stand there."""

from __future__ import annotations

import adding_up
import pytest

PAGES = [stem for stem in adding_up.VIEWS if stem != "pytorch"]  # which has no sums


@pytest.mark.parametrize("stem", PAGES)
def test_sums_add_up_with_the_digits_shown(stem: str) -> None:
    language = ("en", "pl")[PAGES.index(stem) % 2]
    seen: dict[str, int] = {}
    for view, checks in adding_up.wander(stem, language, states=2, seed=1):
        assert [check.shown for check in checks if not check.right] == []
        if not view:  # as the page opens, nothing is only about equal
            assert [check.shown for check in checks if not check.equal] == []
        seen[view] = seen.get(view, 0) + len(checks)
    assert sum(seen.values()) > 1


@pytest.mark.parametrize(
    ("formula", "right"),
    [
        (r"L = (a_3 - t)^2 = (0.545 - 1)^2 = 0.2073", False),
        (r"L = (a_3 - t)^2 = (0.5447 - 1)^2 = 0.2073", True),
        (r"2(0.545 - 1) = -0.911", False),
        (r"p = \frac{0.00}{0.00 + 0.00 + 0.00} = 0.333", None),
        (r"-\ln 0.0003 = 8.00", False),
        (r"-\ln (0.000335) = 8.00", True),
        (r"y &= 10 \cdot (1.00 + 1.00 + 0.05) - 25 = -4.52", False),
        (r"0.2 \cdot 0.3 \approx 0.06", False),  # it is equal
        (r"0.33 \cdot 3 \approx 1.00", True),
        (r"\begin{bmatrix}1 & 2 \\ 0 & 1\end{bmatrix} \begin{bmatrix}1 \\ 2\end{bmatrix}"
         r" = \begin{bmatrix}5 \\ 2\end{bmatrix}", True),
        (r"1{,}5 \cdot 2 = 3", None),
    ],
)  # fmt: skip
def test_the_reader_of_formulas_finds_what_is_wrong(formula: str, right: bool | None) -> None:
    reader = adding_up.Reader("en")
    reader.read(formula)
    assert [check.right for check in reader.checks] == ([] if right is None else [right])
