"""axe-core on every page: nothing of ours that somebody cannot read, hear or reach.

Every page, every view of a lesson and every tab of a trained project (the code of one of them),
in English on the light theme; a sample of them, with every tab of one project, in Polish on the
dark one. What axe cannot judge, the text in charts, ``tests/ui/shell/test_palette.py`` does. On
the way, no page may warn in the console, or ask anybody but its own server for anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from opening import tiny
from person import SECRET, missing
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from playground.projects import NAMES
from playground.ui.shell import frame

ROOT: Final = Path(__file__).parent.parent.parent
AXE: Final = ROOT / "node_modules" / "axe-core" / "axe.min.js"

VIEWS: Final = {
    "neuron": ("line", "plane", "layer", "bends", "region"),
    "activations": ("curve", "depth", "network"),
    "forward_pass": ("network", "convolution"),
    "loss": ("regression", "outlier", "classification", "yes_no", "why_not_mse"),
    "backpropagation": ("chain", "nudge", "step"),
    "batches": ("cards", "noise", "overfitting"),
}
LESSONS: Final = (*VIEWS, "optimizers?view=flat", "optimizers?view=solid", "pytorch")
# As quick as they can be trained, with each kind of layer. The last one is the sweep's, too.
QUICK: Final = {
    "shapes": "epochs=1&examples=1000&photo=0&channels=4&kernels=3&strides=2",
    "digits": "epochs=1&architecture=mlp&hidden=16&strokes=200&augmentation=0",
    "coffee": "epochs=2&examples=500",
}
PROJECTS: Final = tuple(
    f"{stem}?{QUICK.get(stem) or urlencode(tiny(stem))}"
    for stem in sorted(NAMES, key=lambda stem: stem == "coffee")
)
TABS: Final = 6
CODE: Final = 4  # of these tabs; thousands of coloured words, of the same colours in each project
OTHERS: Final = ("", "runs", "board")
# Of the second language and theme: each kind of drawing and of page once.
SAMPLE: Final = (
    "",
    "neuron?view=plane",
    "forward_pass?view=convolution",
    "loss?view=regression",
    "backpropagation?view=step",
    "optimizers?view=flat",
    "batches?view=cards",
    "pytorch",
)

# What is Streamlit's own: rule -> a part of the selector or of the HTML, and why it stays.
ALLOWED: Final = {
    # Its upload box is a <section role="presentation"> with what can be focused in it.
    "presentation-role-conflict": 'data-testid="stFileUploaderDropzone"',
}
# What is drawn anew fades while that lasts, which may be just when axe looks.
STEADY: Final = "[data-stale] { opacity: 1 !important; transition: none !important }"
QUIET: Final = re.compile(
    # Streamlit looks for its own base path first, at each deep link.
    r"Failed to load resource|"
    # And for a download's file that a newer drawing of the page has replaced.
    r"Download Button source error - 404|"
    # Of a Chromium without a GPU, about Plotly's own.
    r"willReadFrequently|GPU stall due to ReadPixels|WebGL"
)


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's script; ``npm install --no-save axe-core`` brings it."""
    if not AXE.is_file():
        how = "npm install --no-save axe-core"
        missing(f"axe-core is required here: {how}", f"no axe-core: {how}")
    return AXE.read_text("utf-8")


class Reader:
    """One window in one language and one theme, and what axe and the console said in it."""

    def __init__(self, window: Page, address: str, lang: str, script: str) -> None:
        self.window, self.address, self.lang, self.script = window, address, lang, script
        self.found: list[str] = []
        self.allowed: set[str] = set()
        self.asked = 0
        self.seen: set[str] = set()
        window.on("console", self._heard)
        window.on("request", lambda request: self._asks(request.url))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("warning", "error") and not QUIET.search(message.text):
            self.found.append(f"{self.window.url}: the console says {message.text[:300]}")

    def _asks(self, url: str) -> None:
        self.asked += 1
        if not url.startswith((f"{self.address}/", "data:", "blob:")):
            self.found.append(f"{self.window.url}: asks for {url[:300]}")

    def open(self, path: str) -> None:
        """A page by its address, at the same desk as the page before."""
        desk = re.search(r"[?&](desk=[^&#]+)", self.window.url)
        asked = [*path.split("?")[1:], f"lang={self.lang}", *([desk[1]] if desk else [])]
        self.seen.add(path.split("?")[0] or "start")
        self.window.goto(f"{self.address}/{path.split('?')[0]}?{'&'.join(asked)}")
        self.judge(path or "start")

    def views(self, page: str) -> None:
        """The other views of a lesson, each by its button."""
        for place, view in enumerate(VIEWS.get(page, ())[1:], start=1):
            self.window.locator('[class*="-view-"] [role=radio]').nth(place).click()
            self.window.wait_for_url(f"**view={view}**")
            self.judge(f"{page}, {view}", ".stMain")

    def settle(self) -> None:
        self.window.locator("h1").first.wait_for()
        self.window.wait_for_function(
            """() => document.querySelector('[data-test-script-state=notRunning]')
            && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"""
        )

    def judge(self, where: str, part: str | None = None) -> None:
        """What axe says of the page, or of a ``part`` of it if the rest was judged before."""
        self.settle()
        self.window.evaluate(
            """([script, look]) => {
              if (window.axe) return;
              (0, eval)(script);
              document.head.appendChild(document.createElement("style")).textContent = look;
            }""",
            [self.script, STEADY],
        )
        said: Any = self.window.evaluate(
            "part => axe.run(part ?? document, {resultTypes: ['violations']})", part
        )
        for violation in said["violations"]:
            for node in violation["nodes"]:
                rule = violation["id"]
                if rule in ALLOWED and ALLOWED[rule] in node["html"]:
                    self.allowed.add(rule)
                else:
                    why = " ".join(node["failureSummary"].split())
                    self.found.append(f"{where} [{self.lang}]: {rule}: {node['html'][:200]} {why}")

    def tab(self, place: int) -> None:
        tab = self.window.get_by_role("tab").nth(place)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")

    def train(self, path: str) -> None:
        """A project untrained, trained, and then tab by tab."""
        self.open(path)
        self.window.get_by_test_id("stBaseButton-primary").click()
        expect(self.window.locator('[class*="-reset"] button').first).to_be_enabled()
        expect(self.window.locator('[class*="-stop"] button').first).to_be_disabled()
        self.judge(f"{path} trained", ".stMain")
        for place in range(1, TABS):
            if place == CODE and path != PROJECTS[-1]:
                continue
            self.tab(place)
            self.judge(f"{path} trained, tab {place + 1}", "[role=tabpanel]:not([inert])")

    def sweep(self) -> None:
        """The runs, the desk's menu over them, and a sweep of the project that was the last."""
        self.open("runs")
        expect(self.window.get_by_test_id("stVegaLiteChart")).not_to_have_count(0)
        self.window.locator(".st-key-desk-popover button").first.click()
        self.judge("runs with the desk's menu")
        self.window.keyboard.press("Escape")
        self.tab(1)
        self.window.locator(".st-key-sweep-start button").first.click()
        expect(self.window.get_by_test_id("stVegaLiteChart")).not_to_have_count(0)
        expect(self.window.locator(".st-key-sweep-stop button").first).to_be_disabled()
        self.judge("runs, a sweep")

    def board(self) -> None:
        self.open("board")
        gate = self.window.locator("input[type=password]")
        gate.fill(SECRET)
        gate.press("Enter")
        expect(gate).to_have_count(0)
        self.judge("board, shown")


@pytest.fixture
def reader(browser: Browser, site: str, axe: str) -> Iterator[Callable[[str, str], Reader]]:
    """A new window of a language and a theme."""
    contexts = []

    def open_in(lang: str, theme: str) -> Reader:
        context = browser.new_context(
            viewport={"width": 1400, "height": 900},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        window = context.new_page()
        window.set_default_timeout(60_000)
        return Reader(window, site, lang, axe)

    yield open_in
    for context in contexts:
        context.close()


def test_nothing_of_ours_is_hard_to_read_or_to_reach(
    reader: Callable[[str, str], Reader],
) -> None:
    """One test, as all of it shares one server: what it starts costs more than what it judges."""
    light, dark = reader("en", "light"), reader("pl", "dark")
    for one, pages, projects in (
        (light, (*OTHERS, *LESSONS), PROJECTS),
        (dark, SAMPLE, PROJECTS[-1:]),
    ):
        for path in pages:
            one.open(path)
            one.views(path)
        for path in projects:
            one.train(path)
        one.sweep()
        one.board()
    assert not light.found + dark.found, "\n".join(light.found + dark.found)
    assert light.seen == {stem for pages in frame.PAGES.values() for stem, *_ in pages} | {"board"}
    assert light.asked > 50 * len(light.seen)  # what they ask for was heard
    # What is allowed and does not happen any more must not stay allowed.
    assert light.allowed | dark.allowed == set(ALLOWED)


def test_drawings_follow_the_theme_and_the_browser(
    reader: Callable[[str, str], Reader],
) -> None:
    """Another theme in mid-visit needs no press; without WebGL the landscape is a map."""
    one = reader("en", "light")
    one.window.goto(f"{one.address}/backpropagation")
    label = one.window.locator("svg text", has_text="x₁").last
    expect(label).to_have_attribute("fill", "#1c2b33")
    one.window.emulate_media(color_scheme="dark")
    expect(label).to_have_attribute("fill", "#e6ecee")

    one = reader("pl", "light")
    one.window.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
          return /webgl/.test(kind) ? null : get.call(this, kind, ...rest);
        };"""
    )
    one.window.goto(f"{one.address}/optimizers?view=solid&lang=pl")
    expect(one.window.get_by_text("nie potrafi rysować w trzech wymiarach")).to_be_visible()
    expect(one.window.locator("[data-testid=stVegaLiteChart] canvas").first).to_be_visible()
    expect(one.window.locator(".figure")).to_have_count(0)
