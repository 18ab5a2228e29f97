"""How soon the digits page is good, and what the service and its viewer cost.

    python benchmarks/digits_speed.py [--rounds 3]

Three loops on full MNIST, in turn, each in a fresh process (a process that has computed
with two threads keeps the helper thread, which slows the next loop's down), data in memory
before the clock starts:

1. *standard*: one epoch of the standard PyTorch MNIST example by its published settings:
   convolutions 32 and 64 of 3×3, max pooling, dropout 0.25 and 0.5, 9216-128-10, Adadelta
   with learning rate 1.0, batch 64, torchvision's ToTensor and Normalize through a
   DataLoader without workers.
2. *service*: the default recipe in ``RunService``, with a viewer that does every half
   second what the page does, each time in a new thread, as Streamlit does: a snapshot,
   both charts' rows, and a prediction.
   Printed: seconds from start to the first validation accuracy of 98.5 %, data in memory.
3. *bare*: the same recipe with nothing around ``training.fit``; its losses must be the
   same numbers, and its time is what the service is compared with.
"""

from __future__ import annotations

from common import conditions, spread  # before torch, which it prepares

# isort: split
import argparse
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from playground.data import mnist
from playground.projects import project
from playground.runtime.run import Run
from playground.runtime.service import RunService
from playground.training import Step, fit
from playground.ui.charts import vega

TARGET = 0.985
T = TypeVar("T")


class Standard(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.conv2(functional.relu(self.conv1(x))))
        x = self.dropout1(functional.max_pool2d(x, 2)).flatten(1)
        x = self.dropout2(functional.relu(self.fc1(x)))
        return functional.log_softmax(self.fc2(x), dim=1)


def standard_epoch() -> float:
    """Seconds of the standard example's first epoch on all cores."""
    prepare = transforms.Compose(
        [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    )

    class InMemory(datasets.MNIST):
        """As ``datasets.MNIST``, from tensors that are loaded already."""

        def __init__(self) -> None:
            train, _test = mnist.load("full", mnist.folder())
            self.data, self.targets = train.inputs, train.targets
            self.transform, self.target_transform = prepare, None

    torch.manual_seed(1)
    loader = DataLoader(InMemory(), batch_size=64, shuffle=True)
    model = Standard()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    begun = time.perf_counter()
    model.train()
    for data, target in loader:
        optimizer.zero_grad()
        loss = functional.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - begun


def through_the_service() -> tuple[float, float | None, list[float], int]:
    """(seconds, seconds to the target, losses, threads) of the default recipe in the service."""
    service = RunService()
    kind = project("digits")
    run = Run(kind, kind.recipe())
    service.load(run, patience=600)
    picture = run.dataset().test.inputs[0]
    over = threading.Event()

    def refresh() -> None:
        history = service.look(run).history
        vega.thin(history.losses)
        vega.smooth(history.losses)
        run.predictor().answer(picture)

    def view() -> None:
        while not over.wait(0.5):
            thread = threading.Thread(target=refresh)
            thread.start()
            thread.join()

    viewer = threading.Thread(target=view)
    begun = time.perf_counter()
    service.start(run)
    viewer.start()
    while not run.over:
        time.sleep(0.05)
    seconds = time.perf_counter() - begun
    over.set()
    viewer.join()
    service.close()
    history = run.snapshot().history
    good = [row.wall for row in history.epochs if row.validation["accuracy"] >= TARGET]
    return seconds, (good[0] if good else None), history.losses, run.recipe.threads


def bare(threads: int) -> tuple[float, list[float]]:
    kind = project("digits")
    recipe = kind.recipe(threads=threads)
    torch.set_num_threads(threads)
    dataset = kind.load(recipe)
    begun = time.perf_counter()
    events = fit(kind.build(recipe), dataset, recipe)
    found = [event.loss for event in events if isinstance(event, Step)]
    return time.perf_counter() - begun, found


def fresh(loop: Callable[..., T], *arguments: object) -> T:
    """What ``loop`` returns in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(loop, *arguments).result()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    print(conditions())
    whole, reached, alone, standard = [], [], [], []
    for _round in range(rounds):
        standard.append(fresh(standard_epoch))
        seconds, good, losses, threads = fresh(through_the_service)
        whole.append(seconds)
        reached.append(good if good is not None else float("inf"))
        seconds, found = fresh(bare, threads)
        alone.append(seconds)
        assert found == losses, "the service changed the numbers"
    print(f"standard example, first epoch: {spread(standard, 2)} s")
    print(f"service, {threads} threads, to {TARGET:.1%} on validation: {spread(reached, 2)} s")
    ratio = statistics.median(s / r for s, r in zip(standard, reached, strict=True))
    print(f"  the standard epoch takes {ratio:.1f} times as long")
    print(f"service with a viewer, whole run: {spread(whole, 2)} s; bare {spread(alone, 2)} s")
    ratio = statistics.median(w / a for w, a in zip(whole, alone, strict=True))
    print(f"  ratio {ratio:.3f}, the same {len(losses)} losses")


if __name__ == "__main__":
    main()
