"""A student's own data: a CSV with faults, and a drawing that becomes an example."""

from __future__ import annotations

from person import TRIANGLE, main_button, ready, stroke
from playwright.sync_api import Page, expect

CSV = """rozmiar;dodatki;na wynos;cena
mała;1;nie;10,50
duża;9;tak;19,00
średnia;0;tak;=1+1
średnia;2;nie;16,20
"""


def test_upload_a_csv_and_train_with_it(site: str, page: Page) -> None:
    page.goto(f"{site}/coffee?examples=500&epochs=3")
    ready(page)
    page.locator("input[type=file]").set_input_files(
        {"name": "cennik.csv", "mimeType": "text/csv", "buffer": CSV.encode("cp1250")}
    )
    expect(page.get_by_text("2 problems.")).to_be_visible()
    expect(page.get_by_text("2 rows of your own")).to_be_visible()
    main_button(page).click()
    expect(page.get_by_text("Finished · epoch 3 of 3")).to_be_visible()
    expect(page.get_by_text("of your own: 2")).to_be_visible()
    page.get_by_role("tab", name="Test").click()
    page.get_by_role("button", name="Measure on the test set").click()
    expect(page.get_by_text("Mean error on test rows")).to_be_visible()


def test_draw_a_triangle_and_keep_it(site: str, page: Page) -> None:
    page.goto(f"{site}/shapes?examples=1000&photo=0&epochs=4&channels=8,16&kernels=3,3&strides=2,2")
    ready(page)
    stroke(page, TRIANGLE)
    main_button(page).click()
    expect(page.get_by_text("Finished · epoch 4 of 4")).to_be_visible()
    expect(page.get_by_role("heading", name="triangle", exact=True)).to_be_visible()
    page.get_by_test_id("stButtonGroup").get_by_text("triangle", exact=True).click()
    expect(page.get_by_text("Saved. It will be used the next time")).to_be_visible()
    expect(page.get_by_alt_text("Your picture: triangle").first).to_be_visible()
