"""`python -m figures`: draws the figures and writes the page that shows them, results/figures/README.md."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from figures.drawing import draw
from figures.plate import PLATES, Settings, plates
from numerics.one_core import THREAD_COUNTS
from support.commands import guarded, start
from support.progress import Progress


def main(argv: Sequence[str] | None = None) -> int:
    """Draws; its exit status is 0, 2 on bad input or files that cannot be written, 130 when interrupted."""
    return guarded("figures", lambda: run(argv))


def run(argv: Sequence[str] | None) -> int:
    """The command itself."""
    arguments = _parser().parse_args(argv)
    if arguments.list:
        width = max(len(plate.name) for plate in PLATES)
        print("\n".join(f"{plate.name:{width}}  {plate.what}" for plate in PLATES))
        return 0
    chosen = plates(arguments.only)
    # One thread a worker: they share the cores, and sums in another order would move the last digits.
    for variable in THREAD_COUNTS:
        os.environ.setdefault(variable, "1")
    # Nothing is shown on a screen or dated: a slip in these would only end matplotlib's import, or its writing.
    os.environ["MPLBACKEND"] = "agg"
    os.environ.pop("SOURCE_DATE_EPOCH", None)
    from figures.files import captions, write_page
    from support.files import make_folder

    make_folder(arguments.out)
    captions(arguments.out, {plate.name for plate in chosen})  # of the others, for the page
    started = time.perf_counter()
    settings = Settings(bounds=arguments.bounds, results=arguments.records, runs=arguments.runs)
    with Progress("figures", len(chosen)) as shown:
        shown.at(0, "drawing")

        def drawn(done: int, total: int, name: str) -> None:
            shown.line(f"{done} of {total} drawn, {name}")
            shown.at(done, "drawing")

        absent = draw(chosen, arguments.out, settings, drawn)
    for reason in dict.fromkeys(absent.values()):
        names = [plate.name for plate in chosen if absent.get(plate.name) == reason]
        verb = "is" if len(names) == 1 else "are"
        print(f"figures: {', '.join(names)} {verb} left out: {reason}", file=sys.stderr)
    if len(absent) == len(chosen):
        return 2  # the page stays as it was
    page = write_page(arguments.out, absent)
    drawn_of = f"{len(chosen) - len(absent)} of {len(chosen)} figures drawn"
    print(f"{drawn_of} in {time.perf_counter() - started:.0f} s: {page}")
    return 0


def _parser() -> argparse.ArgumentParser:
    from support.options import CommandParser, file_name, folder_name
    from theory.cli import name_list

    parser = CommandParser(prog="python -m figures", description=__doc__)
    parser.add_argument(
        "--only",
        type=name_list,
        default=(),
        metavar="NAME[,NAME]",
        help="draw these alone (default: all; see --list)",
    )
    parser.add_argument(
        "--out",
        type=folder_name,
        default=Path("results/figures"),
        metavar="DIR",
        help="where (default: results/figures)",
    )
    parser.add_argument(
        "--bounds",
        type=file_name,
        default=Settings.bounds,
        metavar="FILE",
        help="what `python -m numerics bounds` wrote (default: results/bounds.json)",
    )
    parser.add_argument(
        "--records",
        type=folder_name,
        default=Settings.results,
        metavar="DIR",
        help="where the trainer's records lie, for figures 3, 6 and 7 (default: results)",
    )
    parser.add_argument(
        "--runs",
        type=_patterns,
        default=Settings.runs,
        metavar="PATTERN[,PATTERN]",
        help="the recipes they show, such as cifar10-rn18-* (default: those of the compact table)",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the names of the figures and what they show"
    )
    return parser


def _patterns(text: str) -> tuple[str, ...]:
    patterns = tuple(part.strip() for part in text.split(","))
    if not all(patterns):
        raise argparse.ArgumentTypeError(
            f"{text!r} has an empty entry; write names of recipes, * for anything, such as cifar10-rn18-*"
        )
    return patterns


if __name__ == "__main__":
    start("figures", main)
