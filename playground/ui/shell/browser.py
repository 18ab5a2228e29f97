"""The student's browser: what Streamlit does not do for a page, one small component does.

Its script (``served/browser.js``) says what that is. It is mounted once a page, survives reruns
and changes of page, and asks for one run more only where this browser remembers a desk that
could be gone on with. A page works without it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.components.v1 import declare_component

from playground.i18n import N_
from playground.ui.shell import language
from playground.ui.shell.language import _
from playground.ui.shell.once import once

SCRIPT: Final = Path(__file__).parent / "served" / "browser.js"
PAGE: Final = "browser.page"
RUNS: Final = "browser.runs"  # of the page's script, so that the component hears of each
# The script itself is served as a file: what is given as text would be sent at each rerun.
STUB: Final = """
export default (part) => {
  const script = new URL(part.data.script, location.href).href;
  import(script).then((browser) => browser[part.data.part](part)).catch(() => {});
};
"""
HTML: Final = {
    "page": '<section class="desk-offer" hidden><p></p><button class="first"></button>'
    "<button></button></section>",
    "menu": '<div class="browser-menu"><p></p><button></button>'
    '<label><input type="checkbox" role="switch"><span></span></label></div>',
    "say": '<div class="said" role="status" aria-live="polite"></div>',
}
# What Streamlit itself writes on a page, with {} for what it puts in.
STREAMLITS: Final = (
    N_("Help for {}"),
    N_("Main menu"),
    N_("App pages"),
    N_("Shortcut {}"),
    N_("progress"),
    N_("Open"),
    N_("Close"),
    N_("Theme"),
    N_("System"),
    N_("Light"),
    N_("Dark"),
    N_("Rerun"),
    N_("Print"),
    N_("Record screen"),
    N_("Skip to main content"),
    N_("Fullscreen"),
    N_("Fullscreen: {}"),
    N_("Close fullscreen"),
    N_("Close fullscreen: {}"),
    N_("Show data"),
    N_("Show data: {}"),
    N_("Download as PNG"),
    N_("Download as PNG: {}"),
    N_("Download as CSV"),
    N_("Download as CSV: {}"),
    N_("Copy Vega-Lite spec"),
    N_("Copy Vega-Lite spec: {}"),
    N_("Search"),
    N_("Search: {}"),
    N_("Upload"),
    N_("Add files"),
    N_("Drag and drop a file here"),
    N_("Drag and drop files here"),
    N_("{}MB per file"),
    N_("{} files are not allowed."),
    N_("Remove {}"),
    N_("Take Photo"),
    N_("Clear photo"),
    N_("Switch camera"),
    N_("This app would like to use your camera."),
    N_("Learn how to allow access."),
)


def page(about: dict[str, Any]) -> None:
    """The page itself; ``about`` is what only this page knows, see ``page`` in the script."""
    run = st.session_state[RUNS] = st.session_state.get(RUNS, 0) + 1
    reader = language.current()
    words = {} if reader == "en" else {said: _(said) for said in STREAMLITS}
    names = {"lang": reader, "words": words, "canvas": _("A canvas to draw on")}
    _mount(
        "page",
        PAGE,
        {**about, **names, "run": run},
        on_remembered_change=_asked,
        on_dark_change=_asked,
    )


def _asked() -> None:
    """The run that follows is all that is wanted."""


def remembered() -> str | None:
    """The desk that this browser remembers, if it has said one."""
    found = st.session_state.get(PAGE)
    said = found.get("remembered") if found is not None else None
    return said if isinstance(said, str) else None


def menu(desk: str | None) -> None:
    """What somebody may decide for this browser: whether it remembers ``desk``, and its keys."""
    words = {
        "kept": _("This browser remembers your desk and offers it when you open the app again."),
        "forget": _("This is not my computer: forget my desk"),
        "unkept": _("This browser does not remember your desk. Save its address yourself."),
        "remember": _("Remember it here"),
        "keys": _("Single keys press buttons (T, 1, 2, 3)"),
    }
    _mount("menu", "browser.menu", {"desk": desk, **words})


def say(text: str, key: str, played: int | None = None) -> None:
    """Tell ``text`` to who cannot see the page, once it has not changed for a second.

    ``played``: after so many rounds of a game; the next throw waits for it in the browser.
    """
    plain = " ".join(re.sub(r"<[^>]*>|\*\*", "", text).split())  # no marks of Markdown or HTML
    _mount("say", f"said.{key}", {"text": plain, "played": played})


def say_answer(answer: str, probability: float | None = None) -> None:
    """Tell what the network answers, and how sure it is."""
    text = _("The network answers: {answer}", answer=answer)
    say(text if probability is None else f"{text}, {language.percent(probability, 0)}", "answer")


def _mount(part: str, key: str, data: dict[str, Any], **changes: Callable[[], None]) -> None:
    mounts, script = _components()
    mounts[part](key=key, data={**data, "part": part, "script": script}, **changes)


@once
def _components() -> tuple[dict[str, Callable[..., Any]], str]:
    """What mounts each part, and where the browser finds the script."""
    folder = declare_component("browser", path=SCRIPT.parent)
    base = str(st.get_option("server.baseUrlPath")).strip("/")
    version = zlib.crc32(SCRIPT.read_bytes())
    address = f"/{base}/component/{folder.name}/{SCRIPT.name}?v={version}"
    mounts = {
        part: st.components.v2.component(
            f"browser_{part}", html=html, js=STUB, isolate_styles=False
        )
        for part, html in HTML.items()
    }
    return mounts, address.replace("//", "/")


__all__ = ["menu", "page", "remembered", "say", "say_answer"]
