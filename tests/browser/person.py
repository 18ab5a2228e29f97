"""What a person's hand does, for browser tests."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NoReturn

import pytest
from playwright.sync_api import Locator, Page

SECRET = "a sentence of the test"  # the teacher's
Point = tuple[float, float]
SEVEN: Sequence[Point] = ((55, 50), (190, 50), (110, 205))
TRIANGLE: Sequence[Point] = ((60, 190), (126, 50), (200, 195), (60, 190))


def missing(required: str, skipped: str) -> NoReturn:
    """End a test that cannot run here: as failed where it must run, else as skipped."""
    if os.environ.get("PLAYGROUND_BROWSER_REQUIRED"):
        pytest.fail(required)
    pytest.skip(skipped)


def ready(page: Page) -> None:
    """Wait until the page stands still: no script runs, and the main button is there."""
    main_button(page).wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")


def main_button(page: Page) -> Locator:
    """Train, Pause or Resume."""
    return page.get_by_test_id("stBaseButton-primary")


def status(page: Page, text: str | re.Pattern[str]) -> Locator:
    """Where the run stands, in these words; what a screen reader hears may say them later."""
    return page.get_by_test_id("stProgress").get_by_text(text)


def stroke(page: Page, points: Sequence[Point]) -> None:
    """Draw one stroke on the canvas, in its own pixels."""
    canvas = page.locator("canvas").last
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=6)
    page.mouse.up()


def ink(page: Page) -> int:
    """How much the canvas shows: the sum of all brightness on it."""
    total: int = page.locator("canvas").evaluate_all(
        """all => all.map(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data
        .reduce((sum, value, i) => i % 4 ? sum : sum + value, 0)).reduce((a, b) => a + b, 0)"""
    )
    return total
