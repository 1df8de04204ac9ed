"""SIGTERM and Ctrl-C end a run where its state is whole, so that it is saved before it leaves."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """The run was asked to leave. No Exception, so that nothing on the way takes it for an error of its own.

    at_once : it was raised in the middle of anything, such as a step: what is in memory is torn and not to be saved
    """

    def __init__(self, number: int, *, at_once: bool = False) -> None:
        how = " at once, what was not saved by then is lost" if at_once else ""
        super().__init__(f"stopped by {signal.Signals(number).name}{how}")
        self.number, self.at_once = number, at_once

    @property
    def status(self) -> int:
        """The exit status by convention: 143 for SIGTERM, 130 for Ctrl-C."""
        return 128 + self.number


class Stop:
    """While entered, the signals are noted; `check` raises Stopped, and so do they at once inside `anywhere`.

    A Ctrl-C after a signal does not wait: it raises Stopped `at_once`, wherever the program is. Outside the main
    thread, where no handler can be set, nothing is noted.
    """

    def __init__(self) -> None:
        self._number = 0
        self._anywhere = False
        self._at_once = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                # Ctrl-C stays ignored where it was, as in the worker of a process that handles it.
                number: signal.signal(number, self._note)
                for number in SIGNALS
                if signal.getsignal(number) is not signal.SIG_IGN
            }
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def check(self) -> None:
        """Raises: Stopped if a signal has come."""
        if self._number:
            raise Stopped(self._number, at_once=self._at_once)

    @contextmanager
    def anywhere(self) -> Iterator[None]:
        """Inside, a signal raises Stopped wherever the program is: for work that leaves nothing torn."""
        self.check()
        self._anywhere = True
        try:
            yield
        finally:
            self._anywhere = False
        self.check()

    def _note(self, number: int, frame: FrameType | None) -> None:
        # Remembered, so that what is torn stays unsaved even where somebody swallowed the exception on the way.
        self._at_once = self._at_once or (bool(self._number) and number == signal.SIGINT)
        self._number = self._number or number
        if self._anywhere or self._at_once:
            self._anywhere = False
            raise Stopped(self._number, at_once=self._at_once)
