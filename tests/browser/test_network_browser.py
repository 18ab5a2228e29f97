"""No page asks anybody but its own server for anything."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from playground.ui import frame

PAGES = [stem for entries in (*frame.PAGES.values(), (frame.BOARD,)) for stem, *_ in entries]


def test_every_page_is_served_by_its_own_server(serve: Callable[[], str], page: Page) -> None:
    address = serve()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for stem in PAGES:
        page.goto(f"{address}/{'' if stem == 'start' else stem}", wait_until="commit")
        page.locator("h1").first.wait_for()
        page.locator("link[rel*=icon][href*=media]").first.wait_for(state="attached")
    assert len(asked) > 17 * 50
    own = (f"{address}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
