"""What a process does last when a signal ends it in the midst of anything: half-written files and workers go."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_last_acts: list[Callable[[], None]] = []


@contextmanager
def last_act(act: Callable[[], None]) -> Iterator[None]:
    """Inside, a signal that ends the process calls `act` first: short, and such that it may come at any moment."""
    _last_acts.append(act)
    try:
        yield
    finally:
        _last_acts.remove(act)


def act_last() -> None:
    """Every last act, the latest first; one that fails does not keep the others from theirs."""
    for act in reversed(_last_acts):
        try:
            act()
        except OSError:
            continue


def terminated(number: int, frame: FrameType | None) -> NoReturn:
    """A handler for SIGTERM: the last acts, then the end that the signal has by itself."""
    act_last()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # where the signal is blocked
