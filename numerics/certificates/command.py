"""`python -m numerics certify`: writes the stored list of every fact of the ledger anew, and looks for the certificates
of those that changed."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numerics.certificates.hints import HINTS
from numerics.certificates.search import refutation
from theory.certificates.checker import follows, polynomial, possible, system, variables
from theory.certificates.points import point
from theory.certificates.record import described
from theory.certificates.store import asks, key, read_store, write_store
from theory.ledger.paper import open_paper


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m numerics certify`."""
    parser.add_argument(
        "claims",
        nargs="*",
        metavar="CLAIM",
        help="only these claims; the others stay as stored (default: all)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Decides the claims, searches what is new, writes the store; 1 where a certificate was not found."""
    started = time.perf_counter()
    stored = read_store()
    ledger = {claim.id: claim for claim in open_paper().claims}
    unknown = sorted(set(arguments.claims) - set(ledger))
    if unknown:
        raise ValueError(f"claim {', '.join(unknown)} is unknown; `python -m theory` lists all {len(ledger)}")
    claims = {name: stored[name] for name in ledger if name in stored}
    known = {key(fact): fact for fact in certified(stored)}
    missing: list[str] = []
    paths: set[Path] = set()
    for name in arguments.claims or ledger:
        today = {name: described(ledger[name])}
        fresh = certify(today, known)
        missing += fresh
        claims |= today
        if asks(today) != asks({name: stored.get(name, {"facts": []})}) or fresh:
            # At once, so that an interrupted search keeps what it has found.
            paths |= set(write_store({each: claims[each] for each in ledger if each in claims}))
    paths |= set(write_store({each: claims[each] for each in ledger if each in claims}))
    for line in missing:
        print(line, file=sys.stderr)
    print(
        f"{len(claims)} claims, {len(missing)} certificates not found; "
        f"{len(paths)} files written in {time.perf_counter() - started:.0f} s"
    )
    return 1 if missing else 0


def certified(claims: Mapping[str, Any]) -> Iterable[dict]:
    """The facts that have the certificates they need, as far as the checker agrees."""
    for entry in claims.values():
        for fact in entry["facts"]:
            if fact["kind"] == "follows" and stands(fact):
                yield fact


def stands(fact: dict) -> bool:
    """Whether the fact's point, and its proofs where it holds, are there and convince the checker."""
    if "point" not in fact or not possible(fact, not fact["holds"], fact["point"]):
        return False
    return not fact["holds"] or ("proofs" in fact and follows(fact, fact["proofs"]))


def certify(claims: Mapping[str, Any], known: dict[str, dict]) -> list[str]:
    """Gives every `follows` fact its certificates, known ones first; returns a line for each that was not found."""
    missing = []
    for name, entry in claims.items():
        for fact in entry["facts"]:
            if fact["kind"] != "follows" or fact["holds"] is None:
                continue
            if key(fact) not in known or known[key(fact)]["holds"] != fact["holds"]:
                print(f"searching: {name}: {fact['says']}", file=sys.stderr, flush=True)
                known[key(fact)] = {"holds": fact["holds"], **searched(fact, HINTS.get(name, ()))}
            fact |= {part: known[key(fact)][part] for part in ("point", "proofs") if part in known[key(fact)]}
            if not stands(fact):
                missing.append(f"{name}: no certificate for {fact['says']!r}, decided by z3 alone")
    return missing


def searched(fact: dict, hints: Iterable[str]) -> dict:
    """The certificates found for one fact: `point`, and `proofs` where it holds and every case was settled."""
    found: dict[str, Any] = {}
    at = point(fact, negated=not fact["holds"])
    if at is not None:
        found["point"] = at
    if fact["holds"]:
        names = list(fact["variables"])
        usable = [hint for hint in hints if speaks_of(hint, names)]
        cases = system(fact, True, variables(names))
        proofs = []
        for case in cases:
            proofs.append(refutation(case, names, usable))
            if proofs[-1] is None:
                return found
        found["proofs"] = proofs
    return found


def speaks_of(hint: str, names: list[str]) -> bool:
    """Whether every name in the hint is a variable of the statement."""
    try:
        polynomial(hint, variables(names))
    except KeyError:
        return False
    return True
