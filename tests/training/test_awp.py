"""AWP (training/methods/awp.py): v, what the block sees, and that the weights come back.

Second sources: the formula of v with gradients by hand in numpy, central differences, the gradient at copied weights,
and the public code's order of operations written out with SGD.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from training.entropy_sgd import EntropySGD
from training.methods.awp import AdversarialWeights

ROUNDING = 1e-13  # a few dozen roundings of float64 numbers of size 1 to 10
GAMMA_AWP = 0.05
WEIGHT_DECAY = 0.02


class Net(nn.Module):
    """A convolution, batch norm and a linear layer, each with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.out = nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.norm(self.conv(x))).flatten(1))


def net(dtype: torch.dtype = torch.float64) -> Net:
    generator = torch.Generator().manual_seed(0)
    model = Net().to(dtype)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.empty(weight.shape).normal_(generator=generator))
    return model


def batch(seed: int = 1, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x, y = torch.randn(6, 1, 4, 4, generator=generator), torch.randint(4, (6,), generator=generator)
    return x.to(dtype), y


def loss_of(model: nn.Module, seed: int = 1) -> Tensor:
    x, y = batch(seed, next(model.parameters()).dtype)
    return nn.functional.cross_entropy(model(x), y)


def snapshot(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def shift_in(model: nn.Module, gamma_awp: float = GAMMA_AWP, **arguments: Any) -> dict[str, np.ndarray]:
    """The v of every parameter, read off inside the block."""
    before = snapshot(model)
    with AdversarialWeights(model, gamma_awp, **arguments).perturbed(lambda: loss_of(model)):
        return {
            name: (value.detach() - before[name]).numpy().copy() for name, value in model.named_parameters()
        }


def test_v_is_the_formula_layer_by_layer_on_a_linear_model_by_hand():
    """Squared error of a linear map: the gradient is 2/N (W x - y) x^T, the bias stays."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(5, 3)), generator.normal(size=(5, 2))
    model = nn.Linear(3, 2).double()
    weight, bias = model.weight.detach().numpy().copy(), model.bias.detach().numpy().copy()
    g = 2 / 10 * (x @ weight.T + bias - y).T @ x

    def loss() -> Tensor:
        return (model(torch.tensor(x)) - torch.tensor(y)).pow(2).mean()

    with AdversarialWeights(model, 0.3).perturbed(loss):
        found = model.weight.detach().numpy() - weight
        np.testing.assert_array_equal(model.bias.detach().numpy(), bias)
    expected = 0.3 * np.linalg.norm(weight) * g / np.linalg.norm(g)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING)
    # A norm a row in place of the whole tensor's is another v.
    by_row = 0.3 * np.linalg.norm(weight) * g / np.linalg.norm(g, axis=1, keepdims=True)
    assert np.abs(found - by_row).max() > 1e-3


def test_v_points_along_the_central_differences_of_the_loss_and_keeps_to_the_tensors():
    model, fd_step = net(), 1e-5
    found = shift_in(model)
    for name, weight in model.named_parameters():
        if weight.ndim == 1:
            assert not found[name].any()
            continue
        slope = np.zeros(weight.shape)
        with torch.no_grad():
            for index in np.ndindex(*weight.shape):
                here = weight[index].clone()
                ends = []
                for sign in (1, -1):
                    weight[index] = here + sign * fd_step
                    ends.append(float(loss_of(model)))
                weight[index] = here
                slope[index] = (ends[0] - ends[1]) / (2 * fd_step)
        size = np.linalg.norm(weight.detach().numpy())
        np.testing.assert_allclose(found[name], GAMMA_AWP * size * slope / np.linalg.norm(slope), atol=1e-7)


def test_v_raises_the_loss_at_the_rate_of_its_slope():
    model = net()
    at_w = float(loss_of(model).detach())
    rises = []
    for gamma_awp in (1e-3, 1e-4):
        with AdversarialWeights(model, gamma_awp).perturbed(lambda: loss_of(model)), torch.no_grad():
            rises.append(float(loss_of(model)) - at_w)
    weights = [weight for weight in model.parameters() if weight.ndim > 1]
    gradients = torch.autograd.grad(loss_of(model), weights)
    slope = sum(float(w.detach().norm() * g.norm()) for w, g in zip(weights, gradients, strict=True))
    assert rises[1] == pytest.approx(1e-4 * slope, rel=1e-2)
    assert rises[0] == pytest.approx(1e-3 * slope, rel=1e-1)


def test_the_gradient_in_the_block_is_the_one_at_w_plus_v():
    model = net()
    moved, shift = copy.deepcopy(model), shift_in(model)
    with torch.no_grad():
        for name, weight in moved.named_parameters():
            weight.add_(torch.tensor(shift[name]))
    loss_of(moved).backward()
    with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model)):
        loss_of(model).backward()
    plain = copy.deepcopy(model)
    plain.zero_grad()
    loss_of(plain).backward()
    for one, two, other in zip(model.parameters(), moved.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=0, atol=1e-12)
        if one.ndim > 1:
            assert one.grad is not None
            assert other.grad is not None
            assert (one.grad - other.grad).abs().max() > 1e-4


def scaled_loss(model: nn.Module, factor: float) -> Tensor:
    return factor * loss_of(model)


def test_a_factor_before_the_loss_changes_nothing():
    model = net(torch.float32)
    shifts = []
    for factor in (1.0, 2.0**10):
        with AdversarialWeights(model, GAMMA_AWP).perturbed(partial(scaled_loss, model, factor)):
            shifts.append(snapshot(model))
    assert same(*shifts)


def test_the_batch_of_the_block_is_not_asked_for_its_gradients():
    model = net()
    with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model)):
        assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_weights_come_back_to_the_bit(kind):
    model = net(kind)
    with torch.no_grad():
        model.out.weight[0, :3] = torch.tensor([-0.0, 1e-42, -3e2])
    before = {name: value.clone() for name, value in model.named_parameters()}
    with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model)):
        assert not torch.equal(model.conv.weight, before["conv.weight"])
        model.out.bias.sum().backward()
    integers = torch.int32 if kind is torch.float32 else torch.int64
    for name, value in model.named_parameters():
        assert torch.equal(value.detach().view(integers), before[name].detach().view(integers))


def test_subtracting_v_would_not_restore_every_bit():
    """Why a copy is kept: (w + v) - v rounds."""
    model = net(torch.float32)
    before = model.conv.weight.detach().clone()
    awp = AdversarialWeights(model, GAMMA_AWP, policy="code")
    with awp.perturbed(lambda: loss_of(model)):
        moved = model.conv.weight.detach().clone()
    v = next(v for weight, v in awp._v if weight is model.conv.weight)
    assert torch.equal(before + v, moved)
    assert not torch.equal(moved - v, before)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_in_the_block_passes_and_leaves_w(error):
    model = net()
    before = snapshot(model)
    awp = AdversarialWeights(model, GAMMA_AWP)

    def fail() -> None:
        with awp.perturbed(lambda: loss_of(model)):
            model.eval()
            raise error

    with pytest.raises(error):
        fail()
    assert same(snapshot(model), before)
    with awp.perturbed(lambda: loss_of(model)):
        pass


def test_an_exception_in_the_loss_passes_and_leaves_the_model_as_it_was():
    model = net()
    before = snapshot(model)

    def loss() -> Tensor:
        loss_of(model)
        raise OSError("no batch")

    with pytest.raises(OSError, match="no batch"), AdversarialWeights(model, GAMMA_AWP).perturbed(loss):
        pytest.fail("the block was entered")
    assert same(snapshot(model), before)
    assert model.norm.training
    assert model.norm.track_running_stats


def test_a_block_that_is_dropped_leaves_w():
    model = net()
    before = snapshot(model)
    block = AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model))
    block.__enter__()
    assert not same(snapshot(model), before)
    del block
    assert same(snapshot(model), before)


def test_a_step_inside_the_block_is_reported_and_undone():
    model = net()
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)

    def misuse() -> None:
        with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model)):
            loss_of(model).backward()
            sgd.step()

    with pytest.raises(
        RuntimeError, match="the block has changed the weights, which is undone: step the optimizer"
    ):
        misuse()
    undone = {name for name, value in model.named_parameters() if torch.equal(value, before[name])}
    assert {"conv.weight", "out.weight"} <= undone
    assert "out.bias" not in undone


def test_a_block_inside_a_block_is_refused():
    model = net()
    before = snapshot(model)
    awp = AdversarialWeights(model, GAMMA_AWP)

    def misuse() -> None:
        with awp.perturbed(lambda: loss_of(model)), awp.perturbed(lambda: loss_of(model)):
            pytest.fail("the second block was entered")

    with pytest.raises(RuntimeError, match=r"perturbed\(\) inside perturbed\(\)"):
        misuse()
    assert same(snapshot(model), before)


@pytest.mark.parametrize("training", [True, False])
def test_v_is_sought_with_batch_statistics_and_moves_no_running_ones(training):
    model = net()
    model.norm.running_mean.fill_(0.7)  # type: ignore[operator,union-attr]
    model.train(training)
    before = snapshot(model)
    seen = []

    def loss() -> Tensor:
        seen.append((model.norm.training, model.training))
        return loss_of(model)

    with AdversarialWeights(model, GAMMA_AWP).perturbed(loss):
        inside = snapshot(model)
        assert {name for name in inside if not torch.equal(inside[name], before[name])} == {
            "conv.weight",
            "out.weight",
        }
    assert seen == [(True, training)]
    assert (model.norm.training, model.training) == (training, training)
    assert same(snapshot(model), before)


def test_the_batch_norm_policy_decides_which_statistics_v_is_sought_with():
    shifts = {}
    for policy in ("frozen", "train", "eval"):
        model = net()
        model.norm.running_mean.fill_(0.7)  # type: ignore[operator,union-attr]
        shifts[policy] = shift_in(model, bn_policy=policy)["conv.weight"]
        moved = float(model.norm.num_batches_tracked)  # type: ignore[arg-type]
        assert moved == (1 if policy == "train" else 0)
    np.testing.assert_array_equal(shifts["frozen"], shifts["train"])
    assert np.abs(shifts["frozen"] - shifts["eval"]).max() > 1e-3


def test_the_forward_in_the_block_moves_the_running_statistics_once():
    model = net()
    with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model)):
        loss_of(model).backward()
    assert int(model.norm.num_batches_tracked) == 1  # type: ignore[arg-type]


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


def test_frozen_weights_and_weights_outside_the_loss_are_not_perturbed():
    model = net()
    model.conv.weight.requires_grad_(False)
    model.register_parameter("unused", nn.Parameter(torch.ones(2, 2, dtype=torch.float64)))
    moved = {name for name, shift in shift_in(model).items() if shift.any()}
    assert moved == {"out.weight"}


def test_a_weight_without_slope_has_no_v_and_a_zero_weight_stays_zero():
    model = nn.Linear(3, 2).double()
    with AdversarialWeights(model, 0.1).perturbed(lambda: (0.0 * model(torch.ones(1, 3).double())).sum()):
        assert bool(torch.isfinite(model.weight).all())
    nn.init.zeros_(model.weight)
    with AdversarialWeights(model, 0.1).perturbed(lambda: model(torch.ones(1, 3).double()).sum()):
        assert not model.weight.any()


def test_a_loss_that_is_not_finite_gives_no_finite_v_and_w_comes_back():
    model = net()
    before = snapshot(model)
    with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model) * float("nan")):
        assert bool(model.conv.weight.isnan().all())
    assert same(snapshot(model), before)


def test_inside_autocast_the_block_does_not_see_the_casts_of_w():
    model = net(torch.float32)
    x, _ = batch(dtype=torch.float32)
    moved = copy.deepcopy(model)
    with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model)):
        moved.load_state_dict(model.state_dict())
    model.eval()
    moved.eval()
    with torch.autocast("cpu", torch.bfloat16):
        expected, at_w = moved(x), model(x)
        with AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: loss_of(model)):
            assert not torch.equal(model(x), at_w)
        assert torch.equal(model(x), at_w)
    assert not torch.equal(expected, at_w)


def test_nothing_waits_for_the_device():
    names: list[str] = []

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(func.name())
            return func(*args, **(kwargs or {}))

    model = net()
    awp = AdversarialWeights(model, GAMMA_AWP, policy="code")
    with Recorder():
        with awp.perturbed(lambda: loss_of(model)):
            loss_of(model).backward()
        awp.add_decay(WEIGHT_DECAY)
        assert "aten::_local_scalar_dense" not in names
        float(loss_of(model).detach())
    assert "aten::_local_scalar_dense" in names


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma_awp": 0.0}, "gamma_awp = 0.0; it must be a finite number > 0"),
        ({"gamma_awp": -0.01}, "gamma_awp = -0.01"),
        ({"gamma_awp": float("nan")}, "gamma_awp = nan"),
        ({"gamma_awp": "0.01"}, "gamma_awp = '0.01'"),
        ({"policy": "sgd"}, "policy = 'sgd'; known policies: paper, code"),
        ({"bn_policy": "test"}, "bn_policy = 'test'; known policies: train, eval, frozen"),
        ({"model": nn.BatchNorm2d(3)}, "model has no parameter with more than one axis"),
        ({"model": nn.Linear(2, 2).requires_grad_(False)}, "model has no parameter with more than one axis"),
    ],
)
def test_an_inadmissible_argument_is_named_with_its_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdversarialWeights(**{"model": net(), "gamma_awp": 0.01} | arguments)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.ones(2, requires_grad=True), r"loss returned a tensor of shape \(2,\)"),
        (torch.tensor(1.0), "depends on the weights"),
        (0.5, r"loss returned 0\.5"),
    ],
)
def test_a_loss_that_is_no_scalar_of_the_weights_is_refused(value, message):
    model = net()
    with (
        pytest.raises(ValueError, match=message),
        AdversarialWeights(model, GAMMA_AWP).perturbed(lambda: value),
    ):
        pytest.fail("the block was entered")
