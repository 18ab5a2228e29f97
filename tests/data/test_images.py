"""No reader of images lets a file choose what reads it, or decodes before it knows the size."""

from __future__ import annotations

import ast
import io
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from playground.data.images import ImageError, TooLargeError, open_image

ROOT: Final = Path(__file__).parent.parent.parent


def image(form: str, side: int = 20) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, form)
    return file.getvalue()


def test_only_the_formats_that_are_asked_for_are_opened() -> None:
    assert open_image(image("PNG"), ["PNG"], 400).size == (20, 20)
    for form in ("EPS", "BMP", "TIFF", "GIF"):
        with pytest.raises(ImageError):
            open_image(image(form), ["PNG"], 400)
    for raw in (b"", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n" * 9):
        with pytest.raises(ImageError):
            open_image(raw, ["PNG"], 400)


def test_one_too_large_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(self: Image.Image) -> None:
        raise AssertionError("it was decoded")

    large = image("PNG", 1000)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    with pytest.raises(TooLargeError):
        open_image(large, ["PNG"], 999_999)
    assert open_image(large, ["PNG"], 1_000_000).size == (1000, 1000)


def test_nothing_opens_an_image_in_another_way() -> None:
    """Neither ``Image.open`` without formats nor the canvas component's own decoders."""
    opened, found = [], []
    for path in [*(ROOT / "playground").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("image_data", "image_bytes"):
                found.append(f"{path.name}:{node.lineno}")
            if isinstance(node, ast.ImportFrom) and node.module == "PIL.Image":
                found.append(f"{path.name}:{node.lineno}")
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Image.open"):
                opened.append(path.name)
                if "formats" not in [one.arg for one in node.keywords]:
                    found.append(f"{path.name}:{node.lineno}")
    assert not found
    assert opened == ["images.py"]
