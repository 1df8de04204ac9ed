"""One line of `results/bounds.md`: a Lipschitz statement with the map, the set and both constants, and its outcome."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from numerics.admissible import AdmissibleSet
from numerics.autodiff import double_precision
from numerics.falsifier import STAGES, Worst, falsify
from numerics.norms import Array
from theory.ledger.claim import Claim
from theory.ledger.rows import find

Constant = float | Callable[..., Array]  # a number, or a function of the pair (and of the context, if any)
# What the paper says of a map on a set: its constant, that there is some constant, that there is none, or nothing.
CONSTANT, SOME, NO, NOTHING = "constant", "some constant", "no constant", "nothing"
# Rounding of a ratio of differences (see `falsifier.CLOSEST`); a constant exceeded by less is not violated.
ROUNDING = 1e-8
# Searched suprema this close to the constant count as reaching it.
ATTAINED = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A statement to search: `||mapping(a) - mapping(b)|| <= constant ||a - b||` on `admissible`.

    `id` names the line; `statement` says where the paper has it; `claim` is the id of the ledger's proof, or of the
    refutation; `what` and `where` are the map and the set in words. `says` is one of the four words above, `paper`
    the constant it then prints and `printed` its formula; `ours` and `sharp` likewise, infinite where we say that no
    constant exists. With a `context` the constants may depend on it. Constants that depend on the pair are functions
    of (a, b) or (a, b, context), traceable by jax. `search` finds the worst pair where `mapping` is no jax function.
    """

    id: str
    statement: str
    claim: str
    what: str
    where: str
    ours: Constant
    sharp: str
    mapping: Callable[..., Array] | None = None
    admissible: AdmissibleSet | None = None
    search: Callable[[], Worst] | None = None
    says: str = CONSTANT
    paper: Constant = math.nan
    printed: str = ""
    context: AdmissibleSet | None = None
    stages: tuple[str, ...] = STAGES


@dataclass(frozen=True, eq=False)
class Row:
    """A searched case: the worst pair, both constants there, and what follows."""

    case: Case
    worst: Worst
    paper: float | None
    ours: float

    @property
    def ratio(self) -> float:
        """The largest ratio found, infinite where it grew without end."""
        return math.inf if self.worst.kind == "unbounded" else self.worst.ratio

    @property
    def relative(self) -> bool:
        """Whether our constant depends on the pair: the numbers are then best told as multiples of it."""
        return callable(self.case.ours)

    @property
    def tightness(self) -> float | None:
        """ratio/ours: 1 where our constant is reached; None where it is infinite."""
        if math.isinf(self.ours):
            return None
        # A map that does not move, against the constant 0, meets it exactly.
        return 1.0 if self.ratio <= self.ours == 0 else self.ratio / self.ours

    @property
    def violated(self) -> bool:
        """Whether the paper's statement fails: exceeded by a pair, or, for "no constant", where we prove one."""
        if self.case.says == CONSTANT:
            return self.paper is not None and self.ratio > self.paper * (1 + ROUNDING)
        if self.case.says == SOME:
            return math.isinf(self.ratio)
        return self.case.says == NO and math.isfinite(self.ours)

    @property
    def ours_holds(self) -> bool:
        """Whether no pair exceeds our constant."""
        return self.ratio <= self.ours * (1 + ROUNDING)

    @property
    def attained(self) -> bool:
        """Whether the search reached our constant, or confirmed that there is none."""
        if self.tightness is None:
            return math.isinf(self.ratio)
        return self.tightness > 1 - ATTAINED


def decide(case: Case, seed: int = 0, starts: int = 32, steps: int = 200) -> Row:
    """Searches one case: the score maximised is the ratio over our constant."""
    if case.mapping is None or case.admissible is None:
        if case.search is None:
            raise ValueError(
                f"case {case.id} has no mapping with a set, and no search: give it one of the two"
            )
        worst = case.search()
    else:
        worst = falsify(
            case.mapping,
            case.admissible,
            context=case.context,
            modulus=case.ours if callable(case.ours) else None,
            stages=case.stages,
            starts=starts,
            steps=steps,
            seed=seed,
        )
    paper = _at(case.paper, worst, case) if case.says == CONSTANT else None
    return Row(case, worst, paper, _at(case.ours, worst, case))


def from_theory(claim: str, entry: str = "constant", reading: str = "stated", /, **values: float) -> float:
    """The number that the ledger's claim gives: its expression `entry` with symbols replaced by name.

    Args: `claim` an id; `reading` "stated" (as printed), "corrected" or "sharpest"; `values` by symbol name.
    Raises ValueError for an unknown reading or entry, and for a symbol without a value or a value without a symbol.
    """
    expression: Any = _entry(claim, entry, reading)
    symbols = {str(symbol): symbol for symbol in getattr(expression, "free_symbols", ())}
    if set(symbols) != set(values):
        raise ValueError(
            f"{claim}.{entry} = {expression} needs the values of {', '.join(sorted(symbols)) or 'nothing'}, given "
            f"are {', '.join(sorted(values)) or 'none'}: pass exactly these"
        )
    return float(
        expression.subs({symbols[name]: value for name, value in values.items()}) if values else expression
    )


def _entry(claim: str, entry: str, reading: str) -> object:
    found = _claim(claim)
    chosen = found if reading == "stated" else getattr(found, reading, None)
    known = {} if chosen is None else {**found.stated, **chosen.stated}
    if entry not in known:
        raise ValueError(
            f"claim {claim} has no entry {entry!r} in its reading {reading!r}; it has {', '.join(known) or 'none'}"
        )
    return known[entry]


@cache
def _claim(name: str) -> Claim:
    return find(name)


def _at(constant: Constant, worst: Worst, case: Case) -> float:
    """A constant at the worst pair."""
    if not callable(constant):
        return float(constant)
    with double_precision():
        extra = (worst.context,) if case.context else ()
        return float(np.asarray(constant(worst.a, worst.b, *extra)))
