"""Holds the adversarial loss along a direction to closed forms, to a plain loop and to its definition."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from curve_records import recipe_fields
from landscape_nets import digits, direction, net
from torch import Tensor, nn

from training.cells.recipe import digest_of
from training.cells.recipes import recipe
from training.methods.attacks import pgd
from training.studies.landscape.job import weights_hash
from training.studies.landscape.loss import adversarial_loss, displaced, losses_along

# float32 sums in another order: the losses are of order 1.
TOLERANCE = 2e-6
ATTACK: dict[str, Any] = {"epsilon": 0.15, "step_size": 0.0375, "steps": 10}


def filter_norms(values: Tensor) -> Tensor:
    return values.detach().double().flatten(1).square().sum(dim=1).sqrt()


def filters(model: nn.Module) -> list[str]:
    return [name for name, weight in model.named_parameters() if weight.ndim > 1]


class Score(nn.Module):
    """Logits (theta.x, 0): at label 0 the loss is log(1 + exp(-theta.x)), whose worst case has a closed form."""

    def __init__(self, theta: list[float]) -> None:
        super().__init__()
        self.linear = nn.Linear(len(theta), 2, bias=False)
        with torch.no_grad():
            self.linear.weight.copy_(torch.tensor([theta, [0.0] * len(theta)]))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))


TOY_X = torch.tensor([[0.4, 0.6, 0.5], [0.7, 0.3, 0.45]]).view(2, 3, 1, 1)
TOY_Y = torch.zeros(2, dtype=torch.int64)
THETA = [1.5, -0.8, 0.3]


def worst(theta: Tensor) -> float:
    """The mean of log(1 + exp(-theta.x + epsilon ||theta||_1)), the linear model under the worst L-infinity attack."""
    score = TOY_X.flatten(1).double() @ theta.double() - ATTACK["epsilon"] * theta.double().abs().sum()
    return float(torch.log1p(torch.exp(-score)).mean())


def test_the_filters_of_the_direction_have_the_norms_of_those_of_the_weights():
    model = net()
    found = direction(model)
    assert len(filters(model)) >= 3
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            assert filter_norms(found[name]) == pytest.approx(filter_norms(weight), rel=1e-6)
            # A direction scaled by layer has the layer's norm, not those of the filters.
            noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
            layer = noise * weight.detach().norm() / noise.norm()
            assert float(layer.norm()) == pytest.approx(float(weight.detach().norm()), rel=1e-5)
            assert filter_norms(layer) != pytest.approx(filter_norms(weight), rel=0.01)


def test_biases_and_batch_norm_are_not_moved():
    model = net()
    found = direction(model)
    still = [name for name, weight in model.named_parameters() if weight.ndim == 1]
    assert {"net.linear.bias", "net.norm1.weight", "net.norm1.bias"} <= set(still)
    assert all(found[name].count_nonzero() == 0 for name in still)
    assert found.keys() == dict(model.named_parameters()).keys()


def test_one_seed_gives_nets_of_one_shape_one_gaussian_direction_and_another_seed_another():
    one, other = net(0), net(1)
    first, second, third = direction(one), direction(other), direction(one, seed=1)
    for name in filters(one):
        units = [each[name].flatten(1) / filter_norms(each[name])[:, None] for each in (first, second, third)]
        assert torch.allclose(units[0], units[1], atol=1e-6)
        assert not torch.allclose(units[0], units[2], atol=1e-2)
    # Drawn in the order of the parameters: the first filter is the first numbers of the generator.
    name = filters(one)[0]
    shape = dict(one.named_parameters())[name].shape
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cosine = F.cosine_similarity(noise.flatten(1), first[name].double().flatten(1))
    assert cosine == pytest.approx(torch.ones(len(cosine), dtype=torch.float64), abs=1e-6)


def test_a_filter_of_zeros_stays_where_it_is():
    found = direction(Score(THETA))["linear.weight"]
    assert found[1].count_nonzero() == 0
    assert float(found[0].norm()) == pytest.approx(math.sqrt(sum(value**2 for value in THETA)), rel=1e-6)


def test_weights_are_displaced_inside_and_back_to_the_bit_even_after_an_error():
    model = net()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    along = direction(model)

    def fail() -> None:
        with displaced(model, along, -0.3):
            for name, weight in model.named_parameters():
                assert torch.allclose(weight, before[name] - 0.3 * along[name], atol=1e-7)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_on_a_linear_model_the_losses_are_those_of_the_closed_form():
    model = Score(THETA)
    along = direction(model, seed=3)
    theta, step = torch.tensor(THETA), along["linear.weight"][0]
    alphas = [-1.0, -0.4, 0.0, 0.3, 1.0]
    found = losses_along(model, along, alphas, lambda each: adversarial_loss(each, TOY_X, TOY_Y, **ATTACK))
    assert found == pytest.approx([worst(theta + alpha * step) for alpha in alphas], abs=TOLERANCE)
    # Neither a direction 1 % longer nor one step less fits.
    assert found[0] != pytest.approx(worst(theta - 1.01 * step), abs=100 * TOLERANCE)


def test_the_attack_is_found_anew_where_the_one_of_alpha_zero_is_too_weak():
    model = Score(THETA)
    along = direction(model, seed=3)
    kept = pgd(model, TOY_X, TOY_Y, start="zero", **ATTACK)

    def stale(each: nn.Module) -> float:
        with torch.no_grad():
            return float(F.cross_entropy(each(TOY_X + kept), TOY_Y))

    alphas = [-2.0, -1.0, 0.0, 1.0, 2.0]
    anew = losses_along(model, along, alphas, lambda each: adversarial_loss(each, TOY_X, TOY_Y, **ATTACK))
    reused = losses_along(model, along, alphas, stale)
    assert reused[2] == pytest.approx(anew[2], abs=TOLERANCE)
    assert all(new >= old - TOLERANCE for new, old in zip(anew, reused, strict=True))
    # A weight changes its sign on the way: there the old attack helps the model.
    signs = {
        tuple((torch.tensor(THETA) + alpha * along["linear.weight"][0]).sign().tolist()) for alpha in alphas
    }
    assert len(signs) > 1
    assert max(new - old for new, old in zip(anew, reused, strict=True)) > 0.05


def test_the_attack_of_a_net_is_found_anew():
    model, (x, y) = net(), digits(40)
    along = direction(model)
    kept = pgd(model, x, y, start="zero", **ATTACK)
    for alpha in (-1.0, 1.0):
        with displaced(model, along, alpha), torch.no_grad():
            reused = float(F.cross_entropy(model(x + kept), y))
        (anew,) = losses_along(model, along, [alpha], lambda each: adversarial_loss(each, x, y, **ATTACK))
        assert anew > reused + 0.01


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_the_loss_is_that_of_a_plain_loop_over_steps_of_the_sign(alpha):
    model, (x, y) = net(), digits(30)
    along = direction(model)
    (found,) = losses_along(
        model, along, [alpha], lambda each: adversarial_loss(each, x, y, seed=5, **ATTACK)
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.add_(alpha * along[name])
    delta = 0.15 * (2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(5)) - 1)
    delta = (x + delta).clamp(0, 1) - x
    for _ in range(10):
        delta = delta.detach().requires_grad_()
        (slope,) = torch.autograd.grad(F.cross_entropy(model(x + delta), y), delta)
        delta = (delta + 0.0375 * slope.sign()).clamp(-0.15, 0.15)
        delta = (x + delta).clamp(0, 1) - x
    assert found == pytest.approx(float(F.cross_entropy(model(x + delta), y).detach()), abs=1e-4)


def test_at_alpha_zero_the_loss_is_that_of_the_net_itself_to_the_bit():
    model, (x, y) = net(), digits(30)
    found = losses_along(
        model, direction(model), [-0.5, 0.0, 0.5], lambda each: adversarial_loss(each, x, y, **ATTACK)
    )
    assert found[1] == adversarial_loss(model, x, y, **ATTACK)
    assert found[1] not in (found[0], found[2])


def test_the_loss_is_above_the_clean_one_and_a_mean_over_batches_of_any_size():
    model, (x, y) = net(), digits(30)
    whole = adversarial_loss(model, x, y, **ATTACK)
    with torch.no_grad():
        assert whole > float(F.cross_entropy(model(x), y))
    # The sign of a gradient near 0 may differ with the order of sums.
    assert adversarial_loss(model, x, y, batch=7, **ATTACK) == pytest.approx(whole, abs=1e-4)


@pytest.mark.parametrize(("batch_norm", "training"), [("running", False), ("batch", True)])
def test_batch_norm_uses_the_statistics_it_is_told_to_and_moves_none(batch_norm, training):
    model, (x, y) = net(), digits(30)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = adversarial_loss(
        model, x, y, batch_norm=batch_norm, epsilon=0.0, step_size=0.0, steps=1, batch=len(x)
    )
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module.training for module in model.modules())
    model.train(training)
    with torch.no_grad():
        assert found == pytest.approx(float(F.cross_entropy(model(x), y)), abs=TOLERANCE)
        model.train(not training)
        assert found != pytest.approx(float(F.cross_entropy(model(x), y)), abs=0.01)


def test_a_net_in_train_mode_is_judged_in_eval_mode_and_given_back_in_train_mode():
    model, (x, y) = net(), digits(20)
    expected = adversarial_loss(model, x, y, **ATTACK)
    model.train()
    assert adversarial_loss(model, x, y, **ATTACK) == expected
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_norm": "train"}, "batch_norm = 'train' is unknown; the known ones are running, batch"),
        ({"batch": 0}, "batch = 0"),
        ({"epsilon": 8.0}, "epsilon = 8.0"),
        ({"steps": 0}, "steps = 0"),
    ],
)
def test_arguments_outside_their_range_are_refused(changes, message):
    x, y = digits(4)
    with pytest.raises(ValueError, match=message):
        adversarial_loss(net(), x, y, **{**ATTACK, **changes})


def test_weights_that_have_diverged_are_no_loss():
    model, (x, y) = net(), digits(4)
    with torch.no_grad():
        next(model.parameters()).fill_(math.inf)
    with pytest.raises(ValueError, match="the adversarial loss is nan"):
        adversarial_loss(model, x, y, **ATTACK)


def test_the_hash_of_weights_changes_with_any_value_and_any_name():
    weights = net().state_dict()
    other = {name: value.clone() for name, value in weights.items()}
    assert weights_hash(other) == weights_hash(dict(reversed(list(weights.items()))))
    other["net.norm1.running_var"][3] += 1e-6
    assert weights_hash(other) != weights_hash(weights)
    renamed = {name.replace("norm1", "norm7"): value for name, value in weights.items()}
    assert weights_hash(renamed) != weights_hash(weights)


def test_digests_of_the_recipes_survive_json():
    fields = recipe_fields("compact-at")
    assert digest_of(json.loads(json.dumps(fields))) == recipe("compact-at").digest
