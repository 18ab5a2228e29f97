"""The five parts as code: each combination of choices runs, alone and undisturbed."""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.fields import FieldError
from playground.i18n import LANGUAGES, translate
from playground.lesson import five_parts, five_parts_run
from playground.lesson.five_parts import FIELDS, Choices, altered, write
from playground.lesson.five_parts_exchange import SENTENCES, exchange

SMALL = Choices(neurons=4, epochs=2, batch_size=128)
LOSSES = ("class_loss", "value_loss")


def strategy(name: str) -> st.SearchStrategy[Any]:
    field = FIELDS[name]
    if field.kind == "choice":
        return st.sampled_from(field.choices)
    if field.kind == "integer":
        return st.integers(int(field.low), int(field.high))
    return st.floats(field.low, field.high)


ANY = st.builds(Choices, **{field.name: strategy(field.name) for field in fields(Choices)})


def combinations(data: str) -> Iterator[Choices]:
    """All choices of words and of depth for ``data``."""
    loss = replace(SMALL, data=data).loss_field
    names = ("activation", loss, "optimizer")
    for *words, layers in product(*(FIELDS[name].choices for name in names), (1, 2, 3)):
        yield replace(SMALL, data=data, layers=layers, **dict(zip(names, words, strict=True)))


@pytest.fixture(autouse=True)
def _nothing_has_run() -> None:
    five_parts_run.outcome_of.cache_clear()


# --- The code ---------------------------------------------------------------------------


def test_fields_and_choices_have_the_same_defaults() -> None:
    assert Choices() == Choices(**{name: field.default for name, field in FIELDS.items()})
    assert [field.name for field in fields(Choices)] == list(FIELDS)


@pytest.mark.parametrize("data", FIELDS["data"].choices)
def test_every_combination_runs_and_prints_finite_losses(data: str) -> None:
    for choices in combinations(data):
        program = write(choices)
        outcome = five_parts_run.run(program)
        assert len(outcome.lines) == choices.epochs + 1, choices
        assert all(map(math.isfinite, outcome.losses)), choices
        assert outcome.figure is not None
        assert math.isfinite(outcome.figure)
        assert outcome.answers.isfinite().all()
        if choices.classes:
            assert outcome.lines[-1] == f"validation accuracy: {outcome.figure:.1%}"
            assert 0 <= outcome.answers.min() <= outcome.answers.max() <= 1
        else:
            assert outcome.lines[-1] == f"validation, mean error: {outcome.figure:.3f}"


def test_the_usual_code_has_the_length_of_a_slide() -> None:
    lines = write(Choices()).source.splitlines()
    assert 30 <= len([line for line in lines if line]) <= 45
    assert max(map(len, lines)) <= 80


@given(ANY, st.sampled_from(list(LANGUAGES)))
@settings(max_examples=60, deadline=None)
def test_code_is_plain_pytorch_and_its_parts_are_its_source(
    choices: Choices, language: str
) -> None:
    program = write(choices, language)
    texts = ["\n".join(line.text for line in program.parts[part]) for part in five_parts.PARTS]
    assert program.source == "\n\n".join(texts) + "\n"
    assert program.source.startswith(program.untrained)
    tree = ast.parse(program.source)
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert modules == {"torch", "torch.utils.data"}
    # Only comments are in the reader's language.
    assert ast.dump(tree) == ast.dump(ast.parse(write(choices).source))


@given(ANY)
@settings(max_examples=60, deadline=None)
def test_every_line_is_explained_in_both_languages(choices: Choices) -> None:
    for lines in write(choices).parts.values():
        for line in lines:
            assert bool(line.text) == bool(line.why)
            if line.why:
                assert line.why.format(**line.values)
                assert translate(line.why, "pl") != line.why


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", "rings'); import os"),
        ("activation", "Sigmoid"),
        ("optimizer", "__import__"),
        ("learning_rate", "0.1"),
        ("learning_rate", math.nan),
        ("learning_rate", 0.0),
        ("neurons", 10_000),
        ("layers", 2.5),
        ("epochs", 51),
        ("batch_size", True),
        ("seed", "0)\nimport os #"),
    ],
)
def test_what_a_field_does_not_allow_becomes_no_code(name: str, value: object) -> None:
    with pytest.raises(FieldError):
        Choices(**{name: value})  # type: ignore[arg-type]


@given(ANY)
@settings(max_examples=20, deadline=None)
def test_the_numbers_in_the_explanations_are_those_of_the_real_objects(choices: Choices) -> None:
    names: dict[str, Any] = {}
    program = write(choices)
    with torch.random.fork_rng(devices=[]):
        exec(program.untrained, names)
    model, loader = names["model"], names["loader"]
    assert program.parts["model"][-1].values["count"] == sum(w.numel() for w in model.parameters())
    counts = [line.values["count"] for line in program.parts["model"][:-1] if line.values]
    layers = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    assert counts == [sum(w.numel() for w in layer.parameters()) for layer in layers[:-1]]
    values = program.parts["data"][-1].values
    assert (values["size"], values["steps"]) == (loader.batch_size, len(loader))
    assert len(names["X"]) == len(names["y"]) == five_parts.EXAMPLES


# --- What a change alters ------------------------------------------------------------------


def test_another_loss_alters_four_places() -> None:
    now = write(Choices(class_loss="bce"))
    new, gone = altered(write(Choices()), now)
    assert gone == frozenset()
    assert [now.texts()[place].strip() for place in sorted(new)] == [
        "y = y.float().unsqueeze(1)",
        "nn.Linear(16, 1),",
        "loss_fn = nn.BCEWithLogitsLoss()",
        "accuracy = ((outputs > 0) == (y_val == 1)).float().mean()",
    ]


def test_a_layer_less_is_seen_where_it_was() -> None:
    now = write(Choices(layers=1))
    new, gone = altered(write(Choices(layers=2)), now)
    assert new == frozenset()
    # A ReLU between two layers: which of the two equal ones has gone cannot be told.
    assert [now.texts()[place].strip() for place in gone] in (["nn.ReLU(),"], ["nn.Linear(16, 2),"])


def test_the_loop_stays_as_it_is() -> None:
    loops = {
        tuple(line.text for line in write(Choices(data=data)).parts["loop"][1:11])
        for data in FIELDS["data"].choices
    }
    assert len(loops) == 1


@given(ANY, ANY)
@settings(max_examples=60, deadline=None)
def test_an_exchange_is_named_if_the_code_differs(before: Choices, now: Choices) -> None:
    found = exchange(before, now)
    if found is None:
        assert write(before).source == write(now).source
    else:
        assert translate(found.sentence, "pl") != found.sentence
        assert getattr(now, found.field) == found.now != found.before


def test_each_choice_has_a_sentence() -> None:
    for name, field in FIELDS.items():
        wanted = set(field.choices) if field.kind == "choice" else {"more", "less"}
        assert set(SENTENCES[name]) == wanted


def test_a_loss_that_is_not_in_the_code_is_no_exchange() -> None:
    assert exchange(Choices(), Choices(value_loss="l1")) is None


# --- Running it ----------------------------------------------------------------------------


def test_the_text_that_is_compiled_is_the_programs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def spy(source: str, *more: Any) -> Any:
        seen.append(source)
        return compile(source, *more)

    monkeypatch.setattr(five_parts_run, "compile", spy, raising=False)
    program = write(SMALL)
    five_parts_run.run(program)
    assert len(seen) == 1
    assert seen[0] is program.source


@pytest.mark.parametrize(
    ("choices", "language"),
    [
        (Choices(epochs=5, activation="tanh"), "pl"),
        (Choices(epochs=5, data="wave", layers=3, neurons=32, optimizer="momentum"), "en"),
    ],
)
def test_the_file_prints_the_same_lines_in_a_fresh_python(
    choices: Choices, language: str, tmp_path: Path
) -> None:
    program = write(choices, language)
    file = tmp_path / five_parts_run.FILE_NAME
    file.write_text(program.source, "utf-8")
    # One processor thread, as the page's runs have: float sums may depend on it.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=environment,
        check=True,
    )
    assert tuple(done.stdout.splitlines()) == five_parts_run.run(program).lines


def test_nothing_outside_is_disturbed() -> None:
    torch.manual_seed(123)
    state, count = torch.get_rng_state(), torch.get_num_threads()
    five_parts_run.run(write(SMALL))
    five_parts_run.untrained(write(SMALL))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == count
    assert five_parts_run.WORKER.submit(torch.get_num_threads).result() == 1


def test_visitors_at_the_same_time_do_not_mix_their_random_numbers() -> None:
    programs = [write(replace(SMALL, seed=seed, epochs=5, batch_size=16)) for seed in range(6)]
    alone = [five_parts_run.run(program).lines for program in programs]
    five_parts_run.outcome_of.cache_clear()
    with ThreadPoolExecutor(6) as visitors:
        together = list(visitors.map(five_parts_run.run, programs))
    assert [outcome.lines for outcome in together] == alone
    assert len(set(alone)) == len(alone)


def test_before_training_the_picture_is_that_of_random_weights() -> None:
    program = write(SMALL)
    untrained = five_parts_run.untrained(program)
    assert (untrained.lines, untrained.figure, untrained.losses) == ((), None, [])
    names: dict[str, Any] = {}
    with torch.random.fork_rng(devices=[]):
        exec(program.untrained, names)
    assert torch.equal(untrained.answers, five_parts_run.answers(names["model"], SMALL))
    assert torch.equal(untrained.inputs, names["X"])


def test_xor_is_yes_where_the_signs_differ() -> None:
    before = five_parts_run.untrained(write(Choices(data="xor")))
    far = (before.inputs.abs() > 0.25).all(dim=1)  # the noise of 0.05 carries nobody that far
    differ = (before.inputs[:, 0] > 0) != (before.inputs[:, 1] > 0)
    assert torch.equal(before.targets.flatten()[far].bool(), differ[far])


def test_the_picture_says_what_the_network_says_at_a_place() -> None:
    model = torch.nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[3.0, -2.0]]))
        model.bias.fill_(0.5)
    picture = five_parts_run.answers(model, Choices(class_loss="bce"))
    row, column = 10, 50  # x₂ = -1.3 + 10 · 2.6 / 60, x₁ = -1.3 + 50 · 2.6 / 60
    x2, x1 = (-1.3 + place * 2.6 / 60 for place in (row, column))
    expected = 1 / (1 + math.exp(-(3 * x1 - 2 * x2 + 0.5)))
    assert picture[row, column].item() == pytest.approx(expected, abs=1e-5)


def test_a_run_that_diverges_is_an_outcome_too() -> None:
    choices = Choices(data="price", optimizer="momentum", learning_rate=1.0, layers=3)
    outcome = five_parts_run.run(write(choices))
    assert len(outcome.losses) == choices.epochs
    assert outcome.losses[0] > 1e6


def test_parts_that_fit_learn() -> None:
    bend = five_parts_run.run(write(Choices())).figure
    none = five_parts_run.run(write(Choices(activation="none", layers=3))).figure
    assert bend is not None
    assert none is not None
    assert bend > 0.95
    assert none < 0.7
