"""Looks for the certificates of a statement: every case by linear programs, then split in two, then with squares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any

import flint

from numerics.certificates.linear import certificate, spelled
from numerics.certificates.squares import certificate_with_squares
from theory.certificates.checker import polynomial, variables

Case = Sequence[tuple[Any, str]]
SMALL, MIDDLE, LARGE = 1_500, 6_000, 40_000  # most columns of a linear program
SQUARES = ((1, 0), (2, 0), (2, 2), (3, 2))  # most factors, degree above the conditions' own
SQUARE_COLUMNS = 600
FEW = 2  # variables: squares come before splits
UNUSED = ""  # the sign of a condition that is kept for its number alone


def refutation(
    case: Case,
    names: Sequence[str],
    hints: Sequence[str] = (),
    say: Callable[[str], None] = lambda line: None,
) -> dict | None:
    """A certificate that no point meets the conditions of the case, or None; cheap attempts first. `hints` are
    polynomials at whose signs it is worth splitting."""
    ring = flint.fmpq_mpoly_ctx.get(list(names) or ["unused"], flint.Ordering.lex)
    case = [(ring.constant(0) + p, sign) for p, sign in case]
    found = certificate(case, names, SMALL)
    if found is not None:
        return found
    reduced, rewrap = without_positive_factors(case)
    few = _squares if len(names) <= FEW else _middle
    for attempt in (_by_hints(hints), _middle, few, _once, _twice, _squares, _large):
        say(attempt.__name__)
        found = attempt(reduced, names)
        if found is not None:
            return pruned(rewrap(found), len(case))
    return None


def _by_hints(hints: Sequence[str]) -> Callable[[Case, Sequence[str]], dict | None]:
    def by_hints(case: Case, names: Sequence[str]) -> dict | None:
        return (
            split_at([polynomial(hint, variables(list(names))) for hint in hints], case, names)
            if hints
            else None
        )

    return by_hints


def split_at(polynomials: Sequence[Any], case: Case, names: Sequence[str]) -> dict | None:
    """A certificate that splits at the polynomials in their order, as far as each part needs it."""
    found = certificate(case, names, SMALL) or (None if polynomials else certificate(case, names, MIDDLE))
    if found is not None:
        return found
    if not polynomials:
        for factors, above in SQUARES[:2]:
            found = certificate_with_squares(case, names, factors, above, SQUARE_COLUMNS)
            if found is not None:
                return found
        return None
    q, *rest = polynomials
    below = split_at(rest, [*case, (-q, ">")], names)
    above_ = split_at(rest, [*case, (q, ">=")], names) if below else None
    return {"split": spelled(q), "below": below, "rest": above_} if below and above_ else None


def _middle(case: Case, names: Sequence[str]) -> dict | None:
    return certificate(case, names, SMALL) or certificate(case, names, MIDDLE)


def _once(case: Case, names: Sequence[str]) -> dict | None:
    return by_splitting(case, names, 1)


def _twice(case: Case, names: Sequence[str]) -> dict | None:
    return by_splitting(case, names, 2)


def _squares(case: Case, names: Sequence[str]) -> dict | None:
    for factors, above in SQUARES:
        found = certificate_with_squares(case, names, factors, above, SQUARE_COLUMNS)
        if found is not None:
            return found
    return None


def _large(case: Case, names: Sequence[str]) -> dict | None:
    return certificate(case, names, LARGE)


def without_positive_factors(case: Case) -> tuple[Case, Callable[[dict], dict]]:
    """The case with a condition more for each that has a factor which another condition makes positive: what is
    left of it; and how a certificate of that case becomes one of this, by splits that are trivial on one side."""
    positive = {str(p): index for index, (p, sign) in reversed([*enumerate(case)]) if sign == ">"}
    longer, steps = list(case), []
    for index, (p, sign) in enumerate(case):
        if p == 0 or p.total_degree() == 0 or sign == "=":
            continue
        _, factors = p.factor()
        taken = [
            positive[str(f)]
            for f, power in factors
            for _ in range(power)
            if str(f) in positive and positive[str(f)] != index
        ]
        rest = p
        for factor in taken:
            rest = rest / case[factor][0]
        if not taken or rest.total_degree() == 0 or any(str(rest) == str(q) for q, _ in longer):
            continue
        added = len(longer)
        closed = {"sum": [["1", [index]], ["1", [*taken, added]]]}
        steps.append((rest, sign, closed))
        longer.append((rest, sign))
        longer[index] = (p, UNUSED)

    def rewrap(found: dict) -> dict:
        for rest, sign, closed in reversed(steps):
            if sign == ">":
                found = {"split": spelled(-rest), "below": found, "rest": closed}
            else:
                found = {"split": spelled(rest), "below": closed, "rest": found}
        return found

    return longer, rewrap


def by_splitting(case: Case, names: Sequence[str], depth: int) -> dict | None:
    """A certificate that splits the case at most `depth` times in a row, each part by a small linear program."""
    if depth == 0:
        return certificate(case, names, SMALL)
    for q in splits(case, names):
        parts = [*case, (-q, ">")], [*case, (q, ">=")]
        halves = [certificate(part, names, SMALL) for part in parts]
        if depth > 1 and (halves[0] is None) != (halves[1] is None):
            open_half = 0 if halves[0] is None else 1
            halves[open_half] = by_splitting(parts[open_half], names, depth - 1)
        if halves[0] is not None and halves[1] is not None:
            return {"split": spelled(q), "below": halves[0], "rest": halves[1]}
    return None


def splits(case: Case, names: Sequence[str]) -> Iterator[Any]:
    """Polynomials at whose sign a case may be split: conditions >= 0 (into = 0 and > 0), variables, differences."""
    ring = flint.fmpq_mpoly_ctx.get(list(names), flint.Ordering.lex)
    strict = {str(p) for p, sign in case if sign == ">"}
    seen = {str(p) for p, _ in case if str(p) in strict}
    generators = ring.gens()
    offered = [-p for p, sign in case if sign == ">="] + list(generators)
    offered += [x - y for x, y in combinations(generators, 2)]
    products = [p.factor()[1] for p, sign in case if sign and p != 0 and p.total_degree() > 1]
    offered = [f for factors in products if len(factors) > 1 for f, _ in factors] + offered
    for q in offered:
        if str(-q) not in seen and str(q) not in seen and q.total_degree() > 0:
            seen.add(str(q))
            yield q


def pruned(proof: dict, conditions: int) -> dict:
    """The proof without splits of which one part does not use its condition; `conditions` is their number above."""
    if "split" not in proof:
        return proof
    below, rest = (pruned(proof[side], conditions + 1) for side in ("below", "rest"))
    for part in (below, rest):
        if conditions not in conditions_of(part):
            return without_condition(part, conditions)
    return {**proof, "below": below, "rest": rest}


def conditions_of(proof: dict) -> set[int]:
    """The numbers of the conditions that a proof uses."""
    if "split" in proof:
        return conditions_of(proof["below"]) | conditions_of(proof["rest"])
    return {i for _, chosen, *_ in proof["sum"] for i in chosen} | {i for _, i in proof.get("equations", [])}


def without_condition(proof: dict, number: int) -> dict:
    """The proof with the later conditions renumbered, after one that it does not use is taken away."""
    if "split" in proof:
        return {**proof, **{side: without_condition(proof[side], number) for side in ("below", "rest")}}
    total = [
        [weight, [i - (i > number) for i in chosen], *square] for weight, chosen, *square in proof["sum"]
    ]
    equations = [[multiple, i - (i > number)] for multiple, i in proof.get("equations", [])]
    return {"sum": total, "equations": equations} if equations else {"sum": total}
