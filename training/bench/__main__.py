"""`python -m training.bench`."""

from __future__ import annotations

import sys

from training.bench.command import main

if __name__ == "__main__":
    sys.exit(main())
