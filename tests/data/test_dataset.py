from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from playground.data.dataset import OWN_COPIES, Dataset, Examples, Scaler, split, with_own


def table(n: int) -> Examples:
    generator = torch.Generator().manual_seed(0)
    return Examples(torch.randn(n, 2, generator=generator) * 3 + 5, torch.arange(n))


def pictures(n: int) -> Examples:
    generator = torch.Generator().manual_seed(0)
    grey = torch.randint(0, 256, (n, 4, 4), generator=generator, dtype=torch.uint8)
    return Examples(grey, torch.arange(n) % 2)


def test_examples_are_pairs() -> None:
    examples = table(5)
    assert len(examples) == 5
    inputs, targets = examples[torch.tensor([3, 1])]
    assert torch.equal(inputs, examples.inputs[[3, 1]])
    assert targets.tolist() == [3, 1]
    both = examples + table(2)
    assert both.targets.tolist() == [0, 1, 2, 3, 4, 0, 1]
    with pytest.raises(ValueError, match="3 inputs but 2 targets"):
        Examples(torch.zeros(3, 1), torch.zeros(2))


def test_a_tables_scaler_standardises_each_column() -> None:
    examples = table(200)
    scaled = Scaler.fit(examples)(examples.inputs)
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled.mean(dim=0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(scaled.std(dim=0, correction=0), torch.ones(2))


def test_a_pictures_scaler_has_one_mean_of_all_grey_values() -> None:
    examples = pictures(50)
    scaler = Scaler.fit(examples)
    values = examples.inputs.double()
    assert scaler.mean.item() == pytest.approx(values.mean().item(), rel=1e-6)
    assert scaler.std.item() == pytest.approx(values.std(correction=0).item(), rel=1e-6)
    assert scaler(examples.inputs).shape == (50, 4, 4)
    torch.testing.assert_close(scaler(examples.inputs), scaler(examples.inputs.float()))


@given(st.floats(-1e6, 1e6, width=32), st.integers(1, 200))
def test_what_never_varies_keeps_its_size(value: float, n: int) -> None:
    inputs = torch.full((n, 1), value)
    scaler = Scaler.fit(Examples(inputs, torch.zeros(n)))
    assert scaler.std.tolist() == [1.0]
    torch.testing.assert_close(scaler(inputs + 1), torch.ones(n, 1), atol=0.2, rtol=0)


def test_one_blank_picture_can_be_scaled() -> None:
    blank = Examples(torch.zeros(3, 4, 4, dtype=torch.uint8), torch.zeros(3))
    assert torch.equal(Scaler.fit(blank)(blank.inputs), torch.zeros(3, 4, 4))


@given(st.integers(3, 200), st.integers(0, 2**31 - 1))
def test_a_split_loses_and_repeats_nothing(n: int, seed: int) -> None:
    parts = split(table(n), (0.6, 0.2, 0.2), seed)
    assert sorted(torch.cat([part.targets for part in parts]).tolist()) == [*range(n)]
    assert len(parts[0]) == round(0.6 * n)
    again = split(table(n), (0.6, 0.2, 0.2), seed)
    assert all(torch.equal(a.targets, b.targets) for a, b in zip(parts, again, strict=True))


def test_a_split_depends_on_its_seed_and_keeps_pairs() -> None:
    one, other = split(table(50), (0.5, 0.3, 0.2), 1), split(table(50), (0.5, 0.3, 0.2), 2)
    assert not torch.equal(one[0].targets, other[0].targets)
    assert [len(part) for part in one] == [25, 15, 10]
    assert torch.equal(one[1].inputs, table(50).inputs[one[1].targets])


def test_own_pictures_join_the_training_data_alone() -> None:
    dataset = Dataset(pictures(8), pictures(4), pictures(4), Scaler.fit(pictures(8)))
    own = Examples(torch.full((2, 4, 4), 9, dtype=torch.uint8), torch.tensor([1, 0]))
    joined = with_own(dataset, {OWN_COPIES.name: 3}, own)
    assert len(joined.train) == 8 + 2 * 3
    assert joined.train.targets[8:].tolist() == [1, 0, 1, 0, 1, 0]
    assert joined.train.inputs.dtype == torch.uint8
    assert joined.own == 2
    assert joined.validation is dataset.validation
    assert joined.test is dataset.test
    assert len(dataset.train) == 8
    nothing = Examples(own.inputs[:0], own.targets[:0])
    assert with_own(dataset, {OWN_COPIES.name: 3}, nothing) is dataset
    assert with_own(dataset, {}, None) is dataset


def test_a_data_set_describes_itself() -> None:
    dataset = Dataset(table(6), table(2), table(1), Scaler.fit(table(6)), source="small")
    assert dataset.describe() == {
        "source": "small",
        "train": 6,
        "validation": 2,
        "test": 1,
        "own": 0,
    }
