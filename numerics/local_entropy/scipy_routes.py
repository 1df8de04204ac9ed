"""Three independent references for -F(theta) of Eq. (10): scipy's `dblquad`, `nquad` told where the kinks are, and
`cubature`. They share nothing with the fast route; `results/bench.md` shows where they fail.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from math import inf, log, log1p
from typing import Any

import numpy as np
from scipy import integrate

from numerics.local_entropy.result import LocalEntropy, QuadratureFailure, check_arguments, positive
from numerics.local_entropy.window import Box, Window, checked_box, window
from numerics.problem import Problem

DEFAULT_TOLERANCE = 1e-8
MOST_SUBDIVISIONS = 2000  # of cubature: 441 nodes each
# At a kink that no box can follow, the difference of two rules, which cubature takes for the error, has been seen to
# be half of it.
CUBATURE_SHARE = 10.0
MOMENTS: tuple[Callable[[float, float], float], ...] = (
    lambda a, b: 1.0,
    lambda a, b: a,
    lambda a, b: b,
    lambda a, b: a * a,
    lambda a, b: a * b,
    lambda a, b: b * b,
)
# The default box, stretched: kinks and narrow features have another place in it. A kink close to the middle of a box
# makes scipy's estimate too small, by a factor of a thousand at worst among those tried (dblquad); so does a feature
# between the nodes (cubature at gamma = 1e-5).
SECOND_BOX = np.array([[1.13, 1.29], [1.21, 1.09]])
# What a rule returns: the six moments of the window's density, scipy's bounds of their errors, and its complaint.
Moments = tuple[np.ndarray, np.ndarray, str]


def dblquad(
    problem: Problem,
    theta: Any,
    gamma: float,
    beta: float,
    box: Box | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> LocalEntropy:
    """-F(theta) by scipy.integrate.dblquad: nested adaptive Gauss-Kronrod rules that know nothing of the kinks.

    Args: `problem` with two weights; `theta` shape (2,); `gamma`, `beta` > 0; `box` ((low0, high0), (low1, high1))
    in theta', its ends may be infinite; `tolerance` > 0: absolute, in -F.
    Without `box` all mass but about 1e-18 of it is inside, and `error` is the larger of scipy's estimate and of the
    difference to a second box, where the kinks lie elsewhere. With one the integral is taken over it as it is, and
    `error` is scipy's own claim: it knows neither of the mass outside nor of a peak between the nodes.
    Raises: ValueError for arguments out of range; QuadratureFailure when the tolerance is not reached.
    Source: Eq. (10).
    """
    return _route("dblquad", _dblquad_moments, problem, theta, gamma, beta, box, tolerance)


def nquad(
    problem: Problem,
    theta: Any,
    gamma: float,
    beta: float,
    box: Box | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> LocalEntropy:
    """As `dblquad`, by scipy.integrate.nquad with the kinks of the norm as break points; `box` must be finite.

    The break points are the axes, for p = 1 the diagonals (the inner ones move with the outer variable), none for
    the clean loss. The further kinks of the swish model, where its attack changes ends, are not among them.
    """
    if box is not None and not np.isfinite(checked_box(box)).all():
        raise ValueError(f"box = {box}; nquad takes no break points on an infinite range: pass finite ends")
    return _route("nquad", _nquad_moments, problem, theta, gamma, beta, box, tolerance)


def cubature(
    problem: Problem,
    theta: Any,
    gamma: float,
    beta: float,
    box: Box | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
) -> LocalEntropy:
    """As `dblquad`, by scipy.integrate.cubature (scipy >= 1.15), the six moments one vector, cut at the axes.

    Kinks that are not parallel to an axis (p = 1, the cone of p = 2, swish) are left to its subdivision.

    Raises ValueError also where scipy is too old to have it.
    """
    if not hasattr(integrate, "cubature"):
        raise ValueError("method = 'cubature' needs scipy >= 1.15: upgrade scipy, or take dblquad or nquad")
    return _route("cubature", _cubature_moments, problem, theta, gamma, beta, box, tolerance)


ROUTES: dict[str, Callable[..., LocalEntropy]] = {"dblquad": dblquad, "nquad": nquad, "cubature": cubature}


def available() -> tuple[str, ...]:
    """The names of the routes that the installed scipy has."""
    return tuple(name for name in ROUTES if hasattr(integrate, name))


def _route(
    name: str,
    rule: Callable[[Window, float], Moments],
    problem: Problem,
    theta: Any,
    gamma: float,
    beta: float,
    box: Box | None,
    tolerance: float,
) -> LocalEntropy:
    """Checks the arguments, integrates, and judges what was reached."""
    start = time.perf_counter()
    theta, gamma, beta = check_arguments(problem, theta, gamma, beta)
    tolerance = positive("tolerance", tolerance)
    # What overflows ends as a mass of nan or inf, which is refused below.
    with np.errstate(over="ignore", invalid="ignore"):
        seen = window(problem, theta, gamma, beta, box)
        if not seen.spread <= tolerance:
            raise QuadratureFailure(
                name, seen.spread, tolerance, "float64 rounds the integrand more coarsely"
            )
        moments, errors, complaint = _moments(rule, seen, tolerance)
    lost = _mass_lost(seen, moments[0], errors[0])
    if lost:
        raise QuadratureFailure(name, inf, tolerance, lost)
    result = _assemble(name, seen, moments, errors, start)
    reached = max(result.error, errors.max() / moments[0])
    if complaint:
        # Scipy warns that its estimate may be too small: nothing stands for it then.
        raise QuadratureFailure(name, reached if reached > tolerance else inf, tolerance, complaint)
    if not reached <= tolerance:
        raise QuadratureFailure(name, reached, tolerance, "its estimate of the error stays above it")
    return result


def _moments(rule: Callable[[Window, float], Moments], seen: Window, tolerance: float) -> Moments:
    """The rule's moments, once more where the mass turns out smaller than one. On its own box a route has to find
    the same moments over a second one: the errors are at least the difference."""
    moments, errors, complaint = rule(seen, tolerance)
    if 0 < moments[0] < 1 and errors.max() > tolerance * moments[0]:
        moments, errors, complaint = rule(seen, tolerance * moments[0])
    if seen.given or complaint:
        return moments, errors, complaint
    other, _, _ = rule(replace(seen, ranges=seen.ranges * SECOND_BOX), tolerance * min(1.0, moments[0]))
    errors = np.maximum(errors, np.abs(moments - other))
    if errors.max() > tolerance * moments[0]:
        complaint = "over another box it finds another integral, and its own estimate does not say so"
    return moments, errors, complaint


def _dblquad_moments(seen: Window, tolerance: float) -> Moments:
    (low0, high0), (low1, high1) = seen.ranges.tolist()
    share = _error_share(seen)

    def integral(function: Callable[[float, float], float]) -> tuple[float, float]:
        return integrate.dblquad(function, low1, high1, low0, high0, epsabs=tolerance / share, epsrel=0.0)

    return _one_by_one(seen, integral, share)


def _nquad_moments(seen: Window, tolerance: float) -> Moments:
    share = _error_share(seen)

    def options(*outer: float) -> dict[str, Any]:
        points = seen.kinks(*outer)
        return {"epsabs": tolerance / share, "epsrel": 0.0} | ({"points": points} if points else {})

    def integral(function: Callable[[float, float], float]) -> tuple[float, float]:
        return integrate.nquad(function, seen.ranges.tolist(), opts=[options, options])

    return _one_by_one(seen, integral, share)


def _cubature_moments(seen: Window, tolerance: float) -> Moments:
    share = 1.0 if seen.given else CUBATURE_SHARE

    def six(u: np.ndarray) -> np.ndarray:
        first, second = u[:, 0], u[:, 1]
        weights = (np.ones_like(first), first, second, first**2, first * second, second**2)
        return seen.density(u)[:, None] * np.stack(weights, axis=-1)

    found = integrate.cubature(
        six,
        *seen.ranges.T,
        atol=tolerance / share,
        rtol=0.0,
        max_subdivisions=MOST_SUBDIVISIONS,
        points=seen.corners(),
    )
    complaint = "" if found.status == "converged" else f"it stopped after {found.subdivisions} subdivisions"
    return found.estimate, found.error * share, complaint


def _one_by_one(
    seen: Window, integral: Callable[[Callable[[float, float], float]], tuple[float, float]], share: float
) -> Moments:
    """The six moments as scalar integrals; scipy's warnings become the complaint instead of being printed."""
    density = seen.scalar_density()

    def weighted(weight: Callable[[float, float], float]) -> Callable[[float, float], float]:
        return lambda a, b: weight(a, b) * density(a, b)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", integrate.IntegrationWarning)
        found = [integral(weighted(weight)) for weight in MOMENTS]
    complaint = " ".join(str(caught[0].message).split()) if caught else ""
    moments, errors = np.array(found).T
    return moments, errors * share, complaint


def _error_share(seen: Window) -> float:
    """What scipy's figure has to be multiplied with to bound the error of the double integral.

    Nested quadrature reports the largest error of all its one-dimensional integrals. The outer one integrates the
    inner errors as well, so that the sum is at most (1 + width) times as large. On a box that was given, scipy's
    figure is passed on as it is.
    """
    return 1.0 if seen.given else 1.0 + float(seen.ranges[1, 1] - seen.ranges[1, 0])


def _mass_lost(seen: Window, mass: float, error: float) -> str:
    """Why the mass cannot be right, or "": it is compared with its bounds, on the default box alone."""
    if not mass > 0:
        return f"scipy found no mass in the box (its integral is {mass:.2g})"
    if not seen.given and mass + error < seen.least * (1 - 1e-6):
        return f"it found {mass:.2g} of a mass that is at least {seen.least:.2g}, so it missed the peak"
    if not seen.given and mass - error > seen.most * (1 + 1e-6):
        return f"it found {mass:.2g} of a mass that is at most {seen.most:.2g}"
    return ""


def _assemble(name: str, seen: Window, moments: np.ndarray, errors: np.ndarray, start: float) -> LocalEntropy:
    """-F, gradient and Hessian from the moments in u, with first-order errors carried through the quotients."""
    mass, first, second = moments[0], moments[1:3] / moments[0], moments[3:6] / moments[0]
    share = errors[0] / mass + seen.tail
    value = -seen.peak - log(mass) + 2 * log(seen.scale)
    covariance = second - first[[0, 0, 1]] * first[[0, 1, 1]]
    error = (-log1p(-share) if share < 1 else inf) + seen.spread
    size = float(np.abs(first).max())
    mean_error = float((errors[1:3] / mass).max()) + seen.tail + size * share
    second_error = float((errors[3:6] / mass).max()) + seen.tail + float(np.abs(second).max()) * share
    covariance_error = second_error + 2 * size * mean_error + mean_error**2
    derivative_error = seen.scale * mean_error + seen.scale**2 * covariance_error
    rounding = (seen.spread * seen.scale) * (1 + size) + seen.scale**2 * seen.spread * (
        1 + float(np.abs(second).max())
    )
    entries = seen.scale**2 * (np.array([1.0, 0.0, 1.0]) - covariance)
    return LocalEntropy(
        value=float(value),
        gradient=-seen.scale * (seen.offset + first),
        hessian=entries[[[0, 1], [1, 2]]],
        error=float(error),
        derivative_error=derivative_error / (1 - share) + rounding if share < 1 else inf,
        method=name,
        seconds=time.perf_counter() - start,
    )
