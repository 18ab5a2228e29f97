"""The playground from a terminal: ``python -m playground train digits --epochs 2``."""

from __future__ import annotations

import sys

from playground.facade.terminal import main

if __name__ == "__main__":
    sys.exit(main())
