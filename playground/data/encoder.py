"""Rows that people read, tensors that networks read: the columns of a table, both ways."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.fields import Field, Value, plain
from playground.i18n import N_


@dataclass(frozen=True)
class Encoder:
    """The columns of a table and its answer: turns readable rows into tensors and back.

    A choice becomes one column a choice, of which one is 1 and the others 0 (one-hot):
    as a single number, a network would take "large" for three times "small". Everything
    else stays in its raw unit, a switch as 0 or 1. An answer that is a choice becomes
    its class number.
    """

    columns: tuple[Field, ...]
    target: Field
    most: float = math.inf
    """What the numbers of a row may add up to: a day has 24 hours."""

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the encoded columns: ``extras``, or ``size=small`` for a choice."""
        return tuple(
            name
            for column in self.columns
            for name in ([f"{column.name}={c}" for c in column.choices] or [column.name])
        )

    def encode(self, row: object) -> Tensor:
        """One row as (features,) float32 in raw units.

        ``row`` is ``{column name: value}``, or the values in the order of the columns; a
        row of a data frame is either.

        Raises:
            PlaygroundError: a column is missing or unknown (names it, and the nearest
                one), or a value is not allowed (:class:`~playground.fields.FieldError`).
        """
        names = [column.name for column in self.columns]
        if not isinstance(row, Mapping):
            row = _named(row, names)
        for name in row:
            if name not in names:
                raise PlaygroundError(
                    N_("There is no column {name}. Did you mean {nearest}?"),
                    name=repr(name)[:80],
                    nearest=difflib.get_close_matches(str(name), names, n=1, cutoff=0)[0],
                )
        numbers: list[float] = []
        for column in self.columns:
            value = _cell(column, row)
            if column.choices:
                numbers += [float(value == choice) for choice in column.choices]
            else:
                numbers.append(float(value))  # type: ignore[arg-type]
        return torch.tensor(numbers)

    def total(self, encoded: Tensor) -> float:
        """What the numbers of one encoded row add up to, choices aside."""
        numbers = [not c.choices for c in self.columns for _choice in (c.choices or (c.name,))]
        return float(encoded[torch.tensor(numbers)].double().sum())

    def encode_rows(self, rows: Iterable[Mapping[str, object]]) -> Tensor:
        """Many rows as (n, features) float32; raises like :meth:`encode`."""
        encoded = [self.encode(row) for row in rows]
        return torch.stack(encoded) if encoded else torch.empty(0, len(self.features))

    def examples(self, rows: Sequence[Mapping[str, object]]) -> Examples:
        """Rows that also hold the answer, as examples; raises like :meth:`encode`."""
        known = [{k: v for k, v in row.items() if k != self.target.name} for row in rows]
        answers = [_cell(self.target, row) for row in rows]
        if self.target.choices:
            classes = [self.target.choices.index(str(answer)) for answer in answers]
            return Examples(self.encode_rows(known), torch.tensor(classes, dtype=torch.int64))
        values = torch.tensor(answers, dtype=torch.float32)
        return Examples(self.encode_rows(known), values)

    def rows(self, examples: Examples) -> list[dict[str, Value]]:
        """Examples as readable rows, the answer last; numbers to two decimals."""
        table = []
        for numbers, answer in zip(
            examples.inputs.tolist(), examples.targets.tolist(), strict=True
        ):
            row: dict[str, Value] = {}
            place = 0
            for column in self.columns:
                width = len(column.choices) or 1
                part = numbers[place : place + width]
                place += width
                row[column.name] = _readable(
                    column, part.index(max(part)) if column.choices else part[0]
                )
            row[self.target.name] = _readable(self.target, answer)
            table.append(row)
        return table


def encoded(columns: Mapping[str, Sequence[str]], row: Mapping[str, object]) -> Tensor:
    """A row by its columns' names as the network takes it: a choice as 0s and one 1."""
    numbers: list[float] = []
    for name, choices in columns.items():
        value = row[name]
        if choices and value not in choices:
            raise ValueError(f"{name} is {value!r}, but must be one of {choices}")
        numbers += [float(value == one) for one in choices] or [float(value)]  # type: ignore[arg-type]
    return torch.tensor(numbers)


def _named(row: object, names: Sequence[str]) -> Mapping[str, object]:
    """Values in the order of the columns, or a row of a data frame, by column name."""
    if hasattr(row, "to_dict"):  # pandas
        found = row.to_dict()
        return {str(name): value for name, value in found.items()}
    try:
        given: Any = row.tolist() if hasattr(row, "tolist") else row
        values = list(given)
    except TypeError:
        values = []
    if isinstance(row, str) or len(values) != len(names):
        raise PlaygroundError(
            N_("An input must be a row with {names}, not {found}."),
            names=", ".join(names),
            found=type(row).__name__,
        )
    return dict(zip(names, values, strict=True))


def _cell(column: Field, row: Mapping[str, object]) -> Value:
    """The checked value of ``column`` in ``row``; a switch may also be given as 0 or 1."""
    if column.name not in row:
        raise PlaygroundError(
            N_("The column {name} is missing. The columns are: {names}."),
            name=column.name,
            names=", ".join(map(str, row))[:200] or "–",
        )
    value = plain(row[column.name])
    if column.kind == "switch" and isinstance(value, int | float) and value in (0, 1):
        value = bool(value)
    return column.check(value)


def _readable(column: Field, number: float) -> Value:
    """A number of the tensor as a person writes it; for a choice it is the choice's number."""
    if column.choices:
        return column.choices[int(number)]
    if column.kind == "switch":
        return bool(number)
    return round(number) if column.kind == "integer" else round(number, 2)
