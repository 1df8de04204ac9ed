"""Holds the curvatures of -F, and the constants beside them, to integrals on a line, to gradients and to `theory/`."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from numerics.bounds import from_theory
from numerics.local_entropy import local_entropy
from numerics.problem import Problem, named, normal_data, single_point
from numerics.surfaces import grid, square_axes
from numerics.tradeoff import GAIN, integration_box, lipschitz_constant, scope

X = (-1.0, 1.0)
EPSILON = 0.6


def point(loss: str) -> Problem:
    return single_point(loss, X, 1, EPSILON)


def curvature_on_a_line(gamma: float, length: float, middle: float) -> float:
    """-F'' of the clean loss of one point along x: with s = theta.x/||x|| it is that of log(1 + exp(-||x|| s))."""

    def moment(power: int) -> float:
        def integrand(s: float) -> float:
            return s**power * np.exp(-np.logaddexp(0, -length * (middle + s)) - gamma / 2 * s**2)

        return quad(
            integrand, -40 / np.sqrt(gamma), 40 / np.sqrt(gamma), epsabs=1e-13, epsrel=1e-13, limit=400
        )[0]

    mass, mean, square = (moment(power) for power in range(3))
    return gamma - gamma**2 * (square / mass - (mean / mass) ** 2)


@pytest.mark.parametrize("gamma", [1.0, 7.0])
def test_the_largest_curvature_of_the_clean_loss_is_that_of_a_one_dimensional_integral(gamma):
    length = float(np.linalg.norm(X))
    best = minimize_scalar(lambda s: -curvature_on_a_line(gamma, length, s), bounds=(-2, 2), method="bounded")
    found = scope(point("clean"), gamma)
    assert found.curvature == pytest.approx(-best.fun, rel=2 * GAIN)
    assert found.curvature != pytest.approx(-1.01 * best.fun, rel=2 * GAIN)


@pytest.mark.parametrize(("loss", "gamma"), [("l2", 1.0), ("linf", 1.0), ("linf", 30.0)])
def test_the_curvature_is_the_slope_of_the_gradient_where_it_is_largest_and_nowhere_on_the_square_exceeded(
    loss, gamma
):
    found, problem = scope(point(loss), gamma), point(loss)
    theta = np.array(found.at)
    step = 1e-4 / np.sqrt(gamma)
    sides = [
        local_entropy(problem, theta + shift, gamma=gamma)
        for shift in step * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    ]
    hessian = np.array([sides[0].gradient - sides[1].gradient, sides[2].gradient - sides[3].gradient]) / (
        2 * step
    )
    assert np.linalg.norm(hessian, 2) == pytest.approx(found.curvature, rel=1e-5)
    elsewhere = np.random.default_rng(1).uniform(-2, 2, (40, 2))
    largest = max(np.linalg.norm(local_entropy(problem, t, gamma=gamma).hessian, 2) for t in elsewhere)
    assert 0.5 * found.curvature < largest <= found.curvature * (1 + 2 * GAIN)


@pytest.mark.parametrize("loss", ["l2", "linf"])
@pytest.mark.parametrize(("gamma", "beta"), [(0.3, 1.0), (5.0, 1.0), (2.0, 3.0)])
def test_every_constant_bounds_the_curvature_and_ours_are_the_smaller(loss, gamma, beta):
    found = scope(point(loss), gamma, beta=beta)
    assert found.curvature <= found.lipschitz < found.convex < found.printed


@pytest.mark.parametrize("loss", ["l2", "linf"])
@pytest.mark.parametrize("gamma", [0.3, 5.0])
def test_the_constants_are_those_of_the_ledger(loss, gamma):
    found = scope(point(loss), gamma)
    slope = np.sqrt(2) + EPSILON * (np.sqrt(2) if loss == "linf" else 1)
    assert found.lipschitz == pytest.approx(
        from_theory("beyond.entropy-adversarial-logistic", G=slope, gamma=gamma), rel=1e-12
    )
    covariance = {"||Sigma||_F": found.covariance}
    assert found.printed == pytest.approx(from_theory("theorem3", gamma=gamma, **covariance), rel=1e-12)


def test_another_beta_is_beta_one_for_beta_times_the_loss_and_the_scope():
    # Claim beyond.entropy-beta, on the constant: beta G for G, beta gamma for gamma.
    gamma, beta = 2.0, 3.0
    found = scope(point("l2"), gamma, beta=beta)
    slope = beta * (np.sqrt(2) + EPSILON)
    expected = from_theory("beyond.entropy-adversarial-logistic", G=slope, gamma=beta * gamma)
    assert found.lipschitz == pytest.approx(expected, rel=1e-12)
    assert found.convex == beta * gamma


def test_the_largest_covariance_is_that_of_the_hessian_it_is_read_from():
    gamma, problem = 2.0, point("linf")
    thetas = grid(square_axes(9)).reshape(-1, 2)
    sizes = [
        np.linalg.norm((gamma * np.eye(2) - local_entropy(problem, t, gamma=gamma).hessian) / gamma**2)
        for t in thetas
    ]
    found = scope(problem, gamma)
    assert max(sizes) <= found.covariance * (1 + 2 * GAIN)
    assert max(sizes) >= 0.99 * found.covariance
    # Brascamp and Lieb: at most that of the Gaussian, sqrt(2)/gamma.
    assert found.covariance < np.sqrt(2) / gamma


def test_the_kinks_of_linf_cost_more_than_twice_the_curvature_of_l2_at_large_gamma_and_little_at_small():
    ratio = {
        gamma: scope(point("linf"), gamma).curvature / scope(point("l2"), gamma).curvature
        for gamma in (0.1, 1.0, 1000.0)
    }
    assert ratio[0.1] == pytest.approx(1, abs=0.02)
    assert 1.05 < ratio[1.0] < 1.1
    assert 2.1 < ratio[1000.0] < 2.4


def test_at_large_gamma_the_linf_curvature_is_the_jump_times_the_height_of_the_gaussian():
    # Smoothing a kink of jump j by a Gaussian of variance 1/gamma bends it by j sqrt(gamma/(2 pi)) at most; (2, 0) has
    # theta.x = -2, so that j = 2 epsilon sigmoid(2 + 2 epsilon).
    gamma, jump = 1e4, 2 * EPSILON / (1 + np.exp(-(2 + 2 * EPSILON)))
    found = scope(point("linf"), gamma)
    assert found.curvature == pytest.approx(jump * np.sqrt(gamma / (2 * np.pi)), rel=0.02)
    assert np.abs(found.at).max() == 2


@pytest.mark.parametrize("loss", ["clean", "l1", "l1.5", "l2", "l3", "linf"])
def test_no_gradient_is_longer_than_the_lipschitz_constant_and_some_come_close(loss):
    # x on the diagonal, where the longest delta lies for p >= 2; for p < 2 on an axis.
    x = (1.0, 1.0) if loss in ("l2", "l3", "linf", "clean") else (1.2, 0.0)
    problem = single_point(loss, x, 1, EPSILON)
    far = np.concatenate([np.random.default_rng(4).uniform(-60, 60, (400, 2)), [np.multiply(-60, x)]])
    longest = float(np.linalg.norm(problem.gradient(far), axis=-1).max())
    constant = lipschitz_constant(problem)
    assert longest <= constant * (1 + 1e-12)
    assert longest >= 0.999 * constant


@pytest.mark.parametrize(
    ("loss", "gamma", "beta"), [("l2", 1.0, 1.0), ("linf", 0.2, 1.0), ("linf", 3.0, 4.0)]
)
def test_outside_the_integration_box_the_integrand_is_below_every_digit_and_outside_half_of_it_is_not(
    loss, gamma, beta
):
    problem, axes = point(loss), square_axes(5)
    ranges = np.array(integration_box(problem, axes, gamma=gamma, beta=beta))
    assert edge_height(problem, ranges, axes, gamma, beta) < np.exp(-40)
    centre = ranges.mean(axis=1, keepdims=True)
    assert edge_height(problem, centre + (ranges - centre) / 2, axes, gamma, beta) > np.exp(-40)


def edge_height(problem: Problem, ranges: np.ndarray, axes: tuple, gamma: float, beta: float) -> float:
    """The integrand's largest value on the edge of a box over its largest inside, for the worst theta of the grid."""
    sides = [np.linspace(low, high, 401) for low, high in ranges]
    places = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)
    edge = np.ones(places.shape[:2], dtype=bool)
    edge[1:-1, 1:-1] = False
    loss, worst = problem.loss(places), 0.0
    for theta in grid(axes).reshape(-1, 2):
        exponent = -beta * loss - beta * gamma / 2 * ((places - theta) ** 2).sum(axis=-1)
        worst = max(worst, float(np.exp(exponent[edge].max() - exponent.max())))
    return worst


def test_the_data_of_fig_4_are_gaussian_with_the_labels_of_the_first_coordinate():
    problem = normal_data("linf", points=4000, seed=3)
    assert problem.epsilon == 0.6
    assert problem.p == np.inf
    assert np.array_equal(problem.y, np.sign(problem.X[:, 0]))
    # Means of 4000 standard normals have the deviation 0.016, their covariances 0.016 to 0.022.
    assert np.abs(problem.X.mean(axis=0)).max() < 0.07
    assert np.abs(np.cov(problem.X.T) - np.eye(2)).max() < 0.1
    assert not np.array_equal(problem.X[:100], normal_data("linf", points=100, seed=4).X)


def test_one_seed_gives_the_same_data_for_every_loss():
    assert np.array_equal(normal_data("l2").X, normal_data("linf").X)
    assert named("l2", 0.6) == (normal_data("l2").epsilon, normal_data("l2").p)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "l2", "points": 0}, "points = 0; it must be a whole number >= 1"),
        ({"loss": "l2", "points": 2.5}, "points = 2.5"),
        ({"loss": "l2", "seed": -1}, "seed = -1"),
        ({"loss": "l0"}, "loss = 'l0' is unknown"),
        ({"loss": "l2", "epsilon": -1.0}, "epsilon = -1.0"),
    ],
)
def test_bad_arguments_of_the_data_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        normal_data(**arguments)


def test_a_gamma_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="gamma = 0; it must be finite and > 0"):
        scope(point("l2"), 0.0)
