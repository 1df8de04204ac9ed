"""The three scipy routes to -F(theta) against closed forms, Gauss-Hermite, a polar Gauss rule and each other; how they
refuse, and how they are wrong without a word where the box is badly chosen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy_routes_tools import THETA, moments_to_fields, panels, polar_truth

from numerics.local_entropy.result import LocalEntropy
from numerics.local_entropy.scipy_failures import (
    fig2_problem,
)
from numerics.local_entropy.scipy_routes import ROUTES, cubature, dblquad, nquad
from numerics.local_entropy.window import highest_point, scalar_loss, steepest_loss, window
from numerics.problem import Problem, named, single_point

ROUNDING = 1e-13  # of float64 numbers of size 10 and below, summed a few thousand times


def dataset(loss: str, points: int = 5, model: str = "linear") -> Problem:
    """Asymmetric points, labels of both signs."""
    X = np.random.default_rng(7).normal(size=(points, 2)) * [1.0, 0.6]
    return Problem(X, np.sign(X[:, 0]), *named(loss, 0.6), model)


def hermite_truth(problem, theta, gamma, beta, order=90):
    """-F by the tensor Gauss-Hermite rule around theta, exact to rounding for a smooth loss."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(order)
    scale = np.sqrt(beta * gamma)
    points = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1) / scale + np.asarray(theta)
    # The rule holds the Gaussian, so that only the loss is left in the exponent.
    value, gradient, hessian = moments_to_fields(
        -beta * problem.loss(points), np.outer(weights, weights), np.asarray(theta), points, beta * gamma
    )
    return value + np.log(beta * gamma), gradient, hessian


def assert_within_claims(result: LocalEntropy, truth) -> None:
    value, gradient, hessian = truth
    assert abs(result.value - value) <= result.error + ROUNDING
    # The reference divides the precision's square by cancelling moments.
    spread = ROUNDING * np.abs(hessian).max() * 100
    assert np.abs(result.gradient - gradient).max() <= result.derivative_error + spread
    assert np.abs(result.hessian - hessian).max() <= result.derivative_error + spread


@pytest.mark.parametrize("route", ROUTES.values())
@pytest.mark.parametrize(("gamma", "beta"), [(0.01, 1.0), (3.0, 20.0), (1e6, 2.0)])
def test_a_constant_loss_has_the_closed_form(route, gamma, beta):
    result = route(single_point("clean", (0.0, 0.0), 1.0, 0.6), (70.0, -3.0), gamma, beta)
    closed = beta * np.log(2) - np.log(2 * np.pi / (beta * gamma))
    assert abs(result.value - closed) <= result.error <= 1e-8
    assert np.abs(result.gradient).max() <= result.derivative_error
    assert np.abs(result.hessian).max() <= result.derivative_error
    # The twins without beta, in the loss and in the Gaussian, are told apart.
    assert abs(result.value - (np.log(2) - np.log(2 * np.pi / (beta * gamma)))) > result.error or beta == 1
    assert abs(result.value - (beta * np.log(2) - np.log(2 * np.pi / gamma))) > result.error or beta == 1


@pytest.mark.parametrize("route", ROUTES.values())
def test_a_smooth_loss_agrees_with_gauss_hermite(route):
    problem = dataset("clean", points=1)
    result = route(problem, (0.9, -1.7), 2.5, 1.5)
    assert_within_claims(result, hermite_truth(problem, (0.9, -1.7), 2.5, 1.5))
    # What the derivatives are of: the Hessian is not the one with gamma in place of beta gamma.
    assert (
        np.abs(result.hessian - hermite_truth(problem, (0.9, -1.7), 2.5, 1.0)[2]).max()
        > result.derivative_error
    )


@pytest.mark.parametrize(
    ("route", "loss", "theta", "gamma", "beta"),
    [
        (cubature, "l2", THETA, 1.0, 1.0),
        (cubature, "l2", (-1.3, 1.1), 10.0, 3.0),
        (cubature, "l2", (0.0, 0.1), 0.3, 8.0),
        (cubature, "linf", THETA, 1.0, 1.0),
        (cubature, "linf", (-1.3, 1.1), 10.0, 3.0),
        (cubature, "linf", (0.0, 0.1), 0.3, 8.0),
        (nquad, "l2", (-1.3, 1.1), 10.0, 3.0),
        (nquad, "linf", (0.0, 0.1), 0.3, 8.0),
    ],
)
def test_kinked_losses_agree_with_a_polar_rule(route, loss, theta, gamma, beta):
    problem = fig2_problem(loss)
    assert_within_claims(
        route(problem, theta, gamma, beta, tolerance=1e-7), polar_truth(problem, theta, gamma, beta)
    )


def test_the_diagonals_of_l1_are_break_points_of_nquad():
    problem = fig2_problem("l1")
    result = nquad(problem, THETA, 1.0, 1.0, tolerance=1e-6)
    assert_within_claims(result, polar_truth(problem, THETA, 1.0, 1.0))
    seen = window(problem, np.array(THETA), 1.0, 1.0, None)
    at = 0.7  # an outer u1; the inner break points are where theta_1' = +-theta_2'
    second = seen.centre[1] + at / seen.scale
    places = sorted(seen.centre[0] + u / seen.scale for u in seen.kinks(at))
    assert places == pytest.approx(sorted([-second, second]))


def test_dblquad_agrees_with_a_polar_rule_where_it_answers():
    problem = fig2_problem("linf")
    assert_within_claims(
        dblquad(problem, (-1.3, 1.1), 10.0, 3.0, tolerance=1e-6), polar_truth(problem, (-1.3, 1.1), 10.0, 3.0)
    )


@pytest.mark.parametrize(
    ("problem", "gamma", "beta"),
    [
        (dataset("linf"), 4.0, 2.0),
        (dataset("l3", points=1), 5.0, 1.0),
        (dataset("linf", points=1, model="swish"), 6.0, 1.0),
        (single_point("l2", (1.0, 2.0), -1.0, 0.6, "swish"), 5.0, 2.0),
    ],
    ids=["data, linf", "l3", "swish, linf", "swish, l2, y = -1"],
)
def test_the_routes_agree_within_their_errors(problem, gamma, beta):
    first, second = (route(problem, (1.2, -0.8), gamma, beta, tolerance=1e-5) for route in (nquad, cubature))
    assert abs(first.value - second.value) <= first.error + second.error <= 2e-5
    allowed = first.derivative_error + second.derivative_error
    assert np.abs(first.gradient - second.gradient).max() <= allowed
    assert np.abs(first.hessian - second.hessian).max() <= allowed


@pytest.mark.parametrize("route", [nquad, cubature])
@pytest.mark.parametrize(
    ("theta", "gamma", "beta"), [(THETA, 1.0, 1e3), ((300.0, -70.0), 1.0, 1.0), (THETA, 1e6, 1.0)]
)
def test_large_beta_large_gamma_and_a_far_theta_are_safe(route, theta, gamma, beta):
    """The truth by a Gauss rule on the four quarters around the maximum, 9 standard deviations wide."""
    problem = fig2_problem("linf")
    result = route(problem, theta, gamma, beta)
    top = highest_point(problem, np.array(theta), gamma, beta)
    half = 9 / np.sqrt(beta * gamma)
    axes = []
    for centre in top:
        ends = np.unique([centre - half, np.clip(0.0, centre - half, centre + half), centre, centre + half])
        pieces = [panels(a, b, 8) for a, b in pairwise(ends)]
        axes.append([np.concatenate(column) for column in zip(*pieces, strict=True)])
    (first, w0), (second, w1) = axes
    points = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1)
    E = -beta * problem.loss(points) - beta * gamma / 2 * ((points - np.array(theta)) ** 2).sum(axis=-1)
    value, *_ = moments_to_fields(E, np.outer(w0, w1), np.array(theta), points, beta * gamma)
    assert abs(result.value - value) <= result.error


def test_a_wide_box_is_cut_beside_the_axes_too_where_a_quadrant_would_look_empty():
    """At gamma = 1e-5 the mass of two quadrants lies within a three-thousandth of the box around the origin."""
    theta = np.array(THETA)
    assert window(fig2_problem("linf"), theta, 1.0, 1.0, None).steps() == pytest.approx([0.0])
    seen = window(fig2_problem("linf"), theta, 1e-5, 1.0, None)
    fade = seen.scale / steepest_loss(fig2_problem("linf"))
    assert seen.steps() == pytest.approx(fade * np.array([-64.0, -1.0, 0.0, 1.0, 64.0]))
    origin = -seen.scale * seen.centre
    corners = seen.corners()
    assert corners[0] == pytest.approx(origin)
    assert len(corners) == 25
    assert np.abs(np.array(corners) - origin).max() == pytest.approx(64 * fade)
    assert seen.kinks() == pytest.approx(origin[1] + seen.steps())
    assert seen.kinks(0.5) == pytest.approx(origin[0] + seen.steps())
    # A box beside the axes is cut nowhere, one across a single axis there alone.
    assert window(fig2_problem("linf"), theta, 1.0, 1.0, ((1, 2), (1, 2))).corners() == []
    across = window(fig2_problem("linf"), theta, 1.0, 1.0, ((-1, 2), (1, 2)))
    (corner,) = across.corners()
    assert across.centre + corner / across.scale == pytest.approx([0.0, 1.5])


@pytest.mark.parametrize("loss", ["clean", "l1", "l1.5", "l2", "l3", "linf"])
@pytest.mark.parametrize("model", ["linear", "swish"])
@pytest.mark.parametrize("points", [1, 4])
def test_the_loss_of_two_floats_is_the_loss(loss, model, points):
    problem = dataset(loss, points, model)
    scalar = scalar_loss(problem)
    for a, b in [
        (0.0, 0.0),
        (0.0, -1.3),
        (2.0, 2.0),
        (-900.0, 1e3),
        *np.random.default_rng(1).normal(size=(20, 2)),
    ]:
        assert scalar(float(a), float(b)) == pytest.approx(float(problem.loss([a, b])), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(
    "problem", [dataset("linf"), dataset("l2"), dataset("l1", 3, "swish"), fig2_problem("linf")]
)
@pytest.mark.parametrize(("gamma", "beta"), [(0.2, 1.0), (5.0, 30.0)])
def test_no_point_lies_higher_than_the_highest_and_the_mass_is_within_its_bounds(problem, gamma, beta):
    theta = np.array(THETA)
    top = highest_point(problem, theta, gamma, beta)

    def energy(points):
        return problem.loss(points) + gamma / 2 * ((points - theta) ** 2).sum(axis=-1)

    spread = np.array([1e-6, 1e-3, 0.1, 1.0, 10.0])[:, None, None]
    others = top + spread * np.random.default_rng(2).normal(size=(5, 200, 2))
    assert (energy(others) >= energy(top) - 1e-12 * (1 + energy(top))).all()
    seen = window(problem, theta, gamma, beta, None)
    mass = np.exp(-cubature(problem, theta, gamma, beta, tolerance=1e-3).value - seen.peak) * beta * gamma
    assert seen.least * (1 - 2e-3) <= mass <= seen.most * (1 + 2e-3)


def test_swish_has_two_maxima_and_the_higher_one_is_found():
    """x = (1, 0), y = -1, no attack: L falls to its minimum at a score of -1.28 and rises again to log 2 at -inf."""
    problem = single_point("clean", (1.0, 0.0), -1.0, 0.6, "swish")
    scores = np.linspace(-40, 10, 200001)
    for start in (-12.0, -2.0, 1.0):
        gamma = 0.002
        energy = problem.loss(np.stack([scores, 0 * scores], -1)) + gamma / 2 * (scores - start) ** 2
        top = highest_point(problem, np.array([start, 0.0]), gamma, 1.0)
        assert top[0] == pytest.approx(scores[energy.argmin()], abs=5e-4)
