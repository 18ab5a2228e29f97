"""One training step of a small MLP (784-64-32-10, batch 32, Adam), one thread, in ms.

Three loops over the same 4,000 random pictures in turn, so that a slow moment hits all:
``training.fit`` as the app runs it (loss, figures and checkpoint of each step included);
the same steps alone, without what the app records; and plain eager PyTorch with Adam's
defaults.

    python benchmarks/mlp_step.py
"""

from __future__ import annotations

from common import conditions, spread  # before torch, which it prepares

# isort: split
import time

import torch
from torch import nn

from playground import losses, models, optimizers
from playground.data.dataset import Dataset, Examples, Scaler
from playground.recipe import Recipe
from playground.training import Step, fit

ROUNDS, STEPS = 9, 375


def dataset() -> Dataset:
    source = torch.Generator().manual_seed(0)
    inputs = torch.randint(0, 256, (4000, 28, 28), generator=source, dtype=torch.uint8)
    examples = Examples(inputs, torch.randint(0, 10, (4000,), generator=source))
    few = Examples(*examples[:10])
    return Dataset(examples, few, few, Scaler.fit(examples))


RECIPE = Recipe("digits", hidden=(64, 32), optimizer="adam", batch_size=32, epochs=3)


def as_the_app_does(data: Dataset) -> float:
    events = fit(models.build(RECIPE, (28, 28), 10), data, RECIPE)
    begun = time.perf_counter()
    steps = sum(isinstance(event, Step) for event in events)
    return (time.perf_counter() - begun) / steps


def steps_alone(data: Dataset, fused: bool) -> float:
    """Batches ready in memory: forward, loss, backward, optimizer, nothing else."""
    model = models.build(RECIPE, (28, 28), 10)
    loss_function = losses.build(RECIPE) if fused else nn.CrossEntropyLoss()
    optimizer = (
        optimizers.build(RECIPE, model.parameters())
        if fused
        else torch.optim.Adam(model.parameters(), RECIPE.learning_rate)
    )
    inputs, targets = data.scaler(data.train.inputs), data.train.targets
    batches = list(zip(inputs.split(32), targets.split(32), strict=True))
    begun = time.perf_counter()
    for step in range(STEPS):
        x, y = batches[step % len(batches)]
        loss = loss_function(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (time.perf_counter() - begun) / STEPS


def main() -> None:
    torch.set_num_threads(1)
    data = dataset()
    loops = {
        "training.fit, all that the app records": lambda: as_the_app_does(data),
        "steps alone, the app's optimizer (fused)": lambda: steps_alone(data, fused=True),
        "steps alone, eager torch with default Adam": lambda: steps_alone(data, fused=False),
    }
    figures: dict[str, list[float]] = {name: [] for name in loops}
    for round_ in range(ROUNDS + 1):
        for name, loop in loops.items():
            seconds = loop()
            if round_:  # the first round warms up
                figures[name].append(1000 * seconds)
    print(conditions())
    for name, values in figures.items():
        print(f"{name}: {spread(values, 3)} ms a step")


if __name__ == "__main__":
    main()
