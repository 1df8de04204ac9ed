"""The state of EntropySGD: a run resumed from it ends with the same bits, a foreign one is refused."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from entropy_nets import LOOP, Net, anchor, bits, run, small_net, trained

from training.entropy_sgd import EntropySGD


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("preset", ["paper", "code"])
@pytest.mark.parametrize("position", range(5))
def test_a_run_resumed_from_a_file_ends_with_the_same_bits(preset, position):
    def build() -> tuple[Net, EntropySGD, Any]:
        model = small_net()
        optimizer = EntropySGD(model.parameters(), **LOOP, preset=preset)
        return model, optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, [7, 9], gamma=0.3)

    def go_on(minibatches: range) -> None:
        for k in minibatches:
            run(model, optimizer, [k])
            scheduler.step()

    model, optimizer, scheduler = build()
    go_on(range(5 + position))
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    saved = through_a_file({name: part.state_dict() for name, part in parts.items()})
    measured = optimizer.diagnostics
    go_on(range(5 + position, 21))
    uninterrupted = bits(model), anchor(model, optimizer), optimizer.diagnostics

    model, optimizer, scheduler = build()
    for name, part in (("model", model), ("optimizer", optimizer), ("scheduler", scheduler)):
        part.load_state_dict(saved[name])
    assert optimizer.diagnostics == measured
    go_on(range(5 + position, 21))
    assert torch.equal(bits(model), uninterrupted[0])
    assert torch.equal(anchor(model, optimizer), uninterrupted[1])
    assert optimizer.diagnostics == uninterrupted[2]


@pytest.mark.parametrize("lost", ["position", "noise", "anchor", "mean_deviation", "variance", "buffers"])
def test_nothing_in_the_state_can_be_left_out(lost):
    model, optimizer = trained(8, preset="code")
    saved, weights = copy.deepcopy(optimizer.state_dict()), copy.deepcopy(model.state_dict())
    run(model, optimizer, range(8, 16))
    if lost in ("position", "noise"):
        saved["param_groups"][0]["loop"][lost] = 0 if lost == "position" else []
    else:
        for state in saved["state"].values():
            for name in ("inner_buffer", "outer_buffer") if lost == "buffers" else (lost,):
                state[name].zero_()
    other, resumed = trained(0, preset="code")
    other.load_state_dict(weights)
    resumed.load_state_dict(saved)
    run(other, resumed, range(8, 16))
    assert not torch.equal(bits(other), bits(model))


def test_a_loaded_state_shares_no_memory_with_the_one_it_came_from():
    model, optimizer = trained(6)
    other, resumed = trained(0)
    other.load_state_dict(model.state_dict())
    resumed.load_state_dict(optimizer.state_dict())
    run(model, optimizer, range(6, 12))
    run(other, resumed, range(6, 12))
    assert torch.equal(bits(other), bits(model))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))])
def test_a_copy_of_model_and_optimizer_goes_on_with_the_same_bits(copied):
    both = trained(6)
    other = copied(both)
    run(both[0], both[1], range(6, 13))
    run(other[0], other[1], range(6, 13))
    assert torch.equal(bits(both[0]), bits(other[0]))
    assert both[1].position == other[1].position == 1


def test_settings_come_with_the_state_as_in_every_torch_optimizer():
    _, optimizer = trained(6)
    _, other = trained(0, gamma=0.9, inner_steps=2)
    other.load_state_dict(optimizer.state_dict())
    assert (other.param_groups[0]["gamma"], other.param_groups[0]["inner_steps"]) == (0.1, 4)


def test_a_state_from_another_kind_of_device_starts_the_noise_anew_and_says_so():
    model, optimizer = trained(6)
    saved = copy.deepcopy(optimizer.state_dict())
    saved["param_groups"][0]["loop"]["noise"][0][0] = "cuda"
    other, resumed = trained(0)
    other.load_state_dict(model.state_dict())
    with pytest.warns(UserWarning, match="drawn on cuda, the parameters are on cpu"):
        resumed.load_state_dict(saved)
    run(other, resumed, range(6, 9))
    assert resumed.outer_steps == 2


def test_the_state_of_another_optimizer_is_refused():
    model, optimizer = trained(3)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="keys 'state', 'param_groups'; it must be that of an EntropySGD"):
        optimizer.load_state_dict(sgd.state_dict())
    newer = optimizer.state_dict()
    newer["param_groups"][0]["loop"]["version"] = 99
    with pytest.raises(ValueError, match="version 2"):
        optimizer.load_state_dict(newer)


def test_the_state_of_another_model_is_refused_and_nothing_changed():
    _, optimizer = trained(3)
    wider = small_net(8)
    other = EntropySGD(wider.parameters(), **LOOP)
    run(wider, other, range(2))
    with pytest.raises(ValueError, match=r"shape \(8, 5\) where this optimizer has \(7, 5\)"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.position == 3
