"""`python -m theory`: the ledger of the paper's statements; `show`, `report` and `check` are its commands."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from theory import ledger, report, show
from theory.cli import CommandParser
from theory.own_loss.command import add_check_arguments, run_check
from theory.statements import load


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 1 when the ledger contradicts its pinned verdicts, 2
    on bad input."""
    for stream in (sys.stdout, sys.stderr):
        # Under an encoding without the characters of a matrix or a table, show escapes rather than fail.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError) as error:
        return _refuse(" ".join(str(error).split()))
    except KeyboardInterrupt:
        print("theory: stopped; nothing was written", file=sys.stderr)
        return 130


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m theory", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the ledger as a JSON list of objects")
    parser.set_defaults(run=_ledger)
    commands = parser.add_subparsers(title="commands", metavar="")

    one = commands.add_parser("show", help="one claim's derivation, step by step")
    one.add_argument(
        "claim", help="a claim's id such as lemma5, a statement such as prop1, or an equation such as eq32"
    )
    one.add_argument(
        "--dim", type=_dimension, metavar="D", help="also write the derivation out in D coordinates"
    )
    one.set_defaults(run=_show)

    whole = commands.add_parser("report", help="write theory.md, theory.json and theory.tex")
    whole.add_argument(
        "--out", type=Path, default=Path("results"), metavar="DIR", help="where (default: results)"
    )
    whole.set_defaults(run=_report)

    own = commands.add_parser("check", help="the same machinery on a loss of your own")
    add_check_arguments(own)
    own.set_defaults(run=run_check)
    return parser


def _ledger(arguments: argparse.Namespace) -> int:
    rows = _decided()
    if arguments.json:
        print(report.as_json(rows), end="")
    else:
        show.print_table(rows, show.console())
    return _agreement(rows)


def _show(arguments: argparse.Namespace) -> int:
    name, screen = arguments.claim, show.console()
    # An id comes first: `eq22` is a claim, and its related claims name the others of that equation.
    is_id = any(claim.id == name for claim in load())
    number, members = (None, []) if is_id else (ledger.equation_number(name), ledger.family(name))
    if (number is not None or members) and arguments.dim is not None:
        raise ValueError(f"dim = {arguments.dim}: {name} stands for several claims; show one of them instead")
    if number is not None:
        covering = [claim for claim in load() if number in claim.equations]
        show.print_references(f"Eq. ({number}) is decided by", covering, screen)
    elif members:
        show.print_references(f"{name} is told in", members, screen)
    else:
        show.print_claim(ledger.find(name), screen, arguments.dim)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    report.make_folder(arguments.out)
    rows = _decided()
    paths = report.write(rows, arguments.out)
    for line in (*show.summary(rows), *show.headlines(rows)):
        print(line)
    print(f"written in {time.perf_counter() - started:.0f} s: {', '.join(map(str, paths))}")
    return _agreement(rows)


def _decided() -> list[ledger.Row]:
    """The ledger's rows, with a progress bar on stderr where that is a terminal, or a few lines where it is
    not."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        return ledger.rows(_say_progress)
    columns = (
        TextColumn("deciding"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("statement files"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("deciding", total=None)
        return ledger.rows(lambda done, total: progress.update(task, completed=done, total=total))


def _say_progress(done: int, total: int) -> None:
    if done % 16 == 0 or done == total:
        print(f"theory: {done} of {total} statement files decided", file=sys.stderr, flush=True)


def _agreement(rows: Sequence[ledger.Row]) -> int:
    """1, with a line each on stderr, when a computed verdict is not the pinned one; a changed library could
    do that."""
    wrong = [row for row in rows if row.verdict != row.expected]
    for row in wrong:
        print(f"theory: {row.id} came out {row.verdict}, the ledger expects {row.expected}", file=sys.stderr)
    return 1 if wrong else 0


def _dimension(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of coordinates, at least 1")
    return int(text)


def _refuse(message: str) -> int:
    print(f"theory: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
