"""The numbers that the commands of `training` take, fractions such as `8/255` among them."""

from __future__ import annotations

import re
from fractions import Fraction

from support.options import BadValue

MOST_PARALLEL = 1024  # OpenMP ends the process where it cannot make as many threads as it is told
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


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


def seeds(text: str) -> int:
    """A number of seeds, each of them a run. Raises: BadValue for less than 1 and more than 10,000."""
    return _integer(text, 1, 10_000)


def part(text: str) -> tuple[int, int]:
    """(i, n) of `i/n`, the i-th of n parts, counted from 1. Raises: BadValue for anything else, such as 0/4 and 3/2."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise BadValue(
            f"{text!r} is no part; write i/n with i from 1 to n, such as 2/4 for the second of four"
        )
    return int(found[1]), int(found[2])


def parallel(text: str) -> int:
    """A number of threads or processes. Raises: BadValue for less than 1 and for more than any machine of use has."""
    return _integer(text, 1, MOST_PARALLEL)


def device(text: str) -> str:
    """The name of a device. Raises: BadValue for an empty one."""
    if not text.strip():
        raise BadValue("'' is no device; write cpu, cuda or cuda:1")
    return text


def _integer(text: str, least: int, most: int | None = None) -> int:
    if not re.fullmatch(r"[+-]?\d{1,18}", text.strip()) or int(text) < least:
        raise BadValue(f"{text!r} is not an integer of at least {least}")
    if most is not None and int(text) > most:
        raise BadValue(f"{text!r} is more than {most}; give fewer")
    return int(text)
