"""Losses given as sympy expressions, for `theory.own_loss.check_loss`: rebuilt as a graph, node by node."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

import sympy

from theory.own_loss.graph import Graph
from theory.own_loss.language import SEVERAL, SMOOTH, shown

FUNCTIONS = {getattr(sympy, name): name for name in SMOOTH if name != "sqrt"}
SWITCHES = {sympy.Max: "max", sympy.Min: "min"}
MOST_NODES = 20_000  # different subexpressions
LONGEST = 2_000  # operations of an expression that is printed


def converted(graph: Graph, expression: sympy.Basic, symbols: Collection[str]) -> int:
    """The node of `graph` that a sympy expression denotes; a float is read as the decimal it prints.

    Raises: ValueError for another symbol than the named ones, for two symbols of one name, and for what is no real
    arithmetic: integrals, sums, products that are not carried out, other functions.
    """
    order = _arguments_first(expression)
    found = [one for one in order if isinstance(one, sympy.Symbol)]
    for symbol in found:
        if str(symbol) not in symbols:
            raise ValueError(
                f"loss contains the symbol {shown(str(symbol))}, which is unknown; known are {', '.join(symbols)}: "
                f"list it among x or theta, or give it a value ({symbol}=1)"
            )
        if [str(other) for other in found].count(str(symbol)) > 1:
            raise ValueError(
                f"loss contains two symbols of the name {symbol}, of other assumptions; give each a name of its own"
            )
    made: dict[sympy.Basic, int] = {}
    for one in order:
        if isinstance(one, sympy.Expr):
            made[one] = _node(graph, one, [made[a] for a in one.args if a in made], made)
    return made[expression]


def text_of(expression: sympy.Basic) -> str:
    """The expression as it prints, or its size where that would be too long."""
    length: dict[sympy.Basic, int] = {}
    for one in _arguments_first(expression):
        length[one] = 1 + sum(length[a] for a in one.args)
    if length[expression] > LONGEST:
        return f"a sympy expression of {len(length)} different subexpressions"
    return str(expression)


def _arguments_first(expression: sympy.Basic) -> list[sympy.Basic]:
    """Every different subexpression once, arguments before what is made of them; without recursion."""
    order: dict[sympy.Basic, None] = {}
    stack: list[tuple[sympy.Basic, bool]] = [(expression, False)]
    while stack:
        one, ready = stack.pop()
        if one in order:
            continue
        if ready:
            order[one] = None
            continue
        if len(order) > MOST_NODES or len(stack) > 10 * MOST_NODES:
            raise ValueError(
                f"loss has more than {MOST_NODES:,} different subexpressions; pass a smaller one"
            )
        stack.append((one, True))
        stack.extend((a, False) for a in one.args)
    return list(order)


def _node(graph: Graph, one: sympy.Basic, arguments: Sequence[int], made: dict[sympy.Basic, int]) -> int:
    try:
        return _made(graph, one, arguments, made)
    except ValueError as error:
        if str(error).startswith("loss"):
            raise
        raise ValueError(f"loss contains {shown(str(one))}, which {error}; correct it") from None


def _made(graph: Graph, one: sympy.Basic, arguments: Sequence[int], made: dict[sympy.Basic, int]) -> int:
    if isinstance(one, sympy.Rational):
        return graph.number(Fraction(int(one.p), int(one.q)))
    if isinstance(one, sympy.Float) and one.is_finite:
        return graph.number(Fraction(str(one)))
    if isinstance(one, sympy.Symbol):
        return graph.symbol(str(one))
    if one in (sympy.pi, sympy.E):
        return graph.constant("pi" if one == sympy.pi else "e")
    if isinstance(one, sympy.Add):
        return graph.total(arguments)
    if isinstance(one, sympy.Mul):
        result = graph.one
        for argument in arguments:
            result = graph.mul(result, argument)
        return result
    if isinstance(one, sympy.Pow):
        return graph.power(*arguments)
    if isinstance(one, sympy.Abs):
        return graph.max(arguments[0], graph.neg(arguments[0]))
    if type(one) in FUNCTIONS and len(arguments) == 1:
        return graph.apply(FUNCTIONS[type(one)], arguments[0])
    if type(one) in SWITCHES:
        result = arguments[0]
        for argument in arguments[1:]:
            result = SEVERAL[SWITCHES[type(one)]](graph, result, argument)
        return result
    if isinstance(one, sympy.Piecewise):
        return _piecewise(graph, one, made)
    raise ValueError(
        f"loss contains {shown(str(one))} ({type(one).__name__}), which is not read here; use arithmetic and "
        f"{', '.join(SMOOTH)}, Abs, Max, Min, Piecewise, and carry out integrals, sums and products (.doit())"
    )


def _piecewise(graph: Graph, one: sympy.Piecewise, made: dict[sympy.Basic, int]) -> int:
    *pairs, (last, always) = one.args
    if always != sympy.true:
        raise ValueError(
            f"loss contains {shown(str(one))}, whose last condition is not True; add (value, True)"
        )
    result = made[last]
    for value, condition in reversed(pairs):
        if not isinstance(condition, sympy.Lt | sympy.Le | sympy.Gt | sympy.Ge):
            raise ValueError(f"loss contains the condition {shown(str(condition))}; use a < b or a > b alone")
        a, b = made[condition.gts], made[condition.lts]
        result = graph.pick(a, b, made[value], result)
    return result
