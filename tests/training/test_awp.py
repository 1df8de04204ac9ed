"""AWP (training/methods/awp.py): v and what the block sees.

Second sources: the formula of v with gradients by hand in numpy, central differences, the gradient at copied weights.
"""

from __future__ import annotations

import copy
from functools import partial

import numpy as np
import pytest
import torch
from awp_nets import GAMMA_AWP, ROUNDING, WEIGHT_DECAY, loss_of, net, same, shift_in, snapshot
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from training.methods.awp import AdversarialWeights


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
    awp = AdversarialWeights(model, GAMMA_AWP, check_values=False)
    with awp.perturbed(lambda: loss_of(model) * float("nan")):
        assert bool(model.conv.weight.isnan().all())
    assert same(snapshot(model), before)


def test_nothing_waits_for_the_device():
    names: list[str] = []

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(func.name())
            return func(*args, **(kwargs or {}))

    model = net()
    awp = AdversarialWeights(model, GAMMA_AWP, policy="code", check_values=False)
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
