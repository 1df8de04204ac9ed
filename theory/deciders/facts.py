"""What every verdict of the ledger is made of: a Fact (one checked assertion, its grade, its dimension) and
how facts combine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import wraps
from typing import TypeVar, cast

import sympy as sp

ALL = "all"
TEXT = "text"
Dimension = str | tuple[int, ...] | None  # "all", the dimensions listed, or None: no vector occurs


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
        at = at_place({name: str(value) for name, value in self.point.items()})
        sides = f"{self.left} {self.relation} {self.right} fails"
        return f"{at}: {sides}" if at else sides


def at_place(point: Mapping[str, str]) -> str:
    """The point with its preposition: `at x = 1`, `as t -> 0`, `in Sec. 5.2; E.1`; empty for no point."""
    if not point:
        return ""
    limit = all(value.startswith("->") for value in point.values())
    lead = "in" if "where" in point else "as" if limit else "at"
    return f"{lead} {place(point)}"


def place(point: Mapping[str, str]) -> str:
    """The values of a point on one line, as a reader says them: `x = 1, any epsilon, |theta| >= 1`.

    A value may be `any`, begin with a relation or an arrow (`>= 1`, `-> 0`), or belong to the name `where`, a
    place of the paper.
    """
    return ", ".join(_value(name, value) for name, value in point.items())


def _value(name: str, value: str) -> str:
    if name == "where":
        return value
    if value == "any":
        return f"any {name}"
    return f"{name} {value}" if value.startswith(("<", ">", "->")) else f"{name} = {value}"


def known(grade: str, dimension: Dimension | list[int]) -> str:
    """How far something is known, for a reader: `proved, all d`, `certified, d = 2`, `proved from the text`,
    `none`."""
    if grade == Grade.NONE:
        return str(grade)
    if dimension is None:
        return f"{grade} from the text"
    return f"{grade}, " + ("all d" if dimension == ALL else "d = " + ", ".join(map(str, dimension)))


@dataclass(frozen=True)
class Question:
    """What a decider was asked: its name, and the arguments that followed the sentence, as they were given."""

    kind: str
    parts: tuple[object, ...]
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One checked assertion.

    `holds` is True (established), False (refuted) or None (not decided); `grade` and `method` say how;
    `dimension` is "all", the dimensions in which the check was made, or None where there is no vector that
    could have one, as in a fact about the text; `shows` are lines of the derivation; a refuted fact carries a
    witness where the method yields one. An `example` is an instance beside a general argument: it can refute,
    but what it supports is known from the other facts and not limited by it. `question` is what was decided,
    for the certificates; None where it was not put to a decider. `uses` names the earlier steps it rests on.
    """

    says: str
    holds: bool | None
    grade: Grade
    method: str
    dimension: Dimension = ALL
    shows: tuple[str, ...] = ()
    witness: Witness | None = None
    example: bool = False
    question: Question | None = field(default=None, compare=False, repr=False)
    uses: tuple[str, ...] = field(default=(), compare=False)

    def using(self, *steps: str) -> Fact:
        """The same fact, which rests on earlier steps of its argument, each named by a part of its sentence."""
        return replace(self, uses=(*self.uses, *steps))

    def as_example(self) -> Fact:
        """The same fact, marked as an instance beside a general argument."""
        return replace(self, example=True)

    def about_the_text(self) -> Fact:
        """The same fact as one about what is printed: without a dimension, and equal sides `agree`."""
        witness = self.witness
        if witness is not None and witness.relation == "==":
            witness = replace(witness, relation="agrees with")
        method = self.method if self.method.startswith(TEXT) else f"{TEXT}, {self.method}"
        return replace(self, dimension=None, method=method, witness=witness)

    def line(self) -> str:
        """One line for evidence lists: outcome, sentence, what is refuted, grade, dimension and method."""
        mark = {True: "holds", False: "refuted", None: "undecided"}[self.holds]
        role = "example; " if self.example else ""
        fails = f": {self.witness.line()}" if self.holds is False and self.witness is not None else ""
        return f"[{mark}] {self.says}{fails} ({role}{known(self.grade, self.dimension)}; {self.method})"


@dataclass(frozen=True)
class Finding:
    """What a set of facts amounts to: refuted when one fact is, established when all are, else undecided.

    The grade of an established finding is that of its weakest fact and its dimension the intersection of all
    that have one, examples aside; a refuted one takes both from its first refuted fact.
    """

    facts: tuple[Fact, ...] = field(default=())

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Finding:
        """Collects facts in the order in which the argument states them."""
        return cls(tuple(facts))

    def lines(self) -> list[str]:
        """The facts, a line each, which names by their numbers the steps that a step says it uses.

        Raises ValueError where a step uses one that no earlier step is.
        """
        return [
            fact.line() + (f" [uses {_numbers(self._numbers_of(step))}]" if fact.uses else "")
            for step, fact in enumerate(self.facts)
        ]

    def _numbers_of(self, step: int) -> list[int]:
        found: list[int] = []
        for part in self.facts[step].uses:
            there = [n for n, earlier in enumerate(self.facts[:step], start=1) if part in earlier.says]
            if not there:
                raise ValueError(
                    f"step {step + 1}, {self.facts[step].says!r}, uses {part!r}, which no earlier step says; "
                    "name a part "
                    "of an earlier step's sentence"
                )
            found += there
        return sorted(set(found))

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
        """The dimensions in which every fact was checked ("all", or a tuple); None where no fact has one."""
        if self.refuted_by is not None:
            return self.refuted_by.dimension
        listed = [set(fact.dimension) for fact in self._carrying if isinstance(fact.dimension, tuple)]
        if listed:
            return tuple(sorted(set.intersection(*listed)))
        return ALL if any(fact.dimension == ALL for fact in self._carrying) else None

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


def _numbers(steps: list[int]) -> str:
    return ("step " if len(steps) == 1 else "steps ") + ", ".join(map(str, steps))


Decider = TypeVar("Decider", bound=Callable[..., Fact])


def asked(decider: Decider) -> Decider:
    """The same decider, whose facts also keep what it was asked."""

    @wraps(decider)
    def decide(says: str, *parts: object, **options: object) -> Fact:
        given = tuple(tuple(part) if isinstance(part, Iterator) else part for part in parts)
        fact = decider(says, *given, **options)
        return replace(fact, question=Question(decider.__name__, given, options))

    return cast(Decider, decide)
