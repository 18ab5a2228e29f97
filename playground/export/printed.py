"""What an exported script prints, written once: the script has this very source."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor


def figures_line(split: str, figures: Mapping[str, float]) -> str:
    """As in: validation loss 0.041234, validation accuracy 0.987000."""
    return ", ".join(f"{split} {name} {value:.6f}" for name, value in figures.items())


def epoch_line(epoch: int, train: Mapping[str, float], validation: Mapping[str, float]) -> str:
    """One epoch's figures: means over its batches, and measured after it."""
    return (
        f"epoch {epoch}: {figures_line('train', train)}, {figures_line('validation', validation)}"
    )


def unpacked(text: str, *shape: int) -> Tensor:
    """Bytes that :func:`packed` wrote, as a tensor (uint8)."""
    pixels = np.frombuffer(zlib.decompress(base64.b85decode(text)), dtype=np.uint8)
    return torch.from_numpy(pixels.copy()).reshape(shape)


def packed(pixels: Tensor) -> str:
    """A tensor of bytes as text that stands in a source file."""
    return base64.b85encode(zlib.compress(pixels.numpy().tobytes(), 9)).decode()
