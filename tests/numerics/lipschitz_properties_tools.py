"""What the tests of lipschitz properties share."""

from __future__ import annotations

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numerics.problem import Problem

DIMENSIONS = st.integers(1, 8)


EPSILONS = st.floats(0.05, 2)


NORMS = st.sampled_from([1.0, 1.2, 1.5, 2.0, 3.0, np.inf])


LESS = 0.99  # a constant one per cent smaller


# Rounding of a difference of numbers of size 10, against the distances below: pairs are at least APART apart.
APART, SLACK = 1e-5, 1e-9


def numbers(most: float = 3.0):
    return st.floats(-most, most, allow_subnormal=False)


@st.composite
def vectors(draw, d: int, least: float = 0.0, most: float = 3.0) -> np.ndarray:
    """A vector of R^d with least <= ||v|| <= most."""
    raw = draw(arrays(float, (d,), elements=numbers(1.0)))
    length = np.linalg.norm(raw)
    unit = raw / length if length > 1e-3 else np.eye(1, d)[0]
    return unit * draw(st.floats(least, most))


@st.composite
def pairs(draw, d: int, least: float = 0.0, most: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors, no closer than APART: anywhere, or side by side."""
    a = draw(vectors(d, least, most))
    b = draw(vectors(d, least, most))
    if draw(st.booleans()):
        b = a + 0.01 * b
        b *= max(1.0, least / max(float(np.linalg.norm(b)), 1e-9))
    assume(np.linalg.norm(a - b) >= APART)
    return a, b


@st.composite
def problems(draw, p=NORMS, model: str = "linear", dimension=DIMENSIONS) -> Problem:
    """One to four data points of both labels."""
    d, n = draw(dimension), draw(st.integers(1, 4))
    x = draw(arrays(float, (n, d), elements=numbers(2.0)))
    y = np.array(draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=n, max_size=n)))
    return Problem(x, y, draw(EPSILONS), draw(p), model)


def moved(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b))


def farthest_input(problem: Problem) -> float:
    """max ||x'|| over the data and the balls."""
    reach = problem.dimension ** max(0.0, 0.5 - 1 / problem.p)
    return float(np.linalg.norm(problem.X, axis=1).max()) + problem.epsilon * reach
