"""Appends records to a file of JSON lines, one a finished run, and reads them back; two processes may append at once.
What a record holds stands in `record`, where it was made in `provenance`.
"""

from __future__ import annotations

import fcntl
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from support.files import changing
from support.own_files import UTF16, checked, decoded, parsed, regular
from support.shapes import Misfit, fit
from training.cells.recipes import recipe
from training.results.landscape_record import validate_landscape
from training.results.provenance import provenance
from training.results.record import Record, validate

__all__ = [
    "Record",
    "append",
    "current",
    "find",
    "merge",
    "provenance",
    "read",
    "validate",
    "validate_landscape",
]


def append(path: Path, record: Mapping[str, Any], check: Callable[[Any], None] | None = None) -> None:
    """Adds one record to a file of JSON lines, made where it is missing, wholly or not at all.

    On return the line is on the disk. Two processes may append to one file. A half-written last line, left by a
    process that was killed, is moved to `<path>.torn`.

    check : raises ValueError for a bad record; default `validate`, another one for records of another kind

    Raises: ValueError for a bad record, before anything is written; OSError where the file cannot be written.
    """
    (check or validate)(record)
    line = json.dumps(record, allow_nan=False, ensure_ascii=False).encode() + b"\n"
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with _locked(path) as file:
        _mend_tail(path, file)
        end = file.seek(0, os.SEEK_END)
        try:
            _write_all(file, line)
            os.fsync(file.fileno())
        except OSError as error:
            os.ftruncate(file.fileno(), end)
            raise OSError(error.errno, error.strerror, str(path)) from error
    if new:
        _fsync_folder(path.parent)


def read(path: Path, check: Callable[[Any], None] | None = None) -> list[Record]:
    """The records of a file in the order they were written.

    A last line without its end, which a killed process leaves, is skipped with a warning if it is no whole record.

    Raises: FileNotFoundError; ValueError naming the file and the line for anything else that is no valid record.
    """
    path = Path(path)
    try:
        with regular(path) as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            content = file.read()
        if content[:2] in UTF16:  # its lines end elsewhere
            decoded(content)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None
    *lines, tail = content.split(b"\n")
    found = []
    for number, line in enumerate([*lines, tail], start=1):
        if not line.strip():
            continue
        try:
            record = _parsed(line)
        except ValueError as error:
            if number <= len(lines) or isinstance(error, Misfit):
                raise ValueError(f"{path}, line {number}: {error}: repair or remove that line") from None
            warnings.warn(
                f"{path}, line {number}: cut short, skipped: that run has to be repeated", stacklevel=2
            )
            continue
        try:
            found.append(checked(record, dict, check or validate))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    return found


def merge(path: Path, others: Iterable[Path]) -> int:
    """Appends to a file of records those of other files that it lacks, in their order, and returns how many they were.

    Raises: FileNotFoundError; ValueError as in `read`, before anything is written.
    """
    found = [record for other in others for record in read(other)]
    added = 0
    with changing(path):
        there = read(path) if path.exists() else []
        for record in found:
            if record not in there:
                append(path, record)
                there.append(record)
                added += 1
    return added


def find(
    records: Iterable[Record],
    *,
    digest: str | None = None,
    seed: int | None = None,
    data: str | None = None,
    shortened: bool | None = None,
    device: str | None = None,
) -> list[Record]:
    """Those records that agree with every given field, in their order; None asks nothing."""
    wanted = {"digest": digest, "seed": seed, "data": data, "shortened": shortened, "device": device}
    asked = {field: value for field, value in wanted.items() if value is not None}
    return [record for record in records if all(record[field] == value for field, value in asked.items())]


def current(record: Mapping[str, Any]) -> bool:
    """Whether the recipe of its name still is what it was when the record was made; True for a name that is unknown."""
    try:
        return recipe(record["recipe"]["name"]).digest == record["digest"]
    except ValueError:
        return True


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    """The file opened for appending, no other process in here at the same time."""
    with path.open("a+b", buffering=0) as file:
        # The system drops the lock with the file, even when the process is killed.
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file  # type: ignore[misc]


def _mend_tail(path: Path, file: BinaryIO) -> None:
    """Makes the file end with a whole line: ends a record that lacks only its line end, moves anything else aside."""
    file.seek(0)
    content = file.read()
    tail = content[content.rfind(b"\n") + 1 :]
    if not tail:
        return
    try:
        _parsed(tail)
    except ValueError:
        torn = path.with_name(f"{path.name}.torn")
        with torn.open("ab") as aside:
            aside.write(tail + b"\n")
            os.fsync(aside.fileno())
        os.ftruncate(file.fileno(), len(content) - len(tail))
        warnings.warn(f"{path}: its last line was cut short and now lies in {torn}", stacklevel=3)
    else:
        _write_all(file, b"\n")


def _write_all(file: BinaryIO, data: bytes) -> None:
    """An unbuffered file may take less than it is given, as when the disk is almost full."""
    while data:
        data = data[file.write(data) :]


def _parsed(line: bytes) -> Record:
    record = parsed(decoded(line))
    fit(record, dict)
    return record


def _fsync_folder(folder: Path) -> None:
    """A new file is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
