"""`python -m training.studies.probe` measures how smooth the adversarial loss of the compact table's nets is, training
those that are not there, and answers four questions about the paper's Lemmas 4 and 5 in results/probe.md and .json."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.commands import guarded
from support.files import replace_file
from support.options import RESULTS, CommandParser, folder_name
from support.progress import Progress, plain_warnings
from training.cells.recipes import RECIPES
from training.cli import count, fraction, positive
from training.engine.device import Computing
from training.results.probe_record import probe_key, validate_probe
from training.results.records import append, read
from training.runs.stopping import Stop, Stopped
from training.studies.probe.findings import findings
from training.studies.probe.measurement import What, measured
from training.studies.probe.nets import Shelf, Wanted, along_training, with_penalties
from training.studies.probe.page import answers, page

PROGRAM = "training.studies.probe"
EPOCHS = (1, 5, 10, 30)  # and the selected one
SEEDS = (0, 1, 2)
STUDIED = ("silu-at", "silu-at-ensgd", "silu-awp", "compact-at", "compact-at-ensgd", "compact-awp")
LINF, L2 = 0.15, 0.6  # the compact table's radius, and that of about 16 pixels moved by it
IMAGES, SECOND, RESTARTS, JUMPS = 20, 4, 3, 4
SMALL = {"recipes": ("compact-at", "silu-at"), "seeds": (0,), "n": 12, "second": 4, "restarts": 3, "jumps": 0}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0; 2 for bad input or output that cannot be written; 130 and 143 when told to leave."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    plain_warnings(PROGRAM)
    if options.small:
        for name, value in SMALL.items():
            setattr(options, name, value)
    stem = "probe_small" if options.small else "probe"
    Computing.of("cpu", "fast", threads=1).prepare()
    path = options.out / f"{stem}.jsonl"
    try:
        with Stop() as stop:
            _measure(options, path, stop)
    except Stopped as stopped:
        print(f"{PROGRAM}: {stopped}; the same command goes on from there", file=sys.stderr)
        return stopped.status
    _write(path, stem)
    return 0


def _measure(options: argparse.Namespace, path: Path, stop: Stop) -> None:
    """Appends the records that are missing, the last epochs first."""
    shelf = Shelf(options.nets, options.out / "probe_nets")
    known = [probe_key(one) for one in read(path, validate_probe)] if path.exists() else []
    wanted = [(net, norm) for net in _nets(options) for norm in options.norms]
    with Progress(PROGRAM, len(wanted)) as progress:
        for done, (one, norm) in enumerate(wanted):
            progress.at(done, f"{one.name}, {norm}")
            model, data, net = shelf.take(one, stop)
            selected = one.epoch is None and one.penalty is None
            radius = options.linf if norm == "linf" else options.l2
            what = What(norm, radius, options.n, options.second, options.restarts, options.jumps * selected)
            if {"net": net, "settings": what.settings} in known:
                continue
            with stop.anywhere():
                record = measured(model, data, net, what)
            append(path, record, validate_probe)
            progress.line(f"{one.name}, {norm}: {record['seconds']:.1f} s")


def _nets(options: argparse.Namespace) -> list[Wanted]:
    if options.small:
        return [Wanted(name, seed, None) for seed in options.seeds for name in options.recipes]
    finished, earlier = (
        along_training(options.recipes, options.seeds, epochs)
        for epochs in ((EPOCHS[-1], None), EPOCHS[-2::-1])
    )
    return [*finished, *(with_penalties(options.seeds) if options.penalties else ()), *earlier]


def _write(path: Path, stem: str) -> None:
    found = findings(read(path, validate_probe))
    found["answers"] = answers(found)
    text = page(found)
    print(text, flush=True)
    replace_file(path.with_name(f"{stem}.json"), json.dumps(found, indent=1, allow_nan=False) + "\n")
    replace_file(path.with_name(f"{stem}.md"), text)


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=f"python -m {PROGRAM}",
        description="How smooth is the adversarial loss of trained nets, and why? For each net, the attacks to a slope "
        "of 1e-8, what holds them, how fast they move with the weights beside the constants of Lemmas 4 and 5, and how "
        "fast the gradient of L_eps turns. Nets that are not there are trained; what is measured is not done again.",
    )
    digits = tuple(name for name, one in RECIPES.items() if one.dataset == "digits")
    parser.add_argument(
        "--recipes",
        type=_names(digits),
        default=STUDIED,
        metavar="NAME[,NAME]",
        help=f"of digits (default: {','.join(STUDIED)})",
    )
    parser.add_argument("--seeds", type=_seeds, default=SEEDS, metavar="S[,S]", help="default: 0,1,2")
    parser.add_argument(
        "--norms",
        type=_names(("linf", "l2")),
        default=("linf", "l2"),
        metavar="NORM[,NORM]",
        help="default: linf,l2",
    )
    parser.add_argument(
        "--linf", type=fraction, default=LINF, metavar="EPS", help=f"radius (default: {LINF})"
    )
    parser.add_argument("--l2", type=fraction, default=L2, metavar="EPS", help=f"radius (default: {L2})")
    parser.add_argument(
        "--n",
        type=positive,
        default=IMAGES,
        metavar="N",
        help=f"training and test images each (default: {IMAGES})",
    )
    parser.add_argument(
        "--second",
        type=count,
        default=SECOND,
        metavar="N",
        help=f"of which speeds are measured (default: {SECOND})",
    )
    parser.add_argument(
        "--restarts",
        type=positive,
        default=RESTARTS,
        metavar="N",
        help=f"starts of a search (default: {RESTARTS})",
    )
    parser.add_argument(
        "--jumps",
        type=count,
        default=JUMPS,
        metavar="N",
        help=f"training images followed over a step (default: {JUMPS})",
    )
    parser.add_argument(
        "--penalties",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also nets with an input-gradient penalty (default)",
    )
    parser.add_argument(
        "--small",
        action="store_true",
        help="two selected nets and a dozen images, in a minute: probe_small.md",
    )
    parser.add_argument(
        "--nets",
        type=folder_name,
        action="append",
        default=[RESULTS],
        metavar="DIR",
        help="where training/run.py wrote nets to; may be given again",
    )
    parser.add_argument("--out", type=folder_name, default=RESULTS, metavar="DIR", help="default: results")
    return parser


def _names(known: Sequence[str]) -> Any:
    def names(text: str) -> tuple[str, ...]:
        found = tuple(part.strip() for part in text.split(","))
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return found

    return names


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(count(part) for part in text.split(","))
