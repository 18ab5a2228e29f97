"""A student's own data: a CSV with faults, and a drawing that becomes an example."""

from __future__ import annotations

from person import TRIANGLE, main_button, ready, status, stroke
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
    expect(status(page, "Finished · epoch 3 of 3")).to_be_visible()
    expect(page.get_by_text("of your own: 2")).to_be_visible()
    page.get_by_role("tab", name="Test").click()
    page.get_by_role("button", name="Measure on the test set").click()
    expect(page.get_by_text("Mean error on test rows")).to_be_visible()

    # Typed with a decimal comma, kept, and written as its reader writes it.
    page.get_by_text("Polski", exact=True).click()
    page.get_by_role("tab", name="Dane", exact=True).click()
    editor = page.locator("[class*=st-key-coffee-own-editor-]")
    price = editor.locator("[role=row][aria-rowindex='2'] [aria-colindex='4']")
    expect(price).to_have_text("10,5")
    editor.get_by_test_id("stDataFrameResizable").click(position={"x": 120, "y": 52})
    for _column in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    cell = page.locator("#portal .gdg-input")
    cell.fill("00,050")
    cell.press("Enter")
    expect(price).to_have_text("00,050")
    page.locator(".st-key-coffee-own-keep button").click()
    expect(price).to_have_text("0,05")


def test_draw_a_triangle_and_keep_it(site: str, page: Page) -> None:
    page.goto(f"{site}/shapes?examples=1000&photo=0&epochs=4&channels=8,16&kernels=3,3&strides=2,2")
    ready(page)
    stroke(page, TRIANGLE)
    main_button(page).click()
    expect(status(page, "Finished · epoch 4 of 4")).to_be_visible()
    expect(page.get_by_role("heading", name="triangle", exact=True)).to_be_visible()
    page.get_by_test_id("stButtonGroup").get_by_text("triangle", exact=True).click()
    expect(page.get_by_text("Saved. It will be used the next time")).to_be_visible()
    expect(page.get_by_alt_text("Your picture: triangle").first).to_be_visible()
