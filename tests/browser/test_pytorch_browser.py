"""Change a part, see the code change, press Run, see its output."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


def test_the_code_follows_the_choices_and_runs(site: str, page: Page) -> None:
    page.goto(f"{site}/pytorch?epochs=5")
    optimizer = page.locator(".code-view .line").filter(has_text="optimizer = ")
    expect(optimizer).to_contain_text("torch.optim.Adam(model.parameters(), lr=0.01)")

    page.get_by_role("combobox", name="Optimizer").click()
    page.get_by_role("option", name="SGD", exact=True).click()
    expect(optimizer).to_contain_text("torch.optim.SGD(model.parameters(), lr=0.01)")
    expect(optimizer).to_have_class(re.compile(r"\bnew\b"))
    expect(page.get_by_text("Adam → SGD")).to_be_visible()

    # Pointed at, a line says what it does; not before.
    why = page.get_by_text("Every weight takes a step against its gradient")
    expect(why).to_be_hidden()
    optimizer.hover()
    expect(why).to_be_visible()

    page.get_by_test_id("stBaseButton-primary").click()
    output = page.get_by_test_id("stCode")
    expect(output).to_contain_text(re.compile(r"epoch 1: loss 0\.\d+"))
    expect(output).to_contain_text(re.compile(r"validation accuracy: \d+\.\d%"))

    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    assert download.value.suggested_filename == "five_parts.py"
    source = download.value.path().read_text("utf-8")
    lines = page.locator(".code-view code").all_inner_texts()
    assert [line.rstrip("\n") for line in lines if line.strip()] == [
        line for line in source.splitlines() if line
    ]
