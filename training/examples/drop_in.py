"""AT + AWP + EntropySGD (Algorithm 1) in a plain loop over any model: `python -m training.examples.drop_in`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from training.entropy_sgd import EntropySGD
from training.methods import AdversarialWeights, pgd


def train(
    model: nn.Module,
    batches: Callable[[], Iterable[tuple[Tensor, Tensor]]],
    *,
    epochs: int,
    epsilon: float,
    inner_steps: int = 20,
    lr: float = 0.1,
    gamma_awp: float = 0.005,
) -> None:
    """Train in place; `batches()` gives one epoch of (x in [0, 1], y). The weights left in the model are theta."""
    optimizer = EntropySGD(model.parameters(), lr=lr, inner_steps=inner_steps)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [epochs // 2, epochs * 3 // 4], gamma=0.1)
    awp = AdversarialWeights(model, gamma_awp)
    for _ in range(epochs):
        for x, y in batches():
            adversarial = x + pgd(model, x, y, epsilon=epsilon, step_size=epsilon / 4, steps=10)

            def loss(x: Tensor = adversarial, y: Tensor = y) -> Tensor:
                return F.cross_entropy(model(x), y)

            optimizer.zero_grad()
            with awp.perturbed(loss):
                loss().backward()
            optimizer.step()
        scheduler.step()
    optimizer.discard_inner_loop()


def main() -> None:
    """Train a small net on scikit-learn's digits and print its accuracies on 200 held-out images."""
    torch.manual_seed(0)
    digits = load_digits()
    x, y = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None], torch.tensor(digits.target)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10)
    )

    def batches() -> list[tuple[Tensor, Tensor]]:
        return [(x[rows], y[rows]) for rows in torch.randperm(len(x) - 200).split(64)]

    train(model, batches, epochs=8, epsilon=0.15, inner_steps=5, lr=1.0)
    model.eval()
    x, y = x[-200:], y[-200:]
    delta = pgd(model, x, y, epsilon=0.15, step_size=0.15 / 4, steps=20)
    for name, images in (("clean", x), ("PGD-20", x + delta)):
        print(f"{name}: {(model(images).argmax(dim=1) == y).float().mean():.1%} of 200 test images")


if __name__ == "__main__":
    main()
