"""What Figs. 3, 6 and 7 share: which records of the trainer they show, averaged over seeds, their names and looks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from figures.plate import Absent, Settings
from training.results.records import Record, current, read

TO_MAKE = "run `python training/run.py`, then `python -m training.studies.landscape`"
FIGURE6 = "awp0.005"  # the reading whose curve Fig. 6 adds
PAPER = ("AT", "AT+EnSGD", "AWP", "AWP+EnSGD")  # what the paper's figures show
METHODS = {"at": "AT", "awp": "AWP", "trades": "TRADES", "trades-awp": "TRADES+AWP"}
OPTIMIZERS = {"sgd": "", "ensgd": "+EnSGD", "2ndensgd": "+2ndEnSGD"}
# A hue a method (dark, medium, light for the optimizers), dashes an optimizer; a hue a reading.
HUES = {
    "at": ("#00406b", "#0072b2", "#3d9bdc"),
    "awp": ("#7d2a00", "#d55e00", "#c98500"),
    "trades": ("#4b2a63", "#8a5fa8", "#b99acb"),
    "trades-awp": ("#3d3d3d", "#6e6e6e", "#a0a0a0"),
}
GREEN = "#009e73"  # of Fig. 6's reading; the others of a figure take the next ones in turn
READING_HUES = ("#b0568c", "#8c6d1f", "#4f4f4f", "#0f7f86")
SHORT = {"eta-inner-decays": r"$\eta'$ decays"}  # readings whose names would not fit beside a curve
DASHES = ("-", (0, (4.5, 1.5)), (0, (1, 1.1)))
READ_DASHES = ((0, (6, 1.5, 1, 1.5)), (0, (3, 1.2, 1, 1.2, 1, 1.2)), (0, (1, 1.1, 3, 1.1)))


@dataclass(frozen=True)
class Method:
    """One curve: the name it gets, how it is drawn, and its records, one a seed in their order."""

    label: str
    look: dict[str, Any]
    records: tuple[Record, ...]

    @property
    def seeds(self) -> list[int]:
        return [record["seed"] for record in self.records]

    @property
    def facts(self) -> dict[str, Any]:
        first = self.records[0]
        return {
            "recipe": first["recipe"]["name"],
            "digest": first["digest"],
            "n": len(self.records),
            "seeds": self.seeds,
        }


@dataclass(frozen=True)
class Chosen:
    """The methods of a figure, all of one experiment, and sentences on what is missing and what was left out."""

    methods: tuple[Method, ...]
    missing: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def records(self) -> list[Record]:
        return [record for method in self.methods for record in method.records]

    @property
    def count(self) -> str:
        """`n = 3 seeds`, or the range of n where it differs."""
        numbers = sorted({len(method.records) for method in self.methods})
        if numbers == [1]:
            return "n = 1 seed"
        return f"n = {numbers[0]} seeds" if len(numbers) == 1 else f"n = {numbers[0]} to {numbers[-1]} seeds"

    @property
    def several(self) -> bool:
        """Whether any curve has a band."""
        return any(len(method.records) > 1 for method in self.methods)

    @property
    def lacks(self) -> str:
        """A line for the heading that names the missing methods; empty where there is none."""
        return f"\nmissing: {', '.join(self.missing)}" if self.missing else ""


def chosen(
    path: Path,
    settings: Settings,
    experiment: Callable[[Record], Hashable],
    command: str,
    check: Callable[[Any], None] | None = None,
    fits: Callable[[Record], bool] = lambda record: True,
) -> Chosen:
    """The records of a file that fit settings.runs, of one experiment: of full runs before shortened ones, the last.

    experiment : record -> what must agree within a figure
    command    : that writes the file
    check      : of a record, as in `training.results.records.read`; fits : which records the figure takes besides

    Raises: Absent where there is no record to draw; ValueError for a file of another kind.
    """
    if not path.is_file():
        if not (settings.results / "records.jsonl").is_file():
            raise Absent(f"there are no records of runs in {settings.results}: {TO_MAKE}")
        raise Absent(f"there is no {path}: run {command}")
    named = [one for one in read(path, check) if _named(one, settings.runs) and fits(one)]
    found = [one for one in named if current(one)]
    old = f"{_runs(len(named) - len(found))} made before their recipe was changed"
    left_out = [old] if len(found) < len(named) else []
    if not found:
        because = f" ({old})" if named else ""
        raise Absent(f"{path} holds no record of {', '.join(settings.runs)}{because}: run {command}")
    last = max(range(len(found)), key=lambda place: (not found[place]["shortened"], place))
    same = [one for one in found if experiment(one) == experiment(found[last])]
    if len(same) < len(found):
        left_out.append(f"{_runs(len(found) - len(same))} with other data, epochs or settings")
    methods = _methods(same)
    labels = {method.label for method in methods}
    missing = tuple(label for label in PAPER if label not in labels) if labels & set(PAPER) else ()
    return Chosen(methods, missing, tuple(left_out))


def machines(records: Sequence[Record]) -> str:
    """`NVIDIA H100, torch 2.6.0; ...`: where the records were made."""
    found = []
    for record in records:
        hardware, plural = record["hardware"], "s" if record["threads"] > 1 else ""
        name = hardware.get("accelerator") or (
            f"{hardware.get('cpu', 'unknown processor')}, {record['threads']} thread{plural}"
        )
        found.append(f"{name}, torch {record['versions'].get('torch', 'unknown')}")
    return "; ".join(dict.fromkeys(found))


def note(chosen: Chosen) -> str:
    """What is missing and left out, in sentences; empty where nothing is."""
    words = [f"Not recorded, so not drawn: {', '.join(chosen.missing)}."] if chosen.missing else []
    words += [f"Left out: {'; '.join(chosen.left_out)}."] if chosen.left_out else []
    return " ".join(words)


def averaged(chosen: Chosen) -> str:
    """How lines and bands come from the seeds, which are named."""
    each = [f"n = {len(method.records)} ({', '.join(map(str, method.seeds))})" for method in chosen.methods]
    named = [f"{plain_label(one.label)} {words}" for one, words in zip(chosen.methods, each, strict=True)]
    words = f"{each[0]} each" if len(set(each)) == 1 else ", ".join(named)
    if not chosen.several:
        return f"One seed a line, so no bands: {words}."
    return f"Lines: means over seeds, {words}; bands: one standard deviation, n - 1 in the denominator."


def plain_label(label: str) -> str:
    """For text without mathematics."""
    return label.replace(r"$\gamma_A=0.005$", "gamma_awp 0.005").replace(r"$\eta'$", "eta'")


def reading(record: Record) -> str:
    """What follows the first + in the name of the recipe, such as `awp0.005`; empty for a table cell."""
    return record["recipe"]["name"].partition("+")[2]


def in_255ths(value: float) -> str:
    """`8/255` as such, 0.15 as it is."""
    levels = round(value * 255)
    return f"{levels}/255" if levels and levels / 255 == value else f"{value:g}"


def _named(record: Record, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(record["recipe"]["name"], pattern) for pattern in patterns)


def _methods(records: Sequence[Record]) -> tuple[Method, ...]:
    """One a recipe, in the order of the paper's legend; of a run that was recorded again, the later record."""
    runs: dict[str, dict[int, Record]] = {}
    for record in records:
        runs.setdefault(record["recipe"]["name"], {})[record["seed"]] = record
    ordered = [tuple(by_seed[seed] for seed in sorted(by_seed)) for by_seed in runs.values()]
    ordered.sort(key=lambda one: (_order(one[0]), _label(one[0])))
    readings = list(dict.fromkeys(name for one in ordered if (name := reading(one[0])) not in ("", FIGURE6)))
    return tuple(Method(_label(one[0]), _look(one[0], readings), one) for one in ordered)


def _label(record: Record) -> str:
    recipe = record["recipe"]
    read_as = reading(record)
    words = METHODS[recipe["method"]]
    if read_as == FIGURE6:
        return rf"{words}, $\gamma_A=0.005$"
    words += OPTIMIZERS[recipe["optimizer"]]
    extra = ["tuned"] if recipe["switch_to_sgd"] else []
    extra += [", ".join(SHORT.get(name, name) for name in read_as.split("+"))] if read_as else []
    return f"{words} ({', '.join(extra)})" if extra else words


def _order(record: Record) -> tuple[int, int, bool]:
    recipe = record["recipe"]
    return (
        list(METHODS).index(recipe["method"]),
        list(OPTIMIZERS).index(recipe["optimizer"]),
        "+" in recipe["name"],
    )


def _look(record: Record, readings: Sequence[str]) -> dict[str, Any]:
    recipe = record["recipe"]
    place = list(OPTIMIZERS).index(recipe["optimizer"])
    read_as = reading(record)
    if not read_as:
        return {"color": HUES[recipe["method"]][place], "linestyle": DASHES[place]}
    if read_as == FIGURE6:
        return {"color": GREEN, "linestyle": READ_DASHES[0]}
    return {
        "color": READING_HUES[readings.index(read_as) % len(READING_HUES)],
        "linestyle": READ_DASHES[place],
    }


def _runs(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"
