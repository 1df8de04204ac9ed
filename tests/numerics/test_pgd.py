"""PGD (Sec. 2.1) and how far below the worst case it stays (numerics/pgd.py).

Second sources: a plain loop on jax's input gradient, iterates worked by hand, the rate at which PGD turns on
a sphere, and the exact worst case.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics import pgd
from numerics.autodiff import double_precision
from numerics.pgd import PgdOptions, pgd_attack, pgd_gap
from numerics.problem import MODELS, SWISH_MINIMISER, Problem, output, single_point, softplus, swish
from numerics.surfaces import grid

ROUNDING = 1e-13  # a few dozen roundings of numbers of size 1 to 10
ZERO = PgdOptions(start="zero")
AXES = (np.linspace(-2, 2, 13), np.linspace(-1.9, 2.1, 9))


def pair(p: float, model: str) -> Problem:
    return Problem(np.array([[-1.0, 1.0, 0.5], [0.5, -0.25, 2.0]]), np.array([1, -1]), 0.6, p, model)


def reference(
    problem: Problem, theta: np.ndarray, starts: np.ndarray, steps: int, change: str = ""
) -> np.ndarray:
    """The final deltas (N, d) by the update as printed, point by point; `change` makes a false twin."""
    slope, epsilon = input_gradient(problem.model), problem.epsilon
    found = []
    for x, y, start in zip(problem.X, problem.y, starts, strict=True):
        delta = start
        for _ in range(steps):
            with double_precision():
                g = np.asarray(slope(jnp.asarray(delta), theta, x, y)) * (-1 if change == "sign" else 1)
            use_sign = (problem.p == np.inf) != (change == "norm")
            delta = delta + epsilon / 4 * (np.sign(g) if use_sign else g / np.linalg.norm(g))
            if change != "projection":
                outside = max(1.0, np.linalg.norm(delta) / epsilon)
                delta = np.clip(delta, -epsilon, epsilon) if problem.p == np.inf else delta / outside
        found.append(delta)
    return np.array(found)


@functools.cache
def input_gradient(model: str) -> Callable[..., Any]:
    def loss(delta: Any, theta: Any, x: Any, y: Any) -> Any:
        return softplus(-y * output(model, jnp.dot(theta, x + delta), jnp), jnp)

    return jax.jit(jax.grad(loss))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("p", [2, np.inf])
def test_pgd_makes_the_steps_of_a_plain_loop_on_automatic_gradients(p, model):
    problem, theta = pair(p, model), np.array([0.7, -0.9, 0.3])
    # At theta = 0 every gradient vanishes and the attack stays at its random start.
    starts = pgd_attack(problem, np.zeros(3)).delta
    for steps in (1, 9):
        found = pgd_attack(problem, theta, PgdOptions(steps=steps)).delta
        assert found == pytest.approx(reference(problem, theta, starts, steps), abs=ROUNDING)
    for change in ("sign", "norm", "projection"):
        assert np.abs(found - reference(problem, theta, starts, 9, change)).max() > 0.1


def test_linf_steps_worked_by_hand():
    problem = single_point("linf", (-1, 1), 1, 0.6)
    for steps, size in ((1, 0.25), (2, 0.5), (3, 0.6), (4, 0.6)):
        found = pgd_attack(problem, (2.0, -1.0), PgdOptions(steps=steps, step_size=0.25, start="zero"))
        assert found.delta == pytest.approx(np.array([[-size, size]]), abs=ROUNDING)
        # theta.x = -3 and theta.delta = -3 size.
        assert float(found.value) == pytest.approx(math.log(1 + math.exp(3 + 3 * size)))


def test_l2_steps_worked_by_hand():
    problem = single_point("l2", (-1, 1), -1, 0.6)
    for steps, size in ((1, 0.25), (2, 0.5), (3, 0.6), (4, 0.6)):
        found = pgd_attack(problem, (3.0, -4.0), PgdOptions(steps=steps, step_size=0.25, start="zero"))
        assert found.delta == pytest.approx(size * np.array([[0.6, -0.8]]), abs=ROUNDING)


def test_the_default_step_is_the_papers_quarter_of_epsilon():
    problem = single_point("linf", (-1, 1), 1, 8 / 255)
    gap = pgd_gap(problem, AXES)
    assert gap.provenance["step_size"] == pytest.approx(2 / 255)
    assert (gap.provenance["steps"], gap.provenance["start"], gap.provenance["keep"]) == (
        20,
        "random",
        "last",
    )


@pytest.mark.parametrize("p", [2, np.inf])
def test_a_zero_gradient_moves_nothing(p):
    problem = pair(p, "linear")
    starts = pgd_attack(problem, np.zeros(3), PgdOptions(steps=1)).delta
    assert pgd_attack(problem, np.zeros(3), PgdOptions(steps=30)).delta.tolist() == starts.tolist()
    assert np.abs(starts).min() > 0
    moved = pgd_attack(problem, (0.0, 1.0, 0.0), PgdOptions(steps=1)).delta
    if p == np.inf:
        assert moved[:, [0, 2]].tolist() == starts[:, [0, 2]].tolist()
    assert np.abs(moved[:, 1] - starts[:, 1]).min() > 0
    assert pgd_attack(problem, np.zeros(3), ZERO).delta.tolist() == np.zeros((2, 3)).tolist()


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    p=st.sampled_from([2.0, np.inf]),
    model=st.sampled_from(MODELS),
    epsilon=st.sampled_from([0.0, 0.1, 0.6, 3.0]),
    options=st.builds(
        PgdOptions,
        steps=st.integers(1, 12),
        step_size=st.sampled_from([None, 0.01, 0.3, 10.0]),
        restarts=st.integers(1, 3),
        keep=st.sampled_from(["last", "best"]),
        seed=st.integers(0, 100),
    ),
)
def test_pgd_stays_in_the_ball_and_never_beats_the_exact_worst_case(seed, p, model, epsilon, options):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(3, 4)), random.choice([-1, 1], 3)
    problem, theta = Problem(X, y, epsilon, p, model), 2 * random.normal(size=(5, 4))
    found = pgd_attack(problem, theta, options)
    assert np.linalg.norm(found.delta, p, axis=-1).max() <= epsilon * (1 + ROUNDING)
    score = ((X + found.delta) * theta[:, None, :]).sum(axis=-1)
    assert found.loss == pytest.approx(softplus(-y * output(model, score)), abs=ROUNDING)
    assert found.value == pytest.approx(found.loss.mean(axis=-1), abs=ROUNDING)
    assert (found.value <= problem.loss(theta) + ROUNDING).all()


@pytest.mark.parametrize("y", [-1, 1])
def test_pgd_is_exact_for_the_linear_model_but_for_random_l2_starts(y):
    linf, l2 = (single_point(name, (-1, 1), y, 0.6) for name in ("linf", "l2"))
    # Sign steps cross the cube in 8 quarters of epsilon; from zero the L2 step points at the attack at once.
    for problem, options in ((linf, PgdOptions(steps=8)), (linf, ZERO), (l2, ZERO)):
        gap = pgd_gap(problem, AXES, options)
        assert (np.abs(gap.gap) <= gap.error).all()
        assert gap.fraction == 0
    assert pgd_gap(linf, AXES, PgdOptions(steps=3)).fraction > 0.5
    assert pgd_gap(l2, AXES, PgdOptions()).largest > 1e-6


@pytest.mark.parametrize("step_size", [0.15, 0.3])
def test_the_random_l2_start_is_forgotten_at_the_rate_of_the_sphere(step_size):
    # On the sphere tan(angle) becomes epsilon sin / (epsilon cos + eta_P), near 0 times
    # 1/(1 + eta_P/epsilon); the gap is proportional to the square of the angle.
    problem = single_point("l2", (-1, 1), 1, 0.6)
    steps = [PgdOptions(steps=count, step_size=step_size) for count in (12, 13)]
    first, second = (problem.loss((1.0, 0.5)) - pgd_attack(problem, (1.0, 0.5), one).value for one in steps)
    assert second / first == pytest.approx((1 + step_size / 0.6) ** -2, rel=1e-2)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("p", [2, np.inf])
def test_the_best_iterate_gains_with_steps_and_with_restarts_and_beats_the_last(p, model):
    problem, theta = pair(p, model), np.random.default_rng(2).normal(size=(40, 3)) * 2
    by_steps = [pgd_attack(problem, theta, PgdOptions(steps=k, keep="best")).loss for k in (1, 2, 5, 20)]
    by_restarts = [pgd_attack(problem, theta, PgdOptions(restarts=k, keep="best")).loss for k in (1, 2, 5)]
    for run in (by_steps, by_restarts):
        assert all((later >= earlier).all() for earlier, later in itertools.pairwise(run))
    assert (by_steps[-1] >= pgd_attack(problem, theta).loss).all()
    if model == "swish":
        # The last iterate is no such thing: it falls where the attack oscillates.
        last = [pgd_attack(problem, theta, PgdOptions(steps=k)).loss for k in (20, 21)]
        assert (last[1] < last[0] - 1e-4).any()
        assert (last[1] > last[0] + 1e-4).any()


@pytest.mark.parametrize(("steps", "last"), [(4, -1.2), (5, -1.65), (20, -1.2), (21, -1.65)])
def test_for_the_swish_model_pgd_oscillates_about_the_worst_score(steps, last):
    # Fig. 2(f) at theta = (3/2, -3/2): from -3 the score climbs by 0.45 a step to -1.2, beyond u* = -1.278,
    # and from then on goes back and forth.
    problem, theta = single_point("linf", (-1, 1), 1, 0.6, "swish"), np.array([1.5, -1.5])
    found = float(pgd_attack(problem, theta, PgdOptions(steps=steps, start="zero")).value)
    assert found == pytest.approx(math.log(1 + math.exp(-last / (1 + math.exp(-last)))), rel=ROUNDING)
    assert float(problem.loss(theta)) - found > 3e-4
    best = pgd_attack(problem, theta, PgdOptions(steps=steps, start="zero", keep="best")).delta[0]
    assert theta @ (problem.X[0] + best) == pytest.approx(-1.2)
    assert -1.65 < SWISH_MINIMISER < -1.2


def test_for_the_other_label_pgd_from_zero_climbs_the_wrong_side():
    # y = -1, theta = (0.7, -0.7): the score starts at -1.4, left of the minimiser, and slides to the lower
    # end -2.24, where swish is -0.2156; at the upper end -0.56 it is -0.2036.
    problem, theta = single_point("linf", (-1, 1), -1, 0.6, "swish"), np.array([0.7, -0.7])
    wrong, right = (float(softplus(swish(np.array(u)))) for u in (-2.24, -0.56))
    assert float(pgd_attack(problem, theta, ZERO).value) == pytest.approx(wrong, rel=ROUNDING)
    assert float(problem.loss(theta)) == pytest.approx(right, rel=ROUNDING)
    assert right - wrong > 5e-3
    # Neither steps nor the best iterate help; random restarts do.
    longer = pgd_attack(problem, theta, PgdOptions(steps=500, start="zero", keep="best"))
    assert float(longer.value) == pytest.approx(wrong, rel=ROUNDING)
    restarted = pgd_attack(problem, theta, PgdOptions(restarts=10))
    assert float(restarted.value) == pytest.approx(right, rel=ROUNDING)


@pytest.mark.parametrize("loss_name", ["l2", "linf"])
def test_the_surfaces_of_fig_2_e_and_f_carry_a_gap(loss_name):
    problem = single_point(loss_name, (-1, 1), 1, 0.6, "swish")
    gap = pgd_gap(problem, AXES, tolerance=1e-4)
    assert gap.gap.shape == gap.error.shape == (13, 9)
    assert (gap.gap >= -gap.error).all()
    assert gap.exact == pytest.approx(problem.loss(grid(AXES)), abs=ROUNDING)
    assert gap.fraction == np.count_nonzero(gap.exact - gap.pgd > 1e-4) / (13 * 9)
    assert 0.1 < gap.fraction < 0.9
    assert gap.largest == gap.gap.max() > 5e-3
    at = np.array(gap.at)
    assert float(problem.loss(at) - pgd_attack(problem, at).value) == pytest.approx(gap.largest, abs=ROUNDING)
    assert json.loads(json.dumps(gap.provenance))["model"] == "swish"
    # Smaller steps and the best iterate close it, as far as there is no other local maximum.
    finer = PgdOptions(steps=300, step_size=0.02, keep="best")
    assert pgd_gap(problem, AXES, finer).largest < 1e-4 < gap.largest


@pytest.mark.parametrize("model", MODELS)
def test_without_a_radius_pgd_has_the_clean_loss(model):
    gap = pgd_gap(single_point("clean", (-1, 1), 1, 0.0, model), AXES)
    assert (np.abs(gap.gap) <= gap.error).all()


def test_pgd_at_a_theta_depends_on_the_seed_but_not_on_the_grid_or_the_blocks(monkeypatch):
    problem, theta = pair(2, "swish"), np.random.default_rng(3).normal(size=(4, 5, 3))
    options = PgdOptions(restarts=2, seed=11)
    whole = pgd_attack(problem, theta, options)
    assert whole.delta.shape == (4, 5, 2, 3)
    assert whole.loss.shape == (4, 5, 2)
    assert whole.value.shape == (4, 5)
    assert pgd_attack(problem, theta[2, 3], options).delta == pytest.approx(whole.delta[2, 3], abs=ROUNDING)
    monkeypatch.setattr(pgd, "BLOCK", 1)
    assert pgd_attack(problem, theta, options).delta == pytest.approx(whole.delta, abs=ROUNDING)
    assert pgd_attack(problem, theta[:0], options).delta.shape == (0, 5, 2, 3)
    other = pgd_attack(problem, theta, PgdOptions(restarts=2, seed=12))
    assert np.abs(other.delta - whole.delta).max() > 1e-3


@pytest.mark.parametrize("p", [2, np.inf])
def test_random_starts_fill_the_ball_evenly(p):
    count = 4000
    problem = Problem(np.zeros((count, 3)), np.ones(count), 0.6, p)
    starts = pgd_attack(problem, np.zeros(3), PgdOptions(steps=1)).delta
    size = np.linalg.norm(starts, p, axis=-1)
    assert size.max() <= 0.6
    # A ball of half the radius has an eighth of the volume; five standard deviations of a binomial share.
    for radius, share in ((0.3, 1 / 8), (0.48, 0.512)):
        assert (size < radius).mean() == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / count))
    assert (starts > 0).mean(axis=0) == pytest.approx(0.5, abs=5 * math.sqrt(0.25 / count))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps = 0; it must be a whole number >= 1"),
        ({"steps": 2.5}, "steps = 2.5; it must be a whole number >= 1"),
        ({"restarts": 0}, "restarts = 0; it must be a whole number >= 1"),
        ({"step_size": 0.0}, "step_size = 0.0; it must be finite and > 0"),
        ({"step_size": -0.1}, "step_size = -0.1; it must be finite and > 0"),
        ({"step_size": np.inf}, "step_size = inf; it must be finite and > 0"),
        ({"step_size": np.nan}, "step_size = nan; it must be finite and > 0"),
        ({"start": "corner"}, "start = 'corner' is unknown; the known ones are random, zero"),
        ({"keep": "first"}, "keep = 'first' is unknown; the known ones are last, best"),
        ({"start": "zero", "restarts": 3}, "restarts = 3 with start = 'zero' would repeat one run"),
        ({"seed": -1}, "seed = -1; it must be a whole number >= 0"),
        ({"seed": None}, "seed = None; it must be a whole number >= 0"),
    ],
)
def test_bad_options_are_refused_in_one_line(changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        PgdOptions(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0])
def test_pgd_is_refused_for_other_balls(p):
    with pytest.raises(ValueError, match=f"p = {p}; PGD has steps for p = 2 and p = inf"):
        pgd_attack(Problem(np.ones((1, 2)), np.ones(1), 0.6, p), (1.0, 2.0))


@pytest.mark.parametrize("tolerance", [-1e-9, np.nan, np.inf])
def test_a_tolerance_below_zero_or_not_finite_is_refused(tolerance):
    with pytest.raises(ValueError, match=f"tolerance = {tolerance}; it must be finite and >= 0"):
        pgd_gap(single_point("l2", (-1, 1), 1, 0.6), AXES, tolerance=tolerance)


def test_pgd_refuses_weights_that_are_not_finite_or_too_many():
    problem = single_point("l2", (-1, 1), 1, 0.6)
    with pytest.raises(ValueError, match="theta has entries that are not finite"):
        pgd_attack(problem, (1.0, np.nan))
    with pytest.raises(ValueError, match=r"theta has shape \(3,\); its last axis must have the 2 weights"):
        pgd_attack(problem, (1.0, 2.0, 3.0))
