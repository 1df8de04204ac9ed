"""EntropySGD (training/entropy_sgd) where users have met silent wrong numbers: frozen layers, torch.compile, torch's
checkpointing tools, weights loaded inside a loop, numpy's numbers, edited states.

Second sources: SGD's own rule for a missing gradient, the same run without the tool between, Algorithm 1 started anew.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

from training.entropy_sgd import EntropySGD

ROUNDING = 1e-6  # a few dozen roundings of float32 numbers of size 1
LOOP: dict[str, Any] = {"lr": 0.3, "inner_steps": 4, "gamma": 0.1, "noise": 0.01}


def small_net() -> nn.Sequential:
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(generator=generator).mul_(0.5)
    return model


def backward(model: nn.Module, k: int) -> Tensor:
    generator = torch.Generator().manual_seed(1000 + k)
    x, y = torch.randn(8, 5, generator=generator), torch.randint(3, (8,), generator=generator)
    model.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    return loss.detach()


def run(model: nn.Module, optimizer: torch.optim.Optimizer, minibatches: range) -> None:
    for k in minibatches:
        backward(model, k)
        optimizer.step()


def bits(model: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten().clone() for weight in model.parameters()])


def first(model: nn.Module) -> Tensor:
    return next(model.parameters())


def anchor(model: nn.Module, optimizer: EntropySGD) -> Tensor:
    with optimizer.evaluation_weights():
        return bits(model)


def trained(minibatches: int, **changes: Any) -> tuple[nn.Sequential, EntropySGD]:
    model = small_net()
    optimizer = EntropySGD(model.parameters(), **LOOP | changes)
    run(model, optimizer, range(minibatches))
    return model, optimizer


@pytest.mark.parametrize("preset", ["paper", "paper-eq11", "code"])
@pytest.mark.parametrize("before", range(4, 11))
def test_a_layer_frozen_at_any_point_stays_where_it_is(preset, before):
    model, optimizer = trained(before, preset=preset)
    model[0].requires_grad_(False)
    kept = bits(model[0])
    run(model, optimizer, range(before, before + 12))
    assert torch.equal(bits(model[0]), kept)
    assert not torch.equal(bits(model[2]), bits(trained(before, preset=preset)[0][2]))


def test_a_layer_without_a_gradient_for_whole_loops_sits_their_outer_steps_out():
    model, optimizer = trained(
        10, preset="code"
    )  # two whole loops: momentum and decay have something to move
    kept, state = bits(model[0]), optimizer.state[first(model)]
    momentum = state["outer_buffer"].clone()
    for k in range(10, 20):
        backward(model, k)
        for weight in model[0].parameters():
            weight.grad = None
        optimizer.step()
    assert optimizer.outer_steps == 4
    assert torch.equal(bits(model[0]), kept)
    assert torch.equal(state["outer_buffer"], momentum)


def test_a_layer_with_a_gradient_in_part_of_a_loop_takes_its_outer_step():
    model, optimizer = trained(0)
    for k in range(4):
        backward(model, k)
        if k > 1:
            for weight in model[0].parameters():
                weight.grad = None
        optimizer.step()
    before = bits(small_net()[0])
    assert not torch.equal(bits(model[0]), before)
    with optimizer.evaluation_weights():
        assert not torch.equal(bits(model[0]), before)


@pytest.mark.parametrize("preset", ["paper", "code"])
def test_a_step_under_torch_compile_is_the_same_step(preset):
    plain, compiled = trained(0, preset=preset), trained(0, preset=preset)
    run(plain[0], plain[1], range(11))
    step = torch.compile(compiled[1].step, backend="eager")
    for k in range(11):
        backward(compiled[0], k)
        step()
    assert (compiled[1].position, compiled[1].outer_steps) == (plain[1].position, plain[1].outer_steps)
    assert compiled[1].outer_steps == 2
    assert torch.equal(bits(compiled[0]), bits(plain[0]))


def test_a_compiled_function_around_backward_and_step_takes_every_step():
    model, optimizer = trained(0)
    whole = torch.compile(lambda k: run(model, optimizer, range(k, k + 1)), backend="eager")
    for k in range(6):
        whole(k)
    assert (optimizer.position, optimizer.outer_steps) == (2, 1)
    assert torch.equal(bits(model), bits(trained(6)[0]))


@pytest.mark.parametrize("preset", ["paper", "code"])
@pytest.mark.parametrize("flat", [False, True])
def test_the_state_that_torch_distributed_checkpoint_takes_resumes_to_the_bit(preset, flat, tmp_path):
    options = StateDictOptions(flatten_optimizer_state_dict=flat)
    model, optimizer = trained(6, preset=preset)
    state = {
        "model": model.state_dict(),
        "optimizer": get_optimizer_state_dict(model, optimizer, options=options),
    }
    dcp.save(state, checkpoint_id=tmp_path)
    run(model, optimizer, range(6, 17))
    other, resumed = trained(0, preset=preset, seed=5)
    found = {
        "model": other.state_dict(),
        "optimizer": get_optimizer_state_dict(other, resumed, options=options),
    }
    dcp.load(found, checkpoint_id=tmp_path)
    other.load_state_dict(found["model"])
    set_optimizer_state_dict(other, resumed, found["optimizer"], options=options)
    assert resumed.position == 6 % (5 if preset == "code" else 4)
    run(other, resumed, range(6, 17))
    assert resumed.diagnostics == optimizer.diagnostics
    assert torch.equal(bits(other), bits(model))


@pytest.mark.parametrize("full", [False, True])
def test_asking_a_fresh_optimizer_for_its_state_makes_no_pass(full):
    model, optimizer = trained(0, preset="code")
    before = bits(model)
    get_optimizer_state_dict(model, optimizer, options=StateDictOptions(full_state_dict=full))
    assert (optimizer.position, optimizer.outer_steps) == (0, 0)
    assert torch.equal(bits(model), before)
    run(model, optimizer, range(7))
    assert torch.equal(bits(model), bits(trained(7, preset="code")[0]))


def test_a_state_of_version_one_goes_on_to_the_same_bits():
    """Version 1 had the loop beside the groups, generators as tensors, and no count of passes."""
    model, optimizer = trained(6, preset="code", order=2)
    state, weights = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(model.state_dict())
    loop = next(group.pop("loop") for group in state["param_groups"])
    raw = torch.tensor(list(bytes.fromhex(loop["noise"][0][1])), dtype=torch.uint8)
    state["loop"] = {**loop, "version": 1, "noise": [["cpu", raw]]}
    for one in state["state"].values():
        del one["passes"]
    other, resumed = trained(0, preset="code", order=2)
    other.load_state_dict(weights)
    resumed.load_state_dict(state)
    run(model, optimizer, range(6, 14))
    run(other, resumed, range(6, 14))
    assert torch.equal(bits(other), bits(model))


def test_a_model_moved_after_construction_trains_like_one_moved_before():
    late, early = small_net(), small_net().double()
    optimizer, other = (EntropySGD(m.parameters(), **LOOP, preset="code") for m in (late, early))
    late.double()
    for k in range(12):
        for model, one in ((late, optimizer), (early, other)):
            for weight in model.parameters():
                weight.grad = (weight + k).detach().sin()
            one.step()
    assert torch.equal(bits(late), bits(early))
    assert {value.dtype for value in optimizer.state[first(late)].values() if isinstance(value, Tensor)} == {
        torch.float64
    }


@pytest.mark.parametrize("position", [1, 2, 3])
@pytest.mark.parametrize("preset", ["paper", "code"])
def test_weights_loaded_inside_a_loop_are_what_evaluation_sees_and_the_outer_step_starts_from(
    preset, position
):
    model, optimizer = trained(0, preset=preset, noise=0.0)
    length = 5 if preset == "code" else 4
    run(model, optimizer, range(length + position))
    best = {name: value + 3.0 for name, value in small_net().state_dict().items()}
    model.load_state_dict(best)
    with pytest.warns(UserWarning, match=rf"4 of 4 parameters were written to after pass {position} of the"):
        seen = anchor(model, optimizer)
    assert torch.equal(seen, torch.cat([value.flatten() for value in best.values()]))
    run(model, optimizer, range(length + position, 2 * length))
    assert optimizer.position == 0
    distance = (bits(model) - torch.cat([value.flatten() for value in best.values()])).abs().max()
    assert 0 < distance < 1  # the old anchor is 3 away


def test_a_loop_whose_weights_were_loaded_is_a_loop_begun_there():
    model, optimizer = trained(5, noise=0.0)
    best = small_net().state_dict()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.load_state_dict(best)
        run(model, optimizer, range(5, 8))
    other = small_net()
    run(other, EntropySGD(other.parameters(), **LOOP | {"noise": 0.0, "inner_steps": 3}), range(5, 8))
    assert torch.equal(bits(model), bits(other))


def test_weights_written_and_put_back_are_no_new_theta():
    model, optimizer = trained(5)
    saved = copy.deepcopy(model.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.load_state_dict(small_net().state_dict())
        model.load_state_dict(saved)
        run(model, optimizer, range(5, 9))
    assert torch.equal(bits(model), bits(trained(9)[0]))


def test_a_write_through_data_changes_theta_prime_alone():
    model, optimizer = trained(5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        anchor = optimizer.state[first(model)]["anchor"].clone()
        first(model).data.clamp_(-0.1, 0.1)
        run(model, optimizer, range(5, 7))
    assert torch.equal(optimizer.state[first(model)]["anchor"], anchor)


def test_model_and_optimizer_may_be_loaded_in_either_order():
    model, optimizer = trained(6)
    saved = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
    run(model, optimizer, range(6, 11))
    for first in (0, 1):
        other, resumed = trained(7)  # inside a loop of its own
        for which in (first, 1 - first):
            (other, resumed)[which].load_state_dict(saved[which])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run(other, resumed, range(6, 11))
        assert torch.equal(bits(other), bits(model))


NUMPY: dict[str, Any] = {
    "lr": np.float32(0.5),
    "inner_steps": np.int64(3),
    "gamma": np.float64(0.25),
    "order": np.int32(2),
}
NUMPY |= {"eta_inner": np.float16(0.25), "noise": np.float32(0), "alpha": np.array(0.5), "seed": np.uint8(7)}
NUMPY |= {"discard_first": np.True_, "inner_momentum": np.float32(0.5), "inner_nesterov": np.False_}


def test_numpy_numbers_are_settings_like_any():
    own = {name: np.asarray(value).item() for name, value in NUMPY.items()}
    one, two = trained(9, **NUMPY), trained(9, **own)
    assert torch.equal(bits(one[0]), bits(two[0]))
    assert one[1].outer_steps == 2
    kinds = {type(value) for name, value in one[1].param_groups[0].items() if name != "params"}
    assert kinds <= {int, float, bool, str, dict}


def test_a_group_and_a_scheduler_may_set_numpy_numbers():
    def end(kind: Any) -> Tensor:
        model = small_net()
        optimizer = EntropySGD([{"params": model.parameters(), "gamma": kind(0.25)}], **LOOP)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: kind(0.5**k))
        for k in range(9):
            run(model, optimizer, range(k, k + 1))
            scheduler.step()
        return bits(model)

    torch.testing.assert_close(end(np.float32), end(float), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"position": -5}, r"position = -5 .* whole number from 0 to 3"),
        ({"position": 4}, r"position = 4"),
        ({"position": 1.0}, r"position = 1.0"),
        ({"position": True}, r"position = True"),
        ({"outer_steps": -1}, r"outer_steps = -1"),
        ({"seed": 2**32}, r"seed = 4294967296"),
        ({"noise": [["cpu", "zz"]]}, "no readable noise generators"),
        ({"noise": [["cpu", "00"]]}, "no readable noise generators"),
        ({"noise": None}, "no readable noise generators"),
        ({"measured": None}, "no readable noise generators or measurements"),
    ],
)
def test_a_loop_that_cannot_have_been_is_refused_and_nothing_changed(change, message):
    model, optimizer = trained(6)
    state = copy.deepcopy(optimizer.state_dict())
    for group in state["param_groups"]:
        group["loop"] |= change
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state)
    run(model, optimizer, range(6, 9))
    assert torch.equal(bits(model), bits(trained(9)[0]))


@pytest.mark.parametrize(
    "change", [{"gamma": -1.0}, {"inner_steps": 0}, {"noise_scale": "pink"}, {"order": 3}]
)
def test_settings_that_no_optimizer_has_are_not_loaded(change):
    _, optimizer = trained(6)
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][0] |= change
    with pytest.raises(ValueError, match=next(iter(change))):
        optimizer.load_state_dict(state)


def test_a_state_saved_at_a_learning_rate_of_zero_is_loaded():
    _, optimizer = trained(6, eta_inner_decays=True)
    optimizer.param_groups[0]["lr"] = 0.0  # the end of a cosine
    _, other = trained(0, eta_inner_decays=True)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == 0.0


@pytest.mark.parametrize("built", [False, True])
def test_inference_mode_around_construction_or_a_step_makes_no_difference(built):
    model = small_net()
    with torch.inference_mode(built):
        optimizer = EntropySGD(model.parameters(), **LOOP, preset="code")
    for k in range(7):
        backward(model, k)
        with torch.inference_mode(not built):
            optimizer.step()
    assert torch.equal(bits(model), bits(trained(7, preset="code")[0]))
