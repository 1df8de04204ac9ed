"""Admissible sets: where the Lipschitz statements of the paper are claimed, with projection and sampling.

Each set has `dimension`, `project(points)` onto itself (the identity on the set), `sample(rng, count)` with half of
its draws where extremes tend to lie (on the boundary), and `contains(points)`. Points have shape (count, dimension).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Vector = Sequence[float] | np.ndarray


class AdmissibleSet(ABC):
    """A closed set of R^dimension; subclasses give `dimension`, `project` and `sample`."""

    dimension: int

    @abstractmethod
    def project(self, points: np.ndarray) -> np.ndarray:
        """The nearest point of the set for each row (for `LevelSet` the first one towards its anchor)."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """`count` points of the set, shape (count, dimension)."""

    def contains(self, points: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
        """Whether each row lies within `tolerance` of the set."""
        return np.linalg.norm(np.asarray(points) - self.project(points), axis=-1) <= tolerance


class Box(AdmissibleSet):
    """low <= point <= high in every coordinate, both finite; low = high fixes a coordinate."""

    def __init__(self, low: Vector, high: Vector) -> None:
        self.low, self.high = vector("low", low), vector("high", high)
        if self.low.shape != self.high.shape or (self.low > self.high).any():
            raise ValueError(
                f"low = {low}, high = {high}; they must have one length and low <= high: swap them"
            )
        self.dimension = len(self.low)

    def project(self, points: np.ndarray) -> np.ndarray:
        return np.clip(points, self.low, self.high)

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        spread = (
            2.0 - np.arange(count)[:, None] % 2
        )  # odd draws reach beyond the box and are clipped to its faces
        inside = rng.uniform(-0.5, 0.5, (count, self.dimension)) * spread
        return self.project((self.low + self.high) / 2 + (self.high - self.low) * inside)


def orthant(signs: Vector, least: float, most: float) -> Box:
    """One sign pattern: least <= s_i theta_i <= most, s_i = -1 or 1, 0 <= least (Lemma 3, Theorem 2)."""
    pattern = vector("signs", signs)
    if not np.isin(pattern, (-1, 1)).all() or not 0 <= least <= most:
        raise ValueError(
            f"signs = {signs}, least = {least}, most = {most}; signs must be -1 or 1 and 0 <= least <= most: "
            "pass one sign a weight"
        )
    ends = np.sort(np.stack([pattern * least, pattern * most]), axis=0)
    return Box(ends[0], ends[1])


class Segment(AdmissibleSet):
    """The points between start and end, two different points."""

    def __init__(self, start: Vector, end: Vector) -> None:
        self.start = vector("start", start)
        self.way = vector("end", end) - self.start
        self.dimension = len(self.start)
        if not np.any(self.way):
            raise ValueError(f"start = end = {start}; a segment needs two different ends: move one")

    def project(self, points: np.ndarray) -> np.ndarray:
        along = (points - self.start) @ self.way / (self.way @ self.way)
        return self.start + np.clip(along, 0, 1)[..., None] * self.way

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return self.start + rng.uniform(0, 1, (count, 1)) * self.way


class Shell(AdmissibleSet):
    """inner <= ||point - centre||_2 <= outer: Theorem 1's ||theta|| >= theta_min, cut off at outer.

    A ball where inner = 0; not convex otherwise.
    """

    def __init__(self, centre: Vector, inner: float, outer: float) -> None:
        self.centre, self.inner, self.outer = vector("centre", centre), float(inner), float(outer)
        if not 0 <= inner <= outer < np.inf:
            raise ValueError(
                f"inner = {inner}, outer = {outer}; a shell needs 0 <= inner <= outer, both finite: swap or bound them"
            )
        self.dimension = len(self.centre)

    def project(self, points: np.ndarray) -> np.ndarray:
        step = points - self.centre
        length = np.linalg.norm(step, axis=-1, keepdims=True)
        # At the centre every direction is nearest; the first axis is taken.
        away = np.where(length > 0, step / np.where(length > 0, length, 1.0), np.eye(1, self.dimension)[0])
        moved = self.centre + np.clip(length, self.inner, self.outer) * away
        return np.where((length >= self.inner) & (length <= self.outer), points, moved)

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        away = rng.standard_normal((count, self.dimension))
        away /= np.linalg.norm(away, axis=-1, keepdims=True)
        length = rng.uniform(self.inner, self.outer, (count, 1))
        length[::4], length[1::4] = self.inner, self.outer
        return self.centre + length * away


def ball(centre: Vector, radius: float) -> Shell:
    """||point - centre||_2 <= radius."""
    return Shell(centre, 0.0, radius)


def sphere(dimension: int) -> Shell:
    """||point||_2 = 1, the directions of R^dimension."""
    return Shell(np.zeros(dimension), 1.0, 1.0)


class AwayFromAxes(AdmissibleSet):
    """least <= |theta_i| <= most for every i: all sign patterns, none near a sign change (Lemma 3, corrected)."""

    def __init__(self, dimension: int, least: float, most: float) -> None:
        if not 0 < least <= most < np.inf:
            raise ValueError(
                f"least = {least}, most = {most}; they must have 0 < least <= most: raise least or most"
            )
        self.dimension, self.least, self.most = dimension, least, most

    def project(self, points: np.ndarray) -> np.ndarray:
        return np.where(points < 0, -1.0, 1.0) * np.clip(np.abs(points), self.least, self.most)

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        spread = 1.0 + np.arange(count)[:, None] % 2
        return self.project(rng.uniform(-1, 1, (count, self.dimension)) * self.most * spread)


class HalfSpace(AdmissibleSet):
    """normal.point >= offset, sampled within `reach` of its nearest point to 0.

    For a normal with ||normal||_p = 1 it lies in ||theta||_q >= offset, 1/p + 1/q = 1, and is convex
    (beyond.p-below-2).
    """

    def __init__(self, normal: Vector, offset: float, reach: float) -> None:
        self.normal, self.offset, self.reach = vector("normal", normal), float(offset), float(reach)
        self.dimension = len(self.normal)
        if not np.any(self.normal) or not reach > 0:
            raise ValueError(
                f"normal = {normal}, reach = {reach}; the normal must not be 0 and reach > 0: set them"
            )

    def project(self, points: np.ndarray) -> np.ndarray:
        short = np.maximum(self.offset - points @ self.normal, 0.0) / (self.normal @ self.normal)
        return points + short[..., None] * self.normal

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        foot = self.offset * self.normal / (self.normal @ self.normal)
        return self.project(foot + self.reach * rng.uniform(-1, 1, (count, self.dimension)))


class DefiniteMatrices(AdmissibleSet):
    """Symmetric size x size matrices with all eigenvalues in [least, most], flattened: -grad_x^2 l in Lemma 4."""

    def __init__(self, size: int, least: float, most: float) -> None:
        if not least <= most:
            raise ValueError(f"least = {least}, most = {most}; least must not exceed most: swap them")
        self.size, self.least, self.most = size, least, most
        self.dimension = size * size

    def project(self, points: np.ndarray) -> np.ndarray:
        matrices = np.reshape(points, (*np.shape(points)[:-1], self.size, self.size))
        values, vectors = np.linalg.eigh((matrices + matrices.swapaxes(-1, -2)) / 2)
        values = np.clip(values, self.least, self.most)
        return ((vectors * values[..., None, :]) @ vectors.swapaxes(-1, -2)).reshape(np.shape(points))

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        basis, _ = np.linalg.qr(rng.standard_normal((count, self.size, self.size)))
        values = rng.uniform(self.least, self.most, (count, self.size))
        values[::2, 0] = self.least
        return ((basis * values[:, None, :]) @ basis.swapaxes(-1, -2)).reshape(count, -1)


@dataclass(frozen=True)
class LevelSet(AdmissibleSet):
    """{function <= level}, star-shaped about `anchor` (where function < level), such as Eq. (4)'s level set.

    `function` maps (count, dimension) to (count,); `base` bounds the draws. `project` moves a point outside
    towards the anchor until the level is met.
    """

    function: Callable[[np.ndarray], np.ndarray]
    level: float
    anchor: np.ndarray
    base: AdmissibleSet

    def __post_init__(self) -> None:
        if not self.function(self.anchor[None])[0] < self.level:
            raise ValueError(
                f"anchor = {self.anchor}; the function there must be below {self.level}: choose another"
            )
        object.__setattr__(self, "dimension", len(self.anchor))

    def project(self, points: np.ndarray) -> np.ndarray:
        points = self.base.project(points)
        low, high = np.zeros(points.shape[:-1]), np.ones(points.shape[:-1])
        outside = self.function(points) > self.level
        for _ in range(60):  # bisection to the last bit of the share of the way from the anchor
            middle = (low + high) / 2
            inside = self.function(self.anchor + middle[..., None] * (points - self.anchor)) <= self.level
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        return np.where(outside[..., None], self.anchor + low[..., None] * (points - self.anchor), points)

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return self.project(self.base.sample(rng, count))


class Product(AdmissibleSet):
    """A point of each part, one after the other: several weights, or weights and a matrix."""

    def __init__(self, *parts: AdmissibleSet) -> None:
        self.parts = parts
        self.cuts = np.cumsum([part.dimension for part in parts])[:-1]
        self.dimension = sum(part.dimension for part in parts)

    def project(self, points: np.ndarray) -> np.ndarray:
        pieces = np.split(points, self.cuts, axis=-1)
        return np.concatenate(
            [p.project(piece) for p, piece in zip(self.parts, pieces, strict=True)], axis=-1
        )

    def sample(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return np.concatenate([part.sample(rng, count) for part in self.parts], axis=-1)


def vector(name: str, value: Vector) -> np.ndarray:
    """A finite float vector of length >= 1, or a ValueError naming the argument."""
    array = np.array(value, dtype=float)
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(
            f"{name} = {value}; it must be a list of at least one finite number: pass one an axis"
        )
    return array
