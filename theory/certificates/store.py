"""The stored list of every fact of the ledger, its premises, its conclusion and its certificate: `store/`, one file a
family of claims, to be reviewed by diff.

A claim has `facts`, and for each of its readings the numbers of the facts it rests on. A fact has what it says, and by
kind: `follows` (variables, given, then), `met` (conditions and a point), `identity`, `comparison`, `limit`, `sign`,
`box`, `words`. `proofs` (one a case) and `point` are its certificates; everything else is what the ledger asks today.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from support.files import replace_file
from support.own_files import read_json

STORE = Path(__file__).with_name("store")
COMMAND = "python -m numerics certify"
CERTIFICATES = ("proofs", "point")
OPEN, DEEPEST, WIDE = 4, 6, 110  # depths from which, and at which, a value stands on one line; its length
Entry = dict[str, Any]


def family(claim_id: str) -> str:
    """The file a claim is stored in: the part of its id before the dot."""
    return claim_id.partition(".")[0]


def read_store(folder: Path = STORE) -> dict[str, Entry]:
    """Claim id -> its stored facts, of every file.

    Raises ValueError for a file that is no such list.
    """
    claims: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.json")):
        claims |= read_claims(path)
    return claims


def read_claims(path: Path) -> dict[str, Entry]:
    """The claims of one file of the store.

    Raises ValueError where it is no such list, FileNotFoundError where there is none.
    """
    return read_json(path, dict, check=_check, remedy=f"write it again with `{COMMAND}`")


def _check(claims: Any) -> None:
    for name, entry in claims.items():
        if not all(
            isinstance(fact, dict) and {"says", "holds", "method", "kind"} <= set(fact)
            for fact in entry["facts"]
        ):
            raise ValueError(f"claim {name}: each fact needs says, holds, method and kind")


def write_store(claims: Mapping[str, Entry], folder: Path = STORE) -> list[Path]:
    """Writes each family's file whose text changed and removes those of families that are gone.

    Returns the paths written.
    """
    families: dict[str, dict[str, Entry]] = {}
    for name, entry in claims.items():
        families.setdefault(family(name), {})[name] = entry
    written = []
    for name, members in families.items():
        path, text = folder / f"{name}.json", spelled(members)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            written.append(replace_file(path, text))
    for path in folder.glob("*.json"):
        if path.stem not in families:
            path.unlink()
    return written


def spelled(claims: Mapping[str, Entry]) -> str:
    """The JSON text: a line for each property of a fact, and one for each premise and each case of a proof."""
    return _spelled(claims, 0) + "\n"


def _spelled(value: Any, depth: int) -> str:
    plain = json.dumps(value, ensure_ascii=False)
    flat = (
        not isinstance(value, dict | list)
        or not value
        or (depth >= OPEN and len(plain) <= WIDE)
        or depth >= DEEPEST
    )
    if flat:
        return plain
    margin, close = "\n" + " " * (depth + 1), "\n" + " " * depth
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(name, ensure_ascii=False)}: {_spelled(part, depth + 1)}"
            for name, part in value.items()
        ]
        return "{" + margin + ("," + margin).join(parts) + close + "}"
    return "[" + margin + ("," + margin).join(_spelled(part, depth + 1) for part in value) + close + "]"


def question_of(fact: Entry) -> Entry:
    """A stored fact without its certificates: what the ledger asks. A point that is part of the question stays."""
    dropped = CERTIFICATES if fact["kind"] == "follows" else ()
    return {name: value for name, value in fact.items() if name not in dropped}


def asks(claims: Mapping[str, Entry]) -> dict[str, Entry]:
    """The claims with their certificates left out."""
    return {
        name: {**entry, "facts": [question_of(fact) for fact in entry["facts"]]}
        for name, entry in claims.items()
    }


def key(fact: Entry) -> str:
    """What makes two questions one: variables, premises and conclusion."""
    return json.dumps([fact[part] for part in ("variables", "given", "then")], sort_keys=True)


def differences(today: Mapping[str, Entry], stored: Mapping[str, Entry]) -> Iterable[str]:
    """A line for each claim whose facts are not the stored ones, naming the first fact that differs."""
    for name, entry in today.items():
        kept = stored.get(name)
        if kept is None:
            yield f"{name}: is not in the store"
            continue
        wanted, found = (asks({name: e})[name] for e in (entry, kept))
        if wanted == found:
            continue
        answers = {key(fact): fact["holds"] for fact in found["facts"] if fact["kind"] == "follows"}
        for fact in wanted["facts"]:
            if fact["kind"] == "follows" and answers.get(key(fact), fact["holds"]) != fact["holds"]:
                yield (
                    f"{name}: z3 answers {fact['holds']} and the stored certificate shows {answers[key(fact)]} "
                    f"for {fact['says']!r}: given {fact['given']} then {fact['then']}"
                )
        fresh = next((fact for fact in wanted["facts"] if fact not in found["facts"]), None)
        gone = next((fact for fact in found["facts"] if fact not in wanted["facts"]), None)
        yield f"{name}: " + "; ".join(
            [f"now {json.dumps(fresh, ensure_ascii=False)}"] * (fresh is not None)
            + [f"stored {json.dumps(gone, ensure_ascii=False)}"] * (gone is not None)
            + ["the facts stand in another order"] * (fresh is None and gone is None)
        )
