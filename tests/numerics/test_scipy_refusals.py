"""Where scipy's routes to -F fail: a false value is refused, a warning is no number, bad arguments are named."""

from __future__ import annotations

import json
import pickle
import warnings

import numpy as np
import pytest
from scipy import integrate
from scipy_routes_tools import THETA, panels, polar_truth

from numerics.local_entropy import scipy_routes
from numerics.local_entropy.result import QuadratureFailure, check_arguments
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
from numerics.problem import Problem


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
