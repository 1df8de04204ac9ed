"""`python -m training.studies.landscape`."""

from __future__ import annotations

import sys

from training.studies.landscape.command import main

if __name__ == "__main__":
    sys.exit(main())
