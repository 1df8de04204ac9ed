"""A loss as a graph, for `python -m theory check`: each common subexpression is one node, however often it occurs, so
that second derivatives stay small. Nothing in it is known by a user's name but the symbols themselves.

A node is a tuple: an operation and its arguments, which are numbers of earlier nodes or constants.

    ("number", Fraction)  ("symbol", name)  ("pi",)  ("e",)
    ("add", a, b)  ("mul", a, b)  ("div", a, b)  ("neg", a)  ("power", a, n)  n >= 2 an int
    ("root", a, r)  a^r for a Fraction r that is no integer, a > 0
    (f, a)  for f in ANALYTIC
    ("pick", a, b, p, q)  p where a > b, q where a < b; elsewhere there is a kink
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

Node = tuple[Any, ...]

ANALYTIC = (
    *("exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "erf"),
    *("sigmoid", "softplus"),
)
CONSTANTS = ("number", "pi", "e")
MOST_NODES = 400_000  # of a loss and all its derivatives: half a minute of work at 50 digits
MOST_BITS = 4_000  # of an exact number; longer ones are left as operations
LARGEST_POWER = 1_000


class Graph:
    """Nodes in an order in which each comes after its arguments; equal nodes are one."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._place: dict[Node, int] = {}
        self.watch: Callable[[], None] = lambda: (
            None
        )  # called now and then; may raise to end what takes too long
        self.zero, self.one, self.minus = self.number(0), self.number(1), self.number(-1)

    def _node(self, *node: Any) -> int:
        found = self._place.get(node)
        if found is not None:
            return found
        if len(self.nodes) >= MOST_NODES:
            raise ValueError(
                f"loss needs more than {MOST_NODES:,} operations for its second derivatives; "
                "pass a loss with fewer operations or fewer inputs"
            )
        self._place[node] = len(self.nodes)
        self.nodes.append(node)
        return len(self.nodes) - 1

    def number(self, value: Fraction | int) -> int:
        return self._node("number", Fraction(value))

    def symbol(self, name: str) -> int:
        return self._node("symbol", name)

    def constant(self, name: str) -> int:
        """pi or e."""
        return self._node(name)

    def value(self, a: int) -> Fraction | None:
        """The rational number that a node is, None for any other node."""
        node = self.nodes[a]
        return node[1] if node[0] == "number" else None

    def add(self, a: int, b: int) -> int:
        if a == self.zero:
            return b
        if b == self.zero:
            return a
        folded = self._folded(a, b, lambda p, q: p + q)
        return self._node("add", *sorted((a, b))) if folded is None else folded

    def total(self, terms: Iterable[int]) -> int:
        result = self.zero
        for term in terms:
            result = self.add(result, term)
        return result

    def sub(self, a: int, b: int) -> int:
        return self.zero if a == b else self.add(a, self.neg(b))

    def neg(self, a: int) -> int:
        value = self.value(a)
        if value is not None:
            return self.number(-value)
        return self.nodes[a][1] if self.nodes[a][0] == "neg" else self._node("neg", a)

    def mul(self, a: int, b: int) -> int:
        if self.zero in (a, b):
            return self.zero
        for one, other in ((a, b), (b, a)):
            if one == self.one:
                return other
            if one == self.minus:
                return self.neg(other)
        folded = self._folded(a, b, lambda p, q: p * q)
        return self._node("mul", *sorted((a, b))) if folded is None else folded

    def div(self, a: int, b: int) -> int:
        """a/b; ValueError where b is the number 0."""
        if b == self.zero:
            raise ValueError("divides by zero")
        if b == self.one:
            return a
        if a == self.zero:
            return a
        folded = self._folded(a, b, lambda p, q: p / q)
        return self._node("div", a, b) if folded is None else folded

    def power(self, a: int, b: int) -> int:
        """a^b; ValueError where it is defined nowhere, or where the exponent is beyond LARGEST_POWER."""
        exponent, base = self.value(b), self.value(a)
        if exponent is None:
            if self.nodes[a] == ("e",):
                return self.apply("exp", b)
            return self.apply("exp", self.mul(b, self.apply("log", a)))
        if abs(exponent) > LARGEST_POWER:
            raise ValueError(f"has a power beyond {LARGEST_POWER}")
        if base == 0 and exponent <= 0:
            raise ValueError("has a power of zero that is not defined")
        if exponent.denominator > 1:
            return self._root(a, exponent)
        if exponent < 0:
            return self.div(self.one, self._whole(a, -int(exponent)))
        return self._whole(a, int(exponent))

    def apply(self, function: str, a: int) -> int:
        """One of ANALYTIC; log(1 + v) becomes log1p(v), which keeps its digits where v is small."""
        value = self.value(a)
        if function == "log" and value is not None and value <= 0:
            raise ValueError(
                "takes log(0)" if value == 0 else "has a complex value, the log of a negative number"
            )
        if function == "sqrt":
            return self._root(a, Fraction(1, 2))
        if value == 0 and function in ("sin", "tan", "atan", "sinh", "tanh", "erf", "log1p"):
            return self.zero
        if function == "log" and value == 1:
            return self.zero
        if function in ("exp", "cos", "cosh") and value == 0:
            return self.one
        if function == "log":
            rest = self._beside_one(a)
            if rest is not None:
                node = self.nodes[rest]
                return self._node("softplus", node[1]) if node[0] == "exp" else self._node("log1p", rest)
        return self._node(function, a)

    def pick(self, a: int, b: int, p: int, q: int) -> int:
        """p where a > b, q where a < b."""
        return p if p == q else self._node("pick", a, b, p, q)

    def max(self, a: int, b: int) -> int:
        return self.pick(a, b, a, b)

    def _whole(self, a: int, n: int) -> int:
        if n < 2:
            return a if n else self.one
        base = self.value(a)
        if base is not None and _bits(base) * n <= MOST_BITS:
            return self.number(base**n)
        return self._node("power", a, n)

    def _root(self, a: int, r: Fraction) -> int:
        value = self.value(a)
        if value is not None and value < 0:
            raise ValueError("has a complex value, the root of a negative number")
        if value in (0, 1):
            return a
        return self._node("sqrt", a) if r == Fraction(1, 2) else self._node("root", a, r)

    def _beside_one(self, a: int) -> int | None:
        """v where a is 1 + v."""
        node = self.nodes[a]
        if node[0] != "add" or self.one not in node[1:]:
            return None
        return node[2] if node[1] == self.one else node[1]

    def _folded(self, a: int, b: int, operation: Callable[[Fraction, Fraction], Fraction]) -> int | None:
        p, q = self.value(a), self.value(b)
        if p is None or q is None or _bits(p) + _bits(q) > MOST_BITS:
            return None
        return self.number(operation(p, q))

    def needed(self, roots: Iterable[int]) -> list[int]:
        """The nodes that the roots depend on, themselves included, in order."""
        self.watch()
        marked = set(roots)
        for place in range(max(marked, default=-1), -1, -1):
            if place in marked:
                marked.update(self.arguments(place))
        return sorted(marked)

    def arguments(self, place: int) -> tuple[int, ...]:
        """The earlier nodes that a node is computed from."""
        operation, *rest = self.nodes[place]
        if operation in (*CONSTANTS, "symbol"):
            return ()
        return (rest[0],) if operation in ("power", "root") else tuple(rest)

    def symbols(self, root: int) -> set[str]:
        """The names that a node depends on."""
        return {self.nodes[place][1] for place in self.needed([root]) if self.nodes[place][0] == "symbol"}

    def replaced(self, root: int, nodes: Mapping[str, int]) -> int:
        """The same expression with other nodes for some symbols. Raises: ValueError as the constructors do."""
        renewed: dict[int, int] = {}
        for place in self.needed([root]):
            node = self.nodes[place]
            if node[0] == "symbol" and node[1] in nodes:
                renewed[place] = nodes[node[1]]
            else:
                renewed[place] = self._rebuilt(node, [renewed[a] for a in self.arguments(place)], place)
        return renewed[root]

    def _rebuilt(self, node: Node, arguments: list[int], place: int) -> int:
        operation = node[0]
        if not arguments:
            return place
        if operation in ("add", "mul", "div", "neg", "pick"):
            return getattr(self, operation)(*arguments)
        if operation == "power":
            return self._whole(arguments[0], node[2])
        if operation == "root":
            return self._root(arguments[0], node[2])
        return self.apply(operation, arguments[0])


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
