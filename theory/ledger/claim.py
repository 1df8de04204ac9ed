"""The unit of the ledger: a Claim is one statement of the paper (or a sharpened one) with the argument that
decides it.

A claim holds what the paper prints as data (`stated`) and one function, `check`, that derives the same thing
on its own and compares. The same function then decides the printed statement, its corrected form and every
false twin, so that a verdict is computed, never declared; `expected` only pins it, and a test compares the
two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from traceback import extract_tb
from types import SimpleNamespace

import sympy as sp

from theory.deciders.facts import Dimension, Fact, Finding, Grade, Verdict

Check = Callable[[SimpleNamespace], Iterable[Fact]]
KINDS = (
    "definition",
    "assumption",
    "equation",
    "proposition",
    "lemma",
    "theorem",
    "proof step",
    "algorithm",
    "prose",
    "reading",  # one reading of an ambiguous sentence; a false one is no error of the paper
    "beyond",  # not in the paper
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Another reading of a claim, corrected or sharpened, decided by the claim's own check or by one of its
    own.

    `stated` replaces entries of the claim's printed data; `check` replaces its argument.
    """

    statement: str
    latex: str = ""
    stated: Mapping[str, object] = field(default_factory=dict)
    check: Check | None = None


@dataclass(frozen=True)
class Twin:
    """A false neighbour of the right statement (the corrected one where there is one), or, with
    `of="sharpest"`, of the sharpened one: it must come out refuted."""

    name: str
    change: Mapping[str, object]
    of: str = "right"

    def __post_init__(self) -> None:
        if self.of not in ("right", "sharpest"):
            raise ValueError(f"of = {self.of!r} of twin {self.name!r} must be 'right' or 'sharpest'")


@dataclass(frozen=True)
class Tightness:
    """Where a bound is attained: `pair` in words with exact numbers, and the two sides, equal there."""

    pair: str
    attained: sp.Expr
    bound: sp.Expr


@dataclass(frozen=True, kw_only=True, eq=False)
class Claim:
    """One statement, where it stands, what it assumes, what is printed, and the argument that decides it.

    `quote` is the paper's own words, verbatim, or empty; `statement` is what they are read as: precise and quantified;
    `empirical` marks a statement about experiments, which facts can refute but not establish;
    `slip` marks a false print whose intended form is plain (verdict typo instead of false); `sides` pins both
    sides of the printed statement's witness, so that the refutation a reader replays is exactly the one the
    machine found;
    `group` names the defect that several false statements share, so that it is counted once;
    `cites` names theorems of the literature that the argument uses without proving them;
    `coordinates(d)` writes the derivation out in d coordinates for `show --dim d`.
    """

    id: str
    location: str
    kind: str
    title: str
    statement: str
    expected: Verdict
    check: Check = lambda stated: ()
    empirical: bool = False
    equations: tuple[int, ...] = ()
    latex: str = ""
    assumptions: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    stated: Mapping[str, object] = field(default_factory=dict)
    slip: bool = False
    group: str = ""
    sides: tuple[object, object] | None = None
    corrected: Reading | None = None
    sharpest: Reading | None = None
    tightness: Tightness | None = None
    twins: tuple[Twin, ...] = ()
    remark: str = ""
    quote: str = ""
    coordinates: Callable[[int], Iterable[Fact]] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind = {self.kind!r} of claim {self.id!r} must be one of {', '.join(KINDS)}")


class Decision:
    """A claim decided: findings for its printed, corrected and sharpened readings, and the verdict.

    Each finding is made when it is first asked for.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim

    @cached_property
    def printed(self) -> Finding:
        """What the argument makes of the statement as printed."""
        return _find(self.claim, None)

    @cached_property
    def corrected(self) -> Finding | None:
        """What it makes of the corrected statement, None where there is none."""
        return _find(self.claim, self.claim.corrected) if self.claim.corrected else None

    @cached_property
    def sharpest(self) -> Finding | None:
        """What it makes of the sharpened statement, None where there is none."""
        return _find(self.claim, self.claim.sharpest) if self.claim.sharpest else None

    @property
    def verdict(self) -> Verdict:
        """Follows from the facts; `empirical`, `slip` and the kind only name the sort of truth or error."""
        if self.claim.empirical and self.printed.holds is not False:
            return Verdict.EMPIRICAL
        if self.printed.holds is None:
            return Verdict.UNDECIDED
        if self.printed.holds is False:
            return Verdict.TYPO if self.claim.slip else Verdict.FALSE
        if self.claim.kind in ("definition", "assumption"):
            return Verdict.DEFINITION
        return Verdict.TRUE

    @property
    def grade(self) -> Grade:
        """The grade of the printed statement's finding; none for an empirical statement."""
        return Grade.NONE if self.verdict is Verdict.EMPIRICAL else self.printed.grade

    @property
    def dimension(self) -> Dimension:
        """The dimensions of the printed statement's finding; None where it has none or nothing is known."""
        return None if self.grade is Grade.NONE else self.printed.dimension


@cache
def decide(claim: Claim) -> Decision:
    """The decision on a claim, the same object throughout a process."""
    return Decision(claim)


def right_reading(claim: Claim) -> tuple[Check, dict[str, object]]:
    """The check and the data of what the ledger stands behind: the corrected statement, else the printed."""
    return _reading(claim, claim.corrected)


def decide_twin(claim: Claim, twin: Twin) -> Finding:
    """Runs the argument on a twin: the statement it neighbours with some of its data replaced.

    Raises ValueError when the twin changes a name that the statement does not have, or neighbours a sharpened
    statement where there is none.
    """
    if twin.of == "sharpest" and claim.sharpest is None:
        raise ValueError(f"twin {twin.name!r} of {claim.id!r} is of a sharpened statement, and there is none")
    check, stated = right_reading(claim) if twin.of == "right" else _reading(claim, claim.sharpest)
    unknown = sorted(set(twin.change) - set(stated))
    if unknown:
        raise ValueError(
            f"twin {twin.name!r} of {claim.id!r} changes {', '.join(unknown)}, which it does not have; "
            f"it has {', '.join(sorted(stated)) or 'no data'}"
        )
    return Finding.of(_until_refuted(check(SimpleNamespace(**{**stated, **twin.change}))))


def tightness_holds(claim: Claim) -> bool:
    """Whether the pair given for a tight bound attains it exactly (True for a claim that gives none)."""
    return claim.tightness is None or sp.simplify(claim.tightness.attained - claim.tightness.bound) == 0


def _until_refuted(facts: Iterable[Fact]) -> Iterable[Fact]:
    """The facts up to the first refuted one: it settles a twin, and the rest would only cost time."""
    for fact in facts:
        yield fact
        if fact.holds is False:
            return


def _find(claim: Claim, reading: Reading | None) -> Finding:
    check, stated = _reading(claim, reading)
    try:
        return Finding.of(check(SimpleNamespace(**stated)))
    except (ValueError, OSError, MemoryError):
        raise
    except Exception as error:
        steps = extract_tb(error.__traceback__)
        own = getattr(getattr(check, "__code__", None), "co_filename", "")
        step = [step for step in steps if step.filename == own or not own][-1]
        raise ValueError(
            f"check of claim {claim.id!r} fails at {step.filename}, line {step.lineno}: "
            f"{type(error).__name__}: {error}: mend it"
        ) from error


def _reading(claim: Claim, reading: Reading | None) -> tuple[Check, dict[str, object]]:
    if reading is None:
        return claim.check, dict(claim.stated)
    return reading.check or claim.check, {**claim.stated, **reading.stated}
