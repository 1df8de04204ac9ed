"""PGD and TRADES of the trainer (training/methods/attacks.py, ascent.py).

Second sources: both attacks in numpy with gradients derived by hand, the exact worst case of linear models, the
package of AutoAttack's authors.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from attack_nets import BUDGET, FLOAT, small_batch
from hypothesis import given, settings
from hypothesis import strategies as st
from pyautoattack.autopgd_base import APGDAttack
from scipy import stats
from torch import Tensor, nn

from training.methods.ascent import project, uniform_start
from training.methods.attacks import kl_divergence, pgd, trades_attack, trades_loss

ROUNDING = 1e-12  # a few hundred float64 operations on numbers of size 1


class Reference:
    """logits = V tanh(W x + b) + c, its losses, and their gradients by x, in numpy. N = 5, d = 2 x 3, 4 classes."""

    shape = (5, 1, 2, 3)

    def __init__(self, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.W, self.b = random.normal(size=(7, 6)), random.normal(size=7)
        self.V, self.c = 2 * random.normal(size=(4, 7)), random.normal(size=4)
        self.x = random.uniform(size=self.shape)
        self.y = random.integers(0, 4, size=5)
        self.noise = random.normal(size=self.shape)

    def logits(self, x: np.ndarray) -> np.ndarray:
        return np.tanh(x.reshape(5, 6) @ self.W.T + self.b) @ self.V.T + self.c

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        e = np.exp(self.logits(x))
        return e / e.sum(axis=1, keepdims=True)

    def gradient(self, x: np.ndarray, target: np.ndarray) -> np.ndarray:
        """By x of the mean of CE (target one-hot) or of KL(target || model(x)): both give softmax - target."""
        slope = 1 - np.tanh(x.reshape(5, 6) @ self.W.T + self.b) ** 2
        outer = (self.probabilities(x) - target) / 5
        return ((outer @ self.V * slope) @ self.W).reshape(self.shape)

    def ascend(
        self, start: np.ndarray, target: np.ndarray, norm: str, box: Any, change: str = ""
    ) -> np.ndarray:
        step_size, delta = BUDGET["step_size"], start
        for _ in range(BUDGET["steps"]):
            g = self.gradient(self.x + delta, target) * (-1 if change == "sign" else 1)
            if (norm == "linf") != (change == "norm"):
                delta = delta + step_size * np.sign(g)
            else:
                delta = delta + step_size * g / np.sqrt((g**2).sum(axis=(1, 2, 3), keepdims=True))
            delta = self.projected(delta, norm, box, change)
        return delta

    def projected(self, delta: np.ndarray, norm: str, box: Any, change: str = "") -> np.ndarray:
        epsilon = BUDGET["epsilon"]
        if change != "ball":
            length = np.sqrt((delta**2).sum(axis=(1, 2, 3), keepdims=True))
            l2 = delta * np.minimum(1, epsilon / length)
            delta = np.clip(delta, -epsilon, epsilon) if norm == "linf" else l2
        return delta if change == "box" else np.clip(self.x + delta, *box) - self.x

    def torch_model(self) -> Any:
        model = nn.Sequential(nn.Flatten(), nn.Linear(6, 7), nn.Tanh(), nn.Linear(7, 4)).double()
        values = {"1.weight": self.W, "1.bias": self.b, "3.weight": self.V, "3.bias": self.c}
        model.load_state_dict({name: torch.tensor(value) for name, value in values.items()})
        return model


@pytest.mark.parametrize("box", [(0.0, 1.0), (-0.5, 2.0)])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_makes_the_steps_of_a_plain_loop_with_gradients_by_hand(norm, box):
    reference = Reference()
    x, y = torch.tensor(reference.x), torch.tensor(reference.y)
    start = 0.3 * reference.noise
    found = pgd(
        reference.torch_model(), x, y, norm=norm, box=box, start=torch.tensor(start), **BUDGET
    ).numpy()
    target = np.eye(4)[reference.y]
    projected = reference.projected(start, norm, box)
    assert found == pytest.approx(reference.ascend(projected, target, norm, box), abs=ROUNDING)
    for change in ("sign", "norm", "ball", *(["box"] if box == (0.0, 1.0) else [])):
        assert np.abs(found - reference.ascend(projected, target, norm, box, change)).max() > 0.01, change


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_attack_of_trades_makes_the_steps_of_a_plain_loop_with_gradients_by_hand(norm):
    reference = Reference()
    x = torch.tensor(reference.x)
    found = trades_attack(
        reference.torch_model(), x, norm=norm, generator=torch.Generator().manual_seed(3), **BUDGET
    ).numpy()
    noise = torch.randn(reference.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    clean, box = reference.probabilities(reference.x), (0.0, 1.0)
    assert found == pytest.approx(reference.ascend(0.001 * noise.numpy(), clean, norm, box), abs=ROUNDING)
    for change in ("sign", "norm", "ball", "box"):
        assert np.abs(found - reference.ascend(0.001 * noise.numpy(), clean, norm, box, change)).max() > 0.01
    assert (
        np.abs(found - reference.ascend(0.001 * noise.numpy(), np.eye(4)[reference.y], norm, box)).max()
        > 0.01
    )


def trades_by_hand(reference: Reference, delta: np.ndarray, beta: float, swap: bool = False) -> float:
    clean, perturbed = reference.probabilities(reference.x), reference.probabilities(reference.x + delta)
    p, q = (perturbed, clean) if swap else (clean, perturbed)
    cross_entropy = -np.log(clean[np.arange(5), reference.y]).mean()
    return cross_entropy + beta * (p * (np.log(p) - np.log(q))).sum(axis=1).mean()


def test_the_loss_of_trades_and_its_gradient_through_both_outputs():
    reference, model = Reference(), Reference().torch_model()
    delta = 0.6 * reference.noise
    x, y = torch.tensor(reference.x), torch.tensor(reference.y)
    loss = trades_loss(model, x, torch.tensor(delta), y)
    assert loss.item() == pytest.approx(trades_by_hand(reference, delta, 6.0), abs=ROUNDING)
    assert abs(loss.item() - trades_by_hand(reference, delta, 6.0, swap=True)) > 1e-3
    assert abs(loss.item() - trades_by_hand(reference, delta, 6.06)) > 1e-3
    assert loss.item() != pytest.approx(trades_loss(model, x, torch.tensor(delta), y, beta=1.0).item())
    (found,) = torch.autograd.grad(loss, [model[3].weight])
    fd_step = 1e-6
    for row, column in ((0, 0), (2, 5), (3, 6)):
        ends = []
        for sign in (1, -1):
            reference.V[row, column] += sign * fd_step
            ends.append(trades_by_hand(reference, delta, 6.0))
            reference.V[row, column] -= sign * fd_step
        # Central differences: fd_step^2 of truncation and 1e-16 / fd_step of rounding.
        assert found[row, column].item() == pytest.approx((ends[0] - ends[1]) / (2 * fd_step), abs=1e-8)


def test_the_divergence_of_equal_logits_is_zero_and_certain_logits_stay_finite():
    logits = torch.tensor([[1.0, 2.0, -3.0], [0.0, 400.0, -400.0]])
    assert kl_divergence(logits, logits).item() == 0
    # KL((0, 1, 0) || (1, 0, 0) up to e^-400) = 400 for the second row, 0 for the first, over 2.
    other = torch.stack([logits[0], torch.tensor([400.0, 0.0, -400.0])])
    assert kl_divergence(logits, other).item() == pytest.approx(200)


def worst_linear(slope: np.ndarray, x: np.ndarray, epsilon: float, norm: str, box: Any) -> np.ndarray:
    """max over the ball and the box of slope.delta, row by row of (N, d), in numpy."""
    low, high = box[0] - x, box[1] - x
    if norm == "linf":
        delta = np.clip(epsilon * np.sign(slope), low, high)
        return (slope * delta).sum(axis=1)
    # The maximiser is clip(t slope, low, high) with t as large as the radius admits: bisection on t.
    least, most = np.zeros((len(x), 1)), np.full((len(x), 1), 1e6)
    for _ in range(200):
        middle = (least + most) / 2
        inside = np.linalg.norm(np.clip(middle * slope, low, high), axis=1, keepdims=True) <= epsilon
        least, most = np.where(inside, middle, least), np.where(inside, most, middle)
    return (slope * np.clip(least * slope, low, high)).sum(axis=1)


def linear_toy(seed: int, classes: int, dtype=torch.float64) -> tuple[Any, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, classes)).to(dtype)
    model[1].weight.data = torch.randn(classes, 12, generator=generator).to(dtype)
    model[1].bias.data = torch.zeros(classes, dtype=dtype)
    x = torch.rand(8, 3, 2, 2, generator=generator).to(dtype)
    return model, x, torch.randint(0, classes, (8,), generator=generator)


def worst_two_class_loss(model: Any, x: Tensor, y: Tensor, epsilon: float, norm: str) -> np.ndarray:
    """softplus of the largest z_other - z_y, for each example of a linear model of two classes."""
    weight = model[1].weight.detach().double().numpy()
    flat = x.flatten(1).double().numpy()
    slope = (weight[1] - weight[0]) * np.where(y.numpy() == 0, 1, -1)[:, None]
    margin = (slope * flat).sum(axis=1) + worst_linear(slope, flat, epsilon, norm, (0, 1))
    return np.logaddexp(0, margin)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    norm=st.sampled_from(["linf", "l2"]),
    epsilon=st.sampled_from([0.0, 0.05, 0.3, 1.0]),
    steps=st.integers(1, 8),
    share=st.sampled_from([0.1, 0.5, 3.0]),
)
def test_pgd_never_beats_the_optimum_of_a_linear_model(seed, norm, epsilon, steps, share):
    model, x, y = linear_toy(seed, 2)
    delta = pgd(
        *(model, x, y),
        epsilon=epsilon,
        step_size=share * epsilon,
        steps=steps,
        norm=norm,
        generator=torch.Generator().manual_seed(seed),
    )
    losses = F.cross_entropy(model(x + delta), y, reduction="none").detach().numpy()
    assert (losses <= worst_two_class_loss(model, x, y, epsilon, norm) + ROUNDING).all()


# Clipping after the radial projection stops short of the L2 optimum where a pixel meets the box; inside it is exact.
@pytest.mark.parametrize(
    ("norm", "epsilon", "margin", "short"),
    [("linf", 0.3, 0.0, FLOAT), ("linf", 0.9, 0.0, FLOAT), ("l2", 0.3, 0.3, FLOAT), ("l2", 0.3, 0.0, 0.05)],
)
def test_pgd_reaches_the_optimum_of_a_linear_model_as_apgd_does(norm, epsilon, margin, short):
    model, x, y = linear_toy(1, 2, torch.float32)
    x = margin + (1 - 2 * margin) * x
    worst = worst_two_class_loss(model, x, y, epsilon, norm)
    found = pgd(model, x, y, epsilon=epsilon, step_size=epsilon / 4, steps=40, norm=norm, start="zero")
    kind = {"linf": "Linf", "l2": "L2"}[norm]
    apgd = APGDAttack(model, eps=epsilon, norm=kind, n_iter=100, seed=0, device="cpu")
    for point in (x + found, apgd.perturb(x, y, best_loss=True)):
        losses = F.cross_entropy(model(point), y, reduction="none").detach().double().numpy()
        assert (losses <= worst + FLOAT).all()
        assert (losses >= worst - short).all()
        # One per cent less radius is told apart.
        assert (
            short != FLOAT or (losses > worst_two_class_loss(model, x, y, 0.99 * epsilon, norm) + FLOAT).any()
        )


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    norm=st.sampled_from(["linf", "l2"]),
    box=st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]),
    share=st.sampled_from([0.0, 0.03, 0.5, 1.0]),
    start=st.sampled_from(["uniform", "zero"]),
    attack=st.sampled_from(["pgd", "trades"]),
)
def test_every_attack_ends_inside_the_ball_and_the_box(seed, norm, box, share, start, attack):
    generator = torch.Generator().manual_seed(seed)
    width = box[1] - box[0]
    model, unit, y = linear_toy(seed, 3, torch.float32)
    x = (box[0] + width * unit).clamp(*box)
    options: dict[str, Any] = {
        "epsilon": share * width,
        "step_size": width,
        "steps": 2,
        "norm": norm,
        "box": box,
    }
    if attack == "pgd":
        delta = pgd(model, x, y, start=start, generator=generator, **options)
    else:
        delta = trades_attack(model, x, generator=generator, **options)
    order = math.inf if norm == "linf" else 2
    assert torch.linalg.vector_norm(delta.flatten(1), order, dim=1).max() <= share * width * (1 + FLOAT)
    assert (x + delta).min() >= box[0] - FLOAT * width
    assert (x + delta).max() <= box[1] + FLOAT * width
    assert not delta.requires_grad


def test_for_pixels_the_box_is_kept_to_the_last_bit():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1000, 1, 10, 10, generator=generator)
    x[::3] = x[::3].round()
    for norm in ("linf", "l2"):
        start = uniform_start(x, 1.0, norm, generator)
        for epsilon in (8 / 255, 0.5, 1.0):
            ends = x + project(start, x, epsilon, norm, (0.0, 1.0))
            assert 0 <= ends.min() <= ends.max() <= 1


def test_the_uniform_start_fills_the_ball():
    x = torch.zeros(40_000, 1, 2, 3, dtype=torch.float64)
    cube = uniform_start(x, 0.3, "linf", torch.Generator().manual_seed(0)).flatten(1)
    assert stats.kstest((cube.flatten() / 0.3 + 1) / 2, "uniform").pvalue > 0.01
    ball = uniform_start(x, 0.3, "l2", torch.Generator().manual_seed(0)).flatten(1)
    length = ball.norm(dim=1).numpy()
    assert stats.kstest((length / 0.3) ** 6, "uniform").pvalue > 0.01
    assert stats.kstest((length / 0.3) ** 5, "uniform").pvalue < 1e-6
    # The first coordinate of a uniform direction in six dimensions: its square is Beta(1/2, 5/2).
    assert stats.kstest((ball[:, 0].numpy() / length) ** 2, stats.beta(0.5, 2.5).cdf).pvalue > 0.01


def test_a_zero_gradient_moves_nothing_and_a_tiny_one_makes_a_whole_l2_step():
    x, y = torch.full((2, 1, 2, 2), 0.5), torch.tensor([0, 1])
    weights = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    for scale in (0.0, 1e-30, 1.0):
        delta = pgd(
            Scaled(scale * weights),
            *(x, y),
            epsilon=0.4,
            step_size=0.1,
            steps=1,
            norm="l2",
            start="zero",
        )
        direction = torch.tensor([[-0.6, -0.8, 0, 0], [0.6, 0.8, 0, 0]]) * (scale > 0)
        assert delta.flatten(1) == pytest.approx(0.1 * direction, abs=1e-7)


class Scaled(nn.Module):
    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = weights

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weights.T


def test_a_callable_loss_is_maximised():
    model, x, y = linear_toy(0, 4)
    delta = pgd(model, x, y, loss=lambda logits, y: -logits[:, 0].sum(), start="zero", **BUDGET)
    slope = -model[1].weight[0].detach().view(1, 3, 2, 2)
    expected = torch.maximum(torch.minimum(0.15 * slope.sign(), 1 - x), -x)
    assert delta.numpy() == pytest.approx(expected.numpy(), abs=ROUNDING)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 8}, r"epsilon = 8; it must lie between 0 and 1, .* so 8 of 255 is 8/255"),
        ({"epsilon": -0.1}, r"epsilon = -0.1"),
        ({"epsilon": math.nan}, r"epsilon = nan"),
        ({"norm": "l2", "epsilon": 9}, r"epsilon = 9; it must lie between 0 and 8"),
        ({"step_size": -1}, r"step_size = -1; it must be finite and >= 0"),
        ({"step_size": math.inf}, r"step_size = inf"),
        ({"steps": 0}, r"steps = 0; it must be a whole number >= 1"),
        ({"steps": 2.0}, r"steps = 2.0"),
        ({"norm": "l1"}, r"norm = 'l1' is unknown; the known ones are linf, l2"),
        ({"box": (1.0, 0.0)}, r"box = \(1.0, 0.0\); it must be \(low, high\)"),
        ({"bn_policy": "freeze"}, r"bn_policy = 'freeze' is unknown; the known ones are train, eval, frozen"),
        ({"start": "gauss"}, r"start = 'gauss' is unknown; the known ones are uniform, zero"),
        (
            {"start": torch.zeros(1, 1, 8, 8)},
            r"start has shape \(1, 1, 8, 8\); it must be that of x, \(6, 1, 8, 8\)",
        ),
        ({"loss": "hinge"}, r"loss = 'hinge' is unknown; the known ones are ce"),
    ],
)
def test_bad_arguments_are_named_with_what_is_required(change, message):
    model, x, y = small_batch()
    with pytest.raises(ValueError, match=message):
        pgd(model, x, y, **{**BUDGET, **change})
    if not change.keys() & {"start", "loss"}:
        with pytest.raises(ValueError, match=message):
            trades_attack(model, x, **{**BUDGET, **change})


def test_bytes_are_no_input_of_an_attack_and_beta_is_not_negative():
    model, x, y = small_batch()
    with pytest.raises(ValueError, match=r"x has type torch.uint8 .* divide images of whole numbers by 255"):
        pgd(model, (255 * x).byte(), y, **BUDGET)
    with pytest.raises(ValueError, match=r"beta = -1.0; it must be finite and >= 0"):
        trades_loss(model, x, torch.zeros_like(x), y, beta=-1.0)
