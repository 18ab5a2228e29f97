"""Drawings: whatever the canvas, the network sees what it was trained on."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from strokes import rasterize

from playground.data.drawings import EmptyDrawing, has_ink, prepare
from playground.errors import PlaygroundError

Canvas = npt.NDArray[np.uint8]

SEVEN = [[(0.1, 0.1), (0.9, 0.1), (0.4, 1.4)], [(0.25, 0.75), (0.9, 0.7)]]


def drawn(
    size: int = 280, corner: tuple[float, float] = (60, 50), longer: float = 140, pen: float = 14
) -> Canvas:
    """A crossed 7, white on black: (size, size) uint8."""
    strokes = [np.array(stroke) * longer / 1.3 + corner for stroke in SEVEN]
    return rasterize(strokes, (size, size), pen)


def rgba(grey: Canvas) -> Canvas:
    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Mean distance in grey levels, at the best of nine shifts.

    The centre of mass is rounded to pixels, so a hair decides between two places. Two
    of MNIST's own digits of one class are some 30 apart.
    """
    return min(
        float((one.roll((down, right), (0, 1)).float() - other.float()).abs().mean())
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    )


SEVENS = (
    "c-rljJxBs!9L6=2$Oa*;DNvy`TpWV7T!NN{g9!S7aEX=(X><sO3aRCmpbv=(f<6c(D8fjbT3jkHup<fbqM+m&itH"
    "&6Ke)T6p&<zGS%2K~{-5{W=k7I`{*yAODx+dY7iGzisDp?wLpB*c#sWxD%QysvT#9UCET}t))#-Hlgf!x!s6nYpc"
    "16QBzH^H*L_zTCu4Y%z!6%8+a48<nhqRTkFoFzOB|eGp<0JvjGB#6PDk4`EQL)5RSp}R?hgFO)<WTZWj7?yjA#)a"
    "ejCDe>GZw;vuASS{D`c^?JgGsk$8sUAwM>?ew{w^uA9m=j)>4of*(9@w{w7=(a?~=48UB&@@Gv%pbNc2EFhtqnp}"
    "8*muvzniSW&U}8uqH*=fr7ASHK1>8_+|L<sLU|#|MEaW_g0QR)XB0*wN{VConx1O#?;jYR=|eC0{|qZc8Aa-0RnP"
    "wh#EdOMstEc?qe378)UX2vKwq)clNn_Sh(R#gcfi5Yz^&(bmRZy6dqH#(l}SFB$hGqYp+O{;CgO+a8t<"
)
USUAL = prepare(rgba(drawn()))


def test_result_is_like_mnist() -> None:
    assert USUAL.shape == (28, 28)
    assert USUAL.dtype == torch.uint8
    rows = torch.nonzero(USUAL.amax(dim=1)).flatten()
    columns = torch.nonzero(USUAL.amax(dim=0)).flatten()
    assert max(len(rows), len(columns)) == 20
    assert USUAL.max() == 255
    at = torch.arange(28) + 0.5
    mass = USUAL.double()
    assert float((mass.sum(1) * at).sum() / mass.sum()) == pytest.approx(14, abs=0.51)
    assert float((mass.sum(0) * at).sum() / mass.sum()) == pytest.approx(14, abs=0.51)


def test_other_sizes() -> None:
    big = prepare(drawn(), size=64, ink=56)
    assert big.shape == (64, 64)
    assert int((big.amax(dim=1) > 0).sum()) == 56


@pytest.mark.parametrize(
    "canvas",
    [
        drawn(),
        rgba(drawn()),
        rgba(drawn())[..., :3],
        drawn()[..., None].repeat(3, axis=2),
        rgba(255 - drawn()),
        drawn(corner=(4, 4)),
        drawn(corner=(150, 130)),
        drawn(size=1400, corner=(300, 250), longer=700, pen=70),
        drawn(size=2000, corner=(1700, 1700)),
        drawn(size=64, corner=(8, 6), longer=42, pen=4.2),
        drawn(pen=5),
        drawn(pen=22),
        (drawn() * 0.2).astype(np.uint8),
        (255 - drawn() * 0.3).astype(np.uint8),
    ],
    ids=[
        "grey", "rgba", "rgb", "stacked", "dark on light", "corner", "other corner", "large",
        "corner of a huge canvas", "small", "thin", "thick", "faint", "faint pencil",
    ],
)  # fmt: skip
def test_same_picture_from_any_canvas(canvas: Canvas) -> None:
    assert apart(prepare(canvas), USUAL) < 12


def test_hairline_on_a_huge_canvas() -> None:
    assert apart(prepare(drawn(size=2000, corner=(200, 150), longer=1500, pen=2)), USUAL) < 12


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_sheet(ink: int) -> None:
    canvas = np.zeros((280, 280, 4), dtype=np.uint8)
    canvas[..., :3] = ink
    canvas[..., 3] = drawn()
    assert apart(prepare(canvas), USUAL) < 4


def test_pil_images() -> None:
    picture = Image.fromarray(rgba(drawn()))
    for mode in ("RGBA", "RGB", "L", "LA", "P"):
        assert apart(prepare(picture.convert(mode)), USUAL) < 4, mode


def test_sixteen_bits_a_pixel() -> None:
    deep = Image.fromarray(drawn().astype(np.uint16) * 200)
    assert apart(prepare(deep), USUAL) < 4


def test_more_ink_than_background() -> None:
    ring = np.full((100, 80), 255, dtype=np.uint8)
    ring[0], ring[-1], ring[:, 0], ring[:, -1] = 0, 0, 0, 0
    ring[38:62, 30:50] = 0
    picture = prepare(ring)
    assert picture[14, 14] < 128  # the hole is still one
    assert picture[14, 8] > 200


def test_torch_tensor_and_read_only_array() -> None:
    canvas = drawn()
    canvas.setflags(write=False)
    assert torch.equal(prepare(canvas), USUAL)
    assert torch.equal(prepare(torch.from_numpy(drawn())), USUAL)


SPELLED = {
    "bool": drawn() > 127,
    "fractions": drawn() / 255,
    "float32": (drawn() / 255).astype(np.float32),
    "whole numbers": drawn().astype(np.int64),
    "off and on": (drawn() > 127).astype(np.int32),
    "16 bits": drawn().astype(np.uint16) * 257,
    "12 bits of 16": drawn().astype(np.uint16) * 16,
    "lists": drawn().tolist(),
    "lists of fractions": (drawn() / 255).tolist(),
    "one colour last": drawn()[..., None],
    "one colour first": drawn()[None],
    "colours first": np.moveaxis(rgba(drawn())[..., :3], 2, 0),
    "tensor": torch.from_numpy(drawn())[None] / 255,
    "tensor with a gradient": (torch.from_numpy(drawn()) / 255).requires_grad_(),
}


@pytest.mark.parametrize("kind", SPELLED)
def test_one_rule_for_every_spelling_of_a_picture(kind: str) -> None:
    assert apart(prepare(SPELLED[kind]), USUAL) < 4


def test_drawings_on_a_canvas_are_read_as_ever() -> None:
    """Pixels of 7s on canvases, as they were read before photos had a reader of their own."""
    canvases = [drawn(), drawn(pen=5), drawn(pen=22), drawn(corner=(4, 4)), 255 - drawn()]
    read = torch.stack([prepare(rgba(canvas)) for canvas in canvases])
    packed = zlib.decompress(base64.b85decode(SEVENS))
    known = torch.from_numpy(np.frombuffer(packed, np.uint8).reshape(read.shape).copy())
    assert int((read.int() - known.int()).abs().max()) <= 2


@pytest.mark.parametrize("shadow", [False, True], ids=["light", "shadow"])
@pytest.mark.parametrize("cells", [0, 24], ids=["plain", "squared"])
def test_a_photo_of_a_pencil_on_paper(cells: int, shadow: bool) -> None:
    rng = np.random.default_rng(1)
    ink = drawn(size=1000, corner=(260, 200), longer=520, pen=16) / 255
    down, right = np.mgrid[:1000, :1000]
    paper = np.full((1000, 1000), 225.0)
    if cells:
        paper -= 40.0 * ((down % 42 < 3) | (right % 42 < 3))
    if shadow:
        paper *= 1 - 0.4 / (1 + np.exp((down + right - 900) / 40))
    photo = paper * (1 - 0.65 * ink) + rng.normal(0, 4, ink.shape)
    assert apart(prepare(photo.clip(0, 255).astype(np.uint8)), USUAL) < 18


def test_stray_dots_are_ignored() -> None:
    canvas = drawn()
    canvas[10:16, 10:16] = 255
    canvas[270:273, 200:203] = 255
    canvas[30:33, 265:268] = 255
    assert apart(prepare(canvas), USUAL) < 2


def test_a_second_stroke_is_no_stray_dot() -> None:
    body = [[(60, 60), (56, 120), (100, 115), (130, 150), (95, 200), (50, 190)]]
    bar = [[(70, 50), (150, 44)]]
    with_bar = prepare(rasterize(body + bar, (280, 280), 12))
    assert apart(with_bar, prepare(rasterize(body, (280, 280), 12))) > 10


def test_slash_survives() -> None:
    angle = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([140 + 50 * np.sin(angle), 140 - 80 * np.cos(angle)], axis=1)
    plain = prepare(rasterize([ring], (280, 280), 12))
    slashed = prepare(rasterize([ring, [(185, 75), (95, 205)]], (280, 280), 12))
    assert slashed[11:17, 12:16].float().mean() > plain[11:17, 12:16].float().mean() + 60


def test_a_dot_alone_is_a_drawing() -> None:
    canvas = np.zeros((280, 280), dtype=np.uint8)
    canvas[100, 200] = 255
    assert has_ink(canvas)
    assert prepare(canvas).max() == 255


def test_photo_of_paper_in_half_shadow() -> None:
    rng = np.random.default_rng(0)
    light = np.linspace(230, 120, 280)[None, :] * np.linspace(1, 0.8, 280)[:, None]
    paper = light + rng.normal(0, 4, (280, 280))
    photo = (paper * (1 - 0.6 * drawn() / 255)).clip(0, 255).astype(np.uint8)
    assert apart(prepare(photo), USUAL) < 16


@pytest.mark.parametrize(
    "canvas",
    [
        None,
        np.zeros((280, 280, 4), dtype=np.uint8),
        np.full((50, 30, 3), 255, dtype=np.uint8),
        np.full((1, 1), 128, dtype=np.uint8),
        np.random.default_rng(0).normal(200, 3, (100, 100)).astype(np.uint8),
        np.full((100, 100), np.linspace(120, 220, 100)).astype(np.uint8),
    ],
    ids=["None", "transparent", "white", "one pixel", "noise", "gradient"],
)
def test_empty(canvas: Canvas | None) -> None:
    assert not has_ink(canvas)
    with pytest.raises(EmptyDrawing):
        prepare(canvas)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (np.full((28, 28), 3.5), "float64"),
        (np.full((28, 28), -0.5), "float64"),
        (np.full((28, 28, 4), np.nan), "float64"),
        (np.full((28, 28), 256), "int64"),
        ([[0, 1], [0]], "not a picture"),
        (np.zeros((0, 28, 4), dtype=np.uint8), "0 × 28 × 4"),
        (np.zeros((28, 28, 2), dtype=np.uint8), "28 × 28 × 2"),
        (np.zeros(784, dtype=np.uint8), "784"),
        (np.zeros((2, 28, 28, 3), dtype=np.uint8), "2 × 28 × 28 × 3"),
        ("a seven", "<U7"),
    ],
)
def test_no_picture(wrong: object, named: str) -> None:
    with pytest.raises(PlaygroundError, match=named) as caught:
        prepare(wrong)
    assert not isinstance(caught.value, EmptyDrawing)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    channels=st.sampled_from([0, 3, 4]),
    seed=st.integers(0, 2**32 - 1),
    density=st.floats(0, 1),
    levels=st.integers(1, 255),
)
def test_any_array_is_a_picture_or_empty(
    height: int, width: int, channels: int, seed: int, density: float, levels: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (height, width, channels) if channels else (height, width)
    canvas = (rng.integers(0, levels + 1, shape) * (rng.random(shape) < density)).astype(np.uint8)
    before = canvas.copy()
    if has_ink(canvas):
        picture = prepare(canvas)
        assert picture.shape == (28, 28)
        assert picture.max() > 0
    else:
        with pytest.raises(EmptyDrawing):
            prepare(canvas)
    assert (canvas == before).all()


@settings(max_examples=25, deadline=None)
@given(x=st.floats(8, 120), y=st.floats(8, 90), longer=st.floats(60, 130), dark=st.booleans())
def test_place_size_and_polarity_do_not_matter(
    x: float, y: float, longer: float, dark: bool
) -> None:
    canvas = drawn(corner=(x, y), longer=longer, pen=longer / 10)
    assert apart(prepare(rgba(255 - canvas if dark else canvas)), USUAL) < 14


def test_rasterize_is_antialiased_and_as_wide_as_asked() -> None:
    line = rasterize([[(20, 50), (80, 50)]], (100, 100), 10)
    assert line.shape == (100, 100)
    assert line[:, 50].sum() / 255 == pytest.approx(10, abs=0.6)
    assert line[50, 10] == 0
    assert line[50, 17] == 255  # round ends reach half a width beyond
    assert rasterize([], (8, 9), 3).shape == (8, 9)
