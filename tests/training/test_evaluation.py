"""Clean, PGD and AutoAttack accuracy (training/evaluation): what is counted, and what is refused.

Second sources: predictions chosen beforehand, and the exact robust accuracy of a linear model.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from small_examples import BUDGET, small_examples
from torch import Tensor, nn

from training.evaluation import STANDARD, accuracy, autoattack_accuracy, pgd_accuracy
from training.evaluation.accuracies import BLOCK
from training.methods.attacks import pgd


class Lookup(nn.Module):
    """Predicts round(10 * first pixel): the answer is chosen with the image."""

    def forward(self, x: Tensor) -> Tensor:
        return -(10 * x[:, 0, 0, :1] - torch.arange(10.0)).abs()


def test_accuracy_is_the_share_of_right_answers_of_floats_and_of_bytes():
    answers = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5])
    images = (answers / 10).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    labels = answers.clone()
    labels[[2, 7, 10]] = 0
    for batch in (1, 4, 11, 500):
        assert accuracy(Lookup(), images, labels, batch) == 8 / 11
        assert accuracy(Lookup(), (255 * images).round().byte(), labels, batch) == 8 / 11


def test_pgd_accuracy_depends_on_the_seed_and_not_on_the_batch():
    model, x, y = small_examples(BLOCK + 40)
    found = {seed: pgd_accuracy(model, x, y, **{**BUDGET, "seed": seed, "steps": 1}) for seed in range(4)}
    assert len(set(found.values())) > 1
    for batch in (7, 100, BLOCK, 1000):
        assert pgd_accuracy(model, x, y, batch=batch, **{**BUDGET, "steps": 1}) == found[0]
    # The first examples get the same starts whether or not others follow.
    first = pgd_accuracy(model, x[:40], y[:40], **{**BUDGET, "steps": 1})
    rest = [pgd_accuracy(model, x[:n], y[:n], **{**BUDGET, "steps": 1}) * n for n in (40, 41)]
    assert rest[0] == pytest.approx(first * 40)
    assert rest[1] - rest[0] == pytest.approx(round(rest[1] - rest[0]), abs=1e-9)
    assert round(rest[1] - rest[0]) in (0, 1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_accuracy_counts_what_pgd_leaves(norm):
    model, x, y = small_examples()
    epsilon = 0.1 if norm == "linf" else 0.5
    found = pgd_accuracy(model, x, y, epsilon=epsilon, step_size=epsilon / 4, seed=3, norm=norm)
    model.eval()
    options = {"epsilon": epsilon, "step_size": epsilon / 4, "norm": norm}
    answers = [
        model(x + pgd(model, x, y, steps=20, generator=torch.Generator().manual_seed(seed), **options))
        for seed in range(3)
    ]
    shares = [(logits.argmax(dim=1) == y).double().mean().item() for logits in answers]
    # Twenty steps forget where they started, but for an example or two.
    assert min(shares) - 2.5 / len(x) <= found <= max(shares) + 2.5 / len(x)
    assert found < accuracy(model, x, y) - 0.2
    assert pgd_accuracy(model, x, y, epsilon=0.0, step_size=0.0, seed=0, norm=norm) == accuracy(model, x, y)


def linear_examples() -> tuple[Any, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, 5))
    model[1].weight.data = torch.randn(5, 25, generator=generator)
    model[1].bias.data = torch.zeros(5)
    x = 0.3 + 0.4 * torch.rand(40, 1, 5, 5, generator=generator)
    return model, x, model(x).argmax(dim=1)


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 0.015), ("l2", 0.05)])
def test_autoattack_finds_the_exact_robust_accuracy_of_a_linear_model_and_pgd_never_less(norm, epsilon):
    model, x, y = linear_examples()
    weight, logits = model[1].weight.detach().double(), model(x).detach().double()
    # No pixel meets the box. Class j wins somewhere in the ball iff its margin is less than epsilon ||w_j - w_y||_*.
    reach = torch.stack([(weight - weight[label]).norm(p=1 if norm == "linf" else 2, dim=1) for label in y])
    gap = logits.gather(1, y[:, None]) - logits - epsilon * reach
    gap[torch.arange(len(y)), y] = math.inf
    robust = gap.min(dim=1).values > 0
    assert gap.abs().min() > 1e-3
    exact = robust.double().mean().item()
    assert 0.2 < exact < 0.8
    result = autoattack_accuracy(model, x, y, epsilon=epsilon, norm=norm, seed=0, stages=STANDARD[:2])
    assert result.accuracy == exact
    assert torch.equal(result.robust, robust)
    assert 0.9 * epsilon < result.largest_norm <= epsilon * (1 + 1e-4)
    assert pgd_accuracy(model, x, y, epsilon=epsilon, step_size=epsilon / 4, seed=0, norm=norm) >= exact
    assert result.stages["apgd-ce"] >= exact


class Returning(nn.Module):
    """The logits of Lookup, changed."""

    def __init__(self, change) -> None:
        super().__init__()
        self.change = change

    def forward(self, x: Tensor) -> Tensor:
        return self.change(Lookup()(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda logits: logits.bfloat16(),
            r"returned logits in torch.bfloat16; reported accuracies need float32",
        ),
        (lambda logits: logits / 0, r"returned logits that are not finite"),
        (lambda logits: logits.sum(dim=1), r"returned shape \(.*\) for . images; it must be \(N, classes\)"),
    ],
)
def test_logits_that_make_no_accuracy_are_refused(change, message):
    images, labels = torch.full((3, 1, 2, 2), 0.25), torch.zeros(3, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        accuracy(Returning(change), images, labels)


def test_reported_logits_are_float32_under_a_caller_s_autocast():
    model, x, y = small_examples()
    types = []
    model.net.linear.register_forward_hook(lambda module, inputs, output: types.append(output.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        model(x)
        accuracy(model, x, y)
        pgd_accuracy(model, x, y, **BUDGET)
    assert types[0] == torch.bfloat16
    assert set(types[1:]) == {torch.float32}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": torch.zeros(3, dtype=torch.int64)},
            r"images have shape .* and labels \(3,\); they must be",
        ),
        ({"images": torch.zeros(0, 1, 8, 8), "labels": torch.zeros(0).long()}, r"with n >= 1"),
        ({"labels": torch.zeros(4)}, r"labels have type torch.float32; they must be int64"),
        ({"labels": torch.tensor([0, 1, 2, 10])}, r"labels run from 0 to 10; the model has 10 classes"),
        ({"labels": torch.tensor([0, -1, 2, 3])}, r"labels run from -1 to 3"),
        (
            {"images": torch.full((4, 1, 8, 8), 200.0)},
            r"images run from 200 to 200; they must be .* in \[0, 1\]",
        ),
        ({"images": torch.full((4, 1, 8, 8), math.nan)}, r"images run from nan to nan"),
        ({"images": torch.zeros(4, 1, 8, 8).long()}, r"images have type torch.int64"),
        (
            {"images": torch.zeros(4, 1, 9, 9)},
            r"images have shape \(1, 1, 9, 9\); small takes \(N, 1, 8, 8\)",
        ),
        ({"batch": 0}, r"batch = 0; it must be a whole number >= 1"),
    ],
)
def test_bad_test_sets_are_named_with_what_is_required(change, message):
    model, x, y = small_examples(4)
    arguments = {"images": x, "labels": y, **change}
    with pytest.raises(ValueError, match=message):
        accuracy(model, **arguments)
    with pytest.raises(ValueError, match=message):
        pgd_accuracy(model, **arguments, **BUDGET)
    with pytest.raises(ValueError, match=message):
        autoattack_accuracy(model, **arguments, epsilon=0.1, seed=0)
