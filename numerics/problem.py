"""The adversarial losses of Figs. 2, 4 and 5: data, model and L_p ball, value and gradient in closed form.

The model's output is z = u (linear) or z = swish(u) (Fig. 2(d)-(f)), u = theta.x', and the loss of one point
is log(1 + exp(-y z)). Inside `||x' - x||_p <= epsilon` the score u ranges over exactly
[theta.x - epsilon ||theta||_q, theta.x + epsilon ||theta||_q], so the inner maximum is one over an interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from numerics.norms import Array, dual_exponent, dual_norm, steepest_direction

MODELS = ("linear", "swish")
NORMS = {"clean": 2.0, "l1": 1.0, "l2": 2.0, "linf": np.inf}
# The only stationary point of swish(u) = u sigmoid(u), its minimum: the root of 1 + exp(-u) + u exp(-u) = 0,
# which is -1 - W(1/e) with Lambert's W, correctly rounded. Tests recompute it.
SWISH_MINIMISER = -1.2784645427610737


@dataclass(frozen=True, eq=False)
class Problem:
    """L(theta) = 1/N sum_n max over ||delta||_p <= epsilon of log(1 + exp(-y_n z(theta.(x_n + delta)))).

    Args: `X` shape (N, d), finite; `y` shape (N,), entries -1 or 1; `epsilon` >= 0, in the units of X (0 is
    the clean loss); `p` in [1, inf]; `model` "linear" or "swish". Raises ValueError outside those ranges.
    Source: Sec. 3.1 and the captions of Figs. 2 and 4.
    """

    X: np.ndarray
    y: np.ndarray
    epsilon: float
    p: float = np.inf
    model: str = "linear"

    def __post_init__(self) -> None:
        X = finite_array("X", self.X, 2)
        y = finite_array("y", self.y, 1)
        if X.shape[0] == 0 or X.shape[1] == 0 or y.shape != X.shape[:1]:
            raise ValueError(
                f"X has shape {X.shape} and y {y.shape}; they must be (N, d) and (N,) with N, d >= 1: pass "
                "one label a row"
            )
        if not np.isin(y, (-1.0, 1.0)).all():
            odd = y[~np.isin(y, (-1.0, 1.0))][0]
            raise ValueError(f"y has the entry {odd:g}; every label must be -1 or 1: recode the labels")
        if not (np.isfinite(self.epsilon) and self.epsilon >= 0):
            raise ValueError(
                f"epsilon = {self.epsilon}; the radius of the attack must be finite and >= 0: pass 0 for the "
                "clean loss"
            )
        dual_exponent(self.p)
        if self.model not in MODELS:
            raise ValueError(f"model = {self.model!r} is unknown; the known ones are {', '.join(MODELS)}")
        for name, value in (("X", X), ("y", y), ("epsilon", float(self.epsilon)), ("p", float(self.p))):
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """d, the number of weights."""
        return self.X.shape[1]

    @property
    def name(self) -> str:
        """The loss as the command line writes it: clean, l1, l2, linf, l1.5."""
        if self.epsilon == 0:
            return "clean"
        return "linf" if self.p == np.inf else f"l{self.p}".removesuffix(".0")

    def loss(self, theta: Any) -> np.ndarray:
        """L(theta), shape (..., d) -> (...)."""
        return loss(self, self.checked(theta), np)

    def gradient(self, theta: Any) -> np.ndarray:
        """A gradient of L by the envelope theorem, (..., d) -> (..., d); exact where L is differentiable.

        At a kink it is an element of the subdifferential for the linear model, with sign(0) = 0 and
        theta/||theta|| = 0 at 0; for swish, where two attacks tie, that of the one with the larger score.
        """
        theta = self.checked(theta)
        score, fraction = worst_score(self, theta, np)
        z, slope = output(self.model, score, np), output_slope(self.model, score, np)
        weight = -self.y * sigmoid(-self.y * z, np) * slope
        ball = self.epsilon * steepest_direction(theta, self.p, np)
        per_point = weight[..., None] * self.X + (weight * fraction)[..., None] * ball[..., None, :]
        return per_point.mean(axis=-2)

    def checked(self, theta: Any) -> np.ndarray:
        """theta as a float array of shape (..., d); ValueError when not finite or of another last axis."""
        array = number_array("theta", theta)
        if array.ndim == 0 or array.shape[-1] != self.dimension:
            raise ValueError(
                f"theta has shape {array.shape}; its last axis must have the {self.dimension} weights of the "
                "model: pass one number a feature"
            )
        return finite_array("theta", array, array.ndim)


def single_point(
    loss_name: str, x: Sequence[float], y: float, epsilon: float, model: str = "linear"
) -> Problem:
    """The problem of one data point, as in Fig. 2."""
    return Problem(np.asarray([x], dtype=float), np.asarray([y]), *named(loss_name, epsilon), model)


def normal_data(loss: str, epsilon: float = 0.6, points: int = 100, seed: int = 0) -> Problem:
    """The data of Figs. 4 and 5: x_n ~ N(0, I_2) from numpy's default generator, y_n = sign(x_{n,1}).

    The paper prints no seed: 0 is ours. Raises ValueError for points < 1, seed < 0 and as `named`.
    """
    for name, value, least in (("points", points, 1), ("seed", seed, 0)):
        if not (isinstance(value, int | np.integer) and value >= least):
            raise ValueError(f"{name} = {value!r}; it must be a whole number >= {least}: pass one")
    X = np.random.default_rng(seed).standard_normal((points, 2))
    return Problem(X, np.where(X[:, 0] >= 0, 1.0, -1.0), *named(loss, epsilon))


def named(loss_name: str, epsilon: float) -> tuple[float, float]:
    """(epsilon, p) of a loss named clean, l1, l2, linf or l<p> such as l1.5; clean has epsilon 0.

    Raises ValueError for an unknown name.
    """
    if loss_name in NORMS:
        return (0.0 if loss_name == "clean" else epsilon), NORMS[loss_name]
    try:
        exponent = float(loss_name.removeprefix("l")) if loss_name.startswith("l") else np.nan
    except ValueError:
        exponent = np.nan
    if not 1 <= exponent < np.inf:
        raise ValueError(
            f"loss = {loss_name!r} is unknown; the known ones are {', '.join(NORMS)} and l<p> with p >= 1, "
            "such as l1.5"
        )
    return epsilon, exponent


def loss(problem: Problem, theta: Array, xp: ModuleType = np) -> Array:
    """L(theta) with numpy or jax.numpy, shape (..., d) -> (...); differentiable by jax away from kinks."""
    score, _ = worst_score(problem, theta, xp)
    return softplus(-problem.y * output(problem.model, score, xp), xp).mean(axis=-1)


def worst_score(problem: Problem, theta: Array, xp: ModuleType = np) -> tuple[Array, Array]:
    """The score u = theta.x' of the worst x' and its place in the interval, both of shape (..., N).

    The place s in [-1, 1] says u = theta.x + s epsilon ||theta||_q: -1 and 1 are the boundary of the ball,
    |s| < 1 an interior attack. For y = 1 the loss falls with z, so z is minimised; swish decreases up to its
    minimiser and increases from there, hence the minimiser clipped to the interval is exact. For y = -1 it is
    maximised, at an end (swish has no interior maximum); a tie goes to the larger score. An interval that is
    a point has the place of a small interval around it.
    """
    centre = (theta[..., None, :] * problem.X).sum(axis=-1)
    reach = (problem.epsilon * dual_norm(theta, problem.p, xp))[..., None] + xp.zeros_like(centre)
    low, high = centre - reach, centre + reach
    if problem.model == "linear":
        score = xp.where(problem.y > 0, low, high)
        return score, xp.where(problem.y > 0, -1.0, 1.0) + xp.zeros_like(centre)
    inside = xp.clip(SWISH_MINIMISER, low, high)
    place = xp.clip((inside - centre) / xp.where(reach > 0, reach, 1.0), -1.0, 1.0)
    # Exactly -1 or 1 at an end, which the quotient of rounded numbers need not be.
    place = xp.where(low >= SWISH_MINIMISER, -1.0, xp.where(high <= SWISH_MINIMISER, 1.0, place))
    # Left of the minimiser swish falls, also where it is too small for a float.
    upper = (high > SWISH_MINIMISER) & (swish(high, xp) >= swish(low, xp))
    score = xp.where(problem.y > 0, inside, xp.where(upper, high, low))
    return score, xp.where(problem.y > 0, place, xp.where(upper, 1.0, -1.0))


def output(model: str, score: Array, xp: ModuleType = np) -> Array:
    """z as a function of the score u."""
    return score if model == "linear" else swish(score, xp)


def output_slope(model: str, score: Array, xp: ModuleType = np) -> Array:
    """dz/du."""
    if model == "linear":
        return xp.ones_like(score)
    gate = sigmoid(score, xp)
    return gate * (1 + score * sigmoid(-score, xp))


def swish(score: Array, xp: ModuleType = np) -> Array:
    """u sigmoid(u) (Sec. 5.1)."""
    return score * sigmoid(score, xp)


def sigmoid(value: Array, xp: ModuleType = np) -> Array:
    """1/(1 + exp(-v)) without overflow."""
    small = xp.exp(-magnitude(value, xp))
    return xp.where(value >= 0, 1.0, small) / (1 + small)


def softplus(value: Array, xp: ModuleType = np) -> Array:
    """log(1 + exp(v)) without overflow."""
    return xp.where(value >= 0, value, 0.0) + xp.log1p(xp.exp(-magnitude(value, xp)))


def magnitude(value: Array, xp: ModuleType = np) -> Array:
    """|v|, with derivative 1 at 0 as the branch v >= 0 of its callers.

    There jax takes 1 as the derivative of abs and 1/2 as that of maximum(v, 0): mixed, they would make the
    automatic gradient of softplus at 0, and so of the loss wherever the score is 0, vanish instead of 1/2.
    """
    return xp.where(value >= 0, value, -value)


def finite_array(name: str, value: Any, axes: int) -> np.ndarray:
    """A float array with the given number of axes and finite entries, or a ValueError naming the argument."""
    array = number_array(name, value)
    if array.ndim != axes:
        raise ValueError(f"{name} has {array.ndim} axes; it must have {axes}: reshape it")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has entries that are not finite; every entry must be: remove nan and inf")
    return array


def number_array(name: str, value: Any) -> np.ndarray:
    """A new float array, or a ValueError that names the argument: what is no real number is never made one."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biufO" or np.ma.is_masked(value):
            raise TypeError(f"{array.dtype} or masked")
        return np.array(array, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{name} = {shown(value)} is not an array of numbers: pass real, finite ones"
        ) from error


def shown(value: Any) -> str:
    """A value as a message quotes it: on one line, of ordinary length."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
