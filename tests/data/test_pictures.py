from __future__ import annotations

import io
import random
import struct
import tomllib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from playground.data import pictures
from playground.data.pictures import load_many, load_picture, load_zip
from playground.errors import PlaygroundError
from playground.projects import project

ROOT = Path(__file__).parent.parent.parent
LABELS = ("circle", "square", "triangle")
ALIASES = {"koło": "circle", "kwadrat": "square", "trójkąt": "triangle"}


def saved(image: Image.Image, format: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def arrow(width: int = 40, height: int = 20) -> Image.Image:
    """White, with its left quarter black: a picture whose rotation shows."""
    image = Image.new("RGB", (width, height), "white")
    image.paste("black", (0, 0, width // 4, height))
    return image


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, raw in entries.items():
            archive.writestr(name, raw)
    return out.getvalue()


def png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG that declares any size, whatever its pixels are."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


GOOD = saved(arrow())


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_formats(format: str) -> None:
    image = load_picture(saved(arrow(), format), "a")
    assert image.mode == "RGB"
    assert image.size == (40, 20)
    grey = np.asarray(image.convert("L"))
    assert grey[10, 3] < 30
    assert grey[10, 30] > 225


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_modes(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.asarray(arrow().convert("L")).astype(np.uint16) * 257)
    else:
        image = arrow().convert(mode)
    grey = np.asarray(load_picture(saved(image), "a").convert("L"))
    assert (grey[10, 3], grey[10, 30]) == (0, 255)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_transparent_is_paper(format: str) -> None:
    image = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 10, 20, 20))
    raw = saved(image, format, **({"lossless": True} if format == "WEBP" else {}))
    grey = np.asarray(load_picture(raw, "a").convert("L"))
    assert (grey[15, 15], grey[2, 2]) == (0, 255)


@pytest.mark.parametrize(
    ("orientation", "black"), [(1, (10, 3)), (3, (10, 36)), (6, (3, 10)), (8, (36, 10))]
)
def test_the_camera_says_which_way_is_up(orientation: int, black: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = load_picture(saved(arrow(), "JPEG", exif=exif, quality=95), "a")
    assert image.size == ((40, 20) if orientation in (1, 3) else (20, 40))
    assert np.asarray(image.convert("L"))[black] < 30


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_broken_note_does_not_spoil_the_picture() -> None:
    raw = saved(arrow(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    assert load_picture(raw, "a").size == (40, 20)


def motion_photo() -> bytes:
    """A photo as many phones write it: behind the JPEG stands a film."""
    rng = random.Random(0)
    return saved(arrow(), "JPEG") + b"\0\0\0\x18ftypmp42" + rng.randbytes(6_000_000)


def test_a_motion_photo_is_read() -> None:
    raw = motion_photo()
    assert raw.count(b"\xff\xda") > pictures.MAX_SCANS
    assert load_picture(raw, "a").size == (40, 20)
    packed_one = packed({"circle/a.jpg": raw}, zipfile.ZIP_STORED)
    assert len(load_zip(packed_one, LABELS).pictures) == 1


def test_scans_are_counted_as_far_as_the_picture_goes() -> None:
    plain, progressive = saved(arrow(), "JPEG"), saved(arrow(), "JPEG", progressive=True)
    assert pictures.count_scans(plain) == 1
    assert 2 < pictures.count_scans(progressive) == progressive.count(b"\xff\xda") < 20
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(progressive) + 2) + progressive
    assert pictures.count_scans(plain[:2] + thumbnail + plain[2:]) == 1  # in a note of the camera
    assert (
        pictures.count_scans(plain[:2] + b"\xff\xfe\0\2" * 9_000 + plain[2:]) > pictures.MAX_SCANS
    )


def written() -> Image.Image:
    """Black on transparent: a crossed 7, or any figure."""
    image = Image.new("RGBA", (200, 160), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    pen.line([(60, 30), (130, 30), (90, 130)], fill=(0, 0, 0, 255), width=12, joint="curve")
    pen.line([(80, 80), (120, 78)], fill=(0, 0, 0, 255), width=10)
    return image


def forms() -> dict[str, Image.Image]:
    """The same ink as people's programs save it."""
    image = written()
    alpha = image.getchannel("A")
    grey = Image.eval(alpha, lambda value: 255 - value)
    white, red = (Image.new("RGBA", image.size, colour) for colour in ("white", "#d02030"))
    white.putalpha(alpha)
    red.putalpha(alpha)
    deep = np.asarray(grey).astype(np.uint16)
    palette = grey.convert("P")
    palette.info["transparency"] = 255
    return {
        "black on white": grey,
        "white on black": alpha,
        "black on transparent": image,
        "white on transparent": white,
        "red on transparent": red,
        "grey and transparency": Image.merge("LA", (Image.new("L", image.size), alpha)),
        "white and transparency": Image.merge("LA", (Image.new("L", image.size, 255), alpha)),
        "palette with transparency": palette,
        "two colours": grey.convert("1"),
        "16 bits": Image.fromarray(deep * 257),
        "12 bits of 16": Image.fromarray(deep * 16),
    }


FORMS = forms()


@pytest.mark.parametrize("name", ["digits", "shapes"])
@pytest.mark.parametrize("form", FORMS)
def test_one_way_of_reading_whoever_brings_the_picture(
    name: str, form: str, tmp_path: Path
) -> None:
    kind = project(name)
    recipe = kind.recipe()
    raw = saved(FORMS[form])
    path = tmp_path / "seven.png"
    path.write_bytes(raw)
    label = kind.labels[0]
    zipped = load_zip(packed({f"{label}/a.png": raw}), kind.labels).pictures[0][2]
    with path.open("rb") as file, Image.open(path) as image:
        read = [
            kind.encode(given, recipe)
            for given in (load_picture(raw, "a"), zipped, image, path, str(path), raw, file)
        ]
    for one in read[1:]:
        assert torch.equal(one, read[0])
    usual = kind.encode(FORMS["black on white"], recipe)
    assert float((read[0].float() - usual.float()).abs().mean()) < 6


def test_files_that_predict_cannot_open(tmp_path: Path) -> None:
    with pytest.raises(PlaygroundError, match=r"none\.png cannot be read: No such file"):
        pictures.opened(tmp_path / "none.png")
    with pytest.raises(PlaygroundError, match="cannot be read"):
        pictures.opened("a\0b")
    with pytest.raises(PlaygroundError, match="open as text"):
        pictures.opened(io.StringIO("hello"))
    assert pictures.opened(None) is None


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_a_cut_file_opened_by_the_person_is_our_error(format: str) -> None:
    raw = saved(Image.effect_noise((90, 90), 50), format)[:-2000]
    image = Image.open(io.BytesIO(raw), formats=[format])
    with pytest.raises(PlaygroundError, match="damaged or incomplete"):
        project("digits").encode(image, project("digits").recipe())


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("okręgi", "circle"),
        ("okregi", "circle"),
        ("kolka", "circle"),
        ("Kółka", "circle"),
        ("1_circle", "circle"),
        ("circle-2", "circle"),
        ("my circles", "circle"),
        ("kwadraciki", "square"),
        ("02 Trójkąty", "triangle"),
        ("circle and square", None),
        ("3", None),
    ],
)
def test_what_people_call_the_folders(folder: str, label: str | None) -> None:
    kind = project("shapes")
    read = load_zip(packed({f"{folder}/a.png": GOOD}), kind.labels, kind.folders)
    assert [found for found, _, _ in read.pictures] == ([label] if label else [])


def test_a_number_beside_a_digit_is_not_its_class() -> None:
    labels = project("digits").labels
    read = load_zip(packed({"photos 5/7/a.png": GOOD, "photos 5/b.png": GOOD}), labels)
    assert [label for label, _, _ in read.pictures] == ["7"]


def test_limits_are_those_of_the_server() -> None:
    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))
    sent = settings["server"]["maxUploadSize"] * 2**20
    assert pictures.MAX_BYTES == pictures.MAX_ZIP_BYTES <= sent < 1.1 * pictures.MAX_BYTES


def test_large_pictures_shrink() -> None:
    assert load_picture(saved(Image.new("L", (3000, 600))), "a").size == (1600, 320)
    raw = saved(Image.new("L", (9000, 7000), 255), "JPEG")  # 63 megapixels
    assert load_picture(raw, "a", side=500).size == (500, 389)


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("black", "white")]
    raw = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.asarray(load_picture(raw, "a")).max() == 0


HOSTILE = {
    "empty": (b"", "is empty"),
    "text": (b"hello, world", "is not a picture"),
    "pdf": (b"%PDF-1.7 ...", "is not a picture"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a picture"),
    "tiff": (saved(arrow(), "TIFF"), "is not a picture"),
    "eps": (saved(arrow(), "EPS"), "is not a picture"),
    "zip": (packed({"a.png": GOOD}), "is not a picture"),
    "avif": (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF photo. Save or share it as JPEG"),
    "heic": (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
    "too many bytes": (b"\xff\xd8" + b"\0" * pictures.MAX_BYTES, "larger than 25 MB"),
    "png cut": (saved(Image.effect_noise((90, 90), 50))[:-2000], "damaged"),
    "jpeg cut": (saved(Image.effect_noise((90, 90), 50), "JPEG")[:-2000], "damaged"),
    "png without pixels": (png(10, 10), "damaged"),
    "no width": (png(0, 10), "damaged|not a picture"),
    "png bomb": (png(30_000, 30_000, b"\0" * 10_000), "too large to decode"),
    "bigger than Pillow warns of": (png(10_000, 10_000), "too large to decode"),
    "26 megapixels": (png(5_200, 5_000), "at most 25 megapixels"),
    "gif with a huge screen": (
        b"GIF89a\xff\xff\xff\xff" + saved(arrow(), "GIF")[10:],
        "too large to decode",
    ),
    "jpeg of 81 megapixels": (
        saved(arrow(), "JPEG").replace(
            struct.pack(">HH", 20, 40), struct.pack(">HH", 9000, 9000), 1
        ),
        "at most 67 megapixels",
    ),
    "jpeg with many scans": (
        saved(arrow(), "JPEG", progressive=True)[:-2] + b"\xff\xda\0\x0c" * 50 + b"\xff\xd9",
        "too large to decode",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_by_name(kind: str) -> None:
    raw, words = HOSTILE[kind]
    with pytest.raises(PlaygroundError, match=words) as caught:
        load_picture(raw, "holiday\n.png")
    assert "holiday .png" in str(caught.value)


def test_a_large_progressive_jpeg_is_refused() -> None:
    raw = saved(arrow(), "JPEG", progressive=True)
    raw = raw.replace(struct.pack(">HH", 20, 40), struct.pack(">HH", 6000, 5000), 1)
    with pytest.raises(PlaygroundError, match="at most 25 megapixels"):
        load_picture(raw, "a.jpg")


SAMPLES = [saved(arrow(), f) for f in ("PNG", "JPEG", "WEBP", "BMP", "GIF")]


@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0, 800), st.integers(0, 255))))
@settings(max_examples=200, deadline=None)
def test_bent_bytes_are_read_or_refused(sample: bytes, changes: list[tuple[int, int]]) -> None:
    raw = bytearray(sample)
    for at, byte in changes:
        raw[at % len(raw)] = byte
    try:
        image = load_picture(bytes(raw), "x")
    except PlaygroundError:
        return
    assert image.mode == "RGB"
    assert max(image.size) <= pictures.SIDE


def test_many_files() -> None:
    read = load_many(
        [("a.png", GOOD), ("b.txt", b"no"), ("c.png", GOOD), ("d.png", GOOD[:60])],
        "circle",
        prepare=lambda image: image.convert("L").resize((28, 28)),
    )
    assert [(label, name) for label, name, _ in read.pictures] == [
        ("circle", "a.png"),
        ("circle", "c.png"),
    ]
    assert read.pictures[0][2].size == (28, 28)
    assert [p.value for p in read.problems] == ["b.txt", "d.png"]


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_PICTURES", 2), ("MAX_UNPACKED", 500), ("MAX_PIXELS_OF_MANY", 2000)]
)
def test_too_much_at_once(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(pictures, limit, value)
    files = [(f"{n}.png", GOOD) for n in range(9)]
    with pytest.raises(PlaygroundError, match=r"With \d\.png the upload becomes too"):
        load_many(files, "circle")


def test_zip_with_a_folder_a_class() -> None:
    read = load_zip(
        packed(
            {
                "circle/": b"",
                "circle/1.png": GOOD,
                "my drawings/Square/2.png": GOOD,
                "TRÓJKĄT/anna/3.jpg": saved(arrow(), "JPEG"),
                "Koło\\4.png": GOOD,
                "square/circle/5.png": GOOD,
                "../../triangle/6.png": GOOD,
                "/triangle/7.png": GOOD,
                "__MACOSX/circle/._1.png": b"junk",
                "circle/.DS_Store": b"junk",
                "square/Thumbs.db": b"junk",
            }
        ),
        LABELS,
        ALIASES,
    )
    assert read.problems == []
    assert [label for label, _, _ in read.pictures] == [
        "circle", "square", "triangle", "circle", "circle", "triangle", "triangle",
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "cp852"])
def test_polish_folders_of_programs_that_do_not_say_their_encoding(encoding: str) -> None:
    name = "trójkąt/ł.png".encode(encoding)
    raw = packed({"x" * len(name): GOOD}).replace(b"x" * len(name), name)
    read = load_zip(raw, LABELS, ALIASES)
    assert [(label, name) for label, name, _ in read.pictures] == [("triangle", "trójkąt/ł.png")]


def test_all_problems_of_a_zip_at_once() -> None:
    raw = packed(
        {
            "circle/good.png": GOOD,
            "circle/text.png": b"hello",
            "square/cut.png": GOOD[:60],
            "square/more.zip": packed({"a": GOOD}),
            "square/empty.png": b"",
            "hexagon/1.png": GOOD,
            "hexagon/2.png": GOOD,
            "loose.png": GOOD,
            "triangle/bomb.png": png(30_000, 30_000),
        }
    )
    read = load_zip(raw, LABELS, ALIASES)
    assert [name for _, name, _ in read.pictures] == ["circle/good.png"]
    assert [p.value for p in read.problems] == [
        "circle/text.png",
        "square/cut.png",
        "square/more.zip",
        "square/empty.png",
        "hexagon",
        "loose.png",
        "triangle/bomb.png",
    ]
    assert read.problems[2].text() == "square/more.zip is an archive inside an archive."
    assert read.problems[4].text() == (
        "Folder “hexagon” does not match any class. Folders are: circle, square, triangle."
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_cannot_be_bounded_is_reported(method: int) -> None:
    read = load_zip(packed({"circle/a.png": b"\0" * 1_000_000}, method), LABELS)
    kind = "bzip2" if method == zipfile.ZIP_BZIP2 else "LZMA"
    assert [p.text() for p in read.problems] == [
        f"circle/a.png is packed with {kind}, which cannot be read here. "
        "Pack it as an ordinary ZIP."
    ]


def test_a_damaged_entry_is_reported() -> None:
    raw = packed({"circle/a.png": GOOD, "circle/b.png": GOOD}, zipfile.ZIP_STORED)
    raw = raw.replace(GOOD, GOOD[:-1] + b"?", 1)  # its checksum fails
    read = load_zip(raw, LABELS)
    assert [name for _, name, _ in read.pictures] == ["circle/b.png"]
    assert [p.value for p in read.problems] == ["circle/a.png"]


def test_declared_sizes_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 1_000_000
    raw = packed({f"circle/{n}.png": b"\0" * size for n in range(3)})
    small = raw.replace(struct.pack("<I", size), struct.pack("<I", 50))
    read = load_zip(small, LABELS)
    assert [p.text() for p in read.problems] == [
        f"circle/{n}.png cannot be unpacked." for n in range(3)
    ]
    # Nor does an entry that fails at its end unpack for nothing.
    large = raw.replace(struct.pack("<I", size), struct.pack("<I", size - 1))
    monkeypatch.setattr(pictures, "MAX_UNPACKED", 2_500_000)
    with pytest.raises(PlaygroundError, match=r"With circle/2\.png the upload"):
        load_zip(large, LABELS)


def locked() -> bytes:
    raw = packed({"circle/a.png": GOOD})
    at = raw.index(b"PK\x01\x02") + 8
    return raw[:at] + b"\x01" + raw[at + 1 :]


REFUSED = {
    "nothing": (b"", "is not a ZIP"),
    "text": (b"hello", "is not a ZIP"),
    "cut": (packed({"circle/a.png": GOOD})[:-30], "is not a ZIP"),
    "no entries": (packed({}), "contains no pictures"),
    "folders alone": (packed({"circle/": b""}), "contains no pictures"),
    "password": (locked(), "password"),
    "bomb": (packed({f"circle/{n}": b"\0" * 9_000_000 for n in range(2)}), "200 times its size"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_archives_refused_as_a_whole(kind: str) -> None:
    raw, words = REFUSED[kind]
    with pytest.raises(PlaygroundError, match=words) as caught:
        load_zip(raw, LABELS, ALIASES, "our.zip")
    assert "our.zip" in str(caught.value)


@pytest.mark.parametrize(
    ("limit", "words"), [("MAX_ENTRIES", "more than 3 files"), ("MAX_ZIP_BYTES", "larger than")]
)
def test_limits_of_an_archive(monkeypatch: pytest.MonkeyPatch, limit: str, words: str) -> None:
    monkeypatch.setattr(pictures, limit, 3)
    with pytest.raises(PlaygroundError, match=words):
        load_zip(packed({f"circle/{n}.png": GOOD for n in range(4)}), LABELS)


ARCHIVE = packed({"circle/a.png": GOOD, "square/b.png": GOOD})


@given(st.lists(st.tuples(st.integers(0, len(ARCHIVE) - 1), st.integers(0, 255))))
@settings(max_examples=100, deadline=None)
def test_bent_archives_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(ARCHIVE)
    for at, byte in changes:
        raw[at] = byte
    try:
        read = load_zip(bytes(raw), LABELS)
    except PlaygroundError:
        return
    assert len(read.pictures) + len(read.problems) <= 4
