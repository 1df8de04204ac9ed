"""Whose batch-norm statistics a forward pass uses, and whether it moves the running ones.

The paper does not say; the public codes attack in train mode (AT) and in eval mode (TRADES).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

POLICIES = ("train", "eval", "frozen")
BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm


@contextmanager
def batch_norm_policy(model: nn.Module, policy: str | None) -> Iterator[None]:
    """Inside, every batch-norm layer of the model follows the policy; afterwards each is as it was.

    `policy`: "train" normalises by the batch and every forward moves the running statistics; "eval" uses the
    running statistics and moves nothing; "frozen" normalises by the batch and touches no running statistic
    (nor the counter of batches); None changes nothing. Layers of other kinds, dropout among them, keep their
    mode. Every layer gets back its own mode, exceptions included.

    Raises: ValueError for an unknown policy.
    """
    if policy is not None and policy not in POLICIES:
        raise ValueError(
            f"bn_policy = {policy!r} is unknown; the known ones are {', '.join(POLICIES)}, or None to leave "
            "the model as it is"
        )
    layers = [] if policy is None else batch_norm_layers(model)
    before = [(layer, layer.training, layer.track_running_stats) for layer in layers]
    try:
        for layer in layers:
            layer.training = policy != "eval"
            # In training torch updates what it tracks and nothing else: an untracked layer uses its batch.
            if policy == "frozen":
                layer.track_running_stats = False
        yield
    finally:
        for layer, training, tracks in before:
            layer.training, layer.track_running_stats = training, tracks


def move_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """One forward a batch with the policy "train" and without gradients: the running statistics move, only they.

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


def batch_norm_layers(model: nn.Module) -> list[BatchNorm]:
    """The batch-norm layers of the model, in the order of `model.modules()`."""
    return [module for module in model.modules() if isinstance(module, BatchNorm)]
