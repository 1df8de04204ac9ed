"""Whose batch-norm statistics a forward pass uses, and whether it moves the running ones.

The paper does not say; the public codes attack in train mode (AT) and in eval mode (TRADES). What a forward moves in
other layers, running statistics of instance norm and vectors of spectral norm among it, goes the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList
from torch.nn.utils.spectral_norm import SpectralNorm

POLICIES = ("train", "eval", "frozen")
BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm
InstanceNorm = nn.InstanceNorm1d | nn.InstanceNorm2d | nn.InstanceNorm3d


@contextmanager
def batch_norm_policy(model: nn.Module, policy: str | None) -> Iterator[None]:
    """Inside, every layer of the model with a running state (`running_layers`) follows the policy.

    `policy`: "train" normalises by the batch and every forward moves the running statistics; "eval" uses the
    running statistics; "frozen" normalises by the batch and touches no running statistic of batch norm (nor the counter
    of batches); None changes nothing. Instance norm with running statistics is in train mode under "train" and
    "frozen", in eval mode under "eval"; so is spectral norm, which in train mode makes a power iteration a forward.
    After "eval" and "frozen" every buffer of the model, of whatever layer, holds what it held before.
    Layers of other kinds, dropout among them, keep their mode. Every layer gets back its own, exceptions included.

    Raises: ValueError for an unknown policy.
    """
    if policy is not None and policy not in POLICIES:
        raise ValueError(
            f"bn_policy = {policy!r} is unknown; the known ones are {', '.join(POLICIES)}, or None to leave "
            "the model as it is"
        )
    layers = [] if policy is None else running_layers(model)
    before = [(layer, layer.training) for layer in layers]
    tracking = [layer for layer in layers if isinstance(layer, BatchNorm) and layer.track_running_stats]
    kept = _buffers(model) if policy in ("eval", "frozen") else []
    try:
        for layer in layers:
            layer.training = policy != "eval"
        # In training torch updates what it tracks and nothing else: an untracked layer uses its batch.
        for batch_norm in tracking if policy == "frozen" else ():
            batch_norm.track_running_stats = False
        yield
    finally:
        for layer, training in before:
            layer.training = training
        for batch_norm in tracking:
            batch_norm.track_running_stats = True
        _put_back(kept)


def move_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """One forward a batch with the policy "train" and without gradients: the running states move, only they.

    `batches`: inputs of the model. The extra forwards of the public codes are calls of this: under AT on
    x + delta after the attack and on x after the update, under TRADES a second one on x after the loss, with
    EntropySGD one pass over the training set before an evaluation.
    """
    with batch_norm_policy(model, "train"), torch.no_grad():
        for x in batches:
            model(x)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Inside, the whole model is in eval mode; afterwards every module has its own mode again.

    `model.train()` would not do: it also flips the modules that were in eval mode before.
    """
    before = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in before:
            module.training = training


def running_layers(model: nn.Module) -> list[nn.Module]:
    """The layers in which a forward in train mode moves a running state: batch norm, instance norm that tracks, and
    spectral norm, torch's older hook and its parametrization. In the order of `model.modules()`.
    """
    parametrizations = [
        one for found in model.modules() if isinstance(found, ParametrizationList) for one in found
    ]
    moving = {id(one) for one in parametrizations if any(True for _ in one.buffers())}
    return [
        module
        for module in model.modules()
        if isinstance(module, BatchNorm)
        or (isinstance(module, InstanceNorm) and module.track_running_stats)
        or any(isinstance(hook, SpectralNorm) for hook in module._forward_pre_hooks.values())
        or id(module) in moving
    ]


def _buffers(model: nn.Module) -> list[tuple[nn.Module, str, Tensor, int, Tensor]]:
    """(module, name, buffer, its version, a copy) of all but batch norm's own, which neither policy moves."""
    own = BatchNorm.__args__  # type: ignore[attr-defined]
    return [
        (module, name, buffer, buffer._version, buffer.clone())
        for module in model.modules()
        if type(module) not in own
        for name, buffer in module._buffers.items()
        if buffer is not None and not buffer.is_inference()
    ]


@torch.no_grad()
def _put_back(kept: list[tuple[nn.Module, str, Tensor, int, Tensor]]) -> None:
    for module, name, buffer, version, copy in kept:
        if buffer._version != version:
            buffer.copy_(copy)
        module._buffers[name] = buffer
