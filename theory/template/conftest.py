"""`pytest` in this folder checks every claim and its other readings, and that each false twin is refuted."""

from theory.testing import pytest_collect_file  # noqa: F401
