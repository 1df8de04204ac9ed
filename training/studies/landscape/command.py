"""`python -m training.studies.landscape` measures the adversarial loss of trained nets along a filter-normalised
direction and appends a record a run to results/landscapes.jsonl, which `figures` draws (Figure 7)."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from support.commands import guarded
from support.options import RESULTS, CommandParser, file_name, folder_name
from support.progress import duration, plain_warnings
from support.workers import in_workers
from training.cli import count, parallel, positive
from training.cli import device as device_name
from training.engine.device import Computing, cores
from training.results.landscape_record import CHECKPOINTS, landscape_key, validate_landscape
from training.results.records import append, read
from training.runs.stopping import Stop, Stopped
from training.studies.landscape.finished_runs import FinishedRun, finished_runs
from training.studies.landscape.job import Landscape, key_of, measure
from training.studies.landscape.loss import BATCH, BATCH_NORM

PROGRAM = "training.studies.landscape"
FILE = "landscapes.jsonl"
PATTERNS = ("compact-*",)
POINTS = 21  # alpha from -1 to 1 in steps of 0.1, as in the caption of Figure 7
EXAMPLES = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0; 2 for bad input or output that cannot be written; 130 and 143 when told to leave."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    plain_warnings(PROGRAM)
    what = Landscape(
        alphas=_alphas(options.points),
        examples=options.n,
        steps=options.steps,
        batch_norm=options.batch_norm,
        batch=options.batch,
        direction_seed=options.direction_seed,
        attack_seed=options.attack_seed,
        checkpoint=options.checkpoint,
    )
    if what.batch_norm == "batch" and 1 in (what.batch, what.examples % what.batch):
        raise ValueError(
            f"batch = {what.batch} with n = {what.examples} leaves a batch of one image, which has no statistics of "
            "its own: choose another --batch, or --batch-norm running"
        )
    computing = Computing(device=options.device, threads=options.threads)
    computing.prepare()
    runs = finished_runs(options.out / "runs", options.runs, options.seed)
    try:
        with Stop() as stop, stop.anywhere():
            _measure(runs, what, computing, options)
    except Stopped as stopped:
        print(f"{PROGRAM}: {stopped}; the same command goes on from there", file=sys.stderr)
        return stopped.status
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=f"python -m {PROGRAM}",
        description="Measure the adversarial loss of trained nets at w + alpha d/||d|| ||w|| (Figure 7), d a random "
        "direction scaled filter by filter, the attack found anew at every alpha. What is measured is not done again.",
    )
    parser.add_argument(
        "--runs",
        type=_patterns,
        default=PATTERNS,
        metavar="PATTERN[,PATTERN]",
        help="names of recipes, * for anything (default: compact-*)",
    )
    parser.add_argument(
        "--seed", type=count, action="append", metavar="S", help="may be given again (default: all)"
    )
    parser.add_argument(
        "--out", type=folder_name, default=RESULTS, metavar="DIR", help="that training/run.py wrote to"
    )
    parser.add_argument(
        "--checkpoint", choices=CHECKPOINTS, default=CHECKPOINTS[0], help="default: best_test"
    )
    parser.add_argument(
        "--n",
        type=positive,
        default=EXAMPLES,
        metavar="N",
        help=f"the first N training and test images (default: {EXAMPLES}, or all there are)",
    )
    parser.add_argument(
        "--points", type=_odd, default=POINTS, metavar="P", help=f"alphas from -1 to 1 (default: {POINTS})"
    )
    parser.add_argument(
        "--steps", type=positive, metavar="K", help="of the attack (default: those of the recipe's training)"
    )
    parser.add_argument(
        "--batch-norm",
        choices=list(BATCH_NORM),
        default="running",
        help="running statistics, as in every evaluation (default), or those of each batch",
    )
    parser.add_argument(
        "--batch", type=positive, default=BATCH, metavar="N", help=f"images at once (default: {BATCH})"
    )
    parser.add_argument("--direction-seed", type=count, default=0, metavar="S", help="of d (default: 0)")
    parser.add_argument("--attack-seed", type=count, default=0, metavar="S", help="of its start (default: 0)")
    parser.add_argument(
        "--data-dir", type=file_name, metavar="D", help="the folder or archive of the data set"
    )
    parser.add_argument(
        "--device", type=device_name, default="cpu", metavar="DEV", help="cpu (default), cuda, cuda:1"
    )
    parser.add_argument(
        "--threads", type=parallel, metavar="N", help="of torch (default: 1 for the small net, else all)"
    )
    parser.add_argument(
        "--jobs", type=parallel, metavar="N", help="runs at once (default: the cores, for the small net)"
    )
    return parser


def _measure(
    runs: Sequence[FinishedRun], what: Landscape, computing: Computing, options: argparse.Namespace
) -> None:
    """Appends what is missing, as it comes."""
    path = options.out / FILE
    known = [landscape_key(record) for record in read(path, validate_landscape)] if path.exists() else []
    missing = [run for run in runs if key_of(run, what, computing, options.data_dir) not in known]
    one = partial(_one, what=what, computing=computing, data_dir=options.data_dir)
    small = all(run.recipe.small for run in missing) and computing.kind == "cpu"
    workers = options.jobs or (max(1, cores() // (computing.threads or 1)) if small else 1)
    board = _Board(len(missing))

    def found(run: FinishedRun, record: dict[str, Any]) -> None:
        append(path, record, validate_landscape)
        board.done(run, record)

    if min(workers, len(missing)) <= 1:
        for run in missing:
            found(run, one(run, partial(board.report, run)))
    else:
        in_workers(one, missing, workers, found, heard=board.report, advice="try --jobs 1")
    print(
        f"{len(missing)} of {len(runs)} landscapes measured, {len(runs) - len(missing)} were there before: {path}"
    )


def _one(run: FinishedRun, say: Callable[[tuple[int, int]], None], **options: Any) -> dict[str, Any]:
    return measure(run, report=lambda done, of: say((done, of)), **options)


class _Board:
    """A line a run on stderr, and on a terminal how far the one under way is."""

    def __init__(self, runs: int) -> None:
        self.runs, self.finished = runs, 0
        self.under_way: dict[str, float] = {}  # what of it is done, 0 to 1
        self.live = sys.stderr.isatty()
        self.began = time.monotonic()

    def report(self, run: FinishedRun, losses: tuple[int, int]) -> None:
        done, of = losses
        self.under_way[run.name] = done / of
        if self.live:
            share = self.finished + sum(self.under_way.values())
            left = (time.monotonic() - self.began) * (self.runs / share - 1)
            head = f"[{self.finished}/{self.runs}] {run.name}"
            sys.stderr.write(f"\r\x1b[K{head}: {done}/{of} losses, {duration(left)} left")
            sys.stderr.flush()

    def done(self, run: FinishedRun, record: dict[str, Any]) -> None:
        self.finished += 1
        self.under_way.pop(run.name, None)
        zero = record["settings"]["alphas"].index(0)
        words = [
            f"{split} {values[zero]:.3f} to {max(values):.3f}" for split, values in record["loss"].items()
        ]
        start = "\r\x1b[K" if self.live else ""
        count = f"[{self.finished}/{self.runs}]"
        sys.stderr.write(f"{start}{count} {run.name}: {', '.join(words)}; {record['seconds']:.1f} s\n")
        sys.stderr.flush()


def _alphas(points: int) -> tuple[float, ...]:
    half = points // 2
    return tuple(step / half for step in range(-half, half + 1))


def _odd(text: str) -> int:
    value = positive(text)
    if value < 3 or value % 2 == 0:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an odd number of at least 3: 0 has to be among the alphas, such as 21"
        )
    return value


def _patterns(text: str) -> tuple[str, ...]:
    patterns = tuple(part.strip() for part in text.split(","))
    if not all(patterns):
        raise argparse.ArgumentTypeError(
            f"{text!r} has an empty entry; write names such as compact-at,svhn-*"
        )
    return patterns
