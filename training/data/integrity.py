"""Holds files against their known digests: a name such as "CIFAR-10" stands only on those that have them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

# Told what is being done, how much of it is done, and how much there is (0 where that is not known).
Progress = Callable[[str, int, int], None]

ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}  # by the number of hexadecimal digits


class DataError(ValueError):
    """A data set that cannot be read: one line that names the file, what is wrong with it and what to do."""


def require_known(path: Path, expected: str, content: bytes | None = None) -> str:
    """`md5 c58f...`, the digest of a file, where it is the expected one.

    `path`: of the file; `content`: its bytes, or those it unpacks to, where they are at hand. `expected`: hexadecimal
    digits of an md5, sha1 or sha256. An md5 tells a damaged or another file from the published one; it does not
    withstand a forger.

    Raises: DataError where the digest is another one, or the file cannot be read.
    """
    algorithm = ALGORITHMS[len(expected)]
    found = file_digest(path, algorithm) if content is None else hashlib.new(algorithm, content).hexdigest()
    if found != expected:
        raise DataError(
            f"{path}: its {algorithm} is {found}, that of the published file is {expected}: it is damaged, cut short"
            " or another file; remove it and fetch it again"
        )
    return f"{algorithm} {found}"


def file_digest(path: Path, algorithm: str) -> str:
    """Hexadecimal digest of a file's bytes, read piece by piece."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, algorithm).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: {reason(error)}; make the file readable") from error


def file_content(path: Path, most: int | None = None) -> bytes:
    """The bytes of a file. Raises: DataError where it cannot be read, and where it has more than `most`."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if most is not None and size > most:
                raise DataError(f"{path}: has {size} bytes, more than the {most} that are read; remove it")
            return stream.read()
    except OSError as error:
        raise DataError(f"{path}: {reason(error)}; make the file readable") from error


def reason(error: BaseException) -> str:
    """The first line of what another library says went wrong, for a message of one line, without addresses."""
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    said = re.sub(r"\s*<[^<>]* at 0x[0-9a-fA-F]+>", "", lines[0]).rstrip(": ") if lines else ""
    return said or type(error).__name__
