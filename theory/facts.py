"""What every verdict of the ledger is made of: a Fact (one checked assertion, its grade, its dimension) and
how facts combine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import sympy as sp

ALL = "all"
Dimension = str | tuple[int, ...]


class Verdict(StrEnum):
    """What the ledger says of a statement as printed."""

    TRUE = "true"
    FALSE = "false"
    TYPO = "typo"
    DEFINITION = "definition"
    EMPIRICAL = "empirical"
    UNDECIDED = "undecided"


class Grade(StrEnum):
    """How a verdict is known, strongest first: an exact argument, ball arithmetic on a named box, n samples,
    not at all."""

    PROVED = "proved"
    CERTIFIED = "certified"
    SAMPLED = "sampled"
    NONE = "none"


STRENGTH = {Grade.NONE: 0, Grade.SAMPLED: 1, Grade.CERTIFIED: 2, Grade.PROVED: 3}


@dataclass(frozen=True)
class Witness:
    """An exact point at which `left relation right` fails, and one sentence that lets a reader replay it."""

    point: Mapping[str, object]
    left: sp.Expr
    relation: str
    right: sp.Expr
    replay: str = ""

    def line(self) -> str:
        """The witness on one line: where, and the two sides that do not stand in the required relation."""
        at = place({name: str(value) for name, value in self.point.items()})
        sides = f"{self.left} {self.relation} {self.right} fails"
        return f"at {at}: {sides}" if at else sides


def place(point: Mapping[str, str]) -> str:
    """The values of a point on one line; a value that begins with a relation (`>= 1`) takes no equals
    sign."""
    return ", ".join(
        f"{name} {value}" if value[:1] in "<>" else f"{name} = {value}" for name, value in point.items()
    )


@dataclass(frozen=True)
class Fact:
    """One checked assertion.

    `holds` is True (established), False (refuted) or None (not decided); `grade` and `method` say how;
    `dimension` is "all" or the dimensions in which the check was made; `shows` are lines of the derivation;
    a refuted fact carries a witness where the method yields one. An `example` is an instance beside a general
    argument: it can refute, but what it supports is known from the other facts and not limited by it.
    """

    says: str
    holds: bool | None
    grade: Grade
    method: str
    dimension: Dimension = ALL
    shows: tuple[str, ...] = ()
    witness: Witness | None = None
    example: bool = False

    def as_example(self) -> Fact:
        """The same fact, marked as an instance beside a general argument."""
        return replace(self, example=True)

    def line(self) -> str:
        """One line for evidence lists: outcome, sentence, grade, method and dimension."""
        mark = {True: "holds", False: "refuted", None: "undecided"}[self.holds]
        role = "example; " if self.example else ""
        where = "all d" if self.dimension == ALL else "d = " + ", ".join(map(str, self.dimension))
        return f"[{mark}] {self.says} ({role}{self.grade}; {self.method}; {where})"


@dataclass(frozen=True)
class Finding:
    """What a set of facts amounts to: refuted when one fact is, established when all are, else undecided.

    The grade of an established finding is that of its weakest fact and its dimension the intersection of all,
    examples aside; a refuted one takes both from its first refuted fact.
    """

    facts: tuple[Fact, ...] = field(default=())

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Finding:
        """Collects facts in the order in which the argument states them."""
        return cls(tuple(facts))

    @property
    def refuted_by(self) -> Fact | None:
        """The first refuted fact, or None."""
        return next((fact for fact in self.facts if fact.holds is False), None)

    @property
    def holds(self) -> bool | None:
        """False when a fact is refuted, True when there are facts and all are established, else None."""
        if self.refuted_by is not None:
            return False
        return True if self.facts and all(fact.holds for fact in self.facts) else None

    @property
    def _carrying(self) -> tuple[Fact, ...]:
        """The facts a finding rests on: all but the examples, or all when there is nothing else."""
        return tuple(fact for fact in self.facts if not fact.example) or self.facts

    @property
    def grade(self) -> Grade:
        """Never above the weakest fact it rests on; none while undecided."""
        if self.holds is None:
            return Grade.NONE
        if self.refuted_by is not None:
            return self.refuted_by.grade
        return min((fact.grade for fact in self._carrying), key=STRENGTH.__getitem__)

    @property
    def dimension(self) -> Dimension:
        """The dimensions in which every fact was checked ("all", or a tuple)."""
        if self.refuted_by is not None:
            return self.refuted_by.dimension
        listed = [set(fact.dimension) for fact in self._carrying if isinstance(fact.dimension, tuple)]
        return tuple(sorted(set.intersection(*listed))) if listed else ALL

    @property
    def method(self) -> str | None:
        """The methods used, in order of first use; of a refuted finding, the refuting one."""
        if self.refuted_by is not None:
            return self.refuted_by.method
        return "; ".join(dict.fromkeys(fact.method for fact in self.facts)) or None

    @property
    def witness(self) -> Witness | None:
        """The witness of the refuting fact, if any."""
        return self.refuted_by.witness if self.refuted_by is not None else None
