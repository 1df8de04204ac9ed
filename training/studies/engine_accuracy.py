"""Compares the engines by what they train: `python -m training.studies.engine_accuracy` reads the records of the same
short runs under each and says whether the mean robust accuracies over seeds lie within 1.5 points."""

from __future__ import annotations

if __name__ == "__main__":  # before anything that takes long to load
    from support.commands import interruptible

    interruptible("training.studies.engine_accuracy")

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from support.commands import guarded
from support.options import CommandParser, folder_name
from training.cells.recipes import recipe
from training.cli import positive
from training.cli import seeds as some_seeds
from training.results.averages import listed
from training.results.records import Record, find, read

PROGRAM = "training.studies.engine_accuracy"
ALLOWED = 1.5  # points between the means
SEEDS = 3
EPOCHS = 5


def gap(fast: Sequence[Record], reference: Sequence[Record]) -> float:
    """The mean PGD-20 accuracy after the last epoch under fast minus that under reference, in points.

    Raises: ValueError for records that are not of the engine they are given for, whose seeds, data, devices or numbers
    of test images differ, or of which there are none.
    """
    for name, records in (("fast", fast), ("reference", reference)):
        engines = {record["versions"].get("engine", "unknown") for record in records}
        if engines != {name}:
            raise ValueError(
                f"records of engine {name} are needed, these are of {', '.join(sorted(engines)) or 'none'}"
            )
    seeds, its = ([record["seed"] for record in records] for records in (fast, reference))
    if sorted(seeds) != sorted(its):
        raise ValueError(
            f"fast has seeds {listed(sorted(seeds))}, reference {listed(sorted(its))}: make the missing ones"
        )
    for what in ("data", "device"):
        values = sorted({record[what] for record in (*fast, *reference)})
        if len(values) > 1:
            raise ValueError(
                f"{what} is {' and '.join(values)}: runs that differ in more than the engine say nothing about it; "
                + (
                    "choose with --device"
                    if what == "device"
                    else "repeat them on one, in folders of their own"
                )
            )
    sizes = {record["selection"]["last"]["n_test"] for record in (*fast, *reference)}
    if len(sizes) > 1:
        raise ValueError(
            f"the runs were judged on {listed(sorted(sizes))} test images: repeat them with one number"
        )
    ours, theirs = (
        mean(record["selection"]["last"]["pgd20"] for record in some) for some in (fast, reference)
    )
    return 100 * (ours - theirs)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 where all recipes agree; 1 where one does not; 2 for bad input or missing runs."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    agree = True
    for name in options.recipe:
        fast, reference = (
            _records(folder, name, options.epochs, options.seeds, options.device)
            for folder in (options.fast, options.reference)
        )
        found = gap(fast, reference)
        agree &= abs(found) <= ALLOWED
        print(
            f"{name}: fast minus reference {found:+.2f} points of PGD-20 after {options.epochs} epochs, "
            f"{len(fast)} seeds, {fast[0]['selection']['last']['n_test']:,} test images: "
            f"{'within' if abs(found) <= ALLOWED else 'not within'} {ALLOWED}"
        )
    return 0 if agree else 1


def _records(folder: Path, name: str, epochs: int, seeds: int, device: str | None) -> list[Record]:
    """The newest record of each seed, made on the device; None for any."""
    there = find(read(folder / "records.jsonl"), digest=recipe(name).digest, device=device)
    found = {one["seed"]: one for one in there if one["epochs_run"] == epochs and one["seed"] < seeds}
    missing = sorted(set(range(seeds)) - set(found))
    if missing:
        where = f" on {device}" if device else ""
        raise ValueError(
            f"{folder}: {name} over {epochs} epochs{where} lacks seed {listed(missing)}: run it with --epochs {epochs} "
            f"--out {folder}"
        )
    return [found[seed] for seed in sorted(found)]


def _parser() -> CommandParser:
    parser = CommandParser(prog=f"python -m {PROGRAM}", description="Compare what the two engines train.")
    add = parser.add_argument
    add(
        "--fast",
        type=folder_name,
        required=True,
        metavar="DIR",
        help="of the records made with --engine fast",
    )
    add(
        "--reference",
        type=folder_name,
        required=True,
        metavar="DIR",
        help="of those made with --engine reference",
    )
    add("--recipe", action="append", required=True, metavar="NAME", help="may be given several times")
    add(
        "--device",
        choices=("cpu", "cuda"),
        help="only runs made on it (default: all, which then have to agree)",
    )
    add("--epochs", type=positive, default=EPOCHS, metavar="N", help=f"that were run (default: {EPOCHS})")
    add("--seeds", type=some_seeds, default=SEEDS, metavar="N", help=f"0 to N - 1 (default: {SEEDS})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
