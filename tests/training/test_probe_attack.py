"""The attacks of the probe and what holds them (training/studies/probe/search.py, region.py).

Second sources: closed forms of the linear and the quadratic model, the exact worst cases of `numerics`, scipy's SLSQP,
random points of the region, the optimality conditions written out, and a kink that is put there by hand.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_models import Linear, Quadratic, Swish, batch, logistic, output, probed, small_net
from scipy.optimize import minimize
from torch import nn

from numerics.problem import Problem
from training.studies.probe.loss import Losses, cross_entropy
from training.studies.probe.region import Region
from training.studies.probe.search import TOLERANCE, find_attack, polish

ROUNDING = 1e-9  # of float64 through a search that ends at a slope of 1e-8
SOLVER = 1e-6  # what SLSQP reaches in the loss


def points(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_attack_on_the_linear_model_is_the_closed_form(norm):
    theta, epsilon = torch.tensor([0.6, -0.3, 1.1], dtype=torch.float64), 0.2
    x, y = points([0.1, 0.5, -0.4], [1.0, 0.2, 0.3]), torch.tensor([1.0, -1.0])
    found = probed(Linear(theta), x, y, epsilon=epsilon, norm=norm, box=None, loss=logistic)
    steepest = theta / theta.norm() if norm == "l2" else theta.sign()
    assert torch.allclose(found.delta, -epsilon * y[:, None].double() * steepest, atol=1e-7)
    assert bool(found.attack.converged.all())
    assert set(found.position) == {"sphere" if norm == "l2" else "corner"}
    value = torch.sigmoid(-y * (x @ theta) + epsilon * (theta.norm() if norm == "l2" else theta.abs().sum()))
    if norm == "l2":  # grad l = mu grad ||delta||: mu is the length of the gradient
        assert torch.allclose(found.multiplier, value * theta.norm(), rtol=1e-7)


def test_an_interior_attack_is_where_the_gradient_of_the_quadratic_vanishes():
    Q = torch.tensor([[-3.0, 1.0], [1.0, -2.0]], dtype=torch.float64)
    M, b = torch.eye(2, dtype=torch.float64), torch.tensor([0.4, 0.3], dtype=torch.float64)
    theta = torch.tensor([0.1, -0.2], dtype=torch.float64)
    found = probed(
        Quadratic(Q, M, b, theta),
        points([0.2, 0.1]),
        torch.zeros(1),
        epsilon=5,
        norm="l2",
        box=None,
        loss=output,
    )
    expected = torch.linalg.solve(-Q, M @ theta + b)
    assert found.position == ("interior",)
    assert torch.allclose(points([0.2, 0.1]) + found.delta, expected, atol=1e-8)


def test_the_pixel_box_holds_coordinates_that_the_ball_would_not():
    found = probed(
        Linear(torch.tensor([1.0, 1.0, 1.0], dtype=torch.float64)),
        points([0.95, 0.5, 0.5]),
        torch.zeros(1),
        epsilon=0.2,
        norm="l2",
        loss=output,
    )
    # The first pixel stops at 1, the others share what is left of the radius.
    rest = ((0.2**2 - 0.05**2) / 2) ** 0.5
    assert torch.allclose(found.delta, points([0.05, rest, rest]), atol=1e-9)
    assert (float(found.at_pixels), float(found.at_ball)) == (pytest.approx(1 / 3), 0.0)
    assert found.position == ("sphere",)
    assert float(found.multiplier) == pytest.approx(0.2 / rest)


def test_linf_coordinates_are_told_apart_by_what_stops_them():
    weights = torch.tensor([1.0, -2.0, 0.5, 1.0], dtype=torch.float64)
    found = probed(
        Linear(weights), points([0.95, 0.5, 0.5, 1.0]), torch.zeros(1), epsilon=0.1, norm="linf", loss=output
    )
    assert torch.allclose(found.delta, points([0.05, -0.1, 0.1, 0.0]))
    assert (float(found.at_ball), float(found.at_pixels)) == (0.5, 0.5)


@pytest.mark.parametrize("theta", [[0.7, -1.2], [2.5, -2.5], [-0.4, 1.5]])
@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_loss_of_the_swish_net_is_the_exact_worst_case_of_numerics(norm, theta):
    problem = Problem([[-1.0, 1.0]], [1.0], 0.6, 2 if norm == "l2" else np.inf, "swish")  # type: ignore[arg-type]
    exact = float(problem.loss(np.array([theta])).item())
    weights = torch.tensor(theta, dtype=torch.float64)
    x, y = points([-1.0, 1.0]), torch.tensor([1.0])
    found = probed(
        Swish(weights),
        x,
        y,
        epsilon=0.6,
        norm=norm,
        box=None,
        loss=logistic,
        restarts=8,
        whole=False,
        second=0,
    )
    assert float(found.attack.loss) == pytest.approx(exact, abs=ROUNDING)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@given(seed=st.integers(0, 500))
@settings(max_examples=8)
def test_slsqp_from_the_attack_finds_nothing_better_and_random_points_neither(norm, seed):
    net, epsilon = small_net(seed, 5), 0.3
    x, y = batch(seed, 1, 5)
    losses = Losses(net, x, y)
    region = Region.around(losses.x, epsilon, norm, (0, 1))
    found = find_attack(losses, region, restarts=6, seed=0, plain=(0.1, 10))
    row = torch.tensor([0])

    def negative(delta: np.ndarray) -> float:
        return -float(losses.values(torch.from_numpy(delta)[None], row).detach())

    bounds = list(zip(region.lower[0].tolist(), region.upper[0].tolist(), strict=True))
    ball = [{"type": "ineq", "fun": lambda d: epsilon**2 - d @ d}] if norm == "l2" else []
    other = minimize(negative, found.delta[0].numpy(), bounds=bounds, constraints=ball, method="SLSQP")
    assert -other.fun <= float(found.loss) + SOLVER
    tried = region.project(torch.randn(500, 5, dtype=torch.float64) * epsilon)
    assert float(losses.values(tried, row.expand(500)).detach().max()) <= float(found.loss) + ROUNDING


@pytest.mark.parametrize("norm", ["l2", "linf"])
@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_a_converged_attack_satisfies_the_optimality_conditions(norm, seed):
    net, epsilon = small_net(seed, 6), 0.25
    x, y = batch(seed, 4, 6)
    found = probed(net, x, y, epsilon=epsilon, norm=norm, second=0, whole=False)
    assert bool(found.attack.converged.all())
    inputs = (x + found.delta).requires_grad_()
    gradient = torch.autograd.grad(cross_entropy(net(inputs), y).sum(), inputs)[0]
    inputs = inputs.detach()
    assert bool(((inputs >= 0) & (inputs <= 1)).all())
    size = found.delta.abs().amax(1) if norm == "linf" else found.delta.norm(dim=1)
    assert float(size.max()) <= epsilon * (1 + 1e-12)
    # A sum of outward normals with weights >= 0 makes up the gradient: what is left must point nowhere feasible.
    pull = (found.multiplier / epsilon)[:, None] * found.delta
    rest = gradient - pull
    reach = epsilon if norm == "linf" else np.inf
    up = (inputs >= 1) | (found.delta >= reach)
    down = (inputs <= 0) | (found.delta <= -reach)
    assert bool((found.multiplier >= 0).all())
    assert float(torch.where(up, 0, rest).max()) <= 1e-7
    assert float(torch.where(down, 0, rest).min()) >= -1e-7


@given(seed=st.integers(0, 10_000))
def test_the_projection_is_the_nearest_point_of_the_region(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(1, 4, generator=generator, dtype=torch.float64)
    region = Region.around(x, 0.3, "l2", (0, 1))
    outside = torch.randn(1, 4, generator=generator, dtype=torch.float64)
    nearest = region.project(outside)
    others = region.project(0.5 * torch.randn(200, 4, generator=generator, dtype=torch.float64))
    # Of a convex set: no point makes an acute angle with the way out.
    assert float(((outside - nearest) * (others - nearest)).sum(1).max()) <= 1e-12


def test_several_maxima_are_counted_with_the_difference_of_the_two_best():
    # (x - 0.3)^2 on [0, 1] has its maxima 0.49 at 1 and 0.09 at 0.
    square = Quadratic(
        points([2.0]), points([0.0]), torch.tensor([-0.6], dtype=torch.float64), torch.zeros(1)
    )
    found = probed(
        square.double(), points([0.5]), torch.zeros(1), epsilon=0.9, norm="linf", loss=output, restarts=12
    ).attack
    assert int(found.maxima) == 2
    assert float(found.runner_up) == pytest.approx(0.4)
    assert float(found.loss) == pytest.approx(0.49 - 0.09)


def test_a_maximum_on_a_kink_is_told_as_one_and_not_as_converged():
    class Roof(nn.Module):
        """-|x1 - 0.4| - |x2 - 0.7| / 2, times a weight."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones((), dtype=torch.float64))

        def forward(self, x):
            return -self.scale * ((x[:, 0] - 0.4).relu() + (0.4 - x[:, 0]).relu() + (x[:, 1] - 0.7).abs() / 2)

    found = probed(Roof(), points([0.5, 0.6]), torch.zeros(1), epsilon=0.3, norm="linf", loss=output)
    assert found.position == ("kink",)
    assert not bool(found.attack.converged)
    assert torch.allclose(found.delta, points([-0.1, 0.1]), atol=1e-4)
    assert found.second == (None,)
    assert found.smoothness is None


def test_newtons_method_ends_where_pgd_alone_does_not():
    net, (x, y) = small_net(3, 8), batch(3, 6, 8)
    losses = Losses(net, x, y)
    region = Region.around(losses.x, 0.4, "l2", (0, 1))
    found = find_attack(losses, region, restarts=4, seed=0, plain=(0.1, 10))
    assert float(found.slope.max()) <= TOLERANCE
    assert bool((found.loss >= found.plain - 1e-12).all())
    rough = region.project(0.1 * torch.ones_like(losses.x))
    rows = torch.arange(6)
    before = region.face(rough, losses.values_and_gradients(rough, rows)[1]).slope
    assert float(before.min()) > 1e-3
    assert float(polish(losses, region, rough, rows)[1].max()) <= TOLERANCE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"norm": "l1"}, "norm = 'l1' is unknown; the known ones are linf, l2"),
        ({"epsilon": 0.0}, "epsilon = 0.0; it must be positive and finite, in the units of x"),
        ({"epsilon": float("nan")}, "epsilon = nan; it must be positive"),
        ({"box": (0.4, 0.6)}, "outside the box 0.4 to 0.6: scale it, or pass box=None"),
        ({"box": (1.0, 0.0)}, r"box = \(1.0, 0.0\); it must be \(low, high\)"),
        ({"parameters": ["9.weight"]}, r"parameters = \['9.weight'\]: the model has 0.weight, 0.bias"),
        ({"restarts": 0}, "restarts = 0; the search needs at least 1"),
        ({"second": -1}, "second = -1; it must be a number of examples >= 0"),
        ({"epsilon": "0.1"}, "epsilon = '0.1'; it must be positive and finite"),
        ({"epsilon": None}, "epsilon = None; it must be positive and finite"),
        ({"y": torch.tensor([0, 108])}, r"cannot take .*108 is out of bounds.*: give what they take"),
        ({"y": torch.tensor([0.0, 1.0])}, r"cannot take .*y of type torch.float32 and shape \(2,\)"),
        ({"x": torch.zeros(2, 4)}, r"cannot take x of shape \(2, 4\)"),
        ({"x": [[0.0] * 5] * 2}, "x and y are list and Tensor; both must be tensors"),
        ({"y": torch.tensor([0])}, "y holds 1 labels for 2 examples"),
        ({"x": torch.zeros(2, 5, dtype=torch.uint8)}, "divide images of whole numbers by 255 first"),
        ({"x": torch.full((2, 5), torch.nan)}, "batch of finite floats"),
        ({"loss": lambda outputs, y: outputs.sum()}, "must give one number each: no mean"),
        ({"segment": (torch.ones(3), 1.0)}, r"segment has a direction of shape \(3,\)"),
    ],
)
def test_bad_input_is_one_sentence_that_says_what_to_do(change, said):
    x, y = batch(0, 2, 5)
    arguments = {"x": x, "y": y, "epsilon": 0.1, "norm": "linf"} | change
    with pytest.raises(ValueError, match=said) as refused:
        probed(small_net(0, 5), **arguments)
    assert "\n" not in str(refused.value)


def test_a_model_whose_examples_depend_on_each_other_is_refused():
    net = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 3))
    x, y = batch(0, 3, 5)
    with pytest.raises(ValueError, match="depends on the other examples of the batch"):
        probed(net, x, y, epsilon=0.1, norm="linf")


def test_the_model_is_left_as_it_was():
    net, (x, y) = small_net(1, 5).float(), batch(1, 2, 5)
    net.train()
    before = [weight.detach().clone() for weight in net.parameters()]
    probed(net, x, y, epsilon=0.1, norm="l2", segment=(torch.ones(39), 0.1))
    assert net.training
    for weight, kept in zip(net.parameters(), before, strict=True):
        assert torch.equal(weight, kept)
        assert weight.requires_grad
        assert weight.grad is None
