"""What every command line of the project is parsed with: one-line errors with exit status 2, and values that may begin
with a minus sign."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

LOOKS_NUMERIC = re.compile(
    r"^-(\d|\.\d)"
)  # -1,1 and -8/255 and -.5: a value, never a bundle of short options


class BadValue(argparse.ArgumentTypeError, ValueError):
    """A refused value: argparse shows its message, and Python callers catch it as a ValueError."""


class CommandParser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line on stderr with exit status 2, and whose values may begin
    with a minus sign.

    `--center -1,1`, `--at -1,0.5`, `--loss "-x1**2"` and `--theta -0.3 -0.5` parse as they read, for every
    option that takes a value, in subcommands too (their parsers are of this class). A token that is one of
    the parser's own options is never taken for a value. Options are not abbreviated, so that a new option
    cannot change what an old script means.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)
        self._negative_number_matcher = LOOKS_NUMERIC

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, after joining each single-valued option with a value that begins with a minus."""
        tokens = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(self._joined(tokens), namespace)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse; an unknown option is answered with the nearest known one."""
        parsed, rest = self.parse_known_args(args, namespace)
        if rest:
            self.error(self._unknown(rest))
        return parsed

    def error(self, message: str) -> NoReturn:
        """Print `prog: message` on one line of stderr and exit with status 2."""
        line = " ".join(str(message).split())
        self.exit(2, f"{self.prog}: {line} (see {self.prog} --help)\n")

    def _joined(self, tokens: Sequence[str]) -> list[str]:
        joined: list[str] = []
        waiting: str | None = None
        for position, token in enumerate(tokens):
            if token == "--":
                return [*joined, *tokens[position:]]
            if waiting is not None and self._is_minus_value(token):
                joined[-1] = f"{waiting}={token}"
                waiting = None
                continue
            joined.append(token)
            waiting = token if self._takes_one_value(token) else None
        return joined

    def _is_minus_value(self, token: str) -> bool:
        return len(token) > 1 and token[0] == "-" and token[1] != "-" and not self._is_option(token)

    def _is_option(self, token: str) -> bool:
        return token.partition("=")[0] in self._option_string_actions

    def _takes_one_value(self, token: str) -> bool:
        action = self._option_string_actions.get(token)
        return action is not None and token.startswith("--") and action.nargs in (None, "?", 1)

    def _unknown(self, rest: Sequence[str]) -> str:
        option = rest[0].partition("=")[0]
        return f"unrecognized arguments: {' '.join(rest)}{self._hint(option)}"

    def _hint(self, option: str) -> str:
        """Where an option that stands on the wrong side of a command belongs, or which known one is nearest."""
        if option in self._option_string_actions:
            return f"; {option} is an option of {self.prog} itself, not of its command"
        owners = [
            name for name, parser in self._subparsers_by_name() if option in parser._option_string_actions
        ]
        if owners:
            return f"; {option} is an option of the command: write it after {' or '.join(owners)}"
        of_commands = {
            one for _, parser in self._subparsers_by_name() for one in parser._option_string_actions
        }
        near = get_close_matches(option, sorted({*self._option_string_actions, *of_commands}), n=1)
        return f"; did you mean {near[0]}?" if near else ""

    def _subparsers_by_name(self) -> list[tuple[str, argparse.ArgumentParser]]:
        return [
            (name, parser)
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)
            for name, parser in action.choices.items()
        ]


RESULTS = Path(
    "results"
)  # in the working directory: where every command reads and writes unless it is told otherwise


def file_name(text: str) -> Path:
    """The file, or the folder or archive, that a name denotes. Raises: BadValue (a ValueError) for an empty name."""
    if not text.strip():
        raise BadValue(f"{text!r} must be the name of a file, and is empty")
    return Path(text)


def folder_name(text: str) -> Path:
    """The folder a name denotes; it need not exist. Raises: BadValue (a ValueError) for an empty name."""
    if not text.strip():
        raise BadValue(f"{text!r} must be the name of a folder, such as results")
    return Path(text)
