"""What a browser says that was drawn is a small PNG, or nothing at all."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from playground.ui.widgets import draw_pad


def sent(picture: Image.Image, form: str = "PNG", prefix: str = draw_pad.PNG) -> str:
    file = io.BytesIO()
    picture.save(file, form)
    return prefix + base64.b64encode(file.getvalue()).decode()


def test_a_drawing_is_read_at_any_density_of_pixels() -> None:
    for density in (1, 1.5, 2, 3, draw_pad.DENSEST):
        side = round(draw_pad.SIZE * density)
        picture = Image.new("RGBA", (side, side), "black")
        ImageDraw.Draw(picture).line([(10, 10), (side - 10, side - 10)], "white", 14)
        found = draw_pad.drawn(sent(picture))
        assert found is not None
        assert np.array_equal(found, np.asarray(picture))
    noise = np.random.default_rng(0).integers(0, 256, (224, 224, 4), dtype=np.uint8)
    assert draw_pad.drawn(sent(Image.fromarray(noise))) is not None


PICTURE = Image.new("RGB", (224, 224))
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{ } loop\n%%EOF\n"


@pytest.mark.parametrize(
    "said",
    [
        None,
        7,
        {"data": 1},
        "",
        "data:image/png;base64,",
        draw_pad.PNG + base64.b64encode(EPS).decode(),
        sent(PICTURE, "EPS"),
        sent(PICTURE, "TIFF"),
        sent(PICTURE, "BMP"),
        sent(PICTURE, "JPEG", "data:image/jpeg;base64,"),
        sent(PICTURE, "GIF"),
        sent(PICTURE)[:-400],
        sent(PICTURE)[:-200] + "=" * 200,
        sent(PICTURE).replace(";base64,", ",") + "%",
        sent(Image.new("1", (10_000, 10_000))),  # 100 megapixels in 15 kB
        sent(Image.new("L", (draw_pad.SIZE * draw_pad.DENSEST + 1,) * 2)),
        sent(PICTURE) + "A" * draw_pad.LONGEST,
    ],
    ids=lambda said: repr(said)[:40],
)
def test_anything_else_is_no_drawing(said: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("another program was started")

    monkeypatch.setattr("subprocess.Popen", run)
    assert draw_pad.drawn(said) is None
