"""Where scipy's quadrature of Eq. (10) goes wrong without a word: what it claims against what is true, case by case.

Two writings are tried. "As first written" hands exp(-beta L - (beta gamma/2) ||theta - theta'||^2) to scipy as it
stands, with scipy's own tolerances, on a box somebody chose. "Route" is `numerics.local_entropy.scipy_routes`, on the
same box or on its own. The truth is the certified enclosure.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf, log, log1p
from typing import Any

import numpy as np
from scipy import integrate

from numerics.local_entropy.certified import certified_local_entropy
from numerics.local_entropy.result import QuadratureFailure, check_arguments
from numerics.local_entropy.scipy_routes import ROUTES, available
from numerics.local_entropy.window import Box, checked_box, scalar_loss
from numerics.problem import Problem, single_point

RIGHT, SILENT, EMPTY, REFUSED = "right", "silently wrong", "promises no digit", "refused"
TOLERANCE = 1e-8  # asked of the routes: near the 1.49e-8 that is scipy's default
ROUNDING = 1e-12  # relative to 1 + |-F|: errors below are not held against anyone
MOST_SUBDIVISIONS = 300  # of cubature as first written; scipy's default of 10000 takes minutes


@dataclass(frozen=True)
class Case:
    """One attempt: `writing` "first" or "route", `method` a scipy function, at one theta of a single-point loss."""

    group: str
    writing: str
    method: str
    loss: str
    theta: tuple[float, float]
    gamma: float
    beta: float
    box: Box | None


@dataclass(frozen=True)
class Outcome:
    """What came of a case: value, claimed error (inf where nothing is promised), true error, verdict, CPU seconds."""

    case: Case
    value: float
    claimed: float
    true: float
    verdict: str
    reason: str
    seconds: float


def failure_table(
    cases: Sequence[Case], progress: Callable[[str], None] = lambda line: None
) -> list[Outcome]:
    """Every case tried and judged against the certified value of its own theta, gamma and beta."""
    truths: dict[tuple[Any, ...], float] = {}
    outcomes: list[Outcome] = []
    for case in cases:
        if not outcomes or case.group != outcomes[-1].case.group:
            progress(f"failures: {case.group}")
        problem = fig2_problem(case.loss)
        place = (case.loss, case.theta, case.gamma, case.beta)
        if place not in truths:
            truths[place] = certified_local_entropy(
                problem, case.theta, gamma=case.gamma, beta=case.beta
            ).value
        outcomes.append(outcome(case, problem, truths[place]))
    return outcomes


def outcome(case: Case, problem: Problem, truth: float) -> Outcome:
    """One case tried. A number returned without a warning is right when its claim covers the true error."""
    evaluate = _by_route if case.writing == "route" else _as_first_written
    start = time.process_time()
    try:
        value, claimed = evaluate(case, problem)
    except QuadratureFailure as failure:
        seconds = time.process_time() - start
        return Outcome(case, inf, inf, inf, REFUSED, failure.reason, seconds)
    seconds = time.process_time() - start
    true = abs(value - truth)
    verdict = RIGHT
    if true > max(claimed, ROUNDING * (1 + abs(truth))):
        verdict = SILENT
    elif claimed == inf:
        verdict = EMPTY
    return Outcome(case, value, claimed, true, verdict, "", seconds)


def first_written(
    method: str, problem: Problem, theta: Any, gamma: float, beta: float, box: Box
) -> tuple[float, float]:
    """-log of scipy's integral as one writes it first, and what scipy's error estimate makes of it in -F.

    An integral I claimed to e is claimed to -log(1 - e/I) in -F: nothing (inf) where e >= I. An integral of 0 gives
    -F = inf, as numpy's logarithm does. Raises QuadratureFailure where scipy warns.
    """
    theta, gamma, beta = check_arguments(problem, theta, gamma, beta)
    ranges = checked_box(box)
    precision, loss, (a0, a1) = beta * gamma, scalar_loss(problem), theta.tolist()

    def density(a: float, b: float) -> float:
        return exp(-beta * loss(a, b) - precision / 2 * ((a - a0) ** 2 + (b - a1) ** 2))

    def densities(points: np.ndarray) -> np.ndarray:
        return np.exp(-beta * problem.loss(points) - precision / 2 * ((points - theta) ** 2).sum(axis=-1))

    complaint = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if method == "dblquad":
            (low0, high0), (low1, high1) = ranges.tolist()
            integral, claim = integrate.dblquad(density, low1, high1, low0, high0)
        elif method == "nquad":
            integral, claim = integrate.nquad(density, ranges.tolist())
        else:
            found = integrate.cubature(densities, *ranges.T, max_subdivisions=MOST_SUBDIVISIONS)
            integral, claim = float(found.estimate), float(found.error)
            complaint = "" if found.status == "converged" else "not converged"
    complaint = " ".join(str(caught[0].message).split()) if caught else complaint
    share = claim / integral if integral > 0 else inf
    claimed = -log1p(-share) if share < 1 else inf
    if complaint:
        raise QuadratureFailure(method, claimed, TOLERANCE, complaint)
    if integral == claim == 0:
        return inf, 0.0
    return (-log(integral) if integral > 0 else inf), claimed


def fig2_problem(loss: str) -> Problem:
    """The data point of Fig. 2: x = (-1, 1), y = 1, epsilon = 0.6."""
    return single_point(loss, (-1.0, 1.0), 1.0, 0.6)


def square(half: float) -> Box:
    """[-half, half]^2."""
    return ((-half, half), (-half, half))


def failure_cases() -> list[Case]:
    """The table of `results/bench.md`: what fails silently, and beside it what does not."""
    here, first, three = (0.32, -0.68), "first dblquad", "route dblquad, route nquad, route cubature"
    both, raw = "first dblquad, route nquad", "first dblquad, first cubature"
    most, mixed = "first dblquad, route dblquad, first cubature", "first dblquad, route nquad, first cubature"
    nested, vector = (
        "first dblquad, route dblquad, route nquad",
        "first cubature, route cubature, route nquad",
    )
    tries: list[tuple[str, str, tuple[float, float], float, float, Box | None, str]] = [
        ("box too small", "linf", here, 0.1, 1, square(2), f"{first}, {three}"),
        ("box too small", "linf", here, 0.1, 1, square(5), both),
        ("box too small", "l2", here, 0.1, 1, square(5), both),
        ("box too small", "linf", here, 0.1, 1, square(10), both),
        ("box too small", "linf", here, 0.01, 1, square(10), both),
        ("box too small", "linf", (2.0, -2.0), 1, 1, square(5), both),
        ("box too small", "linf", here, 0.1, 1, None, three),
        ("box too large", "linf", here, 1, 1, square(1000), most),
        ("box too large", "linf", here, 100, 1, square(100), most),
        ("box too large", "linf", here, 1, 1, square(inf), raw),
        ("box too large", "linf", here, 100, 1, None, three),
        ("large gamma", "linf", here, 1e4, 1, square(2), most),
        ("large gamma", "linf", here, 1e4, 1, square(1000), most),
        ("large gamma", "linf", here, 1e4, 1, square(inf), first),
        ("large gamma", "linf", here, 1e6, 1, square(2), mixed),
        ("large gamma", "linf", here, 1e6, 1, square(inf), raw),
        ("large gamma", "linf", here, 1e6, 1, None, three),
        ("large beta", "linf", here, 1, 30, square(10), both),
        ("large beta", "linf", here, 1, 100, square(10), raw),
        ("large beta", "linf", here, 1, 1e3, square(10), raw),
        ("large beta", "linf", here, 1, 1e3, None, three),
        ("theta far away", "linf", (6.0, 6.0), 1, 1, square(5), mixed),
        ("theta far away", "linf", (20.0, 20.0), 1, 1, square(inf), raw),
        ("theta far away", "linf", (20.0, 20.0), 1, 1, None, three),
        ("kinks not split", "linf", (2.0, 1.0), 1, 1, ((-13.99, 14.01), (-14.01, 13.99)), nested),
        ("kinks not split", "linf", (0.0, 0.0), 100, 1, ((-1.1988, 1.2012), (-1.2006, 1.1994)), most),
        ("kinks not split", "l2", (0.0, 0.0), 100, 1, ((-1.08, 1.32), (-1.26, 1.14)), vector),
        ("kinks not split", "l1", here, 1, 1, ((-7, 9), (-9, 7)), mixed),
        ("kinks not split", "linf", (1.4, -2.6), 1, 1, None, three),
    ]
    return [
        Case(group, writing, method, loss, theta, gamma, beta, box)
        for group, loss, theta, gamma, beta, box, hows in tries
        for writing, method in (how.split() for how in hows.split(", "))
        if method in available()
    ]


def _by_route(case: Case, problem: Problem) -> tuple[float, float]:
    route = ROUTES[case.method]
    result = route(problem, case.theta, case.gamma, case.beta, box=case.box, tolerance=TOLERANCE)
    return result.value, result.error


def _as_first_written(case: Case, problem: Problem) -> tuple[float, float]:
    assert case.box is not None
    return first_written(case.method, problem, case.theta, case.gamma, case.beta, case.box)
