"""AWP (Eq. (76); Algorithm 1, line 9) as a context manager: inside it a loss and its gradient are those at w + v."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from training.methods.batch_norm import POLICIES, batch_norm_policy
from training.scalars import real

# `paper`: the optimizer steps as if there were no v. `code`: its weight decay acts on w + v.
STEP_POLICIES = ("paper", "code")


class AdversarialWeights:
    """The weights of a model, to be perturbed against a loss by gamma_awp times the norm of each of them (Eq. (76)).

        awp = AdversarialWeights(model, gamma_awp=0.01)
        with awp.perturbed(loss):
            loss().backward()
        optimizer.step()

    For every parameter w_l with more than one axis (convolutions, linear layers; no bias, no batch norm) that
    requires a gradient, one ascent step from v = 0:

        v_l = gamma_awp ||w_l|| g_l / ||g_l||,    g_l the gradient of the loss by w_l;  v_l = 0 where g_l = 0.

    It lies on the sphere ||v_l|| = gamma_awp ||w_l|| of Eq. (76). The paper has v "iteratively updated like PGD", at an
    overhead of 8 %, which is that of one step; the public code of Wu et al. (2020) takes one.

    model: any module. Under DistributedDataParallel pass `ddp.module` and use it in `loss`, as `torch.autograd.grad`
        bypasses the reducer; the forward inside the block goes through `ddp`. Each rank has the v of its own batch.
    gamma_awp: > 0, relative to ||w_l||; the paper uses .01 with SGD and .005 or .007 with EntropySGD.
    policy: "paper" or "code". The public code steps at w + v and subtracts v afterwards; v is the same, but its
        weight decay is wd (w + v). "code" keeps v after the block for `add_decay`; EntropySGD, whose lines 10-12 are
        free of v, needs "paper".
    bn_policy: how batch norm, and what else has a running state, runs while v is sought: "frozen" (batch statistics,
        running ones untouched), "eval" or "train" (`training.methods.batch_norm`).
    check_values: read the loss, for which the device is waited for, and refuse nan and inf. Without it v is then nan.
    Raises: ValueError naming the argument.
    """

    def __init__(
        self,
        model: nn.Module,
        gamma_awp: float,
        *,
        policy: str = "paper",
        bn_policy: str = "frozen",
        check_values: bool = True,
    ) -> None:
        gamma = real(gamma_awp)
        if gamma is None or not 0 < gamma < math.inf:
            raise ValueError(
                f"gamma_awp = {gamma_awp!r}; it must be a finite number > 0: the paper uses 0.005 to 0.01"
            )
        if policy not in STEP_POLICIES:
            raise ValueError(f"policy = {policy!r}; known policies: {', '.join(STEP_POLICIES)}")
        if bn_policy not in POLICIES:
            raise ValueError(f"bn_policy = {bn_policy!r}; known policies: {', '.join(POLICIES)}")
        if not _perturbable(model):
            raise ValueError(
                "model has no parameter with more than one axis that requires a gradient; AWP perturbs those: pass a "
                "model with linear or convolution layers, not frozen"
            )
        self.model, self.gamma_awp, self.policy, self.bn_policy = model, gamma, policy, bn_policy
        self.check_values = check_values
        self._active = False
        self._v: list[tuple[Tensor, Tensor]] = []

    @contextmanager
    def perturbed(self, loss: Callable[[], Tensor]) -> Iterator[None]:
        """Inside the block the weights are w + v; afterwards they are w again, bit for bit, exceptions included.

        loss: called once, before, at w; a scalar to be increased, on the batch that the block uses. A gradient
            scaler's factor in it changes nothing. `.grad` is left alone.
        Raises: ValueError for a loss that is no scalar, does not depend on the weights that are perturbed, or is nan or
        inf; RuntimeError inside another block, and if the block has changed a parameter: the
        optimizer steps behind it. All parameters are then as before the block, an optimizer's own state is not.
        """
        if self._active:
            raise RuntimeError("perturbed() inside perturbed(): leave the first block, its weights are not w")
        self._v = []
        weights = _perturbable(self.model)
        v = self._ascent(loss, weights)
        trained: list[Tensor] = [weight for weight in self.model.parameters() if weight.requires_grad]
        saved = {weight: weight.detach().clone() for weight in trained}
        versions: list[int] = []
        self._active = True
        try:
            with torch.no_grad():
                torch._foreach_add_(weights, v, alpha=1)
            # Autocast keeps its casts of the weights while a block of it lasts, and does not see them change.
            torch.clear_autocast_cache()
            kept = list(zip(weights, v, strict=True)) if self.policy == "code" else []
            del v
            versions = [weight._version for weight in trained]
            yield
        finally:
            # First: a copy that fails, as in a graph capture that has gone wrong, must not end the next block too.
            self._active = False
            written = [
                one for one, version in zip(trained, versions, strict=False) if one._version != version
            ]
            with torch.no_grad():
                torch._foreach_copy_(list(saved), list(saved.values()))
            torch.clear_autocast_cache()
        if written:
            raise RuntimeError(
                f"the block has changed {len(written)} parameters. They are again as before it. An optimizer that "
                "stepped in it is not: its momentum has taken the step. Step it after the block, and load the state it "
                "had before"
            )
        self._v = kept

    def add_decay(self, weight_decay: float) -> None:
        """`policy="code"`: grad <- grad + weight_decay v, once for each block, for an optimizer with this weight decay.

        It then steps as the public code does: on grad L(w + v) + weight_decay (w + v). Unscale gradients before.
        Raises: ValueError for weight_decay < 0; RuntimeError without a finished block under "code" not yet used.
        """
        decay = real(weight_decay)
        if decay is None or not 0 <= decay < math.inf:
            raise ValueError(
                f"weight_decay = {weight_decay!r}; it must be finite and >= 0: pass the optimizer's"
            )
        if not self._v:
            raise RuntimeError(
                f"add_decay() has no v (policy = {self.policy!r}): call it once after each block, with policy='code'"
            )
        graded = [(weight.grad, v) for weight, v in self._v if weight.grad is not None]
        if any(gradient.layout is not torch.strided for gradient, _ in graded):
            raise ValueError(
                "a gradient is sparse, and weight decay makes it dense: pass sparse=False to the layer that makes it"
            )
        with torch.no_grad():
            for gradient, v in graded:
                gradient.add_(v, alpha=decay)
        self._v = []

    def _ascent(self, loss: Callable[[], Tensor], weights: list[Tensor]) -> list[Tensor]:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            batch_norm_policy(self.model, self.bn_policy),
        ):
            value = loss()
            if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
                raise ValueError(
                    f"loss returned {_described(value)}; it must return a scalar tensor that depends on the weights: "
                    "compute it from model(x), not under no_grad"
                )
            if self.check_values and not value.isfinite():
                raise ValueError(
                    f"loss returned {value.item()}, which no weights increase: look at the step before, lower lr"
                )
            gradients = torch.autograd.grad(value, weights, allow_unused=True)
        if all(g is None for g in gradients):
            raise ValueError(
                "loss depends on none of the weights that are perturbed, those of `model` with more than one axis: "
                "compute it from the model that was given"
            )
        found = [
            torch.zeros_like(weight) if g is None else g.to_dense()
            for g, weight in zip(gradients, weights, strict=True)
        ]
        with torch.no_grad():
            sizes = zip(torch._foreach_norm(weights), torch._foreach_norm(found), strict=True)
            return [self._radius(size, slope) * g for (size, slope), g in zip(sizes, found, strict=True)]

    def _radius(self, size: Tensor, slope: Tensor) -> Tensor:
        """gamma_awp ||w|| / ||g||, or 0 where ||g|| is 0."""
        return torch.where(slope > 0, self.gamma_awp * size / slope, 0.0)


def _perturbable(model: nn.Module) -> list[Tensor]:
    return [weight for weight in model.parameters() if weight.ndim > 1 and weight.requires_grad]


def _described(value: object) -> str:
    return f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
