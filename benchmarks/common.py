"""What every benchmark prints about its conditions, and where people's data comes from."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
# Before torch, as in the app: the package sets how torch's threads wait.
import playground  # noqa: F401

# isort: split
import torch


def conditions() -> str:
    """Machine, versions and load, in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "?"
    python = platform.python_version()
    return f"{cpu}, {os.cpu_count()} cores, load {load}, Python {python}, torch {torch.__version__}"


def spread(values: Sequence[float], digits: int = 4) -> str:
    """Median, least and most, and how many."""
    low, high = min(values), max(values)
    middle = statistics.median(values)
    return f"median {middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}, n={len(values)})"
