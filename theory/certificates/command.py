"""`python -m theory verify`, which runs the checker over the stored certificates and says how every fact is known, and
`python -m theory coq`, which writes them as a file for Coq."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from support.files import make_folder, replace_file
from support.options import RESULTS, file_name, folder_name
from theory.certificates.coq import lemmas
from theory.certificates.store import STORE, family, read_claims, read_store
from theory.certificates.verify import Known, counted, known_by, table


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m theory verify`."""
    parser.add_argument(
        "file",
        nargs="?",
        type=file_name,
        metavar="FILE",
        help="one file of the store (default: all of theory/certificates/store)",
    )
    parser.set_defaults(run=run_verify)


def run_verify(arguments: argparse.Namespace) -> int:
    """Prints the counts; 1, with a line each on stderr, where a stored certificate fails.

    Raises ValueError for a file that is none of the store's.
    """
    started = time.perf_counter()
    if arguments.file is None:
        claims = read_store(STORE)
    elif arguments.file.is_file():
        claims = read_claims(arguments.file)
    else:
        raise ValueError(f"file = {arguments.file} must be a file of {STORE.name}/, and is none")
    counts, wrong = counted(claims)
    for line in table(counts):
        print(line)
    print(
        f"{len(claims)} claims verified in {time.perf_counter() - started:.1f} s; {len(wrong)} certificates fail"
    )
    for line in wrong:
        print(f"theory: {line}", file=sys.stderr)
    return 1 if wrong else 0


def add_coq_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m theory coq`."""
    parser.add_argument(
        "--out", type=folder_name, default=RESULTS, metavar="DIR", help="where (default: results)"
    )
    parser.set_defaults(run=run_coq)


def run_coq(arguments: argparse.Namespace) -> int:
    """Writes certificates.v; 0."""
    make_folder(arguments.out)
    parts = list(lemmas(read_store(STORE)))
    path = replace_file(arguments.out / "certificates.v", "\n".join(parts))
    print(f"{len(parts) - 2} lemmas in {path}; `make coq` or `coqc certificates.v` checks them")
    return 0


def known_line(claim_id: str) -> str:
    """How the facts of one claim are known: `Certified  5 of 7 facts; second route 1, words 1`.

    Raises ValueError where a stored certificate of the claim fails.
    """
    path = STORE / f"{family(claim_id)}.json"
    stored = read_claims(path) if path.is_file() else {}
    if claim_id not in stored:
        return "Certified  nothing stored"
    counts = Counter(known_by(fact) for fact in stored[claim_id]["facts"])
    rest = ", ".join(
        f"{known} {counts[known]}" for known in Known if counts[known] and known is not Known.EXACT
    )
    return f"Certified  {counts[Known.EXACT]} of {counts.total()} facts" + (f"; {rest}" if rest else "")
