"""How far long work is, on stderr: one line that is rewritten on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
import warnings
from typing import TextIO

REFRESH = 0.2  # seconds between redraws on a terminal
SPARSE = 10.0  # seconds between lines elsewhere
CLEARED = "\r\x1b[K"


class Progress:
    """A status line that begins with the program's name.

    total : steps there will be, None where nobody knows; the time left is said when some are done
    """

    def __init__(self, program: str, total: int | None = None, out: TextIO | None = None) -> None:
        self.program, self.total = program, total
        self.out = out or sys.stderr
        self.live = self.out is not None and self.out.isatty()
        self.began = time.monotonic()
        self.shown = -REFRESH if self.live else self.began  # on a terminal at once
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def at(self, done: float, what: str = "") -> None:
        """Shows that `done` of the total is done, and what is under way; not more often than a reader can follow, on a
        terminal at once."""
        now = time.monotonic()
        at_once = self.live and not self._drawn
        if not at_once and now - self.shown < (REFRESH if self.live else SPARSE):
            return
        self.shown = now
        words = f"{self.program}: {self._share(done)}{what}{self._left(done)}"
        if self.live:
            self._write(f"{CLEARED}{words}")
            self._drawn = True
        else:
            self._write(f"{words}\n")

    def line(self, text: str) -> None:
        """A line that stays, with the program's name before it."""
        self._write(f"{CLEARED if self._drawn else ''}{self.program}: {text}\n")
        self._drawn = False

    def close(self) -> None:
        """Takes the status line away."""
        if self._drawn:
            self._write(CLEARED)
            self._drawn = False

    def _share(self, done: float) -> str:
        return f"{done:g} of {self.total}, " if self.total is not None else ""

    def _left(self, done: float) -> str:
        elapsed = time.monotonic() - self.began
        if self.total is None or not 0 < done < self.total:
            return f", {duration(elapsed)}"
        return f", {duration(elapsed)}, {duration(elapsed * (self.total - done) / done)} left"

    def _write(self, text: str) -> None:
        if self.out is not None:
            self.out.write(text)
            self.out.flush()


def plain_warnings(program: str) -> None:
    """Every warning of this process becomes one line on stderr, without the place in the code."""

    def show(message: Warning | str, *place: object) -> None:
        sys.stderr.write(f"{program}: warning: {' '.join(str(message).split())}\n")

    warnings.showwarning = show  # type: ignore[assignment]


def duration(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
