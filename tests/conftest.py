"""Settings for every property test: the same examples on each run; HYPOTHESIS_PROFILE=explore draws new ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "repeatable", max_examples=40, derandomize=True, deadline=None, database=None, suppress_health_check=SLOW
)
settings.register_profile("explore", max_examples=1000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
