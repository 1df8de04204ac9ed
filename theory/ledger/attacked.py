"""What the adversaries found against a claim's sentences, as `python -m numerics adversaries` has written it down.

An adversary attacks the words of a sentence, not its argument. What was found of a sentence that has changed since is
left out, and so is everything where no such file lies in results/.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from support.options import RESULTS
from support.own_files import read_json
from theory.ledger.claim import Claim

NAME = "adversaries.json"
REMEDY = "remove it, and run `python -m numerics adversaries` again"
SHAPE = [
    {
        **dict.fromkeys(("claim", "reading", "sentence", "how", "counterexample"), str),
        **dict.fromkeys(("seed", "draws", "instances"), int),
        **dict.fromkeys(("holds", "violated"), bool),
        "ratio": (float, None),
        "twins": dict,
    }
]


def fingerprint(sentence: str) -> str:
    """Short and the same on every machine; white space does not count."""
    return sha256(" ".join(sentence.split()).encode()).hexdigest()[:12]


def sentences(claim: Claim) -> dict[str, str]:
    """Reading -> sentence: printed, and corrected and sharpest where there are such."""
    readings = {"corrected": claim.corrected, "sharpest": claim.sharpest}
    return {
        "printed": claim.statement,
        **{name: one.statement for name, one in readings.items() if one is not None},
    }


def attacks(claim: Claim, folder: Path = RESULTS) -> dict[str, dict[str, Any]] | None:
    """Reading -> instances, ratio (the largest left/right side seen, None without one), violated, twins (caught, of),
    and how, of each sentence of the claim that was attacked; None where none was.

    Raises ValueError for a file of that name that is another.
    """
    path = folder / NAME
    found = _read(path, path.stat().st_mtime_ns) if path.is_file() else {}
    told = {
        reading: _told(found[claim.id, reading])
        for reading, sentence in sentences(claim).items()
        if found.get((claim.id, reading), {}).get("sentence") == fingerprint(sentence)
    }
    return told or None


def outcome(found: dict[str, Any]) -> str:
    """What was found against one sentence, for a reader."""
    said = "a counterexample" if found["violated"] else "no counterexample"
    ratio = "" if found["ratio"] is None or found["violated"] else f", largest ratio {found['ratio']:.4g}"
    caught, of = found["twins"]
    twins = f"; {caught} of {of} false neighbours refuted" if of else ""
    return f"{said} in {found['instances']:,} instances{ratio}{twins} ({found['how']})"


def _told(found: dict[str, Any]) -> dict[str, Any]:
    twins = list(found["twins"].values())
    return {
        **{name: found[name] for name in ("instances", "ratio", "violated", "how")},
        "twins": [sum(twins), len(twins)],
    }


@cache
def _read(path: Path, changed: int) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows by claim and reading; read again when the file has changed."""
    return {(row["claim"], row["reading"]): row for row in read_json(path, SHAPE, remedy=REMEDY)}
