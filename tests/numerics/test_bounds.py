"""Holds `results/bounds.md` to replays, to independent constants, to the ledger's verdicts and to false twins."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from numerics.autodiff import double_precision, jax_loss
from numerics.bounds import add_arguments, cases, compute, decide, from_theory, run, write
from numerics.bounds.case import CONSTANT, NOTHING, Case
from numerics.bounds.entropy import line_gradient, line_value
from numerics.bounds.fixtures import five_points, mixed_constant
from numerics.bounds.linf_attacks import orthant_constant
from numerics.bounds.maps import ball_attack, sphere_constants
from numerics.bounds.report import as_json, markdown
from numerics.falsifier import Worst
from numerics.problem import Problem
from support.options import CommandParser
from theory.calculus.derivatives import bordered_hessian
from theory.deciders.facts import Verdict
from theory.ledger.rows import find

RESULTS = Path(__file__).resolve().parents[2] / "results"
COMMITTED = json.loads((RESULTS / "bounds.json").read_text(encoding="utf-8"))
CASES = {case.id: case for case in cases()}
# The paper's statements that a pair refutes, or that deny a constant there is.
VIOLATED = {
    "prop1.eq9.p3",
    "prop1.eq9.pinf",
    "prop1.eq9.logistic",
    "prop1.inference",
    "lemma2.off-the-origin",
    "theorem1.off-the-origin",
    "lemma3.away.d1",
    "lemma3.away.d3",
    "theorem2.two-epsilon",
    "theorem2.away",
    "lemma5.no-complementarity",
    "eq11.smaller-constant",
}
# Our constants that the search does not reach; all others it does.
NOT_REACHED = {
    "prop1.eq8.data",
    "prop1.eq9.logistic",
    "theorem1.fig2",
    "theorem1.any-point",
    "theorem1.level-set",
    "theorem3.l2.gamma1",
    "theorem3.linf.gamma1",
    "theorem3.linf.gamma10",
    "theorem3.data.gamma1",
    "eq11.smaller-constant",
    "entropy.lipschitz",
    "entropy.convex-lipschitz",
}


def test_the_committed_table_covers_every_statement_and_renders_to_the_committed_page() -> None:
    assert [row["id"] for row in COMMITTED] == list(CASES)
    assert (RESULTS / "bounds.md").read_text(encoding="utf-8") == markdown(COMMITTED)
    statements = {row["statement"].partition(",")[0] for row in COMMITTED}
    paper = {
        "Assumption 1",
        "Proposition 1",
        *(f"Lemma {n}" for n in range(1, 6)),
        *(f"Theorem {n}" for n in (1, 2, 3)),
    }
    assert paper <= statements
    assert all(row["ours_holds"] for row in COMMITTED)


def test_the_violations_are_the_known_ones_and_false_in_the_ledger() -> None:
    failed = {row["id"] for row in COMMITTED if row["paper_verdict"] not in (None, "holds")}
    assert failed == VIOLATED
    for name in VIOLATED:
        assert find(CASES[name].claim).expected is Verdict.FALSE


def test_our_constants_are_reached_everywhere_but_where_the_table_says_so() -> None:
    assert {row["id"] for row in COMMITTED if not row["attained"]} == NOT_REACHED


REPLAYED = [row for row in COMMITTED if CASES[row["id"]].mapping and row["kind"] != "unbounded"]


@pytest.mark.parametrize("row", REPLAYED, ids=lambda row: row["id"])
def test_a_committed_pair_replays(row: dict) -> None:
    """The map at the printed pair, without the falsifier; a limit by central differences."""
    case = CASES[row["id"]]
    mapping = case.mapping
    assert mapping is not None
    assert case.admissible is not None
    a, b, v, context = (np.array(row[key]) for key in ("a", "b", "direction", "context"))
    if row["kind"] == "limit":
        step = 1e-4 * v
        if not case.admissible.contains(np.stack([a - step, a + step])).all():
            # At an edge of the set the difference is taken a little towards its middle.
            inwards = case.admissible.sample(np.random.default_rng(0), 200).mean(axis=0) - a
            a = a + 4e-4 * inwards / max(np.linalg.norm(inwards), 1e-9)
        a, b = a + step, a - step
    extra = (context,) if case.context else ()
    with double_precision():
        image = np.asarray(jax.jit(jax.vmap(lambda point: mapping(point, *extra)))(np.stack([a, b])))
        unit = float(case.ours(a, b, *extra)) if callable(case.ours) else 1.0
    ratio = np.linalg.norm(image[0] - image[1]) / np.linalg.norm(a - b) / unit
    assert ratio == pytest.approx(
        row["ratio"], rel=2e-3, abs=1e-12
    )  # coordinates are printed to six decimals


@pytest.mark.parametrize(
    "name",
    [
        "lemma2.d2",
        "lemma3.across-an-axis",
        "lemma5.no-complementarity",
        "theorem2.data",
        "theorem3.l2.gamma1",
    ],
)
def test_a_fresh_search_agrees_with_the_committed_table(name: str) -> None:
    committed = next(row for row in COMMITTED if row["id"] == name)
    row = compute(names=[name])[0]
    assert row.worst.kind == committed["kind"]
    if committed["ratio"] is not None:
        assert row.ratio == pytest.approx(committed["ratio"], rel=1e-5)
    assert row.violated == (name in VIOLATED)


@pytest.mark.parametrize("name", ["assumption1.c-theta-theta", "lemma2.d1", "lemma3.flips", "active-set"])
def test_a_constant_one_per_cent_smaller_is_exceeded(name: str) -> None:
    case = CASES[name]
    ours = case.ours
    smaller = (lambda *pair: 0.99 * ours(*pair)) if callable(ours) else 0.99 * ours
    row = decide(replace(case, ours=smaller, says=CONSTANT, paper=smaller))
    assert not row.ours_holds
    assert row.violated
    assert row.tightness == pytest.approx(1 / 0.99, rel=1e-6)


def test_a_row_tells_what_was_asked_of_it() -> None:
    """The verdicts of made-up searches: exceeded, unbounded, and 0 against 0."""
    point = np.zeros(1)

    def outcome(kind: str, ratio: float, **case: object):
        worst = Worst(kind, ratio, ratio, 0.0, point, point, point, point, 0)
        words = {"id": "x", "statement": "", "claim": "", "what": "", "where": "", "sharp": "", **case}
        return decide(Case(search=lambda: worst, **words))  # type: ignore[arg-type]

    assert outcome("pair", 2.0, ours=2.0, paper=1.9).violated
    assert not outcome("pair", 2.0, ours=2.0, paper=2.0).violated
    assert outcome("pair", 2.0, ours=2.0).attained
    assert not outcome("pair", 1.9, ours=2.0).attained
    assert outcome("unbounded", 1e9, ours=math.inf, says="some constant").violated
    assert outcome("pair", 1.0, ours=1.0, says="no constant").violated
    assert not outcome("unbounded", 1e9, ours=math.inf, says="no constant").violated
    assert not outcome("unbounded", 1e9, ours=5.0, says=NOTHING).ours_holds
    assert outcome("pair", 0.0, ours=0.0, paper=0.0).tightness == 1
    with pytest.raises(ValueError, match="no search"):
        decide(Case(id="x", statement="", claim="", what="", where="", sharp="", ours=1.0))


def test_mixed_constant_agrees_with_the_norms_of_mixed_derivatives() -> None:
    assert mixed_constant(1.0) == pytest.approx(from_theory("beyond.c-theta-x-values", "at_one"), rel=1e-9)
    assert from_theory("beyond.c-theta-x-values", "below") < mixed_constant(4.0)
    assert mixed_constant(4.0) < from_theory("beyond.c-theta-x-values", "above")
    reach, largest = 3.0, 0.0
    for angle in np.linspace(
        0, np.pi, 2001
    ):  # x = e_1 and theta = reach (cos, sin): every angle and the largest product
        theta = reach * np.array([np.cos(angle), np.sin(angle)])
        s = 1 / (1 + np.exp(-theta[0]))
        matrix = (1 - s) * (np.eye(2) - s * np.outer([1, 0], theta))
        largest = max(largest, float(np.linalg.norm(matrix, 2)))
    assert mixed_constant(reach) == pytest.approx(largest, rel=1e-5)


def test_the_orthant_constant_agrees_with_sampled_hessians() -> None:
    problem, signs = five_points(), np.array([1.0, 1.0, -1.0])
    sizes = np.abs(np.random.default_rng(0).standard_normal((200, 3))) * np.logspace(-9, 0.5, 200)[:, None]
    with double_precision():
        hessians = np.asarray(jax.jit(jax.vmap(jax.hessian(jax_loss(problem))))(jnp.asarray(signs * sizes)))
    norms = np.linalg.norm(hessians, 2, axis=(1, 2))
    assert norms.max() <= orthant_constant(problem, signs) * (1 + 1e-12)
    assert norms.max() == pytest.approx(orthant_constant(problem, signs), rel=1e-6)
    assert orthant_constant(
        Problem(np.array([[-1.0, 1.0]]), np.ones(1), 0.6), np.array([1, -1])
    ) == pytest.approx(1.28)


@pytest.mark.parametrize("bend", [(0.5, 1.0), (1.0, -1.0), (0.0, 0.0), (-0.3, -2.0)])
def test_the_attack_on_a_quadratic_loss_beats_every_point_of_a_grid(bend: tuple[float, float]) -> None:
    bends, radius = np.array(bend), 1.3
    r, angle = np.meshgrid(radius * np.linspace(0, 1, 201), np.linspace(0, 2 * np.pi, 2001))
    disc = np.stack([r * np.cos(angle), r * np.sin(angle)], axis=-1)
    attack = jax.jit(lambda slope: ball_attack(slope, bends, radius))
    for slope in np.array([[0.2, -0.4], [3.0, 1.0], [-0.9, 0.7]]):
        loss = disc @ slope - (bends * disc**2).sum(axis=-1) / 2
        with double_precision():
            x = np.asarray(attack(slope))
        assert np.linalg.norm(x) <= radius * (1 + 1e-12)
        best = slope @ x - (bends * x**2).sum() / 2
        assert 0 <= best - loss.max() + 1e-12 < 1e-4
        assert x == pytest.approx(disc.reshape(-1, 2)[loss.argmax()], abs=0.02)


def test_the_constants_on_the_sphere_agree_with_the_bordered_hessian_of_theory() -> None:
    import sympy as sp

    slope, bend = np.array([3.0, 1.0, 2.0]), np.array([0.5, 2.0, -0.3])
    tangent, bordered = sphere_constants(slope, bend)

    def attack(theta):
        return ball_attack(theta, bend, 1.0)

    with double_precision():
        x, jacobian = (np.asarray(jax.jit(face)(slope)) for face in (attack, jax.jacobian(attack)))
    assert tangent == pytest.approx(np.linalg.norm(jacobian, 2), rel=1e-10)
    names = sp.symbols("x1:4", real=True)
    loss = sum(s * n - b * n**2 / 2 for s, b, n in zip(slope, bend, names, strict=True))
    mu = float(np.linalg.norm(slope - bend * x))
    K = np.array(bordered_hessian(loss, names, [0, 0, 0], mu, at=dict(zip(names, x, strict=True)))).astype(
        float
    )
    assert bordered == pytest.approx(1 / np.linalg.svd(K)[1][-1], rel=1e-9)


def test_the_line_integrals_agree_with_adaptive_quadrature() -> None:
    theta, gamma = 0.8, 2.0

    def weight(t: float) -> float:
        return math.exp(-2 * abs(t) - gamma / 2 * (theta - t) ** 2)

    mass, mean = (quad(f, -9, 9, points=[0], epsabs=1e-13)[0] for f in (weight, lambda t: t * weight(t)))

    def loss(t):
        return 2 * jnp.abs(t)

    with double_precision():
        value, slope = (jax.jit(face(loss, gamma))(np.array([theta])) for face in (line_value, line_gradient))
    assert float(value) == pytest.approx(-math.log(mass), abs=1e-12)
    assert float(slope[0]) == pytest.approx(gamma * (theta - mean / mass), abs=1e-12)


def test_the_loss_that_entropysgd_sharpens_has_the_constant_3() -> None:
    with double_precision():
        bend = jax.jit(jax.vmap(jax.grad(jax.grad(lambda t: t**2 / 2 - jnp.log(1 + 2 * t**2 + 2 * t**4)))))
        sizes = np.abs(np.asarray(bend(jnp.linspace(-30, 30, 60001))))
    assert sizes.max() == pytest.approx(CASES["eq11.smaller-constant"].paper, rel=1e-12)


def test_the_constant_of_one_weight_agrees_with_a_scalar_search() -> None:
    def slope(u: float) -> float:  # of u sigmoid(u)
        s = 1 / (1 + math.exp(-u))
        return s + u * s * (1 - s)

    best = minimize_scalar(lambda u: -slope(u), bounds=(0, 10), method="bounded", options={"xatol": 1e-10})
    assert CASES["assumption1.c-theta-x-line"].ours == pytest.approx(-best.fun, rel=1e-12)


def test_an_expression_of_the_ledger_needs_exactly_its_symbols() -> None:
    assert from_theory("lemma2", epsilon=0.6, theta_min=0.5) == pytest.approx(1.2)
    with pytest.raises(ValueError, match="needs the values of epsilon, theta_min, given are epsilon"):
        from_theory("lemma2", epsilon=0.6)
    with pytest.raises(ValueError, match="no entry 'slope'"):
        from_theory("lemma2", "slope", epsilon=0.6)
    with pytest.raises(ValueError, match="no entry 'constant' in its reading 'corrected'"):
        from_theory("lemma2", "constant", "corrected", epsilon=0.6, theta_min=0.5)
    with pytest.raises(ValueError, match="unknown"):
        from_theory("lemma22")


def test_writing_is_whole_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    rows = compute(lambda *step: told.append(step), names=["lemma3.away.d1", "active-set"])
    assert told == [(0, 2, "lemma3.away.d1"), (1, 2, "active-set"), (2, 2, "")]
    page, data = write(rows, tmp_path / "new")
    table = json.loads(data.read_text(encoding="utf-8"))
    assert [row["id"] for row in table] == ["lemma3.away.d1", "active-set"]
    assert as_json(table) == data.read_text(encoding="utf-8")
    assert markdown(table) == page.read_text(encoding="utf-8")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["bounds.json", "bounds.md"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="must be a folder"):
        write(rows, tmp_path / "file")


def test_bad_input_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bound lemma6 is unknown; the known ones are assumption1"):
        compute(names=["lemma6"])
    with pytest.raises(ValueError, match="seed = -1"):
        compute(seed=-1)
    parser = CommandParser(prog="bounds")
    add_arguments(parser)
    for arguments in (["--seed", "x"], ["--fast"], ["--out"]):
        with pytest.raises(SystemExit) as stopped:
            parser.parse_args(arguments)
        assert stopped.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(ValueError, match="must be a folder"):
        run(parser.parse_args(["--out", str(Path(__file__))]))
    parsed = parser.parse_args(["--seed", "-1", "--out", str(tmp_path / "none")])
    assert isinstance(parsed, argparse.Namespace)
    with pytest.raises(ValueError, match="seed = -1"):
        parsed.run(parsed)
    assert not (tmp_path / "none").exists()
