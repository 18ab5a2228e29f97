"""Twenty rounds against the machine, and what is left of them after a walk through the app."""

from __future__ import annotations

import re

from person import status
from playwright.sync_api import Page, expect

SCORE = re.compile(r"You: (\d+) wins?.*Machine: (\d+) wins?.*?(\d+) rounds, (\d+) ties?", re.DOTALL)


def score(page: Page) -> tuple[int, ...]:
    """Wins, the machine's wins, rounds, ties, as the page says them."""
    text = page.get_by_text(re.compile(r"\d+ rounds?, \d+ ties?")).inner_text()
    found = SCORE.search(text)
    assert found is not None, text
    return tuple(map(int, found.groups()))


def test_twenty_rounds_survive_pages_languages_and_training(site: str, page: Page) -> None:
    page.goto(f"{site}/rps?players=20&rounds=100&epochs=5")
    expect(page.get_by_text("The machine has decided")).to_be_visible()
    moves = ("rock", "paper", "scissors")
    for number in range(1, 15):
        if number % 2:
            page.locator(f".st-key-rps-{moves[number % 3]} button").click()
        else:
            page.keyboard.press(str(number % 3 + 1))
        expect(page.get_by_text(re.compile(rf"\b{number} rounds?, "))).to_be_visible()
        wins, lost, rounds, ties = score(page) if number > 1 else (0, 0, 1, 1)
        assert wins + lost + ties == rounds == number
    # Six at once: none is lost, though the server takes its time.
    for key in "112233":
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile(r"20 rounds, "))).to_be_visible()
    before = score(page)

    page.get_by_role("link", name="Start").first.click()
    expect(page.get_by_role("heading", name="Five parts make a network learn")).to_be_visible()
    page.locator("[data-test-script-state=notRunning]").wait_for(state="attached")
    page.get_by_test_id("stTopNav").get_by_text("Projects").click()
    page.locator("a[href$='/rps']").click()
    expect(page.get_by_text(re.compile(r"20 rounds, "))).to_be_visible()
    assert score(page) == before

    page.keyboard.press("t")
    expect(status(page, re.compile("Finished · epoch 5"))).to_be_visible()
    page.get_by_text("Polski", exact=True).click()
    expect(page.get_by_role("heading", name="Kamień, papier, nożyce")).to_be_visible()
    expect(page.get_by_text(re.compile(r"20 rund, "))).to_be_visible()
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_text(re.compile(r"20 rounds, "))).to_be_visible()
    assert score(page) == before
