"""How far a compiled net is from the net itself, in logits and input gradients, with no step in between."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.methods.batch_norm import batch_norm_policy


def agreement(net: nn.Module, compiled: nn.Module, x: Tensor, y: Tensor) -> dict[str, float]:
    """How far a compiled net is from the net itself on x (N, C, H, W), y (N,): the distance of the logits, and of the
    gradient of the cross-entropy by x, over their size, in eval mode and in train mode. Nothing in the net is moved.
    """
    gaps = {}
    for policy in ("eval", "frozen"):
        found = []
        for model in (net, compiled):
            with batch_norm_policy(net, policy), torch.enable_grad():
                images = x.detach().clone().requires_grad_()
                logits = model(images)
                (slope,) = torch.autograd.grad(F.cross_entropy(logits, y), images)
            found.append((logits.detach(), slope))
        for name, one, other in zip(("logits", "input gradient"), *found, strict=True):
            distance = torch.linalg.vector_norm(other - one) / torch.linalg.vector_norm(one)
            gaps[f"{name}, {'eval' if policy == 'eval' else 'train'} mode"] = float(distance)
    return gaps
