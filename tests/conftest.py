"""Settings for every test: property tests draw the same examples on each run, HYPOTHESIS_PROFILE=explore new ones, and
torch computes on one thread, so that its sums do not depend on the machine and workers do not crowd each other out."""

from __future__ import annotations

import os
import sys
import warnings

import pytest
from hypothesis import HealthCheck, settings

# What a person's shell asks of output and of warnings is no part of what is tested.
for asked in (
    "FORCE_COLOR",
    "NO_COLOR",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "COLUMNS",
    "LINES",
    "PYTHONWARNINGS",
):
    os.environ.pop(asked, None)

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "repeatable", max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=SLOW
)
settings.register_profile("explore", max_examples=1000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_configure() -> None:
    if sys.warnoptions:
        sys.warnoptions.clear()
        warnings.resetwarnings()
        for hidden in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", hidden)


@pytest.fixture(autouse=True)
def one_thread():
    torch = sys.modules.get("torch")  # most tests do without it
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The folder in which decoded images are kept meanwhile, empty at first."""
    monkeypatch.setenv("SMOOTHNESS_AT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
