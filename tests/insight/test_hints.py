"""Each rule on real runs: one that has the trouble, and those that have not."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest
import torch
from torch import nn

import playground
from playground import Trained, training
from playground.data.dataset import Dataset, Examples, Scaler
from playground.fields import Value
from playground.history import Change, History
from playground.insight.hints import (
    PATIENCE,
    Hint,
    Measured,
    Share,
    Situation,
    Standing,
    constant,
    hints,
    measure,
    rules,
    steady,
)
from playground.projects import project
from playground.recipe import FIELDS, Recipe

TABLES = ("coffee", "weekday", "movies")
# What shows a trouble, quickly: the project and what is changed in its recipe.
FEW = {"data": {"examples": 2000}}
TROUBLES: dict[str, tuple[str, dict[str, Any]]] = {
    "diverged": ("coffee", {"preset": "diverges"}),
    "dead": ("coffee", {**FEW, "learning_rate": 10.0}),
    "saturated": ("weekday", {**FEW, "activation": "tanh", "learning_rate": 3.0, "epochs": 5}),
    "collapsed": (
        "weekday",
        {
            **FEW,
            "activation": "sigmoid",
            "hidden": (32,) * 5,
            "optimizer": "sgd",
            "learning_rate": 0.05,
        },
    ),
    "not_learning": ("weekday", {**FEW, "learning_rate": 1e-5, "epochs": 5}),
    "overfitting": ("rps", {"preset": "overfits"}),
    "batch_too_large": ("weekday", {**FEW, "batch_size": 1024, "epochs": 10}),
    "too_slow": (
        "coffee",
        {**FEW, "optimizer": "sgd", "learning_rate": 1e-4, "schedule": "constant"},
    ),
    "underfitting": ("weekday", {"preset": "small"}),
    "batch_too_small": (
        "weekday",
        {"data": {"examples": 1000}, "batch_size": 2, "epochs": 4, "schedule": "constant"},
    ),
}


@cache
def _trained(name: str, options: tuple[tuple[str, Any], ...]) -> Trained:
    data = {key[5:]: value for key, value in options if key.startswith("data.")}
    others = {key: value for key, value in options if not key.startswith("data.")}
    return playground.train(name, threads=1, data=data, **others)


def trained(name: str, **options: Any) -> Trained:
    """A run, trained once for all tests."""
    data = {f"data.{key}": value for key, value in options.pop("data", {}).items()}
    return _trained(name, tuple({**options, **data}.items()))


def situation(run: Trained) -> Situation:
    """All that a page knows about a run that is over."""
    kind = project(run.recipe.project)
    names = {"mse": "loss", "log_loss": "loss"}
    best = kind.best(run.recipe, "validation").items()
    return Situation(
        run.recipe,
        run.history,
        kind.task,
        "over",
        constant(run.dataset, run.recipe, len(kind.labels)),
        {names.get(figure, figure): value for figure, value in best},
        measured=measure(cast(nn.Sequential, run.model), run.dataset),
        labels=kind.labels,
    )


def while_running(whole: Situation) -> Iterator[Situation]:
    """The same run as it was after each of its epochs but the last."""
    history = whole.history
    for row in history.epochs[:-1]:
        until = History(history.data, history.losses[: row.step], {}, history.epochs[: row.epoch])
        yield replace(whole, history=until, stage="running", measured=None)


def found(whole: Situation) -> list[str]:
    return [hint.rule for hint in hints(whole)]


@pytest.mark.parametrize("rule", TROUBLES)
def test_a_rule_finds_its_trouble_and_names_a_change_that_can_be(rule: str) -> None:
    name, options = TROUBLES[rule]
    run = trained(name, **options)
    by_rule = {hint.rule: hint for hint in hints(situation(run))}
    hint = by_rule[rule]
    assert hint.changes
    changed = project(name).check(run.recipe.with_(**hint.changes))
    assert changed != run.recipe


@pytest.mark.parametrize("name", TABLES)
def test_a_run_that_works_well_is_at_its_limit_and_nothing_else(name: str) -> None:
    run = situation(trained(name, preset="well"))
    assert found(run) == ["at_limit"]
    alone = [rule.__name__ for rule in rules.RULES if rule(run) is not None]
    assert alone == ["at_limit"]


@pytest.mark.parametrize("name", TABLES)
def test_a_run_that_works_well_gives_no_false_alarm_on_the_way(name: str) -> None:
    said = [found(moment) for moment in while_running(situation(trained(name, preset="well")))]
    assert {rule for rules_then in said for rule in rules_then} <= {"at_limit"}
    assert said[0] == []  # it is not there from the first epoch on


@pytest.mark.parametrize("name", [*TABLES, "rps"])
def test_presets_that_diverge(name: str) -> None:
    run = trained(name, preset="diverges")
    (hint,) = hints(situation(run))
    assert hint.rule == "diverged"
    assert hint.values["step"] == run.history.steps
    assert hint.changes == {"learning_rate": pytest.approx(run.recipe.learning_rate / 10)}


@pytest.mark.parametrize("name", [*TABLES, "rps"])
def test_presets_that_are_too_small(name: str) -> None:
    (hint,) = hints(situation(trained(name, preset="small")))
    assert hint.rule == "underfitting"
    assert hint.changes == {"hidden": (16,)}


@pytest.mark.parametrize("name", [*TABLES, "rps"])
def test_presets_that_overfit(name: str) -> None:
    run = trained(name, preset="overfits")
    hint = hints(situation(run))[0]
    assert hint.rule == "overfitting"
    losses = run.history.series("validation", "loss")
    assert hint.values["best"] == min(losses)
    assert losses[int(hint.values["epoch"]) - 1] == min(losses)
    # With patience it would have stopped by itself, so there is nothing to say.
    patient = replace(situation(run), recipe=run.recipe.with_(patience=100))
    assert "overfitting" not in found(patient)


@pytest.mark.parametrize(
    "rule", ["dead", "saturated", "collapsed", "not_learning", "batch_too_large", "too_slow"]
)
def test_the_change_helps(rule: str) -> None:
    name, options = TROUBLES[rule]
    before = trained(name, **options)
    hint = next(hint for hint in hints(situation(before)) if hint.rule == rule)
    after = playground.run(before.recipe.with_(**hint.changes))
    last = [run.history.epochs[-1].validation["loss"] for run in (before, after)]
    assert last[1] < 0.99 * last[0]


def test_slow_is_seen_while_it_runs_but_not_in_the_warm_up() -> None:
    whole = situation(
        trained("coffee", **FEW, optimizer="sgd", learning_rate=1e-5, schedule="constant")
    )
    said = [found(moment) for moment in while_running(whole)]
    assert said[0] == []
    assert said[-1] == ["too_slow"]
    warm_up = situation(trained("coffee", preset="well"))
    first = next(while_running(warm_up))
    assert found(first) == []


def test_a_run_that_was_stopped_is_not_called_too_short() -> None:
    name, options = TROUBLES["too_slow"]
    whole = situation(trained(name, **options))
    stopped = replace(whole, history=replace(whole.history, ended="stopped"))
    assert found(stopped) == []


def test_few_steps_without_a_trend_and_many_epochs() -> None:
    run = trained("weekday", **FEW, epochs=2)
    batch = hints(situation(run))[0]
    assert batch.rule == "batch_too_large"
    assert batch.values["each"] == 6
    assert batch.changes == {"batch_size": 64}
    # With a batch size that is all right, it is only too short.
    run = trained("weekday", **FEW, epochs=2, batch_size=64, learning_rate=0.01)
    (short,) = hints(situation(run))
    assert (short.rule, dict(short.changes)) == ("too_slow", {"epochs": 4})


def test_the_learning_rate_of_the_last_step_counts() -> None:
    run = situation(trained("coffee", preset="diverges"))
    moved = replace(run.history, changes=[Change(3, "learning_rate", 5.0, 0.0, 0.0)])
    (hint,) = hints(replace(run, history=moved))
    assert hint.values["rate"] == 5.0
    assert hint.changes == {"learning_rate": 0.5}


def test_a_simple_method_is_the_goal_where_nobody_knows_the_limit() -> None:
    small = situation(trained("weekday", preset="small"))
    methods = {"accuracy": {"Most frequent class": 0.14, "Decision tree": 0.73}}
    (hint,) = hints(replace(small, best={}, methods=methods))
    assert hint.rule == "underfitting"
    assert hint.values["method"] == "Decision tree"
    assert hint.values["best"] == Share(0.73)
    # Better than the method is no limit, and one that knows nothing is no goal.
    well = situation(trained("weekday", preset="well"))
    assert found(replace(well, best={}, methods=methods)) == []
    assert replace(small, best={}, methods={"accuracy": {"x": 0.1}}).goal is None
    assert replace(small, best={}).goal is None


def test_at_most_two_and_never_two_for_the_same_control() -> None:
    everything = [situation(trained(name, **options)) for name, options in TROUBLES.values()]
    for run in everything:
        said = hints(run)
        fields = [field for hint in said for field in hint.changes]
        assert len(said) <= 2
        assert len(fields) == len(set(fields))
        assert hints(run, most=1) == said[:1]


def test_sentences_are_filled_by_their_values() -> None:
    for name, options in TROUBLES.values():
        run = situation(trained(name, **options))
        for rule in rules.RULES:
            hint = rule(run)
            if hint is not None:
                parts = string.Formatter().parse(hint.sentence)
                assert {place for _text, place, _spec, _kind in parts if place} == set(hint.values)


def test_nothing_is_said_of_a_run_that_has_not_begun() -> None:
    kind = project("coffee")
    assert hints(Situation(kind.recipe(), History(), kind.task, "running")) == []


# --- What is measured --------------------------------------------------------------------


def dataset(task: str = "classification", n: int = 120) -> Dataset:
    inputs = torch.linspace(-1, 1, n).view(-1, 1)
    targets = torch.arange(n) % 3 if task == "classification" else inputs[:, 0].clone()
    examples = Examples(inputs, targets)
    plain = Scaler(torch.zeros(1), torch.ones(1))
    return Dataset(examples, examples, examples, plain, cast(Any, task))


def network(activation: nn.Module, weights: list[float], biases: list[float]) -> nn.Sequential:
    """One input, a hidden layer with these weights, and three outputs of which the first wins."""
    hidden, out = nn.Linear(1, len(weights)), nn.Linear(len(weights), 3)
    with torch.no_grad():
        hidden.weight.copy_(torch.tensor(weights).view(-1, 1))
        hidden.bias.copy_(torch.tensor(biases))
        out.weight.zero_()
        out.bias.copy_(torch.tensor([1.0, 0.0, 0.0]))
    return nn.Sequential(nn.Flatten(), hidden, activation, out)


def test_dead_neurons_are_counted() -> None:
    # Inputs are -1 … 1: one neuron for each side, one for both, two that never answer.
    model = network(nn.ReLU(), [1.0, -1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 1.0, -1.5, -1.0])
    seen = measure(model, dataset())
    (layer,) = seen.layers
    assert (layer.number, layer.units, layer.dead) == (1, 5, 2)
    assert seen.examples == 120
    assert seen.answers == [1.0, 0.0, 0.0]
    assert seen.truths == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("curve", [nn.Sigmoid(), nn.Tanh()])
def test_saturated_outputs_are_counted(curve: nn.Module) -> None:
    model = network(curve, [0.0, 0.0, 0.0, 0.0], [0.0, 9.0, -9.0, 0.5])
    assert measure(model, dataset()).layers[0].saturated == pytest.approx(0.5)


def test_channels_are_the_neurons_of_a_convolution() -> None:
    convolution = nn.Conv2d(1, 2, 1)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
        convolution.bias.zero_()  # type: ignore[union-attr]
    model = nn.Sequential(
        nn.Unflatten(1, (1, 4)), convolution, nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)
    )
    pictures = Examples(torch.rand(60, 4, 4), torch.arange(60) % 3)
    data = replace(dataset(), validation=pictures)
    (layer,) = measure(model, data).layers
    assert (layer.units, layer.dead) == (2, 1)


def test_at_most_so_many_examples_spread_over_all_and_the_model_left_as_it_was() -> None:
    model = network(nn.ReLU(), [1.0], [0.0]).train()
    assert measure(model, dataset(n=1200)).examples == 500
    assert measure(model, dataset(n=1200), most=7).examples == 7
    # The classes take turns, so the first 500 of a sorted set would not do.
    in_order = dataset(n=1200)
    in_order.validation.targets.copy_(in_order.validation.targets.sort().values)
    assert measure(model, in_order).truths == pytest.approx([1 / 3] * 3, abs=0.01)
    assert model.training
    assert measure(network(nn.ReLU(), [1.0], [0.0]), dataset("regression")).answers == ()


def test_few_examples_prove_no_death() -> None:
    run = situation(trained("coffee", **FEW, learning_rate=10.0))
    assert run.measured is not None
    few = Measured(12, run.measured.layers)
    assert "dead" not in found(replace(run, measured=few))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("weekday", {}),
        ("weekday", {"loss": "mse_one_hot"}),
        ("weekday", {"label_smoothing": 0.2}),
        ("movies", {}),
        ("coffee", {}),
        ("coffee", {"loss": "l1"}),
        ("coffee", {"loss": "huber"}),
    ],
)
def test_a_constant_answer_is_as_good_as_it_can_be(name: str, changes: dict[str, Value]) -> None:
    """No other constant is noticeably better; found by a search that knows none of the formulas."""
    kind = project(name)
    recipe = kind.recipe(data={"examples": 2000}, epochs=1, **changes)
    data = kind.load(recipe)
    data = replace(data, validation=data.train)
    claimed = constant(data, recipe, len(kind.labels))
    start = 15.0 if kind.task == "regression" else 0.0
    bias = torch.full((max(len(kind.labels), 1) if kind.task == "classification" else 1,), start)
    bias.requires_grad_()
    loss = playground.losses.build(recipe)
    optimizer = torch.optim.Adam([bias], 0.1)
    for _step in range(300):
        optimizer.zero_grad()
        value = loss(bias.expand(len(data.train), -1), data.train.targets)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert claimed["loss"] == pytest.approx(value.item(), rel=0.02)
    assert set(claimed) == set(training.evaluate(kind.build(recipe), data.train, data, recipe))


@pytest.mark.parametrize("name", ["coffee", "weekday", "movies"])
@pytest.mark.parametrize("off", [0.0, 3e-8, -3e-8, 1e-4, -0.05])
def test_a_method_that_is_no_better_than_a_constant_answer_is_no_goal(
    name: str, off: float
) -> None:
    """The most frequent class is itself a method: summed up in other floats, or as bad."""
    run = trained(name, **FEW, epochs=2, batch_size=1024, learning_rate=1e-5)
    whole = situation(run)
    figure = whole.figure
    better = -1 if figure == "mae" else 1
    method = {figure: {"constant": whole.blind[figure] + better * off}}
    alone = replace(whole, best={}, methods=method)
    assert alone.goal is None
    hints(alone)  # raises nothing
    limit = {key: whole.blind[key] + off for key in ("loss", figure)}
    hints(replace(whole, best=limit, methods=method))


def test_a_run_of_a_handful_of_steps_is_told_to_make_more() -> None:
    """Thirty rows of one's own and five epochs: a smaller learning rate only makes it worse."""
    kind = project("coffee")
    own = Examples(*kind.generate(30, 0.5, 1)[:])  # type: ignore[attr-defined]
    before = playground.train("coffee", own=own, data={"rows": "own"}, epochs=5, threads=1)
    assert before.history.steps < 10
    hint = next(hint for hint in hints(situation(before)) if hint.rule == "not_learning")
    assert set(hint.changes) == {"batch_size", "epochs"}
    after = playground.run(before.recipe.with_(**hint.changes), own=own)
    first, then = (run.history.epochs[-1].validation["mae"] for run in (before, after))
    assert then < 0.5 * first


def test_a_change_leaves_out_what_already_is_so() -> None:
    """A button that says “Batch size: 64” while it is 64 would change nothing."""
    whole = situation(trained("coffee", data={"examples": 300}, epochs=4))
    size = rules.more_steps(whole)["batch_size"]
    assert size != whole.recipe.batch_size
    small = replace(whole, recipe=whole.recipe.with_(batch_size=size))
    assert set(rules.more_steps(small)) == {"epochs"}
    most = replace(whole, recipe=small.recipe.with_(epochs=int(FIELDS["epochs"].high)))
    assert rules.more_steps(most) == {}


def test_a_run_of_few_steps_is_not_told_to_make_smaller_ones() -> None:
    """Sixteen steps towards a price: it needs more of them, from the same learning rate."""
    before = trained("coffee", data={"examples": 300}, epochs=4)
    assert rules.BEGUN < before.history.steps < rules.FEW
    hint = next(hint for hint in hints(situation(before)) if hint.rule == "not_learning")
    assert set(hint.changes) == {"batch_size", "epochs"}
    after = trained("coffee", data={"examples": 300}, **hint.changes)
    first, then = (run.history.epochs[-1].validation["mae"] for run in (before, after))
    assert then < 0.5 * first


def said(*names: str) -> list[Hint]:
    return [Hint(name, name, {}) for name in names]


def rules_of(standing: Standing) -> list[str]:
    return [hint.rule for hint in standing.hints]


def test_a_hint_that_was_said_stays_while_the_run_goes_on() -> None:
    now = Standing()
    shown = []
    # As a figure that trembles about its threshold gives it.
    for found in ("dead", "", "dead", "dead", "", "dead", "", "", "dead", ""):
        now = steady(now, said(*filter(None, [found])), "running")
        shown.append(rules_of(now))
    assert shown == [[]] * 3 + [["dead"]] * 7
    for _ in range(PATIENCE):
        now = steady(now, [], "running")
    assert rules_of(now) == []


def test_what_leaves_nothing_else_to_say_takes_the_place() -> None:
    now = steady(steady(Standing(), said("dead"), "running"), said("dead"), "running")
    now = steady(now, said("at_limit"), "running")
    assert rules_of(now) == ["dead"]
    now = steady(now, said("at_limit"), "running")
    assert rules_of(now) == ["at_limit"]
    assert rules_of(steady(now, said("dead", "saturated"), "over")) == ["dead", "saturated"]


@pytest.mark.parametrize(("after", "found"), [(0.3, True), (0.1, False)])
def test_a_raised_learning_rate_is_named_with_where_it_came_from(after: float, found: bool) -> None:
    history = History(losses=[0.1] * 60 + [after] * 20, data={"train": 900, "validation": 100})
    history.changes.append(Change(61, "learning_rate", 0.3, 0.0, 0.0))
    recipe = Recipe("digits", {}, learning_rate=0.006)
    hint = rules.raised(Situation(recipe, history, "classification", "running"))
    assert (hint is not None) == found
    if hint is not None:
        assert hint.changes == {"learning_rate": 0.006}
        assert hint.values["step"] == 61
        assert (hint.values["old"], hint.values["new"]) == (0.006, 0.3)
