"""Text and lines are read on both themes, and colour-blind people tell colours apart."""

from __future__ import annotations

import re
import tomllib
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from playground.ui.charts import thumbnails
from playground.ui.runs import sweep
from playground.ui.shell import palette
from playground.ui.shell.palette import Color

ROOT: Final = Path(__file__).parent.parent.parent.parent
CONFIG: Final = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))["theme"]
CSS: Final = (ROOT / "playground/ui/shell/style.css").read_text("utf-8")
TEXT: Final = 4.5  # WCAG 2, AA
GRAPHICS: Final = 3.0
Floats = NDArray[np.float64]


def linear(color: str) -> Floats:
    """ "#rrggbb" -> linear light (3,)."""
    share = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    bent: Floats = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return bent


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2."""
    brightness = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (brightness[1] + 0.05) / (brightness[0] + 0.05)


def enough(over: Color, under: Color, least: float) -> None:
    for theme in ("light", "dark"):
        found = contrast(getattr(over, theme), getattr(under, theme))
        assert found >= least, f"{theme}: {over} on {under} has {found:.2f}"


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


WORDS: Final = {
    name: getattr(palette, name)
    for name in ("INK", "QUIET", "LIMIT", "BEST", "ACCENT", "POSITIVE", "NEGATIVE")
}
LINES: Final = {
    name: getattr(palette, name)
    for name in ("BATCH", "TRAIN", "VALIDATION", "BAR", "POSITIVE_PALE", "NEGATIVE_PALE")
} | {f"CLASSES[{n}]": color for n, color in enumerate(palette.CLASSES)}


@pytest.mark.parametrize("color", WORDS.values(), ids=WORDS)
def test_text_is_read_on_the_page(color: Color) -> None:
    enough(color, palette.PAPER, TEXT)


@pytest.mark.parametrize("color", LINES.values(), ids=LINES)
def test_what_carries_meaning_is_seen_on_the_page(color: Color) -> None:
    enough(color, palette.PAPER, GRAPHICS)


def test_every_step_of_a_ramp_is_seen() -> None:
    for count in range(1, 13):
        for color in palette.ramp(count):
            enough(color, palette.PAPER, GRAPHICS)


def test_the_winner_is_the_brightest_bar_on_the_dark_theme() -> None:
    for theme in ("light", "dark"):
        paper = getattr(palette.PAPER, theme)
        winner, other = (getattr(color, theme) for color in (palette.ACCENT, palette.BAR))
        assert contrast(winner, paper) > 1.5 * contrast(other, paper)


def test_no_other_colour_is_in_the_palette() -> None:
    """Whoever adds one says above how it is used."""
    help_for_the_eye = {"PAPER", "BOX", "GRID"}
    colors = {name for name, value in vars(palette).items() if isinstance(value, Color)}
    assert colors == set(WORDS) | {name for name in LINES if "[" not in name} | help_for_the_eye


def test_streamlits_colours_are_those_of_the_palette() -> None:
    for theme in ("light", "dark"):
        assert CONFIG[theme]["backgroundColor"] == getattr(palette.PAPER, theme)
        assert CONFIG[theme]["secondaryBackgroundColor"] == getattr(palette.BOX, theme)
        assert CONFIG[theme]["textColor"] == getattr(palette.INK, theme)
        assert contrast(CONFIG[theme]["primaryColor"], "#ffffff") >= TEXT  # on the button
        for ground in ("backgroundColor",):
            assert contrast(CONFIG[theme]["primaryColor"], CONFIG[theme][ground]) >= GRAPHICS
            assert contrast(CONFIG[theme]["linkColor"], CONFIG[theme][ground]) >= TEXT


PAIR: Final = re.compile(r"light-dark\((#\w{6}), (#\w{6})\)")


def pairs(css: str, declaration: str) -> list[Color]:
    """The colours of one kind of declaration ("color", "background") in a piece of CSS."""
    return [
        Color(*found.groups())
        for line in re.findall(rf"(?<![-\w]){declaration}:\s*([^;]+);", css)
        if (found := PAIR.search(line))
    ]


def test_code_is_read_on_each_of_its_grounds() -> None:
    _before, code = CSS.split("--- Code, line by line ---")
    code = code.split("/* ---")[0]
    grounds, inks = pairs(code, "background"), pairs(code, "color")
    assert len(grounds) >= 4
    assert len(inks) >= 7
    for ground in grounds:
        for ink in inks:
            enough(ink, ground, TEXT)


def test_the_pages_own_css_is_read() -> None:
    inks = pairs(CSS.split("/* ---")[1], "color")
    assert inks
    for ink in inks:
        enough(ink, palette.PAPER, TEXT)
        enough(ink, palette.BOX, TEXT)


def test_numbers_are_read_on_every_cell_of_a_heat_map() -> None:
    shares = np.linspace(0, 1, 101)
    cells = sample_colorscale("Viridis", shares.tolist(), colortype="tuple")
    for share, cell in zip(shares, cells, strict=True):
        ink = sweep.INKS["dark" if share > sweep.DARK_BELOW else "light"]
        ground = "#" + bytes(round(255 * part) for part in cell).hex()
        assert contrast(ink, ground) >= TEXT, f"at {share}"


def test_one_picture_of_the_start_page_serves_both_themes() -> None:
    for color in (
        thumbnails.YELLOW,
        thumbnails.GREEN,
        thumbnails.PINK,
        thumbnails.SKY,
        thumbnails.RED,
        thumbnails.BLUE,
        thumbnails.INK,
    ):
        enough(Color(color, color), palette.PAPER, GRAPHICS)


# --- As colour-blind people see ------------------------------------------------------------

# Machado, Oliveira and Fernandes 2009, severity 1, of linear light.
SEEN: Final = {
    "all": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Ottosson's OKLab: linear light -> cones -> lightness and two colours.
CONES: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def distance(one: str, other: str, eyes: str) -> float:
    """In OKLab, where 0.02 is just noticed side by side and 1 is from black to white."""
    places = [
        LAB @ np.cbrt(CONES @ np.clip(SEEN[eyes] @ linear(color), 0, 1)) for color in (one, other)
    ]
    return float(np.linalg.norm(places[0] - places[1]))


@pytest.mark.parametrize("eyes", SEEN)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_that_stand_together_are_told_apart(theme: str, eyes: str) -> None:
    together = (
        # (which, how far apart at least): where colours alone speak, and where they do not.
        ((palette.POSITIVE, palette.NEGATIVE), 0.2),
        ((palette.TRAIN, palette.VALIDATION, palette.BATCH), 0.12),
        ((palette.POSITIVE_PALE, palette.NEGATIVE_PALE), 0.12),
        (palette.CLASSES, 0.055),
    )
    for colors, least in together:
        for one, other in combinations(colors, 2):
            found = distance(getattr(one, theme), getattr(other, theme), eyes)
            assert found >= least, f"{one} and {other}: {found:.3f}"


def test_more_than_two_lines_differ_in_their_dashes_too() -> None:
    from playground.ui.charts.curves import _dashes

    assert len({str(dash) for dash in palette.DASHES}) == len(palette.DASHES) >= 6
    assert len(set(palette.SHAPES)) == len(palette.SHAPES) >= 5
    several = [str(dash) for dash in _dashes(["a", "b", "c", "d", "e"], ())]
    assert len(set(several)) == 5
    assert _dashes(["a", "b"], ()) == [[1, 0], [1, 0]]
    assert _dashes(["a", "b", "c"], ("b",)) == [[1, 0], [6, 4], [1, 0]]
