"""What the report page relies on in the rows of theory.json and bounds.json and in the JSON file of a figure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from theory.deciders.facts import Grade, Verdict

ID = re.compile(r"[\w.-]+")
TEXT, NUMBER, NOTHING = (str,), (int, float), (type(None),)
WITNESS: dict[str, tuple[type, ...]] = {
    "point": (dict,),
    "left": TEXT,
    "relation": TEXT,
    "right": TEXT,
    "replay": TEXT + NOTHING,
}
READING: dict[str, tuple[type, ...]] = {
    "statement": TEXT,
    "grade": TEXT,
    "evidence": (list,),
    "holds": (bool, type(None)),
    "dimension": (str, list, type(None)),
}
ROW: dict[str, tuple[type, ...]] = {
    "id": TEXT,
    "location": TEXT,
    "kind": TEXT,
    "statement": TEXT,
    "verdict": TEXT,
    "grade": TEXT,
    "equations": (list,),
    "assumptions": (list,),
    "evidence": (list,),
    "dimension": (str, list, type(None)),
    "witness": (dict, type(None)),
    "corrected": (dict, type(None)),
    "sharpest": (dict, type(None)),
    "tightness": (dict, type(None)),
}
BOUND: dict[str, tuple[type, ...]] = {
    "id": TEXT,
    "statement": TEXT,
    "claim": TEXT,
    "map": TEXT,
    "set": TEXT,
    "paper_says": TEXT,
    "ours_formula": TEXT,
    "kind": TEXT,
    "paper_formula": TEXT + NOTHING,
    "paper_verdict": TEXT + NOTHING,
    **dict.fromkeys(("paper", "ours", "ratio", "tightness"), NUMBER + NOTHING),
    **dict.fromkeys(("relative", "ours_holds", "attained"), (bool,)),
    **dict.fromkeys(("a", "b", "direction"), (list,)),
}
CAPTION: dict[str, tuple[type, ...]] = dict.fromkeys(("title", "seen", "measure", "differs"), TEXT)


def wrong_fields(row: Any, fields: Mapping[str, tuple[type, ...]]) -> str:
    """What is wrong with an object's fields, empty for nothing."""
    if not isinstance(row, dict):
        return "is no object"
    for field, types in fields.items():
        if field not in row:
            return f"{field} is missing"
        # True is an int to isinstance, and no number to a reader.
        if not isinstance(row[field], types) or (isinstance(row[field], bool) and bool not in types):
            return f"{field} = {str(row[field])[:40]!r}, need {' or '.join(one.__name__ for one in types)}"
    return ""


def wrong_claim(row: dict[str, Any]) -> str:
    """What is wrong inside a claim whose fields are those of ROW, empty for nothing."""
    for field, fields in (("witness", WITNESS), ("corrected", READING), ("sharpest", READING)):
        if row[field] is not None and wrong_fields(row[field], fields):
            return f"{field}: {wrong_fields(row[field], fields)}"
    for field, known in (("verdict", Verdict), ("grade", Grade)):
        if row[field] not in list(known):
            return f"{field} = {row[field]!r}, need one of {', '.join(known)}"
    if row["tightness"] is not None and not isinstance(row["tightness"].get("pair"), str):
        return "tightness: pair is missing"
    if not all(type(number) is int for number in row["equations"]):
        return f"equations = {row['equations']}, need whole numbers"
    readings = [row, *(row[field] for field in ("corrected", "sharpest") if row[field])]
    lines = [*row["assumptions"], *(line for one in readings for line in one["evidence"])]
    lines += list(row["witness"]["point"].values()) if row["witness"] else []
    return "" if all(isinstance(line, str) for line in lines) else "a line of text is none"


def wrong_bound(row: dict[str, Any]) -> str:
    """What is wrong inside a bound whose fields are those of BOUND, empty for nothing."""
    values = [value for field in ("a", "b", "direction") for value in row[field]]
    if not all(isinstance(value, int | float) for value in values):
        return "a, b and direction need numbers"
    return "ratio is missing" if row["ratio"] is None and row["kind"] != "unbounded" else ""
