"""Clean and PGD accuracy: shares of right answers, in eval mode, from float32 logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import torch
from torch import Tensor, nn

from training.methods.ascent import uniform_start
from training.methods.attacks import pgd
from training.methods.batch_norm import evaluating
from training.scalars import whole

# Random starts are drawn for so many examples at once, whatever the batch: example i always gets the same one.
BLOCK = 256


class NonFiniteLogits(ValueError):
    """A model whose outputs are no numbers, and which therefore has no accuracy."""


def accuracy(model: nn.Module, images: Tensor, labels: Tensor, batch: int = 500) -> float:
    """The share of examples the model gets right, in [0, 1]: a whole number over n.

    `images` (n, C, H, W): floats in [0, 1], or bytes, which are divided by 255. `labels` (n,): whole numbers from 0
    to classes - 1. `batch` >= 1: how many at once. The weights' device does the work.
    The model is in eval mode meanwhile, every module has its own mode again afterwards.
    Raises: ValueError for data that do not fit each other or the model, and for logits of lower precision than float32;
    NonFiniteLogits.
    """
    return _share_right(model, images, labels, batch, lambda x, y: x)


def pgd_accuracy(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: float,
    step_size: float,
    steps: int = 20,
    seed: int,
    norm: str = "linf",
    batch: int = 500,
    weight_gradients: bool = False,
) -> float:
    """The share of examples the model gets right at x + delta, delta the last iterate of `methods.attacks.pgd`.

    One start for each example, uniform in the ball, from the seed alone: batch size and device do not change
    it, so only rounding can differ with them. The gradient is that of each batch's mean cross-entropy. The box
    is [0, 1]. Other arguments and raises as `accuracy` and `pgd`.

    Every example makes all steps, fooled or not: what counts is the last iterate, as in the published tables, and an
    example that an earlier iterate fooled, or x itself, may be right again there. To drop it would count the best
    iterate, a lower number under the same name.
    """
    number = whole(seed)
    if number is None:
        raise ValueError(f"seed = {seed!r}; it must be a whole number")
    starts = _starts(images.shape[1:], epsilon, norm, number)

    def attacked(x: Tensor, y: Tensor) -> Tensor:
        start = torch.stack(list(islice(starts, len(x))))
        return x + pgd(
            _Logits(model),
            x,
            y,
            epsilon=epsilon,
            step_size=step_size,
            steps=steps,
            norm=norm,
            start=start,
            weight_gradients=weight_gradients,
            check_values=False,  # `check_examples` has looked
        )

    return _share_right(model, images, labels, batch, attacked)


def float_logits(model: nn.Module, x: Tensor) -> Tensor:
    """model(x) outside any autocast. Raises: ValueError unless it is (N, classes) in float32 or float64."""
    with torch.autocast(x.device.type, enabled=False):
        logits = model(x)
    if logits.ndim != 2 or len(logits) != len(x):
        raise ValueError(
            f"the model returned shape {tuple(logits.shape)} for {len(x)} images; it must be (N, classes): pass "
            "a classifier that returns logits"
        )
    if logits.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"the model returned logits in {logits.dtype}; reported accuracies need float32: pass model.float()"
        )
    return logits


def pixels(images: Tensor, device: torch.device) -> Tensor:
    """Images as contiguous floats on the device; bytes are divided by 255."""
    images = images.to(device)
    return (images.float() / 255 if images.dtype == torch.uint8 else images).contiguous()


def check_examples(model: nn.Module, images: Tensor, labels: Tensor, batch: int) -> torch.device:
    """The device of the weights. Raises: ValueError where images, labels, batch and model do not go together."""
    if (whole(batch) or 0) < 1:
        raise ValueError(f"batch = {batch!r}; it must be a whole number >= 1: pass 1 or more")
    if images.ndim != 4 or labels.ndim != 1 or len(images) != len(labels) or not len(images):
        raise ValueError(
            f"images have shape {tuple(images.shape)} and labels {tuple(labels.shape)}; they must be (n, C, H, W) "
            "and (n,) with n >= 1: pass as many labels as images"
        )
    if labels.dtype != torch.int64:
        raise ValueError(f"labels have type {labels.dtype}; they must be int64: pass labels.long()")
    if images.dtype not in (torch.uint8, torch.float32):
        raise ValueError(
            f"images have type {images.dtype}; they must be uint8, or float32 in [0, 1]: convert them"
        )
    low, high = float(images.min()), float(images.max())
    if images.dtype != torch.uint8 and not 0 <= low <= high <= 1:
        raise ValueError(
            f"images run from {low:g} to {high:g}; they must be finite and in [0, 1]: divide by 255, and leave "
            "the normalisation to the model"
        )
    device = next((weight.device for weight in model.parameters()), images.device)
    with evaluating(model), torch.no_grad():
        classes = float_logits(model, pixels(images[:1], device)).shape[1]
    low, high = int(labels.min()), int(labels.max())
    if not 0 <= low <= high < classes:
        raise ValueError(
            f"labels run from {low} to {high}; the model has {classes} classes: pass labels from 0 to {classes - 1}"
        )
    return device


def require_finite_logits(finite: Tensor) -> None:
    """Raises NonFiniteLogits unless all of `finite`, what `isfinite` said of logits, is True."""
    if not finite.all():
        raise NonFiniteLogits(
            "the model returned logits that are not finite, so no accuracy: its weights or statistics have diverged"
        )


class _Logits(nn.Module):
    """A model whose outputs are those of `float_logits`."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return float_logits(self.model, x)


def _share_right(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    batch: int,
    change: Callable[[Tensor, Tensor], Tensor],
) -> float:
    """The share of right answers at change(x, y). The device is asked once, at the end."""
    device = check_examples(model, images, labels, batch)
    right = torch.zeros((), dtype=torch.int64, device=device)
    finite = torch.ones((), dtype=torch.bool, device=device)
    with evaluating(model):
        for x, y in zip(images.split(int(batch)), labels.split(int(batch)), strict=True):
            x, y = pixels(x, device), y.to(device)
            x = change(x, y)
            with torch.no_grad():
                logits = float_logits(model, x)
            right += (logits.argmax(dim=1) == y).sum()
            finite &= logits.isfinite().all()
    require_finite_logits(finite)
    return int(right) / len(images)


def _starts(shape: torch.Size, epsilon: float, norm: str, seed: int) -> Iterator[Tensor]:
    """A start for the first example, the second, ... without end."""
    generator = torch.Generator().manual_seed(seed)
    like = torch.zeros((BLOCK, *shape))
    while True:
        yield from uniform_start(like, epsilon, norm, generator)
