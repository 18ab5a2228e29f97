"""A student's own pictures: photos and drawings, one by one or a ZIP with a folder a class.

Whatever a file claims about itself is checked before memory or time is spent on it, and
nothing is ever written to disk, so names and paths in an archive can do no harm.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import Image

from playground.data.drawings import SIDE, flat
from playground.data.images import ImageError, TooLargeError, open_image
from playground.data.messages import Problem, fold, shown
from playground.errors import PlaygroundError
from playground.i18n import N_

__all__ = ["ENDINGS", "Pictures", "load_many", "load_picture", "load_zip", "opened", "several"]

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
# What phones and cameras write besides, by the mark in its first bytes.
UNREAD: Final = {
    "HEIC": (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"heif", b"mif1", b"msf1"),
    "AVIF": (b"avif", b"avis"),
}
ENDINGS: Final = (
    *("jpg", "jpeg", "jfif", "png", "webp", "bmp", "gif"),
    *("heic", "heif", "avif", "tif", "tiff", "jp2", "svg", "pdf"),
)
"""Of files that an upload box lets through: the second row only to be told what to do."""
MAX_BYTES: Final = 25_000_000
"""Of one file, as much as .streamlit/config.toml and the proxy let a browser send."""
MAX_PIXELS: Final = 64 * 1024 * 1024
"""Of an ordinary JPEG, which is decoded at a fraction of its size (a 64-megapixel phone fits)."""
MAX_PIXELS_WHOLE: Final = 25_000_000
"""Of all others, progressive JPEG too: they take 4 to 6 bytes a pixel before they shrink."""
MAX_SCANS: Final = 40
"""Passes of a progressive JPEG; cameras and editors write about ten."""
MAX_SEGMENTS: Final = 5_000
"""Of a JPEG; a photo has some dozens, with large notes and profiles some hundreds."""
MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""Begins a segment of a JPEG; never stands inside the coded pixels."""
SIDE_OF_MANY: Final = 512

MAX_PICTURES: Final = 1_000
MAX_ZIP_BYTES: Final = MAX_BYTES
MAX_ENTRIES: Final = 5_000
MAX_UNPACKED: Final = 200_000_000
"""Bytes of all files of an upload together, after unpacking."""
MAX_RATIO: Final = 200
"""Unpacked to packed bytes of an archive, once ``FREE_BYTES`` are unpacked."""
FREE_BYTES: Final = 10_000_000
MAX_PIXELS_OF_MANY: Final = 1_000_000_000
"""Pixels of all pictures of an upload together, as their files declare them."""

METHODS: Final = {
    9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd",
}  # fmt: skip
"""Ways of packing in a ZIP that are not read, by their number."""

Prepare = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Pictures:
    """What could be read: (label, file name, picture) each, and everything that is wrong."""

    pictures: list[tuple[str, str, Image.Image]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load_picture(raw: bytes, name: str, side: int = SIDE) -> Image.Image:
    """The picture in the file ``raw`` called ``name``, upright, in RGB, at most ``side`` long.

    The camera's note which way was up (EXIF orientation) is obeyed; transparent parts
    become white like paper, or black where the ink is light; of an animation the first
    frame is taken.

    Raises:
        PlaygroundError: naming the file, if it is too large, damaged or no picture.
    """
    return _shrink(_open(raw, name), name, side)


def opened(raw: object) -> object:
    """``raw`` with its file read: a path, bytes or an open file becomes a picture.

    Whatever else it is stays as it is: an image or an array is one already.

    Raises:
        PlaygroundError: as :func:`load_picture`, and for a file that is not there.
    """
    name = str(getattr(raw, "name", "")) or "picture"
    try:
        if isinstance(raw, str | os.PathLike):
            path = Path(raw)
            name = path.name
            with path.open("rb") as file:
                data: object = file.read(MAX_BYTES + 1)
        elif isinstance(raw, bytes | bytearray | memoryview):
            data = bytes(raw)
        elif hasattr(raw, "read"):
            data = raw.read(MAX_BYTES + 1)
        else:
            return raw
    except (OSError, ValueError) as error:  # ValueError: closed, or a zero in a path
        reason = getattr(error, "strerror", None) or str(error)
        raise PlaygroundError(
            N_("{name} cannot be read: {reason}."), name=shown(name), reason=reason
        ) from error
    if not isinstance(data, bytes):
        raise PlaygroundError(
            N_("{name} is open as text. Open a picture with mode “rb”."), name=shown(name)
        )
    return load_picture(data, Path(name).name)


def several(raw: Any) -> list[Any] | None:
    """The pictures in ``raw`` where it is many at once: a list of them, or N×1×H×W and alike.

    None for one picture, which nested lists of numbers are, too.
    """
    if getattr(raw, "ndim", 0) == 4:
        return list(raw)
    if not isinstance(raw, list | tuple):
        return None
    return None if any(isinstance(one, list | tuple | int | float) for one in raw) else list(raw)


def load_many(
    files: Iterable[tuple[str, bytes]],
    label: str,
    side: int = SIDE_OF_MANY,
    prepare: Prepare | None = None,
) -> Pictures:
    """Several files, as (name, bytes), which all show ``label``.

    Each picture goes through ``prepare`` as soon as it is read, so that a thousand
    photos need not lie in memory together.

    Raises:
        PlaygroundError: if they are too many or too large together.
    """
    batch = _Batch(side, prepare)
    for name, raw in files:
        batch.add(label, name, raw)
    return batch.result


def load_zip(
    raw: bytes,
    labels: Sequence[str],
    aliases: Mapping[str, str] | None = None,
    name: str = "ZIP",
    side: int = SIDE_OF_MANY,
    prepare: Prepare | None = None,
) -> Pictures:
    """A ZIP archive with a folder for each class, named by a label or an alias.

    A picture belongs to the innermost of its folders that names a class. Case,
    diacritics and order do not matter, and what macOS and Windows add is ignored.
    Files that cannot be used, and folders that name no class, are reported together.

    Raises:
        PlaygroundError: if the archive is refused as a whole: damaged, with a password,
            empty, or above a limit, whatever sizes it declares.
    """
    name = shown(name)
    meaning = {fold(alias): label for alias, label in (aliases or {}).items()}
    meaning |= {fold(label): label for label in labels}
    folders = ", ".join(labels)
    batch = _Batch(side, prepare)
    unknown: set[str] = set()
    with _archive(raw, name) as archive:
        for info in archive.infolist():
            *parents, file = [part for part in _path(info).split("/") if part] or [""]
            if info.is_dir() or _is_junk(parents, file):
                continue
            if info.flag_bits & 1:
                raise PlaygroundError(
                    N_("{name} is protected by a password. Zip it without a password."), name=name
                )
            known = [label for folder in parents if (label := _class(folder, meaning))]
            if known:
                path = "/".join([*parents, file])
                try:
                    data = _unpack(archive, info, path)
                except PlaygroundError as error:
                    batch.report(error, path)
                    batch.spend(path, size=min(info.file_size, MAX_BYTES))
                    continue
                unpacked = batch.bytes + len(data)
                if unpacked > FREE_BYTES and unpacked > MAX_RATIO * len(raw):
                    raise PlaygroundError(
                        N_("{name} unpacks to more than {ratio} times its size and is refused."),
                        name=name,
                        ratio=MAX_RATIO,
                    )
                batch.add(known[-1], path, data)
                continue
            folder = "/".join(parents)
            if folder in unknown:
                continue
            unknown.add(folder)
            message = N_("Folder “{folder}” does not match any class. Folders are: {folders}.")
            if not folder:
                message = N_("“{file}” is not in a folder. Folders are: {folders}.")
            values = {"folder": shown(folder), "file": shown(file), "folders": folders}
            batch.result.problems.append(Problem(message, values, value=shown(folder or file)))
    if not batch.result.pictures and not batch.result.problems:
        raise PlaygroundError(
            N_("{name} contains no pictures. Put them into folders named: {folders}."),
            name=name,
            folders=folders,
        )
    return batch.result


def _class(folder: str, meaning: Mapping[str, str]) -> str | None:
    """The label that a folder's name means: "Circle", "1_circle", "my circles 2"."""
    name = fold(folder)
    if name in meaning:
        return meaning[name]
    # A number beside the name is an order, so for the digits only the whole name counts.
    found = {meaning[word] for word in name.split() if word in meaning and not word.isdigit()}
    return found.pop() if len(found) == 1 else None


class _Batch:
    """Collects the pictures of one upload and keeps it within its limits."""

    def __init__(self, side: int, prepare: Prepare | None) -> None:
        self.side = side
        self.prepare = prepare
        self.result = Pictures()
        self.bytes = 0
        self.pixels = 0

    def add(self, label: str, name: str, raw: bytes) -> None:
        """Read one file, or report it.

        Raises:
            PlaygroundError: if the files together are more than is allowed.
        """
        self.spend(name, size=len(raw))
        try:
            image = _open(raw, name)
        except PlaygroundError as error:
            self.report(error, name)
            return
        self.spend(name, pixels=image.width * image.height)
        try:
            image = _shrink(image, name, self.side)
        except PlaygroundError as error:
            self.report(error, name)
            return
        image = self.prepare(image) if self.prepare else image
        self.result.pictures.append((label, shown(name), image))

    def report(self, error: PlaygroundError, name: str) -> None:
        self.result.problems.append(Problem.of(error, shown(name)))

    def spend(self, name: str, size: int = 0, pixels: int = 0) -> None:
        """Count what the file ``name`` takes, or refuse the whole upload at it."""
        self.bytes += size
        self.pixels += pixels
        if (
            self.bytes > MAX_UNPACKED
            or self.pixels > MAX_PIXELS_OF_MANY
            or len(self.result.pictures) == MAX_PICTURES
        ):
            raise PlaygroundError(
                N_(
                    "With {name} the upload becomes too large. Together at most {pictures} "
                    "pictures, {size} MB and {pixels} megapixels are allowed."
                ),
                name=shown(name),
                pictures=MAX_PICTURES,
                size=MAX_UNPACKED // 1_000_000,
                pixels=MAX_PIXELS_OF_MANY // 1_000_000,
            )


# --- One picture ------------------------------------------------------------------------


def _open(raw: bytes, name: str) -> Image.Image:
    """The picture with its size known and allowed, its pixels not yet decoded."""
    name = shown(name)
    if not raw:
        raise PlaygroundError(N_("{name} is empty."), name=name)
    if len(raw) > MAX_BYTES:
        raise PlaygroundError(
            N_("{name} is larger than {limit} MB."), name=name, limit=MAX_BYTES // 1_000_000
        )
    for kind, marks in UNREAD.items():
        if raw[4:8] == b"ftyp" and raw[8:12] in marks:
            raise PlaygroundError(
                N_("{name} is a {kind} photo. Save or share it as JPEG first."),
                name=name,
                kind=kind,
            )
    try:
        image = open_image(raw, FORMATS, MAX_PIXELS_OF_MANY)  # the limit follows
    except TooLargeError as error:
        raise _huge(name, MAX_PIXELS_WHOLE) from error
    except ImageError as error:
        raise PlaygroundError(
            N_("{name} is not a picture that can be read. Use JPEG, PNG, WebP, BMP or GIF."),
            name=name,
        ) from error
    whole = image.format not in ("JPEG", "MPO") or "progressive" in image.info
    limit = MAX_PIXELS_WHOLE if whole else MAX_PIXELS
    if image.width * image.height > limit or (
        image.format in ("JPEG", "MPO") and count_scans(raw) > MAX_SCANS
    ):
        raise _huge(name, limit)
    if image.width == 0 or image.height == 0:
        raise _damaged(name)
    return image


def _shrink(image: Image.Image, name: str, side: int) -> Image.Image:
    """Decode, reduce to ``side``, turn upright, lay on paper: an RGB picture."""
    try:
        return flat(image, side, spare=False)
    except Exception as error:  # as in _open: truncated or hostile pixels
        raise _damaged(shown(name)) from error


def count_scans(raw: bytes) -> int:
    """How many passes a JPEG has, up to its own end: a phone may hide a film behind that.

    Counts as the decoder reads: what stands between two segments is skipped. It stops at
    one more than is allowed, and a file of very many segments counts as that, too.
    """
    place, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(raw, place)
        if found is None or found[0] == b"\xff\xd9" or scans > MAX_SCANS:
            return scans
        place = found.end()
        if found[0] == b"\xff\xda":
            scans += 1
        else:
            place += max(int.from_bytes(raw[place : place + 2]), 2)
    return MAX_SCANS + 1


def _damaged(name: str) -> PlaygroundError:
    return PlaygroundError(N_("{name} is damaged or incomplete."), name=name)


def _huge(name: str, limit: int) -> PlaygroundError:
    return PlaygroundError(
        N_("{name} is too large to decode. Reduce it to at most {limit} megapixels."),
        name=name,
        limit=limit // 1_000_000,
    )


# --- An archive -------------------------------------------------------------------------


def _archive(raw: bytes, name: str) -> zipfile.ZipFile:
    if len(raw) > MAX_ZIP_BYTES:
        raise PlaygroundError(
            N_("{name} is larger than {limit} MB."), name=name, limit=MAX_ZIP_BYTES // 1_000_000
        )
    # Count the directory's entries before millions of objects are made of them.
    if raw.count(b"PK\x01\x02") > MAX_ENTRIES:
        raise PlaygroundError(
            N_("{name} holds more than {limit} files."), name=name, limit=MAX_ENTRIES
        )
    try:
        return zipfile.ZipFile(io.BytesIO(raw))
    except Exception as error:  # BadZipFile, and what broken directories raise besides
        raise PlaygroundError(
            N_("{name} is not a ZIP archive, or it is damaged."), name=name
        ) from error


def _path(info: zipfile.ZipInfo) -> str:
    """The entry's path with ``/`` and the letters that its author meant.

    An archive that does not say UTF-8 was read as code page 437. Most programs wrote
    UTF-8 all the same; a Polish Windows wrote code page 852.
    """
    path = info.filename
    if not info.flag_bits & 0x800:
        letters = path.encode("cp437", errors="replace")
        try:
            path = letters.decode("utf-8")
        except UnicodeDecodeError:
            path = letters.decode("cp852", errors="replace")
    return path.replace("\\", "/")


def _is_junk(parents: Sequence[str], file: str) -> bool:
    return (
        "__MACOSX" in parents
        or file.startswith("._")
        or file.casefold() in ("", ".ds_store", "thumbs.db", "desktop.ini")
    )


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str) -> bytes:
    """The entry's bytes, at most ``MAX_BYTES + 1`` of them, whatever size it declares.

    Raises:
        PlaygroundError: if the entry is damaged, empty, or an archive itself.
    """
    name = shown(path)
    # The other methods unpack without a bound: 4 kB of bzip2 can hold gigabytes.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PlaygroundError(
            N_(
                "{name} is packed with {method}, which cannot be read here. Pack it as an "
                "ordinary ZIP."
            ),
            name=name,
            method=METHODS.get(info.compress_type, f"no. {info.compress_type}"),
        )
    try:
        with archive.open(info) as file:
            data = file.read(MAX_BYTES + 1)
    except Exception as error:  # zlib.error, BadZipFile, EOFError, struct.error and others
        raise PlaygroundError(N_("{name} cannot be unpacked."), name=name) from error
    if not data:
        raise PlaygroundError(N_("{name} is empty."), name=name)
    if data.startswith(b"PK\x03\x04"):
        raise PlaygroundError(N_("{name} is an archive inside an archive."), name=name)
    return data
