"""One seed, many independent streams of random numbers.

A recipe has one seed. Data, initialisation, shuffling, augmentation and dropout each
draw from a stream of their own, so that turning one of them off does not change what
the others draw. Nothing ever touches torch's global generator.
"""

from __future__ import annotations

from zlib import crc32

import torch


def generator(seed: int, purpose: str) -> torch.Generator:
    """A generator for ``purpose`` ("shuffle", "dropout", …) that depends on ``seed`` alone."""
    # One hash of both: torch's generator looks at the lower 32 bits of its seed alone.
    return torch.Generator().manual_seed(crc32(f"{purpose} {seed}".encode()))
