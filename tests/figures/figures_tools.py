"""What the tests of figures share."""

from __future__ import annotations

from figures.plate import Settings

SMALL = Settings(grid=21, gap_grid=21, gammas=1, points=30)
