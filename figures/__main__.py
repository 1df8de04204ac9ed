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
from theory.guard import guarded


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
    from figures.files import write_page
    from theory.results import make_folder

    make_folder(arguments.out)
    started = time.perf_counter()
    absent = draw(chosen, arguments.out, Settings(bounds=arguments.bounds), _say)
    for name, reason in absent.items():
        print(f"figures: {name} is left out: {reason}", file=sys.stderr)
    page = write_page(arguments.out, absent)
    drawn = f"{len(chosen) - len(absent)} of {len(chosen)} figures drawn"
    print(f"{drawn} in {time.perf_counter() - started:.0f} s: {page}")
    return 2 if len(absent) == len(chosen) else 0


def _parser() -> argparse.ArgumentParser:
    from theory.cli import CommandParser, folder_name, name_list

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
        type=Path,
        default=Settings.bounds,
        metavar="FILE",
        help="what `python -m numerics bounds` wrote (default: results/bounds.json)",
    )
    parser.add_argument(
        "--list", action="store_true", help="print the names of the figures and what they show"
    )
    return parser


def _say(done: int, total: int, name: str) -> None:
    print(f"figures: {done} of {total} drawn, {name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
