"""Parts of a loss as text, for the messages and the report of `python -m theory check`."""

from __future__ import annotations

from theory.own_loss.graph import Graph

LONGEST = 60  # characters
SIGNS = {"add": " + ", "mul": "*", "div": "/"}


def written(graph: Graph, place: int, longest: int = LONGEST) -> str:
    """A node as arithmetic, shortened to that many characters."""
    text = _written(graph, place, longest)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _written(graph: Graph, place: int, longest: int) -> str:
    """Goes no deeper than the characters that are left can show."""
    operation, *rest = graph.nodes[place]
    if longest <= 0:
        return "..."
    if operation in ("number", "symbol"):
        return str(rest[0])
    if operation in ("pi", "e"):
        return {"pi": "pi", "e": "E"}[operation]
    below = [_written(graph, one, longest - 4) for one in graph.arguments(place)]
    if operation == "add" and below[1].startswith("-"):
        return f"({below[0]} - {below[1][1:]})"
    if operation in SIGNS:
        return f"({below[0]}{SIGNS[operation]}{below[1]})"
    if operation == "neg":
        return f"-{below[0]}"
    if operation in ("power", "root"):
        return f"{below[0]}**{rest[1]}" if operation == "power" else f"{below[0]}**({rest[1]})"
    if operation == "pick":
        a, b, p, q = below
        if rest[:2] == rest[2:]:
            return f"max({a}, {b})"
        return f"Piecewise(({p}, {a} > {b}), ({q}, True))"
    return f"{operation}({', '.join(below)})"
