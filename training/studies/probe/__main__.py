"""`python -m training.studies.probe`."""

from __future__ import annotations

from support.commands import start


def main() -> int:
    """The exit status of the command, which takes seconds to load: Ctrl-C then is one line too."""
    from training.studies.probe.command import main

    return main()


if __name__ == "__main__":
    start("training.studies.probe", main)
