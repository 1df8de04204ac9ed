"""Holds the falsifier to suprema known otherwise, to jumps, and to false bounds that it must exceed."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from numerics.admissible import (
    AdmissibleSet,
    AwayFromAxes,
    Box,
    DefiniteMatrices,
    HalfSpace,
    LevelSet,
    Product,
    Segment,
    Shell,
    ball,
    orthant,
    sphere,
)
from numerics.autodiff import jax_loss
from numerics.falsifier import falsify
from numerics.problem import single_point

ATTAINED = 1e-6  # what the issue asks of a supremum that is attained
EPSILON, THETA_MIN = 0.6, 0.5
MATRIX = np.array([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1], [2.0, 0.1, 0.4], [-0.6, 1.5, 0.9]])


def l2_attack(theta):
    return -EPSILON * theta / jnp.linalg.norm(theta)


def linf_attack(theta):
    return -EPSILON * jnp.sign(theta)


def test_a_linear_map_has_its_largest_singular_value_as_supremum() -> None:
    worst = falsify(lambda t: MATRIX @ t, ball([0, 0, 0], 1))
    assert worst.ratio == pytest.approx(np.linalg.svd(MATRIX)[1][0], rel=ATTAINED)
    gap = np.linalg.norm(MATRIX @ (worst.a - worst.b))
    assert worst.gap == pytest.approx(gap, rel=1e-12)
    assert worst.ratio == pytest.approx(gap / worst.distance, rel=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_lemma_2_is_attained_on_the_shell_and_nowhere_exceeded(d: int) -> None:
    worst = falsify(l2_attack, Shell(np.zeros(d), THETA_MIN, 3), stages=("pair",))
    assert worst.ratio == pytest.approx(EPSILON / THETA_MIN, rel=ATTAINED)
    assert np.linalg.norm([worst.a, worst.b], axis=1) == pytest.approx([THETA_MIN] * 2, rel=1e-3)
    assert worst.ratio > 0.99 * EPSILON / THETA_MIN  # so a constant one per cent smaller is refuted


def test_a_bound_without_its_assumption_is_exceeded() -> None:
    """Lemma 2 without the lower bound on theta: near the origin the ratio has no end."""
    worst = falsify(l2_attack, ball([0, 0], 1), stages=("pair",))
    assert worst.kind == "unbounded"
    assert worst.ratio > 1e6
    assert worst.gap == pytest.approx(2 * EPSILON, rel=0.02)


def test_a_supremum_in_the_limit_is_found_as_a_derivative() -> None:
    worst = falsify(lambda t: t**3, Box([-1], [0.7]))
    assert worst.kind == "limit"
    assert worst.ratio == pytest.approx(3, rel=ATTAINED)
    assert worst.a == pytest.approx([-1])
    assert worst.distance == 0


def test_an_inner_maximum_of_a_derivative_agrees_with_a_scalar_search() -> None:
    def swish(u):
        return u * jax.nn.sigmoid(u)

    slope = jax.grad(lambda u: u / (1 + jnp.exp(-u)))
    best = minimize_scalar(
        lambda u: -float(slope(u)), bounds=(0, 5), method="bounded", options={"xatol": 1e-9}
    )
    worst = falsify(lambda t: swish(t[0]), Box([-8], [8]), stages=("limit",))
    # scipy's search runs in float32 here, which bounds the agreement.
    assert worst.ratio == pytest.approx(-best.fun, rel=1e-6)


def test_a_context_is_searched_as_well() -> None:
    def gradient(theta, x):
        return jax.grad(lambda t: jnp.log1p(jnp.exp(-t @ x)))(theta)

    worst = falsify(gradient, ball([0, 0, 0], 2), context=ball([0, 0, 0], 1.5), stages=("limit",))
    assert worst.ratio == pytest.approx(1.5**2 / 4, rel=ATTAINED)
    assert np.linalg.norm(worst.context) == pytest.approx(1.5)


def test_a_constant_that_depends_on_the_pair_is_compared_pair_by_pair() -> None:
    def sharp(a, b):
        return EPSILON / jnp.sqrt(jnp.linalg.norm(a) * jnp.linalg.norm(b))

    shell = Shell(np.zeros(3), THETA_MIN, 3)
    assert falsify(l2_attack, shell, modulus=sharp, stages=("pair",)).score == pytest.approx(1, rel=ATTAINED)
    less = falsify(l2_attack, shell, modulus=lambda a, b: 0.99 * sharp(a, b), stages=("pair",))
    assert less.score == pytest.approx(1 / 0.99, rel=ATTAINED)
    assert less.ratio == pytest.approx(less.score * float(0.99 * sharp(less.a, less.b)), rel=1e-5)


def test_a_jump_is_followed_to_its_place_and_measured() -> None:
    worst = falsify(linf_attack, ball([0, 1], 0.5), stages=("pair",))
    assert worst.kind == "unbounded"
    assert worst.gap == pytest.approx(2 * EPSILON, rel=1e-9)
    assert abs(worst.a[0]) < 1e-8
    assert worst.a[0] * worst.b[0] <= 0


def test_a_root_is_unbounded_with_a_gap_that_vanishes() -> None:
    worst = falsify(lambda t: jnp.sign(t) * jnp.sqrt(jnp.abs(t)), Box([-1], [1.3]), stages=("pair",))
    assert worst.kind == "unbounded"
    assert worst.ratio > 1e3
    assert worst.gap < 1e-3


def test_a_steep_slope_is_not_taken_for_a_jump() -> None:
    worst = falsify(lambda t: jnp.tanh(1e4 * t), Box([-1], [1.3]))
    assert worst.kind != "unbounded"
    assert worst.ratio == pytest.approx(1e4, rel=1e-4)


def test_a_map_that_stands_still_has_the_ratio_0() -> None:
    worst = falsify(linf_attack, orthant([1, -1, 1], 1e-3, 2))
    assert (worst.kind, worst.ratio, worst.gap) == ("pair", 0.0, 0.0)


def test_the_l2_gradient_agrees_with_a_dense_grid_of_hessians() -> None:
    loss = jax_loss(single_point("l2", (-1, 1), 1, EPSILON))
    worst = falsify(jax.grad(loss), Box([THETA_MIN, -3], [3, 3]), stages=("limit",))
    axes = np.linspace(THETA_MIN, 3, 20), np.linspace(-3, 3, 241)
    points = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    hessians = jax.jit(jax.vmap(jax.hessian(loss)))(points)
    largest = np.linalg.norm(np.asarray(hessians, dtype=float), 2, axis=(1, 2)).max()
    assert largest * (1 - 1e-5) <= worst.ratio <= largest * 1.001  # the grid is coarse and in float32


def test_the_same_seed_gives_the_same_pair_and_another_the_same_ratio() -> None:
    shell = Shell(np.zeros(2), 0.5, 3)
    first, again, other = (falsify(l2_attack, shell, seed=s, steps=60, stages=("pair",)) for s in (0, 0, 5))
    assert np.array_equal(first.a, again.a)
    assert first.ratio == again.ratio
    assert other.ratio == pytest.approx(first.ratio, rel=ATTAINED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ("pairs",)}, r"stages = \('pairs',\); it must name one or both of pair, limit"),
        ({"stages": ()}, "stages"),
        ({"starts": 0}, "starts = 0, steps = 200; both must be at least 1"),
        ({"steps": 0}, "steps = 0"),
    ],
)
def test_bad_arguments_are_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        falsify(l2_attack, ball([0, 0], 1), **change)


def test_a_map_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="finite at no start"):
        falsify(lambda t: t * jnp.nan, ball([0, 0], 1))


def unit_disc_level(points: np.ndarray) -> np.ndarray:
    return (points**2).sum(axis=-1)


SETS: dict[str, AdmissibleSet] = {
    "box": Box([-1, 0.2, 3], [2, 0.2, 4]),
    "ball": ball([1, -1], 0.5),
    "shell": Shell([0.1, 0, 0], 0.5, 2),
    "sphere": sphere(4),
    "orthant": orthant([1, -1], 0.1, 2),
    "segment": Segment([1, 0], [2, 3]),
    "away": AwayFromAxes(3, 0.3, 1),
    "half space": HalfSpace([1, 2], 1.5, 2),
    "matrices": DefiniteMatrices(2, 0.5, 3),
    "product": Product(ball([0, 0], 1), Segment([1, 0], [2, 3]), Box([1], [2])),
}


@pytest.mark.parametrize("name", SETS)
def test_a_projection_is_the_nearest_point_and_fixes_the_set(name: str) -> None:
    chosen, rng = SETS[name], np.random.default_rng(7)
    inside = chosen.sample(rng, 400)
    assert inside.shape == (400, chosen.dimension)
    assert chosen.contains(inside).all()
    outside = 3 * rng.standard_normal((60, chosen.dimension))
    if name == "matrices":  # distances are measured in the space of symmetric matrices
        outside[:, 2] = outside[:, 1]
    near = chosen.project(outside)
    assert chosen.contains(near).all()
    assert np.allclose(chosen.project(near), near, atol=1e-12)
    distance = np.linalg.norm(outside[:, None] - inside, axis=-1).min(axis=1)
    assert (np.linalg.norm(outside - near, axis=1) <= distance + 1e-12).all()


def test_a_level_set_is_entered_towards_its_anchor() -> None:
    disc = LevelSet(unit_disc_level, 1.0, np.array([0.2, 0.1]), Box([-3, -3], [3, 3]))
    points = np.random.default_rng(3).uniform(-3, 3, (200, 2))
    entered = disc.project(points)
    assert (unit_disc_level(entered) <= 1).all()
    outside = unit_disc_level(points) > 1
    assert np.allclose(unit_disc_level(entered[outside]), 1, atol=1e-12)
    assert np.array_equal(entered[~outside], points[~outside])
    (u, v), (s, t) = (entered[outside] - disc.anchor).T, (points[outside] - disc.anchor).T
    assert np.abs(u * t - v * s).max() < 1e-12
    with pytest.raises(ValueError, match="anchor"):
        LevelSet(unit_disc_level, 1.0, np.array([2.0, 0.0]), Box([-3, -3], [3, 3]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Box([1], [0]), "low"),
        (lambda: Box([], []), "at least one finite number"),
        (lambda: Shell([0], 2, 1), "inner = 2"),
        (lambda: Shell([np.nan], 0, 1), "centre"),
        (lambda: AwayFromAxes(2, 0, 1), "least = 0"),
        (lambda: orthant([1, 0], 0, 1), "signs"),
        (lambda: Segment([1, 1], [1, 1]), "two different ends"),
        (lambda: HalfSpace([0, 0], 1, 1), "normal"),
        (lambda: DefiniteMatrices(2, 3, 1), "least = 3"),
    ],
)
def test_an_impossible_set_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
