"""The step of every method against its formula; what it does to batch norm, what it costs, what it counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from run_tools import few_digits, tiny
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from training.cells.recipe import Recipe
from training.engine.device import Computing, TrainingForward
from training.entropy_sgd import EntropySGD
from training.methods.attacks import pgd, trades_attack
from training.methods.step import Method
from training.models import build

METHODS = {
    "at": "cifar10-rn18-at",
    "awp": "cifar10-rn18-awp",
    "trades": "cifar10-wrn-trades",
    "trades-awp": "cifar10-wrn-trades-awp",
}
# Two float32 routes to the same update, of relative size 1e-7 each and a few operations long.
ROUNDING: dict[str, Any] = {"rtol": 1e-4, "atol": 2e-6}


def net() -> nn.Module:
    torch.manual_seed(3)
    return build("small", 10, 1).train()


def batch(n: int = 24) -> tuple[Tensor, Tensor]:
    data = few_digits(n)
    return data.pixels(data.train_images), data.train_labels


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(11)


def stepped(used: Recipe, *, entropy: bool = False, awp: bool = True) -> tuple[nn.Module, Any]:
    """The model after one step on the batch, and the outcome."""
    model = net()
    settings: dict[str, Any] = {"inner_steps": 5, "noise": 0.0, "inner_weight_decay": 5e-4}
    optimizer: torch.optim.Optimizer = (
        EntropySGD(model.parameters(), lr=1.0, **settings)
        if entropy
        else torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    )
    outcome = Method(used, model).step(optimizer, *batch(), generator=generator(), awp=awp)
    return model, outcome


def reference(used: Recipe, *, awp: bool, decay_at_perturbed: bool, lr: float = 0.1) -> dict[str, Tensor]:
    """w - lr (grad loss(w + v) + 5e-4 w or 5e-4 (w + v)), written anew: weights by name, gradients by `torch.func`."""
    model = net()
    x, y = batch()
    names = [name for name, _ in model.named_parameters()]
    weights = {name: value.detach() for name, value in model.named_parameters()}
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    policy = {"code": "eval" if used.beta else "train"}.get(used.bn_policy_attack, used.bn_policy_attack)
    budget = {"epsilon": used.epsilon, "step_size": used.step_size_train, "steps": used.steps_train}
    attack: dict[str, Any] = {**budget, "generator": generator(), "bn_policy": policy}
    delta = trades_attack(model, x, **attack) if used.beta else pgd(model, x, y, **attack)

    def loss(weights: dict[str, Tensor]) -> Tensor:
        def logits(images: Tensor) -> Tensor:
            state = weights | {name: value.clone() for name, value in buffers.items()}
            return torch.func.functional_call(model, state, (images,))

        if not used.beta:
            return -logits(x + delta).log_softmax(1)[torch.arange(len(y)), y].mean()
        clean, attacked = logits(x).log_softmax(1), logits(x + delta).log_softmax(1)
        divergence = (clean.exp() * (clean - attacked)).sum(1).mean()
        return -clean[torch.arange(len(y)), y].mean() + used.beta * divergence

    slope = torch.func.grad(loss)(weights)
    v = {name: torch.zeros_like(weights[name]) for name in names}
    if awp and used.gamma_awp:
        for name in names:
            if weights[name].ndim > 1:
                v[name] = used.gamma_awp * weights[name].norm() * slope[name] / slope[name].norm()
    moved = {name: weights[name] + v[name] for name in names}
    gradient = torch.func.grad(loss)(moved)
    decayed = moved if decay_at_perturbed else weights
    return {name: weights[name] - lr * (gradient[name] + 5e-4 * decayed[name]) for name in names}


@pytest.mark.parametrize("code", [False, True], ids=["paper", "code"])
@pytest.mark.parametrize("method", METHODS)
def test_a_step_of_sgd_is_its_formula(method, code):
    used = tiny(METHODS[method] + ("+code" if code else ""), epsilon=0.1)
    model, _ = stepped(used)
    expected = reference(used, awp=True, decay_at_perturbed=code)
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.detach(), expected[name], **ROUNDING)


@pytest.mark.parametrize("method", METHODS)
def test_a_step_of_entropy_sgd_is_taken_at_weights_free_of_v(method):
    """Its first pass is w - eta' (grad loss(w + v) + decay w), whatever the preset of AWP."""
    for reading in ("", "+code"):
        used = tiny(METHODS[method] + reading, epsilon=0.1)
        model, _ = stepped(used, entropy=True)
        expected = reference(used, awp=True, decay_at_perturbed=False)
        for name, value in model.named_parameters():
            torch.testing.assert_close(value.detach(), expected[name], **ROUNDING)


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("at", {"step_size_train": 0.03}),
        ("awp", {"gamma_awp": 0.0101}),
        ("trades", {"beta": 6.06}),
        ("trades-awp", {"gamma_awp": 0.00505}),
    ],
)
def test_a_step_whose_constant_is_off_is_not_the_formula(method, change):
    model, _ = stepped(replace(tiny(METHODS[method], epsilon=0.1), **change))
    expected = reference(tiny(METHODS[method], epsilon=0.1), awp=True, decay_at_perturbed=False)
    pairs = [(value.detach(), expected[name]) for name, value in model.named_parameters()]
    assert not all(torch.allclose(*pair, **ROUNDING) for pair in pairs)


def test_during_a_warm_up_the_weights_are_not_perturbed():
    used = tiny(METHODS["awp"])
    model, _ = stepped(used, awp=False)
    expected = reference(used, awp=False, decay_at_perturbed=False)
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.detach(), expected[name], **ROUNDING)


# Forwards in train mode that move the running statistics: attack steps, the training forwards, the extra ones.
@pytest.mark.parametrize(
    ("name", "policy", "forwards"),
    [
        ("cifar10-rn18-at", "train", 10 + 1),
        ("cifar10-rn18-at", "eval", 1),
        ("cifar10-rn18-at", "frozen", 1),
        ("cifar10-rn18-at", "code", 10 + 1 + 1 + 1),
        ("cifar10-rn18-awp", "code", 10 + 1 + 1 + 1),
        ("cifar10-rn18-awp", "train", 10 + 1),
        ("cifar10-wrn-trades", "eval", 2),
        ("cifar10-wrn-trades", "train", 1 + 10 + 2),
        ("cifar10-wrn-trades", "code", 2 + 1),
        ("cifar10-wrn-trades-awp", "code", 2 + 1),
    ],
)
def test_running_statistics_move_with_the_forwards_of_the_policy(name, policy, forwards):
    model, _ = stepped(tiny(name, bn_policy_attack=policy, steps_train=10))
    counted = [
        layer.num_batches_tracked
        for layer in model.modules()
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
    ]
    assert [None if count is None else int(count) for count in counted] == [forwards, forwards]


@pytest.mark.parametrize(
    ("policy", "weight_gradients", "equivalents"),
    [("train", False, 23), ("train", True, 33), ("code", True, 35), ("eval", False, 23)],
)
def test_an_adversarial_step_costs_its_forward_equivalents(policy, weight_gradients, equivalents):
    model, (x, y) = net(), batch()
    with FlopCounterMode(display=False) as one:
        model(x)
    method = Method(
        tiny("cifar10-rn18-at", bn_policy_attack=policy, steps_train=10),
        model,
        weight_gradients=weight_gradients,
    )
    with FlopCounterMode(display=False) as counted:
        method.step(torch.optim.SGD(model.parameters(), lr=0.1), x, y, generator=generator())
    # The training step needs no gradient by the images: that of the first convolution, 8.6 % of a forward.
    first = 2 * 16 * 9 * 16 * len(x)
    assert counted.get_total_flops() == equivalents * one.get_total_flops() - first


def test_the_outcome_counts_what_the_training_forwards_got_right():
    for name, clean in (("at", False), ("trades", True)):
        used = tiny(METHODS[name], epsilon=0.02)
        _, outcome = stepped(used)
        model, (x, y) = net(), batch()
        budget = {"epsilon": 0.02, "step_size": used.step_size_train, "steps": used.steps_train}
        attack: dict[str, Any] = {**budget, "generator": generator(), "bn_policy": used.bn_policy_attack}
        delta = trades_attack(model, x, **attack) if clean else pgd(model, x, y, **attack)
        assert int(outcome.robust_right) == int((model(x + delta).argmax(1) == y).sum())
        expected = int((model(x).argmax(1) == y).sum()) if clean else None
        assert (None if outcome.clean_right is None else int(outcome.clean_right)) == expected


def test_nothing_in_a_step_waits_for_the_device():
    """No operator brings a value to the host: `item` and the truth of a tensor both would."""
    for name in ("cifar10-rn18-awp-ensgd", "cifar10-wrn-trades-awp", "cifar10-rn18-at+code"):
        used = tiny(name)
        model = net()
        settings = used.entropy_settings if used.optimizer != "sgd" else None
        optimizer: torch.optim.Optimizer = (
            EntropySGD(model.parameters(), **settings)
            if settings
            else torch.optim.SGD(model.parameters(), lr=0.1)
        )
        method = Method(used, model)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            method.step(optimizer, *batch(), generator=generator())
        called = {event.key for event in profile.key_averages()}
        assert "aten::convolution_backward" in called
        assert not called & {"aten::_local_scalar_dense", "aten::item", "aten::is_nonzero", "aten::nonzero"}


def test_under_bf16_only_the_forward_is_of_low_precision():
    model, (x, y) = net(), batch()
    forward = TrainingForward(model, Computing(amp="bf16"), torch.device("cpu"))
    logits = forward(x)
    assert logits.dtype == torch.float32
    assert not torch.equal(logits, model(x))
    torch.testing.assert_close(logits, model(x), rtol=0.05, atol=0.05)
    method = Method(tiny("cifar10-rn18-awp"), forward)
    assert method.attack(x, y, method.start(x, generator())).dtype == torch.float32
    outcome = method.step(torch.optim.SGD(forward.parameters(), lr=0.1), x, y, generator=generator())
    full = Method(tiny("cifar10-rn18-awp"), net())
    exact = full.step(torch.optim.SGD(full.model.parameters(), lr=0.1), x, y, generator=generator())
    # bf16 keeps 8 bits; the loss is a mean of 24 values of about 2.
    torch.testing.assert_close(outcome.loss, exact.loss, rtol=0.03, atol=0.0)
    assert {weight.dtype for weight in forward.parameters()} == {torch.float32}
