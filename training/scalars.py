"""Reads settings as users have them, numpy's numbers and single tensors among them, as Python's own numbers."""

from __future__ import annotations

import math
import numbers
from typing import Any


def real(value: Any) -> float | None:
    """The float of a real number, of numpy's or a tensor's single one too; None for anything else, truth values too."""
    value = _single(value)
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def whole(value: Any) -> int | None:
    """The int of an integer, of numpy's too; None for anything else, truth values and 3.0 too."""
    value = _single(value)
    return int(value) if isinstance(value, numbers.Integral) and not isinstance(value, bool) else None


def flag(value: Any) -> bool | None:
    """True or False, numpy's too; None for anything else."""
    value = _single(value)
    return value if isinstance(value, bool) else None


def _single(value: Any) -> Any:
    """What an array or tensor without axes holds."""
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value
