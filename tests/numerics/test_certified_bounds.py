"""The bounds behind a certified -F: truncation, tails, the core, the ellipse of analyticity, minorants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import flint
import numpy as np
import pytest
from certified_tools import THETA, THREE, arb, distance, entries

from numerics.local_entropy.certified import (
    RADIUS,
    TURN,
    _balls,
    certified_value,
)
from numerics.local_entropy.certified_bounds import Panels, Side, log_gauss, steepest
from numerics.local_entropy.certified_frame import best_weights, frame, minorant
from numerics.local_entropy.certified_rule import plan
from numerics.local_entropy.certified_sums import Meter
from numerics.problem import Problem, single_point


def with_fewer_nodes(panels: Panels, share: float) -> Panels:
    """The same panels with a share of their nodes, so that the bounds must say how wrong they have become."""

    def cut(side: Side | None) -> Side | None:
        return None if side is None else replace(side, order=max(2, int(share * side.order)))

    first, second = (
        tuple(replace(side, order=int(share * side.order)) for side in part) for part in panels.sides
    )
    return replace(panels, sides=(first, second), ray=cut(panels.ray), across=cut(panels.across))


@pytest.mark.parametrize("name", ["linf", "l2", "l1", "clean"])
@pytest.mark.parametrize("share", [0.5, 0.7])
def test_the_truncation_bound_covers_the_error_of_rules_with_few_nodes(name: str, share: float) -> None:
    problem, gamma, beta = single_point(name, (-1.0, 0.8), 1.0, 0.6), 1.3, 1.6
    truth = certified_value(problem, THETA, gamma=gamma, beta=beta, radius=1e-25)
    axes = (np.array(THETA[:1]), np.array(THETA[1:]))
    with flint.ctx.workprec(128):
        exact = frame(problem, gamma, beta)
        theta = np.array([THETA]) @ (TURN if exact.turned else np.eye(2))
        panels = with_fewer_nodes(plan(exact, theta, RADIUS, np.inf).panels, share)
        (ball,) = _balls(exact, panels, axes, theta, Meter(1.0, None))
    assert 1e-12 < ball.radius < 0.01
    # The rule itself is wrong by far more than the rounding of its sums.
    assert not ball.value.mid().overlaps(truth.value)
    assert (ball.value.mid() - truth.value).abs_lower() > 2.0**-90
    assert all(a.overlaps(b) for a, b in zip(entries(ball), entries(truth), strict=True))


@pytest.mark.parametrize("name", ["linf", "l2", "clean"])
def test_the_tail_bound_covers_what_a_small_box_leaves_out(name: str) -> None:
    problem, gamma = single_point(name, (-1.0, 0.8), 1.0, 0.6), 1.3
    truth = certified_value(problem, THETA, gamma=gamma)
    axes = (np.array(THETA[:1]), np.array(THETA[1:]))
    for half in (3.0, 4.0):
        with flint.ctx.workprec(128):
            exact = frame(problem, gamma, 1.0)
            panels = plan(exact, np.array([THETA]), RADIUS, np.inf).panels
            first, second = (
                tuple(
                    replace(side, low=max(side.low, c - half), high=min(side.high, c + half)) for side in part
                )
                for part, c in zip(panels.sides, panels.origin, strict=True)
            )
            smaller = replace(panels, sides=(first, second))
            (ball,) = _balls(exact, smaller, axes, np.array([THETA]), Meter(1.0, None))
        error = distance(ball.value.mid(), float(truth.value.mid()))
        assert error > 1e-9
        assert ball.value.overlaps(truth.value)
        assert ball.value.rad() < 0.2


@pytest.mark.parametrize(("ray", "across"), [(3, 27), (14, 6), (14, 10)])
def test_the_bound_of_the_core_covers_few_nodes_on_its_triangles(ray: int, across: int) -> None:
    problem, theta = single_point("l2", (-1.0, 0.8), 1.0, 0.6), (0.1, -0.2)
    truth = certified_value(problem, theta, radius=1e-16)
    axes = (np.array(theta[:1]), np.array(theta[1:]))
    with flint.ctx.workprec(128):
        exact = frame(problem, 1.0, 1.0)
        panels = plan(exact, np.array([theta]), 1e-16, np.inf).panels
        assert panels.ray is not None
        assert panels.across is not None
        few = replace(panels, ray=replace(panels.ray, order=ray), across=replace(panels.across, order=across))
        (ball,) = _balls(exact, few, axes, np.array([theta]), Meter(1.0, None))
    assert (ball.value.mid() - truth.value).abs_lower() > 1e-16
    assert ball.radius < 0.01
    assert ball.value.overlaps(truth.value)


def growth_case(
    name: str,
) -> tuple[Problem, tuple[float, float], float, float, float, tuple[float, float], Any]:
    """(problem, theta, gamma, beta, w, (half, strip) of a panel, middle): where the named factor is indispensable."""
    if name == "gauss":  # no loss: the Gaussian alone grows
        return single_point("clean", (0.0, 0.0), 1.0, 0.0), (0.0, 0.0), 2.0, 1.0, 0.0, (0.5, 1.5), 0.0
    if name == "pole":  # the margin comes close to i pi, the pole of the loss
        return single_point("clean", (1.0, 0.0), 1.0, 0.0), (0.0, 0.0), 0.001, 3.0, 0.0, (1.0, 1.78), 0.0
    if name == "kink":  # the largest value at a kink, which the panel ends at
        return single_point("linf", (0.0, 0.0), 1.0, 1.0), (0.0, 0.0), 0.001, 50.0, 0.0, (0.14, 2.0), 0.14
    # The largest value on the axis of w, and a panel across that axis: the cone's radius shrinks with |s|.
    slope = (1.0 - 3.0) / (1.0 + np.e)
    return single_point("l2", (0.0, 3.0), 1.0, 1.0), (0.0, 0.5 + slope / 0.1), 0.1, 50.0, 0.5, (0.2, 1.5), 0.0


@pytest.mark.parametrize("name", ["gauss", "pole", "kink", "cone"])
def test_the_integrand_on_the_ellipse_stays_below_its_bound_and_every_factor_is_needed(name: str) -> None:
    problem, theta, gamma, beta, w, (half, strip), middle = growth_case(name)
    ((first, second),), epsilon, kappa = problem.X.tolist(), problem.epsilon, beta * gamma
    around = np.exp(1j * np.linspace(0, 2 * np.pi, 401))
    z = middle + half * (np.exp(strip) * around + np.exp(-strip) / around) / 2
    size = {"cone": np.sqrt(z**2 + w**2), "kink": z + w}.get(name, 0 * z)
    loss = np.log(1 + np.exp(epsilon * size - first * z - second * w))
    energy = beta * loss + kappa / 2 * ((z - theta[0]) ** 2 + (w - theta[1]) ** 2)
    exact = frame(problem, gamma, beta)
    (weights,), (direction,) = best_weights(exact, np.array([theta]))
    top = minorant(exact, (arb(theta[0]), arb(theta[1])), weights, direction).top
    largest = -energy.real.min() - float(top.log())
    # With k = 0, what is left beside (64/15)/(1 - e^{-2 tau}) is the log of M/top.
    slope = steepest(exact, 0)
    bound = float(log_gauss(exact, arb(half), slope, 0, strip, w, max(0.0, middle - half)))
    growth = bound - np.log(64 / 15) + np.log1p(-np.exp(-2 * strip))
    height, beyond = half * np.sinh(strip), half * (np.cosh(strip) - 1)
    factor = {
        "gauss": kappa * height**2 / 2,
        "pole": -beta * np.log(np.cos(float(slope) * height / 2)),
        "kink": 2 * beta * epsilon * beyond,
        "cone": beta * epsilon * height,
    }[name]
    assert largest <= growth + 1e-12
    assert largest > growth - factor


def test_a_domain_that_meets_a_singularity_has_no_bound() -> None:
    clean, cone = (frame(single_point(name, (1.0, 0.0), 1.0, 0.5), 1.0, 1.0) for name in ("clean", "l2"))
    half, slope = arb(1), arb(1)
    # A pole of the loss where slope |s| = pi.
    assert np.isfinite(float(log_gauss(clean, half, slope, 9, np.arcsinh(3.1), 0.0, 0.0)))
    assert float(log_gauss(clean, half, slope, 9, np.arcsinh(3.2), 0.0, 0.0)) == np.inf
    # The cone's cut, x = 0 and |s| >= 0.5: ellipses that reach 0.2 and 0.4 beyond a panel 0.3 away from it, or that
    # cross x = 0 with |s| up to 0.4 and 0.6.
    for beyond, away, finite in ((0.2, 0.3, True), (0.4, 0.3, False)):
        bound = log_gauss(cone, half, slope, 9, np.arccosh(1 + beyond), 0.5, away)
        assert np.isfinite(float(bound)) == finite
    for height, finite in ((0.4, True), (0.6, False)):
        bound = log_gauss(cone, half, slope, 9, np.arcsinh(height), 0.5, 0.0)
        assert np.isfinite(float(bound)) == finite


def test_a_minorant_lies_below_for_any_weights_and_is_nearly_the_best_for_its_own() -> None:
    rng = np.random.default_rng(5)
    points = rng.normal(size=(400, 2)) * 2
    for p, gamma, beta in ((2.0, 0.5, 3.0), (np.inf, 2.0, 1.0)):
        problem, theta = replace(THREE, p=p), np.array(THETA)
        exact = frame(problem, gamma, beta)
        energy = beta * (problem.loss(points) + gamma / 2 * ((points - theta) ** 2).sum(axis=-1))
        weights, directions = best_weights(exact, theta[None])
        turned = rng.normal(size=2)
        tries = [
            (weights[0], directions[0]),
            (rng.random(3), turned / np.abs(turned).sum()),
            (np.array([0.0, 1.0, 0.5]), 0 * turned),
        ]
        for w, v in tries:
            lower = minorant(exact, (arb(theta[0]), arb(theta[1])), w, v)
            shift = points - np.array([float(c) for c in lower.centre])
            assert (
                -energy <= np.log(float(lower.top)) - beta * gamma / 2 * (shift**2).sum(axis=-1) + 1e-12
            ).all()
        best = minorant(exact, (arb(theta[0]), arb(theta[1])), weights[0], directions[0])
        centre = np.array([float(c) for c in best.centre])
        peak = beta * (problem.loss(centre) + gamma / 2 * ((centre - theta) ** 2).sum())
        assert -peak > np.log(float(best.top)) - 0.1
