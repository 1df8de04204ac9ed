"""`python -m training.studies.bench`."""

from __future__ import annotations

import sys

from training.studies.bench.command import main

if __name__ == "__main__":
    sys.exit(main())
