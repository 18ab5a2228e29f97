from __future__ import annotations

import errno
import gzip
import hashlib
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision.datasets import MNIST

from playground.data import mnist
from playground.data.dataset import Examples
from playground.data.mnist import MnistError

TRAIN, TEST = 30, 10  # how many digits the tests' own "full" set has


def idx(array: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """The bytes of an IDX file, MNIST's format: a magic number, the sizes, the values."""
    return struct.pack(f">I{array.ndim}I", 0x0800 | array.ndim, *array.shape) + array.tobytes()


def contents() -> dict[str, bytes]:
    """Unpacked files of a tiny set in MNIST's format."""
    rng = np.random.default_rng(0)
    files = {}
    for part, n in (("train", TRAIN), ("t10k", TEST)):
        files[f"{part}-images-idx3-ubyte"] = idx(rng.integers(0, 256, (n, 28, 28), np.uint8))
        files[f"{part}-labels-idx1-ubyte"] = idx((np.arange(n) % 10).astype(np.uint8))
    return files


FILES = contents()
PACKED = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in FILES.items()}


def write(folder: Path, files: dict[str, bytes]) -> None:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (raw / name).write_bytes(data)


def tree(folder: Path) -> dict[str, bytes]:
    """Everything that lies in ``folder``."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(autouse=True)
def _tiny_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes and checksums of the real files, replaced by those of the tiny ones."""
    monkeypatch.setattr(mnist, "_UNPACKED", {name: len(data) for name, data in FILES.items()})
    sums = [(name, hashlib.md5(data).hexdigest()) for name, data in PACKED.items()]
    monkeypatch.setattr(MNIST, "resources", sums)

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a test tried to reach the network")

    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", lambda url, *_, **__: url)
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", no_network)


def test_the_folder_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, data_folder: Path
) -> None:
    assert mnist.folder() == data_folder
    monkeypatch.delenv("PLAYGROUND_DATA")
    assert mnist.folder() == Path("data")
    monkeypatch.setenv("PLAYGROUND_DATA", "")
    assert mnist.folder() == Path("data")


def test_a_computer_that_never_downloaded_has_5000_real_digits(data_folder: Path) -> None:
    assert mnist.best_source() == "small"
    train, test = mnist.load("small", data_folder)
    assert train.inputs.shape == (4500, 28, 28)
    assert test.inputs.shape == (500, 28, 28)
    assert train.inputs.dtype == torch.uint8
    assert train.targets.dtype == torch.int64
    together = train + test
    assert torch.bincount(together.targets).tolist() == [500] * 10
    assert torch.bincount(test.targets).min() > 30  # shuffled: every class is in the test
    assert together.inputs.max() == 255
    assert mnist.load("small", data_folder)[0] is train  # one copy for all sessions


def test_two_who_come_first_at_once_read_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings, both = [], threading.Barrier(2)
    read = mnist.read_idx

    def slowly(where: Path) -> tuple[Examples, Examples]:
        readings.append(where)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.3)  # for a second reader, who must not come
        return read(where)

    write(tmp_path, FILES)
    monkeypatch.setattr(mnist, "read_idx", slowly)
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(mnist.load, ["full"] * 2, [tmp_path] * 2)
    assert one is other
    assert readings == [tmp_path]


@pytest.mark.parametrize("files", [FILES, PACKED], ids=["unpacked", "gz alone"])
def test_the_full_set_is_read_from_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]
) -> None:
    write(tmp_path, files)
    before = tree(tmp_path)
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    assert mnist.best_source() == "full"
    train, test = mnist.load("full", tmp_path)
    assert train.inputs.shape == (TRAIN, 28, 28)
    assert test.targets.tolist() == [*range(10)]
    pixels = np.frombuffer(FILES["t10k-images-idx3-ubyte"][16:], np.uint8).reshape(TEST, 28, 28)
    assert np.array_equal(test.inputs.numpy(), pixels)
    assert tree(tmp_path) == before  # the folder may be read-only, so nothing is written


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("damage", ["missing", "half", "changed"])
def test_a_damaged_file_is_no_full_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: str
) -> None:
    files = dict(PACKED)
    if damage == "missing":
        del files[name]
    else:
        files[name] = files[name][: len(files[name]) // 2] + (
            b"x" * (len(files[name]) // 2) if damage == "changed" else b""
        )
    write(tmp_path, files)
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    assert mnist.best_source() == "small"
    with pytest.raises(MnistError, match="Download it again"):
        mnist.load("full", tmp_path)


def test_an_unpacked_file_of_the_right_size_may_be_damaged_too(tmp_path: Path) -> None:
    # What a computer that was switched off while it wrote may leave: zeros.
    write(tmp_path, {name: bytes(len(data)) for name, data in FILES.items()})
    with pytest.raises(MnistError):
        mnist.load("full", tmp_path)


def test_an_empty_folder_has_no_full_set(tmp_path: Path) -> None:
    with pytest.raises(MnistError, match="not in"):
        mnist.load("full", tmp_path / "nowhere")


Serve = Callable[[dict[str, bytes | Exception]], None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Decide what "the network" answers to torchvision's own downloader, file by file."""

    def answer(files: dict[str, bytes | Exception]) -> None:
        def retrieve(url: str, filename: str | Path, *_: object, **__: object) -> None:
            data = files[url.rsplit("/", 1)[1]]
            if isinstance(data, Exception):
                raise data
            Path(filename).write_bytes(data)

        monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", retrieve)

    return answer


def test_fetching_puts_the_set_in_place(tmp_path: Path, serve: Serve) -> None:
    serve({**PACKED})
    folder = tmp_path / "new" / "data"
    with pytest.raises(MnistError):
        mnist.load("full", folder)
    shares: list[float] = []
    mnist.fetch(folder, shares.append)
    assert shares[-1] == 1.0
    assert all(0 <= share <= 1 for share in shares)
    assert tree(folder) == {f"MNIST/raw/{name}": data for name, data in FILES.items()}
    assert len(mnist.load("full", folder)[0]) == TRAIN


LAST = [*PACKED][-1]


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (URLError("Name or service not known"), "Check the internet connection and try again"),
        (
            ConnectionResetError(errno.ECONNRESET, "Connection reset"),
            "Check the internet connection",
        ),
        (TimeoutError("timed out"), "Check the internet connection"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot write"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot write"),
        (PACKED[LAST][:-5], "could not be downloaded"),
        (b"<html>Please sign in to the school's network</html>", "could not be downloaded"),
        (b"", "could not be downloaded"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_said_and_leaves_what_was_there(
    tmp_path: Path, serve: Serve, trouble: Exception | bytes, says: str
) -> None:
    write(tmp_path, {"train-images-idx3-ubyte.gz": b"half of"})
    (tmp_path / "own.csv").write_text("mine")
    before = tree(tmp_path)
    serve({**PACKED, LAST: trouble})
    with pytest.raises(MnistError, match=says):
        mnist.fetch(tmp_path)
    assert tree(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    serve({**PACKED})  # a later try repairs it
    mnist.fetch(tmp_path)
    assert len(mnist.load("full", tmp_path)[1]) == TEST
    assert (tmp_path / "own.csv").read_text() == "mine"


def test_a_file_in_the_way_is_said(tmp_path: Path, serve: Serve) -> None:
    serve({**PACKED})
    (tmp_path / "data").write_text("a file")
    with pytest.raises(MnistError):
        mnist.fetch(tmp_path / "data")
    assert (tmp_path / "data").read_text() == "a file"
