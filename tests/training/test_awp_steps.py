"""Optimizers that step after AWP (training/methods/awp.py): SGD as in the public code, EntropySGD as in Algorithm 1.

Second source: the public code's order of operations written out with SGD.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
import torch
from awp_nets import GAMMA_AWP, ROUNDING, WEIGHT_DECAY, Net, loss_of, net, shift_in
from torch import Tensor, nn

from training.entropy_sgd import EntropySGD
from training.methods.awp import AdversarialWeights


def sgd_for(model: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=WEIGHT_DECAY)


def public_code(steps: int) -> Net:
    """Perturb, gradient, SGD step at w + v, subtract v: the order of the public code."""
    model = net()
    sgd = sgd_for(model)
    for seed in range(steps):
        proxy = copy.deepcopy(model)
        loss_of(proxy, seed).backward()
        shifts = [
            GAMMA_AWP * w.norm() * p.grad / (p.grad.norm() + 1e-20)
            for w, p in zip(model.parameters(), proxy.parameters(), strict=True)
            if w.ndim > 1 and p.grad is not None
        ]
        weights: list[Tensor] = [w for w in model.parameters() if w.ndim > 1]
        with torch.no_grad():
            torch._foreach_add_(weights, shifts)
        sgd.zero_grad()
        loss_of(model, seed).backward()
        sgd.step()
        with torch.no_grad():
            torch._foreach_sub_(weights, shifts)
    return model


@pytest.mark.parametrize(("policy", "agrees"), [("code", True), ("paper", False)])
def test_policy_code_with_add_decay_steps_as_the_public_code(policy, agrees):
    model = net()
    sgd, awp = sgd_for(model), AdversarialWeights(model, GAMMA_AWP, policy=policy)
    for seed in range(5):
        sgd.zero_grad()
        with awp.perturbed(partial(loss_of, model, seed)):
            loss_of(model, seed).backward()
        if policy == "code":
            awp.add_decay(WEIGHT_DECAY)
        sgd.step()
    expected = public_code(5)
    gaps = [
        float((a - b).detach().abs().max())
        for a, b in zip(model.parameters(), expected.parameters(), strict=True)
    ]
    assert (max(gaps) < 1e-11) == agrees
    assert agrees or max(gaps) > 1e-4
    torch.testing.assert_close(model.norm.running_mean, expected.norm.running_mean, rtol=0, atol=1e-2)


def test_add_decay_adds_the_decay_of_v_to_the_gradients_of_the_perturbed_weights_alone():
    model = net()
    awp = AdversarialWeights(model, GAMMA_AWP, policy="code")
    shift = shift_in(model)
    with awp.perturbed(lambda: loss_of(model)):
        loss_of(model).backward()
    before = {
        name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None
    }
    awp.add_decay(0.5)
    for name, weight in model.named_parameters():
        expected = before[name] + 0.5 * torch.tensor(shift[name])
        torch.testing.assert_close(weight.grad, expected, rtol=0, atol=ROUNDING)


def test_add_decay_needs_a_finished_block_under_code_and_serves_once():
    model = net()
    paper, code = (AdversarialWeights(model, GAMMA_AWP, policy=policy) for policy in ("paper", "code"))
    with paper.perturbed(lambda: loss_of(model)):
        pass
    with pytest.raises(RuntimeError, match=r"no v \(policy = 'paper'\)"):
        paper.add_decay(WEIGHT_DECAY)
    with pytest.raises(RuntimeError, match=r"no v \(policy = 'code'\)"):
        code.add_decay(WEIGHT_DECAY)
    with code.perturbed(lambda: loss_of(model)):
        pass
    with pytest.raises(ValueError, match="weight_decay = -1"):
        code.add_decay(-1)
    code.add_decay(0.0)
    with pytest.raises(RuntimeError, match="once after each block"):
        code.add_decay(WEIGHT_DECAY)


def test_entropy_sgd_steps_from_weights_without_v():
    """Algorithm 1, lines 10 to 12: the gradient at theta' + v, everything else at theta'."""
    model, other = net(), net()
    arguments: dict[str, Any] = {"lr": 0.5, "inner_steps": 3, "noise": 0.0}
    optimizer, plain = (
        EntropySGD(model.parameters(), **arguments),
        EntropySGD(other.parameters(), **arguments),
    )
    awp = AdversarialWeights(model, GAMMA_AWP)
    for seed in range(7):
        optimizer.zero_grad()
        with awp.perturbed(partial(loss_of, model, seed)):
            loss_of(model, seed).backward()
        # The same gradients for an optimizer that never saw v.
        for mine, theirs in zip(other.parameters(), model.parameters(), strict=True):
            mine.grad = theirs.grad
        optimizer.step()
        plain.step()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
