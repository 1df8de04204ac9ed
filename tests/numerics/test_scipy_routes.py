"""The three scipy routes to -F(theta) against closed forms, Gauss-Hermite, a polar Gauss rule and each other; how they
refuse, and how they are wrong without a word where the box is badly chosen."""

from __future__ import annotations

import json
import pickle
import warnings
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from numerics.local_entropy import scipy_routes
from numerics.local_entropy.result import LocalEntropy, QuadratureFailure, check_arguments
from numerics.local_entropy.scipy_failures import (
    EMPTY,
    REFUSED,
    RIGHT,
    SILENT,
    Case,
    failure_cases,
    failure_table,
    fig2_problem,
    first_written,
    outcome,
    square,
)
from numerics.local_entropy.scipy_routes import ROUTES, available, cubature, dblquad, nquad
from numerics.local_entropy.window import highest_point, scalar_loss, steepest_loss, window
from numerics.problem import Problem, named, single_point

THETA = (0.32, -0.68)
ROUNDING = 1e-13  # of float64 numbers of size 10 and below, summed a few thousand times


def dataset(loss: str, points: int = 5, model: str = "linear") -> Problem:
    """Asymmetric points, labels of both signs."""
    X = np.random.default_rng(7).normal(size=(points, 2)) * [1.0, 0.6]
    return Problem(X, np.sign(X[:, 0]), *named(loss, 0.6), model)


def moments_to_fields(E, weights, theta, points, precision):
    """-F, gradient and Hessian from the exponent at weighted points, (..., 2)."""
    mass = (np.exp(E - E.max()) * weights).ravel()
    away = (points - theta).reshape(-1, 2)
    total = mass.sum()
    mean = mass @ away / total
    square_ = (away * mass[:, None]).T @ away / total
    covariance = square_ - np.outer(mean, mean)
    return -E.max() - np.log(total), -precision * mean, precision * np.eye(2) - precision**2 * covariance


def panels(low, high, count, order=24):
    nodes, weights = np.polynomial.legendre.leggauss(order)
    ends = np.linspace(low, high, count + 1)
    half, middle = np.diff(ends)[:, None] / 2, (ends[1:] + ends[:-1])[:, None] / 2
    return (middle + half * nodes).ravel(), (half * weights).ravel()


def polar_truth(problem, theta, gamma, beta):
    """-F by Gauss rules in polar coordinates around 0: r |u(phi)| is smooth in r, and in phi between the kinks of the
    norm, which lie on multiples of 45 degrees for p = 1, 2, inf."""
    theta = np.asarray(theta, dtype=float)
    half = min(steepest_loss(problem) / gamma, np.sqrt(2 * problem.loss(theta) / gamma)) + 11 / np.sqrt(
        beta * gamma
    )
    radius, radial = panels(max(0.0, np.hypot(*theta) - half), np.hypot(*theta) + half, 30)
    parts = [panels(k * np.pi / 4, (k + 1) * np.pi / 4, 5) for k in range(8)]
    angle, angular = (np.concatenate(column) for column in zip(*parts, strict=True))
    points = radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    E = -beta * problem.loss(points) - beta * gamma / 2 * ((points - theta) ** 2).sum(axis=-1)
    return moments_to_fields(E, (radial * radius)[:, None] * angular, theta, points, beta * gamma)


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


def test_a_box_too_small_is_wrong_while_every_route_claims_eight_digits():
    problem, truth = fig2_problem("linf"), polar_truth(fig2_problem("linf"), THETA, 0.1, 1.0)[0]
    for method in ROUTES:
        tried = outcome(Case("", "route", method, "linf", THETA, 0.1, 1.0, square(2.0)), problem, truth)
        assert tried.verdict == SILENT
        assert tried.claimed < 1e-8
        assert tried.true > 1
    tried = outcome(Case("", "first", "dblquad", "linf", THETA, 0.1, 1.0, square(5.0)), problem, truth)
    assert tried.verdict == SILENT
    assert tried.claimed < 1e-8
    assert tried.true > 0.2
    right = outcome(Case("", "route", "cubature", "linf", THETA, 0.1, 1.0, None), problem, truth)
    assert right.verdict == RIGHT
    assert right.true <= right.claimed < 1e-8


def test_the_missing_mass_is_that_outside_the_box():
    """The same integral by two boxes: what the small one misses, a Gauss rule finds between them."""
    problem = fig2_problem("linf")
    small, large = (cubature(problem, THETA, 0.5, 1.0, box=square(half)) for half in (2.0, 14.0))
    axis = [panels(a, b, 6) for a, b in ((-14, -2), (-2, 0), (0, 2), (2, 14))]
    nodes, weights = (np.concatenate(column) for column in zip(*axis, strict=True))
    points = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), axis=-1)
    E = -problem.loss(points) - 0.25 * ((points - np.array(THETA)) ** 2).sum(axis=-1)
    outside = (np.abs(points) > 2).any(axis=-1)
    missed = (np.exp(E) * np.outer(weights, weights))[outside].sum()
    assert np.exp(-large.value) - np.exp(-small.value) == pytest.approx(missed, rel=1e-7)


def test_a_peak_between_the_nodes_is_zero_to_scipy_and_refused_by_the_route():
    problem = fig2_problem("linf")
    truth = polar_truth(problem, THETA, 1e4, 1.0)[0]
    for method in ("dblquad", "cubature"):
        assert first_written(method, problem, THETA, 1e4, 1.0, square(1000.0)) == (np.inf, 0.0)
        tried = outcome(Case("", "first", method, "linf", THETA, 1e4, 1.0, square(1000.0)), problem, truth)
        assert tried.verdict == SILENT
    with pytest.raises(QuadratureFailure, match="found no mass in the box") as refused:
        dblquad(problem, THETA, 1e4, 1.0, box=square(1000.0))
    assert refused.value.reached == np.inf


def test_an_integral_below_the_absolute_tolerance_promises_no_digit():
    problem = fig2_problem("linf")
    truth = cubature(problem, THETA, 1.0, 100.0).value
    tried = outcome(Case("", "first", "dblquad", "linf", THETA, 1.0, 100.0, square(10.0)), problem, truth)
    assert tried.verdict == EMPTY
    assert tried.true > 1e-3


def test_a_kink_beside_the_middle_of_the_box_makes_dblquad_wrong_without_a_word():
    problem, box = fig2_problem("linf"), ((-13.99, 14.01), (-14.01, 13.99))
    truth = polar_truth(problem, (2.0, 1.0), 1.0, 1.0)[0]
    tried = outcome(Case("", "first", "dblquad", "linf", (2.0, 1.0), 1.0, 1.0, box), problem, truth)
    assert tried.verdict == SILENT
    assert tried.true > 100 * tried.claimed
    aware = outcome(Case("", "route", "nquad", "linf", (2.0, 1.0), 1.0, 1.0, box), problem, truth)
    assert aware.verdict == RIGHT


def test_on_its_own_box_dblquad_notices_the_kink_by_a_second_box(monkeypatch):
    problem = fig2_problem("linf")
    theta = np.array([0.0072, -0.0058])
    theta = theta + problem.gradient(theta)  # its maximum lies at the former theta, beside both axes
    with pytest.raises(QuadratureFailure, match="over another box it finds another integral") as refused:
        dblquad(problem, theta, 1.0, 1.0, tolerance=1e-5)
    assert refused.value.reached > 1e-5
    # Without the second box it answers, and what it claims is false.
    monkeypatch.setattr(scipy_routes, "SECOND_BOX", np.ones((2, 2)))
    trusting = dblquad(problem, theta, 1.0, 1.0, tolerance=1e-5)
    assert abs(trusting.value - nquad(problem, theta, 1.0, 1.0, tolerance=1e-6).value) > 4 * trusting.error


def test_a_missed_tolerance_says_what_was_reached(monkeypatch):
    monkeypatch.setattr(scipy_routes, "MOST_SUBDIVISIONS", 5)
    with pytest.raises(
        QuadratureFailure, match=r"cubature reached an error of .* where tolerance = 1e-10"
    ) as refused:
        cubature(fig2_problem("l1"), THETA, 1.0, 1.0, tolerance=1e-10)
    assert 1e-10 < refused.value.reached < 1
    assert refused.value.asked == 1e-10
    assert "stopped after 5 subdivisions" in str(refused.value)
    copy = pickle.loads(pickle.dumps(refused.value))
    assert (str(copy), copy.reached, copy.method) == (str(refused.value), refused.value.reached, "cubature")


@pytest.mark.parametrize("route", ROUTES.values())
def test_a_tolerance_below_rounding_is_refused_at_once(route):
    with pytest.raises(QuadratureFailure, match="float64 rounds the integrand"):
        route(fig2_problem("linf"), THETA, 1.0, 1.0, tolerance=1e-17)


def test_a_warning_of_scipy_becomes_a_refusal_and_is_not_printed():
    """scipy warns that the integral over so wide a box is probably divergent."""
    case = Case("", "first", "dblquad", "linf", THETA, 1.0, 1.0, square(1000.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tried = outcome(case, fig2_problem("linf"), 0.0)
    assert tried.verdict == REFUSED
    assert "divergent" in tried.reason


def test_a_route_that_scipy_warns_about_gives_no_number(monkeypatch):
    def warned(*args, **kwargs):
        warnings.warn("The error may be underestimated.", integrate.IntegrationWarning, stacklevel=2)
        return 1.0, 1e-20

    monkeypatch.setattr(integrate, "nquad", warned)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(QuadratureFailure, match=r"no bound on the error .* underestimated"):
            nquad(fig2_problem("linf"), THETA, 1.0, 1.0)


def test_a_mass_outside_its_bounds_is_a_missed_peak(monkeypatch):
    monkeypatch.setattr(integrate, "nquad", lambda *args, **kwargs: (1e-12, 1e-30))
    with pytest.raises(QuadratureFailure, match="so it missed the peak"):
        nquad(fig2_problem("linf"), THETA, 1.0, 1.0)
    monkeypatch.setattr(integrate, "nquad", lambda *args, **kwargs: (7.0, 1e-30))
    with pytest.raises(QuadratureFailure, match=r"at most 6\.3"):
        nquad(fig2_problem("linf"), THETA, 1.0, 1.0)


def test_without_cubature_in_scipy_the_others_remain(monkeypatch):
    monkeypatch.delattr(integrate, "cubature")
    with pytest.raises(
        ValueError, match=r"'cubature' needs scipy >= 1\.15: upgrade scipy, or take dblquad or nquad"
    ):
        cubature(fig2_problem("linf"), THETA, 1.0, 1.0)
    assert available() == ("dblquad", "nquad")
    assert {case.method for case in failure_cases()} == {"dblquad", "nquad"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"theta": (0.3, np.nan)}, "theta has entries that are not finite"),
        ({"theta": (0.3, 0.1, 0.2)}, r"theta has shape \(3,\); its last axis must have the 2 weights"),
        ({"theta": [[0.3, 0.1]]}, r"theta has shape \(1, 2\); it must be \(2,\): pass one point at a time"),
        ({"gamma": 0.0}, "gamma = 0; it must be finite and > 0"),
        ({"gamma": "wide"}, "gamma = 'wide' is not a number"),
        ({"beta": -1.0}, "beta = -1; it must be finite and > 0"),
        ({"beta": np.inf}, "beta = inf; it must be finite and > 0"),
        ({"gamma": 1e-200}, "gamma = 1e-200 and beta = 1; beta gamma must lie between 1e-150 and"),
        ({"tolerance": "small"}, "tolerance = 'small' is not a number"),
        ({"tolerance": 0.0}, "tolerance = 0; it must be finite and > 0"),
        ({"tolerance": np.nan}, "tolerance = nan; it must be finite and > 0"),
        ({"box": ((1, -1), (-1, 1))}, "must be two ranges with low < high"),
        ({"box": ((-1, 1),)}, "must be two ranges with low < high"),
        ({"box": "wide"}, "box = 'wide' is not four numbers"),
        (
            {"problem": Problem(np.ones((1, 3)), np.ones(1), 0.6)},
            "problem has 3 weights; .* is computed for 2",
        ),
    ],
)
@pytest.mark.parametrize("route", ROUTES.values())
def test_bad_arguments_are_named(route, changed, message):
    arguments = {"problem": fig2_problem("linf"), "theta": THETA, "gamma": 1.0, "beta": 1.0}
    with pytest.raises(ValueError, match=message):
        route(**arguments | changed)


def test_nquad_takes_no_infinite_box_and_cubature_does():
    box = ((-np.inf, np.inf), (-np.inf, np.inf))
    with pytest.raises(ValueError, match="nquad takes no break points on an infinite range"):
        nquad(fig2_problem("linf"), THETA, 1.0, 1.0, box=box)
    found = cubature(fig2_problem("linf"), THETA, 1.0, 1.0, box=box)
    assert found.value == pytest.approx(cubature(fig2_problem("linf"), THETA, 1.0, 1.0).value, abs=1e-9)


def test_the_result_is_ready_for_json():
    result = cubature(fig2_problem("linf"), THETA, 1.0, 1.0)
    read = json.loads(json.dumps(result.as_json()))
    assert list(read) == ["value", "gradient", "hessian", "error", "derivative_error", "method", "seconds"]
    assert read["value"] == result.value
    assert np.array_equal(read["hessian"], result.hessian)
    assert np.array_equal(result.hessian, result.hessian.T)
    assert read["method"] == "cubature"
    assert 0 < read["seconds"] < 60


def test_arguments_come_back_as_numbers():
    theta, gamma, beta = check_arguments(fig2_problem("l2"), [1, 2], "3", np.float32(0.5))
    assert theta.dtype == float
    assert (gamma, beta) == (3.0, 0.5)


def test_the_failure_table_holds_each_kind_of_failure_and_what_works():
    """A few cheap rows, judged against certified enclosures."""
    rows = failure_table([case for case in failure_cases() if case.group == "theta far away"])
    assert {row.verdict for row in rows} == {SILENT, EMPTY, RIGHT}
    assert all(row.verdict == RIGHT for row in rows if row.case.box is None)
    groups = {case.group for case in failure_cases() if case.writing == "first"}
    assert groups >= {
        "box too small",
        "box too large",
        "large beta",
        "kinks not split",
    }
