"""The averages that EntropySGD takes on a quadratic, and the step of order 2 that they make.

Second sources: the linear recursion that a quadratic makes of a pass, Newton's step on the exact -F of a quadratic.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from training.entropy_sgd import EntropySGD

# A quadratic L = a/2 (theta' - c)^2, coordinate by coordinate.
CURVATURE = torch.tensor([0.5, 2.0, 7.0], dtype=torch.float64)
CENTRE = torch.tensor([1.0, -3.0, 0.25], dtype=torch.float64)


GAMMA, ETA_INNER, ALPHA = 0.4, 0.05, 0.3


def on_quadratic(inner_steps: int, passes: int, repeats: int = 1, **arguments: Any) -> tuple[Any, EntropySGD]:
    """Weights (repeats, 3) started at 0 after so many passes on the quadratic's exact gradient, no weight decay."""
    weights = torch.nn.Parameter(torch.zeros(repeats, 3, dtype=torch.float64))
    plain = {"gamma": GAMMA, "eta_inner": ETA_INNER, "alpha": ALPHA, "inner_weight_decay": 0.0, "noise": 0.0}
    optimizer = EntropySGD([weights], **({"lr": 1.0, "inner_steps": inner_steps} | plain | arguments))
    for _ in range(passes):
        weights.grad = CURVATURE * (weights.detach() - CENTRE)
        optimizer.step()
    return weights, optimizer


def moments(passes: int, noise: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and expected variance that line 16 gives on the quadratic, in closed form.

    theta'_l - s = r^l (theta - s) + white noise filtered by r, with s = (a c + gamma theta)/(a + gamma) the fixed
    point, r = 1 - eta' (a + gamma), theta = 0; the averages are geometric sums of it.
    """
    fixed = CURVATURE * CENTRE / (CURVATURE + GAMMA)
    r, keep = 1 - ETA_INNER * (CURVATURE + GAMMA), 1 - ALPHA

    def average(ratio: torch.Tensor) -> torch.Tensor:
        """keep^L + sum over l = 1..L of alpha keep^(L - l) ratio^l."""
        return keep**passes + ALPHA * ratio * (ratio**passes - keep**passes) / (ratio - keep)

    mean = fixed - fixed * average(r)
    second = fixed**2 * (1 - 2 * average(r) + average(r**2))
    stationary = noise**2 * ETA_INNER / (1 - r**2)
    own = stationary * (1 - average(r**2))  # E of the average of (theta' - E theta')^2, whose start has 0
    shared = sum(
        ALPHA**2 * keep ** (2 * passes - i - j) * stationary * (r ** abs(i - j) - r ** (i + j))
        for i in range(1, passes + 1)
        for j in range(1, passes + 1)
    )
    return mean, second - mean**2 + own - shared


@pytest.mark.parametrize("passes", [1, 2, 7, 30])
def test_mean_and_variance_on_a_quadratic_are_those_of_the_linear_recursion(passes):
    weights, optimizer = on_quadratic(31, passes, order=2)
    mean, variance = moments(passes)
    state = optimizer.state[weights]
    torch.testing.assert_close(state["anchor"] + state["mean_deviation"], mean[None], rtol=0, atol=1e-13)
    torch.testing.assert_close(state["variance"], variance[None], rtol=0, atol=1e-13)
    other = on_quadratic(31, passes, order=2, alpha=1.01 * ALPHA)
    off = (other[1].state[other[0]]["mean_deviation"] - mean).abs()
    assert torch.all(off > 1e-8 * mean.abs())


def test_with_noise_the_averages_over_many_chains_are_the_expected_ones():
    chains, passes, noise = 40_000, 12, 3.0
    weights, optimizer = on_quadratic(13, passes, chains, order=2, noise=noise)
    mean, variance = moments(passes, noise)
    state = optimizer.state[weights]
    within = 5 / chains**0.5  # five standard errors, relative to a single chain's spread
    assert torch.all((state["mean_deviation"].mean(0) - mean).abs() < within * state["mean_deviation"].std(0))
    assert torch.all((state["variance"].mean(0) - variance).abs() < within * state["variance"].std(0))
    too_loud = moments(passes, 1.05 * noise)[1]
    assert torch.all((state["variance"].mean(0) - too_loud).abs() > within * state["variance"].std(0))


def test_an_order_2_step_with_the_exact_moments_is_newtons_on_minus_f_and_lands_in_the_minimum():
    # p_theta of a quadratic is Gaussian: mean (a c + gamma theta)/(a + gamma), variance 1/(a + gamma).
    theta = torch.tensor([0.3, -2.1, 0.75], dtype=torch.float64)
    total = CURVATURE + GAMMA
    mean, variance = (CURVATURE * CENTRE + GAMMA * theta) / total, 1 / total
    slope, hessian = GAMMA * (theta - mean), GAMMA * CURVATURE / total
    landed = {order: after_moments(theta, mean, variance, order) for order in (1, 2)}
    torch.testing.assert_close(landed[2], theta - slope / hessian, rtol=0, atol=1e-12)
    torch.testing.assert_close(landed[2], CENTRE, rtol=0, atol=1e-12)
    torch.testing.assert_close(landed[1], mean, rtol=0, atol=1e-12)


def after_moments(
    theta: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor, order: int
) -> torch.Tensor:
    """The anchor after one outer step, lr = 1, whose two passes visit points with these averages at alpha = 1/2."""
    # Weights 1/4, 1/4, 1/2 on theta, first, second. In x = first - theta: second - theta = 2 m - x/2, and
    # x^2/4 + (2 m - x/2)^2/2 = v + m^2 is 3/8 x^2 - m x + m^2 - v = 0.
    m = mean - theta
    first = (m + (m**2 - 1.5 * (m**2 - variance)).sqrt()) / 0.75
    second = 2 * m - first / 2
    weights = torch.nn.Parameter(theta.clone())
    optimizer = EntropySGD(
        [weights],
        lr=1.0,
        inner_steps=2,
        gamma=GAMMA,
        eta_inner=1.0,
        noise=0.0,
        alpha=0.5,
        order=order,
        inner_weight_decay=0.0,
    )
    for goal in (first, second):
        here = weights.detach() - theta
        weights.grad = here - goal - GAMMA * here
        optimizer.step()
    assert optimizer.outer_steps == 1
    return weights.detach()


def test_langevin_noise_makes_the_order_2_step_newtons_up_to_the_step_size_bias():
    """noise = 1 with sqrt-2-eta samples p_theta of Eq. (12), of variance 1/(k (1 - eta' k/2)) (`alg1.line11`)."""
    chains, passes = 4000, 1500
    arguments = {"noise": 1.0, "noise_scale": "sqrt-2-eta", "alpha": 0.01, "order": 2, "eta_inner": 0.02}
    weights, optimizer = on_quadratic(passes + 1, passes, chains, **arguments)
    state, total = optimizer.state[weights], CURVATURE + GAMMA
    bias = 1 / (1 - 0.02 * total / 2)
    # An average with weight alpha on the newest has lost the part of the variance that is the mean's own.
    variance = state["variance"].mean(0) + state["mean_deviation"].var(0)
    torch.testing.assert_close(variance * total, bias, rtol=0.02, atol=0)
    fixed = CURVATURE * CENTRE / total
    torch.testing.assert_close(state["mean_deviation"].mean(0), fixed, rtol=0, atol=0.05)
    quiet = on_quadratic(passes + 1, passes, 10, **arguments | {"noise_scale": "sqrt-eta"})
    half = quiet[1].state[quiet[0]]["variance"].mean(0) + quiet[1].state[quiet[0]]["mean_deviation"].var(0)
    assert torch.all(half * total < 0.9 * bias)


def test_the_orders_part_with_the_third_power_of_the_deviations():
    """Their steps differ by m (1/(1 - gamma v) - 1): m falls with the scale of the gradient, v with its square."""
    gaps = []
    for scale in (1e-1, 1e-2):
        ends = []
        for order in (1, 2):
            weights = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
            optimizer = EntropySGD(
                [weights], 1.0, inner_steps=2, order=order, noise=0.0, inner_weight_decay=0.0
            )
            for _ in range(2):
                weights.grad = scale * (CURVATURE * weights.detach() - CENTRE)
                optimizer.step()
            ends.append(weights.detach())
        gaps.append((ends[0] - ends[1]).norm())
    assert float(torch.log10(gaps[0] / gaps[1])) == pytest.approx(3, abs=0.05)
