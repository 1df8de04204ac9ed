"""Losses written as text, for `python -m theory check`: a small arithmetic language, read without running any code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from theory.cli import plain_name
from theory.own_loss.graph import LARGEST_POWER, Graph

SMOOTH = ("exp", "log", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "erf")


def _applied(name: str, graph: Graph, u: int) -> int:
    return graph.apply(name, u)


FUNCTIONS: dict[str, Callable[[Graph, int], int]] = {
    **{name: partial(_applied, name) for name in (*SMOOTH, "sigmoid", "softplus")},
    "swish": lambda graph, u: graph.mul(u, graph.apply("sigmoid", u)),
    "abs": lambda graph, u: graph.max(u, graph.neg(u)),
    "relu": lambda graph, u: graph.max(u, graph.zero),
}
SEVERAL: dict[str, Callable[[Graph, int, int], int]] = {
    "max": lambda graph, u, v: graph.max(u, v),
    "min": lambda graph, u, v: graph.neg(graph.max(graph.neg(u), graph.neg(v))),
}
SPELLINGS = {"Abs": "abs", "Max": "max", "Min": "min", "arctan": "atan", "ln": "log"}
NAMES = {"pi": "pi", "E": "e"}
NOT_CONTINUOUS = ("sign", "floor", "ceil", "round", "Heaviside")
LONGEST = 10_000  # characters of a loss
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>\*\*|<=|>=|[-+*/(),<>]))"
)
# What keyboards and word processors make of arithmetic.
MEANT = {
    **dict.fromkeys("·⋅∙×∗•", "*"),
    **dict.fromkeys("−–—‐‑", "-"),
    **dict.fromkeys("÷∕⁄", "/"),
    "^": "** for a power",
    "²": "**2",
    "³": "**3",
    "√": "sqrt(...)",
    "≤": "<=",
    "≥": ">=",
    "∞": "a number",
}
ORDER = {"<": 0, "<=": 0, ">": 0, ">=": 0, "+": 1, "-": 1, "*": 2, "/": 2, "negative": 3, "**": 4}
EXAMPLE = "log(1+exp(-y*(t1*x1+t2*x2)))"


def parse(graph: Graph, text: str, symbols: Iterable[str]) -> int:
    """The node of `graph` that `text` denotes in the given symbols; numbers are exact (0.1 is 1/10).

    The language: numbers, the symbols' names, pi and E, + - * / **, parentheses, the calls exp log sqrt sin cos tan
    atan sinh cosh tanh erf sigmoid swish softplus abs relu of one argument and max min of several, and
    Piecewise((u, a < b), ..., (v, True)). Nothing in the text is ever executed.

    Raises: ValueError, one line, saying what is wrong, at which character, and what to write instead.
    """
    if not text.strip():
        raise ValueError(f"loss is empty; write an expression such as {EXAMPLE}")
    if len(text) > LONGEST:
        raise ValueError(
            f"loss has {len(text)} characters; at most {LONGEST} are read: build it in Python with sympy instead"
        )
    for place, character in enumerate(text):
        if character in MEANT:
            raise ValueError(
                f"loss contains {character!r} at character {place + 1}; write {MEANT[character]}"
            )
    return _Reader(graph, text, {plain_name(name) for name in symbols}).read()


def check_names(names: Iterable[str]) -> None:
    """Raises: ValueError for a name that already means something in this language, or that is no name."""
    reserved = {*FUNCTIONS, *SEVERAL, *SPELLINGS, *NAMES, *NOT_CONTINUOUS, "Piecewise", "True", "False"}
    for name in names:
        if name in reserved:
            raise ValueError(
                f"symbol {name!r} already means a function or a constant in a loss; rename the symbol"
            )
        if not name.isidentifier() or not re.fullmatch(r"[^\W\d]\w*", name):
            raise ValueError(f"symbol {name!r} is not a name; use letters, digits and _, such as x1")


@dataclass(frozen=True)
class _Token:
    kind: str  # number, name, sign, end
    text: str
    start: int


@dataclass(frozen=True)
class _Above:
    """A comparison, a > b; at a = b there is a kink on either reading."""

    a: int
    b: int


@dataclass
class _Open:
    """An opened parenthesis: the function it belongs to, if any, and how many values lay there before it."""

    function: str | None
    depth: int
    token: _Token


class _Reader:
    """Reads operators by precedence with two stacks, so that no depth of nesting is too much."""

    def __init__(self, graph: Graph, text: str, symbols: set[str]) -> None:
        self.graph, self.text, self.symbols = graph, text, symbols
        self.values: list[Any] = []
        self.waiting: list[_Token | _Open] = []
        self.tokens = self._tokens()
        self.place = 0

    def read(self) -> int:
        wants_value = True
        while self.tokens[self.place].kind != "end":
            token = self.tokens[self.place]
            self.place += 1
            wants_value = self._value(token) if wants_value else self._operator(token)
        end = self.tokens[self.place]
        if wants_value:
            raise self._unreadable(end, "it ends where a number or a name is expected")
        self._reduce(-1)
        if self.waiting:
            opened = self.waiting[-1]
            assert isinstance(opened, _Open)
            raise self._unreadable(opened.token, "this parenthesis is never closed")
        return self._number(self.values[0], end)

    def _tokens(self) -> list[_Token]:
        tokens, place = [], 0
        while self.text[place:].strip():
            found = TOKEN.match(self.text, place)
            if found is None or not found.lastgroup:
                start = place + len(self.text[place:]) - len(self.text[place:].lstrip())
                bad = _Token("sign", self.text[start], start)
                raise self._unreadable(bad, f"{self.text[start]!r} is not arithmetic")
            tokens.append(_Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            place = found.end()
        return [*tokens, _Token("end", "", len(self.text))]

    def _value(self, token: _Token) -> bool:
        """Takes what may begin a value; returns whether a value is still wanted."""
        if token.kind == "number":
            self.values.append(self._literal(token))
            return False
        if token.kind == "name":
            return self._name(token)
        if token.text in "+-":
            if token.text == "-":
                self.waiting.append(_Token("sign", "negative", token.start))
            return True
        if token.text == "(":
            self.waiting.append(_Open(None, len(self.values), token))
            return True
        raise self._unreadable(token, f"a number or a name is expected before {token.text!r}")

    def _name(self, token: _Token) -> bool:
        name = plain_name(token.text)
        called = self.tokens[self.place].text == "("
        if name in self.symbols:
            if called:
                raise ValueError(
                    f"loss calls the symbol {name} like a function; write {name}*(...) for a product"
                )
            self.values.append(self.graph.symbol(name))
            return False
        if name in NAMES:
            self.values.append(self.graph.constant(NAMES[name]))
            return False
        if name == "True":
            self.values.append(True)
            return False
        self._check_function(name, called)
        self.waiting.append(_Open(SPELLINGS.get(name, name), len(self.values), self.tokens[self.place]))
        self.place += 1
        return True

    def _check_function(self, name: str, called: bool) -> None:
        if name in NOT_CONTINUOUS:
            raise ValueError(f"loss uses {name}, which is not continuous; the lemmas need a C^1 gradient")
        known = (*FUNCTIONS, *SEVERAL, "Piecewise")
        if name in known or name in SPELLINGS:
            if not called:
                raise ValueError(f"loss uses {name} without an argument; write {name}(...)")
            return
        if called:
            raise ValueError(f"loss uses the unknown function {shown(name)}; known are {', '.join(known)}")
        names = ", ".join([*sorted(self.symbols), *NAMES])
        raise ValueError(
            f"loss contains the symbol {shown(name)}, which is unknown; known are {names}: "
            f"list it among x or theta, or give it a value ({name}=1)"
        )

    def _literal(self, token: _Token) -> int:
        text = token.text.replace("_", "")
        exponent = re.search(r"[eE]([+-]?\d+)$", text)
        if exponent and (len(exponent[1]) > 5 or abs(int(exponent[1])) > LARGEST_POWER):
            raise ValueError(
                f"loss contains {shown(token.text)}; exponents beyond {LARGEST_POWER} are refused"
            )
        return self.graph.number(Fraction(text))

    def _operator(self, token: _Token) -> bool:
        """Takes what may follow a value; returns whether a value is wanted next."""
        if token.text in (",", ")"):
            self._reduce(-1)
            if not self.waiting:
                raise self._unreadable(token, f"no parenthesis is open before {token.text!r}")
            if token.text == ",":
                return True
            self._close(token)
            return False
        if token.text not in ORDER:
            raise self._unreadable(
                token, f"an operator is expected before {token.text!r}; write * for a product"
            )
        # Of equal operators the left one is first, but for powers.
        self._reduce(ORDER[token.text] - (token.text != "**") * 0.5)
        self.waiting.append(token)
        return True

    def _reduce(self, above: float) -> None:
        """Carries out the waiting operators that bind more strongly than `above`."""
        while self.waiting and isinstance(self.waiting[-1], _Token):
            token = self.waiting[-1]
            if ORDER[token.text] <= above:
                return
            self.waiting.pop()
            right = self.values.pop()
            left = right if token.text == "negative" else self.values.pop()
            self.values.append(self._carried_out(token, left, right))

    def _carried_out(self, token: _Token, left: Any, right: Any) -> Any:
        a, b = self._number(left, token), self._number(right, token)
        if ORDER[token.text] == 0:
            return _Above(b, a) if token.text in ("<", "<=") else _Above(a, b)
        names = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "power"}
        with _explained(self.text):
            return (
                self.graph.neg(b)
                if token.text == "negative"
                else getattr(self.graph, names[token.text])(a, b)
            )

    def _close(self, token: _Token) -> None:
        opened = self.waiting.pop()
        assert isinstance(opened, _Open)
        arguments = self.values[opened.depth :]
        del self.values[opened.depth :]
        self.values.append(self._called(opened, arguments, token))

    def _called(self, opened: _Open, arguments: list[Any], token: _Token) -> Any:
        name = opened.function
        if name is None:
            return arguments[0] if len(arguments) == 1 else tuple(arguments)
        if name == "Piecewise":
            return self._piecewise(arguments)
        numbers = [self._number(one, token) for one in arguments]
        if name in SEVERAL:
            result = numbers[0]
            for one in numbers[1:]:
                result = SEVERAL[name](self.graph, result, one)
            return result
        if len(numbers) != 1:
            raise ValueError(f"loss calls {name} with other than one argument; write {name}(u)")
        with _explained(self.text):
            return FUNCTIONS[name](self.graph, numbers[0])

    def _piecewise(self, pairs: list[Any]) -> int:
        asked = "write Piecewise((u, a < b), (v, True)): pairs of a value and a comparison, the last one True"
        if not pairs or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
            raise ValueError(f"loss has a Piecewise that is not made of pairs; {asked}")
        if pairs[-1][1] is not True or not all(isinstance(pair[1], _Above) for pair in pairs[:-1]):
            raise ValueError(f"loss has a Piecewise whose conditions are not comparisons; {asked}")
        result = self._number(pairs[-1][0], self.tokens[self.place - 1])
        for value, where in reversed(pairs[:-1]):
            result = self.graph.pick(
                where.a, where.b, self._number(value, self.tokens[self.place - 1]), result
            )
        return result

    def _number(self, value: Any, token: _Token) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise self._unreadable(token, "a number is expected there, not a comparison or a list")

    def _unreadable(self, token: _Token, why: str) -> ValueError:
        return ValueError(
            f"loss = {shown(self.text)} cannot be read at character {token.start + 1} ({why}); write it like {EXAMPLE}"
        )


class _explained:
    """Puts the loss before what the graph refuses."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValueError) and not str(error).startswith("loss"):
            raise ValueError(f"loss = {shown(self.text)} {error}; correct it") from None


def shown(text: str) -> str:
    """A text as a message quotes it."""
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else line[:57] + "...")
