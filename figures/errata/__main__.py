"""`python -m figures.errata`: writes the errata as a PDF to forward, results/errata.pdf, from results/theory.json."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from support.commands import guarded, start


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the document; exit status 0, 2 on bad input or a file that cannot be written, 130 when interrupted."""
    return guarded("figures.errata", lambda: run(argv))


def run(argv: Sequence[str] | None) -> int:
    """The command itself."""
    arguments = _parser().parse_args(argv)
    import typst

    from figures.errata.document import document
    from figures.page.sources import LEDGER, load
    from support.files import make_folder, replace_file
    from theory.ledger.paper import open_paper

    rows = load(arguments.results).ledger
    paper = open_paper(arguments.paper) if arguments.paper else open_paper()
    if rows is None:
        remedy = f"`{paper.command} report --out {arguments.results}` writes it"
        raise ValueError(f"results = {arguments.results} has no {LEDGER[0]}: {remedy}")
    out = arguments.out or arguments.results / "errata.pdf"
    make_folder(out.parent)
    replace_file(out, typst.compile(document(rows, paper).encode()))
    print(f"{out}: {out.stat().st_size / 1e3:,.0f} kB")
    return 0


def _parser() -> argparse.ArgumentParser:
    from support.options import RESULTS, CommandParser, file_name, folder_name

    parser = CommandParser(prog="python -m figures.errata", description=__doc__)
    parser.add_argument(
        "--results", type=folder_name, default=RESULTS, metavar="DIR", help="where theory.json lies"
    )
    parser.add_argument(
        "--paper",
        type=folder_name,
        metavar="FOLDER",
        help="whose ledger it is (default: this project's paper)",
    )
    parser.add_argument(
        "--out", type=file_name, metavar="FILE", help="the PDF (default: errata.pdf in --results)"
    )
    return parser


if __name__ == "__main__":
    start("figures.errata", main)
