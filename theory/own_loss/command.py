"""The command `python -m theory check`: its options, and its answer on stdout or one line on stderr."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from support.progress import Progress
from theory.cli import assignments, fraction_or_float, name_list, number_list
from theory.ledger.show import console
from theory.own_loss.analysis import check_loss
from theory.own_loss.clock import SECONDS
from theory.own_loss.problem import NORMS
from theory.own_loss.text import LossReport


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser (best a `theory.cli.CommandParser`) the options of `python -m theory check`."""
    parser.add_argument(
        "--loss", required=True, metavar="EXPR", help="the loss, such as log(1+exp(-y*(t1*x1+t2*x2)))"
    )
    parser.add_argument(
        "--x", required=True, type=name_list, metavar="NAMES", help="input symbols, such as x1,x2"
    )
    parser.add_argument(
        "--theta", required=True, type=name_list, metavar="NAMES", help="parameters, such as t1,t2"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=assignments,
        metavar="NAME=NUMBER",
        help="other symbols, such as y=1",
    )
    parser.add_argument("--norm", choices=NORMS, default="l2", help="norm of the ball (default l2)")
    parser.add_argument(
        "--epsilon", required=True, type=fraction_or_float, help="its radius, such as 0.6 or 8/255"
    )
    parser.add_argument(
        "--center", required=True, type=number_list, metavar="NUMBERS", help="the clean input, such as -1,1"
    )
    parser.add_argument(
        "--at", required=True, type=number_list, metavar="NUMBERS", help="the parameter, such as 1,0.5"
    )
    parser.add_argument(
        "--seconds",
        type=fraction_or_float,
        default=SECONDS,
        metavar="S",
        help=f"time that it may take (default {SECONDS:g})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def run_check(args: argparse.Namespace) -> int:
    """Run `check` on parsed arguments: the report on stdout and 0, or one line on stderr and 2."""
    try:
        with Progress("python -m theory check") as progress:
            report = check_loss(
                args.loss,
                args.x,
                args.theta,
                center=args.center,
                at=args.at,
                epsilon=args.epsilon,
                norm=args.norm,
                values=_merged(args.set),
                seconds=float(args.seconds),
                tell=lambda doing: progress.at(0, doing),
            )
    except ValueError as error:
        print("python -m theory check: " + " ".join(str(error).split()), file=sys.stderr)
        return 2
    if args.json:
        print(report.to_json())
    else:
        _show(report)
    return 0


def _merged(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for mapping in settings:
        repeated = [name for name in mapping if name in merged]
        if repeated:
            raise ValueError(f"--set gives {repeated[0]!r} twice; set each name once")
        merged.update(mapping)
    return merged


def _show(report: LossReport) -> None:
    """Print the report; headings are bold in a terminal and plain in a pipe."""
    screen = console()
    for line in str(report).splitlines():
        heading = "bold" if line and not line.startswith(" ") else None
        screen.print(line, style=heading, markup=False, emoji=False, soft_wrap=True)
