"""An exported script as a Jupyter notebook: the same code, a cell a part, with prose between."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from playground.export.script import Part

FUTURE: Final = "from __future__ import annotations"


def notebook(parts: Sequence[Part], prose: Mapping[str, str]) -> str:
    """JSON of a notebook (format 4.5) of a script's ``parts``.

    ``prose`` is Markdown by part (see ``script.PARTS``), which stands before its code.
    """
    cells = []
    for part in parts:
        cells.append(_cell(f"{part.name}-text", "markdown", prose[part.name]))
        # Whether a cell inherits it from the one before depends on who runs the notebook.
        future = f"{FUTURE}\n\n" if part.name == "helpers" else ""
        cells.append(_cell(part.name, "code", future + part.code))
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": cells,
        "metadata": {"kernelspec": python, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)


def _cell(name: str, kind: str, text: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": name,
        # Folded until somebody opens it: JupyterLab's way to say so, and Colab's.
        "metadata": {"jupyter": {"source_hidden": True}, "cellView": "form"}
        if name == "helpers"
        else {},
        "source": text.splitlines(keepends=True),
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell
