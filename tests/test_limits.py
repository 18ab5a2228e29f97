"""What one run may take is counted before anything is made, and refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from playground import limits, models, resources
from playground.__main__ import main
from playground.data.dataset import Examples, with_own
from playground.desks.run_list import RunList
from playground.experiments import sweep
from playground.i18n import translate
from playground.limits import LimitError
from playground.projects import PROJECTS, project
from playground.projects.base import Project
from playground.recipe import Recipe
from playground.resources import ResourceEstimate
from playground.runtime.run import Run
from playground.runtime.service import RunService

# The largest that the sliders of a page can ask for.
GIANT: dict[str, Any] = {
    "channels": (128,) * 4,
    "kernels": (3,) * 4,
    "strides": (1,) * 4,
    "batch_size": 1024,
    "data": {"size": "64"},
}


def need(kind: Project, **changes: Any) -> ResourceEstimate:
    """What a recipe takes, whether or not it may."""
    data = {**kind.recipe().data, **changes.pop("data", {})}
    recipe = kind.recipe().with_(data=data, **changes)
    return resources.estimate(recipe, kind.input_shape(recipe), kind.outputs)


def test_a_giant_is_refused_with_the_figure_the_limit_and_the_way_out() -> None:
    with pytest.raises(LimitError) as refused:
        project("shapes").recipe(**GIANT)
    assert str(refused.value) == (
        "This network would need about 23848 MB of memory: 3351 MB for its weights with gradients, "
        "optimizer and copies, 20498 MB for the outputs of its layers. One run may use 1024 MB: "
        "choose fewer channels or neurons, a larger stride or a smaller batch."
    )


def test_a_giant_needs_no_memory_to_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither weights nor signals are made: the layers have shapes and no numbers."""

    def made(*_: Any, **__: Any) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(models, "build", made)
    monkeypatch.setattr(nn.Module, "to_empty", made)
    found = need(project("shapes"), **GIANT, hidden=(1024,) * 6, activation="maxout")
    assert found.bytes > 10 * limits.MAX_RUN_BYTES


def test_work_that_would_hold_up_everybody_is_refused_too() -> None:
    with pytest.raises(LimitError, match=r"about 391 billion .* 200 are allowed"):
        project("shapes").recipe(
            channels=(64, 64), kernels=(3, 3), strides=(1, 1), hidden=(64,), batch_size=256
        )


@pytest.mark.parametrize("name", PROJECTS)
def test_every_preset_is_far_from_the_limits(name: str) -> None:
    kind = project(name)
    for preset in kind.presets:
        recipe = kind.preset(preset.name)
        found = resources.estimate(recipe, kind.input_shape(recipe), kind.outputs)
        assert found.bytes < limits.MAX_RUN_BYTES / 4
        assert found.operations < limits.MAX_OPERATIONS / 4


def test_the_largest_table_networks_of_the_sliders_are_allowed() -> None:
    for kind in PROJECTS.values():
        if not kind.pictures:
            kind.recipe(hidden=(1024,) * 6, batch_size=1024)


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
    found = resources.estimate(recipe, (6, 6), 3)
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
    assert resources.MEASURED > 3 * 1000


def test_no_validation_set_of_pictures_is_larger_than_counted_on() -> None:
    examples = next(field for field in project("shapes").data_fields if field.name == "examples")
    assert 0.15 * examples.high <= resources.MEASURED  # of the digits, 5,000 are for validation


def test_the_terminal_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = [("--channels", "128,128,128"), ("--strides", "1,1,1"), ("--kernels", "3,3,3")]
    assert main(["train", "shapes", *(word for pair in sizes for word in pair)]) == 2
    assert "One run may use 1024 MB" in capsys.readouterr().err


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


# --- All runs together --------------------------------------------------------------------

GIB = 2**30


@pytest.mark.parametrize("students", [30, 100])
def test_a_class_with_usual_networks_fits_a_machine_of_8_gb(
    students: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where each of them trains as many as one desk may, and has had the others."""
    monkeypatch.setattr(resources, "memory", lambda: 8 * GIB)
    monkeypatch.delenv(resources.MEMORY, raising=False)
    kinds = sorted(PROJECTS.values(), key=lambda kind: -kind.need(kind.recipe()).bytes)
    peaks = 4 * kinds[0].need(kinds[0].recipe()).signals  # of four workers, which are not here
    service = RunService(workers=0, memory=resources.budget() - peaks)
    runs = []
    for seed in range(students):
        listed = RunList()
        for place, kind in enumerate(reversed(kinds)):
            run = Run(kind, kind.recipe(seed=seed))
            listed.take(run)
            service.start(run)
            if place < len(kinds) - limits.MAX_ACTIVE_RUNS:
                service.stop(run)
            runs.append(run)
    assert service.active == students * limits.MAX_ACTIVE_RUNS


def test_a_class_with_the_largest_networks_does_not() -> None:
    kind = project("digits")
    largest = kind.need(kind.recipe(hidden=(1024,) * 6, architecture="mlp", batch_size=1024))
    assert largest.bytes < limits.MAX_RUN_BYTES
    others = [largest] * 20
    resources.check_together([largest], others, 2, 8 * GIB)
    with pytest.raises(LimitError) as refused:
        resources.check_together([largest], [largest] * 99, 2, 5 * GIB)
    assert "only 0 of the 5120 MB for everyone's networks are free" in str(refused.value)
    assert "Choose a smaller network, or wait" in str(refused.value)


def test_signals_count_for_those_in_a_step_alone() -> None:
    small, large = ResourceEstimate(1, 10, 100, 0, 1), ResourceEstimate(1, 20, 1000, 0, 2)
    assert resources.peak_bytes([], 2) == 0
    assert resources.peak_bytes([small, large, small], 2) == 44 + 1100
    assert resources.peak_bytes([small, large, small], 9) == 44 + 1200
    assert large.over == ResourceEstimate(1, 4, 0, 0, 2)


def test_a_refusal_names_what_is_left_and_is_said_in_polish() -> None:
    with pytest.raises(LimitError) as refused:
        resources.check_together(
            [ResourceEstimate(1, 300 * 2**20, 0, 0)],
            [ResourceEstimate(1, 800 * 2**20, 0, 0)],
            2,
            GIB,
        )
    assert "needs about 300 MB more, but only 224 of the 1024 MB" in str(refused.value)
    assert "for everyone's networks are free" in str(refused.value)
    said = refused.value.text(lambda text: translate(text, "pl"))
    assert "300 MB" in said
    assert "poczekaj" in said


def test_the_budget_is_said_or_what_the_machine_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, left in ((1, 0.5), (4, 2), (8, 5), (32, 29)):
        monkeypatch.setattr(resources, "memory", lambda size=machine * GIB: size)
        monkeypatch.delenv(resources.MEMORY, raising=False)
        assert resources.budget() == left * GIB
        for nonsense in ("", "0", "-5", "much", "1e3"):
            monkeypatch.setenv(resources.MEMORY, nonsense)
            assert resources.budget() == left * GIB
    monkeypatch.setenv(resources.MEMORY, "700")
    assert resources.budget() == 700 * 2**20


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, 8 * GIB),
        ({"sys/fs/cgroup/memory.max": "max\n"}, 8 * GIB),
        ({"sys/fs/cgroup/memory.max": f"{2 * GIB}\n"}, 2 * GIB),
        ({"sys/fs/cgroup/memory.max": f"{64 * GIB}\n"}, 8 * GIB),
        ({"sys/fs/cgroup/memory/memory.limit_in_bytes": f"{3 * GIB}\n"}, 3 * GIB),
        (
            {
                "proc/self/cgroup": "0::/class.slice/playground.service\n",
                "sys/fs/cgroup/class.slice/playground.service/memory.max": "max\n",
                "sys/fs/cgroup/class.slice/memory.max": f"{4 * GIB}\n",
            },
            4 * GIB,
        ),
    ],
)
def test_the_memory_is_what_the_control_groups_leave(
    files: dict[str, str], found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {"SC_PHYS_PAGES": 2 * 2**20, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(resources.os, "sysconf", pages.__getitem__)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert resources.memory(tmp_path) == found


def test_own_pictures_repeated_too_often_are_refused_before_they_are(bars: Project) -> None:
    dataset = bars.load(bars.recipe())
    own = Examples(torch.zeros(2000, 28, 28, dtype=torch.uint8), torch.zeros(2000).long())
    with pytest.raises(LimitError, match=r"would take 748 MB .* 256 are allowed"):
        with_own(dataset, {"own_copies": 500}, own)
    kind = project("digits")
    recipe = kind.recipe(data={"own_copies": 500, "strokes": 100})
    assert kind.need(recipe, own).data == (100 + 2000 * 500) * 28 * 28


@pytest.mark.parametrize("size", ["28", "64"])
def test_the_largest_data_sets_that_are_drawn_may_be_repeated(size: str) -> None:
    examples = next(field for field in project("shapes").data_fields if field.name == "examples")
    assert examples.high * int(size) ** 2 < limits.MAX_DATA_BYTES


def test_a_sweep_fits_into_what_a_desk_may_do_in_the_background() -> None:
    assert sweep.MAX_RUNS <= limits.MAX_BACKGROUND_RUNS
