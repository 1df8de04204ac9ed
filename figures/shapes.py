"""What the figures and the report page rely on in theory.json, bounds.json, bench.json and a figure's own JSON file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from support.shapes import NOT_NEGATIVE, Misfit, Rule, Shape
from theory.deciders.facts import Grade, Verdict

ID = re.compile(r"[\w.-]+")
NAME = Rule(str, lambda text: bool(ID.fullmatch(text)), "letters, digits, dots and dashes")
WITNESS: dict[str, Shape] = {
    "point": {str: str},
    **dict.fromkeys(("left", "relation", "right"), str),
    "replay": (str, None),
}
READING: dict[str, Shape] = {
    "statement": str,
    "grade": str,
    "evidence": [str],
    "holds": (bool, None),
    "dimension": (str, [int], None),
}
ROW: dict[str, Shape] = {
    "id": NAME,
    **dict.fromkeys(("location", "kind", "statement"), str),
    "verdict": frozenset(map(str, Verdict)),
    "grade": frozenset(map(str, Grade)),
    "equations": [int],
    **{name: [str] for name in ("assumptions", "evidence")},
    "dimension": (str, [int], None),
    "witness": (WITNESS, None),
    **dict.fromkeys(("corrected", "sharpest"), (READING, None)),
    "tightness": ({"pair": str}, None),
    "quote": (str, None),
}
BOUND: dict[str, Shape] = {
    "id": NAME,
    **dict.fromkeys(("statement", "claim", "map", "set", "paper_says", "ours_formula", "kind"), str),
    **dict.fromkeys(("paper_formula", "paper_verdict"), (str, None)),
    **dict.fromkeys(("paper", "ours", "ratio", "tightness"), (NOT_NEGATIVE, None)),
    **dict.fromkeys(("relative", "ours_holds", "attained"), bool),
    **{name: [float] for name in ("a", "b", "direction")},
}
CAPTION: dict[str, Shape] = dict.fromkeys(("title", "seen", "measure", "differs"), str)
ABOUT: dict[str, Shape] = {"about": dict}


def each_once(rows: Sequence[dict[str, Any]]) -> None:
    """Passes rows of which each has an id of its own. Raises: Misfit."""
    seen: set[str] = set()
    for place, row in enumerate(rows):
        if row["id"] in seen:
            raise Misfit(f"= {row['id']!r}, need each id once", (place, "id"))
        seen.add(row["id"])


def check_bounds(rows: Sequence[dict[str, Any]]) -> None:
    """Passes rows of the shape BOUND that agree with themselves. Raises: Misfit."""
    each_once(rows)
    for place, row in enumerate(rows):
        if row["ratio"] is None and row["kind"] != "unbounded":
            raise Misfit("= null, need a number where the kind is not unbounded", (place, "ratio"))
