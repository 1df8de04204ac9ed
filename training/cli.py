"""What the commands of `training` are built from: one-line errors with exit status 2, fractions such as `8/255`, and
how a command ends.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, NoReturn

LOOKS_NUMERIC = re.compile(r"^-(\d|\.\d)")  # -8/255 and -.5 too: a value, never a bundle of short options
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


class BadValue(argparse.ArgumentTypeError, ValueError):
    """A refused value: argparse shows its message, and Python callers catch it as a ValueError."""


class CommandParser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line on stderr with exit status 2. A value may be a negative number or
    fraction, options are not abbreviated, and an unknown option is answered with the nearest known one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = LOOKS_NUMERIC

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        parsed, rest = self.parse_known_args(args, namespace)
        if rest:
            near = get_close_matches(rest[0].partition("=")[0], self._option_string_actions, n=1)
            self.error(
                f"unrecognized arguments: {' '.join(rest)}" + (f"; did you mean {near[0]}?" if near else "")
            )
        return parsed

    def error(self, message: str) -> NoReturn:
        """Print `prog: message` on one line of stderr and exit with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


def fraction(text: str) -> float:
    """The float nearest to `8/255`, `0.031`, `-3` or `1e-3`.

    Raises: BadValue for words, nan, inf and a zero denominator.
    """
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 2 or not all(NUMBER.fullmatch(part) for part in parts):
        raise BadValue(f"{text!r} is not a number; write a decimal such as 0.031 or a fraction such as 8/255")
    if len(parts) == 2 and Fraction(parts[1]) == 0:
        raise BadValue(f"{text!r} divides by zero; give a nonzero denominator")
    try:
        return float(Fraction(parts[0]) / Fraction(parts[1] if len(parts) == 2 else 1))
    except OverflowError:
        raise BadValue(f"{text!r} is too large for a float; give a smaller number") from None


def radius(text: str) -> float:
    """A perturbation radius as a fraction of the pixel range, above 0 and below 1.

    Raises: BadValue for anything else, 8 among it: that is 8/255.
    """
    value = fraction(text)
    if not 0 < value < 1:
        raise BadValue(
            f"{text!r} is no fraction of the pixel range in (0, 1); write 8/255 for eight grey levels"
        )
    return value


def count(text: str) -> int:
    """An integer of at least 0.

    Raises: BadValue for anything else.
    """
    return _integer(text, 0)


def positive(text: str) -> int:
    """An integer of at least 1.

    Raises: BadValue for anything else.
    """
    return _integer(text, 1)


def guarded(program: str, command: Callable[[], int]) -> int:
    """The exit status of a command: its own, 2 for bad input or output that cannot be written (ValueError, OSError:
    one line on stderr), 130 when interrupted, 0 when the reader of its output has seen enough (`| head`)."""
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{program}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _drop_output()
        return 0
    except OSError as error:
        _flush_or_drop()
        where = f"{error.filename}: " if error.filename else ""
        print(f"{program}: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"{program}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _integer(text: str, least: int) -> int:
    if not re.fullmatch(r"[+-]?\d{1,18}", text.strip()) or int(text) < least:
        raise BadValue(f"{text!r} is not an integer of at least {least}")
    return int(text)


def _flush_or_drop() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    """What is left in stdout's buffer goes nowhere, or its flush at exit would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
