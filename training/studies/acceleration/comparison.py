"""The rules that judge "EnSGD accelerates the training" (Sec. 5.3, Fig. 3) on records of runs.

The robust accuracies that AT attains on its way are levels; what counts is how many epochs, and how many seconds of
training, a run with EntropySGD needs to reach a level, beside the run of AT with the same seed and so the same batches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from training.results.record import Record

# Of the way from AT's first evaluated accuracy to its best, both averaged over seeds.
SHARES = (0.5, 0.75, 0.9)
UNITS = {"epochs": "epoch", "seconds": "seconds_training"}
# The 97.5 % points of Student's t with 1, 2, ... degrees of freedom.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


@dataclass(frozen=True)
class Interval:
    """mean over n seeds, with a 95 % interval by Student's t from low to high; None at one seed, which has none."""

    mean: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Level:
    """One robust accuracy to be reached.

    accuracy : in [0, 1]; share : of SHARES
    reached  : how many of the seeds reached it, of the reading and of its AT
    at       : {"epochs", "seconds"} -> the mean of AT over the seeds that reached it, None for none
    ratio    : {"epochs", "seconds"} -> reading over AT, the geometric mean over seeds in which both reached it; None
               where that is no seed
    verdict  : {"epochs", "seconds"} -> "faster", "slower" or "undecided"
    """

    accuracy: float
    share: float
    reached: tuple[int, int]
    at: dict[str, float | None]
    ratio: dict[str, Interval | None]
    verdict: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """A reading against AT, seed by seed.

    seeds      : that both have
    last, best : paired differences of robust accuracy, reading minus AT, after the last epoch and at the best one
    cost       : ratio of the seconds of training of the whole runs
    verdict    : {"epochs", "seconds"} -> "accelerates", "slows down" or "undecided", by `judged`
    """

    seeds: tuple[int, ...]
    levels: tuple[Level, ...]
    last: Interval
    best: Interval
    cost: Interval
    verdict: dict[str, str]


def compared(
    reading: Sequence[Record], plain: Sequence[Record], accuracies: Mapping[float, float]
) -> Comparison | None:
    """The records of a reading and of AT, one a seed each, None where they share no seed.

    accuracies : share -> robust accuracy to reach (`levels`)

    All of them `aligned`.
    """
    mine, its = ({record["seed"]: record for record in records} for records in (reading, plain))
    seeds = tuple(sorted(mine.keys() & its.keys()))
    if not seeds:
        return None
    pairs = [(mine[seed], its[seed]) for seed in seeds]
    found = tuple(_level(pairs, share, accuracy) for share, accuracy in accuracies.items())
    return Comparison(
        seeds=seeds,
        levels=found,
        last=interval([robust(a)[-1] - robust(b)[-1] for a, b in pairs]),
        best=interval([max(robust(a)) - max(robust(b)) for a, b in pairs]),
        cost=_geometric([_total(a) / _total(b) for a, b in pairs]),
        verdict={unit: judged([level.verdict[unit] for level in found]) for unit in UNITS},
    )


def levels(plain: Sequence[Record]) -> dict[float, float]:
    """Share -> the robust accuracy that lies that share of the way from AT's first evaluation to its best, of the
    curve averaged over the seeds.

    Raises: ValueError for no records, or an AT that was best at once.
    """
    if not plain:
        raise ValueError("there is no run of AT: nothing to compare with")
    curve = [mean(values) for values in zip(*map(robust, plain), strict=True)]
    first, best = curve[0], max(curve)
    if best <= first:
        raise ValueError(
            f"{plain[0]['recipe']['name']} is best, {100 * best:.2f} %, at its first evaluation: train longer or "
            "evaluate sooner"
        )
    return {share: first + share * (best - first) for share in SHARES}


def reach(record: Record, accuracy: float, unit: str) -> float | None:
    """How much of a unit of UNITS a run needed to reach a robust accuracy, on straight lines between evaluations.

    A run that is there at its first evaluation gets that one's value, a bound from above; None for one that never is.
    """
    values, places = robust(record), _evaluated(record, UNITS[unit])
    at = next((number for number, value in enumerate(values) if value >= accuracy), None)
    if at is None or at == 0:
        return None if at is None else places[0]
    part = (accuracy - values[at - 1]) / (values[at] - values[at - 1])
    return places[at - 1] + part * (places[at] - places[at - 1])


def aligned(records: Sequence[Record]) -> list[Record]:
    """The records with only those evaluations in their curves that all of them have.

    Raises: ValueError where that leaves fewer than two.
    """
    tested = [set(_evaluated(record, "epoch")) for record in records]
    shared = set.intersection(*tested) if tested else set()
    if records and len(shared) < 2:
        raise ValueError(
            f"the runs share {len(shared)} evaluated epochs, need 2: repeat them with one --evaluate-every"
        )
    found = []
    for record in records:
        curve = record["curve"]
        kept = [
            value if epoch in shared else None
            for epoch, value in zip(curve["epoch"], curve["test_pgd20"], strict=True)
        ]
        found.append({**record, "curve": {**curve, "test_pgd20": kept}})
    return found


def judged(verdicts: Sequence[str]) -> str:
    """Of the verdicts at the levels: "accelerates" where most are faster and none is slower, "slows down" the other
    way round, else "undecided"."""
    faster, slower = verdicts.count("faster"), verdicts.count("slower")
    if 2 * faster > len(verdicts) and not slower:
        return "accelerates"
    return "slows down" if 2 * slower > len(verdicts) and not faster else "undecided"


def interval(values: Sequence[float]) -> Interval:
    """The mean of n >= 1 values and its 95 % interval, mean +- t s/sqrt(n)."""
    n, middle = len(values), mean(values)
    if n == 1:
        return Interval(middle, None, None, n)
    half = STUDENT[min(n - 1, len(STUDENT)) - 1] * stdev(values) / math.sqrt(n)
    return Interval(middle, middle - half, middle + half, n)


def _level(pairs: Sequence[tuple[Record, Record]], share: float, accuracy: float) -> Level:
    at: dict[str, float | None] = {}
    ratio: dict[str, Interval | None] = {}
    verdict: dict[str, str] = {}
    reached = (0, 0)
    for unit in UNITS:
        taken = [(reach(a, accuracy, unit), reach(b, accuracy, unit)) for a, b in pairs]
        mine, its = ([value for value in column if value is not None] for column in zip(*taken, strict=True))
        both = [a / b for a, b in taken if a is not None and b is not None]
        reached = (len(mine), len(its))
        at[unit] = mean(its) if its else None
        ratio[unit] = _geometric(both) if both else None
        verdict[unit] = _verdict(ratio[unit], reached, len(pairs))
    return Level(accuracy, share, reached, at, ratio, verdict)


def _verdict(ratio: Interval | None, reached: tuple[int, int], n: int) -> str:
    """Faster or slower where every seed of both reached it and the interval of the ratio leaves 1 out; slower too where
    AT always did and the reading never."""
    if n > 1 and reached == (0, n):
        return "slower"
    if ratio is None or reached != (n, n) or ratio.low is None or ratio.high is None:
        return "undecided"
    if ratio.high < 1:
        return "faster"
    return "slower" if ratio.low > 1 else "undecided"


def _geometric(ratios: Sequence[float]) -> Interval:
    """Of ratios above 0: `interval` of their logarithms, as ratios."""
    found = interval([math.log(ratio) for ratio in ratios])
    low, high = (None if bound is None else math.exp(bound) for bound in (found.low, found.high))
    return Interval(math.exp(found.mean), low, high, found.n)


def robust(record: Record) -> list[float]:
    """Its robust accuracies at the evaluated epochs."""
    return _evaluated(record, "test_pgd20")


def _evaluated(record: Record, column: str) -> list[Any]:
    """A column of the curve, at the epochs that were evaluated."""
    curve = record.get("curve", {})
    if "test_pgd20" not in curve or column not in curve:
        raise ValueError(
            f"the record of {record['recipe']['name']}, seed {record['seed']}, has no {column} in its curve: repeat it"
        )
    return [
        value for value, tested in zip(curve[column], curve["test_pgd20"], strict=True) if tested is not None
    ]


def _total(record: Record) -> float:
    return record["curve"]["seconds_training"][-1]
