"""The model comes back from PGD and TRADES (training/methods/attacks.py) as it was, its type and format kept."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from attack_nets import BUDGET, FLOAT, small_batch
from torch import Tensor, nn

from training.methods.ascent import uniform_start
from training.methods.attacks import pgd, trades_attack
from training.methods.batch_norm import POLICIES


@pytest.mark.parametrize("policy", [None, *POLICIES])
@pytest.mark.parametrize("attack", ["pgd", "trades"])
def test_the_model_comes_back_as_it_was(attack, policy):
    model, x, y = small_batch()
    model.train()
    model.net.norm2.eval()
    model.net.linear.bias.requires_grad_(False)
    flags = [weight.requires_grad for weight in model.parameters()]
    modes = [module.training for module in model.modules()]
    weights = copy.deepcopy(dict(model.named_parameters()))
    randomness, generator = torch.get_rng_state(), torch.Generator().manual_seed(0)
    x.requires_grad_()
    for weight_gradients in (False, True):
        options: dict[str, Any] = {
            "generator": generator,
            "bn_policy": policy,
            "weight_gradients": weight_gradients,
            **BUDGET,
        }
        with torch.no_grad():
            delta = pgd(model, x, y, **options) if attack == "pgd" else trades_attack(model, x, **options)
        assert not delta.requires_grad
    assert [weight.requires_grad for weight in model.parameters()] == flags
    assert [module.training for module in model.modules()] == modes
    assert all(layer.track_running_stats for layer in (model.net.norm1, model.net.norm2))
    assert all(weight.grad is None for weight in [x, *model.parameters()])
    assert all(torch.equal(weight, weights[name]) for name, weight in model.named_parameters())
    assert torch.equal(torch.get_rng_state(), randomness)


def test_an_exception_inside_an_attack_restores_the_model_too():
    model, x, y = small_batch()
    model.eval()

    def broken(logits: Tensor, y: Tensor) -> Tensor:
        raise KeyError("stop")

    with pytest.raises(KeyError):
        pgd(model, x, y, loss=broken, bn_policy="frozen", **BUDGET)
    assert all(weight.requires_grad for weight in model.parameters())
    assert not any(module.training for module in model.modules())
    assert model.net.norm1.track_running_stats


def test_the_attack_keeps_float32_and_the_memory_format_under_bf16_autocast():
    model, _, y = small_batch(n=4)
    rgb: Any = nn.Sequential(nn.Conv2d(3, 1, 1), model)
    rgb.to(memory_format=torch.channels_last)
    x = torch.rand(4, 3, 8, 8).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert rgb(x).dtype == torch.bfloat16
        for delta in (
            pgd(rgb, x, y, bn_policy="frozen", **BUDGET),
            pgd(rgb, x, y, bn_policy="frozen", norm="l2", **BUDGET),
            trades_attack(rgb, x, bn_policy="eval", **BUDGET),
        ):
            assert delta.dtype == torch.float32
            assert delta.is_contiguous(memory_format=torch.channels_last)
            assert delta.abs().max() > 0.01
    cube = [
        uniform_start(part, 0.1, "linf", torch.Generator().manual_seed(0)) for part in (x, x.contiguous())
    ]
    assert torch.equal(*cube)
    ball = [uniform_start(part, 0.1, "l2", torch.Generator().manual_seed(0)) for part in (x, x.contiguous())]
    assert ball[0].numpy() == pytest.approx(ball[1].numpy(), abs=FLOAT)
