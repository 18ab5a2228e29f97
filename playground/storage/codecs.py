"""How a student's own things are written down: pictures, tables, games, examples.

Nothing here is pickled. What does not read back (a damaged entry, or one of a newer
program) is left out, so that the rest still comes.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image
from safetensors import torch as safetensors

from playground.data.dataset import Examples
from playground.data.images import open_image
from playground.data.pictures import MAX_PIXELS_WHOLE
from playground.errors import PlaygroundError
from playground.export.weights import BROKEN
from playground.fields import Field, Value

T = TypeVar("T")
Picture = tuple[npt.NDArray[np.uint8], int]
"""A grey picture (H, W) and its class number."""
StoredRun = dict[str, Value]


@dataclass(frozen=True)
class Codec(Generic[T]):
    """A kind of thing: its name on the desk, and how one of them becomes bytes and comes back."""

    name: str
    encode: Callable[[T], bytes]
    decode: Callable[[bytes], T]

    def read(self, content: bytes) -> T | None:
        """What ``content`` says; None if it is not of this kind."""
        try:
            return self.decode(content)
        except (PlaygroundError, OSError, *BROKEN):
            return None


def pictures(name: str, labels: tuple[str, ...]) -> Codec[Picture]:
    """Labelled pictures of one project: a line with the label, then a PNG."""

    def encode(picture: Picture) -> bytes:
        file = io.BytesIO()
        Image.fromarray(picture[0]).save(file, "PNG")
        return labels[picture[1]].encode() + b"\n" + file.getvalue()

    def decode(content: bytes) -> Picture:
        label, _line, file = content.partition(b"\n")
        image = open_image(file, ["PNG"], MAX_PIXELS_WHOLE)
        return np.asarray(image.convert("L")), labels.index(label.decode())

    return Codec(name, encode, decode)


def table(name: str, fields: tuple[Field, ...]) -> Codec[list[StoredRun]]:
    """A whole table of own rows."""

    def decode(content: bytes) -> list[StoredRun]:
        rows = json.loads(content)
        # A column that was added since says itself what it was before.
        before = {field.name: field.before for field in fields if field.before is not None}
        names = {field.name for field in fields}
        if any(set(row) - names for row in rows):
            raise ValueError("a column of a newer program")
        return [
            {field.name: field.check({**before, **row}[field.name]) for field in fields}
            for row in rows
        ]

    return Codec(name, lambda rows: json.dumps(rows).encode(), decode)


LENGTH: Final = 32  # hexadecimal digits that name a set of examples


def pack(examples: Examples) -> tuple[str, bytes]:
    """A name that says what is in it, and the bytes, of a run's own examples."""
    tensors = {"inputs": examples.inputs, "targets": examples.targets}
    content = safetensors.save({name: one.contiguous() for name, one in tensors.items()})
    return hashlib.sha256(content).hexdigest()[:LENGTH], content


def unpack(content: bytes) -> Examples:
    """What :func:`pack` wrote.

    Raises:
        what ``BROKEN`` says: it is something else.
    """
    tensors = safetensors.load(content)
    return Examples(tensors["inputs"], tensors["targets"])
