"""The commands of `python -m theory`: the ledger, `show`, `report` and `check`, their options and answers."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from support.files import make_folder
from support.options import RESULTS, CommandParser, folder_name
from theory.certificates.command import add_coq_arguments, add_verify_arguments, known_line
from theory.ledger import report, show
from theory.ledger import rows as ledger
from theory.ledger.new import next_steps, write_new
from theory.ledger.paper import DEFAULT, Paper, open_paper
from theory.own_loss.command import add_check_arguments, run_check

WHAT = "The ledger of a paper's statements: which hold, how that is known, what is right where one fails."


def run(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, or 1 when the ledger contradicts its pinned verdicts.

    Raises ValueError for bad input, and SystemExit(2), having said why, where the options themselves are bad.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.ledger_json and arguments.command is not None:
        where = "write it after check" if arguments.command == "check" else f"{arguments.command} prints none"
        parser.error(f"--json before {arguments.command} is for the ledger alone; {where}")
    if arguments.paper != DEFAULT and arguments.command in ("check", "new"):
        parser.error(f"--paper is for the ledger, show and report; {arguments.command} takes none")
    return arguments.run(arguments)


def _parser() -> CommandParser:
    parser = CommandParser(prog="python -m theory", description=WHAT)
    parser.add_argument(
        "--paper",
        type=folder_name,
        default=DEFAULT,
        metavar="FOLDER",
        help="a paper's folder, with paper.py and statement files (default: the paper of this project)",
    )
    parser.add_argument(
        "--json", action="store_true", dest="ledger_json", help="print the ledger as a JSON list of objects"
    )
    parser.set_defaults(run=_ledger)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

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
        "--out", type=folder_name, default=RESULTS, metavar="DIR", help="where (default: results)"
    )
    whole.set_defaults(run=_report)

    start = commands.add_parser(
        "new", help="write a folder for a paper of your own, with three worked claims"
    )
    start.add_argument(
        "folder", type=folder_name, metavar="FOLDER", help="where; it must not exist, or be empty"
    )
    start.set_defaults(run=_new)

    add_verify_arguments(
        commands.add_parser("verify", help="the stored certificates, checked without sympy and z3")
    )
    add_coq_arguments(commands.add_parser("coq", help="the certified implications as lemmas for Coq"))

    own = commands.add_parser("check", help="the same machinery on a loss of your own")
    add_check_arguments(own)
    own.set_defaults(run=run_check)
    return parser


def _ledger(arguments: argparse.Namespace) -> int:
    paper = open_paper(arguments.paper)
    rows = _decided(paper)
    if arguments.ledger_json:
        print(report.as_json(rows), end="")
    else:
        show.print_table(rows, paper, show.console())
    return _agreement(rows)


def _show(arguments: argparse.Namespace) -> int:
    name, screen, paper = arguments.claim, show.console(), open_paper(arguments.paper)
    # An id comes first: `eq22` is a claim, and its related claims name the others of that equation.
    an_id = ledger.is_id(name, paper)
    number, members = (
        (None, []) if an_id else (ledger.equation_number(name, paper), ledger.family(name, paper))
    )
    if (number is not None or members) and arguments.dim is not None:
        raise ValueError(f"dim = {arguments.dim}: {name} stands for several claims; show one of them instead")
    if number is not None:
        covering = [claim for claim in paper.claims if number in claim.equations]
        show.print_references(f"Eq. ({number}) is decided by", covering, screen)
    elif members:
        show.print_references(f"{name} is told in", members, screen)
    else:
        claim = ledger.find(name, paper)
        contradictions = show.print_claim(claim, paper, screen, arguments.dim)
        if paper.folder == DEFAULT:
            print(known_line(claim.id))
        for line in contradictions:
            print(f"theory: {claim.id}: {line}", file=sys.stderr)
        return 1 if contradictions else 0
    return 0


def _report(arguments: argparse.Namespace) -> int:
    started = time.perf_counter()
    paper = open_paper(arguments.paper)
    make_folder(arguments.out)
    rows = _decided(paper)
    for line in (*show.summary(rows, paper), *show.headlines(rows)):
        print(line, flush=True)
    paths = report.write(rows, paper, arguments.out)
    print(f"written in {time.perf_counter() - started:.0f} s: {', '.join(map(str, paths))}")
    return _agreement(rows)


def _new(arguments: argparse.Namespace) -> int:
    paths = write_new(arguments.folder)
    print(f"wrote {', '.join(map(str, paths))}")
    for line in next_steps(arguments.folder):
        print(f"  {line}")
    return 0


def _decided(paper: Paper) -> list[ledger.Row]:
    """The ledger's rows, with a progress bar on stderr where that is a terminal, or a few lines where it is
    not."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        return ledger.rows(paper, _say_progress)
    columns = (
        TextColumn("deciding"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("statement files"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("deciding", total=None)
        return ledger.rows(paper, lambda done, total: progress.update(task, completed=done, total=total))


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
