"""`results/bounds.md`: every Lipschitz statement of the paper, and ours, against the worst pair a search finds.

`python -m numerics bounds` runs it; `compute` gives the rows, `write` the files.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable

from numerics.bounds.case import Case, Row, decide, from_theory
from numerics.bounds.report import write
from numerics.bounds.table import cases
from support.files import make_folder
from support.options import RESULTS, folder_name

__all__ = ["Case", "Row", "add_arguments", "cases", "compute", "decide", "from_theory", "run", "write"]


def compute(
    progress: Callable[[int, int, str], None] = lambda done, total, name: None,
    *,
    names: Iterable[str] = (),
    seed: int = 0,
) -> list[Row]:
    """The rows of the table, in the paper's order; `progress(done, total, id)` is called before each search.

    Args: `names` restricts it to these ids; `seed` >= 0 of the starts.
    Raises ValueError for an unknown id, naming the known ones, and for a negative seed.
    """
    check_seed(seed)
    table, wanted = cases(), list(names)
    unknown = sorted(set(wanted) - {case.id for case in table})
    if unknown:
        raise ValueError(
            f"bound {', '.join(unknown)} is unknown; the known ones are {', '.join(case.id for case in table)}"
        )
    chosen = [case for case in table if not wanted or case.id in wanted]
    rows = []
    for done, case in enumerate(chosen):
        progress(done, len(chosen), case.id)
        rows.append(decide(case, seed))
    progress(len(chosen), len(chosen), "")
    return rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m numerics bounds`."""
    parser.add_argument(
        "--out",
        type=folder_name,
        default=RESULTS,
        metavar="DIR",
        help="where to write (default: results)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the starts of the search (default: 0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Computes, writes bounds.md and bounds.json, and says how many lines are tight and violated.

    Returns 1 when a constant of ours was exceeded, 0 otherwise. Raises ValueError on bad input.
    """
    check_seed(arguments.seed)
    make_folder(arguments.out)  # now, not after a minute of searching
    started = time.perf_counter()
    rows = compute(_show, seed=arguments.seed)
    wrong = [row.case.id for row in rows if not row.ours_holds]
    print(
        f"{len(rows)} statements searched in {time.perf_counter() - started:.0f} s: "
        f"{sum(row.violated for row in rows)} of the paper's violated, our constant reached in "
        f"{sum(row.attained for row in rows)}",
        flush=True,
    )
    paths = write(rows, arguments.out)
    print("written: " + ", ".join(map(str, paths)))
    if wrong:
        print(f"numerics: our constant is exceeded in {', '.join(wrong)}", file=sys.stderr)
    return 1 if wrong else 0


def check_seed(seed: int) -> None:
    """ValueError for a negative seed."""
    if seed < 0:
        raise ValueError(f"seed = {seed}; the seed must be at least 0: pass a non-negative integer")


def _show(done: int, total: int, name: str) -> None:
    """Progress on stderr: one line, rewritten on a terminal, a line every ten searches elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{done}/{total} {name}", end="" if name else "\n", file=sys.stderr, flush=True)
    elif done % 10 == 0 or not name:
        print(f"bounds: {done}/{total} {name}".rstrip(), file=sys.stderr, flush=True)
