"""Digits as a Polish class writes them, made of pen strokes.

MNIST was written by Americans. A European 1 has a flag, often a long one, and then
looks like MNIST's 7; a European 7 has a bar; a 0 may be slashed; a 4 is open or closed.
Here each such *form* is a few points per stroke, with a smooth curve through them. A
writer's hand is imitated by moving the points, slanting, stretching and bending the
whole, and changing the pen. The result is cut, shrunk and centred exactly as
:func:`playground.data.drawings.prepare` does with a drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from playground.data.dataset import Examples
from playground.data.steps import Steps, finish

__all__ = ["FORMS", "MIX", "generate", "write", "writing"]

Points = npt.NDArray[np.float32]
Stroke = list[tuple[float, float]]

MIX: Final = (0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 7, 8, 9)
"""Digits whose European forms differ from MNIST's come more often, the flagged 1 most."""
SAMPLES: Final = 96
"""Points along the pen's whole way. At 20 pixels they lie closer than a pen is wide."""

# One digit -> its forms: how often (a weight) and the strokes. x to the right, y DOWN,
# about 0.65 wide and 1 high. A point written twice is a corner; elsewhere the curve is smooth.
FORMS: Final[dict[int, list[tuple[float, list[Stroke]]]]] = {
    0: [
        # plain, begun at the top
        (3, [[(0.37, 0), (0.1, 0.18), (0.02, 0.5), (0.12, 0.84), (0.35, 1), (0.6, 0.82),
              (0.68, 0.5), (0.58, 0.16), (0.35, 0.0)]]),
        # begun at the right, its end hanging over
        (1, [[(0.6, 0.12), (0.35, 0), (0.08, 0.22), (0.02, 0.6), (0.2, 0.95), (0.5, 0.92),
              (0.68, 0.55), (0.58, 0.2), (0.35, 0.04), (0.22, 0.1)]]),
        # clockwise
        (1, [[(0.3, 0.02), (0.58, 0.14), (0.66, 0.5), (0.56, 0.86), (0.32, 1), (0.1, 0.84),
              (0.02, 0.5), (0.1, 0.18), (0.33, 0)]]),
        # slashed, the slash reaching out
        (1.2, [[(0.37, 0), (0.1, 0.18), (0.02, 0.5), (0.12, 0.84), (0.35, 1), (0.6, 0.82),
                (0.68, 0.5), (0.58, 0.16), (0.35, 0.0)], [(0.72, 0.0), (-0.02, 1.0)]]),
        # slashed within
        (0.8, [[(0.37, 0), (0.1, 0.18), (0.02, 0.5), (0.12, 0.84), (0.35, 1), (0.6, 0.82),
                (0.68, 0.5), (0.58, 0.16), (0.35, 0.0)], [(0.56, 0.2), (0.14, 0.8)]]),
        # slashed the other way
        (0.3, [[(0.37, 0), (0.1, 0.18), (0.02, 0.5), (0.12, 0.84), (0.35, 1), (0.6, 0.82),
                (0.68, 0.5), (0.58, 0.16), (0.35, 0.0)], [(0.05, 0.08), (0.62, 0.92)]]),
        # slashed steeply, as some write the empty set
        (0.4, [[(0.37, 0.1), (0.1, 0.25), (0.02, 0.5), (0.12, 0.78), (0.35, 0.9), (0.6, 0.75),
                (0.68, 0.5), (0.58, 0.22), (0.35, 0.1)], [(0.5, 0.0), (0.2, 1.0)]]),
        # slashed flat
        (0.5, [[(0.37, 0), (0.1, 0.18), (0.02, 0.5), (0.12, 0.84), (0.35, 1), (0.6, 0.82),
                (0.68, 0.5), (0.58, 0.16), (0.35, 0.0)], [(-0.14, 0.58), (0.84, 0.42)]]),
        # a long way past its beginning, or not quite round
        (0.5, [[(0.12, 0.1), (0.02, 0.5), (0.16, 0.92), (0.44, 0.98), (0.66, 0.55), (0.6, 0.14),
                (0.4, 0), (0.2, 0.06), (0.1, 0.2)]]),
        (0.4, [[(0.1, 0.06), (0.02, 0.5), (0.18, 0.96), (0.5, 0.94), (0.68, 0.5), (0.58, 0.1),
                (0.4, 0.04)]]),
    ],
    1: [
        (1, [[(0.3, 0), (0.3, 0.5), (0.3, 1)]]),
        # a flag: short, middling, long, down to the line
        (1, [[(0.16, 0.2), (0.34, 0), (0.34, 0), (0.34, 1)]]),
        (1.5, [[(0.05, 0.33), (0.36, 0), (0.36, 0), (0.35, 1)]]),
        (1.5, [[(-0.08, 0.5), (0.36, 0), (0.36, 0), (0.36, 1)]]),
        (0.7, [[(-0.1, 0.72), (0.36, 0), (0.36, 0), (0.38, 1)]]),
        # a steep flag, close to the stem
        (0.8, [[(0.2, 0.5), (0.36, 0), (0.36, 0), (0.36, 1)]]),
        # a bent flag
        (0.8, [[(0, 0.36), (0.22, 0.22), (0.38, 0), (0.38, 0), (0.36, 1)]]),
        # a rounded top
        (0.4, [[(0.1, 0.3), (0.28, 0.08), (0.37, 0.03), (0.37, 0.2), (0.35, 1)]]),
        # a flat flag, nearly a 7
        (1.5, [[(0.0, 0.2), (0.36, 0), (0.36, 0), (0.36, 1)]]),
        (1, [[(-0.02, 0.24), (0.2, 0.06), (0.4, 0.02), (0.4, 0.02), (0.32, 1)]]),
        (0.8, [[(-0.06, 0.3), (0.4, 0), (0.4, 0), (0.26, 1)]]),
        (0.7, [[(0.02, 0.26), (0.2, 0.14), (0.38, 0), (0.38, 0), (0.3, 1)]]),
        # with a foot
        (1.2, [[(0.08, 0.28), (0.34, 0), (0.34, 0), (0.34, 1)], [(0.06, 1), (0.62, 1)]]),
        (0.6, [[(-0.05, 0.45), (0.34, 0), (0.34, 0), (0.34, 1)], [(0.1, 1), (0.56, 0.99)]]),
        (0.3, [[(0.34, 0), (0.34, 1)], [(0.08, 1), (0.6, 1)]]),
        (0.5, [[(0.02, 0.2), (0.34, 0), (0.34, 0), (0.36, 1)], [(-0.04, 1), (0.62, 1)]]),
        (0.3, [[(0.1, 0.04), (0.34, 0.02), (0.34, 0.02), (0.34, 1)], [(0.04, 1), (0.6, 0.98)]]),
        # in one go, flag, stem and foot
        (0.3, [[(0.05, 0.3), (0.34, 0), (0.34, 0), (0.34, 1), (0.34, 1), (0.05, 1), (0.05, 1),
                (0.6, 0.98)]]),
    ],
    2: [
        (2, [[(0.04, 0.22), (0.3, 0), (0.6, 0.2), (0.46, 0.55), (0, 1), (0, 1), (0.68, 1)]]),
        # with a loop at the bottom
        (1.2, [[(0.06, 0.2), (0.32, 0), (0.6, 0.2), (0.44, 0.6), (0.12, 0.96), (0.02, 0.9),
                (0.14, 0.82), (0.38, 0.92), (0.7, 0.96)]]),
        # a swan
        (1, [[(0.06, 0.26), (0.22, 0.02), (0.54, 0.1), (0.48, 0.48), (0.06, 0.97), (0.06, 0.97),
              (0.25, 0.88), (0.48, 0.98), (0.7, 0.93)]]),
        # nearly a Z
        (0.8, [[(0.04, 0.1), (0.3, 0), (0.58, 0.08), (0.5, 0.4), (0.02, 0.98), (0.02, 0.98),
                (0.66, 0.98)]]),
        # with a curl at the start
        (0.5, [[(0.14, 0.3), (0.06, 0.18), (0.28, 0), (0.58, 0.16), (0.5, 0.5), (0.1, 0.95),
                (0.1, 0.95), (0.4, 0.98), (0.66, 0.9)]]),
        # with a wide loop that hangs below
        (0.5, [[(0.08, 0.16), (0.3, 0), (0.54, 0.16), (0.42, 0.46), (0.08, 0.72), (0.02, 0.92),
                (0.2, 0.94), (0.26, 0.76), (0.4, 0.86), (0.6, 1), (0.74, 0.88)]]),
    ],
    3: [
        (2, [[(0.05, 0.12), (0.32, 0), (0.56, 0.2), (0.26, 0.45), (0.26, 0.45), (0.6, 0.7),
              (0.34, 1), (0, 0.88)]]),
        # a flat top
        (1.2, [[(0.05, 0.01), (0.6, 0), (0.6, 0), (0.26, 0.4), (0.26, 0.4), (0.58, 0.64),
                (0.36, 1), (0, 0.9)]]),
        # a loop in the middle
        (0.8, [[(0.06, 0.12), (0.36, 0), (0.54, 0.2), (0.34, 0.44), (0.22, 0.46), (0.3, 0.4),
                (0.6, 0.66), (0.34, 1), (0, 0.86)]]),
        # round throughout
        (0.8, [[(0.04, 0.1), (0.38, 0), (0.54, 0.22), (0.34, 0.44), (0.42, 0.5), (0.6, 0.72),
                (0.36, 0.99), (0, 0.9)]]),
        # a small belly below a wide one
        (0.4, [[(0.04, 0.06), (0.4, 0), (0.58, 0.26), (0.22, 0.52), (0.22, 0.52), (0.48, 0.7),
                (0.34, 0.96), (0.02, 0.98)]]),
    ],
    4: [
        # open, in two strokes
        (1.5, [[(0.14, 0), (0.04, 0.55), (0.04, 0.55), (0.7, 0.55)], [(0.5, 0.22), (0.48, 1)]]),
        (1.5, [[(0.3, 0), (0, 0.62), (0, 0.62), (0.7, 0.62)], [(0.5, 0.34), (0.44, 1)]]),
        (0.6, [[(0.34, 0), (0, 0.66), (0, 0.66), (0.68, 0.64)], [(0.4, 0.42), (0.36, 1)]]),
        # closed, begun at the top, the stem apart
        (1.5, [[(0.5, 0), (0, 0.66), (0, 0.66), (0.74, 0.66)], [(0.5, 0), (0.5, 1)]]),
        # closed in one stroke
        (0.8, [[(0.48, 1), (0.5, 0), (0.5, 0), (0, 0.64), (0, 0.64), (0.7, 0.62)]]),
        # rounded, as in America
        (0.8, [[(0.04, 0), (0.06, 0.42), (0.34, 0.5), (0.58, 0.42)], [(0.58, 0), (0.54, 1)]]),
        # a lightning
        (0.4, [[(0.26, 0), (0, 0.6), (0, 0.6), (0.5, 0.54), (0.5, 0.54), (0.56, 0.25),
                (0.56, 0.25), (0.4, 1)]]),
        # the stem crosses far above the bar, or the bar far left of the stem
        (0.6, [[(0.22, 0.14), (0, 0.5), (0, 0.5), (0.7, 0.48)], [(0.46, 0), (0.36, 1)]]),
        # in one stroke, round at the top: up, over, down
        (0.5, [[(0.7, 0.6), (0.3, 0.64), (0, 0.6), (0, 0.6), (0.26, 0.28), (0.5, 0), (0.5, 0),
                (0.48, 0.5), (0.44, 1)]]),
        # a soft open 4 like a u with a stem
        (0.5, [[(0.04, 0.02), (0, 0.34), (0.14, 0.52), (0.4, 0.46), (0.58, 0.06), (0.58, 0.06),
                (0.5, 1)]]),
        # a bar that is crossed low
        (0.5, [[(0.42, 0.02), (0.02, 0.74), (0.02, 0.74), (0.74, 0.7)], [(0.46, 0.46), (0.42, 1)]]),
        # round on the left, the stem from far above
        (0.4, [[(0.2, 0.1), (0.02, 0.36), (0.22, 0.52), (0.6, 0.44)], [(0.56, 0), (0.4, 0.5),
                (0.34, 1)]]),
    ],
    5: [
        # two strokes
        (1.5, [[(0.12, 0), (0.08, 0.42), (0.08, 0.42), (0.38, 0.36), (0.62, 0.64), (0.4, 0.98),
                (0, 0.92)], [(0.12, 0.01), (0.62, 0)]]),
        # one stroke with corners
        (1.5, [[(0.62, 0), (0.14, 0.01), (0.14, 0.01), (0.08, 0.44), (0.08, 0.44), (0.38, 0.36),
                (0.62, 0.66), (0.4, 0.98), (0, 0.92)]]),
        # nearly an S
        (0.8, [[(0.64, 0.02), (0.28, 0.04), (0.12, 0.3), (0.42, 0.48), (0.56, 0.74), (0.34, 1),
                (0, 0.92)]]),
        # a stem that leans, a small belly
        (0.7, [[(0.2, 0.02), (0.1, 0.5), (0.1, 0.5), (0.36, 0.46), (0.52, 0.7), (0.3, 0.99),
                (0.02, 0.94)], [(0.2, 0.02), (0.7, 0.0)]]),
        # the bar drawn well to the right
        (0.5, [[(0.14, 0.08), (0.08, 0.46), (0.08, 0.46), (0.4, 0.4), (0.56, 0.68), (0.34, 0.98),
                (0, 0.9)], [(0.2, 0.04), (0.82, -0.02)]]),
    ],
    6: [
        (1.5, [[(0.5, 0), (0.18, 0.32), (0.04, 0.7), (0.26, 1), (0.58, 0.8), (0.38, 0.54),
                (0.08, 0.7)]]),
        # a straight back
        (1, [[(0.48, 0), (0.2, 0.36), (0.06, 0.74), (0.28, 1), (0.54, 0.8), (0.36, 0.6),
              (0.1, 0.76)]]),
        # a bent neck
        (0.7, [[(0.6, 0.12), (0.42, 0), (0.12, 0.3), (0.04, 0.7), (0.3, 1), (0.6, 0.76),
                (0.34, 0.5), (0.06, 0.68)]]),
        # a small loop, the end inside
        (0.7, [[(0.3, 0), (0.1, 0.4), (0.06, 0.78), (0.28, 1), (0.54, 0.82), (0.4, 0.62),
                (0.16, 0.72), (0.12, 0.84)]]),
        # wide, with a large loop
        (0.6, [[(0.3, 0), (0.06, 0.4), (0.06, 0.82), (0.4, 1), (0.74, 0.76), (0.5, 0.48),
                (0.14, 0.66)]]),
        # closed early, the loop small and low
        (0.4, [[(0.5, 0), (0.16, 0.4), (0.02, 0.82), (0.16, 1), (0.36, 0.88), (0.28, 0.7),
                (0.06, 0.82)]]),
        # low and broad
        (0.4, [[(0.4, 0.1), (0.08, 0.38), (0.02, 0.74), (0.36, 0.98), (0.84, 0.78), (0.66, 0.5),
                (0.08, 0.6)]]),
    ],
    7: [
        (0.5, [[(0, 0.03), (0.64, 0), (0.64, 0), (0.26, 1)]]),
        # with a bar
        (2, [[(0, 0.03), (0.64, 0), (0.64, 0), (0.26, 1)], [(0.1, 0.5), (0.64, 0.48)]]),
        # with a serif at the left, without and with a bar
        (0.4, [[(0.02, 0.2), (0.02, 0.02), (0.02, 0.02), (0.64, 0), (0.64, 0), (0.3, 1)]]),
        (0.8, [[(0.02, 0.2), (0.02, 0.02), (0.02, 0.02), (0.64, 0), (0.64, 0), (0.3, 1)],
               [(0.14, 0.52), (0.64, 0.48)]]),
        # curved, without and with a bar
        (0.4, [[(0, 0.12), (0.14, 0.02), (0.4, 0.08), (0.64, 0), (0.64, 0), (0.42, 0.42),
                (0.3, 1)]]),
        (1, [[(0, 0.12), (0.14, 0.02), (0.4, 0.08), (0.64, 0), (0.64, 0), (0.42, 0.42),
              (0.3, 1)], [(0.12, 0.54), (0.4, 0.48), (0.66, 0.5)]]),
        # a round corner, a bar that rises
        (0.6, [[(0, 0.05), (0.36, 0.02), (0.6, 0.08), (0.44, 0.45), (0.3, 1)],
               [(0.14, 0.56), (0.66, 0.44)]]),
        (0.4, [[(0, 0.05), (0.36, 0.02), (0.58, 0.06), (0.48, 0.4), (0.3, 1)]]),
        # a serif that hooks, a stem that bends
        (0.5, [[(0.04, 0.24), (0.1, 0.02), (0.34, 0.1), (0.62, 0.02), (0.5, 0.36), (0.34, 1)],
               [(0.2, 0.52), (0.62, 0.46)]]),
        # a short bar
        (0.5, [[(0, 0.04), (0.6, 0), (0.6, 0), (0.3, 1)], [(0.28, 0.52), (0.58, 0.5)]]),
        # a hollow stem, a long bar
        (0.6, [[(0, 0.02), (0.6, 0), (0.6, 0), (0.3, 0.42), (0.22, 1)], [(0, 0.54), (0.74, 0.5)]]),
    ],
    8: [
        # an S, then back
        (2, [[(0.54, 0.14), (0.3, 0), (0.08, 0.2), (0.3, 0.46), (0.6, 0.76), (0.32, 1),
              (0.04, 0.78), (0.32, 0.48), (0.55, 0.2), (0.46, 0.06)]]),
        # begun at the top, the other way round
        (1, [[(0.1, 0.14), (0.32, 0), (0.55, 0.2), (0.32, 0.46), (0.04, 0.76), (0.32, 1),
              (0.6, 0.76), (0.32, 0.46), (0.08, 0.2), (0.18, 0.06)]]),
        # two rings
        (0.8, [[(0.32, 0), (0.1, 0.1), (0.1, 0.36), (0.32, 0.46), (0.52, 0.34), (0.52, 0.1),
                (0.3, 0)], [(0.32, 0.46), (0.06, 0.6), (0.06, 0.88), (0.32, 1), (0.58, 0.86),
                (0.56, 0.6), (0.3, 0.46)]]),
        # an open top
        (0.6, [[(0.56, 0.04), (0.3, 0.02), (0.1, 0.2), (0.3, 0.46), (0.58, 0.76), (0.32, 1),
                (0.04, 0.78), (0.34, 0.46), (0.66, 0.08)]]),
        # begun in the middle
        (0.6, [[(0.34, 0.5), (0.1, 0.24), (0.3, 0), (0.54, 0.2), (0.3, 0.5), (0.04, 0.8),
                (0.3, 1), (0.58, 0.8), (0.32, 0.48)]]),
        # a small head
        (0.5, [[(0.48, 0.1), (0.3, 0), (0.16, 0.16), (0.3, 0.36), (0.6, 0.7), (0.32, 1),
                (0.0, 0.72), (0.3, 0.38), (0.48, 0.14)]]),
    ],
    9: [
        # a straight tail
        (1.2, [[(0.6, 0.16), (0.34, 0), (0.04, 0.2), (0.24, 0.46), (0.56, 0.3), (0.62, 0.06),
                (0.62, 0.06), (0.58, 1)]]),
        # a curled tail
        (1.5, [[(0.6, 0.16), (0.34, 0), (0.04, 0.22), (0.24, 0.48), (0.54, 0.32), (0.62, 0.1),
                (0.62, 0.1), (0.6, 0.7), (0.38, 1), (0.04, 0.9)]]),
        # smooth into a tail that leans
        (1, [[(0.56, 0.16), (0.32, 0), (0.06, 0.22), (0.26, 0.44), (0.52, 0.28), (0.58, 0.1),
              (0.52, 0.5), (0.3, 1)]]),
        # a ring and a stem
        (0.8, [[(0.36, 0), (0.08, 0.1), (0.06, 0.36), (0.3, 0.48), (0.54, 0.34), (0.54, 0.1),
                (0.34, 0)], [(0.58, 0.04), (0.56, 1)]]),
        (0.7, [[(0.36, 0), (0.08, 0.1), (0.06, 0.36), (0.3, 0.48), (0.56, 0.34), (0.56, 0.1),
                (0.34, 0)], [(0.58, 0.04), (0.6, 0.66), (0.4, 0.98), (0.06, 0.92)]]),
        # a small head, a tail that leans left
        (0.6, [[(0.5, 0.1), (0.34, 0), (0.14, 0.16), (0.28, 0.34), (0.5, 0.2), (0.54, 0.06),
                (0.44, 0.5), (0.28, 1)]]),
        # a hook below
        (0.5, [[(0.56, 0.12), (0.3, 0), (0.06, 0.2), (0.26, 0.42), (0.54, 0.2), (0.58, 0.08),
                (0.6, 0.8), (0.34, 1), (0.14, 0.84)]]),
        # hardly any head
        (0.5, [[(0.4, 0.08), (0.28, 0), (0.16, 0.13), (0.27, 0.26), (0.4, 0.15), (0.42, 0.02),
                (0.38, 0.5), (0.32, 1)]]),
    ],
}  # fmt: skip


def generate(n: int, seed: int, digits: Sequence[int] = MIX) -> Examples:
    """``n`` written digits: (n, 28, 28) uint8 (0 background, 255 ink) and (n,) int64.

    ``digits`` share ``n`` as evenly as it goes, in shuffled order; one named twice comes
    twice as often. The same arguments give the same pictures.
    """
    return finish(writing(n, seed, digits))


def writing(n: int, seed: int, digits: Sequence[int] = MIX) -> Steps[Examples]:
    """:func:`generate` in small steps."""
    rng = np.random.default_rng(seed)
    labels = np.resize(np.asarray(digits, dtype=np.int64), n)
    rng.shuffle(labels)
    pictures = torch.empty(n, 28, 28, dtype=torch.uint8)
    made = 0
    for digit in dict.fromkeys(digits):
        weights = np.array([weight for weight, _ in FORMS[digit]])
        places = np.flatnonzero(labels == digit)
        forms = rng.choice(len(weights), size=len(places), p=weights / weights.sum())
        for form, (_, strokes) in enumerate(FORMS[digit]):
            mine = places[forms == form]
            if len(mine):
                pen = rng.uniform(2.0, 3.4, len(mine)).astype(np.float32)
                ways = write(strokes, len(mine), rng)
                done = 0
                for part in _render(ways, pen):
                    pictures[torch.from_numpy(mine[done : done + len(part)])] = part
                    done += len(part)
                    yield made + done, n
                made += len(mine)
    return Examples(pictures, torch.from_numpy(labels))


def write(strokes: list[Stroke], n: int, rng: np.random.Generator) -> Points:
    """Write one form ``n`` times, each time in another hand.

    Returns (n, SAMPLES, 2): points along the pen's way, in the units of :data:`FORMS`.
    """
    points = np.array([point for stroke in strokes for point in stroke], dtype=np.float32)
    ends = np.cumsum([len(stroke) for stroke in strokes])
    starts = ends - [len(stroke) for stroke in strokes]
    hands = np.repeat(points[None], n, axis=0)  # (n, points, 2)

    # The hand never returns to quite the same place. A corner's two copies move together.
    jitter = rng.normal(0, 0.042, hands.shape).astype(np.float32)
    twin = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    jitter[:, twin] = jitter[:, twin - 1]
    hands += jitter
    for start, end in zip(starts, ends, strict=True):
        # Strokes start and stop early or late: open loops, overshoots.
        for tip, inner in ((start, start + 1), (end - 1, end - 2)):
            reach = rng.normal(0.04, 0.12, (n, 1))
            hands[:, tip] += (hands[:, tip] - hands[:, inner]) * reach
        if start:
            # A second stroke is placed by eye, and as long as it comes.
            middle = hands[:, start:end].mean(axis=1, keepdims=True)
            length = rng.lognormal(0, 0.15, (n, 1, 1))
            shift = rng.normal(0, 0.04, (n, 1, 2))
            hands[:, start:end] = middle + (hands[:, start:end] - middle) * length + shift

    way = np.einsum("sp,npc->nsc", _curve(strokes), hands)
    way -= way.mean(axis=1, keepdims=True)

    # The whole: two slow bends, then width, slant and rotation.
    for _ in range(2):
        wave = rng.normal(0, 3, (n, 2, 1))
        phase = rng.uniform(0, 2 * np.pi, (n, 1))
        bend = rng.normal(0, 0.03, (n, 1, 2))
        way = way + np.sin(np.squeeze(way @ wave, 2) + phase)[..., None] * bend
    turn = rng.normal(0, 0.1, n)
    slant = rng.normal(0.12, 0.22, n)
    wide = rng.lognormal(-0.03, 0.26, n).clip(0.6, 1.7)
    matrix = np.empty((n, 2, 2))
    # (x, y) @ matrix: y points down, so a slant to the right moves the top (y < 0) by -y.
    matrix[:, 0, 0] = wide * np.cos(turn)
    matrix[:, 0, 1] = wide * np.sin(turn)
    matrix[:, 1, 0] = -slant * np.cos(turn) - np.sin(turn)
    matrix[:, 1, 1] = -slant * np.sin(turn) + np.cos(turn)
    return np.asarray(way @ matrix, dtype=np.float32)


def _curve(strokes: list[Stroke]) -> Points:
    """The matrix (SAMPLES, points) that turns a form's points into points along its curve.

    Between two corners it is a Catmull-Rom spline: through its points, with the slope
    at each parallel to the line between its neighbours. Samples are shared by length.
    """
    total = sum(len(stroke) for stroke in strokes)
    segments: list[tuple[int, int, int, int]] = []  # the four points that shape each segment
    lengths: list[float] = []
    first = 0
    for stroke in strokes:
        corner = [0, *(i for i in range(1, len(stroke)) if stroke[i] == stroke[i - 1]), len(stroke)]
        for low, high in pairwise(corner):
            for i in range(low, high - 1):
                before, after = max(i - 1, low), min(i + 2, high - 1)
                segments.append((first + before, first + i, first + i + 1, first + after))
                lengths.append(float(np.hypot(*np.subtract(stroke[i + 1], stroke[i]))))
        first += len(stroke)
    edges = np.concatenate([[0], np.cumsum(lengths)])
    matrix = np.zeros((SAMPLES, total), dtype=np.float32)
    for row, at in enumerate(np.linspace(0, edges[-1], SAMPLES)):
        index = min(int(np.searchsorted(edges, at, side="right")) - 1, len(segments) - 1)
        t = (at - edges[index]) / lengths[index]
        weights = (
            (-t + 2 * t**2 - t**3) / 2,
            (2 - 5 * t**2 + 3 * t**3) / 2,
            (t + 4 * t**2 - 3 * t**3) / 2,
            (t**3 - t**2) / 2,
        )
        for point, weight in zip(segments[index], weights, strict=True):
            matrix[row, point] += weight
    return matrix


def _render(
    ways: Points, pen: npt.NDArray[np.float32], size: int = 28, ink: int = 20
) -> Iterator[torch.Tensor]:
    """Pen ways (n, samples, 2) and pen widths (n,) in pixels -> (n, size, size) uint8, in parts.

    The longer side, pen included, becomes ``ink`` pixels, and the centre of mass goes
    to the middle by whole pixels, as in :func:`playground.data.drawings.prepare`.
    """
    low = ways.min(axis=1, keepdims=True)
    extent = (ways.max(axis=1) - low[:, 0]).max(axis=1)
    way = (ways - low) * ((ink - pen) / extent)[:, None, None] + pen[:, None, None] / 2
    box = np.ceil(way.max(axis=1) + pen[:, None] / 2)
    way = way + np.clip(np.round(size / 2 - way.mean(axis=1)), 0, size - box)[:, None]
    pixel = torch.arange(size) + 0.5
    # Few at a time: that stays in the cache, and is too little to be worth torch's threads.
    for start in range(0, len(way), 32):
        part = torch.from_numpy(np.ascontiguousarray(way[start : start + 32].transpose(1, 0, 2)))
        across = (part[..., 0, None] - pixel) ** 2  # (samples, n, size)
        down = (part[..., 1, None] - pixel) ** 2
        nearest = torch.full((part.shape[1], size, size), torch.inf)
        square = torch.empty_like(nearest)
        for dx, dy in zip(across[:, :, None, :], down[..., None], strict=True):
            torch.add(dx, dy, out=square)
            torch.minimum(nearest, square, out=nearest)
        radius = torch.from_numpy(pen[start : start + 32])[:, None, None] / 2
        # A pixel half a pixel inside the edge is full, half a pixel outside empty.
        cover = (radius + 0.5 - nearest.sqrt()).clamp(0, 1)
        yield (cover * 255).round().to(torch.uint8)
