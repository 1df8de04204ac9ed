"""How every command line of the project ends: one clear line and an exit status, never a traceback.

Standard library only, so that it is there before anything that takes long to load.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


def guarded(program: str, command: Callable[[], int]) -> int:
    """The exit status of a command: its own, 2 for bad input or output that cannot be written, 130 when interrupted.

    A reader that has seen enough (`| head`) ends the command with 0, silently. Bad options end it through argparse's
    SystemExit, with status 2.
    """
    for stream in (sys.stdout, sys.stderr):
        # Under an encoding without the characters of a matrix or a table, show escapes rather than fail.
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return command()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{program}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        print(f"{program}: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"{program}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _drop_output() -> None:
    """What is left in stdout's buffer goes nowhere, or its flush at exit would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
