"""The adversarial loss along a filter-normalised direction, the attack found anew at each point.

direction = filter_normalised(model, torch.Generator().manual_seed(0))
with displaced(model, direction, 0.3):      # at w + 0.3 d / ||d|| ||w||
    loss = adversarial_loss(model, x, y, epsilon=8 / 255, step_size=2 / 255, steps=10)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.evaluation.accuracies import float_logits
from training.methods.ascent import uniform_start
from training.methods.attacks import pgd
from training.methods.batch_norm import batch_norm_policy, evaluating

# Whose statistics batch norm uses -> the policy of `training.methods.batch_norm` that does so and moves nothing.
BATCH_NORM = {"running": "eval", "batch": "frozen"}
BATCH = 500


def filter_normalised(model: nn.Module, generator: torch.Generator) -> dict[str, Tensor]:
    """A random direction (d / ||d||) ||w|| in the space of the weights, filter by filter; name -> tensor like it.

    d is Gaussian. A filter is an index of the first axis: the kernels of one output channel, the row of a linear
    layer. Each is scaled to the Frobenius norm of its weights, so one step means as much whatever their scale (Li et
    al., 2018, Sec. 4). Biases and the weights of batch norm, which have one axis, get 0: they have no filters, and the
    public code of Li et al. leaves them out too when run as its page advises (`biasbn`). Running statistics stay.

    generator : on the CPU, drawn from in the order of `model.named_parameters()`, so that nets of one shape get one d
    """
    found = {}
    for name, weight in model.named_parameters():
        if weight.ndim <= 1:
            found[name] = torch.zeros_like(weight)
            continue
        noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        scale = _filter_norms(weight.detach().double().cpu()) / _filter_norms(noise)
        found[name] = (noise * scale).to(weight)
    return found


@contextmanager
def displaced(model: nn.Module, direction: Mapping[str, Tensor], alpha: float) -> Iterator[None]:
    """Inside, the weights are w + alpha direction; afterwards they are w again to the bit, exceptions included."""
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    try:
        with torch.no_grad():
            for name, weight in model.named_parameters():
                weight.add_(direction[name], alpha=alpha)
        yield
    finally:
        with torch.no_grad():
            for name, weight in model.named_parameters():
                weight.copy_(before[name])


def adversarial_loss(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    epsilon: float,
    step_size: float,
    steps: int,
    norm: str = "linf",
    seed: int = 0,
    batch_norm: str = "running",
    batch: int = BATCH,
) -> float:
    """L_eps, the mean cross-entropy at x + delta with delta the last iterate of PGD on the model as it is now.

    x (n, C, H, W) in [0, 1] and y (n,) on the model's device; epsilon, step_size, steps, norm as in `methods.attacks`.
    Each example starts from its own point, uniform in the ball, from `seed` alone: two calls differ by the weights.
    batch_norm : "running", the statistics of the training as in every evaluation, or "batch", those of the minibatch,
                 in the attack and in the loss; then the loss depends on `batch`, examples at once
    The model is in eval mode meanwhile; no statistic moves, and its mode is afterwards as before.

    Raises: ValueError for an argument outside its range, or a loss that is not finite.
    """
    if batch_norm not in BATCH_NORM:
        raise ValueError(
            f"batch_norm = {batch_norm!r} is unknown; the known ones are {', '.join(BATCH_NORM)}"
        )
    if batch < 1 or not len(x) == len(y) >= 1:
        raise ValueError(
            f"batch = {batch}, {len(x)} images and {len(y)} labels; need at least 1, and a label an image"
        )
    start = uniform_start(
        torch.zeros(x.shape, dtype=x.dtype), epsilon, norm, torch.Generator().manual_seed(seed)
    )
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    with evaluating(model), batch_norm_policy(model, BATCH_NORM[batch_norm]):
        for inputs, labels, first in zip(x.split(batch), y.split(batch), start.split(batch), strict=True):
            delta = pgd(
                model,
                inputs,
                labels,
                epsilon=epsilon,
                step_size=step_size,
                steps=steps,
                norm=norm,
                start=first.to(x.device),
            )
            with torch.no_grad():
                total += F.cross_entropy(float_logits(model, inputs + delta), labels, reduction="sum")
    mean = float(total) / len(x)
    if not math.isfinite(mean):
        raise ValueError(
            f"the adversarial loss is {mean}: the weights or statistics of the model have diverged"
        )
    return mean


def losses_along(
    model: nn.Module,
    direction: Mapping[str, Tensor],
    alphas: Sequence[float],
    loss: Callable[[nn.Module], float],
    report: Callable[[int], None] = lambda done: None,
) -> list[float]:
    """loss(model) at w + alpha direction for every alpha; whatever `loss` finds, its attack too, it finds there.

    report : called with the number of alphas that are done
    """
    found = []
    for done, alpha in enumerate(alphas, start=1):
        with displaced(model, direction, alpha):
            found.append(loss(model))
        report(done)
    return found


def _filter_norms(values: Tensor) -> Tensor:
    """The Frobenius norm of every filter, shape (filters, 1, ...)."""
    return torch.linalg.vector_norm(values, dim=tuple(range(1, values.ndim)), keepdim=True)
