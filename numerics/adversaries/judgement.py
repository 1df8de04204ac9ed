"""What an adversary found, held against the ledger: true sentences must stand, false ones and twins must fall."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from numerics.adversaries.adversary import Adversary, Instance, search
from theory.deciders.facts import Verdict
from theory.ledger.attacked import fingerprint, sentences
from theory.ledger.rows import find


@dataclass(frozen=True)
class Judgement:
    """One sentence and its adversary's verdict, as results/adversaries.json keeps it.

    sentence: the first digits of the SHA-256 of the sentence attacked, so that a changed one is noticed
    holds: whether the ledger stands behind the sentence (True) or calls it false (False)
    violated: whether a counterexample was found; `counterexample` says which
    ratio: the largest left/right seen, None where the sentence has no ratio
    twins: false neighbour -> whether the adversary refutes it
    """

    claim: str
    reading: str
    sentence: str
    how: str
    seed: int
    draws: int
    instances: int
    ratio: float | None
    holds: bool
    violated: bool
    counterexample: str
    twins: dict[str, bool]

    @property
    def agrees(self) -> bool:
        """Whether ledger and adversary say the same of the sentence."""
        return self.violated != self.holds

    @property
    def caught(self) -> int:
        """How many of the false neighbours were refuted."""
        return sum(self.twins.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def judge(adversary: Adversary, *, draws: int = 200, moves: int = 60, seed: int = 0) -> Judgement:
    """Searches the sentence and each of its false neighbours."""
    found = search(adversary, draws=draws, moves=moves, seed=seed)
    counts, twins = found.instances, {}
    for name, change in adversary.twins.items():
        fallen = search(adversary, change, draws=draws, moves=moves, seed=seed)
        twins[name] = fallen.violated
        counts += fallen.instances
    return Judgement(
        claim=adversary.claim,
        reading=adversary.reading,
        sentence=fingerprint(sentence_of(adversary)),
        how=adversary.how,
        seed=seed,
        draws=draws,
        instances=counts,
        ratio=found.ratio if math.isfinite(found.ratio) else None,
        holds=held(adversary),
        violated=found.violated,
        counterexample=told(found.instance, found.gap.left, found.gap.right) if found.violated else "",
        twins=twins,
    )


def sentence_of(adversary: Adversary) -> str:
    """The ledger's sentence that is attacked. Raises ValueError where the claim has no such reading."""
    said = sentences(find(adversary.claim))
    if adversary.reading not in said:
        raise ValueError(
            f"the adversary of {adversary.claim} attacks its {adversary.reading} reading, and it has none"
        )
    return said[adversary.reading]


def held(adversary: Adversary) -> bool:
    """Whether the ledger stands behind the sentence."""
    claim = find(adversary.claim)
    return adversary.reading != "printed" or claim.expected not in (Verdict.FALSE, Verdict.TYPO)


def told(instance: Instance, left: float, right: float) -> str:
    """A counterexample in one line, its numbers to six digits."""
    parts = [f"{name} = {_short(value)}" for name, value in instance.items()]
    return f"{', '.join(parts)}: {left:.6g} <= {right:.6g} fails"


def power(judgements: Iterable[Judgement]) -> tuple[int, int]:
    """Twins caught, and twins tried, over all."""
    every = [caught for one in judgements for caught in one.twins.values()]
    return sum(every), len(every)


def _short(value: object) -> str:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        return str(value)
    return np.array2string(array, precision=6, separator=",", max_line_width=10**6, threshold=40).replace(
        " ", ""
    )
