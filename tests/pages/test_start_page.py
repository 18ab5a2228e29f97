"""The start page: a tour, a map on which no page is missing, the five parts."""

from __future__ import annotations

from functools import partial

import pytest
from opening import open_page

from playground.i18n import translate
from playground.ui.charts import thumbnails
from playground.ui.shell import frame

TOUR = ["neuron", "loss", "optimizers", "digits", "pytorch"]
PAGES = {stem: title for entries in frame.PAGES.values() for stem, title, _icon in entries}
OTHERS = [stem for stem in PAGES if stem != "start"]
MAPPED = [stem for stem in OTHERS if stem in thumbnails.DRAWN]
open_start = partial(open_page, "start")


@pytest.mark.parametrize("language", ["en", "pl"])
def test_tour_and_map_link_every_page_by_its_title(language: str) -> None:
    app = open_start(language)
    assert not app.exception
    links = [element.proto for element in app.get("page_link")]
    assert [link.page for link in links] == [*TOUR, *OTHERS]
    for link in links:
        assert translate(PAGES[link.page], language) in link.label
    assert [link.label[2] for link in links[: len(TOUR)]] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("language", ["en", "pl"])
def test_every_page_on_the_map_has_its_picture_and_a_line(language: str) -> None:
    app = open_start(language)
    tiles = [element.proto.body for element in app.get("html") if "tile" in element.proto.body]
    tiles = [tile for tile in tiles if "<img" in tile]
    assert len(tiles) == len(MAPPED)
    for stem, tile in zip(MAPPED, tiles, strict=True):
        assert thumbnails.url(stem) in tile
        line = tile.partition("<span>")[2].partition("</span>")[0]
        assert len(line) > 15
        assert tile.count("<") == 5  # div, img, span and two ends: nothing slipped in


@pytest.mark.parametrize(("language", "part"), [("en", "training loop"), ("pl", "pętla")])
def test_the_five_parts_stand_below(language: str, part: str) -> None:
    app = open_start(language)
    assert any(part in text.value and "losses.py" in text.value for text in app.markdown)
