"""What one run may take is counted before anything is made, and refused by name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from playground import limits, models
from playground.__main__ import main
from playground.i18n import translate
from playground.limits import LimitError, Need
from playground.projects import PROJECTS, project
from playground.projects.base import Project
from playground.recipe import Recipe

# The largest that the sliders of a page can ask for.
GIANT: dict[str, Any] = {
    "channels": (128,) * 4,
    "kernels": (3,) * 4,
    "strides": (1,) * 4,
    "batch_size": 1024,
    "data": {"size": "64"},
}


def need(kind: Project, **changes: Any) -> Need:
    """What a recipe takes, whether or not it may."""
    data = {**kind.recipe().data, **changes.pop("data", {})}
    recipe = kind.recipe().with_(data=data, **changes)
    return limits.need(recipe, kind.input_shape(recipe), kind._outputs)


def test_a_giant_is_refused_with_the_figure_the_limit_and_the_way_out() -> None:
    with pytest.raises(LimitError) as refused:
        project("shapes").recipe(**GIANT)
    assert str(refused.value) == (
        "This network would need about 23848 MB of memory: 3351 MB for its weights with gradients, "
        "optimizer and copies, 20498 MB for what its layers put out. One run may take 1024 MB: "
        "choose fewer channels or neurons, a larger stride or a smaller batch."
    )


def test_a_giant_needs_no_memory_to_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither weights nor signals are made: the layers have shapes and no numbers."""

    def made(*_: Any, **__: Any) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(models, "build", made)
    monkeypatch.setattr(nn.Module, "to_empty", made)
    found = need(project("shapes"), **GIANT, hidden=(1024,) * 6, activation="maxout")
    assert found.bytes > 10 * limits.MOST_BYTES


def test_work_that_would_hold_up_everybody_is_refused_too() -> None:
    with pytest.raises(LimitError, match=r"about 391 thousand million .* 200 are allowed"):
        project("shapes").recipe(
            channels=(64, 64), kernels=(3, 3), strides=(1, 1), hidden=(64,), batch_size=256
        )


@pytest.mark.parametrize("name", PROJECTS)
def test_every_preset_is_far_from_the_limits(name: str) -> None:
    kind = project(name)
    for preset in kind.presets:
        recipe = kind.preset(preset.name)
        found = limits.need(recipe, kind.input_shape(recipe), kind._outputs)
        assert found.bytes < limits.MOST_BYTES / 4
        assert found.operations < limits.MOST_OPERATIONS / 4


def test_the_largest_table_networks_of_the_sliders_are_allowed() -> None:
    for name in ("coffee", "weekday", "movies", "rps"):
        project(name).recipe(hidden=(1024,) * 6, batch_size=1024)


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "mlp", "hidden": (50, 20)},
        {"architecture": "mlp", "hidden": (50,), "activation": "maxout", "dropout": 0.5},
        {"channels": (4, 6), "kernels": (3, 4), "strides": (1, 2), "hidden": (10,)},
        {"channels": (4,), "kernels": (5,), "strides": (3,), "activation": "maxout"},
        {"channels": (4,), "kernels": (5,), "strides": (1,), "activation": "none", "dropout": 0.2},
    ],
)
def test_counts_are_those_of_the_real_network(changes: dict[str, Any], bars: Project) -> None:
    recipe = bars.recipe(**{"architecture": "cnn", "batch_size": 10, "optimizer": "sgd", **changes})
    model = bars.build(recipe)
    sizes: list[int] = []
    products: list[int] = []

    def seen(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        if isinstance(module, nn.Flatten | nn.Unflatten):
            return
        sizes.append(output.numel())
        if isinstance(module, models.Dropout):
            sizes.extend([output.numel()] * 2)
        if isinstance(module, nn.Linear | nn.Conv2d):
            each = module.weight[0].numel()  # inputs of one neuron
            products.append(output.numel() * each)

    for module in model.modules():
        if not isinstance(module, nn.Sequential):
            module.register_forward_hook(seen)
    model(torch.zeros(1, 6, 6))
    found = limits.need(recipe, (6, 6), 3)
    assert found.parameters == models.parameters(model)
    largest = max([*sizes, 36])
    kept = 10 * (36 + sum(sizes) + 2 * largest)
    assert found.signals == 4 * max(kept, 3000 * largest)
    assert found.operations == 2 * sum(products) * 6000
    assert found.weights == 4 * 9 * found.parameters


def test_an_optimizer_that_remembers_takes_more() -> None:
    kind = project("digits")
    sizes = [need(kind, optimizer=name).weights for name in ("sgd", "momentum", "adam")]
    assert sizes == sorted(set(sizes))


def test_work_counts_training_three_times_and_measuring_once(bars: Project) -> None:
    small, large = need(bars, batch_size=1), need(bars, batch_size=1024)
    assert small.operations == large.operations  # 6,000 are measured, 1,024 trained three times
    assert limits.MEASURED > 3 * 1000


def test_no_validation_set_of_pictures_is_larger_than_counted_on() -> None:
    examples = next(field for field in project("shapes").data_fields if field.name == "examples")
    assert 0.15 * examples.high <= limits.MEASURED  # of the digits, 5,000 are for validation


def test_the_terminal_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [("--channels", "128,128,128"), ("--strides", "1,1,1"), ("--kernels", "3,3,3")]
    assert main(["train", "shapes", *(word for pair in sizes for word in pair)]) == 2
    assert "One run may take 1024 MB" in capsys.readouterr().err


def test_pictures_that_take_long_to_draw_are_refused() -> None:
    with pytest.raises(LimitError, match=r"would take about 696 seconds, and 100 are allowed"):
        project("shapes").recipe(data={"examples": 40_000, "size": "64", "photo": 1.0})
    project("shapes").recipe(data={"examples": 40_000})
    project("shapes").recipe(data={"size": "64"})


def test_it_is_said_in_polish() -> None:
    with pytest.raises(LimitError) as refused:
        project("shapes").recipe(**GIANT)
    said = refused.value.text(lambda text: translate(text, "pl"))
    assert "23848 MB pamięci" in said
    assert "1024 MB" in said


def test_a_recipe_alone_is_not_judged(bars: Project) -> None:
    """Only with its project is the size of its input known."""
    assert isinstance(Recipe("shapes", GIANT["data"]), Recipe)
