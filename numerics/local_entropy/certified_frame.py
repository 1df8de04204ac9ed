"""The data of a certified -F(theta) in balls, in coordinates where the loss has its kinks on the axes or at the
origin, and an affine minorant of the loss that every truncation error is measured against.

With 1/p + 1/q = 1, the linear model's loss is L(t) = mean over n of log(1 + exp(-m_n(t))), the margin being
m_n(t) = y_n x_n.t - epsilon ||t||_q. For p = inf the norm is |t_1| + |t_2|: each m_n is affine on every quadrant.
For p = 1, max(|a|, |b|) = (|a + b| + |a - b|)/2, so that in the frame turned by 45 degrees it is the same loss with
radius epsilon/sqrt(2). For p = 2 each m_n is linear in the distance from the origin along every ray.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from numerics.problem import Problem, sigmoid, softplus

arb = flint.arb
SMOOTHING = 0.02  # of the norm, in 1/(beta epsilon): it costs the minorant at most twice this in beta L
STAGES = 4.0  # ratio of two successive smoothings
NEWTON_STEPS = 8  # for each smoothing
HALVINGS = 30  # of a Newton step
CHUNK = 1_000_000  # weights found at once
INSIDE = 1 - 2.0**-40  # keeps a rounded direction inside the unit ball


@dataclass(frozen=True, eq=False)
class Frame:
    """A problem in the rule's coordinates t; theta = R t with R = [[1, 1], [1, -1]]/sqrt(2) where `turned`.

    `margins` holds y_n x_n in balls, `signed` (N, 2) the same in floats. `kinks` says where L is not analytic:
    "none", "axes" or "origin", with the norm 0, |t_1| + |t_2| or the Euclidean one, times `epsilon`.
    """

    margins: list[tuple[Any, Any]]
    signed: np.ndarray
    epsilon: Any
    kinks: str
    turned: bool
    gamma: Any
    beta: Any

    @property
    def kappa(self) -> Any:
        """beta gamma, the precision of the Gaussian."""
        return self.beta * self.gamma


def frame(problem: Problem, gamma: float, beta: float) -> Frame:
    """The problem's frame at the working precision. Raises ValueError unless epsilon = 0 or p is 1, 2 or inf."""
    if problem.epsilon > 0 and problem.p not in (1.0, 2.0, np.inf):
        raise ValueError(
            f"p = {problem.p:g} has no certified enclosure; supported are p = 1, 2, inf and epsilon = 0: take one of "
            "these or the method fast"
        )
    turned = problem.epsilon > 0 and problem.p == 1
    margins = [(arb(a), arb(b)) for a, b in (problem.y[:, None] * problem.X).tolist()]
    epsilon = arb(problem.epsilon)
    if turned:
        margins = [turn(*pair) for pair in margins]
        epsilon *= arb(0.5).sqrt()
    kinks = "none" if problem.epsilon == 0 else "origin" if problem.p == 2 else "axes"
    signed = np.array([[float(part) for part in pair] for pair in margins])
    return Frame(margins, signed, epsilon, kinks, turned, arb(gamma), arb(beta))


def turn(first: Any, second: Any) -> tuple[Any, Any]:
    """R applied to a vector of balls; R is its own inverse."""
    root = arb(0.5).sqrt()
    return (first + second) * root, (first - second) * root


@dataclass(frozen=True, eq=False)
class Minorant:
    """exp(-beta (L(t) + (gamma/2) ||t - theta||^2)) <= top exp(-(beta gamma/2) ||t - centre||^2) for all real t."""

    top: Any
    centre: tuple[Any, Any]


def minorant(frame: Frame, theta: tuple[Any, Any], weights: np.ndarray, direction: np.ndarray) -> Minorant:
    """The bound above from any weights w in [0, 1]^N and any v with ||v||_p <= 1; tight at the right ones.

    log(1 + exp(u)) >= w u + H(w), H(w) = -w log w - (1 - w) log(1 - w), as H is the conjugate; u_n = -m_n(t) >=
    -y_n x_n.t + epsilon v.t, as ||t||_q >= v.t. Hence L(t) >= H + g.t with H the mean of H(w_n) and g that of
    w_n (epsilon v - y_n x_n). Completing the square, H + g.t + (gamma/2) ||t - theta||^2 = A + (gamma/2)
    ||t - c||^2 with c = theta - g/gamma and A = H + g.theta - ||g||^2/(2 gamma).
    """
    entropy, slope = arb(0), [arb(0), arb(0)]
    pull = [frame.epsilon * v for v in _within_ball(frame, [arb(float(v)) for v in direction])]
    for w, margin in zip(map(arb, weights.tolist()), frame.margins, strict=True):
        if 0 < w < 1:
            entropy -= w * w.log() + (1 - w) * (-w).log1p()
        slope = [s + w * (part - m) for s, part, m in zip(slope, pull, margin, strict=True)]
    many = len(frame.margins)
    first, second = (s / many for s in slope)
    height = entropy / many + first * theta[0] + second * theta[1]
    height -= (first * first + second * second) / (2 * frame.gamma)
    centre = (theta[0] - first / frame.gamma, theta[1] - second / frame.gamma)
    return Minorant((-frame.beta * height).exp(), centre)


def _within_ball(frame: Frame, direction: list[Any]) -> list[Any]:
    """The direction, shortened where the norm whose unit ball must hold it is not proved to be at most one."""
    first, second = (abs(v) for v in direction)
    norm = (first * first + second * second).sqrt() if frame.kinks == "origin" else first.max(second)
    return direction if norm <= 1 else [v / norm.upper() for v in direction]


def best_weights(frame: Frame, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (P, N) and directions (P, 2) whose minorants are nearly the best at each theta (P, 2), in floats.

    At the minimiser t of L(t) + (gamma/2) ||t - theta||^2 they are w_n = sigmoid(-m_n(t)) and a steepest v. The
    minimiser is found by Newton's method, with the norm smoothed less and less: at a kink, the gradient of the
    smoothed norm tends to the v that is wanted.
    """
    rows = max(1, CHUNK // len(frame.signed))
    with np.errstate(all="ignore"):
        parts = [_best(frame, theta[start : start + rows]) for start in range(0, len(theta), rows)]
    weights, directions = (np.concatenate(part) for part in zip(*parts, strict=True))
    return weights, INSIDE * np.clip(directions, -1, 1)


def _best(frame: Frame, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    smooth = _Smoothed(frame.signed, float(frame.epsilon), frame.kinks, float(frame.gamma), theta)
    last = SMOOTHING / (float(frame.beta) * smooth.epsilon) if smooth.epsilon > 0 else 1.0
    widest = max(last, min(smooth.epsilon / smooth.gamma, 1 + float(np.abs(theta).max())))
    point = theta.copy()
    for smoothing in np.geomspace(last, widest, 1 + int(np.ceil(np.log(widest / last) / np.log(STAGES))))[
        ::-1
    ]:
        for _ in range(NEWTON_STEPS):
            point = smooth.newton(point, smoothing)
    scores, direction, _ = smooth.scores(point, last)
    return sigmoid(scores, np), direction


@dataclass(frozen=True, eq=False)
class _Smoothed:
    """mean log(1 + exp(-m_n(t))) + (gamma/2) ||t - theta||^2 for each theta, with a smoothed norm, in floats."""

    signed: np.ndarray
    epsilon: float
    kinks: str
    gamma: float
    theta: np.ndarray

    def energy(self, point: np.ndarray, smoothing: float) -> np.ndarray:
        """The convex function, (P, 2) -> (P,)."""
        scores = self.scores(point, smoothing)[0]
        return softplus(scores, np).mean(axis=-1) + self.gamma / 2 * ((point - self.theta) ** 2).sum(axis=-1)

    def newton(self, point: np.ndarray, smoothing: float) -> np.ndarray:
        """One Newton step for each theta, halved until the function does not grow; else the point stays."""
        scores, direction, bend = self.scores(point, smoothing)
        weight = sigmoid(scores, np)
        slopes = self.epsilon * direction[:, None, :] - self.signed
        gradient = (weight[..., None] * slopes).mean(axis=1) + self.gamma * (point - self.theta)
        curved = np.einsum("pn,pni,pnj->pij", weight * (1 - weight) / len(self.signed), slopes, slopes)
        curved += self.epsilon * weight.mean(axis=1)[:, None, None] * bend
        a, b, c = curved[:, 0, 0] + self.gamma, curved[:, 0, 1], curved[:, 1, 1] + self.gamma
        # Cramer's rule: it gives a number, if a useless one, where the matrix is singular in floats.
        step = np.stack(
            [b * gradient[:, 1] - c * gradient[:, 0], b * gradient[:, 0] - a * gradient[:, 1]], axis=1
        )
        step = np.nan_to_num(step / (a * c - b * b)[:, None], posinf=0.0, neginf=0.0)
        before, share = self.energy(point, smoothing), np.ones(len(point))
        for _ in range(HALVINGS):
            worse = ~(self.energy(point + share[:, None] * step, smoothing) <= before)
            if not worse.any():
                return point + share[:, None] * step
            share[worse] /= 2
        share[worse] = 0
        return point + share[:, None] * step

    def scores(self, point: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-m_n (P, N) with the smoothed norm, the gradient (P, 2) of that norm and its Hessian (P, 2, 2)."""
        scores = -point @ self.signed.T
        if self.kinks == "none":
            return scores, np.zeros_like(point), np.zeros((len(point), 2, 2))
        if self.kinks == "axes":
            size = np.sqrt(point**2 + smoothing**2)
            bend = (smoothing**2 / size**3)[:, :, None] * np.eye(2)
            return scores + self.epsilon * size.sum(axis=1, keepdims=True), point / size, bend
        size = np.sqrt((point**2).sum(axis=1, keepdims=True) + smoothing**2)
        direction = point / size
        bend = (np.eye(2) - direction[:, :, None] * direction[:, None, :]) / size[..., None]
        return scores + self.epsilon * size, direction, bend
