"""The weights come back from the block of AWP (training/methods/awp.py) to the bit, whatever happens inside."""

from __future__ import annotations

import copy

import pytest
import torch
from awp_nets import GAMMA_AWP, batch, loss_of, net, same, snapshot
from torch import Tensor

from training.methods.awp import AdversarialWeights


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
        RuntimeError, match=r"changed 6 parameters\. They are again as before .* momentum has taken the step"
    ):
        misuse()
    assert all(torch.equal(value, before[name]) for name, value in model.named_parameters())


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
