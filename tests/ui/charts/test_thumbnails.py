"""The pictures of the map: one a page, well-formed, light, the same each time."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from playground.data import pen_strokes
from playground.projects.coffee import data as coffee
from playground.ui.charts import thumbnails
from playground.ui.shell import frame

SVG = "{http://www.w3.org/2000/svg}"
MAPPED = [
    stem
    for section in (frame.LESSON_PAGES, frame.PROJECT_PAGES)
    for stem, _title, _icon in frame.PAGES[section]
]


def drawn(stem: str) -> ElementTree.Element:
    return ElementTree.fromstring(thumbnails.svg(stem))


def pixels(image: ElementTree.Element) -> np.ndarray:
    data = image.attrib["href"].removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def places(line: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(\S+),(\S+)", line.attrib["points"])]


def test_each_page_on_the_map_has_its_picture() -> None:
    assert sorted(thumbnails.DRAWN) == sorted(MAPPED)
    assert len({thumbnails.url(stem) for stem in MAPPED}) == len(MAPPED)


@pytest.mark.parametrize("stem", MAPPED)
def test_a_picture_is_well_formed_and_light(stem: str) -> None:
    root = drawn(stem)
    assert root.tag == f"{SVG}svg"
    assert len(root)
    assert "nan" not in thumbnails.svg(stem)
    assert len(thumbnails.url(stem)) < 10_000
    shown = base64.b64decode(thumbnails.url(stem).removeprefix("data:image/svg+xml;base64,"))
    assert shown.decode() == thumbnails.svg(stem)


@pytest.mark.parametrize("stem", MAPPED)
def test_lines_and_dots_stay_inside(stem: str) -> None:
    for line in drawn(stem).iter(f"{SVG}polyline"):
        for x, y in places(line):
            assert 0 <= x <= thumbnails.WIDTH
            assert 0 <= y <= thumbnails.HEIGHT
    for dot in drawn(stem).iter(f"{SVG}circle"):
        assert 0 <= float(dot.attrib["cx"]) <= thumbnails.WIDTH
        assert 0 <= float(dot.attrib["cy"]) <= thumbnails.HEIGHT


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    for draw in thumbnails.DRAWN.values():
        draw()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_coffee_lines_are_the_price_list() -> None:
    lines = [places(line) for line in drawn("coffee").iter(f"{SVG}polyline")]
    rises = [line[0][1] - line[-1][1] for line in lines]
    for rise, extra in zip(rises, coffee.EXTRA, strict=True):
        assert rise / rises[0] == pytest.approx(extra / coffee.EXTRA[0], rel=0.02)


def test_the_digits_are_the_generators() -> None:
    images = list(drawn("digits").iter(f"{SVG}image"))
    assert len(images) == 6
    one = pen_strokes.generate(1, seed=4, digits=(1,)).inputs[0].numpy()
    assert np.array_equal(pixels(images[0])[..., 3], one)


def test_each_optimizer_arrives_lower_than_it_started() -> None:
    *_levels, sgd, momentum = drawn("optimizers").iter(f"{SVG}polyline")
    middle = (thumbnails.WIDTH / 2, thumbnails.HEIGHT / 2)
    for way in (places(sgd), places(momentum)):
        first, last = (abs(x - middle[0]) + abs(y - middle[1]) for x, y in (way[0], way[-1]))
        assert last < first / 3
