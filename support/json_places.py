"""Serves the reader of our own JSON files: where in a text a value stands, for messages."""

from __future__ import annotations

import json
import re

Place = tuple[str | int, ...]  # the names and numbers that lead from the whole to a value
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def written(place: Place) -> str:
    """`rows[3].id` for ("rows", 3, "id")."""
    words = "".join(f"[{one}]" if isinstance(one, int) else f".{_short(one)}" for one in place)
    return words.removeprefix(".")


def line_of(text: str, place: Place) -> int:
    """The line, counted from 1, on which the value at that place begins, or the innermost one around it there is."""
    best, line = -1, 1
    path: list[str | int] = []
    named = False  # the last token was a name and its colon
    for token in TOKEN.finditer(text):
        word = token[0]
        if word in "[{":
            best, line = _nearer(text, token, path, place, best, line)
            path.append(0 if word == "[" else "")
            named = False
        elif word in "]}":
            path.pop()
        elif word == ",":
            if isinstance(path[-1], int):
                path[-1] += 1
            named = False
        elif word == ":":
            named = True
        elif path and isinstance(path[-1], str) and not named:
            path[-1] = json.loads(word)
        else:
            best, line = _nearer(text, token, path, place, best, line)
    return line


def _nearer(
    text: str, token: re.Match[str], path: list[str | int], place: Place, best: int, line: int
) -> tuple[int, int]:
    if len(path) > best and tuple(path) == place[: len(path)]:
        return len(path), text.count("\n", 0, token.start()) + 1
    return best, line


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:37]}..."
