"""Stored JSON of an earlier version of this program, brought up to date before it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Step = Callable[[dict[str, Any]], dict[str, Any]]
"""From the plain values of one version to those of the next."""


def upgraded(values: Mapping[str, Any], newest: int, steps: Mapping[int, Step]) -> dict[str, Any]:
    """Take plain ``values`` with a "version" through a step a version, up to the ``newest``.

    What has no version, a newer one, or one without a step stays as it is, for its reader
    to refuse.
    """
    found = dict(values)
    while type(found.get("version")) is int and found["version"] < newest:
        version = found["version"]
        if version not in steps:
            break
        found = {**steps[version](dict(found)), "version": version + 1}
    return found
