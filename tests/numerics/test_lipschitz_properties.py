"""Property tests of the Lipschitz statements: random admissible points in many dimensions, and false twins refuted.

Each constant is the one `theory/` proves; the attacks are computed here or by `numerics.norms`. A twin is the same
statement with its constant one per cent smaller, at a pair that attains it, or with an assumption dropped.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq, lsq_linear

from numerics.admissible import Box, LevelSet
from numerics.bounds import from_theory
from numerics.bounds.fixtures import mixed_constant
from numerics.bounds.linf_attacks import orthant_constant
from numerics.local_entropy import local_entropy
from numerics.norms import dual_exponent, dual_norm, steepest_direction
from numerics.problem import Problem

DIMENSIONS = st.integers(1, 8)
EPSILONS = st.floats(0.05, 2)
NORMS = st.sampled_from([1.0, 1.2, 1.5, 2.0, 3.0, np.inf])
LESS = 0.99  # a constant one per cent smaller
# Rounding of a difference of numbers of size 10, against the distances below: pairs are at least APART apart.
APART, SLACK = 1e-5, 1e-9


def numbers(most: float = 3.0):
    return st.floats(-most, most, allow_subnormal=False)


@st.composite
def vectors(draw, d: int, least: float = 0.0, most: float = 3.0) -> np.ndarray:
    """A vector of R^d with least <= ||v|| <= most."""
    raw = draw(arrays(float, (d,), elements=numbers(1.0)))
    length = np.linalg.norm(raw)
    unit = raw / length if length > 1e-3 else np.eye(1, d)[0]
    return unit * draw(st.floats(least, most))


@st.composite
def pairs(draw, d: int, least: float = 0.0, most: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Two vectors, no closer than APART: anywhere, or side by side."""
    a = draw(vectors(d, least, most))
    b = draw(vectors(d, least, most))
    if draw(st.booleans()):
        b = a + 0.01 * b
        b *= max(1.0, least / max(float(np.linalg.norm(b)), 1e-9))
    assume(np.linalg.norm(a - b) >= APART)
    return a, b


@st.composite
def problems(draw, p=NORMS, model: str = "linear", dimension=DIMENSIONS) -> Problem:
    """One to four data points of both labels."""
    d, n = draw(dimension), draw(st.integers(1, 4))
    x = draw(arrays(float, (n, d), elements=numbers(2.0)))
    y = np.array(draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=n, max_size=n)))
    return Problem(x, y, draw(EPSILONS), draw(p), model)


@st.composite
def symmetric(draw, d: int, low: float, high: float) -> np.ndarray:
    """A symmetric matrix with all eigenvalues in [low, high], the least one low."""
    values = draw(arrays(float, (d,), elements=st.floats(low, high)))
    values[0] = low
    basis, _ = np.linalg.qr(draw(arrays(float, (d, d), elements=numbers(1.0))) + 2 * np.eye(d))
    return (basis * values) @ basis.T


def moved(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b))


def farthest_input(problem: Problem) -> float:
    """max ||x'|| over the data and the balls."""
    reach = problem.dimension ** max(0.0, 0.5 - 1 / problem.p)
    return float(np.linalg.norm(problem.X, axis=1).max()) + problem.epsilon * reach


# Lemmas 2 and 3, and the other L_p balls


@given(st.data(), DIMENSIONS, EPSILONS, st.floats(0.05, 2))
def test_l2_attacks_obey_lemma_2_and_its_exact_form(data, d: int, epsilon: float, theta_min: float) -> None:
    a, b = data.draw(pairs(d, theta_min, 4.0))
    gap = epsilon * moved(steepest_direction(a, 2.0), steepest_direction(b, 2.0))
    assert gap <= from_theory("lemma2", epsilon=epsilon, theta_min=theta_min) * moved(a, b) + SLACK
    one, other = np.linalg.norm(a), np.linalg.norm(b)
    exact = epsilon**2 * (moved(a, b) ** 2 - (one - other) ** 2) / (one * other)
    assert gap**2 == pytest.approx(exact, abs=1e-12)


@given(st.data(), st.integers(2, 8), EPSILONS, st.floats(0.05, 2))
def test_the_twins_of_lemma_2_fail(data, d: int, epsilon: float, theta_min: float) -> None:
    direction, other = data.draw(vectors(d, 1, 1)), data.draw(vectors(d, 1, 1))
    assume(moved(direction, other) > 0.01)
    a, b = theta_min * direction, theta_min * other  # equal lengths attain the constant
    gap = epsilon * moved(steepest_direction(a, 2.0), steepest_direction(b, 2.0))
    constant = epsilon / theta_min
    assert gap > LESS * constant * moved(a, b)
    closer = 0.5  # without ||theta|| >= theta_min the same directions refute it at half the length
    assert gap > constant * moved(closer * a, closer * b)


@given(st.data(), DIMENSIONS, EPSILONS)
def test_k_flipped_signs_move_the_linf_attack_by_two_epsilon_root_k(data, d: int, epsilon: float) -> None:
    signs = np.array(
        data.draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=2 * d, max_size=2 * d))
    ).reshape(2, d)
    a, b = signs * data.draw(arrays(float, (2, d), elements=st.floats(0.1, 3)))
    k = int((signs[0] != signs[1]).sum())
    gap = epsilon * moved(steepest_direction(a, np.inf), steepest_direction(b, np.inf))
    assert gap == pytest.approx(2 * epsilon * np.sqrt(k), rel=1e-12)
    if k:
        theta_min = np.abs([a, b]).min()
        assert gap <= epsilon / theta_min * moved(a, b) * (1 + 1e-12)  # Lemma 3, corrected
    if k > 1:
        assert gap > 2 * epsilon  # the printed bound in the proof of Theorem 2


@given(st.data(), DIMENSIONS, EPSILONS, st.sampled_from([1.1, 1.3, 1.7, 2.0]), st.floats(0.1, 2))
def test_lp_attacks_obey_their_constant_on_half_spaces(
    data, d: int, epsilon: float, p: float, least: float
) -> None:
    normal = data.draw(vectors(d, 1, 1))
    normal /= dual_norm(
        normal, dual_exponent(p)
    )  # now ||n||_p = 1, so n.theta >= least gives ||theta||_q >= least
    points = [v + max(least - normal @ v, 0.0) * normal / (normal @ normal) for v in data.draw(pairs(d))]
    assume(moved(*points) >= APART)
    gap = epsilon * moved(*(steepest_direction(point, p) for point in points))
    constant = from_theory("beyond.p-below-2", h=dual_exponent(p) - 1, epsilon=epsilon, theta_min=least)
    assert gap <= constant * moved(*points) + SLACK


@given(st.integers(2, 8), EPSILONS, st.floats(1.1, 2), st.floats(0.1, 2))
def test_the_twin_of_the_lp_constant_fails_at_two_equal_weights(
    d: int, epsilon: float, p: float, least: float
) -> None:
    centre, step = np.zeros(d), np.zeros(d)
    centre[:2] = least / 2 ** (1 / dual_exponent(p))
    step[:2] = np.array([1.0, -1.0]) * 1e-4 * least
    gap = epsilon * moved(steepest_direction(centre + step, p), steepest_direction(centre - step, p))
    constant = from_theory("beyond.p-below-2", h=dual_exponent(p) - 1, epsilon=epsilon, theta_min=least)
    assert gap > LESS * constant * np.linalg.norm(2 * step)


@given(st.integers(2, 8), st.floats(2.2, 20), st.floats(1, 1e3))
def test_no_constant_serves_lp_attacks_for_p_above_2(d: int, p: float, constant: float) -> None:
    q = dual_exponent(p)
    t = (4 * constant) ** (1 / (q - 2))  # the gap is about 2 t^(q - 1) over a distance of 2 t
    assume(t > 1e-200)
    a, b = np.zeros(d), np.zeros(d)
    a[:2], b[:2] = (1, t), (1, -t)
    assert moved(steepest_direction(a, p), steepest_direction(b, p)) > constant * moved(a, b)


# Proposition 1, Theorems 1 and 2


@given(st.data(), st.sampled_from(["linear", "swish"]))
def test_adversarial_losses_are_lipschitz_for_every_p(data, model: str) -> None:
    problem = data.draw(problems(model=model))
    a, b = data.draw(pairs(problem.dimension))
    constant = farthest_input(problem) * (
        1 if model == "linear" else 1.0998393194967
    )  # the largest slope of swish
    assert abs(problem.loss(a) - problem.loss(b)) <= constant * moved(a, b) + SLACK


@given(st.data(), DIMENSIONS, EPSILONS)
def test_the_twin_of_eq_8_fails_far_out_against_the_data_point(data, d: int, epsilon: float) -> None:
    x = data.draw(vectors(d, 0.5, 2))
    problem = Problem(x[None], np.ones(1), epsilon, 2.0)
    a, b = (-t * x / np.linalg.norm(x) for t in (20.0, 21.0))
    assert problem.loss(b) - problem.loss(a) > LESS * (np.linalg.norm(x) + epsilon) * moved(a, b)


@given(st.data())
def test_gradients_obey_the_corrected_eq_9_for_every_p(data) -> None:
    problem = data.draw(problems())
    a, b = data.draw(pairs(problem.dimension))
    reach, bound = farthest_input(problem), float(np.linalg.norm([a, b], axis=1).max())
    width = problem.dimension ** max(0.0, 0.5 - 1 / problem.p)
    jump = 2 * problem.epsilon * width * mixed_constant(bound * reach)
    gap = moved(problem.gradient(a), problem.gradient(b))
    assert gap <= reach**2 / 4 * moved(a, b) + jump + SLACK


@given(st.integers(2, 8), EPSILONS, st.floats(2.5, 50), st.floats(0.01, 5))
def test_eq_9_as_printed_fails_for_p_above_2(d: int, epsilon: float, p: float, t: float) -> None:
    """l = ||theta||^2/2 + theta.x around 0, C_tt = C_tx = 1, at two opposite corners; the corrected one is attained."""
    a = t * np.ones(d)
    gap = 2 * np.linalg.norm(a + epsilon * steepest_direction(a, p))
    assert gap > moved(a, -a) + 2 * epsilon
    assert gap == pytest.approx(moved(a, -a) + 2 * epsilon * d ** (0.5 - 1 / p), rel=1e-12)


@given(st.data())
def test_the_l2_gradient_obeys_theorem_1_printed_and_sharpened(data) -> None:
    problem = data.draw(problems(p=st.just(2.0)))
    a, b = data.draw(pairs(problem.dimension, 0.1))
    gap = moved(problem.gradient(a), problem.gradient(b))
    theta_min, bound = (float(f(np.linalg.norm([a, b], axis=1))) for f in (np.min, np.max))
    radius, reach = farthest_input(problem) - problem.epsilon, farthest_input(problem)
    values = {"epsilon": problem.epsilon, "theta_min": theta_min}
    printed = from_theory(
        "theorem1", C_theta_theta=reach**2 / 4, C_theta_x=mixed_constant(bound * reach), **values
    )
    assert gap <= printed * moved(a, b) + SLACK
    nearest = np.clip(a @ (a - b) / moved(a, b) ** 2, 0, 1)
    values["theta_min"] = float(np.linalg.norm(a + nearest * (b - a)))  # of the segment, which is convex
    assume(values["theta_min"] > 1e-3)
    sharp = from_theory("theorem1", "constant", "sharpest", R=radius, B=bound, **values)
    assert gap <= sharp * moved(a, b) + SLACK


@given(st.data(), st.floats(1, 1e4))
def test_no_constant_serves_the_l2_gradient_at_the_origin(data, constant: float) -> None:
    problem = data.draw(problems(p=st.just(2.0)))
    close = problem.epsilon / (4 * constant + 4 * farthest_input(problem) ** 2)
    v = close * data.draw(vectors(problem.dimension, 1, 1))
    assert moved(problem.gradient(v), problem.gradient(-v)) > constant * moved(v, -v)


@given(st.data())
def test_the_linf_gradient_obeys_theorem_2_on_every_orthant(data) -> None:
    problem = data.draw(problems(p=st.just(np.inf)))
    d = problem.dimension
    signs = np.array(data.draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=d, max_size=d)))
    a, b = signs * data.draw(arrays(float, (2, d), elements=st.floats(1e-4, 3)))
    assume(moved(a, b) >= APART)
    constant = orthant_constant(problem, signs)
    radius = float(np.linalg.norm(problem.X, axis=1).max())
    assert (
        constant
        <= from_theory("theorem2", "constant", "sharpest", R=radius, d=d, epsilon=problem.epsilon) + SLACK
    )
    assert moved(problem.gradient(a), problem.gradient(b)) <= constant * moved(a, b) + SLACK
    # Near the corner of the orthant, along the leading eigenvector, the constant is reached.
    attacked = problem.X - problem.epsilon * problem.y[:, None] * signs
    lead = np.linalg.eigh(attacked.T @ attacked)[1][:, -1]
    base, step = 1e-3 * signs, 1e-4 * lead
    gap = moved(problem.gradient(base + step), problem.gradient(base - step))
    assert gap > LESS * constant * np.linalg.norm(2 * step) - SLACK


@given(st.data(), st.floats(1, 1e4))
def test_no_constant_serves_the_linf_gradient_across_an_axis(data, constant: float) -> None:
    problem = data.draw(problems(p=st.just(np.inf)))
    theta = data.draw(vectors(problem.dimension, 0, 1))
    theta[0] = 1e-9 / constant
    other = theta * np.array([-1.0, *np.ones(problem.dimension - 1)])
    assert moved(problem.gradient(theta), problem.gradient(other)) > constant * moved(theta, other)


@given(st.data(), st.integers(1, 6))
def test_level_sets_keep_theta_min_and_the_smoothness_that_follows(data, d: int) -> None:
    x = data.draw(vectors(d, 0.5, 2))
    length = float(np.linalg.norm(x))
    epsilon = data.draw(st.floats(0.05, 0.9)) * length
    problem = Problem(x[None], np.ones(1), epsilon, 2.0)
    start = x / length * data.draw(st.floats(0.2, 2)) + 0.1 * data.draw(vectors(d, 0, 1))
    level = float(problem.loss(start))
    assume(level < np.log(2) - 1e-3)
    anchor = start + 0.5 * x / length  # the loss falls along x
    chosen = LevelSet(problem.loss, level, anchor, Box(np.full(d, -6), np.full(d, 6)))
    a, b = chosen.project(np.stack(data.draw(pairs(d, most=5.0))))
    assume(moved(a, b) >= APART)
    spare = {"L_0": level, "w": length - epsilon}
    least = from_theory("beyond.theta-min", "theta_min", **spare)
    assert min(np.linalg.norm(a), np.linalg.norm(b)) >= least * (1 - 1e-9)
    constant = from_theory("beyond.level-set", R=length, epsilon=epsilon, **spare)
    assert moved(problem.gradient(a), problem.gradient(b)) <= constant * moved(a, b) + SLACK


# Lemmas 4 and 5 and their extensions, for l = theta.x - x.H x/2 and theta = B omega


def on_the_ball(slope: np.ndarray, H: np.ndarray, radius: float) -> np.ndarray:
    """The maximiser of slope.x - x.H x/2 over ||x|| <= radius, by eigenvalues and Brent's method."""
    values, basis = np.linalg.eigh(H)
    g = basis.T @ slope
    if values[0] > 0 and np.linalg.norm(g / values) <= radius:
        return basis @ (g / values)
    least = max(0.0, -values[0])

    def excess(lam: float) -> float:
        return float(np.linalg.norm(g / (values + lam)) - radius)

    low = least + 1e-12 * (1 + np.abs(values).max())
    lam = brentq(excess, low, least + np.linalg.norm(g) / radius + 1, xtol=1e-15, rtol=1e-15)
    return basis @ (g / (values + lam))


def on_the_box(slope: np.ndarray, H: np.ndarray, radius: float) -> np.ndarray:
    """The same over |x_i| <= radius, H definite, by bounded least squares."""
    root = np.linalg.cholesky(H)
    return lsq_linear(root.T, np.linalg.solve(root, slope), (-radius, radius), method="bvls", tol=1e-14).x


@given(st.data(), st.integers(1, 6), st.floats(0.2, 2))
def test_attacks_inside_obey_lemma_4_and_its_twin_fails(data, d: int, c: float) -> None:
    H = data.draw(symmetric(d, c, 5.0))
    B = data.draw(arrays(float, (d, 3), elements=numbers(2.0)))
    a, b = data.draw(pairs(3))
    cross = np.linalg.norm(B, 2)
    constant = from_theory("lemma4", C_theta_x=max(float(cross), 1e-12), c=c)
    assert moved(np.linalg.solve(H, B @ a), np.linalg.solve(H, B @ b)) <= constant * moved(a, b) + SLACK
    weakest = np.linalg.eigh(H)[1][:, 0]
    assert np.linalg.norm(np.linalg.solve(H, weakest)) > LESS / c


@given(st.data(), st.integers(1, 5), st.floats(0.2, 2))
def test_a_quartic_loss_obeys_lemma_4(data, d: int, c: float) -> None:
    """l = theta.x - c ||x||^2/2 - sum x_i^4: each coordinate solves c x + 4 x^3 = theta."""
    a, b = data.draw(pairs(d))

    def attack(theta: np.ndarray) -> np.ndarray:
        return np.array([brentq(lambda x, t=t: c * x + 4 * x**3 - t, -20, 20, xtol=1e-15) for t in theta])

    assert moved(attack(a), attack(b)) <= moved(a, b) / c + SLACK


@given(st.data(), st.integers(1, 5), st.floats(0.2, 2), st.floats(0.1, 2))
def test_strongly_concave_losses_have_lipschitz_attacks_on_ball_and_box(
    data, d: int, c: float, radius: float
) -> None:
    H = data.draw(symmetric(d, c, 5.0))
    a, b = data.draw(pairs(d, most=6.0))
    constant = from_theory("beyond.strongly-concave", C_theta_x=1.0, c=c)
    for attack in (on_the_ball, on_the_box):
        assert moved(attack(a, H, radius), attack(b, H, radius)) <= constant * moved(a, b) + 1e-7
    # Inside, along the eigenvector of c, the constant is attained.
    weakest = np.linalg.eigh(H)[1][:, 0] * c * radius / (2 * np.sqrt(d))
    for attack in (on_the_ball, on_the_box):
        assert moved(attack(weakest, H, radius), attack(-weakest, H, radius)) > LESS / c * moved(
            weakest, -weakest
        )


@given(st.data(), st.integers(2, 6), EPSILONS)
def test_attacks_on_the_sphere_obey_the_tangent_form_of_lemma_5(data, d: int, epsilon: float) -> None:
    H = data.draw(symmetric(d, -1.0, 2.0))
    size = float(np.linalg.norm(H, 2))
    theta = data.draw(vectors(d, 3 * epsilon * size + 0.5, 3 * epsilon * size + 3))
    x = on_the_ball(theta, H, epsilon)
    mu = float(np.linalg.norm(theta - H @ x))
    normal = x / epsilon
    T = np.linalg.svd(normal[None, :])[2][1:].T
    block = -H - mu / epsilon * (np.eye(d) - np.outer(normal, normal))
    jacobian = -T @ np.linalg.solve(T.T @ block @ T, T.T)
    step = 1e-5 * data.draw(vectors(d, 1, 1))
    change = (on_the_ball(theta + step, H, epsilon) - on_the_ball(theta - step, H, epsilon)) / 2e-5
    assert change == pytest.approx(jacobian @ step / 1e-5, abs=1e-5 * (1 + epsilon))
    tangent = 1 / np.linalg.eigvalsh(-T.T @ block @ T)[0]
    assert np.linalg.norm(jacobian, 2) == pytest.approx(tangent, rel=1e-8)  # C_tangent/c_T is attained
    bordered = np.block([[np.zeros((1, 1)), -normal[None, :]], [-normal[:, None], block]])
    c = np.linalg.svd(bordered, compute_uv=False)[-1]
    assert c <= 1 + 1e-12
    assert tangent <= (1 + 1e-9) / c
    assert (
        np.sign(np.linalg.det(bordered)) == (-1) ** d
    )  # so that no maximum meets Lemma 5's condition for odd d


@given(st.data(), st.integers(1, 6), EPSILONS)
def test_small_balls_have_lipschitz_attacks_on_sets_that_need_not_be_convex(
    data, d: int, epsilon: float
) -> None:
    H = data.draw(symmetric(d, -1.0, 1.0))
    change = float(np.linalg.norm(H, 2))
    least = 2 * epsilon * change + data.draw(st.floats(0.1, 2))
    a, b = data.draw(pairs(d, least, 4 * least))
    values = {"C_theta_x": 1.0, "epsilon": epsilon, "M": change}
    constant = from_theory("beyond.small-epsilon-centre", g_0=least, **values)
    gap = moved(on_the_ball(a, H, epsilon), on_the_ball(b, H, epsilon))
    assert gap <= constant * moved(a, b) * (1 + 1e-6) + SLACK


@given(st.data(), st.integers(2, 5), EPSILONS)
def test_linf_attacks_move_on_their_free_coordinates_alone(data, d: int, epsilon: float) -> None:
    H = data.draw(symmetric(d, 0.5, 3.0))
    theta = data.draw(vectors(d, 0.5, 6.0))
    x = on_the_box(theta, H, epsilon)
    slope = theta - H @ x
    active = np.abs(np.abs(x) - epsilon) < 1e-9
    assume((np.abs(slope[active]) > 1e-2).all())  # strict complementarity, with room for the step
    assume((epsilon - np.abs(x[~active]) > 1e-2).all())
    step = 1e-4 * data.draw(vectors(d, 1, 1))
    change = on_the_box(theta + step, H, epsilon) - x
    assert change[active] == pytest.approx(0, abs=1e-9)
    free = np.ix_(~active, ~active)
    assert change[~active] == pytest.approx(np.linalg.solve(H[free], step[~active]), abs=1e-8)


# Theorem 3


@settings(max_examples=25)
@given(
    problems(p=st.sampled_from([2.0, np.inf]), dimension=st.just(2)),
    st.floats(0.3, 10),
    arrays(float, (2,), elements=numbers(2.0)),
)
def test_the_hessian_of_entropysgd_stays_below_its_constants(problem: Problem, gamma: float, theta) -> None:
    hessian = local_entropy(problem, theta, gamma=gamma, beta=1.0).hessian
    low, high = np.linalg.eigvalsh(hessian)
    slope = farthest_input(problem)
    constant = from_theory("beyond.entropy-adversarial-logistic", G=slope, gamma=gamma)
    assert low >= -1e-9  # the adversarial loss of the linear model is convex, so -F is
    assert high <= min(constant, gamma) + 1e-9
    spread = float(np.linalg.norm((gamma * np.eye(2) - hessian) / gamma**2))
    assert high <= from_theory("theorem3", gamma=gamma, **{"||Sigma||_F": spread})
