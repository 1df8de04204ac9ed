"""The time that `python -m theory check` may take, and what it says meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 120.0  # by default
PATIENCE = 0.1  # seconds between two words of progress


class Clock:
    """A budget of time. tell : called with what is being done, at most every PATIENCE seconds."""

    def __init__(self, seconds: float, tell: Callable[[str], None] | None = None) -> None:
        if not seconds > 0:
            raise ValueError(f"seconds = {seconds}; the time for the analysis must be > 0: pass 120, say")
        self.seconds, self.tell = seconds, tell
        self.started = self.told = time.monotonic()

    def step(self, doing: str) -> None:
        """To be called before each piece of work. Raises: ValueError when the time is used up."""
        now = time.monotonic()
        if now - self.started > self.seconds:
            raise ValueError(
                f"seconds = {self.seconds:g} are used up, {doing}: allow more, or pass a loss with fewer operations "
                "or fewer inputs"
            )
        if self.tell is not None and now - self.told > PATIENCE:
            self.told = now
            self.tell(doing)
