"""Which pixels mattered for an answer.

Two ways. *Gradient × pixel*: how much the output would change if the pixel changed a little,
times what the pixel has (Simonyan, Vedaldi and Zisserman, Deep Inside Convolutional
Networks, 2013; times the input: Shrikumar et al., Not Just a Black Box, 2016). *Occlusion*:
cover a part and see how much the output falls (Zeiler and Fergus, Visualizing and
Understanding Convolutional Networks, 2014).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from playground.data.dataset import Scaler

BATCH = 64  # covered pictures at a time


def gradient(model: nn.Module, scaler: Scaler, picture: Tensor, output: int) -> Tensor:
    """The derivative (h, w) of one output (a logit) by each pixel, for a raw picture (h, w)."""
    model.eval()
    pixels = picture.float().unsqueeze(0).requires_grad_()
    (slope,) = torch.autograd.grad(model(scaler(pixels))[0, output], pixels)
    return slope[0]


def gradient_times_pixel(model: nn.Module, scaler: Scaler, picture: Tensor, output: int) -> Tensor:
    """(h, w): each pixel's part in the output, against an empty picture (all pixels 0).

    Of a linear model the parts sum up to what the picture adds to the empty one's output.
    """
    return gradient(model, scaler, picture, output) * picture.float()


@torch.no_grad()
def occlusion(
    model: nn.Module, scaler: Scaler, picture: Tensor, output: int, side: int, stride: int
) -> Tensor:
    """(h, w): how far the output falls, in the mean, when a square over the pixel is emptied.

    The square of ``side`` pixels moves ``stride`` at a time; a pixel that no square with ink
    covers gets 0.
    """
    model.eval()
    height, width = picture.shape
    covered, corners = [], []
    for top in range(0, height - side + 1, stride):
        for left in range(0, width - side + 1, stride):
            square = (slice(top, top + side), slice(left, left + side))
            if picture[square].any():  # emptying what is empty changes nothing
                changed = picture.clone()
                changed[square] = 0
                covered.append(changed)
                corners.append(square)
    total, times = torch.zeros(height, width), torch.zeros(height, width)
    if not covered:
        return total
    whole = model(scaler(picture.unsqueeze(0)))[0, output]
    parts = [model(scaler(part))[:, output] for part in torch.stack(covered).split(BATCH)]
    for square, value in zip(corners, torch.cat(parts), strict=True):
        total[square] += whole - value
        times[square] += 1
    return total / times.clamp(min=1)
