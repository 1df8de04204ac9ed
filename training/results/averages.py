"""Which records may be averaged, their mean and deviation over seeds, and the distance from the published number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from training.cells.published import PUBLISHED_SEEDS, Number
from training.cells.recipe import Recipe
from training.results.records import Record, find


@dataclass(frozen=True)
class Average:
    """Percent over seeds: mean, standard deviation with n - 1 in the denominator (None for one seed), the seeds, and
    what was measured, "clean", "pgd20" or "autoattack"."""

    mean: float
    std: float | None
    seeds: tuple[int, ...]
    measure: str


@dataclass(frozen=True)
class Group:
    """The records of one recipe on one dataset with one number of epochs and one protocol, one a seed, in the order of
    the seeds."""

    data: str
    epochs_run: int
    shortened: bool
    records: tuple[Record, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        return self.shortened, self.data, self.epochs_run, *_protocol(self.records[0])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the protocol a reader would not expect."""
        every, _, amp = _protocol(self.records[0])
        found = [f"evaluated every {every} epochs, so chosen among fewer"] if every != 1 else []
        return (*found, *([f"trained under {amp} autocast"] if amp != "off" else []))

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(record["seed"] for record in self.records)


def average(records: Sequence[Record], checkpoint: str, measure: str) -> Average | None:
    """The average of one measure at one checkpoint ("last", "best_test", "validation"), or None where a record
    lacks it.

    Raises: ValueError for no records, for a seed that occurs twice, and for records that differ in recipe, data,
    epochs, number of test images or attack settings other than the seed.
    """
    if not records:
        raise ValueError("records is empty, need at least one to average")
    seeds = [record["seed"] for record in records]
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"records of seeds {listed(seeds)}: a seed occurs twice, average each once")
    for what in ("digest", "data", "epochs_run"):
        _same(what, [record[what] for record in records], records)
    chosen = [record["selection"][checkpoint] for record in records]
    if any(one is None or one[measure] is None for one in chosen):
        return None
    _same("n_test", [one["n_test"] for one in chosen], records)
    for attack in ("pgd20", "autoattack"):
        if measure == attack:
            _same(f"attacks.{attack}", [_settings(one["attacks"][attack]) for one in chosen], records)
    values = [100 * one[measure] for one in chosen]
    return Average(mean(values), stdev(values) if len(values) > 1 else None, tuple(seeds), measure)


def difference(ours: Average, published: Number) -> float | None:
    """How far the two means are apart in standard errors, or None where it has no meaning: one seed, or no spread.

    (ours - published) / sqrt(s_ours^2 / n_ours + s_published^2 / n_published)
    """
    if ours.std is None:
        return None
    error = math.sqrt(ours.std**2 / len(ours.seeds) + published.std**2 / PUBLISHED_SEEDS)
    return (ours.mean - published.mean) / error if error else None


def groups(
    recipe: Recipe, records: Iterable[Record], *, seeds: int | None = None, device: str | None = None
) -> list[Group]:
    """The recipe's records, apart by data, by number of epochs and by protocol (epochs between evaluations, number of
    test images, precision of the training, AutoAttack's settings), whole runs first; of a run that was recorded again
    (same seed, device, data and epochs) the later record.

    seeds  : refuse whole runs that lack one of the seeds 0 to seeds - 1, and leave out other seeds
    device : only records made on it

    Raises: ValueError for missing seeds, and for a seed that was run on two devices.
    """
    kept: dict[tuple[bool, str, int], dict[tuple[int, str], Record]] = {}
    for record in find(records, digest=recipe.digest, device=device):
        key = (record["shortened"], record["data"], record["epochs_run"])
        kept.setdefault(key, {})[record["seed"], record["device"]] = record
    found = []
    for (shortened, data, epochs_run), runs in sorted(kept.items()):
        _refuse_two_devices(recipe, data, sorted(runs))
        for ordered in _alike([runs[key] for key in sorted(runs)]):
            if seeds is not None and not shortened:
                ordered = _asked(recipe, data, ordered, seeds)
            found.append(Group(data, epochs_run, shortened, tuple(ordered)))
    return found


def _alike(records: Sequence[Record]) -> list[list[Record]]:
    """The records apart by protocol, and by AutoAttack's settings where they were attacked in more than one way."""
    parts: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        parts.setdefault(_protocol(record), []).append(record)
    found = []
    for part in parts.values():
        attacks = {_autoattack(record): record for record in part if _autoattack(record)}
        first = next(iter(attacks), "")
        found += [
            [record for record in part if (_autoattack(record) or first) == attack]
            for attack in attacks or [first]
        ]
    return found


def _protocol(record: Record) -> tuple[int, int, str]:
    """Epochs between evaluations, number of test images, precision of the training forwards."""
    n_test = record["selection"]["last"]["n_test"]
    return record.get("evaluated_every", 1), n_test, record["versions"].get("amp", "off")


def _autoattack(record: Record) -> str:
    """How the checkpoints were attacked, without the seed; empty where none was."""
    found = [one["attacks"]["autoattack"] for one in record["selection"].values() if one]
    return "; ".join(sorted({str(sorted(_settings(one).items())) for one in found if one}))


def _asked(recipe: Recipe, data: str, records: list[Record], seeds: int) -> list[Record]:
    present = [record["seed"] for record in records]
    missing = sorted(set(range(seeds)) - set(present))
    if missing:
        raise ValueError(
            f"{recipe.name} on {data} has seeds {listed(present)}, but {listed(range(seeds))} were asked for: run "
            f"it with --recipe {recipe.name} --seed {missing[0]}, or ask for no number of seeds"
        )
    return [record for record in records if record["seed"] < seeds]


def _refuse_two_devices(recipe: Recipe, data: str, keys: list[tuple[int, str]]) -> None:
    for seed, device in keys:
        other = [name for number, name in keys if number == seed and name != device]
        if other:
            raise ValueError(
                f"{recipe.name} on {data}: seed {seed} was run on {device} and on {other[0]} and cannot count "
                "twice: choose the device"
            )


def _settings(attack: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attack.items() if name != "seed"}


def _same(what: str, values: Sequence[Any], records: Sequence[Record]) -> None:
    for value, record in zip(values, records, strict=True):
        if value != values[0]:
            raise ValueError(
                f"{what} is {values[0]} for seed {records[0]['seed']} and {value} for seed {record['seed']} of "
                f"{record['recipe']['name']}: such records cannot be averaged"
            )


def listed(numbers: Iterable[int]) -> str:
    """`0, 1, 2`."""
    return ", ".join(map(str, numbers))
