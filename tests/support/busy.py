"""What the tests of workers have done in workers, defined where a fresh interpreter finds it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def square(number: int) -> int:
    return number * number


def say_and_square(number: int, say: Callable[[Any], None]) -> int:
    for step in range(number):
        say(step)
    return number * number


def where(_: object) -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("ONLY_THERE")


def fail(number: int) -> int:
    if number == 2:
        raise KeyError(f"number {number}")
    return number


def unpicklable(_: object) -> object:
    return lambda: None


def be_killed(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return number


def be_killed_while_it_speaks(number: int, say: Callable[[Any], None]) -> int:
    for _ in range(20):
        say("x" * 100_000)
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def leave(_: object) -> None:
    os._exit(3)


def note_and_sleep(folder: str) -> None:
    """Leaves its number in the folder and stays."""
    (Path(folder) / f"{os.getpid()}.pid").write_text("", encoding="utf-8")
    time.sleep(600)


def compute_for_long(folder: str) -> None:
    """As `note_and_sleep`, in one call that lets no other thread of its process run."""
    (Path(folder) / f"{os.getpid()}.pid").write_text("", encoding="utf-8")
    pow(7, 10**9)


def save_when_told(folder: str, say: Callable[[Any], None]) -> None:
    """Notes SIGTERM and leaves a file a moment later, as a run that saves itself."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    (Path(folder) / f"{os.getpid()}.pid").write_text("", encoding="utf-8")
    while not told:
        time.sleep(0.01)
        say("working")
    time.sleep(0.3)
    (Path(folder) / f"{os.getpid()}.saved").write_text("", encoding="utf-8")


def fail_or_die(number: int) -> int:
    """The number of its process; 1 is killed, 2 fails."""
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    fail(number)
    return os.getpid()
