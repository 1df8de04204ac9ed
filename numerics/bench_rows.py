"""The rows of `python -m numerics bench`: what a route to -F(theta) costs at a theta, and how wrong it is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from numerics.bench_page import box_text
from numerics.local_entropy import local_entropy_surface
from numerics.local_entropy.certified import certified_local_entropy, certified_surface
from numerics.local_entropy.result import LocalEntropy, QuadratureFailure
from numerics.local_entropy.scipy_routes import ROUTES, available
from numerics.local_entropy.window import Box
from numerics.problem import Problem, normal_data, single_point
from numerics.surfaces import Surface, square_axes

EPSILON, GAMMA, BETA, SEED = 0.6, 1.0, 1.0, 0
Place = tuple[float, float]
Setting = tuple[str, Box | None, float, int]  # method, box, tolerance, at how many theta at most
# The baselines: dblquad near the tolerance that is scipy's default, and as accurate as the fast route. The box lies
# around the origin, so that the first bisection of each range meets the kinks: the fastest box for dblquad.
LOOSE: Setting = ("dblquad", ((-12.0, 12.0), (-12.0, 12.0)), 1e-8, 5)
EQUAL: Setting = ("dblquad", LOOSE[1], 1e-11, 5)


def compared(
    name: str,
    problem: Problem,
    grids: tuple[tuple[int, ...], int],
    places: tuple[Place, ...],
    settings: tuple[Setting, ...],
    progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    """One row a method: seconds for a theta, claimed and true errors at the places, ratios to LOOSE and EQUAL.

    `grids`: sizes of the fast route's grids and how often each is repeated. Without places only the fast route is
    timed, and no error is known.
    """
    start = time.process_time()
    truths = [certified_local_entropy(problem, place, gamma=GAMMA, beta=BETA) for place in places]
    seconds = time.process_time() - start
    rows = [fast_row(problem, size, grids[1], truths, places) for size in grids[0]]
    progress(f"{name}: fast and certified")
    if places:
        rows.append(certified_row(seconds, truths))
    for setting in settings if places else ():
        if setting[0] in available():
            rows.append(scipy_row(setting, problem, truths, places))
            progress(f"{name}: {setting[0]}, {rows[-1]['setting']}")
    for key, setting in (("ratio", LOOSE), ("ratio_equal", EQUAL)):
        baseline = [row["seconds_per_theta"] for row in rows if row["setting"] == how(setting)]
        for row in rows:
            row[key] = baseline[0] / row["seconds_per_theta"] if baseline else None
    return [{"problem": name} | row for row in rows]


def fast_row(
    problem: Problem, size: int, repeats: int, truths: list[LocalEntropy], places: tuple[Place, ...]
) -> dict[str, Any]:
    """The fast route on a size x size grid: the median of the repeats, divided by the number of theta."""
    seconds, surface = timed_surface(problem, size, repeats)
    found = [at(surface, place) for place in places]
    return {
        "method": "fast",
        "setting": f"{size} x {size} grid",
        "thetas": size * size,
        "refused": 0,
        "seconds_per_theta": seconds / size**2,
        "claimed": float(surface.error.max()),
        **errors(found, truths),
    }


def timed_surface(problem: Problem, size: int, repeats: int) -> tuple[float, Surface]:
    """(median seconds, surface) after one run to warm up."""
    axes = square_axes(size)
    surface = local_entropy_surface(problem, axes, gamma=GAMMA, beta=BETA)
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        surface = local_entropy_surface(problem, axes, gamma=GAMMA, beta=BETA)
        seconds.append(time.process_time() - start)
    return median(seconds), surface


def at(surface: Surface, place: Place) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, gradient and Hessian of the surface at a point of its grid."""
    i, j = (int(np.abs(axis - entry).argmin()) for axis, entry in zip(surface.axes, place, strict=True))
    if not np.allclose((surface.axes[0][i], surface.axes[1][j]), place, rtol=0, atol=1e-12):
        raise ValueError(f"place = {place} is no point of the grid: take one of its points")
    return float(surface.value[i, j]), surface.gradient[i, j], surface.hessian[i, j]


def scipy_row(
    setting: Setting, problem: Problem, truths: list[LocalEntropy], places: tuple[Place, ...]
) -> dict[str, Any]:
    """A scipy route at the places, once each; a place where it refuses to answer counts for time, not for errors."""
    method, box, tolerance, most = setting
    places = places[:most]
    found, kept, claims = [], [], []
    start = time.process_time()
    for place, truth in zip(places, truths[:most], strict=True):
        try:
            result = ROUTES[method](problem, place, GAMMA, BETA, box=box, tolerance=tolerance)
        except QuadratureFailure:
            continue
        found.append((result.value, result.gradient, result.hessian))
        kept.append(truth)
        claims.append(result.error)
    seconds = time.process_time() - start
    return {
        "method": method,
        "setting": how(setting),
        "thetas": len(places),
        "refused": len(places) - len(found),
        "seconds_per_theta": seconds / len(places),
        "claimed": max(claims, default=None),
        **errors(found, kept),
    }


def how(setting: Setting) -> str:
    """A scipy setting in words; only dblquad's baselines have a box."""
    return f"tolerance {setting[2]:.0e}, {box_text(setting[1])}"


def certified_row(seconds: float, truths: list[LocalEntropy]) -> dict[str, Any]:
    """What the truths themselves cost, one at a time, and their largest radius."""
    return {
        "method": "certified",
        "setting": "radius 1e-12",
        "thetas": len(truths),
        "refused": 0,
        "seconds_per_theta": seconds / len(truths),
        "claimed": max(truth.error for truth in truths),
        "error": None,
        "derivative_error": None,
    }


def errors(
    found: list[tuple[float, np.ndarray, np.ndarray]], truths: list[LocalEntropy]
) -> dict[str, float | None]:
    """The largest error of -F and of the entries of its derivatives, against certified values; None of nothing."""
    if not found:
        return {"error": None, "derivative_error": None}
    pairs = list(zip(found, truths, strict=True))
    derivatives = [
        max(np.abs(gradient - truth.gradient).max(), np.abs(hessian - truth.hessian).max())
        for (_, gradient, hessian), truth in pairs
    ]
    return {
        "error": max(abs(value - truth.value) for (value, _, _), truth in pairs),
        "derivative_error": float(max(derivatives)),
    }


def linearity(
    counts: tuple[int, ...], size: int, repeats: int, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Seconds of the fast route on one grid for datasets of these sizes, and for each data point."""
    rows = []
    for name in ("linf", "l2"):
        for count in counts:
            seconds, _ = timed_surface(normal_data(name, EPSILON, count, SEED), size, repeats)
            rows.append({"loss": name, "N": count, "seconds": seconds, "seconds_per_point": seconds / count})
        progress(f"linearity in N, {name}")
    return rows


def certified_rows(progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Seconds and proved error of certified surfaces, 41 x 41 on [-2, 2]^2, one data point."""
    rows = []
    for name in ("linf", "l2"):
        for gamma in (0.3, 1.0, 10.0):
            start = time.process_time()
            surface = certified_surface(
                single_point(name, (-1.0, 1.0), 1.0, EPSILON), square_axes(41), gamma=gamma
            )
            seconds = time.process_time() - start
            rows.append(
                {"loss": name, "gamma": gamma, "seconds": seconds, "error": float(surface.error.max())}
            )
            progress(f"certified surface, {name}, gamma = {gamma:g}")
    return rows
