"""Reads the data of `--data FILE.npz`: what the file declares is held to a budget before anything is made of it."""

from __future__ import annotations

import math
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from numerics.problem import finite_array

WANTED = ("X", "y")
MOST_NUMBERS = 10_000_000  # of one array: 80 MB as floats, several times what the methods can use
MOST_BYTES = 400_000_000  # of the file
MOST_MEMBERS = 1_000  # of the archive
REAL = "iuf"  # numpy's kinds of numbers on the real line
KINDS = {"c": "complex numbers", "M": "dates", "m": "durations", "b": "truth values", "O": "Python objects"}
ASKED = "pass an .npz with X (N, 2) and y (N,)"


def read_data(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """X of shape (N, 2) and y of shape (N,), floats, of an .npz file that `numpy.savez` wrote.

    Nothing in the file is executed. Raises: ValueError, one line, that names the file and says what is wrong with it:
    no such file, damaged, other arrays, numbers that are not real, or more of them than MOST_NUMBERS.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"data = {path}: it is no file; {ASKED}")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise _Refused(
                f"has {path.stat().st_size:,} bytes; at most {MOST_BYTES:,} are read: pass a part of it"
            )
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path) as archive:
            _check_names(archive)
            arrays = {name: _member(archive, name) for name in WANTED}
    except _Refused as refusal:
        raise ValueError(f"data = {path} {refusal}") from None
    except OSError as error:
        raise ValueError(f"data = {path}: {error.strerror or error}; {ASKED}") from error
    except Exception as error:  # damaged bytes end in whatever zipfile, zlib and numpy stumble over
        reason = "it is not a readable archive of plain arrays"
        raise ValueError(f"data = {path}: {reason}, or it is damaged; {ASKED}") from error
    return finite_array("X", arrays["X"], 2), finite_array("y", arrays["y"], 1)


class _Refused(Exception):
    """What is wrong with a file that can be read; the message goes on after `data = FILE`."""


def _check_names(archive: zipfile.ZipFile) -> None:
    """Whether the archive holds each of the wanted arrays exactly once."""
    names = archive.namelist()
    if len(names) > MOST_MEMBERS:
        raise _Refused(f"holds {len(names)} arrays; at most {MOST_MEMBERS} are looked through: {ASKED}")
    for name in WANTED:
        if names.count(f"{name}.npy") != 1:
            held = ", ".join(repr(one.removesuffix(".npy")[:30])[1:-1] for one in names[:10]) or "nothing"
            raise _Refused(
                f"holds {held}; it must hold X (N, 2) and y (N,), each once: write it with "
                "numpy.savez(path, X=X, y=y)"
            )


def _member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One array; its header is read and held to the budget before the rest."""
    with archive.open(f"{name}.npy") as stream:
        shape, in_columns, kind = _header(stream)
        if kind.kind not in REAL:
            raise _Refused(f"holds {KINDS.get(kind.kind, 'text or records')} as {name}; need real numbers")
        count = math.prod(shape)
        if min(shape, default=0) < 0 or count > MOST_NUMBERS:
            declared = " x ".join(map(str, shape))
            raise _Refused(
                f"declares {name} of {declared[:60]} numbers; at most {MOST_NUMBERS:,} are read: pass a part of them"
            )
        content = stream.read(count * kind.itemsize)
        # A member that goes on is no array of that shape; asking for one byte more also has its checksum looked at.
        if len(content) != count * kind.itemsize or stream.read(1):
            raise _Refused(
                f"holds {name} in another length than its header says; it is damaged: write it again"
            )
    array = np.frombuffer(content, dtype=kind).astype(float)
    return array.reshape(shape, order="F" if in_columns else "C")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is stored by columns, and type of the numbers."""
    # Longer headers than format 1.0 has, 64 kB, belong to records with many fields, and are no numbers.
    if npy.read_magic(stream) != (1, 0):
        raise _Refused("holds an array in another format than numpy's 1.0; write it with numpy.savez")
    return npy.read_array_header_1_0(stream)
