"""What the JSON file of a surface says: the problem, the square, the range of values, the kinks and the error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from figures.files import rounded
from numerics.problem import Problem
from numerics.surfaces import Surface

LEFT_OUT = ("seconds",)  # of a surface's provenance: times would make no two files alike


def surface_facts(surface: Surface, problem: Problem, seed: int | None) -> dict[str, Any]:
    """The facts of one surface; `seed` of its data, None for a single point."""
    what = {key: value for key, value in surface.provenance.items() if key not in LEFT_OUT}
    if seed is not None:
        what |= {
            "seed": seed,
            "data": "x_n ~ N(0, I_2) from numpy.random.default_rng(seed), y_n = sign(x_{n,1})",
        }
    return {
        "surface": what,
        "square": square(surface),
        "range": {"smallest": _extreme(surface, np.argmin), "largest": _extreme(surface, np.argmax)},
        "error": rounded(surface.error),
        "derivative_error": rounded(surface.derivative_error),
    }


def square(surface: Surface) -> dict[str, Any]:
    """The weights that are drawn."""
    ranges = [[float(axis[0]), float(axis[-1])] for axis in surface.axes]
    return {"theta_1": ranges[0], "theta_2": ranges[1], "points": [len(axis) for axis in surface.axes]}


def samples(place: Sequence[float] | np.ndarray, size: np.ndarray, count: int = 9) -> dict[str, Any]:
    """A curve at `count` of its points, evenly chosen, ends included."""
    chosen = np.unique(np.linspace(0, len(size) - 1, count).round().astype(int))
    return {"at": np.asarray(place)[chosen], "size": np.asarray(size)[chosen]}


def _extreme(surface: Surface, pick: Any) -> dict[str, Any]:
    i, j = np.unravel_index(int(pick(surface.value)), surface.value.shape)
    return {"value": surface.value[i, j], "theta": [surface.axes[0][i], surface.axes[1][j]]}
