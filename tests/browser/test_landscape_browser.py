"""The landscape of the optimizers: new data, the same picture, the same camera."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

FIGURE = ".figure[data-drawn]"


def eye(page: Page) -> dict[str, float]:
    """Where Plotly's camera is."""
    camera: dict[str, Any] = page.locator(FIGURE).evaluate(
        "figure => figure._fullLayout.scene._scene.getCamera()"
    )
    return {axis: round(place, 3) for axis, place in camera["eye"].items()}


def move(page: Page, slider: str) -> None:
    """Moves a slider by one, and waits until the landscape has taken the new data."""
    figure = page.locator(FIGURE)
    drawn = int(figure.get_attribute("data-drawn") or 0)
    page.get_by_role("slider", name=slider).press("ArrowRight")
    expect(figure).to_have_attribute("data-drawn", str(drawn + 1))


def test_a_slider_moves_the_ways_and_nothing_else(site: str, page: Page) -> None:
    page.goto(f"{site}/optimizers?view=solid&learning_rate=0.05")
    figure = page.locator(FIGURE)
    expect(figure).to_have_attribute("data-drawn", "1")
    expect(figure).to_have_role("img")
    page.evaluate("window.canvas = document.querySelector('.figure canvas')")
    length = "figure => figure.data.find(trace => trace.name === 'SGD').x.length"
    assert figure.evaluate(length) == 31

    # Turned by hand, and still so after the next step.
    box = figure.bounding_box()
    assert box is not None
    asked = eye(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 90, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    by_hand = eye(page)
    assert by_hand != asked
    move(page, "Step 30 of 100")
    assert figure.evaluate(length) == 32
    assert eye(page) == by_hand
    assert page.evaluate("window.canvas === document.querySelector('.figure canvas')")

    # The slider decides again.
    move(page, "Turn the landscape")
    assert eye(page) not in (asked, by_hand)

    # Another language keeps it too; gone and back, it is made anew.
    page.get_by_text("Polski", exact=True).click()
    expect(page.get_by_text("Krok 31 z 100")).to_be_visible()
    expect(figure).to_be_visible()
    page.get_by_role("link", name="Start", exact=True).click()
    expect(figure).to_have_count(0)
    page.get_by_test_id("stMain").get_by_role("link", name="Optymalizatory").first.click()
    expect(figure).to_have_attribute("data-drawn", "1")


def test_without_its_script_it_is_a_plain_chart(site: str, page: Page) -> None:
    page.route("**/plotly.min.js*", lambda route: route.abort())
    page.goto(f"{site}/optimizers?view=solid")
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    expect(page.locator(".figure")).to_have_count(0)
