"""The fast route to -F(theta) against certified enclosures, closed forms, scipy and itself on other grids."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from numerics.local_entropy import QuadratureFailure, local_entropy, local_entropy_surface, quadrature
from numerics.local_entropy.certified import certified_value
from numerics.local_entropy.loss_on_nodes import loss_on_nodes
from numerics.local_entropy.mass import proximal_point
from numerics.local_entropy.nodes import COARSE, FINE, Rule, axis_nodes
from numerics.local_entropy.scipy_routes import cubature
from numerics.problem import Problem, named, single_point
from numerics.surfaces import grid

AXES = (np.linspace(-2, 2, 9), np.linspace(-1.5, 2, 6))  # not square, not symmetric
ROUNDING = 1e-13  # two float64 routes to numbers of size 10


def dataset(loss: str, points: int = 5, seed: int = 3) -> Problem:
    """Points as in Fig. 4, with the labels of the first coordinate's sign."""
    X = np.random.default_rng(seed).normal(size=(points, 2))
    return Problem(X, np.sign(X[:, 0]), *named(loss, 0.6))


def random_cases(count: int) -> list[tuple]:
    """(loss, gamma, beta, points, theta): log-uniform gamma and beta, thetas on, near and off the kinks."""
    rng = np.random.default_rng(20)
    cases = []
    for k in range(count):
        theta = rng.uniform(-2, 2, size=2) * np.where(rng.random(2) < 0.2, 0, 1)
        gamma, beta = 10 ** rng.uniform(-0.6, 2), 10 ** rng.uniform(-0.5, 1.5)
        cases.append((("clean", "l1", "l2", "linf")[k % 4], gamma, beta, int(rng.integers(1, 4)), theta))
    return cases


@pytest.mark.parametrize(("loss", "gamma", "beta", "points", "theta"), random_cases(24))
def test_the_error_estimate_bounds_the_distance_to_a_certified_enclosure(loss, gamma, beta, points, theta):
    problem = dataset(loss, points, seed=points)
    fast = local_entropy(problem, theta, gamma=gamma, beta=beta)
    ball = certified_value(problem, theta, gamma=gamma, beta=beta, radius=1e-13)
    assert abs(fast.value - float(ball.value.mid())) <= fast.error + ball.radius
    gradient = np.array([float(entry.mid()) for entry in ball.gradient])
    hessian = np.array([[float(entry.mid()) for entry in row] for row in ball.hessian])
    allowed = fast.derivative_error + ball.derivative_radius
    assert np.abs(fast.gradient - gradient).max() <= allowed
    assert np.abs(fast.hessian - hessian).max() <= allowed
    # The estimate is not merely large: it is within the tolerance the route promises.
    assert fast.error <= 1e-11 * max(1, abs(fast.value))


def far_cases(count: int) -> list[tuple]:
    """(loss, gamma, beta, theta) with theta up to 1e6 from the origin, where t - theta could lose every digit."""
    rng = np.random.default_rng(3)
    return [
        (
            ("clean", "l2", "linf")[k % 3],
            10 ** rng.uniform(1, 4),
            10 ** rng.uniform(-1, 1),
            rng.normal(size=2) * 10 ** rng.uniform(2, 6),
        )
        for k in range(count)
    ]


@pytest.mark.parametrize(("loss", "gamma", "beta", "theta"), far_cases(15))
def test_the_error_estimate_holds_far_from_the_origin(loss, gamma, beta, theta):
    problem = Problem(np.array([[0.2, 0.05]]), np.array([1.0]), *named(loss, 0.05))
    fast = local_entropy(problem, theta, gamma=gamma, beta=beta, tolerance=1e-6)
    ball = certified_value(problem, theta, gamma=gamma, beta=beta)
    assert abs(fast.value - float(ball.value.mid())) <= fast.error + ball.radius
    hessian = np.array([[float(entry.mid()) for entry in row] for row in ball.hessian])
    assert np.abs(fast.hessian - hessian).max() <= fast.derivative_error + ball.derivative_radius


def shares_of_a_coarse_rule(monkeypatch: pytest.MonkeyPatch, safety: float) -> list[float]:
    """True error over estimate where both rules have few nodes, so that truncation and not rounding decides."""
    monkeypatch.setattr(quadrature, "SAFETY", safety)
    shares = []
    for order in (4, 6, 8):
        monkeypatch.setattr(quadrature, "FINE", Rule(order, 1.0, 2, 42.0))
        monkeypatch.setattr(quadrature, "COARSE", Rule(order - 1, 1.07, 1, 38.0))
        for loss, theta in (
            ("clean", (0.3, 1.0)),
            ("l2", (0.1, -0.2)),
            ("linf", (-1.0, 0.6)),
            ("l1", (1.0, 1.0)),
        ):
            problem = dataset(loss)
            fast = local_entropy(problem, theta, gamma=2.0, beta=3.0, tolerance=1.0)
            ball = certified_value(problem, theta, gamma=2.0, beta=3.0)
            shares.append(abs(fast.value - float(ball.value.mid())) / fast.error)
    return shares


def test_the_difference_of_the_two_rules_bounds_the_error_of_the_finer_one(monkeypatch):
    shares = shares_of_a_coarse_rule(monkeypatch, quadrature.SAFETY)
    assert max(shares) <= 1
    # It is an estimate of truncation, not a number that is always large.
    assert max(shares) > 0.01


def test_without_the_difference_the_estimate_would_be_wrong(monkeypatch):
    assert max(shares_of_a_coarse_rule(monkeypatch, 0.0)) > 100


@pytest.mark.parametrize("loss", ["l1.5", "l3"])
def test_the_route_agrees_with_cubature_for_other_norms(loss):
    theta = np.array([0.4, -0.2])
    fast = local_entropy(dataset(loss), theta, gamma=2.0, beta=1.5)
    reference = cubature(dataset(loss), theta, 2.0, 1.5, tolerance=1e-8)
    assert abs(fast.value - reference.value) <= fast.error + reference.error
    assert (
        np.abs(fast.hessian - reference.hessian).max() <= fast.derivative_error + reference.derivative_error
    )


@pytest.mark.parametrize(("gamma", "beta"), [(0.01, 1.0), (3.0, 2.0), (1e4, 5.0)])
def test_a_constant_loss_has_the_closed_form(gamma, beta):
    """x = 0 and epsilon = 0 leave L = log 2: -F = beta log 2 - log(2 pi/(beta gamma)), flat in theta."""
    surface = local_entropy_surface(single_point("clean", (0, 0), 1, 0.6), AXES, gamma=gamma, beta=beta)
    expected = beta * np.log(2) - np.log(2 * np.pi / (beta * gamma))
    assert np.abs(surface.value - expected).max() <= surface.error.max() <= 1e-12 * max(1, abs(expected))
    assert np.abs(surface.gradient).max() <= surface.derivative_error.max()
    assert np.abs(surface.hessian).max() <= surface.derivative_error.max()


@pytest.mark.parametrize("loss", ["clean", "l1", "l1.5", "l2", "linf"])
def test_a_grid_holds_what_its_points_hold_one_by_one(loss):
    problem = dataset(loss)
    surface = local_entropy_surface(problem, AXES, gamma=0.7, beta=3.0)
    for i, j in ((0, 5), (4, 2), (8, 0)):
        one = local_entropy(problem, grid(AXES)[i, j], gamma=0.7, beta=3.0)
        assert one.value == pytest.approx(surface.value[i, j], abs=ROUNDING)
        assert one.gradient == pytest.approx(surface.gradient[i, j], abs=ROUNDING)
        assert one.hessian == pytest.approx(surface.hessian[i, j], abs=10 * ROUNDING)


@pytest.mark.parametrize("loss", ["l1", "l2", "linf"])
def test_a_grid_that_must_be_cut_at_large_beta_holds_what_its_points_hold(loss):
    """beta L ranges over a thousand: exp(-beta L) over the whole grid would underflow."""
    problem = dataset(loss)
    surface = local_entropy_surface(problem, AXES, gamma=1.0, beta=300.0)
    assert np.ptp(surface.value) > 300
    for i, j in ((0, 5), (4, 2), (8, 0)):
        one = local_entropy(problem, grid(AXES)[i, j], gamma=1.0, beta=300.0)
        assert abs(one.value - surface.value[i, j]) <= one.error
        assert np.abs(one.hessian - surface.hessian[i, j]).max() <= surface.derivative_error[i, j]


def test_derivatives_are_those_of_the_value():
    """Central differences of -F, whose error is of the order of the step squared, across a kink of L."""
    problem, fd_step = dataset("linf"), 1e-3
    axes = (np.array([-fd_step, 0, fd_step]), 0.3 + np.array([-fd_step, 0, fd_step]))
    surface = local_entropy_surface(problem, axes, gamma=2.0, beta=4.0)
    value, (i, j) = surface.value, (1, 1)
    differences = [value[2, 1] - value[0, 1], value[1, 2] - value[1, 0]]
    assert surface.gradient[i, j] == pytest.approx(np.array(differences) / (2 * fd_step), abs=1e-4)
    mixed = value[2, 2] - value[2, 0] - value[0, 2] + value[0, 0]
    assert surface.hessian[i, j, 0, 1] == pytest.approx(mixed / (4 * fd_step**2), abs=1e-4)
    second = value[2, 1] - 2 * value[1, 1] + value[0, 1]
    assert surface.hessian[i, j, 0, 0] == pytest.approx(second / fd_step**2, abs=1e-4)


def test_minus_f_tends_to_beta_l_as_gamma_grows():
    """-F - log(beta gamma/(2 pi)) -> beta L: with a gap of the order of 1/gamma away from the kinks."""
    problem, theta, beta = dataset("l2"), np.array([1.1, 0.7]), 2.0
    gaps = []
    for gamma in (1e3, 1e4):
        value = local_entropy(problem, theta, gamma=gamma, beta=beta).value
        gaps.append(abs(value - np.log(beta * gamma / (2 * np.pi)) - beta * problem.loss(theta)))
    assert gaps[0] / gaps[1] == pytest.approx(10, rel=0.02)


def test_l1_attacks_are_linf_attacks_of_a_turned_problem():
    """In two dimensions the L1 ball is the L-infinity ball turned by 45 degrees and shrunk by sqrt(2)."""
    turn = np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    problem = dataset("l1")
    turned = Problem(problem.X @ turn, problem.y, 0.6 / np.sqrt(2), np.inf)
    theta = np.array([0.5, -1.0])
    one, other = local_entropy(problem, theta), local_entropy(turned, theta @ turn)
    assert one.value == pytest.approx(other.value, abs=ROUNDING)
    assert one.gradient == pytest.approx(turn @ other.gradient, abs=ROUNDING)
    assert one.hessian == pytest.approx(turn @ other.hessian @ turn.T, abs=ROUNDING)


@pytest.mark.parametrize("scale", [1.0, 400.0])
@pytest.mark.parametrize("loss", ["clean", "l1", "l1.5", "l2", "linf"])
def test_the_loss_on_nodes_is_the_loss(loss, scale):
    """With scale 400 the margins pass 600, where exp would overflow and the sum is taken point by point."""
    problem = dataset(loss, points=40)
    first, second = scale * np.linspace(-2, 1, 7), scale * np.linspace(-1, 3, 5)
    expected = problem.loss(grid((first, second)))
    assert loss_on_nodes(problem, first, second) == pytest.approx(expected, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("loss", ["clean", "l2", "linf"])
def test_the_proximal_point_is_the_minimiser_another_search_finds(loss):
    problem, theta = dataset(loss), np.array([0.6, -0.9])

    def height(t: np.ndarray) -> float:
        return float(problem.loss(t) + 0.8 / 2 * ((t - theta) ** 2).sum())

    found = minimize(height, theta, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-15})
    assert proximal_point(problem, theta, 0.8) == pytest.approx(found.x, abs=1e-6)


def test_a_panel_ends_at_the_kink_and_graded_panels_shrink_towards_it():
    for kinks, exact in (("none", False), ("axes", True), ("graded", True)):
        nodes, weights = axis_nodes(-3.0, 4.0, 1.5, FINE, kinks)
        assert weights.sum() == pytest.approx(7, rel=1e-14)
        assert bool(abs((weights * np.abs(nodes)).sum() - 12.5) < 1e-13) is exact
    root = (4**1.5 + 3**1.5) / 1.5
    errors = {}
    for kinks in ("axes", "graded"):
        nodes, weights = axis_nodes(-3.0, 4.0, 1.5, FINE, kinks)
        errors[kinks] = abs((weights * np.sqrt(np.abs(nodes))).sum() - root)
    assert errors["graded"] < 1e-3 * errors["axes"]


def test_the_two_rules_differ_in_every_way_an_error_can_arise():
    assert COARSE.order < FINE.order
    assert COARSE.width > FINE.width
    assert COARSE.levels < FINE.levels
    assert COARSE.tail < FINE.tail


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma": 0.0}, "gamma = 0; it must be finite and > 0"),
        ({"beta": -1.0}, "beta = -1; it must be finite and > 0"),
        ({"theta": (1.0, np.nan)}, "theta has entries that are not finite"),
        ({"theta": (1.0, 2.0, 3.0)}, "theta has shape"),
        ({"gamma": 1e160}, "beta gamma must lie between 1e-150 and 1e\\+150"),
        ({"tolerance": -1.0}, "tolerance = -1"),
        ({"problem": single_point("linf", (-1, 1), 1, 0.6, "swish")}, "the kinks of the linear model alone"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"problem": dataset("l2"), "theta": (1.0, 2.0), "gamma": 1.0, "beta": 1.0} | change
    problem, theta = arguments.pop("problem"), arguments.pop("theta")
    with pytest.raises(ValueError, match=message):
        local_entropy(problem, theta, **arguments)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (([], [1.0]), r"axes\[0\] is empty"),
        (([1.0], 2.0), r"axes\[1\] has 0 axes"),
        (([1.0], [[1.0]]), r"axes\[1\] has 2 axes"),
        (([1.0], ["a"]), r"axes\[1\] = \['a'\] is not an array of numbers"),
        (([1.0], [np.inf]), r"axes\[1\] has entries that are not finite"),
        (None, "axes must be a pair"),
        (([1.0], [1.0], [1.0]), "axes must be a pair"),
    ],
)
def test_bad_axes_are_named(axes, message):
    with pytest.raises(ValueError, match=message):
        local_entropy_surface(dataset("l2"), axes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tolerance": 1e-17}, "float64 rounds more coarsely"),
        ({"gamma": 1e-12}, "nodes are needed"),
        ({"beta": 1e60}, "narrower than the spacing of float64"),
    ],
)
def test_a_missed_tolerance_is_a_failure_that_says_what_was_reached(change, reason):
    with pytest.raises(QuadratureFailure, match=reason) as failure:
        local_entropy(dataset("l2"), (1.0, 2.0), **change)
    assert failure.value.reached > failure.value.asked
