"""An adversary attacks one sentence of the ledger: it draws instances that meet the assumptions as worded, moves them
towards a violation, and evaluates both sides of the sentence by means of its own.

A search can refute a sentence and never establishes it. What it is worth is measured on false neighbours of the
sentence: the share of them that it refutes is its power.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

Instance = dict[str, Any]
READINGS = ("printed", "corrected", "sharpest")
CLIMBED = 3  # of the instances drawn, this many are moved towards a violation
SHRINK = 0.8  # of the moves' size after one that gained nothing
SMALLEST_MOVE = 1e-9


class Gap(NamedTuple):
    """Both sides of a sentence at an instance: it says left <= right. `error` bounds what rounding and the
    adversary's own solvers may have put into left - right; a violation is larger."""

    left: float
    right: float
    error: float = 0.0

    @property
    def excess(self) -> float:
        """How far left exceeds right for certain; negative where it does not. Not a number: -inf."""
        found = float(self.left) - float(self.right) - float(self.error)
        return -math.inf if math.isnan(found) else found

    @property
    def ratio(self) -> float:
        """left/right, 1 where a bound is attained; nan where right is not positive and finite."""
        right = float(self.right)
        return float(self.left) / right if 0 < right < math.inf else math.nan


@dataclass(frozen=True, kw_only=True, eq=False)
class Adversary:
    """What attacks one sentence.

    claim, reading: the claim's id, and which of its sentences: "printed", "corrected" or "sharpest".
    how: in a few words what is drawn and what is compared, for the reader of the ledger.
    draw(rng): one instance that meets the assumptions as worded: arrays, numbers, names.
    gap(instance, sentence): both sides there; `sentence` has the data below as attributes.
    sentence: the sentence's own data (a constant's factor, whether an assumption is made), as the twins change them.
    twins: the ledger's name of a false neighbour -> the data it changes. Also stronger sentences of one's own, under
        names the ledger does not have, with a quantifier or an assumption changed.
    admit(instance): the instance that is meant after a move (projected back onto what is assumed), or None where there
        is none; by default every moved instance is admitted.
    moved: the names of the arrays and numbers that a search may move; by default every float and float array.
    """

    claim: str
    reading: str = "printed"
    how: str
    draw: Callable[[np.random.Generator], Instance]
    gap: Callable[[Instance, SimpleNamespace], Gap]
    sentence: Mapping[str, Any] = field(default_factory=dict)
    twins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    admit: Callable[[Instance], Instance | None] = lambda instance: instance
    moved: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.reading not in READINGS:
            raise ValueError(
                f"reading = {self.reading!r} of the adversary of {self.claim} must be one of {', '.join(READINGS)}"
            )
        for twin, change in self.twins.items():
            if unknown := sorted(set(change) - set(self.sentence)):
                raise ValueError(
                    f"twin {twin!r} of the adversary of {self.claim} changes {', '.join(unknown)}, which its sentence "
                    f"does not have; it has {', '.join(sorted(self.sentence)) or 'no data'}"
                )

    @property
    def name(self) -> str:
        """`lemma2` for the printed sentence, `lemma2 (sharpest)` for another."""
        return self.claim if self.reading == "printed" else f"{self.claim} ({self.reading})"


@dataclass(frozen=True)
class Found:
    """What a search came back with: instances evaluated, the largest left/right, and the instance of largest excess,
    which violates the sentence where `excess` > 0."""

    instances: int
    ratio: float
    excess: float
    instance: Instance
    gap: Gap

    @property
    def violated(self) -> bool:
        """Whether the sentence fails at the instance, beyond every error."""
        return self.excess > 0


def search(
    adversary: Adversary,
    change: Mapping[str, Any] | None = None,
    *,
    draws: int = 200,
    moves: int = 60,
    seed: int = 0,
) -> Found:
    """The instance of largest excess among `draws` drawn ones and what `moves` moves make of the best of them.

    Args: `change` replaces data of the sentence, as a twin does; draws >= 1, moves >= 0; deterministic in `seed`.
    It ends at the first violation. Raises ValueError where no instance can be evaluated.
    """
    data = SimpleNamespace(**{**adversary.sentence, **(change or {})})
    rng = np.random.default_rng([seed, crc32(adversary.name.encode())])
    run = _Run(adversary, data)
    for _ in range(draws):
        run.look(adversary.draw(rng))
        if run.best[0][0] > 0:
            return run.found()
    for excess, instance, _ in list(run.best):
        run.climb(excess, instance, rng, moves)
        if run.best[0][0] > 0:
            break
    return run.found()


class _Run:
    """One search: how many instances were evaluated, the largest ratio, and the best few."""

    def __init__(self, adversary: Adversary, data: SimpleNamespace) -> None:
        self.adversary, self.data = adversary, data
        self.instances, self.ratio = 0, -math.inf
        self.best: list[tuple[float, Instance, Gap]] = [(-math.inf, {}, Gap(math.nan, math.nan))]

    def look(self, instance: Instance) -> float:
        """Evaluates an instance, keeps it where it is among the best, and returns its excess."""
        with np.errstate(all="ignore"):
            gap = self.adversary.gap(instance, self.data)
        self.instances += 1
        if gap.ratio > self.ratio:
            self.ratio = gap.ratio
        self.best = sorted([*self.best, (gap.excess, instance, gap)], key=lambda one: -one[0])[:CLIMBED]
        return gap.excess

    def climb(self, excess: float, instance: Instance, rng: np.random.Generator, moves: int) -> None:
        """Random moves of one instance, kept where the excess rises, smaller after each that gains nothing."""
        size = 0.3
        for _ in range(moves):
            if size < SMALLEST_MOVE or excess > 0 or excess == -math.inf:
                return
            tried = self.adversary.admit(_moved(instance, self.adversary.moved, rng, size))
            if tried is None:
                size *= SHRINK
                continue
            here = self.look(tried)
            if here > excess:
                excess, instance, size = here, tried, 1.5 * size
            else:
                size *= SHRINK

    def found(self) -> Found:
        """The result. Raises ValueError where nothing could be evaluated."""
        excess, instance, gap = self.best[0]
        if excess == -math.inf:
            raise ValueError(
                f"the adversary of {self.adversary.name} drew {self.instances} instances and could evaluate none: its "
                "`gap` must return finite sides for most instances that `draw` makes"
            )
        return Found(self.instances, self.ratio, excess, instance, gap)


def _moved(
    instance: Instance, names: tuple[str, ...] | None, rng: np.random.Generator, size: float
) -> Instance:
    """The instance with every float and float array moved by `size` times its own scale."""
    moved = dict(instance)
    for name, value in instance.items():
        array = np.asarray(value)
        if array.dtype.kind != "f" or (names is not None and name not in names):
            continue
        scale = float(np.sqrt(np.mean(array**2))) if array.size else 0.0
        change = array + size * (scale or 1.0) * rng.standard_normal(array.shape)
        moved[name] = change if array.shape else float(change)
    return moved
