"""Circles, squares and triangles: the generator, and reading what people draw and photograph."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from playground.errors import PlaygroundError
from playground.fields import FieldError
from playground.projects.shapes import data as shapes

CORNERS = {
    "circle": [(math.cos(t), math.sin(t)) for t in np.linspace(0, 2 * math.pi, 40)],
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "triangle": [(0, -1), (1, 1), (-1, 1)],
}


def draw(
    kind: str, side: int = 200, radius: float = 60.0, at: tuple[int, int] = (100, 100),
    pen: int = 6, filled: bool = False, flat: float = 1.0,
) -> np.ndarray:  # fmt: skip
    """A ruler's drawing: (side, side) uint8, 0 background, 255 ink."""
    image = Image.new("L", (side, side))
    points = [(at[0] + radius * x, at[1] + radius * y * flat) for x, y in CORNERS[kind]]
    pencil = ImageDraw.Draw(image)
    if filled:
        pencil.polygon(points, fill=255)
    pencil.line([*points, points[0], points[1]], fill=255, width=pen, joint="curve")
    return np.asarray(image)


def photo(ink: np.ndarray, paper: float = 1.0, pencil: float = 0.4) -> np.ndarray:
    """``ink`` on paper that is half in the shadow, with noise: uint8 grey."""
    height, width = ink.shape
    x = np.linspace(0, 1, width)[None, :]
    light = (0.9 - 0.3 * x) * np.where(x > 0.5, 0.75, 1.0)
    noise = np.random.default_rng(0).normal(0, 0.01, (height, width))
    scene = light * (paper + (pencil - paper) * ink / 255) + noise
    return (scene.clip(0, 1) * 255).astype(np.uint8)


def overlap(a: torch.Tensor, b: torch.Tensor) -> float:
    """Correlation of two pictures, 1 for the same picture."""
    return float(torch.corrcoef(torch.stack([a.flatten().float(), b.flatten().float()]))[0, 1])


def test_generate_is_balanced_and_follows_the_seed() -> None:
    a, again, b = shapes.generate(90, 1), shapes.generate(90, 1), shapes.generate(90, 2)
    assert a.inputs.shape == (90, 28, 28)
    assert a.inputs.dtype == torch.uint8
    assert a.targets.dtype == torch.int64
    assert torch.bincount(a.targets).tolist() == [30, 30, 30]
    assert torch.equal(a.inputs, again.inputs)
    assert torch.equal(a.targets, again.targets)
    assert not torch.equal(a.inputs, b.inputs)


def test_generate_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    shapes.generate(12, 0, photo=0.5)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("size", [28, 64])
@pytest.mark.parametrize("options", [{}, {"photo": 1.0}, {"filled": 1.0}, {"wobble": 0.0}])
def test_every_picture_has_ink_of_the_promised_size(size: int, options: dict[str, float]) -> None:
    inputs = shapes.generate(48, 3, size, **options).inputs
    assert inputs.shape == (48, size, size)
    for picture in inputs:
        assert picture.max() == 255
        rows, columns = (picture > 64).nonzero().unbind(1)
        longer = max(int(v.max() - v.min()) for v in (rows, columns)) + 1
        assert longer >= 0.6 * shapes.ink_side(size)


def test_nothing_is_asked_for() -> None:
    assert shapes.generate(0, 0).inputs.shape == (0, 28, 28)


def test_filled_shapes_hold_more_ink() -> None:
    outlines = shapes.generate(150, 5, filled=0, photo=0).inputs.float().mean()
    fillings = shapes.generate(150, 5, filled=1, photo=0).inputs.float().mean()
    assert fillings > 1.3 * outlines


@pytest.mark.parametrize("kind", shapes.LABELS)
@pytest.mark.parametrize("filled", [False, True])
def test_encode_forgets_place_size_and_polarity(kind: str, filled: bool) -> None:
    here = shapes.encode(draw(kind, filled=filled))
    there = draw(kind, 280, 30, (50, 220), pen=3, filled=filled)
    assert overlap(here, shapes.encode(there)) > 0.85
    assert torch.equal(shapes.encode(there), shapes.encode(255 - there))


@pytest.mark.parametrize("kind", shapes.LABELS)
def test_encode_evens_out_flat_drawings(kind: str) -> None:
    flat = shapes.encode(draw(kind, flat=0.3, pen=2))
    for axis in (0, 1):
        lines = (flat > 128).any(dim=axis).nonzero()
        assert int(lines.max() - lines.min()) + 1 >= 0.8 * shapes.ink_side(28)


@pytest.mark.parametrize("kind", shapes.LABELS)
@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("scale", [1, 3])
def test_a_photo_reads_like_the_drawing(kind: str, filled: bool, scale: int) -> None:
    ink = draw(kind, 200 * scale, 45 * scale, (80 * scale, 90 * scale), 6 * scale, filled)
    assert overlap(shapes.encode(photo(ink)), shapes.encode(ink)) > 0.8


def test_a_filling_survives_as_a_filling() -> None:
    read = shapes.encode(photo(draw("square", filled=True)))
    assert read[10:18, 10:18].float().mean() > 150


def test_chalk_on_a_board() -> None:
    ink = draw("triangle")
    assert overlap(shapes.encode(photo(ink, 0.2, 0.8)), shapes.encode(ink)) > 0.8


def test_the_table_beside_the_paper_is_dropped() -> None:
    ink = draw("circle", radius=40)
    scene = photo(ink)
    scene[:, :12] = 20
    assert overlap(shapes.encode(scene), shapes.encode(ink)) > 0.8


def test_stray_dots_do_not_shrink_the_drawing() -> None:
    ink = draw("square", radius=40)
    dotted = ink.copy()
    dotted[185:188, 190:193] = 255
    assert torch.equal(shapes.encode(ink), shapes.encode(dotted))


def test_transparent_canvas_and_pil_pictures() -> None:
    ink = draw("triangle")
    canvas = np.zeros((*ink.shape, 4), np.uint8)
    canvas[..., 3] = ink  # black ink on a transparent sheet
    expected = shapes.encode(ink)
    assert overlap(shapes.encode(canvas), expected) > 0.98
    assert torch.equal(shapes.encode(Image.fromarray(ink)), expected)


def test_a_photo_is_turned_as_its_exif_says() -> None:
    ink = draw("triangle")
    lying = Image.fromarray(ink).transpose(Image.Transpose.ROTATE_90)
    lying.getexif()[274] = 6  # turn 90 degrees clockwise to view
    assert torch.equal(shapes.encode(lying), shapes.encode(ink))


@pytest.mark.parametrize(
    "empty",
    [
        None,
        np.zeros((280, 280, 4), np.uint8),
        np.full((50, 50), 255, np.uint8),
        photo(np.zeros((120, 120), np.uint8)),
        np.zeros((1, 1), np.uint8),
    ],
    ids=["none", "transparent", "white", "blank paper", "one pixel"],
)
def test_nothing_drawn(empty: object) -> None:
    with pytest.raises(shapes.EmptyDrawing):
        shapes.encode(empty)


@pytest.mark.parametrize(
    "wrong", [np.zeros((5, 5)), np.zeros(5, np.uint8), np.zeros((0, 5), np.uint8), "square.png"]
)
def test_no_picture(wrong: object) -> None:
    with pytest.raises(PlaygroundError):
        shapes.encode(wrong)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 60), width=st.integers(1, 60), grey=st.integers(0, 255),
    dots=st.lists(st.tuples(st.integers(0, 59), st.integers(0, 59), st.integers(0, 255))),
    noise=st.booleans(),
)  # fmt: skip
def test_encode_answers_any_picture(
    height: int, width: int, grey: int, dots: list[tuple[int, int, int]], noise: bool
) -> None:
    picture = np.full((height, width), grey, np.uint8)
    if noise:
        picture = np.random.default_rng(grey).integers(0, 256, (height, width)).astype(np.uint8)
    for y, x, value in dots:
        picture[y % height, x % width] = value
    try:
        read = shapes.encode(picture)
    except shapes.EmptyDrawing:
        return
    assert read.shape == (28, 28)
    assert read.max() == 255


def test_symmetries_keep_the_ink() -> None:
    batch = shapes.generate(16, 0).inputs.float()
    source = torch.Generator().manual_seed(1)
    turned = shapes.Symmetries()(batch, source)
    assert torch.equal(turned.sum(dim=(1, 2)), batch.sum(dim=(1, 2)))
    assert sum(torch.equal(a, b) for a, b in zip(batch, turned, strict=True)) <= 4
    same = shapes.Symmetries()(batch, torch.Generator().manual_seed(1))
    assert torch.equal(turned, same)


def test_load_splits_and_follows_its_options() -> None:
    data = {f.name: f.default for f in shapes.DATA_FIELDS} | {"examples": 300}
    dataset = shapes.load(data, 0.0, seed=4)
    assert [len(dataset.train), len(dataset.validation), len(dataset.test)] == [240, 30, 30]
    assert dataset.augment is None
    assert shapes.load(data, 0.3, seed=4).augment is not None
    large = shapes.load(data | {"size": "64", "photo": 0.0}, 0.0, seed=4)
    assert large.train.inputs.shape == (240, 64, 64)


def test_fields_refuse_what_they_do_not_allow() -> None:
    for field in shapes.DATA_FIELDS:
        assert field.check(field.default) == field.default
    with pytest.raises(FieldError):
        shapes.DATA_FIELDS[1].check("32")


def test_drawing_in_parts_gives_the_pictures_of_drawing_at_once() -> None:
    # Runs that are stored begin again with the same pictures, bit by bit.
    generator = torch.Generator().manual_seed(1)
    left = torch.randn(5, 28 * 28, 4, generator=generator) * 30
    right = torch.randn(5, 192, 4, generator=generator) * 30
    assert torch.equal(shapes.least_products(left, right), (left @ right.mT).amin(dim=2))
    path = torch.randn(5, 192, 2, generator=generator)
    seen = path @ shapes.DIRECTIONS.T
    assert torch.equal(shapes.breadths(path), seen.amax(dim=1) - seen.amin(dim=1))


def test_drawing_says_how_far_it_is() -> None:
    steps = list(shapes.drawing(60, 1, 28, 1.0, 0.25, 0.2))
    assert {total for _, total in steps} == {60}
    counts = [count for count, _ in steps]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 60)
