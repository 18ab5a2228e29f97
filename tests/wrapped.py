"""Projects around another one, for tests of the service: layers that wait or fail, slow data."""

from __future__ import annotations

import threading
from collections.abc import MutableSequence
from typing import Any

from bare import Bare
from torch import Tensor, nn

from playground.data.dataset import Dataset, Examples
from playground.projects.base import Project
from playground.recipe import Recipe


class Wrapped(Bare):
    """Another project with more layers in its network, or another loading.

    ``loads`` counts how often its data were loaded.
    """

    def __init__(
        self, inner: Project, *more: nn.Module, load_error: Exception | None = None
    ) -> None:
        self.inner, self.more, self.load_error = inner, more, load_error
        self.loads = 0
        for name in ("name", "task", "labels", "data_fields", "pictures"):
            setattr(self, name, getattr(inner, name))

    def load(self, recipe: Recipe, own: Examples | None = None) -> Dataset:
        self.loads += 1
        if self.load_error is not None:
            raise self.load_error
        return self.inner.load(recipe, own)

    def encode(self, raw: Any, recipe: Recipe) -> Tensor:
        return self.inner.encode(raw, recipe)

    def input_shape(self, recipe: Recipe) -> tuple[int, ...]:
        return self.inner.input_shape(recipe)

    def build(self, recipe: Recipe) -> nn.Sequential:
        return self.inner.build(recipe).extend(self.more)


class Gate(nn.Module):
    """Lets a training step pass for each permit, so that a test decides when a step ends.

    ``came`` counts the steps that came to it; ``passed`` is told whose step went on, by ``name``.
    """

    def __init__(
        self,
        permits: threading.Semaphore,
        passed: MutableSequence[int] | None = None,
        name: int = 0,
    ) -> None:
        super().__init__()
        self.permits, self.passed, self.name = permits, passed, name
        self.came = 0

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            self.came += 1
            assert self.permits.acquire(timeout=60)
            if self.passed is not None:
                self.passed.append(self.name)
        return inputs


class Broken(nn.Module):
    """Raises ``error`` in its training step number ``step``, counted from 1, and later."""

    def __init__(self, error: Exception, step: int = 1) -> None:
        super().__init__()
        self.error, self.step = error, step
        self.seen = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen += self.training
        if self.training and self.seen >= self.step:
            raise self.error
        return inputs
