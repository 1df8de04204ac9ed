"""The command that tests the paper's sentence "EnSGD accelerates the training" (Sec. 5.3, Fig. 3): `python -m
training.studies.acceleration` makes the runs that are missing and writes results/claim_<stem>.md and .json."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from support.commands import guarded
from support.files import check_replaceable, replace_file
from support.options import RESULTS, CommandParser, file_name, folder_name
from training.cells.recipe import Recipe
from training.cells.recipes import LAPTOP_EVERY, over, recipe, usual_interval
from training.cli import device as device_name
from training.cli import parallel, positive
from training.cli import seeds as some_seeds
from training.engine.choice import ENGINES
from training.results.averages import groups
from training.results.provenance import ROOT
from training.results.records import Record, find, read
from training.studies.acceleration.comparison import aligned
from training.studies.acceleration.findings import ARMS, AT, Arm, findings
from training.studies.acceleration.page import page

PROGRAM = "training.studies.acceleration"
SEEDS = 3
EPOCHS = 15  # the drops of the learning rate come after 8 and 11 of them, so that eta' can decay
EVERY = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0; 1 where a run failed, as the page says; 2 for bad input; 130, 143 when told to leave."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    recipes = arms(options.stem, options.epochs)
    for ending in ("json", "md"):
        check_replaceable(options.out / f"claim_{options.stem}.{ending}")  # before the work
    failed: dict[str, str] = {}
    if options.train:
        # Here, so that a page is written anew without torch.
        from training.runs.stopping import Stopped

        try:
            failed = _train(options, recipes)
        except Stopped as stopped:
            print(f"{PROGRAM}: {stopped}; the same command goes on from there", file=sys.stderr)
            return stopped.status
    path = options.out / "records.jsonl"
    found = chosen(
        recipes, read(path) if path.exists() else [], options.seeds, options.device.partition(":")[0]
    )
    result = findings(recipes, found, failed, options.seeds)
    text = page(result, _figure(recipes, options.out))
    stem = f"claim_{options.stem}"
    print(text, flush=True)
    replace_file(options.out / f"{stem}.json", json.dumps(result, indent=1, allow_nan=False) + "\n")
    page_path = replace_file(options.out / f"{stem}.md", text)
    print(f"{PROGRAM}: written to {page_path} and {stem}.json", file=sys.stderr)
    return 1 if failed else 0


def arms(stem: str, epochs: int | None) -> dict[Arm, Recipe]:
    """The recipe of every arm, over `epochs` epochs; None for EPOCHS, or the laptop and compact recipes' own.

    Raises: ValueError for a stem that has no such recipes.
    """
    found = {}
    for arm in ARMS:
        base, plus, reading = arm.ending.partition("+")
        try:
            one = recipe(f"{stem}-{base}")
        except ValueError as error:
            raise ValueError(
                f"stem = {stem!r}: {error}; stems are compact, laptop, cifar10-rn18, cifar10-wrn, cifar100-rn18, "
                "svhn-rn18"
            ) from None
        wanted = epochs or (one.epochs if one.small else EPOCHS)
        found[arm] = recipe(f"{over(one, wanted).name}{plus}{reading}")
    return found


def chosen(
    recipes: dict[Arm, Recipe], records: Sequence[Record], seeds: int, device: str
) -> dict[Arm, list[Record]]:
    """The records of each arm with seeds below `seeds`, on the data, under the protocol and by the engine of AT's,
    their curves `aligned`; [] for none. Those of another engine are named on stderr."""
    found: dict[Arm, list[Record]] = {arm: [] for arm in recipes}
    records = _one_engine(recipes, records, device)
    key = None
    for arm, one in recipes.items():
        kept = groups(one, records, device=device)
        if arm is AT and kept:
            key = kept[0].key
        for group in kept:
            if group.key == key:
                found[arm] = [record for record in group.records if record["seed"] < seeds]
    flat = aligned([record for group in found.values() for record in group])
    return {
        arm: [record for record in flat if record["digest"] == one.digest] for arm, one in recipes.items()
    }


def _one_engine(recipes: dict[Arm, Recipe], records: Sequence[Record], device: str) -> list[Record]:
    """The records of these recipes that were made by the engine of AT's first one."""
    plain = groups(recipes[AT], records, device=device)
    if not plain:
        return []
    wanted = _engine(plain[0].records[0])
    mine = {one.digest for one in recipes.values()}
    others = [one for one in find(records, device=device) if one["digest"] in mine and _engine(one) != wanted]
    if others:
        names = ", ".join(sorted({_engine(one) for one in others}))
        print(
            f"{PROGRAM}: {len(others)} records of engine {names} do not count, AT's first is of {wanted}",
            file=sys.stderr,
        )
    return [one for one in records if one["digest"] in mine and _engine(one) == wanted]


def _engine(record: Record) -> str:
    return record["versions"].get("engine", "unknown")


def _figure(recipes: dict[Arm, Recipe], out: Path) -> str:
    """The command that draws the curves of these recipes from the records in a folder."""
    inside = out.resolve().is_relative_to(ROOT)
    folder = out.resolve().relative_to(ROOT) if inside else out
    names = ",".join(one.name for one in recipes.values())
    words = ["python", "-m", "figures", "--only", "figure3", "--runs", names]
    return shlex.join([*words, "--records", str(folder), "--out", str(folder / "claim_figure")])


def _train(options: argparse.Namespace, recipes: dict[Arm, Recipe]) -> dict[str, str]:
    """Makes the missing runs, one arm after the other; recipe -> why it failed, for those that did."""
    from support.progress import plain_warnings
    from training.engine.device import Computing
    from training.runs.health import TrainingFailed
    from training.runs.job import Job, satisfied
    from training.runs.progress import Board
    from training.runs.workers import run_jobs

    plain_warnings(PROGRAM)
    failed = {}
    # Seeds in turn, so that a session cut short leaves whole comparisons.
    for seed in range(options.seeds):
        for one in recipes.values():
            small = one.small
            job = Job(
                recipe=one,
                seed=seed,
                out=options.out,
                data_dir=options.data_dir,
                computing=Computing.of(
                    options.device,
                    options.engine,
                    amp=options.amp,
                    threads=options.threads or (1 if small else None),
                ),
                evaluate_every=options.evaluate_every or (usual_interval(one) if small else EVERY),
                test_examples=options.test_examples,
                autoattack="none",
            )
            path = options.out / "records.jsonl"
            if satisfied(job, read(path) if path.exists() else []):
                continue
            board = Board(1)
            try:
                run_jobs([job], 1, board)
            except TrainingFailed as error:
                failed[one.name] = " ".join(str(error).split())
                print(f"{PROGRAM}: {failed[one.name]}", file=sys.stderr)
            finally:
                board.close()
    return failed


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=f"python -m {PROGRAM}",
        description="Does EntropySGD accelerate adversarial training, and in which reading of the paper? Trains AT and "
        "AT+EntropySGD with the same seeds and batches and compares epochs and seconds to robust accuracies. What is "
        "finished is not done again, what was interrupted goes on; runs are made one at a time, for the sake of the "
        "seconds.",
    )
    parser.add_argument(
        "--stem", default="compact", metavar="S", help="such as cifar10-rn18 (default: compact)"
    )
    parser.add_argument(
        "--seeds", type=some_seeds, default=SEEDS, metavar="N", help=f"0 to N - 1 (default: {SEEDS})"
    )
    parser.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help=f"whole schedule in N epochs (default: {EPOCHS}, compact and laptop: their own)",
    )
    parser.add_argument(
        "--evaluate-every",
        type=positive,
        metavar="N",
        help=f"epochs (default: {EVERY}, compact: 1, laptop: {LAPTOP_EVERY})",
    )
    parser.add_argument(
        "--test-examples", type=positive, metavar="N", help="evaluate the first N test images"
    )
    parser.add_argument(
        "--data-dir", type=file_name, metavar="D", help="the folder or archive of the data set"
    )
    parser.add_argument(
        "--device", type=device_name, default="cpu", metavar="DEV", help="cpu (default), cuda, cuda:1"
    )
    parser.add_argument("--engine", choices=ENGINES, default="fast", help="default: fast")
    parser.add_argument(
        "--amp", choices=("off", "bf16"), help="autocast of the training forwards (default: the engine's)"
    )
    parser.add_argument("--threads", type=parallel, metavar="N", help="of torch (default: 1 for a small net)")
    parser.add_argument(
        "--train",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="make the missing runs (default); --no-train judges the records there are",
    )
    parser.add_argument("--out", type=folder_name, default=RESULTS, metavar="DIR", help="default: results")
    return parser
