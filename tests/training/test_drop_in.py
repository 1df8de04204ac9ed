"""The example loop (training/examples/drop_in.py) runs over any model and does what Algorithm 1 says.

Second source: the same loop with gradients at copied weights, Algorithm 1's lines 9 to 18 in plain tensor arithmetic.
"""

from __future__ import annotations

import copy
import re

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.examples import drop_in
from training.methods.attacks import pgd

EPSILON = 0.1
ROUNDING = 1e-9  # float64 through a few dozen minibatches of a smooth net


class AnyModel(nn.Module):
    """No batch norm, no convolution, inputs of one axis: nothing the papers' nets have."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.tanh(self.first(x)))


def data(count: int = 60) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(count, 6, generator=generator).double()
    return list(zip(x.split(20), (x[:, :3] - x[:, 3:]).argmax(dim=1).split(20), strict=True))


def fresh() -> AnyModel:
    generator = torch.Generator().manual_seed(1)
    model = AnyModel().double()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(0.5 * torch.randn(weight.shape, generator=generator))
    return model


def by_hand(model: AnyModel, epochs: int, inner_steps: int, lr: float, gamma_awp: float) -> AnyModel:
    """Algorithm 1 at order 1 with the published gamma, eta', epsilon_E, alpha and weight decay."""
    noise = torch.Generator().manual_seed(0)
    weights: list[Tensor] = list(model.parameters())
    theta = [w.detach().clone() for w in weights]
    mean, used = [t.clone() for t in theta], 0
    for epoch in range(epochs):
        for x, y in data():
            adversarial = x + pgd(model, x, y, epsilon=EPSILON, step_size=EPSILON / 4, steps=10)
            moved = copy.deepcopy(model)
            slopes = torch.autograd.grad(F.cross_entropy(model(adversarial), y), weights)
            with torch.no_grad():
                for m, w, g in zip(moved.parameters(), weights, slopes, strict=True):
                    m.add_(gamma_awp * w.norm() * g / g.norm() if w.ndim > 1 else 0)
            slopes = torch.autograd.grad(F.cross_entropy(moved(adversarial), y), list(moved.parameters()))
            with torch.no_grad():
                draws = [torch.empty_like(w).normal_(generator=noise) for w in weights]
                for i, (w, g, n) in enumerate(zip(weights, slopes, draws, strict=True)):
                    w.sub_(0.1 * (g + 5e-4 * w - 0.03 * (theta[i] - w)) - 0.1**0.5 * 1e-4 * n)
                    mean[i] = 0.25 * mean[i] + 0.75 * w
                used += 1
                if used == inner_steps:
                    eta = lr * 0.1 ** sum(epoch >= drop for drop in (epochs // 2, epochs * 3 // 4))
                    theta = [t - eta * (t - m) for t, m in zip(theta, mean, strict=True)]
                    mean, used = [t.clone() for t in theta], 0
                    for w, t in zip(weights, theta, strict=True):
                        w.copy_(t)
    with torch.no_grad():
        for w, t in zip(weights, theta, strict=True):
            w.copy_(t)
    return model


def test_the_loop_is_algorithm_1_with_awp():
    found, expected = fresh(), fresh()
    torch.manual_seed(0)
    drop_in.train(found, data, epochs=4, epsilon=EPSILON, inner_steps=5, lr=0.8, gamma_awp=0.02)
    torch.manual_seed(0)
    by_hand(expected, epochs=4, inner_steps=5, lr=0.8, gamma_awp=0.02)
    for one, two in zip(found.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=ROUNDING)
    torch.manual_seed(0)
    without = by_hand(fresh(), epochs=4, inner_steps=5, lr=0.8, gamma_awp=0.0)
    gaps = [(a - b).abs().max() for a, b in zip(found.parameters(), without.parameters(), strict=True)]
    assert max(gaps) > 1e-4


def test_run_as_a_program_it_prints_both_accuracies(capsys):
    drop_in.main()
    clean, robust = (
        float(one) for one in re.findall(r": ([\d.]+)% of 200 test images", capsys.readouterr().out)
    )
    assert 80 < clean <= 100
    assert 40 < robust < clean
