"""Checks a stored certificate against the statement it is for. This page, and flint, which expands polynomials, are
all that has to be trusted. A statement is text: variables with signs, what is given, what follows.

That it follows: "given, and not what follows" is written as cases, lists of conditions p > 0, p >= 0, p = 0. A case is
impossible when terms c (product of conditions > 0, >= 0) (square)^2 with c > 0, plus multiples of conditions = 0, add
up to 0 although one term, a product of conditions > 0 alone, is positive; or when a polynomial q splits it into the
cases q < 0 and q >= 0, each impossible. That it can be met: by a given point, whose coordinates are polynomials in
one number a, the root of a polynomial between two rationals. That two quotients are equal: expanded, crosswise.
A quotient also says that its denominator is not 0: "not a/b <= c" has the case b = 0.
"""

from __future__ import annotations

import ast
import re
from itertools import chain, product
from typing import Any

import flint

Condition = tuple[Any, str]  # a polynomial, and how it compares with 0: > or >= or =
ONE = flint.fmpq(1)
NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
OPERATORS = {"Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!="}
SIGNS = {"positive": [">"], "nonnegative": [">="], "real": []}
HALVINGS = 400  # of the interval around a, before the sign of a number is given up


def variables(names: list[str]) -> dict[str, Any]:
    """The polynomial that is each variable."""
    return dict(zip(names, flint.fmpq_mpoly_ctx.get(list(names), flint.Ordering.lex).gens(), strict=True))


def read(text: str) -> ast.expr:
    """The text as a tree. A name that is no identifier stands in braces: {|theta|}^2 <= 1 and not (a = b)."""
    coded = re.sub(r"\{([^{}]*)\}", lambda name: f"_{name[1].encode().hex()}_", text).replace("^", "**")
    return ast.parse(re.sub(r"(?<![<>=!])=(?!=)", "==", coded).strip(), mode="eval").body


def name_of(identifier: str) -> str:
    """The name that stood in braces, or the identifier itself."""
    return bytes.fromhex(identifier[1:-1]).decode() if identifier.startswith("_") else identifier


def quotient(node: ast.expr, values: dict[str, Any]) -> tuple[Any, Any]:
    """Numerator and denominator, expanded; `values` gives what stands for each name."""
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return flint.fmpq(number), ONE
        case ast.Name(id=name):
            return values[name_of(name)], ONE
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            n, d = quotient(inner, values)
            return -n, d
        case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
            (n, d), power = quotient(base, values), ast.literal_eval(exponent)
            return (n**power, d**power) if power >= 0 else (d**-power, n**-power)
        case ast.BinOp(left=left, op=operator, right=right):
            (a, b), (c, d) = quotient(left, values), quotient(right, values)
            match operator:
                case ast.Mult():
                    return a * c, b * d
                case ast.Div():
                    return a * d, b * c
                case ast.Add() | ast.Sub():
                    c = c if isinstance(operator, ast.Add) else -c
                    return (a + c, b) if b == d else (a * d + c * b, b * d)
    raise ValueError(f"{ast.unparse(node)} must be built of names, whole numbers, + - * / and whole powers")


def polynomial(text: str, values: dict[str, Any]) -> Any:
    """A polynomial with rational coefficients, over the names in `values`."""
    n, d = quotient(read(text), values)
    return n / d


def cases(node: ast.expr, holds: bool, values: dict[str, Any]) -> list[list[Condition]]:
    """The statement (where not `holds`, its negation) as cases, one of which must be met: lists of conditions."""
    match node:
        case ast.Constant(value=bool(truth)):
            return [[]] if truth == holds else []
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return cases(inner, not holds, values)
        case ast.BoolOp(op=operator, values=parts):
            each = [cases(part, holds, values) for part in parts]
            together = isinstance(operator, ast.And) == holds
            return [[*chain(*chosen)] for chosen in product(*each)] if together else [*chain(*each)]
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            n, d = quotient(ast.BinOp(left, ast.Sub(), right), values)
            p, sign = n * d, OPERATORS[type(operator).__name__]
            sign = sign if holds else NEGATED[sign]
            compared = [(p, ">"), (-p, ">")] if sign == "!=" else [(-p if "<" in sign else p, sign)]
            found = [[(q, s.replace("<", ">").replace("==", "="))] for q, s in compared]
            if isinstance(d, flint.fmpq) and d != 0:
                return found
            return [[*case, (d * d, ">")] for case in found] if holds else [*found, [(d, "=")]]
    raise ValueError(f"{ast.unparse(node)} must be a relation, or and, or, not of relations")


def system(question: dict, negated: bool, values: dict[str, Any]) -> list[list[Condition]]:
    """The cases of: the signs of the variables, what is given, and (where `negated`) not what follows."""
    signs = [(values[name], s) for name, sign in question["variables"].items() for s in SIGNS[sign]]
    parts = [cases(read(text), True, values) for text in question["given"]]
    parts += [cases(read(question["then"]), False, values)] if negated else []
    return [[*signs, *chain(*chosen)] for chosen in product(*parts)]


def follows(question: dict, proofs: list[dict]) -> bool:
    """Whether the proofs, one a case, show that what is given implies what follows."""
    values = variables(list(question["variables"]))
    found = system(question, True, values)
    return len(found) == len(proofs) and all(map(impossible, found, proofs, [values] * len(found)))


def impossible(case: list[Condition], proof: dict, values: dict[str, Any]) -> bool:
    """Whether the proof shows that no real point meets every condition of the case."""
    if "split" in proof:
        q = polynomial(proof["split"], values)
        below, rest = [*case, (-q, ">")], [*case, (q, ">=")]
        return impossible(below, proof["below"], values) and impossible(rest, proof["rest"], values)
    total, strict = flint.fmpq(0), False
    for weight, chosen, *square in proof["sum"]:
        term = flint.fmpq(*map(int, weight.split("/")))
        if not term > 0 or any(index < 0 or case[index][1] == "=" for index in chosen):
            return False
        for factor in [case[index][0] for index in chosen] + [
            polynomial(text, values) for text in 2 * square
        ]:
            term = term * factor
        total = total + term
        strict |= not square and all(case[index][1] == ">" for index in chosen)
    for multiple, index in proof.get("equations", []):
        if index < 0 or case[index][1] != "=":
            return False
        total = total + polynomial(multiple, values) * case[index][0]
    return strict and total == 0


def possible(question: dict, negated: bool, point: dict) -> bool:
    """Whether the point meets the signs and what is given and, where `negated`, violates what follows."""
    a = flint.fmpq_poly([0, 1])
    root, low, high = (polynomial(text, {"a": a}) for text in point.get("a", ["a", "-1", "1"]))
    low, high = (flint.fmpq_poly([end])(0) for end in (low, high))
    values = {name: polynomial(point["at"][name], {"a": a}) % root for name in question["variables"]}
    wanted = {">": (1,), ">=": (0, 1), "=": (0,)}
    return root(low) * root(high) < 0 and any(
        all(sign_at(flint.fmpq_poly([0]) + p, root, low, high) in wanted[s] for p, s in case)
        for case in system(question, negated, values)
    )


def sign_at(p: Any, root: Any, low: Any, high: Any) -> int | None:
    """The sign of p(a): 0 where the root's polynomial divides p, else as soon as an enclosure excludes 0."""
    p = p % root
    for _ in range(HALVINGS if p != 0 else 0):
        middle = (low + high) / 2
        far = max(abs(low), abs(high))
        slope = sum((abs(c) * n * far ** (n - 1) for n, c in enumerate(p.coeffs()) if n), flint.fmpq(0))
        if abs(p(middle)) > slope * (high - low) / 2:
            return 1 if p(middle) > 0 else -1
        low, high = (low, middle) if root(low) * root(middle) <= 0 else (middle, high)
    return 0 if p == 0 else None


def equal(left: str, right: str, names: list[str]) -> bool:
    """Whether two quotients of polynomials are the same."""
    (a, b), (c, d) = (quotient(read(side), variables(names)) for side in (left, right))
    return b != 0 and d != 0 and a * d == c * b
