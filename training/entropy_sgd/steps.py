"""The arithmetic of EntropySGD: lines 10-13 (a pass) and 15-18 (the outer step) of Algorithm 1 on lists of tensors.

`weights` are theta' of one parameter group, `states` the dictionary of each: "anchor" (theta), "mean_deviation" (mean
- theta) and, where switched on, "variance", "inner_buffer", "outer_buffer". All of it is changed in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from training.entropy_sgd.presets import NOISE_FACTORS

Tensors = list[Tensor] | tuple[Tensor, ...]
States = list[dict[str, Tensor]]
Settings = Mapping[str, Any]


def inner_pass(
    weights: list[Tensor],
    gradients: list[Tensor],
    states: States,
    settings: Settings,
    normal: Callable[[list[Tensor]], list[Tensor]],
) -> None:
    """theta' <- theta' - eta_inner (direction + gamma (theta' - theta)) + scale N(0, I); theta' enters the averages.

    direction: the loss gradient with weight decay, then with momentum. scale: sqrt(eta_inner) or sqrt(2 eta_inner)
    times `noise`. The sign of the loss gradient is that of descent: line 10 prints the other (`alg1.line10`).
    `normal`: tensors -> N(0, I) of the same shapes, called only where there is noise.
    """
    anchors = [state["anchor"] for state in states]
    eta_inner = step_size(settings)
    direction: Tensors = gradients
    if settings["inner_weight_decay"]:
        direction = torch._foreach_add(direction, weights, alpha=settings["inner_weight_decay"])
    direction = _with_momentum(direction, states, settings, "inner")
    away = torch._foreach_sub(weights, anchors)
    direction = torch._foreach_add(direction, away, alpha=settings["gamma"])
    torch._foreach_add_(weights, direction, alpha=-eta_inner)
    if settings["noise"]:
        scale = NOISE_FACTORS[settings["noise_scale"]] * math.sqrt(eta_inner) * settings["noise"]
        torch._foreach_add_(weights, normal(weights), alpha=scale)
    _average(torch._foreach_sub(weights, anchors), states, settings)


def step_size(settings: Settings) -> float:
    """eta_inner, in the ratio of lr to its first value where it decays with it."""
    if not settings["eta_inner_decays"]:
        return settings["eta_inner"]
    return settings["eta_inner"] * float(settings["lr"]) / settings["first_lr"]


def _average(deviations: Tensors, states: States, settings: Settings) -> None:
    """Lines 12 and 13 for d = theta' - theta: mean <- (1 - alpha) mean + alpha d, and the variance beside it.

    variance <- (1 - alpha) (variance + alpha (d - mean)^2) is what line 16 means by xi - mean^2 (`alg1.lines12-13`),
    without its cancellation in float32 (`alg1.line16-cancellation`), and never negative.
    """
    alpha = settings["alpha"]
    means = [state["mean_deviation"] for state in states]
    news = torch._foreach_sub(deviations, means)
    if settings["order"] == 2:
        variances = [state["variance"] for state in states]
        torch._foreach_addcmul_(variances, news, news, value=alpha)
        torch._foreach_mul_(variances, 1 - alpha)
    torch._foreach_add_(means, news, alpha=alpha)


def outer_step(weights: list[Tensor], states: States, settings: Settings) -> list[Tensor]:
    """theta <- theta - lr gamma h (theta - mean), weight decay and momentum as switched on, then theta' <- theta.

    Returns: scalars whose least and greatest are those of h: 1/(gamma - gamma^2 variance) at order 2 (Eq. (77); line
    15 counts to d for m, `alg1.line15`), 1/gamma at order 1, where the variance is taken as 0, and 1 for
    `paper-eq11`, the gradient of Eq. (11).
    """
    gamma = settings["gamma"]
    anchors = [state["anchor"] for state in states]
    means = [state["mean_deviation"] for state in states]
    direction: Tensors
    if settings["order"] == 2:
        curvature = torch._foreach_mul([state["variance"] for state in states], -gamma)
        torch._foreach_add_(curvature, 1.0)
        direction = torch._foreach_div(means, curvature)
        torch._foreach_neg_(direction)
        inverses = [part.reciprocal() for part in curvature if part.numel()]
        h_range = [bound / gamma for part in inverses for bound in torch.aminmax(part)]
    else:
        gamma_h = 1.0 if settings["outer_step"] == "paper" else gamma
        direction = torch._foreach_mul(means, -gamma_h)
        h_range = [means[0].new_full((), gamma_h / gamma)]
    if settings["outer_weight_decay"]:
        direction = torch._foreach_add(direction, anchors, alpha=settings["outer_weight_decay"])
    direction = _with_momentum(direction, states, settings, "outer")
    torch._foreach_add_(anchors, direction, alpha=-float(settings["lr"]))
    torch._foreach_copy_(weights, anchors)
    return h_range


def _with_momentum(direction: Tensors, states: States, settings: Settings, where: str) -> Tensors:
    """Heavy-ball or Nesterov momentum as in torch's SGD, without dampening."""
    momentum = settings[f"{where}_momentum"]
    if not momentum:
        return direction
    buffers = [state[f"{where}_buffer"] for state in states]
    torch._foreach_mul_(buffers, momentum)
    torch._foreach_add_(buffers, direction)
    return (
        torch._foreach_add(direction, buffers, alpha=momentum) if settings[f"{where}_nesterov"] else buffers
    )


def force_and_gradient(
    weights: list[Tensor], gradients: list[Tensor], states: States, settings: Settings
) -> tuple[Tensor, Tensor]:
    """gamma ||theta - theta'|| and ||grad L(theta')||, scalars."""
    away = torch._foreach_sub(weights, [state["anchor"] for state in states])
    return settings["gamma"] * norm(away), norm(gradients)


def norm(tensors: Tensors) -> Tensor:
    """The Euclidean norm over all of them, a scalar on the device of the first."""
    return torch.linalg.vector_norm(together(torch._foreach_norm(tensors)))


def together(scalars: Sequence[Tensor]) -> Tensor:
    """Scalars of any device and type as one vector like the first."""
    return torch.stack([scalar.to(scalars[0]) for scalar in scalars])
