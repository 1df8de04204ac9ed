"""`pytest theory/l0_paper`: a test for each claim, reading and twin of the second paper."""

from theory.testing import pytest_collect_file  # noqa: F401
