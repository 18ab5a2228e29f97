"""The longer texts: Markdown, a file a page and language, cut into sections.

A project's lie in its folder, all others in ``content/``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from playground.projects import PROJECTS

CONTENT: Final = Path(__file__).parent / "content"


def path(page: str, language: str) -> Path:
    """Where a page's texts are."""
    if page in PROJECTS:
        return PROJECTS[page].folder / f"{language}.md"
    return CONTENT / language / f"{page}.md"


@cache
def sections(page: str, language: str) -> dict[str, str]:
    """A page's prose by section: Markdown, each section begun by a line ``<!-- name -->``."""
    parts: dict[str, list[str]] = {}
    name = ""
    for line in path(page, language).read_text("utf-8").splitlines():
        if line.startswith("<!-- ") and line.endswith(" -->"):
            name = line[5:-4]
            parts[name] = []
        else:
            parts.setdefault(name, []).append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}
