"""`python training/run.py` trains recipes and renders the tables from their records; `--help` says more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__" and not __package__:
    # As a script the folder of this file comes first, where our modules are not packages of anything.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

if __name__ == "__main__":  # before anything that takes long to load
    from support.commands import interruptible

    interruptible("training/run.py")

from support.commands import guarded
from support.files import changing, check_replaceable, replace_file
from support.options import RESULTS, CommandParser, file_name, folder_name
from training.cells.published import PUBLISHED
from training.cells.readings import under
from training.cells.recipe import Recipe
from training.cells.recipes import (
    COMPACT_RECIPES,
    LAPTOP_AUTOATTACK,
    LAPTOP_EVERY,
    LAPTOP_RECIPES,
    LAPTOP_TABLE,
    RECIPES,
    held_out,
    listing,
    recipe,
    usual_interval,
)
from training.cli import count, parallel, part, positive
from training.cli import device as device_name
from training.cli import seeds as some_seeds
from training.engine.choice import ENGINES
from training.results.records import Record, merge, read
from training.results.tables import TABLES, render

if TYPE_CHECKING:
    from training.runs.job import Job

PROGRAM = "training/run.py"
SEEDS = 3
RECORDS = "records.jsonl"
SUFFIXES = {"markdown": ".md", "latex": ".tex"}
MODES = ("table", "all", "none")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0; 1 for a run that failed; 2 for bad input or output; 130 and 143 when told to leave."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        print(listing())
        return 0
    if options.merge:
        added = merge(options.out / RECORDS, [folder / RECORDS for folder in options.merge])
        print(f"{PROGRAM}: {added} records joined those in {options.out}", file=sys.stderr)
    if options.render or options.merge:
        _render(options, _asked(options))
        return 0
    recipes = _recipes(options)
    status, failed = _train(options, recipes) if recipes else (0, [])
    if status == 0 or failed:
        _render(options, _asked(options))
    for run in failed:
        print(f"{PROGRAM}: failed: {run}", file=sys.stderr)
    return status


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=PROGRAM,
        description="Train the cells of the paper's Tables 1-3 and render the tables. Alone: the compact table, six "
        "methods x 3 seeds on digits. What is finished is not done again, what was interrupted goes on.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="show the recipes and what sets them apart")
    what.add_argument("--render", action="store_true", help="render all tables from the records there are")
    what.add_argument(
        "--merge",
        nargs="+",
        type=folder_name,
        metavar="FOLDER",
        help="add the records of other --out folders to those of --out, then as --render",
    )
    what.add_argument(
        "--recipe", metavar="NAME", help="one recipe, such as compact-awp or cifar10-rn18-at+code"
    )
    what.add_argument(
        "--table",
        choices=[*PUBLISHED, "laptop", "compact"],
        help="every recipe of a table: 1, 2, 3 of the paper, the laptop's",
    )
    seeds = parser.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=count, metavar="S", help="one seed (default with --recipe: 0)")
    seeds.add_argument("--seeds", type=some_seeds, metavar="N", help=f"seeds 0 to N - 1 (default: {SEEDS})")
    parser.add_argument(
        "--data-dir", type=file_name, metavar="D", help="the folder or archive of the data set's files"
    )
    parser.add_argument("--download", action="store_true", help="fetch the data set into --data-dir first")
    parser.add_argument("--out", type=folder_name, default=RESULTS, metavar="DIR", help="default: results")
    parser.add_argument("--epochs", type=positive, metavar="N", help="stop after N; the record says so")
    parser.add_argument("--validation", type=count, metavar="N", help="training images to hold out")
    parser.add_argument(
        "--reading",
        action="append",
        default=[],
        metavar="R",
        help="with a table: read it so, where that fits (--list)",
    )
    parser.add_argument(
        "--autoattack", choices=MODES, default="table", help="checkpoints it is run on (default: the table's)"
    )
    parser.add_argument(
        "--autoattack-examples", type=positive, metavar="N", help="of the test images evaluated"
    )
    parser.add_argument(
        "--test-examples", type=positive, metavar="N", help="evaluate the first N test images"
    )
    parser.add_argument(
        "--evaluate-every",
        type=positive,
        metavar="N",
        help=f"epochs (default: 1, on a laptop {LAPTOP_EVERY})",
    )
    parser.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go on where a run stopped, and skip finished ones (default); --no-resume sets them aside",
    )
    parser.add_argument(
        "--device",
        type=device_name,
        metavar="DEV",
        help="cpu (default), cuda, cuda:1; only its runs are rendered",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="fast",
        help="how runs are computed: fast (default), or reference, eager float32 as in the public codes",
    )
    # None: as the engine has it on the device.
    parser.add_argument(
        "--amp", choices=("off", "bf16"), help="autocast of the training forwards (default: the engine's)"
    )
    parser.add_argument(
        "--channels-last",
        action=argparse.BooleanOptionalAction,
        help="memory format of images and convolutions (default: the engine's)",
    )
    parser.add_argument(
        "--tf32",
        action=argparse.BooleanOptionalAction,
        help="let a GPU round the factors of float32 products (default: the engine's)",
    )
    parser.add_argument(
        "--threads", type=parallel, metavar="N", help="of torch (default: 1 for the small net, else all)"
    )
    parser.add_argument(
        "--jobs", type=parallel, metavar="N", help="runs at once (default: the cores, for the small net)"
    )
    parser.add_argument(
        "--retries",
        type=count,
        default=0,
        metavar="N",
        help="times a run goes on from its checkpoint when its process was killed, as for want of memory (default: 0)",
    )
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="a failed run does not stop the others; they are listed at the end, and the exit status is 1",
    )
    parser.add_argument(
        "--shard",
        type=part,
        metavar="I/N",
        help="the I-th of N parts of the runs, as for the jobs of an array; all may write to one --out",
    )
    parser.add_argument(
        "--checkpoint-seconds", type=count, default=30, metavar="N", help="between two (default: 30)"
    )
    return parser


def _asked(options: argparse.Namespace) -> list[str]:
    """The tables the command is about."""
    if options.render or options.merge:
        return list(TABLES)
    return [options.table] if options.table else [] if options.recipe is not None else ["compact"]


def _recipes(options: argparse.Namespace) -> list[Recipe]:
    if options.recipe is not None:
        found = [recipe(options.recipe)]
    elif options.table == "laptop":
        found = list(LAPTOP_RECIPES if options.reading else LAPTOP_TABLE)
    elif options.table in PUBLISHED:
        found = [RECIPES[name] for name in PUBLISHED[options.table].cells]
    else:
        found = list(COMPACT_RECIPES)
    if options.reading:
        found = under(options.reading, found)
    return found if options.validation is None else [held_out(one, options.validation) for one in found]


def _train(options: argparse.Namespace, recipes: Sequence[Recipe]) -> tuple[int, list[str]]:
    """Makes the runs that are missing. The exit status, and a line for each run that failed while others went on."""
    # Here, so that --list and --render do without torch.
    from support.progress import plain_warnings
    from training.runs.health import TrainingFailed
    from training.runs.job import satisfied
    from training.runs.progress import Board
    from training.runs.stopping import Stopped
    from training.runs.workers import run_jobs

    plain_warnings(PROGRAM)
    if options.download:
        _download(options, recipes)
    for name in (RECORDS, *(f"tables{suffix}" for suffix in SUFFIXES.values())):
        check_replaceable(options.out / name)  # before the work
    jobs = _part(options, _jobs(options, recipes))
    records = _records(options)
    missing = [job for job in jobs if not satisfied(job, records)]
    if len(missing) < len(jobs):
        print(
            f"{PROGRAM}: {len(jobs) - len(missing)} of {len(jobs)} runs were finished before", file=sys.stderr
        )
    board = Board(len(missing))
    try:
        workers = _workers(options, missing)
        failed = run_jobs(missing, workers, board, retries=options.retries, keep_going=options.keep_going)
    except TrainingFailed as error:
        print(f"{PROGRAM}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1, []
    except Stopped as stopped:
        print(f"{PROGRAM}: {stopped}; the same command goes on from there", file=sys.stderr)
        return stopped.status, []
    finally:
        board.close()
    return int(bool(failed)), failed


def _jobs(options: argparse.Namespace, recipes: Sequence[Recipe]) -> list[Job]:
    from training.engine.device import Computing
    from training.runs.job import Job

    if options.seed is not None:
        seeds = [options.seed]
    else:
        seeds = list(range(options.seeds or (1 if options.recipe is not None else SEEDS)))
    return [
        Job(
            recipe=one,
            seed=seed,
            out=options.out,
            data_dir=options.data_dir,
            computing=Computing.of(
                options.device or "cpu",
                options.engine,
                amp=options.amp,
                channels_last=options.channels_last,
                tf32=options.tf32,
                # More than one gain nothing on so small a net, and the result must not depend on the machine.
                threads=options.threads or (1 if one.small else None),
            ),
            epochs=options.epochs,
            evaluate_every=options.evaluate_every or usual_interval(one),
            test_examples=options.test_examples,
            autoattack=options.autoattack,
            autoattack_examples=options.autoattack_examples
            or (LAPTOP_AUTOATTACK if one.model == "strided" else None),
            checkpoint_seconds=options.checkpoint_seconds,
            resume=options.resume,
        )
        for seed in seeds
        for one in recipes
    ]


def _part(options: argparse.Namespace, jobs: list[Job]) -> list[Job]:
    """Those of --shard: parts that follow each other, of equal size but for one, finished runs counted too."""
    if options.shard is None:
        return jobs
    number, parts = options.shard
    mine = jobs[(number - 1) * len(jobs) // parts : number * len(jobs) // parts]
    print(f"{PROGRAM}: part {number}/{parts}: {len(mine)} of {len(jobs)} runs", file=sys.stderr)
    return mine


def _workers(options: argparse.Namespace, jobs: Sequence[Job]) -> int:
    from training.engine.device import cores

    if options.jobs:
        return options.jobs
    small = all(job.recipe.small and job.computing.kind == "cpu" for job in jobs)
    return max(1, cores() // (options.threads or 1)) if small else 1


def _download(options: argparse.Namespace, recipes: Sequence[Recipe]) -> None:
    from support.progress import Progress
    from training.data import download

    if options.data_dir is None:
        raise ValueError("--download needs --data-dir, the folder the files are to lie in")
    with Progress(PROGRAM) as shown:
        for name in dict.fromkeys(one.dataset for one in recipes):
            if name != "digits":
                download(
                    name, options.data_dir, lambda file, done, of: shown.at(done, _fetched(file, done, of))
                )


def _fetched(file: str, done: int, of: int) -> str:
    """`file: 12 of 170 MB`."""
    return f"{file}: {done // 10**6} of {of // 10**6 if of else '?'} MB"


def _records(options: argparse.Namespace) -> list[Record]:
    path = options.out / RECORDS
    return read(path) if path.exists() else []


def _render(options: argparse.Namespace, shown: Sequence[str]) -> None:
    """Prints some of the tables, and writes all of them below --out, as Markdown and LaTeX."""
    # Of several that end at once, the last one to write has read the records of all.
    with changing(options.out / "tables.md"):
        records = _records(options)
        texts: Mapping[str, dict[str, str]] = {
            style: {table: _table(options, table, records, style) for table in TABLES} for style in SUFFIXES
        }
        for style, suffix in SUFFIXES.items():
            replace_file(options.out / f"tables{suffix}", "\n\n".join(texts[style].values()) + "\n")
    if shown:
        print("\n\n".join(texts["markdown"][table] for table in shown), flush=True)
    print(f"{PROGRAM}: written to {options.out}: tables.md and tables.tex, from {RECORDS}", file=sys.stderr)


def _table(options: argparse.Namespace, table: str, records: Sequence[Record], style: str) -> str:
    readings = options.reading if table == options.table else ()
    device = options.device.partition(":")[0] if options.device else None
    seeds = options.seeds if table in _asked(options) else None
    return render(table, records, style=style, readings=readings, device=device, seeds=seeds)


if __name__ == "__main__":
    sys.exit(main())
