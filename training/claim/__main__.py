"""`python -m training.claim`."""

from __future__ import annotations

import sys

from training.claim.command import main

if __name__ == "__main__":
    sys.exit(main())
