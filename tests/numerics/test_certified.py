"""Holds the certified -F(theta) of Eq. (10) to integrals of one variable, to a polar rule in floats and to closed
forms, and each of its error bounds to the error that is really made.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import flint
import numpy as np
import pytest
from certified_tools import THETA, THREE, acb, arb, distance, entries

from numerics.local_entropy.certified import (
    RADIUS,
    certified_local_entropy,
    certified_surface,
    certified_value,
)
from numerics.local_entropy.certified_frame import frame, minorant
from numerics.local_entropy.result import QuadratureFailure
from numerics.problem import Problem, single_point

FALSE_SHIFT = 1e-11  # ten radii: a false twin that every enclosure must exclude


FLOAT_ACCURACY = 2e-12  # of the polar rule in floats: sums of about 1e5 terms, and second moments that cancel


def by_one_variable(problem: Problem, theta: Any, gamma: Any, beta: Any) -> Any:
    """-F for one data point and p = 1, inf or epsilon = 0, by rigorous integration over one variable.

    In each of four right-angled wedges t = u e + v f, u, v >= 0, the margin is A u + B v. Along the lines where it
    is constant the Gaussian integrates to error functions.
    """
    (x,), y = problem.X.tolist(), int(problem.y[0])
    root = arb(0.5).sqrt()
    if problem.p == 1:
        corners, share = [(root, root), (root, -root), (-root, -root), (-root, root)], root
    else:
        corners, share = [(arb(a), arb(b)) for a, b in ((1, 0), (0, 1), (-1, 0), (0, -1))], arb(1)
    total = arb(0)
    for k, e in enumerate(corners):
        f = corners[(k + 1) % 4]
        a, b = (y * (x[0] * w[0] + x[1] * w[1]) - problem.epsilon * share for w in (e, f))
        p, q = (theta[0] * w[0] + theta[1] * w[1] for w in (e, f))
        total += wedge(arb(a), arb(b), p, q, arb(gamma) * beta, arb(beta))
    return -total.log()


def wedge(a: Any, b: Any, p: Any, q: Any, kappa: Any, beta: Any) -> Any:
    """The integral of (1 + exp(-(a u + b v)))^-beta exp(-(kappa/2) ((u - p)^2 + (v - q)^2)) over u, v >= 0."""
    size = (a * a + b * b).sqrt()
    s0, t0 = (a * p + b * q) / size, (a * q - b * p) / size
    rate, end = (kappa / 2).sqrt(), abs(s0) + 16 / kappa.sqrt()
    total = arb(0)
    for sign in (1, -1):
        # u = (a s - b t)/size >= 0 and v = (b s + a t)/size >= 0 bound t by multiples of s.
        low: list[Any] = []
        high: list[Any] = []
        (high if b > 0 else low).append(a / b)
        (low if a > 0 else high).append(-b / a)
        low_at = max(low, key=lambda m: float(sign * m)) if low else None
        high_at = min(high, key=lambda m: float(sign * m)) if high else None
        if low_at is not None and high_at is not None and sign * high_at < sign * low_at:
            continue

        def integrand(s: Any, analytic: bool, low_at: Any = low_at, high_at: Any = high_at) -> Any:
            upper = acb(1) if high_at is None else (rate * (s * high_at - t0)).erf()
            lower = acb(-1) if low_at is None else (rate * (s * low_at - t0)).erf()
            loss = (1 + (-size * s).exp()).log(analytic=analytic)
            return (-beta * loss - kappa / 2 * (s - s0) * (s - s0)).exp() * (upper - lower)

        ends = (0, end) if sign > 0 else (-end, 0)
        total += acb.integral(integrand, *ends).real
    return total * (arb.pi() / (2 * kappa)).sqrt()


def by_polar_rule(
    problem: Problem, theta: Any, gamma: float, beta: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """-F, gradient and Hessian for any data: Gauss in radius and, between multiples of 45 degrees, in angle."""
    theta, kappa = np.asarray(theta, dtype=float), beta * gamma
    radius = np.hypot(*theta) + np.abs(problem.X).max() / gamma + problem.epsilon / gamma + 9 / np.sqrt(kappa)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    r, r_weights = composite(0.0, float(radius), 16, nodes, weights)
    angle, angle_weights = composite(0.0, 2 * np.pi, 16, nodes, weights)
    t = r[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    exponent = -beta * problem.loss(t) - kappa / 2 * ((t - theta) ** 2).sum(axis=-1)
    mass = np.exp(exponent - exponent.max()) * (r * r_weights)[:, None] * angle_weights
    share = mass / mass.sum()
    mean = (share[..., None] * (t - theta)).sum(axis=(0, 1))
    centred = t - theta - mean
    covariance = np.einsum("ra,rai,raj->ij", share, centred, centred)
    value = -np.log(mass.sum()) - exponent.max()
    return float(value), -kappa * mean, kappa * np.eye(2) - kappa**2 * covariance


def composite(
    low: float, high: float, panels: int, nodes: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    half = (high - low) / panels / 2
    middles = low + half * (2 * np.arange(panels) + 1)
    return (middles[:, None] + half * nodes).ravel(), np.tile(half * weights, panels)


ONE_POINT = [
    ("linf", 0.3, 1.0),
    ("linf", 1.0, 1.0),
    ("linf", 10.0, 1.0),
    ("linf", 0.7, 3.5),
    ("l1", 1.0, 1.0),
    ("l1", 2.0, 0.4),
    ("clean", 0.5, 2.0),
]


@pytest.mark.parametrize(("name", "gamma", "beta"), ONE_POINT)
def test_the_enclosure_meets_the_integral_over_one_variable_and_excludes_a_false_twin(
    name: str, gamma: float, beta: float
) -> None:
    problem = single_point(name, (-1.0, 0.8), 1.0, 0.6)
    ball = certified_value(problem, THETA, gamma=gamma, beta=beta)
    with flint.ctx.workprec(100):
        truth = by_one_variable(problem, THETA, gamma, beta)
        assert truth.rad() < 1e-18
        assert ball.value.overlaps(truth)
        assert not ball.value.overlaps(truth + FALSE_SHIFT)
    assert ball.radius <= RADIUS
    assert ball.derivative_radius <= 10 * RADIUS


@pytest.mark.parametrize(("name", "gamma", "beta"), [("linf", 1.0, 1.0), ("l1", 2.0, 0.4)])
def test_gradient_and_hessian_are_the_derivatives_of_the_integral_over_one_variable(
    name: str, gamma: float, beta: float
) -> None:
    problem = single_point(name, (-1.0, 0.8), -1.0, 0.6)
    ball = certified_value(problem, THETA, gamma=gamma, beta=beta)
    with flint.ctx.workprec(128):
        fd_step = arb(2) ** -24

        def at(i: int, j: int) -> Any:
            return by_one_variable(problem, (THETA[0] + i * fd_step, THETA[1] + j * fd_step), gamma, beta)

        middle, right, left, up, down = at(0, 0), at(1, 0), at(-1, 0), at(0, 1), at(0, -1)
        cross = (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * fd_step**2)
        differences = [
            *((right - left) / (2 * fd_step), (up - down) / (2 * fd_step)),
            *((right - 2 * middle + left) / fd_step**2, cross, cross, (up - 2 * middle + down) / fd_step**2),
        ]
    # Differences of this step err by about 1e-15 times a fourth derivative.
    for ball_entry, difference in zip(entries(ball)[1:], differences, strict=True):
        assert distance(ball_entry, float(difference)) < 1e-13 + 2 * ball.derivative_radius


@pytest.mark.parametrize(("theta", "gamma", "beta"), [((0.0, 0.0), 1.0, 1.0), ((-1.3, 0.4), 0.4, 2.5)])
def test_without_data_the_l2_value_is_a_radial_integral_with_a_bessel_function(
    theta: tuple[float, float], gamma: float, beta: float
) -> None:
    epsilon = 0.6
    ball = certified_value(single_point("l2", (0.0, 0.0), 1.0, epsilon), theta, gamma=gamma, beta=beta)
    with flint.ctx.workprec(100):
        kappa, far = arb(beta) * gamma, (arb(theta[0]) ** 2 + arb(theta[1]) ** 2).sqrt()

        def integrand(r: Any, analytic: bool) -> Any:
            loss = (1 + (r * epsilon).exp()).log(analytic=analytic)
            gauss = (-beta * loss - kappa / 2 * (r * r + far * far)).exp()
            return 2 * arb.pi() * r * gauss * (acb(kappa * far) * r).bessel_i(acb(0))

        truth = -acb.integral(integrand, 0, far + 16 / kappa.sqrt()).real.log()
        assert truth.rad() < 1e-18
        assert ball.value.overlaps(truth)
        assert not ball.value.overlaps(truth - FALSE_SHIFT)


def test_a_constant_loss_leaves_a_gaussian() -> None:
    theta, gamma, beta = (3.0, -7.0), 0.8, 2.5
    ball = certified_value(single_point("clean", (0.0, 0.0), 1.0, 0.0), theta, gamma=gamma, beta=beta)
    with flint.ctx.workprec(100):
        kappa = arb(gamma) * beta
        assert ball.value.overlaps(beta * arb(2).log() - (2 * arb.pi() / kappa).log())
    assert all(part.contains(arb(0)) for part in entries(ball)[1:])


@pytest.mark.parametrize("p", [1.0, 2.0, np.inf])
@pytest.mark.parametrize(
    ("theta", "gamma", "beta"), [(THETA, 0.9, 1.0), ((1.4, 0.2), 3.0, 4.5), ((0.0, 0.0), 0.5, 1.7)]
)
def test_a_dataset_agrees_with_a_polar_rule_in_floats(
    p: float, theta: tuple[float, float], gamma: float, beta: float
) -> None:
    problem = replace(THREE, p=p)
    ball = certified_value(problem, theta, gamma=gamma, beta=beta)
    value, gradient, hessian = by_polar_rule(problem, theta, gamma, beta)
    for part, number in zip(entries(ball), [value, *gradient, *hessian.ravel()], strict=True):
        assert distance(part, number) < FLOAT_ACCURACY
    wrong = certified_value(replace(problem, epsilon=1.01 * problem.epsilon), theta, gamma=gamma, beta=beta)
    assert distance(wrong.value, value) > 1e-4


@pytest.mark.parametrize("p", [1.0, 2.0, np.inf])
def test_enclosures_of_different_radii_overlap_and_keep_their_promise(p: float) -> None:
    problem = replace(THREE, p=p)
    finest = certified_value(problem, THETA, radius=1e-20)
    for radius in (1e-1, 1e-12):
        ball = certified_value(problem, THETA, radius=radius)
        assert ball.radius <= radius
        assert all(a.overlaps(b) for a, b in zip(entries(ball), entries(finest), strict=True))
    assert 0 < finest.radius <= 1e-20


@pytest.mark.parametrize("name", ["linf", "l2", "l1"])
def test_points_that_the_data_makes_equal_have_equal_values(name: str) -> None:
    # x = (-1, 1): the loss keeps its value under (t1, t2) -> (-t2, -t1).
    problem = single_point(name, (-1.0, 1.0), 1.0, 0.6)
    ball, mirrored = (certified_value(problem, theta, gamma=2.0) for theta in (THETA, (0.68, -0.32)))
    other = certified_value(problem, (0.68, 0.32), gamma=2.0)
    assert ball.value.overlaps(mirrored.value)
    assert ball.gradient[0].overlaps(-mirrored.gradient[1])
    assert ball.hessian[0][0].overlaps(mirrored.hessian[1][1])
    assert not ball.value.overlaps(other.value)


@pytest.mark.parametrize("name", ["linf", "l2", "l1", "clean"])
def test_a_surface_holds_the_enclosures_of_its_points(name: str) -> None:
    problem = single_point(name, (-1.0, 0.7), 1.0, 0.6)
    axes = (np.array([-1.1, 0.0, 0.3, 2.0]), np.array([-0.5, 0.0, 1.7]))
    surface = certified_surface(problem, axes, gamma=1.5, beta=1.2)
    assert surface.hessian is not None
    assert surface.error.max() < RADIUS
    assert surface.derivative_error.max() < 10 * RADIUS
    for i, j in ((0, 2), (1, 1), (3, 0)):
        ball = certified_value(problem, (axes[0][i], axes[1][j]), gamma=1.5, beta=1.2)
        assert distance(ball.value, surface.value[i, j]) <= surface.error[i, j] + ball.radius
        numbers = [*surface.gradient[i, j], *surface.hessian[i, j].ravel()]
        for part, number in zip(entries(ball)[1:], numbers, strict=True):
            assert distance(part, number) <= surface.derivative_error[i, j] + ball.derivative_radius
    again = certified_surface(problem, axes, gamma=1.5, beta=1.2)
    assert np.array_equal(again.value, surface.value)
    assert np.array_equal(again.gradient, surface.gradient)


def test_progress_says_that_a_smaller_gamma_needs_more_nodes() -> None:
    problem = single_point("linf", (-1.0, 1.0), 1.0, 0.6)
    counts = []
    for gamma in (2.0, 0.2):
        lines: list[str] = []
        certified_value(problem, THETA, gamma=gamma, progress=lines.append)
        assert f"gamma = {gamma:g}" in lines[0]
        assert "the smaller gamma, the more nodes" in lines[0]
        assert lines[-1].startswith("100%")
        counts.append(float(lines[0].split(": ")[1].split(" ")[0]))
    assert counts[1] > 5 * counts[0]


def test_the_rounded_face_carries_the_enclosure() -> None:
    result = certified_local_entropy(THREE, THETA, gamma=2.0)
    ball = certified_value(THREE, THETA, gamma=2.0)
    assert result.method == "certified"
    assert 0 < result.error < RADIUS
    assert distance(ball.value, result.value) <= result.error
    numbers = [*result.gradient, *result.hessian.ravel()]
    worst = max(distance(part, n) for part, n in zip(entries(ball)[1:], numbers, strict=True))
    assert worst <= result.derivative_error < 10 * RADIUS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"theta": (np.nan, 0.0)}, "theta has entries that are not finite"),
        ({"theta": (1.0, 2.0, 3.0)}, "theta has shape"),
        ({"gamma": 0.0}, "gamma = 0"),
        ({"gamma": -1.0}, "gamma = -1"),
        ({"beta": np.inf}, "beta = inf"),
        ({"radius": 0.0}, "radius = 0"),
        ({"problem": replace(THREE, p=3.0)}, "p = 3 .*p = 1, 2, inf"),
        ({"problem": replace(THREE, model="swish")}, "model = 'swish' .*linear"),
        ({"problem": replace(THREE, X=np.ones((3, 4)))}, "4 weights"),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"problem": THREE, "theta": THETA, "gamma": 1.0} | change
    with pytest.raises(ValueError, match=words):
        certified_value(arguments.pop("problem"), arguments.pop("theta"), **arguments)


@pytest.mark.parametrize("axes", [(np.array([0.0, np.nan]), np.ones(2)), (np.zeros(0), np.ones(2))])
def test_a_surface_refuses_axes_without_finite_points(axes: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="axes"):
        certified_surface(THREE, axes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gamma": 1e-7}, "nodes for 3 data points"),
        ({"most_evaluations": 100.0}, "most_evaluations = 1e\\+02"),
        ({"theta": (1e20, 0.0)}, "standard deviations"),
        ({"gamma": 1e-120}, "beta gamma = 1e-120"),
    ],
)
def test_a_radius_out_of_reach_is_a_failure_and_no_number(change: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"theta": THETA} | change
    with pytest.raises(QuadratureFailure, match=words):
        certified_value(THREE, arguments.pop("theta"), **arguments)


def test_a_direction_outside_the_ball_is_shortened_before_it_proves_anything() -> None:
    """v = (1, 1) has norm sqrt 2: for L2 the bound ||t||_q >= v.t would fail on the diagonal."""
    problem = single_point("l2", (-1.0, 1.0), 1.0, 0.6)
    exact = frame(problem, 1.0, 1.0)
    origin, weights = (arb(0), arb(0)), np.array([1.0])
    far, inside = (minorant(exact, origin, weights, np.array(v)) for v in ((1.0, 1.0), (0.5**0.5, 0.5**0.5)))
    assert float((far.top - inside.top).abs_upper()) < 1e-12
    box = frame(single_point("linf", (-1.0, 1.0), 1.0, 0.6), 1.0, 1.0)
    assert float(abs(minorant(box, origin, weights, np.array((1.0, 1.0))).top - far.top)) > 1e-3
