from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from playground.data import mnist
from playground.data.dataset import Examples
from playground.data.mnist import MnistError
from playground.projects.digits import Digits
from playground.projects.digits import data as digits

OPTIONS: dict[str, Any] = {field.name: field.default for field in digits.DATA_FIELDS}
PLAIN = {**OPTIONS, "european": False}


def test_the_small_source_is_split_once_for_everybody() -> None:
    dataset = digits.load(PLAIN, 0)
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [
        4000,
        500,
        500,
    ]
    assert dataset.source == "small"
    assert dataset.task == "classification"
    assert dataset.augment is None
    flat = torch.cat(
        [part.inputs.flatten(1) for part in (dataset.train, dataset.validation, dataset.test)]
    )
    assert len(flat.unique(dim=0)) == 5000  # no digit is in two splits
    assert digits.load(PLAIN, 0.5).train.inputs is dataset.train.inputs  # shared, not copied


def test_fewer_training_digits_leave_the_other_splits_alone() -> None:
    digits.load(PLAIN, 0)  # another thread of this process may be reading them for the first time
    few, all_of_them = digits.load({**PLAIN, "examples": 20}, 0), digits.load(PLAIN, 0)
    assert len(few.train) == 20
    assert torch.equal(few.train.inputs, all_of_them.train.inputs[:20])
    assert torch.equal(few.validation.inputs, all_of_them.validation.inputs)
    assert few.test is all_of_them.test


def test_european_digits_join_the_training_data_alone() -> None:
    plain, european = digits.load(PLAIN, 0), digits.load({**OPTIONS, "strokes": 100}, 0)
    assert len(european.train) == 4100
    assert torch.equal(european.train.inputs[:4000], plain.train.inputs)
    assert torch.equal(european.validation.inputs, plain.validation.inputs)
    # Runs with and without them see MNIST's digits in the same units.
    assert torch.equal(european.scaler.mean, plain.scaler.mean)
    assert european.train.inputs.dtype == torch.uint8


def test_own_digits_and_augmentation() -> None:
    own = Examples(torch.zeros(2, 28, 28, dtype=torch.uint8), torch.tensor([7, 1]))
    dataset = digits.load({**PLAIN, "own_copies": 5}, 0.5, own)
    assert len(dataset.train) == 4000 + 10
    assert dataset.own == 2
    assert dataset.augment is not None
    batch = dataset.train.inputs[:8].float()
    changed = dataset.augment(batch, torch.Generator().manual_seed(0))
    assert changed.shape == batch.shape
    assert not torch.equal(changed, batch)


def test_the_full_set_keeps_5000_for_validation(
    monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    def blank(n: int) -> Examples:
        return Examples(torch.zeros(n, 28, 28, dtype=torch.uint8), torch.arange(n) % 10)

    written = blank(6000), blank(10)
    monkeypatch.setattr(mnist, "load", lambda source, where: written)
    dataset = digits.load({**PLAIN, "source": "full", "examples": 30_000}, 0)
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [
        1000,
        5000,
        10,
    ]
    assert dataset.source == "full"


def test_a_full_set_that_is_not_there_is_said() -> None:
    with pytest.raises(MnistError):
        digits.load({**PLAIN, "source": "full"}, 0)


def test_the_project_takes_the_best_source_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Digits().recipe().data["source"] == "small"
    monkeypatch.setattr(mnist, "best_source", lambda: "full")
    assert Digits().recipe().data["source"] == "full"
    assert Digits().recipe(data={"source": "small"}).data["source"] == "small"
