"""`python -m numerics`: -F at a point (`local-entropy`), measured Lipschitz bounds (`bounds`), attacks on the
ledger's sentences (`adversaries`), timings (`bench`), certificates for the ledger's facts (`certify`)."""

from __future__ import annotations

import os
from collections.abc import Sequence

from support.commands import guarded, start


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; its exit status is 0, 2 on bad input or a missed tolerance, 130 when interrupted."""
    return guarded("numerics", lambda: run(argv))


def run(argv: Sequence[str] | None) -> int:
    """The command itself. A command's own modules are loaded once it is known which one is asked for."""
    # Small arrays in float64: whatever accelerators the variable names, or misspells, would only make them slower.
    os.environ["JAX_PLATFORMS"] = "cpu"
    from numerics import bench, bounds, entropy_command
    from numerics.adversaries import command as adversaries
    from numerics.certificates import command as certificates
    from support.options import CommandParser

    parser = CommandParser(prog="python -m numerics", description=__doc__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    entropy_command.add_arguments(
        commands.add_parser("local-entropy", help="-F(theta) of Eq. (10), its gradient and its Hessian")
    )
    bounds.add_arguments(
        commands.add_parser("bounds", help="every Lipschitz bound against the largest ratio found")
    )
    adversaries.add_arguments(
        commands.add_parser("adversaries", help="attacks on every mathematical sentence of the ledger")
    )
    bench.add_arguments(
        commands.add_parser("bench", help="methods for -F compared: time, error, silent failures")
    )
    certificates.add_arguments(
        commands.add_parser(
            "certify", help="the stored facts of the ledger, and certificates for those that changed"
        )
    )
    arguments = parser.parse_args(argv)
    return arguments.run(arguments)


if __name__ == "__main__":
    start("numerics", main)
