"""PGD (Sec. 2.1) and the attack and loss of TRADES, for any model.

They find delta, the inner maximum of Eq. (1), with gradients for the input only. The model keeps its mode
unless a batch-norm policy is named. Shapes are static and nothing in a loop waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.methods.ascent import ascend, attacked, checked, drawn, project, recordable, uniform_start
from training.methods.batch_norm import batch_norm_policy
from training.scalars import real

STARTS = ("uniform", "zero")
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"ce": F.cross_entropy}
# The standard deviation of the start of TRADES (Zhang et al., 2019); its loss has no gradient at delta = 0.
TRADES_START = 0.001


@torch.inference_mode(False)
def pgd(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    epsilon: float,
    step_size: float,
    steps: int,
    norm: str = "linf",
    start: str | Tensor = "uniform",
    box: tuple[float, float] = (0.0, 1.0),
    loss: str | Callable[[Tensor, Tensor], Tensor] = "ce",
    generator: torch.Generator | None = None,
    bn_policy: str | None = None,
    weight_gradients: bool = False,
    check_values: bool = True,
) -> Tensor:
    """A perturbation delta, shape of x, with `||delta||_norm <= epsilon` and x + delta in the box: the last iterate of

        delta <- P(delta + step_size * direction(gradient of loss(model(x + delta), y) by delta)),

    `direction` the sign ("linf") or the gradient over its norm, example by example ("l2"; zero where it is zero),
    P the projection to the ball followed by the one to the box (Madry et al., 2018; Sec. 2.1).

    `x`: (N, ...), inside the box: normalise in the model, `training.models.Normalise`. `y`: what the loss takes, labels
    (N,) for "ce". `epsilon`, `step_size` >= 0 in the units of x: fractions of the pixel range for the box (0, 1).
    Numbers may be numpy's. `start`: "uniform" in the ball, "zero", or a tensor like x; projected. `loss`: "ce", the
    mean cross-entropy, or a callable (logits, y) -> scalar. `generator`: on the device of x; None: torch's global one.
    `bn_policy`: see `training.methods.batch_norm`. `weight_gradients=True` also computes the gradients of the
    weights and drops them, as a backward pass of the public codes does: it costs a third more and changes nothing else.
    `check_values=False` does without the look at the range of x, the one wait for the device, where it is known.
    Weights, their `.grad` and `requires_grad`, and the mode of the model are afterwards as before. A caller's no_grad
    or inference mode makes no difference.

    Raises: ValueError for an argument outside its range.
    """
    objective = _known_loss(loss)
    x, y = recordable(x.detach()), recordable(y) if isinstance(y, Tensor) else y
    epsilon, step_size, steps, box = checked(x, epsilon, step_size, steps, norm, box, generator, check_values)
    with attacked(model, bn_policy, weight_gradients) as weights:
        return ascend(
            lambda delta: objective(model(x + delta), y),
            project(_start(start, x, epsilon, norm, generator), x, epsilon, norm, box),
            lambda delta: project(delta, x, epsilon, norm, box),
            step_size=step_size,
            steps=steps,
            norm=norm,
            weights=weights,
        )


@torch.inference_mode(False)
def trades_attack(
    model: nn.Module,
    x: Tensor,
    *,
    epsilon: float,
    step_size: float,
    steps: int,
    norm: str = "linf",
    start: Tensor | None = None,
    box: tuple[float, float] = (0.0, 1.0),
    generator: torch.Generator | None = None,
    bn_policy: str | None = None,
    weight_gradients: bool = False,
    check_values: bool = True,
    first_model: nn.Module | None = None,
) -> Tensor:
    """The perturbation of TRADES: as `pgd`, but maximising KL(softmax model(x) || softmax model(x + delta)).

    It starts at delta = 0.001 N(0, I), or at `start`, which is projected from the first step on (Zhang et al., 2019).
    The clean output is computed once, before the first step, and is no variable of the maximisation: 1 + steps
    forwards. The public code attacks in eval mode: `bn_policy="eval"`. Arguments and raises as `pgd`.

    `first_model`: the same weights and modules in higher precision, for the first step. There the divergence compares
    two outputs that differ by a thousandth of the input, and in bf16 its gradient is one of roundings. The other steps
    then compare with a clean output of `model`, one forward more; under "train" it moves no statistics.
    """
    x = recordable(x.detach())
    epsilon, step_size, steps, box = checked(x, epsilon, step_size, steps, norm, box, generator, check_values)
    delta = trades_start(x, generator) if start is None else _like(x, start)
    parts = [(model, steps)] if first_model is None else [(first_model, 1), (model, steps - 1)]
    with attacked(model, bn_policy, weight_gradients) as weights:
        for number, (used, steps_made) in enumerate(parts):
            again = "frozen" if number and bn_policy == "train" else None
            with torch.no_grad(), batch_norm_policy(model, again):
                clean = used(x)
            delta = ascend(
                partial(_divergence, used, x, clean),
                delta,
                lambda delta: project(delta, x, epsilon, norm, box),
                step_size=step_size,
                steps=steps_made,
                norm=norm,
                weights=weights,
            )
    return delta


def trades_start(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """0.001 N(0, I) like x, the start of the attack of TRADES; not projected."""
    return TRADES_START * drawn(torch.randn, x, generator)


def trades_loss(model: nn.Module, x: Tensor, delta: Tensor, y: Tensor, beta: float = 6.0) -> Tensor:
    """CE(model(x), y) + beta KL(softmax model(x) || softmax model(x + delta)), batch means, shape ().

    Gradients flow through both outputs. Two forwards, the perturbed batch first. The public code makes a
    second clean forward, which changes no value and no gradient but moves the running statistics of batch norm
    once more: `training.methods.batch_norm.move_statistics(model, [x])` afterwards does the same.

    Raises: ValueError for beta < 0 or not finite.
    """
    weight = real(beta)
    if weight is None or not 0 <= weight < math.inf:
        raise ValueError(f"beta = {beta}; it must be finite and >= 0: the paper's runs use 6")
    perturbed, clean = model(x + delta), model(x)
    return F.cross_entropy(clean, y) + weight * kl_divergence(clean, perturbed)


def kl_divergence(clean: Tensor, perturbed: Tensor) -> Tensor:
    """The batch mean of KL(softmax clean || softmax perturbed) for logits of shape (N, classes), shape ()."""
    return F.kl_div(
        F.log_softmax(perturbed, dim=1), F.log_softmax(clean, dim=1), reduction="batchmean", log_target=True
    )


def _divergence(model: nn.Module, x: Tensor, clean: Tensor, delta: Tensor) -> Tensor:
    return kl_divergence(clean, model(x + delta))


def _start(
    start: str | Tensor, x: Tensor, epsilon: float, norm: str, generator: torch.Generator | None
) -> Tensor:
    """The first delta, not projected yet."""
    if isinstance(start, Tensor):
        return _like(x, start)
    if start not in STARTS:
        raise ValueError(f"start = {start!r} is unknown; the known ones are {', '.join(STARTS)}, or a tensor")
    return torch.zeros_like(x) if start == "zero" else uniform_start(x, epsilon, norm, generator)


def _like(x: Tensor, start: Tensor) -> Tensor:
    """A start in type, device and memory format of x."""
    if start.shape != x.shape:
        raise ValueError(
            f"start has shape {tuple(start.shape)}; it must be that of x, {tuple(x.shape)}: pass one "
            "perturbation for each example"
        )
    return torch.empty_like(x).copy_(start.detach())


def _known_loss(loss: str | Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise ValueError(
            f"loss = {loss!r} is unknown; the known ones are {', '.join(LOSSES)}, or a callable (logits, y)"
        )
    return LOSSES[loss]
