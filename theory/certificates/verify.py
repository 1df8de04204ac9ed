"""`python -m theory verify`: every stored certificate through the checker, and for each fact how it is known without
trusting sympy or z3: an exact certificate, a second route, one decider, or words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from support.own_files import STUMBLES
from theory.certificates import intervals, normal_form
from theory.certificates.checker import equal, follows, possible


class Known(StrEnum):
    """How a fact is known beside its own decider."""

    EXACT = "exact certificate"
    SECOND = "second route"
    ONE = "one decider"
    WORDS = "words"


KINDS = {
    "follows": "implications, and their refutations",
    "met": "points that meet conditions",
    "identity": "identities",
    "comparison": "comparisons of numbers",
    "limit": "limits",
    "sign": "signs",
    "box": "ball arithmetic on a box",
    "words": "words, and arguments in words",
}
MOST_SAID = 200  # characters of what a check stumbled over
REFUSALS = (ValueError, SyntaxError, *STUMBLES)


class NotShown(ValueError):
    """A stored certificate that does not show what it is stored for."""


def known_by(fact: Mapping[str, Any]) -> Known:
    """How a stored fact is known. A certificate that is there and does not convince is an error, not a lesser word.

    Raises ValueError naming the fact, NotShown for such a certificate.
    """
    try:
        return _known_by(fact)
    except NotShown:
        raise
    except REFUSALS as error:
        stumbled = f"{type(error).__name__}: {error}"[:MOST_SAID]
        raise ValueError(
            f"the fact {fact['says']!r} is of another shape than the store's ({stumbled}): write it again with "
            "`python -m numerics certify`"
        ) from None


def _known_by(fact: Mapping[str, Any]) -> Known:
    if fact["kind"] == "words":
        return Known.WORDS
    if fact["kind"] in ("follows", "met") and fact["holds"] is not None:
        return _certified(fact)
    route = ROUTES.get((fact["kind"], fact["holds"]))
    return Known.ONE if route is None else route(fact)


def refused(check: Callable[..., bool], *arguments: Any) -> bool:
    """Whether a check fails, also by stumbling over what it is given."""
    try:
        return not check(*arguments)
    except REFUSALS:
        return True


def _certified(fact: Mapping[str, Any]) -> Known:
    violates = fact["kind"] == "follows" and not fact["holds"]
    if "point" not in fact or (fact["kind"] == "follows" and fact["holds"] and "proofs" not in fact):
        return Known.ONE
    if fact["kind"] == "met" and refused(possible, fact, False, fact["point"]):
        return Known.ONE  # an irrational point that sympy has evaluated
    if refused(possible, fact, violates, fact["point"]):
        raise NotShown(f"the point stored for {fact['says']!r} does not do what z3 answered: {fact['point']}")
    if fact["kind"] == "follows" and fact["holds"] and refused(follows, fact, fact["proofs"]):
        raise NotShown(f"z3 says that {fact['says']!r} follows, and the stored certificate does not show it")
    return Known.EXACT


def _identity(fact: Mapping[str, Any]) -> Known:
    pairs, names = fact["equal"], list(fact["variables"])
    matrices = "matrix" in fact["variables"].values()
    if all(a == b or not (matrices or refused(equal, a, b, names)) for a, b in pairs):
        return Known.EXACT
    second = all(not refused(normal_form.same, a, b, fact["variables"]) for a, b in pairs)
    return Known.SECOND if second else Known.ONE


def _difference(fact: Mapping[str, Any]) -> Known:
    at = fact.get("differ_at")
    if at is None:
        return Known.ONE
    signs = {name: sign.removesuffix(" integer") for name, sign in fact["variables"].items()}
    for a, b in fact["equal"]:
        asked = {"variables": signs, "given": [f"{a} != {b}"]}
        if not refused(possible, asked, False, {"at": {name: at.get(name, "1") for name in signs}}):
            return Known.EXACT
        if intervals.decided(a, "!=", b, at):
            return Known.SECOND
    return Known.ONE


def _comparison(fact: Mapping[str, Any]) -> Known:
    left, relation, right = fact["compare"]
    printed = f"{left} {relation} {right}"
    asked = printed if fact["holds"] else f"not ({printed})"
    if not refused(possible, {"variables": {}, "given": [asked]}, False, {"at": {}}):
        return Known.EXACT
    if intervals.decided(left, relation, right) == fact["holds"]:
        return Known.SECOND
    bound = relation == "!=" or (fact["holds"] and relation in ("=", "<=", ">="))
    same = bound and not refused(normal_form.same, left, right, {})
    return Known.SECOND if same else Known.ONE


def _sign(fact: Mapping[str, Any]) -> Known:
    second = not refused(normal_form.positive, fact["sign"][0], fact["variables"])
    return Known.SECOND if second else Known.ONE


ROUTES: dict[tuple[str, bool | None], Callable[[Mapping[str, Any]], Known]] = {
    ("identity", True): _identity,
    ("identity", False): _difference,
    ("comparison", True): _comparison,
    ("comparison", False): _comparison,
    ("sign", True): _sign,
}


def counted(claims: Mapping[str, Mapping[str, Any]]) -> tuple[Counter[tuple[str, Known]], list[str]]:
    """The number of facts by kind and by how they are known, and a line for each certificate that fails.

    Raises ValueError naming claim and fact, for a fact that is of another shape than the store's.
    """
    counts: Counter[tuple[str, Known]] = Counter()
    wrong = []
    for name, entry in claims.items():
        for fact in entry["facts"]:
            try:
                counts[fact["kind"], known_by(fact)] += 1
            except NotShown as error:
                wrong.append(f"{name}: {error}")
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
    return counts, wrong


def table(counts: Counter[tuple[str, Known]]) -> Iterator[str]:
    """A line for each kind of fact, and one for all."""
    yield f"{'':38}{'facts':>6}" + "".join(f"{known:>19}" for known in Known)
    for kind, words in KINDS.items():
        row = [counts[kind, known] for known in Known]
        if sum(row):
            yield f"{words:38}{sum(row):>6}" + "".join(f"{count:>19}" for count in row)
    row = [sum(counts[kind, known] for kind in KINDS) for known in Known]
    yield f"{'all':38}{sum(row):>6}" + "".join(f"{count:>19}" for count in row)
