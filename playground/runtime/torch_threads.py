"""How many processor threads torch uses, for one thread of this program at a time.

``torch.set_num_threads`` is meant for a program that trains one network. Here many train
side by side, each with the count that its recipe records, because float sums depend on it.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch

SCRIPT: Final = "ScriptRunner."  # how Streamlit calls the threads of pages' scripts
PATIENCE: Final = 10.0
M_ARENA_MAX: Final = -8  # from glibc's malloc.h

_guarded: Final = threading.Lock()
_guards: Final[list[threading.Thread]] = []


def use(count: int) -> None:
    """Let the calling thread, and no other, compute with ``count`` processor threads.

    Torch keeps one count for each thread that has computed already, a second one for
    those that come later, and Intel's MKL, which multiplies its matrices, one for the whole
    program. The first is set to ``count``, the second stays 1, and MKL gets one a thread:
    else the gradients of a run with two threads change in the last digit when a run with
    one starts beside it.
    """
    if torch.get_num_threads() != count:
        # Only then: setting it, even to what it is, empties torch's cache of convolutions.
        torch.set_num_threads(count)
        default_to_one()
    if _mkl_local is not None:
        _mkl_local(count)


def default_to_one() -> None:
    """Threads that have not computed yet will do so with one processor thread.

    A pool of helper threads beyond the one that trains would halve the training: with more of
    them than cores, GNU's OpenMP lets none wait actively (``gomp_managed_threads`` in its
    ``config/linux/wait.h``).
    """
    # Setting the default sets the caller's own count too, so the caller is a throw-away.
    thread = threading.Thread(target=torch.set_num_threads, args=(1,))
    thread.start()
    thread.join()


def share_heaps(count: int = 2) -> bool:
    """Let all threads of the program take their memory from ``count`` heaps; False: not glibc.

    Each page is drawn by a thread of its own, and glibc would serve them from up to eight heaps a
    core, which hardly ever give anything back: hours of coming and going looked like a leak.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    return bool(mallopt is not None and mallopt(M_ARENA_MAX, count))


def end_after_scripts() -> None:
    """Let the program end only when no page's script computes any more; the first call counts.

    Streamlit's script threads are daemons, for which Python does not wait: one that comes back
    from torch while the interpreter goes down is unwound through C++ code, and the process
    aborts ("terminate called without an active exception"). So a thread for which Python does
    wait joins them, for at most ``PATIENCE`` seconds each: they have been told to stop.
    """
    with _guarded:
        if not _guards:
            _guards.append(threading.Thread(target=_outlast, name="last", daemon=False))
            _guards[0].start()


def _outlast() -> None:
    main = threading.main_thread()
    while main.is_alive():
        time.sleep(0.2)
    for thread in threading.enumerate():
        if thread.daemon and thread.name.startswith(SCRIPT):
            thread.join(PATIENCE)


def _find_mkl_local() -> Callable[[int], object] | None:
    """MKL's own function for one thread's count; None where torch has no MKL (ARM)."""
    if not torch.backends.mkl.is_available():
        return None
    folder = Path(torch.__file__).parent / "lib"
    for name in ("libtorch_cpu.so", "libtorch_cpu.dylib", "torch_cpu.dll"):
        if (folder / name).exists():
            return getattr(ctypes.CDLL(str(folder / name)), "MKL_Set_Num_Threads_Local", None)
    return None


_mkl_local: Final = _find_mkl_local()

__all__ = ["default_to_one", "end_after_scripts", "share_heaps", "use"]
