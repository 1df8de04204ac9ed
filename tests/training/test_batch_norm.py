"""The batch-norm policies of the trainer (training/methods/batch_norm.py).

Second sources: normalisation and moving averages written out, and the number of batches that torch counts.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from training.methods.attacks import pgd
from training.methods.batch_norm import batch_norm_policy, evaluating, move_statistics
from training.models import SmallNet

FLOAT = 1e-5  # a dozen float32 operations on numbers of size 1


@pytest.mark.parametrize(
    ("policy", "public", "batches"),
    [("train", False, 11), ("frozen", False, 1), ("eval", False, 1), ("train", True, 13)],
)
def test_running_statistics_after_a_step_are_the_moving_average_of_the_batches_that_count(
    policy, public, batches
):
    torch.manual_seed(0)
    model: Any = nn.Sequential(nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    x, y = torch.rand(5, 2, 2, 2), torch.tensor([0, 1, 2, 0, 1])
    seen: list[np.ndarray] = []
    model[0].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0].detach().double().numpy()))
    delta = pgd(model, x, y, epsilon=0.15, step_size=0.04, steps=10, bn_policy=policy)
    if public:
        move_statistics(model, [x + delta])
    model(x + delta)
    if public:
        move_statistics(model, [x])
    assert len(seen) == (13 if public else 11)
    counting = seen if policy == "train" else seen[-1:]
    mean, variance = np.zeros(2), np.ones(2)
    for batch in counting:
        mean = 0.9 * mean + 0.1 * batch.mean(axis=(0, 2, 3))
        # torch keeps the unbiased variance.
        variance = 0.9 * variance + 0.1 * batch.var(axis=(0, 2, 3), ddof=1)
    assert len(counting) == batches == int(model[0].num_batches_tracked)
    assert model[0].running_mean.numpy() == pytest.approx(mean, abs=FLOAT)
    assert model[0].running_var.numpy() == pytest.approx(variance, abs=FLOAT)
    if public:
        assert np.array_equal(seen[-1], x.double().numpy())
        assert np.array_equal(seen[-2], seen[-3])


@pytest.mark.parametrize("mode", [True, False])
def test_a_policy_says_which_statistics_normalise_and_whether_they_move(mode):
    torch.manual_seed(0)
    layer: Any = nn.BatchNorm2d(3)
    layer.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
    layer.running_var.copy_(torch.tensor([4.0, 5.0, 6.0]))
    model = nn.Sequential(layer, nn.Dropout(0.5)).train(mode)
    x = torch.rand(7, 3, 2, 2)
    by_batch = (x - x.mean((0, 2, 3), keepdim=True)) / (
        x.var((0, 2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    by_running = (x - layer.running_mean.view(1, 3, 1, 1)) / (
        layer.running_var.view(1, 3, 1, 1) + 1e-5
    ).sqrt()
    for policy, expected, moves in (("frozen", by_batch, 0), ("eval", by_running, 0), ("train", by_batch, 1)):
        before = copy.deepcopy(layer.state_dict())
        with batch_norm_policy(model, policy):
            found = layer(x)
            assert model[1].training == mode
        assert found.detach().numpy() == pytest.approx(expected.numpy(), abs=FLOAT)
        same = all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
        assert same == (not moves)
        assert int(layer.num_batches_tracked - before["num_batches_tracked"]) == moves
        assert (layer.training, layer.track_running_stats) == (mode, True)


def test_policies_nest_and_leave_layers_without_running_statistics_alone():
    model = nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False), nn.BatchNorm1d(2))
    x = torch.rand(4, 2)
    with batch_norm_policy(model, "eval"):
        with batch_norm_policy(model, "frozen"):
            model(x)
            assert model[1].training
        assert not model[1].training
        assert model[1].track_running_stats
        model(x)
    assert int(model[1].num_batches_tracked) == 0
    assert not model[0].track_running_stats
    assert all(module.training for module in model)


def test_moving_statistics_moves_only_them_and_evaluating_restores_each_module():
    model: Any = SmallNet(10, 1)
    x = torch.rand(6, 1, 8, 8)
    model.eval()
    model.conv.train()
    weights = copy.deepcopy(dict(model.named_parameters()))
    move_statistics(model, x.split(3))
    assert int(model.norm1.num_batches_tracked) == 2
    assert all(torch.equal(weight, weights[name]) for name, weight in model.named_parameters())
    with evaluating(model):
        assert not model.conv.training
    assert [module.training for module in (model, model.conv, model.norm1)] == [False, True, False]


def test_an_unknown_policy_is_named_with_the_known_ones():
    with (
        pytest.raises(
            ValueError, match=r"bn_policy = 'freeze' is unknown; the known ones are train, eval, frozen"
        ),
        batch_norm_policy(SmallNet(10, 1), "freeze"),
    ):
        pass


def test_a_policy_ends_with_the_exception_that_leaves_it():
    model = SmallNet(10, 1)
    for manager, mode in ((batch_norm_policy(model, "frozen"), False), (evaluating(model), True)):
        model.train(mode)
        with pytest.raises(KeyError), manager:
            raise KeyError("stop")
        assert model.norm1.training == mode
        assert model.norm1.track_running_stats
