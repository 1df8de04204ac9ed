"""Values of a loss's graph, for `python -m theory check`: quick ones in doubles, and balls of any precision whose
radius says how many of their digits are right."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import flint
import mpmath
from mpmath import mpf
from mpmath.libmp import from_man_exp

from theory.own_loss.graph import Graph

arb = flint.arb
MOST_BITS = 12_800  # 3,800 digits: an intermediate that needs more is refused
HAVE_ZEROS = (
    "log",
    "log1p",
    "sin",
    "cos",
    "tan",
    "atan",
    "sinh",
    "tanh",
    "erf",
)  # of which 0 is as good a value as 1
CANCELLED_BITS, CANCELLED_DIGITS = (
    1_600,
    200,
)  # a number that is 0 to so many digits after so many bits counts as 0
GUARD_BITS = 60  # beyond the digits asked for, at first


def _double_sigmoid(u: float) -> float:
    small = math.exp(-abs(u))
    return (1.0 if u >= 0 else small) / (1 + small)


def _double_softplus(u: float) -> float:
    return max(u, 0.0) + math.log1p(math.exp(-abs(u)))


DOUBLES: dict[str, Callable[..., float]] = {
    **{name: getattr(math, name) for name in ("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "atan")},
    **{name: getattr(math, name) for name in ("sinh", "cosh", "tanh", "erf")},
    "sigmoid": _double_sigmoid,
    "softplus": _double_softplus,
}


def double_function(
    graph: Graph, roots: Sequence[int], names: Sequence[str]
) -> Callable[..., tuple[float, ...]]:
    """The roots as a function of the named symbols in doubles, which may raise ArithmeticError or ValueError.

    One assignment a node, under names of our own: nothing is nested, and no symbol can mean anything else.
    """
    words = {name: f"x{place}" for place, name in enumerate(names)}
    space: dict[str, Any] = {"inf": math.inf, **{f"f_{name}": function for name, function in DOUBLES.items()}}
    lines = [f"def value({', '.join(words.values())}):"]
    for place in graph.needed(roots):
        lines.append(f" v{place} = {_written(graph, place, words)}")
    lines.append(f" return ({' '.join(f'v{root},' for root in roots)})")
    exec(compile("\n".join(lines), "<the loss>", "exec"), space)
    return space["value"]


def _written(graph: Graph, place: int, words: Mapping[str, str]) -> str:
    operation, *rest = graph.nodes[place]
    if operation == "number":
        return repr(_double(rest[0]))
    if operation == "symbol":
        return words[rest[0]]
    if operation in ("pi", "e"):
        return repr(getattr(math, operation))
    if operation in ("add", "mul", "div"):
        return f"v{rest[0]} {'+*/'[('add', 'mul', 'div').index(operation)]} v{rest[1]}"
    if operation == "neg":
        return f"-v{rest[0]}"
    if operation == "power":
        return f"v{rest[0]} ** {rest[1]}"
    if operation == "root":
        return f"v{rest[0]} ** {_double(rest[1])!r} if v{rest[0]} >= 0 else f_sqrt(-1.0)"
    if operation == "pick":
        a, b, p, q = rest
        return f"v{p} if v{a} > v{b} else v{q}"
    return f"f_{operation}(v{rest[0]})"


def _double(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


class Balls:
    """Some roots of a graph, evaluated to as many digits as asked for.

    Raises, from `at`: Unresolved where MOST_BITS bits do not give them.
    """

    def __init__(self, graph: Graph, roots: Sequence[int], names: Sequence[str]) -> None:
        self.roots, self.names = list(roots), list(names)
        self.found: dict[int, Any] = {}
        self.steps = [(place, *graph.nodes[place]) for place in graph.needed(roots)]

    def at(
        self,
        place: Callable[[], Sequence[Any]],
        digits: int,
        scale: mpf | None = None,
        *,
        differences: bool = False,
    ) -> list[mpf]:
        """The roots to `digits` digits relative to the largest of them, or to `scale` where that is larger.

        place       : the symbols' values as balls, in flint's current precision
        differences : relative to `scale`, where it is given, even if the roots are larger
        """
        bits = int(digits * 3.33) + GUARD_BITS
        while True:
            with flint.ctx.workprec(bits):
                balls = self.enclosed(place())
                if _resolved(balls, digits, scale, differences):
                    return [middle(ball) for ball in balls]
                if (
                    scale is None
                    and bits > CANCELLED_BITS
                    and _resolved(balls, digits, self._hidden(), False)
                ):
                    return [mpf(0) if ball.contains(0) else middle(ball) for ball in balls]
            if bits >= MOST_BITS:
                raise Unresolved(digits)
            bits = min(2 * bits, MOST_BITS)

    def enclosed(self, values: Sequence[Any]) -> list[Any]:
        """Balls that contain the roots wherever the symbols lie in theirs; nan where a root may be undefined."""
        known = dict(zip(self.names, values, strict=True))
        found: dict[int, Any] = {}
        for place, operation, *rest in self.steps:
            found[place] = _ball(operation, rest, found, known)
        self.found = found
        return [found[root] for root in self.roots]

    def _hidden(self) -> mpf:
        """What is nothing beside the numbers that were added up: differences of this size have cancelled."""
        extents: dict[int, Any] = {}
        for place, operation, *rest in self.steps:
            extents[place] = _extent(place, operation, rest, extents, self.found)
        sizes = [extents[root] for root in self.roots]
        if not all(size.is_finite() for size in sizes):
            return mpf(0)
        return max(middle(size) for size in sizes) * mpf(10) ** -CANCELLED_DIGITS


def _extent(
    place: int, operation: str, rest: Sequence[Any], extents: Mapping[int, Any], found: Mapping[int, Any]
) -> Any:
    """About how large a node could be if none of the numbers below it cancelled."""
    if operation == "add":
        return extents[rest[0]] + extents[rest[1]]
    if operation == "mul":
        return extents[rest[0]] * extents[rest[1]]
    if operation == "div":
        return extents[rest[0]] / found[rest[1]].abs_lower()
    if operation == "power":
        return extents[rest[0]] ** flint.fmpz(rest[1])
    if operation == "neg":
        return extents[rest[0]]
    if operation == "pick":
        return extents[rest[2]].max(extents[rest[3]])
    size = found[place].abs_upper()
    return size.max(arb(1)) if operation in HAVE_ZEROS else size


class Unresolved(ArithmeticError):
    """Digits that could not be had: too large an intermediate number, a kink, or a point outside the domain."""

    def __init__(self, digits: int) -> None:
        super().__init__(
            f"{digits} digits of it cannot be had: an intermediate number is too large, or not real, or lies on a kink"
        )


def _ball(operation: str, rest: Sequence[Any], found: Mapping[int, Any], known: Mapping[str, Any]) -> Any:
    if operation in ("add", "mul", "div"):
        a, b = found[rest[0]], found[rest[1]]
        if operation == "add":
            return a + b
        # An exact zero: the other factor belongs to a branch that is not taken, and may be infinite.
        if a.is_zero() or (operation == "mul" and b.is_zero()):
            return arb(0)
        return a * b if operation == "mul" else a / b
    if operation == "number":
        return arb(flint.fmpq(rest[0].numerator, rest[0].denominator))
    if operation == "symbol":
        return known[rest[0]]
    if operation in ("pi", "e"):
        return arb.pi() if operation == "pi" else arb.const_e()
    a = found[rest[0]]
    if operation == "pick":
        return _picked(a, *(found[one] for one in rest[1:]))
    if operation == "neg":
        return -a
    if operation == "power":
        return a ** flint.fmpz(rest[1])
    if operation == "root":
        return a ** flint.fmpq(rest[1].numerator, rest[1].denominator)
    return _SPECIAL[operation](a) if operation in _SPECIAL else getattr(a, operation)()


def _picked(a: Any, b: Any, p: Any, q: Any) -> Any:
    if a > b:
        return p
    return q if a < b else p.union(q)


def _ball_sigmoid(u: Any) -> Any:
    if u < 0:
        small = u.exp()
        return small / (1 + small)
    return 1 / (1 + (-u).exp())


def _ball_softplus(u: Any) -> Any:
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


_SPECIAL: dict[str, Callable[[Any], Any]] = {"sigmoid": _ball_sigmoid, "softplus": _ball_softplus}


def _resolved(balls: Sequence[Any], digits: int, scale: mpf | None, differences: bool) -> bool:
    largest = arb(0)
    if scale is not None:
        largest = as_ball(scale)
    for ball in balls:
        if not ball.is_finite():
            return False
        if scale is None or not differences:
            size = ball.abs_lower()
            largest = size if size > largest else largest
    allowed = (largest * arb(10) ** -digits).mid()
    return all(ball.rad() <= allowed for ball in balls)


def as_ball(value: mpf) -> Any:
    """An mpmath number, exactly."""
    sign, man, exponent, _ = value._mpf_
    return arb((-int(man) if sign else int(man), int(exponent)))


def middle(ball: Any) -> mpf:
    """The midpoint of a finite ball, exactly."""
    man, exponent = ball.mid().man_exp()
    return mpmath.mp.make_mpf(from_man_exp(int(man), int(exponent)))
