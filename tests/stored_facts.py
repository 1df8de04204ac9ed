"""A second reading of stored statements: Python evaluates their text at rational points."""

from __future__ import annotations

import re
from fractions import Fraction

SATISFIED_EXAMPLE = {
    "variables": {"x": "positive", "y": "real"},
    "given": ["x*y <= 1", "y^2 >= x", "x + y = 2"],
    "then": "False",
}
SIGNS = {"positive": lambda v: v > 0, "nonnegative": lambda v: v >= 0, "real": lambda v: True}


def python_truth(fact: dict, at: dict[str, Fraction]) -> bool:
    """Whether the point meets the signs and what is given and violates what follows; a relation that divides by zero
    is false."""
    signs = all(SIGNS[sign](at[name]) for name, sign in fact["variables"].items())
    return signs and all(evaluated(text, at) for text in fact["given"]) and not evaluated(fact["then"], at)


def evaluated(text: str, at: dict[str, Fraction]) -> bool:
    """The truth of a statement: each relation by itself, so that one that divides by zero is false and no more."""
    names = {f"v{number}": value for number, value in enumerate(at.values())}
    places = {name: f"v{number}" for number, name in enumerate(at)}
    coded = re.sub(r"\{([^{}]*)\}", lambda found: places[found[1]], text)
    plain = sorted((name for name in at if name.isidentifier()), key=len, reverse=True)
    for name in plain:
        coded = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", places[name], coded)
    coded = re.sub(r"(?<![<>=!])=(?!=)", "==", coded.replace("^", "**"))
    coded = re.sub(r"(?<![\w.])(\d+)", r"F(\1)", coded)
    coded = re.sub(r"\*\*F\((\d+)\)", r"**\1", coded)
    coded = re.sub(r"\*\*\(-F\((\d+)\)\)", r"**(-\1)", coded)
    return _truth(coded, {**names, "F": Fraction})


def _truth(coded: str, scope: dict) -> bool:
    import ast

    def value(node: ast.expr) -> bool:
        if isinstance(node, ast.BoolOp):
            parts = [value(part) for part in node.values]
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not value(node.operand)
        try:
            return bool(eval(compile(ast.Expression(node), "statement", "eval"), dict(scope)))
        except ZeroDivisionError:
            return False

    return value(ast.parse(coded, mode="eval").body)
