"""The losses of Figs. 2, 4 and 5 (numerics/problem.py, norms.py, autodiff.py, surfaces.py).

Second sources: numpy's norms, Lambert's W, 50 digits, jax, finite differences, convexity, numbers by hand.
"""

from __future__ import annotations

import json
import math
from typing import Any

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special

from numerics.autodiff import double_precision, jax_loss, value_and_gradient
from numerics.norms import dual_exponent, dual_norm, steepest_direction
from numerics.problem import (
    MODELS,
    SWISH_MINIMISER,
    Problem,
    named,
    output_slope,
    sigmoid,
    single_point,
    softplus,
    swish,
    worst_score,
)
from numerics.surfaces import grid, loss_surface, square_axes

EXPONENTS = (1.0, 1.25, 1.5, 2.0, 3.0, 7.0, np.inf)


COMPILED = (1.0, 1.5, 2.0, np.inf)  # one of each formula, where every exponent costs a compilation


ROUNDING = 1e-13  # a few dozen roundings of numbers of size 1 to 100


FD_STEP = 1e-5


FD_ERROR = 1e-6  # central differences: step^2 times third derivatives, which the points below keep below 1e3


# Entries 0 or not tiny, ties included: a kink is met exactly or kept at a distance.
ENTRIES = st.integers(-20, 20).map(lambda k: k / 8)


FIXED = settings(derandomize=True, max_examples=60, deadline=None)


@st.composite
def weights(draw: st.DrawFn) -> np.ndarray:
    return np.array(draw(st.lists(ENTRIES, min_size=1, max_size=6)))


def random_problem(seed: int, p: float, model: str = "linear", points: int = 3, size: int = 2) -> Problem:
    random = np.random.default_rng(seed)
    labels = np.where(np.arange(points) % 2 == 0, 1.0, -1.0)
    return Problem(random.normal(size=(points, size)), labels, 0.6, p, model)


def attained(theta: np.ndarray, p: float, v: np.ndarray) -> bool:
    """Whether v lies in the unit L_p ball and theta.v is numpy's ||theta||_q."""
    wanted = np.linalg.norm(theta, dual_exponent(p))
    inside = np.linalg.norm(v, p) <= 1 + ROUNDING
    return bool(inside and abs(theta @ v - wanted) <= ROUNDING * (1 + wanted))


@FIXED
@given(theta=weights(), p=st.sampled_from(EXPONENTS))
def test_the_dual_norm_is_numpys_and_the_steepest_direction_attains_it(theta, p):
    assert dual_norm(theta, p) == pytest.approx(np.linalg.norm(theta, dual_exponent(p)), rel=ROUNDING)
    assert attained(theta, p, steepest_direction(theta, p))


def test_dual_norms_of_a_vector_worked_by_hand():
    theta = np.array([3.0, -4.0])
    assert [float(dual_norm(theta, p)) for p in (1, 2, np.inf)] == [4.0, 5.0, 7.0]
    assert dual_norm(theta, 1.5) == pytest.approx(91 ** (1 / 3))
    assert steepest_direction(theta, 1).tolist() == [0.0, -1.0]
    assert steepest_direction(theta, 2).tolist() == pytest.approx([0.6, -0.8])
    assert steepest_direction(theta, np.inf).tolist() == [1.0, -1.0]
    assert steepest_direction(theta, 1.5) == pytest.approx(np.array([9, -16]) / 91 ** (2 / 3))


@pytest.mark.parametrize("p", [1.25, 1.5, 3.0, 7.0])
def test_false_steepest_directions_are_refuted(p):
    theta = np.array([1.0, -0.5, 0.25])
    q = dual_exponent(p)
    scaled = np.abs(theta) / np.linalg.norm(theta, q)
    assert attained(theta, p, np.sign(theta) * scaled ** (q - 1))
    for twin in (
        np.sign(theta) * scaled**q,  # the exponent q
        -np.sign(theta) * scaled ** (q - 1),  # a flipped sign
        np.sign(theta) * (np.abs(theta) / np.linalg.norm(theta, p)) ** (q - 1),  # the norm of the ball
        1.01 * np.sign(theta) * scaled ** (q - 1),  # a constant off by one per cent
        theta / np.linalg.norm(theta),  # the direction of the L2 ball
    ):
        assert not attained(theta, p, twin)


@pytest.mark.parametrize("gap", [1e-3, 1e-8, 1e-12, 2**-52])
def test_the_steepest_direction_stays_in_balls_next_to_the_l1_ball(gap):
    assert attained(
        np.array([1.0, 1.0, -0.5]), 1 + gap, steepest_direction(np.array([1.0, 1.0, -0.5]), 1 + gap)
    )


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("scale", [2.0**600, 2.0**-600])
def test_norms_scale_with_weights_whose_powers_leave_the_range_of_floats(p, scale):
    theta = np.array([[1.0, -3.0, 2.0], [0.0, 0.0, 0.0]])
    assert dual_norm(scale * theta, p) == pytest.approx(scale * dual_norm(theta, p), rel=ROUNDING)
    assert steepest_direction(scale * theta, p) == pytest.approx(steepest_direction(theta, p), rel=ROUNDING)


def test_the_minimiser_of_swish_is_lamberts_and_a_root_finders():
    assert pytest.approx(-1 - special.lambertw(math.exp(-1)).real, abs=4e-16) == SWISH_MINIMISER
    root = optimize.brentq(lambda u: 1 + math.exp(-u) + u * math.exp(-u), -2, -1, xtol=1e-15)
    assert root == pytest.approx(SWISH_MINIMISER, abs=1e-14)
    with mpmath.workdps(50):
        exact = mpmath.findroot(lambda u: 1 + mpmath.exp(-u) * (1 + u), -1.3)
        assert float(exact) == SWISH_MINIMISER
    below, above = (output_slope("swish", np.array(SWISH_MINIMISER * k)) for k in (1.01, 0.99))
    assert below < 0 < above


@pytest.mark.parametrize("value", [-800.0, -40.0, -1.5, -1e-9, 0.0, 1e-9, 2.0, 36.0, 700.0])
def test_the_scalar_functions_agree_with_fifty_digits(value):
    with mpmath.workdps(400):
        v = mpmath.mpf(value)
        gate = 1 / (1 + mpmath.exp(-v))
        exact = [gate, mpmath.log(1 + mpmath.exp(v)), v * gate, gate * (1 + v * (1 - gate))]
    u = np.array(value)
    found = [sigmoid(u), softplus(u), swish(u), output_slope("swish", u)]
    for one, other in zip(found, exact, strict=True):
        assert float(one) == pytest.approx(float(other), rel=ROUNDING, abs=1e-320)


@pytest.mark.parametrize(
    ("loss_name", "y", "theta", "model", "margin"),
    [
        ("clean", 1, (1.0, -1.0), "linear", -2.0),
        ("linf", 1, (1.0, -1.0), "linear", -3.2),  # -2 - 0.6 * 2
        ("linf", -1, (1.0, -1.0), "linear", 0.8),  # 2 - 0.6 * 2
        ("l2", 1, (3.0, 4.0), "linear", -2.0),  # 1 - 0.6 * 5
        ("l1", 1, (3.0, 4.0), "linear", -1.4),  # 1 - 0.6 * 4
        ("linf", 1, (0.0, 0.0), "linear", 0.0),
        ("linf", 1, (1.5, -1.5), "swish", 1 + SWISH_MINIMISER),  # swish(u*) = 1 + u*, claim fig2f.lemma4
        ("linf", -1, (1.0, 0.5), "swish", -0.4 / (1 + math.exp(-0.4))),  # u in [-1.4, 0.4]
    ],
)
def test_losses_at_points_worked_by_hand(loss_name, y, theta, model, margin):
    problem = single_point(loss_name, (-1, 1), y, 0.6, model)
    assert float(problem.loss(theta)) == pytest.approx(math.log(1 + math.exp(-margin)), rel=ROUNDING)
    assert abs(float(problem.loss(theta)) - math.log(1 + math.exp(-margin - 0.01))) > 1e-3


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("p", EXPONENTS)
def test_a_data_set_has_the_mean_of_its_points_and_any_leading_axes(model, p):
    problem = random_problem(3, p, model, points=4, size=3)
    theta = np.random.default_rng(4).normal(size=(2, 5, 3))
    singles = [Problem(x[None], y[None], 0.6, p, model) for x, y in zip(problem.X, problem.y, strict=True)]
    assert problem.loss(theta) == pytest.approx(np.mean([one.loss(theta) for one in singles], axis=0))
    mean = np.mean([one.gradient(theta) for one in singles], axis=0)
    assert problem.gradient(theta) == pytest.approx(mean, abs=ROUNDING)
    assert problem.gradient(theta)[1, 2] == pytest.approx(problem.gradient(theta[1, 2]), abs=ROUNDING)
    assert problem.loss(theta)[1, 2] == pytest.approx(float(problem.loss(theta[1, 2])), abs=ROUNDING)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("p", COMPILED)
def test_the_gradient_is_that_of_jax_and_of_finite_differences(model, p):
    problem = random_problem(5, p, model, points=5, size=4)
    theta = np.random.default_rng(6).normal(size=(3, 5, 4))
    value, gradient = value_and_gradient(problem)(theta)
    assert value == pytest.approx(problem.loss(theta), abs=ROUNDING)
    assert gradient == pytest.approx(problem.gradient(theta), abs=ROUNDING)
    steps = FD_STEP * np.eye(4)
    difference = [(problem.loss(theta + h) - problem.loss(theta - h)) / (2 * FD_STEP) for h in steps]
    assert np.stack(difference, axis=-1) == pytest.approx(problem.gradient(theta), abs=FD_ERROR)
    assert np.abs(np.stack(difference, axis=-1) + problem.gradient(theta)).max() > 0.1


@pytest.mark.parametrize("p", COMPILED)
def test_at_kinks_of_the_convex_loss_both_gradients_are_subgradients(p):
    problem = random_problem(7, p)
    kinks = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, -2.0), (1.0, 1.0), (-0.5, 0.5)])
    moves = np.random.default_rng(8).normal(size=(400, 2)) * np.geomspace(1e-3, 3, 400)[:, None]
    found = zip(kinks, problem.gradient(kinks), value_and_gradient(problem)(kinks)[1], strict=True)
    for theta, closed, automatic in found:
        others = problem.loss(theta + moves) - problem.loss(theta)
        if p != 1:  # both take sign(0) = 0, and the zero direction at theta = 0
            assert automatic == pytest.approx(closed, abs=ROUNDING)
        for gradient, supports in ((closed, True), (automatic, True), (closed + 2 * problem.epsilon, False)):
            assert bool((others >= moves @ gradient - ROUNDING).all()) == supports


@pytest.mark.parametrize("model", MODELS)
def test_jax_has_the_gradient_and_hessian_where_the_score_is_zero(model):
    problem = single_point("clean", (-1, 1), 1, 0.0, model)
    x = np.array([-1.0, 1.0])
    # l(z) = log(1 + exp(-z)), z' = 1/2 and z'' = 1/2 for swish at 0; l' = -1/2, l'' = 1/4.
    slope, curvature = (-0.5, 0.25) if model == "linear" else (-0.25, 0.25 / 4 - 0.5 / 2)
    theta = np.array([(1.0, 1.0), (-0.5, -0.5), (0.0, 0.0)])
    assert value_and_gradient(problem)(theta)[1] == pytest.approx(np.tile(slope * x, (3, 1)))
    for hessian in jax_hessians(problem, theta):
        assert hessian == pytest.approx(curvature * np.outer(x, x), abs=ROUNDING)


@pytest.mark.parametrize("model", MODELS)
def test_jax_has_the_hessian_of_the_l2_loss_also_on_the_axes(model):
    problem = single_point("l2", (-1, 1), 1, 0.6, model)
    theta = np.array([(1.0, 0.0), (0.0, -1.5), (0.75, 0.75), (0.3, -0.4)])
    steps = FD_STEP * np.eye(2)
    difference = [(problem.gradient(theta + h) - problem.gradient(theta - h)) / (2 * FD_STEP) for h in steps]
    assert np.stack(difference, axis=1) == pytest.approx(jax_hessians(problem, theta), abs=FD_ERROR)


def jax_hessians(problem: Problem, theta: Any) -> np.ndarray:
    with double_precision():
        return np.asarray(jax.jit(jax.vmap(jax.hessian(jax_loss(problem))))(jnp.asarray(theta)))


def test_jax_keeps_the_callers_precision_outside_the_context():
    with double_precision():
        assert jnp.asarray(1.0).dtype == jnp.float64
    assert jnp.asarray(1.0).dtype == jnp.float32


@FIXED
@given(
    theta=st.tuples(ENTRIES, ENTRIES),
    x=st.tuples(ENTRIES, ENTRIES),
    y=st.sampled_from([-1, 1]),
    epsilon=st.sampled_from([0.0, 0.125, 0.6, 2.0]),
    p=st.sampled_from(EXPONENTS),
    model=st.sampled_from(MODELS),
)
def test_the_score_lies_at_its_place_and_no_score_of_the_interval_is_worse(theta, x, y, epsilon, p, model):
    problem = Problem(np.array([x]), np.array([y]), epsilon, p, model)
    score, place = (float(part[0]) for part in worst_score(problem, np.array(theta)))
    centre, reach = float(np.dot(theta, x)), epsilon * float(np.linalg.norm(theta, dual_exponent(p)))
    assert -1 <= place <= 1
    assert score == pytest.approx(centre + place * reach, abs=ROUNDING)
    scores = np.linspace(centre - reach, centre + reach, 401)
    losses = softplus(-y * (scores if model == "linear" else swish(scores)))
    assert float(problem.loss(theta)) >= losses.max() - ROUNDING


def test_a_place_at_an_end_is_exact_even_where_rounding_blurs_the_interval():
    theta = np.random.default_rng(9).uniform(0.5, 1, size=(200, 2))
    far = single_point("linf", (1e6, 0.0), 1, 1e-3, "swish")
    assert (worst_score(far, theta)[1] == -1).all()
    assert (worst_score(far, -theta)[1] == 1).all()
    # swish falls from 0 at -infinity: the lower end is worse for y = -1, though both are 0 in floats.
    left = single_point("linf", (-1000.0,), -1, 1.0, "swish")
    assert [part.tolist() for part in worst_score(left, np.array([1.0]))] == [[-1001.0], [-1.0]]


@pytest.mark.parametrize(
    ("loss_name", "radius", "p"),
    [("clean", 0.0, 2.0), ("l1", 0.6, 1.0), ("l2", 0.6, 2.0), ("linf", 0.6, np.inf), ("l1.5", 0.6, 1.5)],
)
def test_a_loss_has_the_name_it_was_given(loss_name, radius, p):
    assert named(loss_name, 0.6) == (radius, p)
    assert single_point(loss_name, (1,), 1, 0.6).name == loss_name


@FIXED
@given(p=st.floats(1, 1e300))
def test_a_name_is_read_back_to_the_last_digit(p):
    assert named(Problem(np.ones((1, 1)), np.ones(1), 0.6, p).name, 0.6) == (0.6, p)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss_name", ["clean", "l1", "l2", "linf", "l1.5"])
@pytest.mark.parametrize("x", [(-1.0, 1.0), (4000.0, -700.0)])
def test_a_loss_surface_is_right_to_its_stated_error(model, loss_name, x):
    problem = single_point(loss_name, x, 1, 0.6, model)
    # Scores of size 1 in both cases; the gradients of the second, and their errors, are larger.
    axes = (np.linspace(-2.03, 1.91, 7) / max(x), np.linspace(-0.4, 2.1, 5) / max(x))
    surface = loss_surface(problem, axes)
    assert surface.value.shape == (7, 5) == surface.error.shape
    assert surface.gradient.shape == (7, 5, 2)
    assert surface.hessian is None
    assert surface.error.max() < 1e-12
    for i, j in np.ndindex(7, 5):
        theta = (float(axes[0][i]), float(axes[1][j]))
        value, gradient = in_many_digits(problem, theta)
        assert abs(float(surface.value[i, j] - value)) <= surface.error[i, j]
        error = max(abs(float(a - b)) for a, b in zip(surface.gradient[i, j], gradient, strict=True))
        assert error <= surface.derivative_error[i, j]
    assert json.loads(json.dumps(surface.provenance))["loss"] == loss_name


def in_many_digits(problem: Problem, theta: tuple[float, float]) -> tuple[Any, list[Any]]:
    """L and its gradient for one point with y = 1 away from kinks, by differences in 50 digits."""

    def value(*weights: Any) -> Any:
        q = dual_exponent(problem.p)
        sizes = [abs(w) for w in weights]
        norm = (
            max(sizes)
            if q == np.inf
            else mpmath.fsum(s ** mpmath.mpf(q) for s in sizes) ** (1 / mpmath.mpf(q))
        )
        centre = mpmath.fdot(weights, [mpmath.mpf(a) for a in problem.X[0]])
        low, high = centre - problem.epsilon * norm, centre + problem.epsilon * norm
        if problem.model == "linear":
            return mpmath.log(1 + mpmath.exp(-low))
        worst = min(max(low, -1 - mpmath.lambertw(mpmath.exp(-1)).real), high)
        return mpmath.log(1 + mpmath.exp(-worst / (1 + mpmath.exp(-worst))))

    with mpmath.workdps(50):
        point = [mpmath.mpf(t) for t in theta]
        h = mpmath.mpf(10) ** -20
        steps = ((h, 0), (0, h))
        ends = [
            [value(*(t + s * e for t, e in zip(point, step, strict=True))) for s in (1, -1)] for step in steps
        ]
        return value(*point), [(upper - lower) / (2 * h) for upper, lower in ends]


def test_a_grid_runs_through_the_first_weight_first():
    points = grid((np.array([1.0, 2.0, 3.0]), np.array([-1.0, 5.0])))
    assert points.shape == (3, 2, 2)
    assert points[2, 1].tolist() == [3.0, 5.0]
    first, second = square_axes(5)
    assert first.tolist() == second.tolist() == [-2.0, -1.0, 0.0, 1.0, 2.0]
