"""Reads the pickles of CIFAR's Python version and can run nothing that a pickle names.

A pickle is a program that calls what it names. Four names are known here, those of a numpy array, and each stands
for an object of this file: no function of numpy, or of anything else, is ever looked up or called.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from training.data.integrity import DataError, reason

BYTE_TYPES = (b"u1", "u1", b"|u1", "|u1")
BROKEN = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError),
    *(AttributeError, OverflowError, MemoryError, UnicodeError, RecursionError),
    *(struct.error, AssertionError),
)


def read_pickle(content: bytes, name: object) -> dict[str, Any]:
    """The dictionary in a pickle, Python 2's or 3's, its keys as str and its byte arrays as numpy arrays of uint8.

    Values are numbers, bytes, str, None, lists, tuples, dictionaries and such arrays. `name` of the file, for messages.

    Raises: DataError where the pickle names anything but an array, is damaged, or holds no dictionary.
    """
    try:
        found = _Unpickler(io.BytesIO(content), encoding="bytes").load()
    except DataError as error:
        raise DataError(f"{name}: {error}; fetch the file from its publisher") from error
    except BROKEN as error:
        raise DataError(f"{name}: a damaged pickle ({reason(error)}); fetch the file again") from error
    if not isinstance(found, dict):
        raise DataError(
            f"{name}: the pickle holds a {type(found).__name__}, not a dictionary; fetch the file again"
        )
    return {_text(key): value.array if isinstance(value, _Array) else value for key, value in found.items()}


def _with_plain_keys(load: Callable[[Any], None], keys: slice) -> Callable[[Any], None]:
    """The handler of an opcode that takes keys from the stack, which have to be of types whose hash is soon found."""

    def checked(unpickler: Any) -> None:
        if not all(type(key) in (str, bytes, int) for key in unpickler.stack[keys]):
            raise DataError("the pickle has a dictionary with other keys than text and numbers")
        load(unpickler)

    return checked


PythonUnpickler: Any = pickle._Unpickler  # type: ignore[attr-defined]


class _Unpickler(PythonUnpickler):
    """Python's own in Python, as the one in C hashes tuples of any depth, on which the process crashes or hangs."""

    dispatch: ClassVar[dict[int, Any]] = {
        **PythonUnpickler.dispatch,
        pickle.SETITEM[0]: _with_plain_keys(PythonUnpickler.load_setitem, slice(-2, -1)),
        pickle.SETITEMS[0]: _with_plain_keys(PythonUnpickler.load_setitems, slice(0, None, 2)),
        pickle.DICT[0]: _with_plain_keys(PythonUnpickler.load_dict, slice(0, None, 2)),
    }
    for opcode in (pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET, pickle.BYTEARRAY8):
        del dispatch[opcode[0]]

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ADMITTED[module, name]
        except KeyError:
            raise DataError(
                f"the pickle names {module}.{name}, and only arrays and containers are read"
            ) from None


class _Array:
    """An array on its way: made empty, then filled by the pickle's state (version, shape, type, order, bytes)."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: np.ndarray = np.empty(0, np.uint8)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, raw = state
        if not (isinstance(kind, _ByteType) and isinstance(raw, bytes) and isinstance(shape, tuple)):
            raise DataError("the pickle holds an array that is not one of bytes")
        if any(type(size) is not int or size < 0 for size in shape) or math.prod(shape) != len(raw):
            raise DataError(f"the pickle holds an array of shape {shape} in {len(raw)} bytes")
        self.array = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if fortran else "C")


class _ByteType:
    """The element type uint8. A pickle also states its byte order, of which a byte has none."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        del state


class _MakeArray:
    """In the place of numpy's `_reconstruct`. Without attributes, so that a pickle cannot change it."""

    __slots__ = ()

    def __call__(self, kind: Any, shape: Any, code: Any) -> _Array:
        if kind is not NDARRAY:
            raise DataError("the pickle builds something else than an array")
        return _Array()


class _MakeType:
    """In the place of numpy's `dtype`."""

    __slots__ = ()

    def __call__(self, name: Any, *flags: Any) -> _ByteType:
        if name not in BYTE_TYPES:
            raise DataError(f"the pickle holds an array of type {name!r}, and images are bytes (u1)")
        return _ByteType()


NDARRAY = "the array type, which nothing can call"
ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _MakeArray(),
    ("numpy._core.multiarray", "_reconstruct"): _MakeArray(),
    ("numpy", "dtype"): _MakeType(),
    ("numpy", "ndarray"): NDARRAY,
}


def _text(key: Any) -> str:
    return key.decode("latin1") if isinstance(key, bytes) else str(key)
