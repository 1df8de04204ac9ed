"""`python -m figures.page`: writes the report page, results/index.html, from what lies in results/."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from support.commands import guarded, start


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the page; its exit status is 0, 2 on bad input or a page that cannot be written, 130 when interrupted."""
    return guarded("figures.page", lambda: run(argv))


def run(argv: Sequence[str] | None) -> int:
    """The command itself."""
    arguments = _parser().parse_args(argv)
    # Not at the top: the titles of the claims take a second to load, and Ctrl-C then is no error either.
    from figures.page.build import page
    from support.files import make_folder, replace_file
    from theory.ledger.paper import open_paper

    out = arguments.out or arguments.results / "index.html"
    text = page(arguments.results, open_paper(arguments.paper) if arguments.paper else open_paper())
    make_folder(out.parent)
    replace_file(out, text)
    print(f"{out}: {len(text.encode()) / 1e3:,.0f} kB, opens without a network")
    return 0


def _parser() -> argparse.ArgumentParser:
    from support.options import RESULTS, CommandParser, file_name, folder_name

    parser = CommandParser(prog="python -m figures.page", description=__doc__)
    parser.add_argument(
        "--results",
        type=folder_name,
        default=RESULTS,
        metavar="DIR",
        help="what the page is made of (default: results)",
    )
    parser.add_argument(
        "--paper",
        type=folder_name,
        default=None,
        metavar="FOLDER",
        help="the paper whose ledger lies in --results (default: the paper of this project)",
    )
    parser.add_argument(
        "--out",
        type=file_name,
        default=None,
        metavar="FILE",
        help="the page (default: index.html in --results)",
    )
    return parser


if __name__ == "__main__":
    start("figures.page", main)
