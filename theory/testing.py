"""`pytest FOLDER` for a paper: what must hold of each claim, its readings and its twins, as a plugin for a conftest.

    from theory.testing import pytest_collect_file  # noqa: F401

in a `conftest.py` beside `paper.py` is all a folder needs. The tests of one claim follow each other, so that a
claim is decided once in whichever process runs them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from theory.certificates.record import described
from theory.certificates.store import COMMAND, differences, read_store
from theory.deciders.facts import TEXT, Grade, Verdict, Witness
from theory.ledger.claim import Claim, Twin, decide, decide_twin, tightness_holds
from theory.ledger.paper import DEFAULT, DESCRIPTION, TWINS, open_paper

Test = tuple[str, Callable[[], None]]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> PaperFile | None:
    """Collects `paper.py` as the tests of the paper's claims."""
    return PaperFile.from_parent(parent, path=file_path) if file_path.name == DESCRIPTION else None


class PaperFile(pytest.File):
    """The tests of every claim of a paper, in its order."""

    def collect(self) -> Iterator[ClaimTest]:
        try:
            claims = open_paper(self.path.parent).claims
        except ValueError as error:
            raise self.CollectError(str(error)) from error
        for claim in claims:
            for name, check in tests_of(claim):
                yield ClaimTest.from_parent(self, name=f"{claim.id}: {name}", check=check)
            if self.path.parent == DEFAULT:
                stored = partial(assert_stored, claim)
                yield ClaimTest.from_parent(
                    self, name=f"{claim.id}: its facts are the stored ones", check=stored
                )


class ClaimTest(pytest.Item):
    """One test of one claim."""

    def __init__(self, *, check: Callable[[], None], **options: Any) -> None:
        super().__init__(**options)
        self.check = check

    def runtest(self) -> None:
        """Runs the test."""
        self.check()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What went wrong in the claim's own words; a traceback for an error in its check."""
        if isinstance(excinfo.value, AssertionError):
            return f"{self.name}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def _traceback_filter(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:
        """From the check of the claim on: what pytest and this file do around it is of no use to its author."""
        kept = excinfo.traceback.filter(
            lambda entry: "_pytest" not in str(entry.path) and "pluggy" not in str(entry.path)
        )
        return kept or excinfo.traceback

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test belongs: the paper's folder."""
        return self.path, None, self.name


def tests_of(claim: Claim) -> Iterator[Test]:
    """Name and function of each test of a claim."""
    yield "the argument gives the verdict of the ledger", partial(assert_verdict, claim)
    for name in ("corrected", "sharpest"):
        if getattr(claim, name) is not None:
            yield f"the {name} reading holds", partial(assert_reading, claim, name)
    if claim.tightness is not None:
        yield "the pair said to attain the bound attains it", partial(assert_tight, claim)
    for twin in claim.twins:
        yield f"the false neighbour is refuted: {twin.name}", partial(assert_refuted, claim, twin)
    if claim.empirical:
        return
    yield "it is decided, in a dimension, against two false neighbours", partial(assert_decided, claim)
    for name, value in claim.stated.items():
        if changed(value) is not None:
            yield f"one per cent on {name} turns it red", partial(assert_red, claim, name)


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


def assert_stored(claim: Claim) -> None:
    """The claim's facts, premises, conclusions and answers are those of the stored list, reviewed by diff."""
    lines = list(differences({claim.id: described(claim)}, stored_claims()))
    assert not lines, "\n".join([*lines, f"if this is meant, `{COMMAND}` writes the list anew"])


stored_claims = cache(read_store)


def same_numbers(witness: Witness | None, sides: tuple[object, object] | None) -> bool:
    """Whether a witness has exactly the two pinned sides."""
    if witness is None or sides is None:
        return False
    pairs = zip((witness.left, witness.right), sides, strict=True)
    return all(sp.simplify(sp.sympify(found) - sp.sympify(pinned)) == 0 for found, pinned in pairs)


def assert_tight(claim: Claim) -> None:
    """The pair given for a tight bound attains it."""
    assert tightness_holds(claim), f"{claim.tightness} does not attain the bound"


def assert_decided(claim: Claim) -> None:
    """A claim that is no experiment has two twins, a grade unless undecided, and a dimension unless about the text."""
    assert len(claim.twins) >= TWINS, f"{len(claim.twins)} twins, at least {TWINS} are needed"
    decision = decide(claim)
    assert decision.grade is not Grade.NONE or claim.expected is Verdict.UNDECIDED, "decided without a grade"
    assert decision.dimension != (), "no dimension in which all its facts were checked"
    method = decision.printed.method
    assert method is not None, "its check yields no fact"
    about_the_text = method.startswith(TEXT)
    assert (decision.dimension is None) == about_the_text, "only what is read off the text has no dimension"


def assert_red(claim: Claim, name: str) -> None:
    """The claim falls when one printed number is one per cent off."""
    moved = dataclasses.replace(claim, stated={**claim.stated, name: changed(claim.stated[name])}, twins=())
    with pytest.raises(AssertionError):
        assert_claim_stands(moved)
