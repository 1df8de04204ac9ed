"""Properties of attacks in general: Lemmas 4 and 5, strongly concave losses, small balls, boxes, EntropySGD."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lipschitz_properties_tools import (
    EPSILONS,
    LESS,
    SLACK,
    farthest_input,
    moved,
    numbers,
    pairs,
    problems,
    vectors,
)
from scipy.optimize import brentq, lsq_linear

from numerics.bounds import from_theory
from numerics.local_entropy import local_entropy
from numerics.problem import Problem


@st.composite
def symmetric(draw, d: int, low: float, high: float) -> np.ndarray:
    """A symmetric matrix with all eigenvalues in [low, high], the least one low."""
    values = draw(arrays(float, (d,), elements=st.floats(low, high)))
    values[0] = low
    basis, _ = np.linalg.qr(draw(arrays(float, (d, d), elements=numbers(1.0))) + 2 * np.eye(d))
    return (basis * values) @ basis.T


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
