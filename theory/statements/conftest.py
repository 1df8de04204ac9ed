"""`pytest theory/statements`: a test for each claim, reading and twin of the paper."""

from theory.testing import pytest_collect_file  # noqa: F401
