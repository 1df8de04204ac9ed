"""Exact worst cases, the inner maximum of Eq. (1), for both models of Fig. 2 and each L_p ball (Lemmas 2-4).

Each says where the attack sits, which coordinates it uses, and whether it is the only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.norms import dual_norm, steepest_direction
from numerics.problem import SWISH_MINIMISER, Problem, output, softplus, swish, worst_score

POSITIONS = ("interior", "boundary", "free", "none")
# Why there is more than one worst attack; the empty string says that there is exactly one.
REASONS = ("", "theta is zero", "theta_i is zero", "largest |theta_i| tie", "interior", "ends tie")
# Scores carry a few roundings and swish has slope at most 1.1: closer ends than this are equal in floats.
TIE = 16 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Attack:
    """One worst perturbation for each theta and data point; every field starts with the axes (..., N).

    `delta` (..., N, d): a maximiser of the loss over `||delta||_p <= epsilon`, one of least L_p norm among
    those with its score. `score`: u = theta.(x + delta). `loss`: l(x + delta, y, theta).
    `place`: s in [-1, 1] with `theta.delta = s epsilon ||theta||_q`; 0 where the score cannot move.
    `position`: "boundary", "interior", "free" (theta = 0: every delta of the ball is optimal) or "none"
    (epsilon = 0: the ball is the point x).
    `reason`: why the maximiser is not the only one, out of `REASONS`; empty where it is.
    """

    delta: np.ndarray
    score: np.ndarray
    loss: np.ndarray
    place: np.ndarray
    position: np.ndarray
    reason: np.ndarray

    @property
    def unique(self) -> np.ndarray:
        """Whether the maximiser is the only one, shape (..., N)."""
        return self.reason == ""

    @property
    def signs(self) -> np.ndarray:
        """-1, 0 or 1 for each coordinate of delta, shape (..., N, d): 0 where the attack does not use it."""
        return np.sign(self.delta).astype(int)


def exact_attack(problem: Problem, theta: Any) -> Attack:
    """The worst case of every data point at theta, shape (..., d), by the closed form of `worst_score`.

    `delta = s epsilon v` with v the steepest direction of the ball (at s = -y Lemma 2 for p = 2, Lemma 3 for
    p = inf). There is exactly one maximiser
    - on the boundary: for 1 < p < inf always; for p = inf if and only if no theta_i is zero; for p = 1 if and
      only if one |theta_i| is the largest (theory.calculus.attacks.linear_attack);
    - inside the ball (swish, y = 1): if and only if d = 1; otherwise every delta with theta.(x + delta) at
      the minimiser of swish is as bad (claim fig2f.lemma4);
    - at epsilon = 0 always, at theta = 0 < epsilon never.
    For swish and y = -1 both ends of the score's interval can be local maxima; where their losses agree to
    rounding the reason is "ends tie", and which end is taken means nothing. Rational data cross that switch
    and never meet it: swish(a) = swish(b) has no algebraic solution but a = b (Lindemann and Weierstrass).

    Raises: ValueError as `Problem.checked`.
    """
    theta = problem.checked(theta)
    score, place = worst_score(problem, theta, np)
    free = ~theta.any(axis=-1)[..., None] & np.ones_like(score, dtype=bool)
    fixed = free | (problem.epsilon == 0)
    place = np.where(fixed, 0.0, place)
    direction = steepest_direction(theta, problem.p, np)
    # Adding 0 turns -0 into 0.
    delta = (problem.epsilon * place)[..., None] * direction[..., None, :] + 0.0
    loss = softplus(-problem.y * output(problem.model, score, np), np)
    position = np.select(
        [np.full(score.shape, problem.epsilon == 0), free, np.abs(place) < 1],
        ["none", "free", "interior"],
        "boundary",
    )
    return Attack(delta, score, loss, place, position, _reasons(problem, theta, position))


def describe_attack(problem: Problem, theta: Any) -> str:
    """The worst cases at one theta, shape (d,), in words: one line a data point.

    Raises: ValueError as `Problem.checked`, and for theta of more than one axis.
    """
    theta = problem.checked(theta)
    if theta.ndim != 1:
        raise ValueError(
            f"theta has shape {theta.shape}; the description is of one point: pass a single vector of weights"
        )
    attack = exact_attack(problem, theta)
    return "\n".join(_line(problem, attack, n) for n in range(len(problem.y)))


def _reasons(problem: Problem, theta: np.ndarray, position: np.ndarray) -> np.ndarray:
    """The entries of `REASONS`, shape (..., N); the first that applies."""
    size = np.abs(theta)
    zeros = (size == 0).any(axis=-1)[..., None] & (problem.p == np.inf)
    ties = ((size == size.max(axis=-1, keepdims=True)).sum(axis=-1) > 1)[..., None] & (problem.p == 1)
    boundary = position == "boundary"
    conditions = [
        position == "free",
        boundary & zeros,
        boundary & ties,
        (position == "interior") & (problem.dimension > 1),
        boundary & _ends_tie(problem, theta),
    ]
    return np.select(conditions, REASONS[1:], REASONS[0])


def _ends_tie(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """Whether both ends of the score's interval are, to rounding, equally bad and worse than all between."""
    centre = (theta[..., None, :] * problem.X).sum(axis=-1)
    if problem.model == "linear":
        return np.zeros(centre.shape, dtype=bool)
    # The size of the terms, not of the score: what rounding acts on.
    size = np.abs(theta) @ np.abs(problem.X).T
    reach = (problem.epsilon * dual_norm(theta, problem.p, np))[..., None]
    low, high = centre - reach, centre + reach
    close = np.abs(swish(high) - swish(low)) <= TIE * (size + reach)
    return (problem.y < 0) & (low < SWISH_MINIMISER) & (high > SWISH_MINIMISER) & close


def _line(problem: Problem, attack: Attack, n: int) -> str:
    x, delta = _vector(problem.X[n]), _vector(attack.delta[n])
    signs = " ".join("0+-"[sign] for sign in attack.signs[n])
    where = {
        "none": "epsilon = 0, no attack",
        "free": "theta = 0, any attack of the ball is as good",
        "interior": f"inside the ball at s = {attack.place[n]:.6g}",
        "boundary": f"on the boundary, s = {attack.place[n]:+.0f}",
    }[str(attack.position[n])]
    only = "unique" if attack.unique[n] else f"not unique ({attack.reason[n]})"
    return (
        f"x = {x}, y = {problem.y[n]:+.0f}: delta = {delta}, signs {signs}, {where}, {only}, "
        f"score {attack.score[n]:.6g}, loss {attack.loss[n]:.6g}"
    )


def _vector(values: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
