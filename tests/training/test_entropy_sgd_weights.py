"""The weights that EntropySGD is judged at: theta inside `evaluation_weights`, and the run as it was after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from entropy_nets import anchor, bits, run, trained
from torch import nn

from training.entropy_sgd import EntropySGD


def test_evaluation_weights_are_the_anchor_and_leave_no_trace():
    model, optimizer = trained(4)
    theta = bits(model)
    run(model, optimizer, range(4, 7))
    inner = bits(model)
    for _ in range(2):
        with optimizer.evaluation_weights():
            assert torch.equal(bits(model), theta)
            with optimizer.evaluation_weights():
                assert torch.equal(bits(model), theta)
            assert torch.equal(bits(model), theta)
        assert torch.equal(bits(model), inner)
    assert not torch.equal(inner, theta)
    run(model, optimizer, range(7, 13))
    assert torch.equal(bits(model), bits(trained(13)[0]))


def test_evaluation_weights_restore_under_exceptions_and_whatever_was_written():
    model, optimizer = trained(6)
    inner = bits(model)

    def fail() -> None:
        with optimizer.evaluation_weights():
            for weight in model.parameters():
                nn.init.constant_(weight, float("nan"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert torch.equal(bits(model), inner)
    run(model, optimizer, range(6, 9))
    assert torch.equal(bits(model), bits(trained(9)[0]))


def test_negative_zeros_and_nans_are_restored_to_the_bit():
    odd = torch.tensor([-0.0, float("nan"), 1e-45, float("inf")])
    weights = nn.Parameter(torch.ones(4))
    optimizer = EntropySGD([weights], 0.1, inner_steps=3)
    weights.grad = torch.ones(4)
    optimizer.step()
    weights.data.copy_(odd)
    with optimizer.evaluation_weights():
        assert torch.equal(weights, torch.ones(4))
    assert torch.equal(weights.detach().view(torch.int32), odd.view(torch.int32))


def test_between_loops_the_weights_in_place_are_theta_whoever_put_them_there():
    model, optimizer = trained(4)
    run(model, torch.optim.SGD(model.parameters(), lr=0.1), range(3))
    moved = bits(model)
    assert torch.equal(anchor(model, optimizer), moved)
    run(model, optimizer, [4])
    assert torch.equal(anchor(model, optimizer), moved)


@pytest.mark.parametrize("name", ["step", "discard_inner_loop", "load_state_dict"])
def test_inside_evaluation_weights_the_run_cannot_go_on(name):
    model, optimizer = trained(2)
    call: Callable[..., Any] = getattr(optimizer, name)
    arguments = [optimizer.state_dict()] if name == "load_state_dict" else []
    with (
        optimizer.evaluation_weights(),
        pytest.raises(RuntimeError, match=rf"{name}\(\) inside evaluation_weights"),
    ):
        call(*arguments)
    run(model, optimizer, range(2, 5))
    assert torch.equal(bits(model), bits(trained(5)[0]))


def test_evaluation_weights_inside_autocast_are_not_those_it_cast_before():
    model, optimizer = trained(4)
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        at_theta = model(x)
    run(model, optimizer, range(4, 7))
    with torch.autocast("cpu", torch.bfloat16):
        at_inner = model(x)
        with optimizer.evaluation_weights():
            assert torch.equal(model(x), at_theta)
        assert torch.equal(model(x), at_inner)
    assert not torch.equal(at_inner, at_theta)
