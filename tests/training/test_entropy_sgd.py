"""The arithmetic of EntropySGD (training/entropy_sgd): what a pass and an outer step do to the weights.

Second sources: Algorithm 1 in a few lines of numpy with its own xi, and torch's SGD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from training.entropy_sgd import EntropySGD

ROUNDING = 1e-12  # some hundred roundings of float64 numbers of size 1 to 100
START = np.array([[0.7, -1.2, 0.05], [2.0, 0.3, -0.4]])


# (paper, code), written out from the sources a second time.
TABLE: dict[str, tuple[Any, Any]] = {
    "alpha": (0.75, 0.25),
    "noise_scale": ("sqrt-eta", "sqrt-2-eta"),
    "inner_momentum": (0.0, 0.9),
    "inner_nesterov": (False, True),
    "zero_inner_buffer": (True, True),
    "inner_weight_decay": (5e-4, 5e-4),
    "outer_step": ("paper", "paper"),
    "outer_momentum": (0.0, 0.9),
    "outer_nesterov": (False, True),
    "outer_weight_decay": (0.0, 5e-4),
    "seed_outer_buffer": (False, True),
    "discard_first": (False, True),
}


PAPER, CODE = ({name: row[i] for name, row in TABLE.items()} for i in (0, 1))


BASE: dict[str, Any] = {
    "lr": 0.5,
    "inner_steps": 3,
    "gamma": 0.3,
    "eta_inner": 0.2,
    "noise": 0.05,
    "order": 1,
}


PUBLISHED: dict[str, Any] = {"gamma": 0.03, "eta_inner": 0.1, "noise": 1e-4, "order": 1}


# Four loops of three and one minibatch more; three of four.
MINIBATCHES = 13


def gradient(weights: np.ndarray, k: int) -> np.ndarray:
    """Of the k-th minibatch: a nonlinear, asymmetric field, other for every k."""
    return (1 + 0.1 * k) * weights + np.sin(weights + k) - 0.3 * np.cos(2 * weights) * (k % 3)


def optimized(minibatches: int = MINIBATCHES, start: np.ndarray = START, **arguments: Any) -> np.ndarray:
    """The weights in place after so many `step()`s of the optimizer under test, float64."""
    weights = torch.nn.Parameter(torch.tensor(start))
    optimizer = EntropySGD([weights], **arguments)
    for k in range(minibatches):
        weights.grad = torch.tensor(gradient(weights.detach().numpy(), k))
        optimizer.step()
    return weights.detach().numpy()


def normals(shape: tuple[int, ...], seed: int = 0) -> Iterator[np.ndarray]:
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield torch.empty(shape, dtype=torch.float64).normal_(generator=generator).numpy()


def reference(minibatches: int = MINIBATCHES, change: str = "", **s: Any) -> np.ndarray:
    """Algorithm 1 as printed but for the sign in line 10, with the switches; `change` makes a false twin."""
    theta, x, draws = START.copy(), START.copy(), normals(START.shape)
    mean = xi = inner = outer = np.zeros_like(START)
    length = s["inner_steps"] + s["discard_first"]
    variance_of_noise = s["eta_inner"] * (2 if s["noise_scale"] == "sqrt-2-eta" else 1)
    for k in range(minibatches):
        g = gradient(x, k)
        if k == 0 and s["seed_outer_buffer"]:
            outer = g
        if k % length == 0:
            mean, xi = theta, theta**2
            inner = np.zeros_like(x) if s["zero_inner_buffer"] and change != "buffer kept" else inner
        if k % length >= s["discard_first"]:
            g = g + s["inner_weight_decay"] * x
            inner = s["inner_momentum"] * inner + g
            g = g + s["inner_momentum"] * inner if s["inner_nesterov"] else inner
            g = -g if change == "line 10 as printed" else g
            pull = -s["gamma"] * (theta - x) * (-1 if change == "force reversed" else 1)
            x = x - s["eta_inner"] * (g + pull) + np.sqrt(variance_of_noise) * s["noise"] * next(draws)
            mean = (1 - s["alpha"]) * mean + s["alpha"] * x
            xi = (1 - s["alpha"]) * xi + s["alpha"] * x**2
        if k % length == length - 1:
            variance = xi - mean**2 if s["order"] == 2 else 0
            h = 1 / (s["gamma"] - s["gamma"] ** 2 * variance)
            h = 1 if s["outer_step"] == "paper-eq11" else h
            h = h * 1.01 if change == "h one per cent larger" else h
            step = s["gamma"] * h * (theta - mean) + s["outer_weight_decay"] * theta
            outer = s["outer_momentum"] * outer + step
            step = step + s["outer_momentum"] * outer if s["outer_nesterov"] else outer
            x = theta = theta - s["lr"] * step
    return x


def error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.max(np.abs(found - expected)))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("preset", "rows"), [("paper", PAPER), ("code", CODE)])
def test_a_preset_follows_its_algorithm_minibatch_by_minibatch(preset, rows, order):
    for minibatches in range(1, MINIBATCHES + 1):
        found = optimized(minibatches, **BASE | {"order": order}, preset=preset)
        assert error(found, reference(minibatches, **BASE | {"order": order} | rows)) < ROUNDING


def test_paper_eq11_is_the_paper_with_the_gradient_of_eq_11_as_outer_step():
    rows = PAPER | {"outer_step": "paper-eq11"}
    assert error(optimized(**BASE, preset="paper-eq11"), reference(**BASE | rows)) < ROUNDING
    assert error(optimized(**BASE, preset="paper"), reference(**BASE | rows)) > 1e-3


@pytest.mark.parametrize(
    "change", ["line 10 as printed", "force reversed", "h one per cent larger", "buffer kept"]
)
def test_a_false_twin_of_the_algorithm_is_told_apart(change):
    rows = BASE | {"order": 2} | CODE
    assert error(optimized(**BASE | {"order": 2}, preset="code"), reference(change=change, **rows)) > 1e-3


@pytest.mark.parametrize("row", [name for name in PAPER if PAPER[name] != CODE[name]])
def test_every_row_of_the_table_of_presets_changes_the_run(row):
    other = CODE | {row: PAPER[row]}
    found = optimized(**BASE, preset="code", **{row: PAPER[row]})
    assert error(found, reference(**BASE | other)) < ROUNDING
    assert error(found, reference(**BASE | CODE)) > 1e-5


@pytest.mark.parametrize(("preset", "rows"), [("paper", PAPER), ("code", CODE)])
def test_an_optimizer_built_from_a_preset_has_its_values(preset, rows):
    group = EntropySGD([torch.nn.Parameter(torch.zeros(1))], 0.1, inner_steps=20, preset=preset).param_groups[
        0
    ]
    assert {name: group[name] for name in rows} == rows
    assert {name: group[name] for name in PUBLISHED} == PUBLISHED


def test_momentum_added_to_the_paper_is_zeroed_with_every_loop_unless_said_otherwise():
    cases: list[tuple[dict[str, Any], bool]] = [({}, True), ({"zero_inner_buffer": False}, False)]
    for said, zeroed in cases:
        rows = PAPER | {"inner_momentum": 0.9, "zero_inner_buffer": zeroed}
        assert error(optimized(**BASE, inner_momentum=0.9, **said), reference(**BASE | rows)) < ROUNDING


SWITCHES = st.fixed_dictionaries(
    {
        "alpha": st.sampled_from([0.25, 0.75, 1.0]),
        "noise_scale": st.sampled_from(["sqrt-eta", "sqrt-2-eta"]),
        "inner_momentum": st.sampled_from([0.5, 0.9]),
        "inner_nesterov": st.booleans(),
        "zero_inner_buffer": st.booleans(),
        "inner_weight_decay": st.sampled_from([0.0, 0.1]),
        "outer_momentum": st.sampled_from([0.5, 0.9]),
        "outer_nesterov": st.booleans(),
        "outer_weight_decay": st.sampled_from([0.0, 0.1]),
        "seed_outer_buffer": st.booleans(),
        "discard_first": st.booleans(),
        "outer_step": st.sampled_from(["paper", "paper-eq11"]),
    }
)


@given(SWITCHES, st.sampled_from([1, 2]), st.integers(1, 5))
@settings(max_examples=40)
def test_every_combination_of_switches_follows_its_algorithm(rows, order, inner_steps):
    if order == 2:
        rows = rows | {"outer_step": "paper"}
    plain = BASE | {"order": order, "inner_steps": inner_steps}
    expected = reference(**plain, **rows)
    # Momentum makes some of them diverge; errors are relative then.
    assert error(optimized(**plain, **rows), expected) < ROUNDING * (1 + np.abs(expected).max())


def test_order_2_is_order_1_to_the_bit_when_the_variance_vanishes():
    # alpha = 1 keeps the last iterate alone, whose variance is 0.
    one, two = (optimized(**BASE | {"order": order}, alpha=1.0) for order in (1, 2))
    np.testing.assert_array_equal(one, two)
    one, two = (optimized(**BASE | {"order": order}, alpha=0.9) for order in (1, 2))
    assert error(one, two) > 1e-4


def test_a_variance_that_line_16_loses_in_float32_is_kept():
    """Weights of size 1, deviations of 1e-4 (`alg1.line16-cancellation`): the deviations carry 6e-4 of rounding."""
    steps = torch.tensor([1e-4, -2e-4, 1.5e-4, 0.5e-4], dtype=torch.float64)
    found = {}
    for kind in (torch.float32, torch.float64):
        weights = torch.nn.Parameter(torch.tensor([1.0, -0.9], dtype=kind))
        optimizer = EntropySGD(
            [weights], 1.0, inner_steps=5, order=2, noise=0.0, eta_inner=1.0, inner_weight_decay=0.0
        )
        mean, xi = weights.detach().clone(), weights.detach() ** 2
        for step in steps:
            weights.grad = torch.full_like(weights, float(step))
            optimizer.step()
            mean, xi = 0.25 * mean + 0.75 * weights.detach(), 0.25 * xi + 0.75 * weights.detach() ** 2
        found[kind] = (optimizer.state[weights]["variance"].double(), (xi - mean**2).double())
    exact = found[torch.float64][1]
    torch.testing.assert_close(found[torch.float64][0], exact, rtol=1e-6, atol=0)
    torch.testing.assert_close(found[torch.float32][0], exact, rtol=5e-3, atol=0)
    assert torch.all((found[torch.float32][1] / exact - 1).abs() > 0.5)


@pytest.mark.parametrize("nesterov", [False, True])
def test_without_force_and_noise_the_inner_loop_is_torchs_sgd(nesterov):
    tiny_gamma = 1e-300  # no force that survives a rounding
    switches = {"inner_momentum": 0.9, "inner_nesterov": nesterov, "inner_weight_decay": 0.01}
    found = optimized(
        9, lr=1.0, inner_steps=10, gamma=tiny_gamma, eta_inner=0.1, noise=0.0, preset="paper", **switches
    )
    weights = torch.nn.Parameter(torch.tensor(START))
    sgd = torch.optim.SGD([weights], lr=0.1, momentum=0.9, nesterov=nesterov, weight_decay=0.01)
    for k in range(9):
        weights.grad = torch.tensor(gradient(weights.detach().numpy(), k))
        sgd.step()
    assert error(found, weights.detach().numpy()) < ROUNDING


def measured_step(order: int) -> tuple[EntropySGD, dict[str, float]]:
    """Two tensors through one loop without noise, and its diagnostics by numpy."""
    parts = [np.array([0.7, -1.2]), np.array([[2.0], [0.1]])]
    weights = [torch.nn.Parameter(torch.tensor(part)) for part in parts]
    optimizer = EntropySGD(weights, 0.5, inner_steps=4, gamma=0.3, eta_inner=0.5, noise=0.0, order=order)
    theta = np.concatenate([part.ravel() for part in parts])
    mean, xi, slope, force = theta, theta**2, theta, theta
    for k in range(4):
        here = np.concatenate([weight.detach().numpy().ravel() for weight in weights])
        slope, force = gradient(here, k), 0.3 * (theta - here)
        for weight in weights:
            weight.grad = torch.tensor(gradient(weight.detach().numpy(), k))
        optimizer.step()
        here = here - 0.5 * (slope + 5e-4 * here - force)
        mean, xi = 0.25 * mean + 0.75 * here, 0.25 * xi + 0.75 * here**2
    h = 1 / (0.3 - 0.09 * (xi - mean**2)) if order == 2 else np.array([1 / 0.3])
    return optimizer, {
        "distance": float(np.linalg.norm(theta - mean)),
        "h_min": float(h.min()),
        "h_max": float(h.max()),
        "force_ratio": float(np.linalg.norm(force) / np.linalg.norm(slope)),
    }


@pytest.mark.parametrize("order", [1, 2])
def test_diagnostics_are_those_of_the_outer_step(order):
    optimizer, expected = measured_step(order)
    found = optimizer.diagnostics
    assert found.outer_step == 1
    assert {name: getattr(found, name) for name in expected} == pytest.approx(expected, rel=1e-12)
    assert (found.h_max > 1.001 * found.h_min) == (order == 2)


def record_calls(action: Callable[[], Any]) -> list[str]:
    """The torch operations that an action ends in."""

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(func.name())
            return func(*args, **(kwargs or {}))

    names: list[str] = []
    with Recorder():
        action()
    return names


@pytest.mark.parametrize("preset", ["paper", "code"])
def test_no_step_waits_for_the_device_and_reading_the_diagnostics_does(preset):
    weights = torch.nn.Parameter(torch.tensor(START))
    optimizer = EntropySGD([weights], 0.1, inner_steps=2, order=2, preset=preset)
    waits = "aten::_local_scalar_dense"

    def loop() -> None:
        for _ in range(6):
            weights.grad = torch.ones_like(weights)
            optimizer.step()

    calls = record_calls(loop)
    assert "aten::_foreach_copy_" in calls
    assert waits not in calls
    assert waits in record_calls(lambda: optimizer.diagnostics)
