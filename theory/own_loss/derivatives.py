"""Exact derivatives of a loss's graph, for `python -m theory check`: the chain rule node by node, backwards for the
gradient, then forwards through it for the Hessian, so that common subexpressions stay common."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from theory.own_loss.graph import Graph


def gradient(graph: Graph, root: int, variables: Sequence[int]) -> list[int]:
    """The nodes of `d root / d v` for symbols v, in their order; away from kinks, where a `pick` switches."""
    slope = {root: graph.one}
    for place in reversed(graph.needed([root])):
        above = slope.get(place)
        if above is None:
            continue
        for argument, step in _shares(graph, place, above):
            slope[argument] = graph.add(slope[argument], step) if argument in slope else step
    return [slope.get(variable, graph.zero) for variable in variables]


def derivative_along(graph: Graph, roots: Sequence[int], variable: int) -> list[int]:
    """The nodes of `d root / d variable`, for several roots that share what they have in common."""
    moved = {variable: graph.one}
    for place in graph.needed(roots):
        arguments = graph.arguments(place)
        if not any(argument in moved for argument in arguments):
            continue
        if graph.nodes[place][0] == "pick":
            a, b, p, q = arguments
            moved[place] = graph.pick(a, b, moved.get(p, graph.zero), moved.get(q, graph.zero))
            continue
        moved[place] = graph.total(
            graph.mul(partial, moved[argument])
            for argument, partial in _partials(graph, place)
            if argument in moved
        )
    return [moved.get(root, graph.zero) for root in roots]


def cross(graph: Graph, slopes: Sequence[int], columns: Sequence[int]) -> list[int]:
    """`d slope_i / d column_j`, row by row."""
    by_column = [derivative_along(graph, slopes, column) for column in columns]
    return [column[i] for i in range(len(slopes)) for column in by_column]


def upper_triangle(graph: Graph, slopes: Sequence[int], variables: Sequence[int]) -> list[int]:
    """`d slope_i / d v_j` for i <= j, row by row, of a gradient in the v: the others are equal to these."""
    columns = [derivative_along(graph, slopes[: j + 1], variable) for j, variable in enumerate(variables)]
    size = len(variables)
    return [columns[j][i] for i in range(size) for j in range(i, size)]


def _shares(graph: Graph, place: int, above: int) -> list[tuple[int, int]]:
    """(argument, the node of `above` times d node / d argument) for each argument."""
    if graph.nodes[place][0] == "pick":
        # A zero, not a product with one: the branch that is not taken may be infinite.
        a, b, p, q = graph.arguments(place)
        return [(p, graph.pick(a, b, above, graph.zero)), (q, graph.pick(a, b, graph.zero, above))]
    return [(argument, graph.mul(above, partial)) for argument, partial in _partials(graph, place)]


def _partials(graph: Graph, place: int) -> list[tuple[int, int]]:
    """(argument, the node of d node / d argument) for each argument of a node that is no `pick`."""
    operation, *rest = graph.nodes[place]
    if operation == "add":
        return [(a, graph.one) for a in rest]
    if operation == "mul":
        return [(rest[0], rest[1]), (rest[1], rest[0])]
    if operation == "div":
        a, b = rest
        inverse = graph.div(graph.one, b)
        return [(a, inverse), (b, graph.neg(graph.mul(place, inverse)))]
    if operation in ("neg", "power", "root"):
        return [(rest[0], _power_slope(graph, operation, rest))]
    return [(a, _slope(graph, operation, a, place)) for a in graph.arguments(place)]


def _power_slope(graph: Graph, operation: str, rest: Sequence[object]) -> int:
    if operation == "neg":
        return graph.minus
    base, exponent = rest
    assert isinstance(base, int)
    assert isinstance(exponent, int | Fraction)
    below = graph.power(base, graph.number(exponent - 1))
    return graph.mul(graph.number(exponent), below)


def _slope(graph: Graph, function: str, a: int, itself: int) -> int:
    """f'(a), written so that it keeps its digits where f is nearly constant."""
    one = graph.one
    if function == "exp":
        return itself
    if function == "log":
        return graph.div(one, a)
    if function == "log1p":
        return graph.div(one, graph.add(one, a))
    if function == "sqrt":
        return graph.div(graph.number(Fraction(1, 2)), itself)
    if function == "sin":
        return graph.apply("cos", a)
    if function == "cos":
        return graph.neg(graph.apply("sin", a))
    if function == "tan":
        return graph.add(one, graph.mul(itself, itself))
    if function == "atan":
        return graph.div(one, graph.add(one, graph.mul(a, a)))
    if function in ("sinh", "cosh"):
        return graph.apply("cosh" if function == "sinh" else "sinh", a)
    if function == "tanh":
        twice = graph.add(a, a)
        return graph.mul(graph.number(4), _both_gates(graph, twice))
    if function == "erf":
        bell = graph.apply("exp", graph.neg(graph.mul(a, a)))
        return graph.div(graph.mul(graph.number(2), bell), graph.apply("sqrt", graph.constant("pi")))
    if function == "sigmoid":
        return _both_gates(graph, a)
    assert function == "softplus", function
    return graph.apply("sigmoid", a)


def _both_gates(graph: Graph, a: int) -> int:
    """sigmoid(a) sigmoid(-a)."""
    return graph.mul(graph.apply("sigmoid", a), graph.apply("sigmoid", graph.neg(a)))
