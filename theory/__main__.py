"""`python -m theory`: the ledger of the paper's statements; `show`, `report` and `check` are its commands."""

from __future__ import annotations

from collections.abc import Sequence

from support.commands import guarded, start


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 1 when the ledger contradicts its pinned verdicts, 2
    on bad input or output that cannot be written, 130 when interrupted.

    A reader that has seen enough (`| head`) ends the command with 0, silently.
    """
    return guarded("theory", lambda: _run(argv))


def _run(argv: Sequence[str] | None) -> int:
    # Not at the top: it takes a second to load sympy and z3, and Ctrl-C then is no error either.
    from theory.commands import run

    return run(argv)


if __name__ == "__main__":
    start("theory", main)
