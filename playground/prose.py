"""The longer texts: Markdown in ``content/``, a file a page and language, cut into sections."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

CONTENT: Final = Path(__file__).parent / "content"


@cache
def sections(page: str, language: str) -> dict[str, str]:
    """A page's prose by section: Markdown, each section begun by a line ``<!-- name -->``."""
    parts: dict[str, list[str]] = {}
    name = ""
    for line in (CONTENT / language / f"{page}.md").read_text("utf-8").splitlines():
        if line.startswith("<!-- ") and line.endswith(" -->"):
            name = line[5:-4]
            parts[name] = []
        else:
            parts.setdefault(name, []).append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}
