"""The question that `python -m theory check` answers, read and validated: a loss, its symbols, a ball and a
parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, Rational, Symbol

from theory.cli import given_number, name_list, plain_name
from theory.own_loss.from_sympy import converted, text_of
from theory.own_loss.graph import Graph
from theory.own_loss.language import check_names, parse, shown

NORMS = ("l2", "linf")


@dataclass(frozen=True)
class LossProblem:
    """A loss l(x, theta), the node `root` of `graph`, with every other symbol set, and the ball `||x' - center|| <=
    epsilon` at theta = at.

    `text` is the loss as it was given; all numbers are exact rationals.
    """

    graph: Graph
    root: int
    text: str
    x: tuple[str, ...]
    theta: tuple[str, ...]
    center: tuple[Rational, ...]
    at: tuple[Rational, ...]
    epsilon: Rational
    norm: str
    values: Mapping[str, Rational]

    def on_unit_ball(self) -> tuple[Graph, int]:
        """The loss at theta = at as a function of u0, u1, ..., where x' = center + epsilon u."""
        graph = self.graph
        radius = graph.number(fraction(self.epsilon))
        nodes = _numbers(graph, self.theta, self.at)
        for place, (name, centre) in enumerate(zip(self.x, self.center, strict=True)):
            step = graph.mul(radius, graph.symbol(f"u{place}"))
            nodes[name] = graph.add(graph.number(fraction(centre)), step)
        return graph, _replaced(graph, self.root, nodes)


def read_problem(
    loss: str | Expr,
    x: str | Sequence[Any],
    theta: str | Sequence[Any],
    *,
    center: Iterable[Any],
    at: Iterable[Any],
    epsilon: Any,
    norm: str = "l2",
    values: Mapping[str, Any] | None = None,
) -> LossProblem:
    """Read and validate the arguments of `theory.own_loss.check_loss`; see there.

    Raises: ValueError, one line, naming the argument, its value, what is required and what to do.
    """
    x_names, theta_names = _names("x", x), _names("theta", theta)
    settings = {plain_name(str(name)): _exact("values", value) for name, value in (values or {}).items()}
    _check_disjoint(x_names, theta_names, tuple(settings))
    check_names((*x_names, *theta_names, *settings))
    graph = Graph()
    root, text = _expression(graph, loss, (*x_names, *theta_names, *settings))
    occurring = graph.symbols(root)
    for role, names in (("x", x_names), ("theta", theta_names), ("values", tuple(settings))):
        missing = [name for name in names if name not in occurring]
        if missing:
            raise ValueError(
                f"{role} names {missing[0]!r}, which does not occur in the loss {shown(text)}; "
                "remove it or correct the loss"
            )
    if norm not in NORMS:
        raise ValueError(f"norm = {norm!r} is unknown; choose one of {', '.join(NORMS)}")
    radius = _exact("epsilon", epsilon)
    if radius <= 0:
        raise ValueError(
            f"epsilon = {epsilon}; the radius of the attack must be > 0: pass for example 0.6 or 8/255"
        )
    return LossProblem(
        graph=graph,
        root=_replaced(graph, root, _numbers(graph, tuple(settings), tuple(settings.values()))),
        text=text,
        x=x_names,
        theta=theta_names,
        center=_vector("center", center, x_names),
        at=_vector("at", at, theta_names),
        epsilon=radius,
        norm=norm,
        values=settings,
    )


def fraction(value: Rational) -> Fraction:
    """The same rational as Python's own."""
    return Fraction(int(value.p), int(value.q))


def _numbers(graph: Graph, names: Sequence[str], values: Sequence[Rational]) -> dict[str, int]:
    return {name: graph.number(fraction(value)) for name, value in zip(names, values, strict=True)}


def _replaced(graph: Graph, root: int, nodes: Mapping[str, int]) -> int:
    try:
        return graph.replaced(root, nodes)
    except ValueError as error:
        if str(error).startswith("loss"):
            raise
        raise ValueError(
            f"loss {error} with the given values, so that it is not real and finite; correct the values or the loss"
        ) from None


def _names(role: str, given: str | Sequence[Any]) -> tuple[str, ...]:
    given = [given] if isinstance(given, Symbol) else given
    listed = name_list(given) if isinstance(given, str) else _listed(role, given)
    names = tuple(plain_name(str(name)) for name in listed)
    if not names:
        raise ValueError(
            f"{role} names no symbol; list at least one, such as {'x1,x2' if role == 'x' else 't1,t2'}"
        )
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{role} names {repeated[0]!r} twice; give each name once")
    return names


def _check_disjoint(x: Sequence[str], theta: Sequence[str], values: Sequence[str]) -> None:
    for first, second, pair in (
        (x, theta, "x and theta"),
        (x, values, "x and values"),
        (theta, values, "theta and values"),
    ):
        both = [name for name in first if name in second]
        if both:
            raise ValueError(
                f"{both[0]!r} occurs in both {pair}; a symbol has one role: remove it from one of them"
            )


def _expression(graph: Graph, loss: str | Expr, names: Sequence[str]) -> tuple[int, str]:
    """The node of the loss, and how it was written."""
    if isinstance(loss, str):
        return parse(graph, loss, names), " ".join(loss.split())
    if not isinstance(loss, Expr):
        raise ValueError(
            f"loss = {shown(repr(loss))} is neither text nor a sympy expression; pass one of them"
        )
    return converted(graph, loss, names), text_of(loss)


def _vector(role: str, given: Iterable[Any], names: Sequence[str]) -> tuple[Rational, ...]:
    listed = given.split(",") if isinstance(given, str) else _listed(role, given)
    entries = tuple(_exact(role, value) for value in listed)
    if len(entries) != len(names):
        kind = "x" if role == "center" else "theta"
        raise ValueError(
            f"{role} has {len(entries)} numbers and {kind} has {len(names)} symbols ({','.join(names)}); "
            "the dimensions must agree: give one number per symbol"
        )
    return entries


def _listed(role: str, given: Iterable[Any]) -> list[Any]:
    try:
        return list(given)
    except TypeError:
        raise ValueError(f"{role} = {shown(repr(given))} is no sequence; pass one entry per symbol") from None


def _exact(role: str, value: Any) -> Rational:
    """The exact rational that a number denotes; a float is read as the decimal it prints."""
    try:
        number = given_number(value)
    except ValueError as error:
        raise ValueError(f"{role}: {error}") from None
    if number is None:
        raise ValueError(
            f"{role} contains {shown(repr(value))}, which is not a rational number; write a decimal or a fraction"
        )
    return number
