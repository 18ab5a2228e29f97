"""Every link and picture of the documents leads somewhere."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
DOCUMENTS: Final = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "benchmarks" / "README.md"]
TARGET: Final = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
MODULE: Final = re.compile(r"`((?:playground|pages|tests|benchmarks|deploy)/[\w./]*)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_pictures_and_modules_are_there(document: Path) -> None:
    text = document.read_text("utf-8")
    links = [one or other for one, other in TARGET.findall(text)]
    near = [link.split("#")[0] for link in links if not link.startswith(("http", "#"))]
    missing = [link for link in near if not (document.parent / link).exists()]
    missing += [name for name in MODULE.findall(text) if not (ROOT / name).exists()]
    assert missing == []


def test_the_picture_of_the_imports_is_of_the_code_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "docs")
    picture = importlib.import_module("imports")
    whole = picture.rooms(picture.imports(), 1)
    assert picture.upward(whole) == set()
    assert picture.upward(picture.rooms(picture.imports("playground.ui"), 2)) == set()
    assert picture.PICTURE.read_text("utf-8") == picture.drawn(whole), "python docs/imports.py"
