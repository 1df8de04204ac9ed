"""How every command of the project ends: one clear line and an exit status, never a traceback.

It loads nothing that takes long, so that it is there before anything that does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from support.leaving import act_last, terminated

BAD = 2
INTERRUPTED = 128 + signal.SIGINT
CLEARED, CURSOR = "\r\x1b[K", "\x1b[?25h"


def start(program: str, command: Callable[[], int]) -> NoReturn:
    """Runs a command as the whole of this process, for a `__main__`, and exits with the status of `guarded`.

    Ctrl-C ends the process where it is, with its line and status 130. It raises nothing: an exception would be lost in
    the callback of a library, or tear the import of one, and leaving as usual crashes some that are at work. A command
    that has something to save sets a handler of its own meanwhile. Worker processes end with this one
    (`support.workers`), and half-written files are removed, also when SIGTERM ends it.
    """
    interruptible(program)
    sys.exit(guarded(program, command))


def interruptible(program: str) -> None:
    """The first half of `start`, for a module that is run and that imports what takes long to load."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda number, frame: _leave(program))
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminated)


def guarded(program: str, command: Callable[[], int]) -> int:
    """The exit status of a command: its own; 2 for bad input, output that cannot be written, or too little memory
    (ValueError, OSError, MemoryError: one line on stderr); 130 when interrupted.

    A reader that has seen enough (`| head`) ends the command with 0, silently. Bad options end it through argparse's
    SystemExit, with status 2.
    """
    for stream in (sys.stdout, sys.stderr):
        # Under an encoding without the characters of a matrix or a table, show escapes rather than fail.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = command()
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _ended(INTERRUPTED, f"{program}: stopped")
    except BrokenPipeError:
        _drop(sys.stdout)
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _ended(BAD, f"{program}: {where}{error.strerror or error}")
    except ValueError as error:
        return _ended(BAD, f"{program}: {error}")
    except MemoryError as error:
        return _ended(
            BAD, f"{program}: there is not enough memory{f' ({error})' if str(error) else ''}: ask for less"
        )


def _ended(status: int, line: str) -> int:
    """The status. What was printed before is shown before the line that says why there is no more."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _drop(sys.stdout)
    _say(line)
    return status


def _say(line: str) -> None:
    """One line on stderr, where somebody still reads it."""
    try:
        if sys.stderr is not None:
            print(" ".join(line.split()), file=sys.stderr, flush=True)
    except OSError:
        _drop(sys.stderr)


def _drop(stream: object) -> None:
    """What is left in a stream's buffer goes nowhere, or its flush at exit would fail once more."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return  # it has no descriptor that a flush could fail on


def _leave(program: str) -> NoReturn:
    """In the handler of Ctrl-C: nothing but what is safe in the midst of anything."""
    act_last()
    with suppress(OSError):  # nobody reads it
        # A status line or a progress bar may be there, with the cursor hidden.
        os.write(2, f"{CLEARED + CURSOR if os.isatty(2) else ''}{program}: stopped\n".encode())
    os._exit(INTERRUPTED)
