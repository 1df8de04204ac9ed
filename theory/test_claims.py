"""`pytest theory/`: a test a claim, a corrected or sharpened reading, and a twin; node ids name them."""

from __future__ import annotations

import dataclasses

import pytest
import sympy as sp

from theory.deciders.facts import TEXT, Grade, Verdict, Witness
from theory.ledger.claim import Claim, Twin, decide, decide_twin, tightness_holds
from theory.statements import load


def changed(value: object) -> object | None:
    """A printed value one per cent off (an integer one off); None for what is no number: a flag, a name."""
    if isinstance(value, bool | str):
        return None
    if isinstance(value, int):
        return value + 1
    if isinstance(value, sp.MatrixBase):
        shift = sp.ones(*value.shape) if value.is_zero_matrix else sp.zeros(*value.shape)
        return sp.Rational(101, 100) * value + shift
    if isinstance(value, sp.Expr):
        return sp.Rational(101, 100) * value if value != 0 else sp.Rational(1, 100)
    return None


CLAIMS = load()
READINGS = [(c, name) for c in CLAIMS for name in ("corrected", "sharpest") if getattr(c, name) is not None]
PRINTED = [
    (c, name) for c in CLAIMS if not c.empirical for name in c.stated if changed(c.stated[name]) is not None
]
TWINS = [(c, twin) for c in CLAIMS for twin in c.twins]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_the_argument_gives_the_verdict_of_the_ledger(claim: Claim) -> None:
    assert_verdict(claim)


@pytest.mark.parametrize(("claim", "name"), READINGS, ids=lambda v: v.id if isinstance(v, Claim) else v)
def test_the_reading_the_ledger_puts_forward_holds(claim: Claim, name: str) -> None:
    assert_reading(claim, name)


@pytest.mark.parametrize(("claim", "twin"), TWINS, ids=lambda v: v.id if isinstance(v, Claim) else v.name)
def test_the_false_neighbour_is_refuted(claim: Claim, twin: Twin) -> None:
    assert_refuted(claim, twin)


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.tightness is not None], ids=lambda c: c.id)
def test_the_pair_said_to_attain_the_bound_attains_it(claim: Claim) -> None:
    assert tightness_holds(claim)


@pytest.mark.parametrize(("claim", "name"), PRINTED, ids=lambda v: v.id if isinstance(v, Claim) else v)
def test_one_per_cent_on_a_printed_number_turns_the_claim_red(claim: Claim, name: str) -> None:
    moved = dataclasses.replace(claim, stated={**claim.stated, name: changed(claim.stated[name])}, twins=())
    with pytest.raises(AssertionError):
        assert_claim_stands(moved)


@pytest.mark.parametrize("claim", [c for c in CLAIMS if not c.empirical], ids=lambda c: c.id)
def test_every_decided_claim_has_at_least_two_twins_a_grade_and_a_dimension(claim: Claim) -> None:
    assert len(claim.twins) >= 2
    assert decide(claim).grade is not Grade.NONE or claim.expected is Verdict.UNDECIDED
    dimension, method = decide(claim).dimension, decide(claim).printed.method
    assert dimension != (), "no dimension in which all its facts were checked"
    assert method is not None
    assert (dimension is None) == method.startswith(TEXT), "only what is read off the text has no dimension"


def assert_claim_stands(claim: Claim) -> None:
    """All that the ledger says of a claim: verdict, sides of the witness, readings, tight pair, twins."""
    assert_verdict(claim)
    for name in ("corrected", "sharpest"):
        if getattr(claim, name) is not None:
            assert_reading(claim, name)
    assert tightness_holds(claim)
    for twin in claim.twins:
        assert_refuted(claim, twin)


def assert_verdict(claim: Claim) -> None:
    """The computed verdict is the pinned one; a refuted statement has the pinned sides and a correction."""
    decision = decide(claim)
    lines = "\n".join(fact.line() for fact in decision.printed.facts)
    assert decision.verdict is claim.expected, (
        f"{claim.id}: {decision.verdict}, expected {claim.expected}\n{lines}"
    )
    if claim.expected in (Verdict.FALSE, Verdict.TYPO):
        witness = decision.printed.witness
        assert claim.corrected is not None
        assert same_numbers(witness, claim.sides), f"found {witness and witness.line()}, pinned {claim.sides}"


def assert_reading(claim: Claim, name: str) -> None:
    """The corrected or sharpened reading is established."""
    finding = getattr(decide(claim), name)
    assert finding.holds is True, "\n".join(fact.line() for fact in finding.facts)


def assert_refuted(claim: Claim, twin: Twin) -> None:
    """The twin is refuted, not merely undecided."""
    finding = decide_twin(claim, twin)
    assert finding.holds is False, "\n".join(fact.line() for fact in finding.facts)


def same_numbers(witness: Witness | None, sides: tuple[object, object] | None) -> bool:
    """Whether a witness has exactly the two pinned sides."""
    if witness is None or sides is None:
        return False
    pairs = zip((witness.left, witness.right), sides, strict=True)
    return all(sp.simplify(sp.sympify(found) - sp.sympify(pinned)) == 0 for found, pinned in pairs)
