"""Projected gradient ascent on a perturbation of the input: its parts and the checks before it.

Shapes are static and nothing in the loop waits for the device: it can be compiled or captured as a graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from training.methods.batch_norm import batch_norm_policy
from training.scalars import real, whole

NORMS = ("linf", "l2")
# How far x may lie outside the box, over the larger end of it: a few roundings in float32, as of a box computed apart.
BOX_SLACK = 2 * torch.finfo(torch.float32).eps


def ascend(
    objective: Callable[[Tensor], Tensor],
    delta: Tensor,
    projection: Callable[[Tensor], Tensor],
    *,
    step_size: float,
    steps: int,
    norm: str,
    weights: list[Tensor],
) -> Tensor:
    """The last of `steps` iterates delta <- projection(delta + step_size * direction(gradient of objective(delta))).

    The gradients of `weights` are computed beside it and dropped.
    """
    for _ in range(steps):
        delta = delta.detach().requires_grad_()
        # Weights the loss does not reach have no gradient: allow_unused.
        gradient, *_ = torch.autograd.grad(objective(delta), [delta, *weights], allow_unused=bool(weights))
        with torch.no_grad():
            direction = gradient.sign() if norm == "linf" else _direction_and_length(gradient)[0]
            delta = projection(delta + step_size * direction)
    return delta.detach()


@contextmanager
def attacked(model: nn.Module, bn_policy: str | None, weight_gradients: bool) -> Iterator[list[Tensor]]:
    """Gradients on and the batch-norm policy in force; yields the weights whose gradients are to be computed.

    Raises: ValueError for a model with weights or buffers from inference mode, which autograd cannot use.
    """
    if any(one.is_inference() for one in (*model.parameters(), *model.buffers())):
        raise ValueError(
            "model holds tensors made under torch.inference_mode(), through which there is no gradient: make or load "
            "it outside"
        )
    with batch_norm_policy(model, bn_policy), torch.enable_grad():
        if weight_gradients:
            yield [weight for weight in model.parameters() if weight.requires_grad]
        else:
            with without_weight_gradients(model):
                yield []


def project(delta: Tensor, x: Tensor, epsilon: float, norm: str, box: tuple[float, float]) -> Tensor:
    """delta brought into the ball, then x + delta into the box.

    For x inside the box, which `checked` sees to, the second step moves no coordinate away from 0, so the result lies
    in both. For "l2" it is not always the nearest point of the intersection; nor is it in the public codes.
    """
    if norm == "linf":
        delta = delta.clamp(-epsilon, epsilon)
    else:
        direction, length = _direction_and_length(delta)
        delta = torch.where(length > epsilon, epsilon * direction, delta)
    low, high = box
    return torch.clamp(delta, low - x, high - x)


def uniform_start(x: Tensor, epsilon: float, norm: str, generator: torch.Generator | None = None) -> Tensor:
    """A perturbation for each example of x (N, ...), uniform in the ball and not projected to any box.

    For "l2" a Gaussian direction times epsilon U^(1/d), d the coordinates of one example, U uniform in [0, 1].
    """
    if norm == "linf":
        return epsilon * (2 * drawn(torch.rand, x, generator) - 1)
    direction, _ = _direction_and_length(drawn(torch.randn, x, generator))
    share = torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype)
    share = share.pow(1 / max(1, math.prod(x.shape[1:]))).view(-1, *[1] * (x.ndim - 1))
    return epsilon * share * direction


def drawn(distribution: Callable[..., Tensor], x: Tensor, generator: torch.Generator | None) -> Tensor:
    """Random numbers in the shape, type, device and memory format of x; the format does not change the numbers."""
    numbers = distribution(tuple(x.shape), generator=generator, device=x.device, dtype=x.dtype)
    return torch.empty_like(x).copy_(numbers)


@contextmanager
def without_weight_gradients(model: nn.Module) -> Iterator[None]:
    """Inside, no weight takes a gradient, so autograd stores nothing for one; the flags come back as they were."""
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    try:
        for weight in weights:
            weight.requires_grad_(False)
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def recordable(tensor: Tensor) -> Tensor:
    """The tensor, or a copy of one made in inference mode, which autograd could not keep for a gradient."""
    return tensor.clone() if tensor.is_inference() else tensor


def checked(
    x: Tensor,
    epsilon: float,
    step_size: float,
    steps: int,
    norm: str,
    box: tuple[float, float],
    generator: torch.Generator | None,
    check_values: bool,
) -> tuple[float, float, int, tuple[float, float]]:
    """epsilon, step_size, steps and box as Python's own numbers, all arguments being within their ranges.

    The device is asked once, for the range of x, where `check_values`.
    """
    if norm not in NORMS:
        raise ValueError(f"norm = {norm!r} is unknown; the known ones are {', '.join(NORMS)}")
    if not x.is_floating_point() or x.ndim < 2:
        raise ValueError(
            f"x has type {x.dtype} and shape {tuple(x.shape)}; it must hold a batch of floats (N, ...): divide "
            "images of whole numbers by 255 first"
        )
    ends = [math.nan if (end := real(one)) is None else end for one in (() if box is None else box)]
    low, high = ends if len(ends) == 2 else (math.nan, math.nan)
    if not -math.inf < low < high < math.inf:
        raise ValueError(
            f"box = {box}; it must be (low, high) with low < high, both finite: (0, 1) for pixels"
        )
    widest = (high - low) * (1 if norm == "linf" else math.sqrt(math.prod(x.shape[1:])))
    radius, size, number = real(epsilon), real(step_size), whole(steps)
    if radius is None or not 0 <= radius <= widest:
        raise ValueError(
            f"epsilon = {epsilon}; it must lie between 0 and {widest:g}, the size of the box in this norm: it is "
            "in the units of x, so 8 of 255 is 8/255"
        )
    if size is None or not 0 <= size < math.inf:
        raise ValueError(f"step_size = {step_size}; it must be finite and >= 0: pass a part of epsilon")
    if number is None or number < 1:
        raise ValueError(f"steps = {steps!r}; it must be a whole number >= 1: pass 1 or more")
    if generator is not None and generator.device.type != x.device.type:
        raise ValueError(
            f"generator is on {generator.device}; x is on {x.device}: make it with "
            f"torch.Generator('{x.device.type}')"
        )
    if check_values and x.numel() and not x.is_meta:
        _require_in_box(x, low, high)
    return radius, size, number, (low, high)


def _require_in_box(x: Tensor, low: float, high: float) -> None:
    """Where x is outside, no delta reaches the box within a small radius: it would be a large one, without a word."""
    least, most = torch.stack(torch.aminmax(x)).tolist()
    slack = BOX_SLACK * max(abs(low), abs(high))
    ends = torch.tensor([low, high], dtype=x.dtype).tolist()
    if not ends[0] - slack <= least <= most <= ends[1] + slack:
        raise ValueError(
            f"x runs from {least:g} to {most:g}; it must be finite and lie in box = ({low:g}, {high:g}): divide bytes "
            "by 255, and normalise inside the model (training.models.Normalise)"
        )


def _direction_and_length(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """v / ||v||_2 (0 where v is 0) and ||v||_2, shape (N, 1, ...), of every example.

    Scaled by the largest entry first: the squares of a small gradient would underflow in float32.
    """
    axes = tuple(range(1, vectors.ndim))
    largest = vectors.abs().amax(dim=axes, keepdim=True)
    scaled = vectors / torch.where(largest > 0, largest, torch.ones_like(largest))
    length = torch.linalg.vector_norm(scaled, dim=axes, keepdim=True)
    return scaled / torch.where(length > 0, length, torch.ones_like(length)), largest * length
