"""How fast grad L_eps turns, and where it jumps, in the probe (training/studies/probe/smoothness.py, jump.py).

Second sources: the adversarial loss of the linear and the quadratic model in closed form, the Hessian of L_eps by
differences of gradients whose attacks an unrelated solver (scipy's SLSQP) found again, and a loss whose best maximum
changes at a weight that is known.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from probe_models import Linear, Quadratic, batch, logistic, output, probed, small_net
from scipy.optimize import minimize
from torch import nn

from training.studies.probe.loss import Losses
from training.studies.probe.region import Region
from training.studies.probe.search import find_attack
from training.studies.probe.smoothness import AdversarialHessian, curvature_by_differences, extreme

EXACT = 1e-5  # relative, of Lanczos' method at 1e-6
SOLVER = 2e-3  # relative, of second differences over SOLVER_STEP of attacks that SLSQP found to 1e-12
SOLVER_STEP = 1e-3


def closed_hessian(
    theta: torch.Tensor, x: torch.Tensor, y: torch.Tensor, epsilon: float, norm: str
) -> np.ndarray:
    """grad^2 of the mean of log(1 + exp(epsilon |theta|_q - y theta.x)), by autograd on the formula."""

    def value(weights):
        size = weights.norm() if norm == "l2" else weights.abs().sum()
        return torch.nn.functional.softplus(epsilon * size - y * (x @ weights)).mean()

    return torch.autograd.functional.hessian(value, theta).numpy()


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_turning_of_the_linear_models_gradient_is_that_of_the_closed_form(norm):
    theta = torch.tensor([0.6, -0.3, 1.1, 0.2], dtype=torch.float64)
    x, _ = batch(1, 6, 4)
    y = torch.tensor([1.0, -1, 1, 1, -1, -1], dtype=torch.float64)
    found = probed(Linear(theta), x, y, epsilon=0.5, norm=norm, box=None, loss=logistic).smoothness
    values = np.linalg.eigvalsh(closed_hessian(theta, x, y, 0.5, norm))
    expected = values[np.abs(values).argmax()]
    assert found.n == 6
    assert found.sigma == pytest.approx(expected, rel=EXACT)
    assert found.along_fixed + found.along_motion == pytest.approx(found.sigma, rel=EXACT)
    assert found.difference == pytest.approx(expected, rel=1e-4)
    if norm == "linf":
        assert found.motion == 0


def test_the_two_parts_for_the_quadratic_are_those_of_the_formula():
    Q = torch.tensor([[-3.0, 1.0], [1.0, -2.0]], dtype=torch.float64)
    M = torch.tensor([[1.0, 2.0, 0.5], [0.0, -1.0, 0.3]], dtype=torch.float64)
    model = Quadratic(Q, M, torch.zeros(2).double(), torch.tensor([0.1, -0.2, 0.3]).double())
    x = torch.tensor([[0.1, 0.2], [0.0, 0.4]], dtype=torch.float64)
    found = probed(model, x, torch.zeros(2), epsilon=5, norm="l2", box=None, loss=output).smoothness
    # max over x of x.Qx/2 + x.M theta is -theta.M^T Q^-1 M theta / 2: all its curvature is the attack's motion.
    expected = np.linalg.eigvalsh(-M.numpy().T @ np.linalg.solve(Q.numpy(), M.numpy()))[-1]
    assert expected > 0
    assert found.sigma == pytest.approx(expected, rel=EXACT)
    assert found.motion == pytest.approx(expected, rel=EXACT)
    assert found.fixed == pytest.approx(0, abs=1e-12)
    assert found.along_motion == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("seed", [1, 4])
def test_the_hessian_of_l_eps_is_that_of_attacks_an_unrelated_solver_finds_again(norm, seed):
    net = small_net(seed, 3, hidden=2, classes=2)
    x, y = batch(seed, 2, 3, classes=2)
    losses = Losses(net, x, y)
    region = Region.around(losses.x, 0.3, norm, (0, 1))
    rows = torch.arange(2)
    delta = find_attack(losses, region, restarts=4, seed=0, plain=(0.1, 10)).delta
    hessian = AdversarialHessian(losses, region, delta, rows)
    dense = torch.stack([hessian.whole(unit) for unit in torch.eye(losses.size, dtype=torch.float64)]).numpy()
    assert np.allclose(dense, dense.T, atol=1e-10)

    def gradient(direction, step):
        with losses.displaced(direction, step):
            again = torch.stack([solved(losses, region, delta[row], row, norm) for row in range(2)])
            return losses.weight_gradient(again, rows).numpy()

    units = torch.eye(losses.size, dtype=torch.float64)
    measured = np.array(
        [(gradient(one, SOLVER_STEP) - gradient(one, -SOLVER_STEP)) / (2 * SOLVER_STEP) for one in units]
    )
    assert np.abs(dense - measured).max() <= SOLVER * np.abs(measured).max()
    moved = torch.stack([hessian.parts(unit)[1] for unit in units]).numpy()
    assert np.linalg.eigvalsh(moved)[0] >= -1e-10
    if np.abs(moved).max() > 0.01 * np.abs(measured).max():
        # With the sign of the motion turned round, or without it, the check above would fail.
        assert np.abs(dense - 2 * moved - measured).max() > SOLVER * np.abs(measured).max()
        assert np.abs(dense - moved - measured).max() > SOLVER * np.abs(measured).max()


def solved(losses: Losses, region: Region, start: torch.Tensor, row: int, norm: str) -> torch.Tensor:
    """The attack by SLSQP with autograd's gradient, from the one that the probe found."""
    index = torch.tensor([row])

    def negative(point):
        values, gradients = losses.values_and_gradients(torch.from_numpy(point)[None], index)
        return -float(values), -gradients[0].numpy()

    bounds = list(zip(region.lower[row].tolist(), region.upper[row].tolist(), strict=True))
    ball = {"type": "ineq", "fun": lambda d: region.epsilon**2 - d @ d, "jac": lambda d: -2 * d}
    found = minimize(
        negative,
        start.numpy(),
        jac=True,
        bounds=bounds,
        constraints=[ball] if norm == "l2" else [],
        method="SLSQP",
        options={"ftol": 1e-16, "maxiter": 200},
    )
    return torch.from_numpy(found.x)


@pytest.mark.parametrize("norm", ["l2", "linf"])
@given(seed=st.integers(0, 300))
@settings(max_examples=6)
def test_differences_with_attacks_found_again_confirm_every_random_net(norm, seed):
    x, y = batch(seed, 3, 5)
    found = probed(small_net(seed, 5), x, y, epsilon=0.25, norm=norm).smoothness
    if found is not None:
        assert found.difference == pytest.approx(found.sigma, rel=1e-3)
        assert found.along_fixed + found.along_motion == pytest.approx(found.sigma, rel=EXACT)
        assert found.motion >= 0


def test_the_route_without_matrices_turns_as_the_one_with_them():
    net, (x, y) = small_net(3, 6), batch(3, 4, 6)
    found = [
        probed(net, x, y, epsilon=0.25, norm="l2", second=0, dense=dense).smoothness for dense in (256, 0)
    ]
    assert found[0].sigma == pytest.approx(found[1].sigma, rel=EXACT)
    assert found[0].motion == pytest.approx(found[1].motion, rel=EXACT)


def test_differences_do_not_confirm_a_curvature_at_attacks_that_were_not_polished():
    net, (x, y) = small_net(6, 5), batch(6, 3, 5)
    losses = Losses(net, x, y)
    region = Region.around(losses.x, 0.3, "l2", (0, 1))
    rows = torch.arange(3)
    delta = find_attack(losses, region, restarts=4, seed=0, plain=(0.1, 10)).delta
    rough = region.project(delta + 0.1)
    for point, confirmed in ((delta, True), (rough, False)):
        hessian = AdversarialHessian(losses, region, point, rows, dense=0)
        value, vector = extreme(hessian.whole, losses.size)
        measured = curvature_by_differences(losses, region, delta, rows, vector)
        assert (value == pytest.approx(measured, rel=1e-3)) is confirmed


class Twins(nn.Module):
    """(theta x + x^2) on [-1, 1]: the best end is the one with the sign of theta, and changes at theta = 0."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor([-0.3], dtype=torch.float64))

    def forward(self, x):
        return (self.theta * x + x**2).squeeze(1)


def test_the_gradient_jumps_where_the_best_of_two_maxima_changes():
    found = probed(
        Twins(),
        torch.zeros(1, 1, dtype=torch.float64),
        torch.zeros(1),
        epsilon=1.0,
        norm="linf",
        box=None,
        loss=output,
        restarts=8,
        segment=(torch.ones(1), 0.8),
    ).jumps
    # l_eps = 1 + |theta|: its slope goes from -1 to 1 at theta = 0, 3/8 of the way; the attack from -1 to 1.
    assert bool(found.moved[0])
    assert (
        bool(found.refaced[0]) is False
    )  # both ends are corners; what presses is told by which coordinates are free
    assert float(found.place) == pytest.approx(0.375, abs=1e-6)
    assert float(found.leap) == pytest.approx(2)
    assert float(found.jump) == pytest.approx(2)


def test_nothing_jumps_where_the_attack_is_lipschitz():
    theta = torch.tensor([0.6, -0.3], dtype=torch.float64)
    x, y = torch.tensor([[0.1, 0.5]], dtype=torch.float64), torch.tensor([1.0])
    found = probed(
        Linear(theta),
        x,
        y,
        epsilon=0.2,
        norm="l2",
        box=None,
        loss=logistic,
        segment=(torch.tensor([0.0, 1.0]), 0.6),
    ).jumps
    assert bool(found.settled[0])
    assert not bool(found.moved[0])
    assert bool(torch.isnan(found.jump[0]))


def test_linf_attacks_on_the_linear_model_jump_when_a_weight_changes_its_sign():
    theta = torch.tensor([0.6, -0.3], dtype=torch.float64)
    x, y = torch.tensor([[0.1, 0.5]], dtype=torch.float64), torch.tensor([1.0])
    found = probed(
        Linear(theta),
        x,
        y,
        epsilon=0.2,
        norm="linf",
        box=None,
        loss=logistic,
        segment=(torch.tensor([0.0, 1.0]), 0.6),
    ).jumps
    # Lemma 3: by 2 epsilon sqrt(k), k signs changed; here at theta_2 = 0, half way. grad l_eps jumps by s(-u) as much.
    slope = float(torch.sigmoid(torch.tensor(0.2 * 0.6 - 0.6 * 0.1)))
    assert float(found.place) == pytest.approx(0.5, abs=1e-6)
    assert float(found.leap) == pytest.approx(0.4)
    assert float(found.jump) == pytest.approx(0.4 * slope, rel=1e-4)
