"""`python -m training.studies.acceleration`."""

from __future__ import annotations

import sys

from training.studies.acceleration.command import main

if __name__ == "__main__":
    sys.exit(main())
