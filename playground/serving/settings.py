"""The environment's settings, looked at before anything depends on them."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

SECONDS: Final = (
    *("PLAYGROUND_PAUSE_AFTER", "PLAYGROUND_STOP_AFTER"),
    *("PLAYGROUND_FORGET_AFTER", "PLAYGROUND_SILENT_AFTER"),
)
COUNTS: Final = {
    "PLAYGROUND_MEMORY": "a whole number of MB, such as 2000",
    "PLAYGROUND_RAY_CORES": "a whole number of cores, such as 4",
}
FILES: Final = 65_536  # as many as thousands of students need


def wrong(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each setting that cannot be."""
    found = []
    for name in SECONDS:
        if name in environment and not _seconds(environment[name]):
            found.append(_sentence(name, environment, "a number of seconds, such as 60"))
    for name, wanted in COUNTS.items():
        said = environment.get(name, "")
        if said and not (said.isascii() and said.isdecimal() and int(said)):
            found.append(_sentence(name, environment, wanted))
    if address := environment.get("PLAYGROUND_DATABASE"):
        try:
            sa.create_engine(address).dispose()  # asks for its driver, not for the database
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError, ValueError) as error:
            # Without the address: it may hold a password.
            found.append(
                "PLAYGROUND_DATABASE is no address of a database that can be used "
                f"({type(error).__name__}). "
                "It has to be like postgresql+psycopg://user@host/name or sqlite:///folder/file.db."
            )
    return found


def check() -> None:
    """End the program with a sentence if a setting cannot be."""
    if found := wrong(os.environ):
        raise SystemExit("\n".join(found))


def open_files() -> int | None:
    """As many open files as the system lets this process have; how many. None: not known here.

    A page takes about four connections, so the usual limit of 1,024 is some 250 pages.
    """
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def _seconds(said: str) -> bool:
    try:
        value = float(said)
    except ValueError:
        return False
    return math.isfinite(value) and value > 0


def _sentence(name: str, environment: Mapping[str, str], wanted: str) -> str:
    return f"{name} is {environment[name][:80]!r}. It has to be {wanted}."


__all__ = ["check", "open_files", "wrong"]
