"""The one reader of the JSON files that the project writes: whatever lies there instead is refused with the file, the
line, the field, and what is required.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from support.json_places import Place, line_of
from support.shapes import Misfit, Shape, fit

MOST_BYTES = 1 << 28  # of a file of ours: the largest have some megabytes
DEEPEST = 50  # brackets within brackets: ours have ten
UTF16 = (b"\xff\xfe", b"\xfe\xff")  # what a file in UTF-16 begins with
DIGITS = 20  # and no more has an integer of ours, which fit 64 bits
# What a check of a content that is not ours may stumble over.
STUMBLES = (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


def read_json(
    path: Path,
    shape: Shape = object,
    *,
    check: Callable[[Any], None] = lambda content: None,
    remedy: str = "",
) -> Any:
    """The content of a JSON file of a shape, that passes a check (which raises ValueError, a Misfit to say where).

    remedy : what to do about another content, such as "write it again with `python -m theory report`"

    Raises: FileNotFoundError; ValueError `<path>, line 3: [0].id is missing: <remedy>` for any other content.
    """
    text = ""
    try:
        text = decoded(read_bytes(path))
        return checked(parsed(text), shape, check)
    except Misfit as wrong:
        line = f", line {line_of(text, wrong.place)}" if wrong.place else ""
        raise ValueError(_sentence(f"{path}{line}", str(wrong), remedy)) from None
    except ValueError as wrong:
        raise ValueError(_sentence(str(path), str(wrong), remedy)) from None


def checked(content: Any, shape: Shape, check: Callable[[Any], None]) -> Any:
    """The content, where it has the shape and passes the check.

    Raises: ValueError, a Misfit where the place is known.
    """
    fit(content, shape)
    try:
        check(content)
    except STUMBLES as stumbled:
        raise ValueError(f"is of another shape ({type(stumbled).__name__}: {stumbled})") from None
    return content


@contextmanager
def regular(path: Path, most: int = MOST_BYTES) -> Iterator[BinaryIO]:
    """A regular file of at most that many bytes, open for reading.

    Raises: FileNotFoundError, PermissionError, ...; ValueError, without the path, for a larger one, and for a pipe or a
    device, which might never end.
    """
    # Without O_NONBLOCK the opening of a pipe would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise ValueError("is a folder" if stat.S_ISDIR(about.st_mode) else "is no regular file")
    with os.fdopen(descriptor, "rb") as file:
        if about.st_size > most:
            raise ValueError(f"has {about.st_size:,} bytes, at most {most:,} are read")
        yield file


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """What a `regular` file holds; raises as that does."""
    with regular(path, most) as file:
        return file.read()


def decoded(content: bytes) -> str:
    """UTF-8 as text. Raises: ValueError that says which byte is none."""
    if content[:2] in UTF16:
        raise ValueError("is written in UTF-16, need UTF-8")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"is no text in UTF-8 ({error.reason} at byte {error.start})") from None


def parsed(text: str) -> Any:
    """JSON of a moderate depth, of finite numbers of ordinary size, of characters that can be written again.

    Raises: ValueError, a Misfit where the place is known.
    """
    try:
        content = json.loads(text, parse_int=_integer, object_pairs_hook=_each_once)
    except RecursionError:
        raise ValueError(f"is nested more than {DEEPEST} deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"is no JSON ({error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno})"
        ) from None
    for value, place in _values(content):
        if isinstance(value, float) and not math.isfinite(value):
            raise Misfit(f"= {value!r}, need a finite number", place)
    return content


def _values(content: Any) -> Iterator[tuple[Any, Place]]:
    """Every value with its place. Raises: Misfit for one that lies too deep, or text that cannot be written."""
    todo: list[tuple[Any, Place]] = [(content, ())]
    while todo:
        value, place = todo.pop()
        if len(place) > DEEPEST:
            raise Misfit(f"is nested more than {DEEPEST} deep", place[:3])
        yield value, place
        if isinstance(value, list):
            todo += [(one, (*place, number)) for number, one in enumerate(value)]
        elif isinstance(value, dict):
            for name in value:
                _require_text(name, place)
            todo += [(one, (*place, name)) for name, one in value.items()]
        elif isinstance(value, str):
            _require_text(value, place)


def _require_text(text: str, place: Place) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misfit("holds half a character (a lone surrogate)", place) from None


def _integer(text: str) -> int | float:
    """One of more than 64 bits is as good as a float, and no count of ours."""
    return int(text) if len(text) < DIGITS else float(text)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"holds the field {twice[:60]!r} twice in one object")
    return found


def _sentence(where: str, what: str, remedy: str) -> str:
    joint = ": " if what[:1] in "[." or not what.startswith(("is ", "has ", "holds ", "= ")) else " "
    return f"{where}{joint}{what}{f': {remedy}' if remedy else ''}"
