"""EntropySGD (training/entropy_sgd) inside a training loop: clocks, schedulers, groups, scaling, bad input.

Second sources: the same minibatches given to separate optimizers, Algorithm 1 by hand. Equality is to the bit unless
a tolerance is named.
"""

from __future__ import annotations

import copy
import itertools
from functools import partial
from typing import Any

import pytest
import torch
from entropy_nets import LOOP, ROUNDING, Net, anchor, backward, bits, run, small_net, trained
from torch import Tensor, nn

from training.entropy_sgd import EntropySGD
from training.entropy_sgd.noise import Noise


@pytest.mark.parametrize(("preset", "length"), [("paper", 4), ("code", 5)])
def test_every_lth_minibatch_ends_with_an_outer_step(preset, length):
    model = small_net()
    optimizer = EntropySGD(model.parameters(), **LOOP, preset=preset)
    for k in range(3 * length):
        before = anchor(model, optimizer)
        run(model, optimizer, [k])
        assert optimizer.position == (k + 1) % length
        assert optimizer.outer_steps == (k + 1) // length
        moved = not torch.equal(anchor(model, optimizer), before)
        assert moved == (optimizer.position == 0)
        if optimizer.position == 0:
            assert torch.equal(bits(model), anchor(model, optimizer))


def test_the_gradient_that_code_discards_does_not_matter_once_the_momentum_is_seeded():
    ends = []
    for spoilt in (5, 6, None):  # 5 is the first minibatch of the second loop, 6 the one after
        model = small_net()
        optimizer = EntropySGD(model.parameters(), **LOOP, preset="code")
        for k in range(10):
            backward(model, 77 if k == spoilt else k)
            optimizer.step()
        ends.append(bits(model))
    assert torch.equal(ends[0], ends[2])
    assert not torch.equal(ends[1], ends[2])


def test_a_call_without_any_gradient_changes_nothing():
    model, optimizer = trained(6)
    before, position = bits(model), optimizer.position
    model.zero_grad()
    optimizer.step()
    assert torch.equal(bits(model), before)
    assert optimizer.position == position
    run(model, optimizer, range(6, 12))
    assert torch.equal(bits(model), bits(trained(12)[0]))


def test_a_frozen_parameter_neither_moves_nor_decays():
    model = small_net()
    model.inner.weight.requires_grad_(False)
    before = model.inner.weight.clone()
    run(model, EntropySGD(model.parameters(), **LOOP, preset="code"), range(11))
    assert torch.equal(model.inner.weight, before)
    assert not torch.equal(model.inner.bias, small_net().inner.bias)


def test_gradients_are_left_as_they_were():
    model = small_net()
    optimizer = EntropySGD(model.parameters(), **LOOP, preset="code")
    for k in range(6):
        backward(model, k)
        gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
        before = [gradient.clone() for gradient in gradients]
        optimizer.step()
        assert len(gradients) == 4
        assert all(map(torch.equal, before, gradients))


def test_a_closure_is_evaluated_once_at_the_weights_in_place():
    model = small_net()
    optimizer = EntropySGD(model.parameters(), **LOOP)
    losses = [optimizer.step(partial(backward, model, k)) for k in range(7)]
    plain, reached = small_net(), []
    other = EntropySGD(plain.parameters(), **LOOP)
    for k in range(7):
        reached.append(backward(plain, k))
        other.step()
    assert torch.equal(bits(model), bits(plain))
    assert torch.equal(torch.stack(losses), torch.stack(reached))


def test_the_noise_is_the_optimizers_own():
    torch.manual_seed(1)
    one = bits(trained(9)[0])
    torch.manual_seed(2)
    torch.randn(5)
    before = torch.get_rng_state()
    two = bits(trained(9)[0])
    assert torch.equal(one, two)
    # small_net() draws from the global generator when torch initialises it, so only the steps are compared.
    model, optimizer = trained(0)
    before = torch.get_rng_state()
    run(model, optimizer, range(5))
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(one, bits(trained(9, seed=1)[0]))


def test_every_seed_of_32_bits_has_a_noise_of_its_own():
    ends = [bits(trained(2, seed=seed)[0]) for seed in (0, 2**31, 2**32 - 1)]
    assert not any(torch.equal(one, two) for one, two in itertools.combinations(ends, 2))


def test_noise_on_several_devices_is_seeded_and_restored_in_their_order():
    one, two = torch.device("cpu"), torch.device("cpu", 0)  # two names of the host stand for two devices
    noise = Noise(7)
    noise.at([two, one])
    like = torch.zeros(20)
    draws = [noise.like([like])[0] for _ in range(3)]
    generator = torch.Generator().manual_seed(8)  # seed + 1: `one` was named second
    expected = [torch.empty_like(like).normal_(generator=generator) for _ in range(3)]
    assert all(map(torch.equal, draws, expected))
    other = Noise(7)
    other.restore(noise.state(), [two, one])
    assert torch.equal(other.like([like])[0], noise.like([like])[0])
    swapped = Noise(7)
    swapped.restore(noise.state(), [one, two])
    assert not torch.equal(swapped.like([like])[0], noise.like([like])[0])


@pytest.mark.parametrize(("noise_scale", "factor"), [("sqrt-eta", 1.0), ("sqrt-2-eta", 2**0.5)])
def test_the_noise_is_normal_with_the_deviation_of_line_11(noise_scale, factor):
    weights = nn.Parameter(torch.zeros(100_000))
    optimizer = EntropySGD(
        [weights], 1.0, inner_steps=2, noise=0.3, eta_inner=0.25, noise_scale=noise_scale, seed=3
    )
    weights.grad = torch.zeros_like(weights)
    optimizer.step()
    normal = weights.detach() / (0.3 * 0.5 * factor)
    within = 5 / 100_000**0.5
    assert abs(float(normal.mean())) < within
    assert abs(float(normal.var()) - 1) < 2**0.5 * within
    assert abs(float((normal**4).mean()) - 3) < 96**0.5 * within


def test_the_learning_rate_is_read_at_the_outer_step_alone():
    """A drop after minibatch 6 acts on the whole second loop, and on no pass of it."""
    model = small_net()
    optimizer = EntropySGD(model.parameters(), **LOOP)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [6], gamma=0.1)
    passes = []
    for k in range(8):
        run(model, optimizer, [k])
        scheduler.step()
        passes.append(bits(model))
    always, dropped = trained(7)[0], trained(4)
    assert torch.equal(passes[6], bits(always))
    dropped[1].param_groups[0]["lr"] = 0.1 * LOOP["lr"]
    run(dropped[0], dropped[1], range(4, 8))
    torch.testing.assert_close(passes[7], bits(dropped[0]), rtol=0, atol=ROUNDING)
    assert (passes[7] - bits(trained(8)[0])).abs().max() > 1e-3


@pytest.mark.parametrize("decays", [False, True])
def test_eta_inner_follows_the_learning_rate_only_when_told_to(decays):
    """With decay a drop of eta by 10 acts like an optimizer whose eta' is ten times smaller from there on."""
    model = small_net()
    optimizer = EntropySGD(model.parameters(), **LOOP, eta_inner_decays=decays)
    other = small_net()
    by_hand = EntropySGD(other.parameters(), **LOOP)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 6, gamma=0.1)
    for k in range(11):
        if k == 6:
            by_hand.param_groups[0]["lr"] *= 0.1
            by_hand.param_groups[0]["eta_inner"] *= 0.1 if decays else 1.0
        run(other, by_hand, [k])
        run(model, optimizer, [k])
        scheduler.step()
    torch.testing.assert_close(bits(model), bits(other), rtol=0, atol=ROUNDING)


def test_eta_inner_decays_changes_a_run_with_a_drop():
    ends = []
    for decays in (False, True):
        model, optimizer = trained(3, eta_inner_decays=decays)
        optimizer.param_groups[0]["lr"] *= 0.1
        run(model, optimizer, range(3, 6))
        ends.append(bits(model))
    assert (ends[0] - ends[1]).abs().max() > 1e-3


def test_parameter_groups_are_as_many_optimizers_on_one_clock():
    settings: tuple[dict[str, Any], ...] = (
        {"lr": 0.3, "gamma": 0.1, "order": 2, "inner_momentum": 0.9},
        {"lr": 0.05, "gamma": 0.4, "order": 1, "alpha": 0.5, "outer_momentum": 0.9, "eta_inner": 0.02},
    )
    shared: dict[str, Any] = {"inner_steps": 3, "noise": 0.0}
    one, two = small_net(), small_net()
    groups = [{"params": layers(one)[i].parameters(), **s} for i, s in zip((0, 1), settings, strict=True)]
    together = EntropySGD(groups, lr=9.0, **shared)
    apart = [
        EntropySGD(layers(two)[i].parameters(), **s, **shared) for i, s in zip((0, 1), settings, strict=True)
    ]
    for k in range(10):
        run(one, together, [k])
        backward(two, k)
        for optimizer in apart:
            optimizer.step()
        assert torch.equal(bits(one), bits(two))
    assert together.diagnostics.h_min == pytest.approx(min(a.diagnostics.h_min for a in apart))
    assert together.diagnostics.h_max == pytest.approx(max(a.diagnostics.h_max for a in apart))
    distances = [a.diagnostics.distance for a in apart]
    assert together.diagnostics.distance == pytest.approx(sum(d**2 for d in distances) ** 0.5)


@pytest.mark.parametrize("order", [1, 2])
def test_channels_last_weights_and_scalar_and_empty_parameters_train_like_any(order):
    ends = []
    for layout in (torch.contiguous_format, torch.channels_last):
        generator = torch.Generator().manual_seed(0)
        shapes = ((4, 3, 2, 2), (), (0, 5), (7,))
        weights = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
        weights[0].data = weights[0].data.contiguous(memory_format=layout)
        optimizer = EntropySGD(weights, **LOOP | {"order": order, "noise": 0.0}, preset="code")
        for k in range(12):
            for weight in weights:
                weight.grad = (weight + k).detach().sin()
            optimizer.step()
        assert optimizer.diagnostics.outer_step == 2
        ends.append([weight.detach() for weight in weights])
    assert all(map(torch.equal, *ends))


def layers(model: Net) -> tuple[nn.Linear, nn.Linear]:
    return model.inner, model.outer


def test_a_group_added_inside_a_loop_is_anchored_where_it_is():
    model = small_net()
    optimizer = EntropySGD(model.inner.parameters(), **LOOP)
    run(model, optimizer, range(2))
    optimizer.add_param_group({"params": model.outer.parameters()})
    before = model.outer.weight.detach().clone()
    run(model, optimizer, [2])
    assert torch.equal(optimizer.state[model.outer.weight]["anchor"], before)
    assert not torch.equal(model.outer.weight, before)


def test_a_refused_group_leaves_the_optimizer_as_it_was():
    model = small_net()
    optimizer = EntropySGD(model.inner.parameters(), **LOOP)
    for group in (
        {"gamma": -1.0},
        {"inner_steps": 7},
        {"params": nn.Parameter(torch.ones(2, dtype=torch.complex64))},
    ):
        with pytest.raises(ValueError, match=r"gamma|inner_steps|params"):
            optimizer.add_param_group({"params": model.outer.parameters()} | group)
        assert len(optimizer.param_groups) == 1


def test_a_minibatch_that_the_scaler_skips_is_as_if_it_had_not_been():
    scaled, plain = small_net(), small_net()
    optimizer, other = EntropySGD(scaled.parameters(), **LOOP), EntropySGD(plain.parameters(), **LOOP)
    # A power of two, which growth and back-off keep: scaling then costs no bits.
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
    positions = []
    for k in range(12):
        optimizer.zero_grad()
        scaler.scale(loss_of(scaled, k)).backward()
        if k in (1, 6):
            next(weight.grad for weight in scaled.parameters() if weight.grad is not None)[0, 0] = float(
                "inf"
            )
        else:
            run(plain, other, [k])
        scaler.step(optimizer)
        scaler.update()
        positions.append(optimizer.position)
    assert positions == [1, 1, 2, 3, 0, 1, 1, 2, 3, 0, 1, 2]
    assert torch.equal(bits(scaled), bits(plain))


def loss_of(model: nn.Module, k: int) -> Tensor:
    generator = torch.Generator().manual_seed(1000 + k)
    x, y = torch.randn(8, 5, generator=generator), torch.randint(3, (8,), generator=generator)
    return nn.functional.cross_entropy(model(x), y)


def test_diagnostics_before_an_outer_step_are_refused():
    with pytest.raises(RuntimeError, match="none was made"):
        _ = trained(3)[1].diagnostics


@pytest.mark.parametrize("preset", ["paper", "code"])
def test_a_discarded_loop_leaves_theta_and_no_momentum(preset):
    model, optimizer = trained(14, preset=preset, noise=0.0)
    theta = anchor(model, optimizer)
    assert not torch.equal(bits(model), theta)
    optimizer.discard_inner_loop()
    assert torch.equal(bits(model), theta)
    assert optimizer.position == 0
    # From there it runs like a new optimizer whose momentum starts at 0.
    other = copy.deepcopy(model)
    fresh = EntropySGD(other.parameters(), **LOOP | {"noise": 0.0}, preset=preset, seed_outer_buffer=None)
    for group in fresh.param_groups:
        group["seed_outer_buffer"] = False
    run(model, optimizer, range(14, 23))
    run(other, fresh, range(14, 23))
    assert torch.equal(bits(model), bits(other))


def test_a_warm_up_with_sgd_starts_the_first_loop_where_it_ends():
    model, optimizer = trained(0)
    run(model, torch.optim.SGD(model.parameters(), lr=0.1), range(3))
    other = copy.deepcopy(model)
    run(model, optimizer, range(3, 9))
    run(other, EntropySGD(other.parameters(), **LOOP), range(3, 9))
    assert torch.equal(bits(model), bits(other))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": -0.1}, r"lr = -0.1; it must be a number, finite and >= 0"),
        ({"lr": torch.tensor(0.1)}, r"lr = tensor\(0.1000\); it must be a number"),
        ({"lr": float("nan")}, r"lr = nan"),
        ({"gamma": 0}, r"gamma = 0; it must be a number, finite and > 0: the paper uses 0.03"),
        ({"gamma": float("inf")}, r"gamma = inf"),
        ({"eta_inner": 0.0}, r"eta_inner = 0.0; it must be a number, finite and > 0"),
        ({"noise": -1e-4}, r"noise = -0.0001; it must be a number, finite and >= 0"),
        ({"noise": "1e-4"}, r"noise = '1e-4'; it must be a number"),
        ({"alpha": 0.0}, r"alpha = 0.0; it must be a number, in \(0, 1\]"),
        ({"alpha": 1.01}, r"alpha = 1.01"),
        ({"alpha": True}, r"alpha = True; it must be a number"),
        ({"inner_steps": 0}, r"inner_steps = 0; it must be an integer >= 1"),
        ({"inner_steps": 20.0}, r"inner_steps = 20.0; it must be an integer >= 1"),
        ({"order": 3}, r"order = 3; it must be one of 1, 2"),
        ({"order": True}, r"order = True; it must be one of 1, 2"),
        ({"preset": "sgd"}, r"preset = 'sgd'; known presets: paper, paper-eq11, code"),
        ({"seed": -1}, r"seed = -1; it must be an integer, 0 <= seed < 2\^32"),
        ({"seed": 2**32}, r"seed = 4294967296"),
        ({"noise_scale": "eta"}, r"noise_scale = 'eta'; it must be one of 'sqrt-eta', 'sqrt-2-eta'"),
        ({"outer_step": "code"}, r"outer_step = 'code'; it must be one of 'paper', 'paper-eq11'"),
        ({"outer_step": "paper-eq11"}, r"outer_step = 'paper-eq11' is a first-order step, order = 2"),
        ({"inner_momentum": 1.0}, r"inner_momentum = 1.0; it must be a number, in \[0, 1\)"),
        ({"outer_momentum": -0.1}, r"outer_momentum = -0.1"),
        ({"outer_momentum": 1.5}, r"outer_momentum = 1.5"),
        ({"inner_weight_decay": -1.0}, r"inner_weight_decay = -1.0"),
        ({"outer_weight_decay": float("inf")}, r"outer_weight_decay = inf"),
        ({"inner_nesterov": True}, r"inner_nesterov = True needs inner_momentum > 0"),
        ({"zero_inner_buffer": True}, r"zero_inner_buffer = True needs inner_momentum > 0"),
        ({"outer_nesterov": True}, r"outer_nesterov = True needs outer_momentum > 0"),
        ({"seed_outer_buffer": True}, r"seed_outer_buffer = True needs outer_momentum > 0"),
        ({"discard_first": 1}, r"discard_first = 1; it must be True or False"),
        ({"eta_inner_decays": True, "lr": 0.0}, r"eta_inner_decays = True scales eta_inner by lr"),
    ],
)
def test_an_inadmissible_argument_is_named_with_its_value(changes, message):
    with pytest.raises(ValueError, match=message):
        EntropySGD(small_net().parameters(), **LOOP | changes)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.int64])
def test_parameters_that_are_no_real_numbers_are_refused(dtype):
    weights = nn.Parameter(torch.ones(2, dtype=dtype), requires_grad=dtype.is_complex)
    with pytest.raises(ValueError, match="real floating-point"):
        EntropySGD([weights], **LOOP)


def test_a_sparse_gradient_is_refused_before_anything_moves():
    table = nn.Embedding(4, 2, sparse=True)
    before = table.weight.detach().clone()
    optimizer = EntropySGD(table.parameters(), **LOOP)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(
        ValueError, match=r"parameter of shape \(4, 2\) is torch.sparse_coo; it must be dense"
    ):
        optimizer.step()
    assert torch.equal(table.weight, before)
    assert optimizer.position == 0
