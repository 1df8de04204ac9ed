"""The attacks and AWP (training/methods) where users have met silent wrong numbers or obscure errors: inputs outside
the box, layers with running states, inference mode, sparse gradients, numpy's numbers, misused blocks.

Second sources: the same call with the fault taken out, the radius and the states themselves, to the bit.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from training.evaluation import pgd_accuracy
from training.methods import (
    AdversarialWeights,
    batch_norm_policy,
    move_statistics,
    pgd,
    trades_attack,
    trades_loss,
)

BUDGET: dict[str, Any] = {"epsilon": 8 / 255, "step_size": 2 / 255, "steps": 3}
ATTACKS: dict[str, Callable[..., Tensor]] = {
    "pgd": lambda model, x, y, **how: pgd(model, x, y, **{**BUDGET, **how}),
    "trades": lambda model, x, y, **how: trades_attack(model, x, **{**BUDGET, **how}),
}


def linear_net() -> Any:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 5))


def examples(n: int = 6) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n, 3, 2, 2, generator=generator), torch.randint(5, (n,), generator=generator)


MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)
STD = torch.tensor([0.2471, 0.2435, 0.2616]).view(3, 1, 1)


def nan_at_one(x: Tensor) -> Tensor:
    x = x.clone()
    x[0, 0, 0, 0] = float("nan")
    return x


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x: (x - MEAN) / STD,
            r"x runs from -1\.\d* to 2\.\d*; .* box = \(0, 1\): .* normalise inside the model",
        ),
        (lambda x: 255 * x, r"x runs from .* to 2\d\d\.?\d*; .* divide bytes by 255"),
        (lambda x: x + 0.003 + 1 - x.max(), r"to 1\.003;"),
        (lambda x: x - x.min() - 0.003, r"from -0\.003 "),
        (nan_at_one, r"from nan to nan; it must be finite"),
        (lambda x: x / 0, r"to inf"),
    ],
)
def test_images_outside_the_box_are_refused(attack, norm, change, message):
    x, y = examples()
    with pytest.raises(ValueError, match=message):
        ATTACKS[attack](linear_net(), change(x), y, norm=norm)


@pytest.mark.parametrize("attack", ATTACKS)
def test_normalised_images_are_attacked_in_a_box_that_is_theirs(attack):
    x, y = examples()
    box = (-0.5 / 0.25, 0.5 / 0.25)
    delta = ATTACKS[attack](linear_net(), (x - 0.5) / 0.25, y, box=box)
    assert 0 < delta.abs().max() <= BUDGET["epsilon"] * (1 + 1e-6)


def test_a_box_and_images_that_round_apart_go_together():
    """(1 - mean)/std in Python's doubles and in float32 differ in the last bits."""
    x = torch.linspace(0, 1, 11).repeat(12).view(11, 3, 2, 2)
    for mean, std in zip(MEAN.flatten().double().tolist(), STD.flatten().double().tolist(), strict=True):
        box = ((0 - mean) / std, (1 - mean) / std)
        delta = pgd(linear_net(), (x - mean) / std, torch.zeros(11).long(), box=box, **BUDGET)
        assert delta.abs().max() <= BUDGET["epsilon"] * (1 + 1e-6)


def test_an_empty_batch_has_an_empty_perturbation():
    assert pgd(linear_net(), torch.empty(0, 3, 2, 2), torch.empty(0).long(), **BUDGET).shape == (0, 3, 2, 2)


class Counting(nn.Module):
    """A layer of someone's own, with a state that every forward moves and replaces, in whatever mode."""

    seen: Tensor
    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean((0, 2, 3))
        return x


def spectral() -> nn.Module:
    """Its vectors are those of a training under way: made, they are nearly at rest."""
    layer = parametrizations.spectral_norm(nn.Conv2d(3, 3, 1))
    for vector in layer.buffers():
        nn.functional.normalize(torch.randn(3), dim=0, out=vector)
    return layer


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "batch norm": lambda: nn.BatchNorm2d(3),
    "instance norm": lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
    "spectral norm": spectral,
    "older spectral norm": lambda: nn.utils.spectral_norm(nn.Conv2d(3, 3, 1)),
    "a layer of one's own": Counting,
}


def with_layer(kind: str) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(LAYERS[kind](), nn.Dropout(0.2), nn.Flatten(), nn.Linear(12, 5))


def states(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.named_buffers()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("policy", ["eval", "frozen"])
@pytest.mark.parametrize("attack", [*ATTACKS, "awp"])
def test_an_attack_moves_no_state_of_any_layer(kind, policy, attack):
    model = with_layer(kind)
    x, y = examples()
    model(x)  # the states of a training under way
    before, modes = states(model), [module.training for module in model.modules()]
    if attack == "awp":
        with AdversarialWeights(model, 0.01, bn_policy=policy).perturbed(
            lambda: F.cross_entropy(model(x), y)
        ):
            pass
    else:
        ATTACKS[attack](model, x, y, bn_policy=policy)
    assert before
    assert same(states(model), before)
    assert [module.training for module in model.modules()] == modes
    model(x)
    assert not same(states(model), before)


@pytest.mark.parametrize("kind", LAYERS)
def test_under_train_every_forward_of_an_attack_moves_the_states(kind):
    model, other = with_layer(kind), with_layer(kind)
    x, y = examples()
    pgd(model, x, y, bn_policy="train", **BUDGET | {"epsilon": 0.0})
    for _ in range(BUDGET["steps"]):
        other(x)
    assert same(states(model), states(other))


@pytest.mark.parametrize("kind", ["instance norm", "spectral norm", "older spectral norm"])
def test_eval_and_frozen_compute_what_these_modes_compute(kind):
    model, x = with_layer(kind), examples()[0]
    for policy, training in (("eval", False), ("frozen", True)):
        with batch_norm_policy(model, policy):
            found = model[0](x)
        assert torch.equal(found, with_layer(kind).train(training)[0](x))


def test_move_statistics_moves_instance_and_spectral_norm_as_a_training_forward_does():
    for kind in ("instance norm", "spectral norm", "older spectral norm"):
        model, other = with_layer(kind).eval(), with_layer(kind)
        move_statistics(model, [examples()[0]])
        other(examples()[0])
        assert same(states(model), states(other))


def test_states_come_back_when_the_attack_fails():
    model = with_layer("spectral norm")
    before = states(model)
    with pytest.raises(ZeroDivisionError):
        pgd(model, *examples(), loss=lambda logits, y: logits.sum() / (1 // 0), bn_policy="frozen", **BUDGET)
    assert same(states(model), before)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_an_attack_under_no_grad_or_inference_mode_is_the_same_attack(attack, mode):
    model = linear_net()
    start = torch.zeros(6, 3, 2, 2) + 0.001
    expected = ATTACKS[attack](model, *examples(), start=start)
    with mode():
        inside = ATTACKS[attack](model, *examples(), start=start.clone())  # all of it made in this mode
        assert torch.is_grad_enabled() is False
        found = examples()[0] + inside
    assert torch.equal(inside, expected)
    assert torch.equal(found, examples()[0] + expected)


def test_a_model_made_in_inference_mode_is_named():
    with torch.inference_mode():
        model = linear_net()
    with pytest.raises(
        ValueError, match=r"model holds tensors made under torch.inference_mode\(\).* outside"
    ):
        pgd(model, *examples(), **BUDGET)


def test_awp_under_inference_mode_finds_the_same_v():
    model, (x, y) = linear_net(), examples()
    found = []
    for mode in (torch.enable_grad, torch.inference_mode):
        with mode(), AdversarialWeights(model, 0.01).perturbed(lambda: F.cross_entropy(model(x), y)):
            found.append(model[1].weight.detach().clone())
    assert torch.equal(*found)
    assert not torch.equal(found[0], model[1].weight)


class Words(nn.Module):
    def __init__(self, sparse: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table, self.out = nn.Embedding(9, 4, sparse=sparse), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.table(x).mean(1))


def words_loss(model: nn.Module) -> Tensor:
    return F.cross_entropy(model(torch.tensor([[1, 2, 1], [5, 2, 7]])), torch.tensor([0, 2]))


def test_awp_with_sparse_gradients_is_awp_with_dense_ones():
    found = []
    for sparse in (False, True):
        model = Words(sparse)
        with AdversarialWeights(model, 0.01).perturbed(partial(words_loss, model)):
            found.append(model.table.weight.detach().clone())
    assert torch.equal(*found)
    assert not torch.equal(found[0], Words(False).table.weight)


def test_weight_decay_on_a_sparse_gradient_is_refused_in_words():
    model = Words(True)
    awp = AdversarialWeights(model, 0.01, policy="code")
    with awp.perturbed(lambda: words_loss(model)):
        words_loss(model).backward()
    with pytest.raises(
        ValueError, match="a gradient is sparse, and weight decay makes it dense: pass sparse=False"
    ):
        awp.add_decay(1e-4)


KINDS = [np.float32, np.float64, np.array, torch.tensor]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_numpy_numbers_are_radii_steps_and_boxes(kind, norm):
    model, (x, y) = linear_net(), examples()
    start = torch.full_like(x, 0.01)
    own = {
        "epsilon": 0.125,
        "step_size": 0.03125,
        "steps": 3,
        "box": (0.0, 1.0),
        "norm": norm,
        "start": start,
    }
    theirs = {**own, "epsilon": kind(0.125), "step_size": kind(0.03125), "steps": np.int64(3)}
    theirs["box"] = (kind(0.0), kind(1.0))
    for attack in ATTACKS.values():
        assert torch.equal(attack(model, x, y, **theirs), attack(model, x, y, **own))
    delta = attack(model, x, y, **own)
    assert torch.equal(
        trades_loss(model, x, delta, y, beta=kind(6.0)), trades_loss(model, x, delta, y, beta=6.0)
    )


def test_numpy_numbers_are_settings_of_awp_and_of_the_evaluation():
    model, (x, y) = linear_net(), examples()
    ends = []
    pairs: list[tuple[Any, Any]] = [(0.125, 0.25), (np.float32(0.125), np.float32(0.25))]
    for gamma, decay in pairs:
        awp = AdversarialWeights(model, gamma, policy="code")
        model.zero_grad()
        with awp.perturbed(lambda: F.cross_entropy(model(x), y)):
            F.cross_entropy(model(x), y).backward()
        awp.add_decay(decay)
        ends.append(model[1].weight.grad.clone())
    assert torch.equal(*ends)
    theirs: dict[str, Any] = {
        "epsilon": np.float32(0.125),
        "step_size": np.float32(0.0625),
        "steps": np.int32(2),
    }
    theirs |= {"seed": np.int64(3), "batch": np.int64(4)}
    own = {name: value.item() for name, value in theirs.items()}
    assert pgd_accuracy(model, x, y, **theirs) == pgd_accuracy(model, x, y, **own)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": "0.1"}, r"epsilon = 0\.1; it must lie between"),
        ({"epsilon": np.array([0.1, 0.2])}, r"epsilon = \[0\.1 0\.2\]"),
        ({"epsilon": True}, r"epsilon = True"),
        ({"step_size": None}, r"step_size = None"),
        ({"steps": np.float64(3)}, r"steps = "),
        ({"steps": np.True_}, r"steps = "),
        ({"box": (0, "1")}, r"box = \(0, '1'\)"),
        ({"box": (0, 1, 2)}, r"box = \(0, 1, 2\)"),
        ({"box": None}, r"box = None"),
    ],
)
def test_what_is_no_number_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        pgd(linear_net(), *examples(), **BUDGET | change)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_every_parameter_is_restored_when_the_optimizer_steps_inside_the_block(momentum):
    model, (x, y) = linear_net(), examples()
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=momentum)

    def misuse() -> None:
        with AdversarialWeights(model, 0.01).perturbed(lambda: F.cross_entropy(model(x), y)):
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

    with pytest.raises(
        RuntimeError, match=r"changed 2 parameters.* again as before it.*momentum has taken the step"
    ):
        misuse()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_block_that_changes_a_bias_alone_is_reported_and_undone():
    model, (x, y) = linear_net(), examples()
    before = model[1].bias.detach().clone()

    def misuse() -> None:
        with AdversarialWeights(model, 0.01).perturbed(lambda: F.cross_entropy(model(x), y)), torch.no_grad():
            model[1].bias.add_(1.0)

    with pytest.raises(RuntimeError, match="changed 1 parameters"):
        misuse()
    assert torch.equal(model[1].bias, before)


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_is_refused(factor):
    model, (x, y) = linear_net(), examples()
    awp = AdversarialWeights(model, 0.01)
    with (
        pytest.raises(ValueError, match=r"loss returned -?(nan|inf)"),
        awp.perturbed(lambda: F.cross_entropy(model(x), y) * factor),
    ):
        pytest.fail("the block was entered")
    with awp.perturbed(lambda: F.cross_entropy(model(x), y)):  # it can be used again
        pass


def test_a_loss_that_does_not_depend_on_the_perturbed_weights_is_refused():
    model, other, (x, y) = linear_net(), linear_net(), examples()
    awp = AdversarialWeights(model, 0.01)
    for loss in (
        lambda: F.cross_entropy(other(x), y),
        lambda: x.clone().requires_grad_().sum(),
        lambda: model[1].bias.square().sum(),
    ):
        with (
            pytest.raises(ValueError, match="depends on none of the weights that are perturbed"),
            awp.perturbed(loss),
        ):
            pytest.fail("the block was entered")
