"""Each rule that turns facts into a verdict, held against a case it must not pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sympy as sp

from theory.calculus.gibbs import X, line_integral
from theory.calculus.steps import average
from theory.commands import run
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import ALL, Fact, Finding, Grade, Verdict
from theory.deciders.reals import implies
from theory.ledger import rows as ledger
from theory.ledger.claim import Claim, Reading, Tightness, Twin, decide, decide_twin, tightness_holds
from theory.ledger.paper import open_paper
from theory.statements.sec2.eq4_descent import C, T, descent

ROOT = Path(__file__).resolve().parents[2]
A, B = sp.symbols("a b", real=True)
SMALL = sp.Symbol("x", positive=True)


def fact(holds: bool | None, dimension: object = ALL) -> Fact:
    grade = Grade.NONE if holds is None else Grade.PROVED
    return Fact("a step", holds, grade, "by hand", dimension)  # type: ignore[arg-type]


def premises_and_conclusion(step: Fact) -> tuple[list[Any], Any]:
    """What `implies` was asked."""
    assert step.question is not None
    premises, conclusion = step.question.parts
    return list(cast(Iterable[Any], premises)), conclusion


def symbols_of(parts: Iterable[Any]) -> dict[str, sp.Symbol]:
    return {str(symbol): symbol for part in parts for symbol in part.free_symbols}


def claim_of(*facts: Fact, **changes: object) -> Claim:
    def check(stated: object) -> Iterator[Fact]:
        yield from facts

    said = {
        "id": "a",
        "location": "",
        "kind": "prose",
        "title": "",
        "statement": "",
        "expected": Verdict.TRUE,
    }
    return Claim(**{**said, "check": check, **changes})  # type: ignore[arg-type]


def test_a_limit_that_sympy_cannot_compare_with_the_value_is_undecided() -> None:
    f = sp.Function("f", real=True)
    asked = limit("", f(A) + SMALL, SMALL, 0, f(B))
    assert (asked.holds, asked.grade, asked.witness) == (None, Grade.NONE, None)


def test_a_limit_in_symbols_is_refuted_only_by_values_of_the_symbols_that_tell_it_from_the_value() -> None:
    assert limit("", A + SMALL, SMALL, 0, A).holds is True
    assert limit("", A * (A + 1) + SMALL, SMALL, 0, A**2 + A).holds is True
    assert limit("", A + SMALL, SMALL, 0, 2 * A).holds is False


@pytest.mark.parametrize(
    ("grows", "value", "holds"),
    [
        (1 / SMALL, sp.oo, True),
        (1 / SMALL, -sp.oo, False),
        (1 / SMALL, A, False),
        (SMALL, sp.oo, False),
        (sp.sin(1 / SMALL), sp.Integer(0), None),
    ],
    ids=str,
)
def test_infinite_and_oscillating_limits_are_told_from_finite_ones(
    grows: sp.Expr, value: sp.Expr, holds: bool | None
) -> None:
    assert limit("", grows, SMALL, 0, value).holds is holds


@pytest.mark.parametrize(
    ("holds", "verdict"),
    [
        ((True, True), Verdict.TRUE),
        ((True, None), Verdict.UNDECIDED),
        ((None,), Verdict.UNDECIDED),
        ((), Verdict.UNDECIDED),
        ((None, False), Verdict.FALSE),
        ((True, False), Verdict.FALSE),
    ],
    ids=str,
)
def test_only_facts_that_all_hold_make_a_statement_true(
    holds: tuple[bool | None, ...], verdict: Verdict
) -> None:
    decision = decide(claim_of(*map(fact, holds)))
    assert decision.verdict is verdict
    assert (decision.grade is Grade.NONE) == (verdict is Verdict.UNDECIDED)
    assert (decision.dimension is None) == (verdict is Verdict.UNDECIDED)


def test_an_experimental_statement_can_be_refuted_and_never_established() -> None:
    assert decide(claim_of(fact(True), empirical=True)).verdict is Verdict.EMPIRICAL
    assert decide(claim_of(fact(True), empirical=True)).grade is Grade.NONE
    assert decide(claim_of(fact(False), empirical=True)).verdict is Verdict.FALSE


def test_a_finding_holds_in_the_dimensions_that_all_its_facts_share() -> None:
    assert Finding.of([fact(True, (1, 2)), fact(True, (2, 3)), fact(True)]).dimension == (2,)
    assert Finding.of([fact(True, (1,)), fact(True, (2,))]).dimension == ()


def test_the_grade_of_a_finding_is_that_of_its_weakest_fact() -> None:
    certified = replace(fact(True), grade=Grade.CERTIFIED)
    assert Finding.of([fact(True), certified]).grade is Grade.CERTIFIED
    assert Finding.of([certified, fact(True).as_example()]).grade is Grade.CERTIFIED
    assert Finding.of([fact(True), certified.as_example()]).grade is Grade.PROVED


@pytest.mark.parametrize(("reached", "holds"), [(99, False), (100, True), (101, False)])
def test_a_pair_is_tight_only_where_it_meets_the_bound_exactly(reached: int, holds: bool) -> None:
    tight = Tightness("a pair", sp.Rational(reached, 100) * SMALL, SMALL)
    assert tightness_holds(claim_of(fact(True), tightness=tight)) is holds


@pytest.mark.parametrize(
    "exponent", [X**2, sp.Integer(0) * X, X, -(X**3), -(X**4), A * X**2, -(X**2) * sp.Symbol("k")], ids=str
)
def test_a_gaussian_integral_that_diverges_or_may_is_refused(exponent: sp.Expr) -> None:
    with pytest.raises(ValueError, match="exponent_of_x"):
        line_integral(sp.Integer(1), exponent)


def test_a_conclusion_that_asks_nothing_proves_nothing() -> None:
    assert implies("", [sp.Le(A, B)], sp.Le(A, B)).holds is None
    assert implies("", [sp.Le(A, B)], sp.true).holds is None
    assert implies("", [sp.Le(A, B), sp.Le(B, 1)], sp.Le(A, 1)).holds is True


def test_the_induction_step_of_a_mean_starts_from_k_terms_and_ends_with_all_of_k_plus_one() -> None:
    """k terms of length B each, and one more: premises and conclusion must all be equalities there."""
    premises, conclusion = premises_and_conclusion(average(""))
    names = symbols_of([*premises, conclusion])
    k, bound = 5, 7
    values = {"k": k, "B": bound, "|S_k|": k * bound, "|a|": bound, "|S_k+a|": (k + 1) * bound}
    at = {names[name]: value for name, value in values.items()}
    for part in (*premises, conclusion):
        assert part.lhs.subs(at) == part.rhs.subs(at), part


@pytest.mark.parametrize("share", [sp.Rational(1, 2), sp.Rational(3, 2), sp.Rational(199, 100)])
def test_the_descent_lemma_asks_of_the_step_only_what_it_says(share: sp.Rational) -> None:
    """Every premise holds for L = C_s theta^2/2, theta = 1 and the step t = share/C_s, up to 2/C_s."""
    facts = descent(SimpleNamespace(bound=C * sp.Symbol("D", positive=True), limit=2 / C))
    premises, conclusion = premises_and_conclusion(next(f for f in facts if "first point" in f.says))
    names = symbols_of([*premises, conclusion])
    moved = 1 - share
    values = {"L(theta)": 1, "L(theta-tg)": moved**2, "L(theta^0)": 1, "C_s": 2, "t": share / 2, "|g|^2": 4}
    at = {names[name]: value for name, value in values.items()}
    assert all(part.subs(at) == sp.true for part in (*premises, conclusion))
    assert sp.Lt(T, 2 / C) in premises


def test_a_step_names_by_number_the_earlier_steps_it_uses_and_no_other() -> None:
    first, second, last = (replace(fact(True), says=says) for says in ("A holds", "B holds", "so C"))
    assert Finding.of([first, second, last.using("A", "B h")]).lines()[2].endswith("[uses steps 1, 2]")
    assert Finding.of([first, last.using("A")]).lines()[1].endswith("[uses step 1]")
    assert "uses" not in Finding.of([first, last]).lines()[1]
    for wrong in ([last.using("A"), first], [first, last.using("D")]):
        with pytest.raises(ValueError, match="which no earlier step says"):
            Finding.of(wrong).lines()


def test_a_twin_is_of_the_right_statement_or_of_the_sharpened_one() -> None:
    def check(stated: SimpleNamespace) -> Iterator[Fact]:
        yield compare("", stated.size, "==", sp.Integer(stated.right))

    sharp = Reading(statement="", stated={"size": sp.Integer(2), "right": 2})
    claim = claim_of(check=check, stated={"size": sp.Integer(1), "right": 1}, sharpest=sharp)
    assert decide_twin(claim, Twin("", {"size": sp.Integer(2)})).holds is False
    assert decide_twin(claim, Twin("", {"size": sp.Integer(2)}, of="sharpest")).holds is True
    with pytest.raises(ValueError, match="there is none"):
        decide_twin(replace(claim, sharpest=None), Twin("no", {}, of="sharpest"))
    with pytest.raises(ValueError, match="must be 'right' or 'sharpest'"):
        Twin("no", {}, of="sharper")


def test_every_sharpened_statement_has_a_false_neighbour_of_its_own() -> None:
    claims = [claim for claim in open_paper().claims if claim.sharpest is not None]
    assert claims
    assert [c.id for c in claims if not any(twin.of == "sharpest" for twin in c.twins)] == []


def test_a_group_names_a_defect_that_several_wrong_statements_share_and_counts_once() -> None:
    claims = open_paper().claims
    wrong = (Verdict.FALSE, Verdict.TYPO)
    groups = Counter(claim.group for claim in claims if claim.group)
    assert groups
    assert [name for name, count in groups.items() if count < 2] == []
    assert [claim.id for claim in claims if claim.group and claim.expected not in wrong] == []
    false = ledger.row(claim_of(compare("", sp.Integer(1), "==", sp.Integer(2)), expected=Verdict.FALSE))
    assert ledger.defects([replace(false, id=name) for name in "abc"]) == 3
    assert ledger.defects([replace(false, id=name, group="one") for name in "abc"]) == 1
    assert ledger.defects([replace(false, kind="reading")]) == 0


def test_the_readme_counts_what_the_committed_ledger_counts() -> None:
    rows = json.loads((ROOT / "results" / "theory.json").read_text(encoding="utf-8"))
    false = [row for row in rows if row["verdict"] == "false" and row["kind"] != "reading"]
    distinct = {row["group"] or row["id"] for row in false}
    said = f"{len(false)} statements fail as printed, with {len(distinct)} distinct defects"
    assert said in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def test_show_ends_with_1_where_a_step_in_coordinates_or_a_twin_contradicts_the_ledger(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lemma = ledger.find("lemma2")
    wrong = replace(
        lemma,
        coordinates=lambda d: [identity("step 1: the sign", A, -A, dimension=(d,))],
        twins=(Twin("the lemma itself", {}),),
    )
    monkeypatch.setattr(ledger, "find", lambda *_: wrong)
    assert run(["show", "lemma2", "--dim", "2"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "theory: lemma2: step 1 in 2 coordinates does not hold: step 1: the sign",
        "theory: lemma2: the twin 'the lemma itself' is not refuted",
    ]
    monkeypatch.setattr(ledger, "find", lambda *_: lemma)
    assert run(["show", "lemma2", "--dim", "2"]) == 0
