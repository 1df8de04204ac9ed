"""Losses written as text, for `python -m theory check`: a small arithmetic language read into sympy without
running any code."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy
from sympy import Expr, Rational, Symbol

FUNCTIONS: Mapping[str, Callable[[Expr], Expr]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "erf": sympy.erf,
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "swish": lambda u: u / (1 + sympy.exp(-u)),
    "softplus": lambda u: sympy.log(1 + sympy.exp(u)),
}
CONSTANTS: Mapping[str, Expr] = {"pi": sympy.pi, "E": sympy.E}
NOT_SMOOTH = ("abs", "Abs", "max", "Max", "min", "Min", "relu", "sign", "floor", "ceil", "round")
LONGEST = 10_000  # characters of a loss
LARGEST_POWER = 1_000  # exponents beyond this are refused
MOST_BITS = 4_000  # of an exact number, so that 9**9**9 or (2**1000)**1000 is refused instead of computed
OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}


def parse(text: str, symbols: Iterable[str] | Mapping[str, Symbol]) -> Expr:
    """The sympy expression that `text` denotes in the given real symbols; numbers are exact (0.1 is 1/10).

    The language: numbers, the symbols' names, pi and E, + - * / **, parentheses, and one-argument calls of
    exp log sqrt sin cos tan atan sinh cosh tanh erf sigmoid swish softplus. All of them are twice
    differentiable inside their domains. abs, max, relu and the like are refused: the lemmas are about
    losses with a C^1 gradient. The text is parsed into a syntax tree and rebuilt node by node; nothing in
    it is ever executed.

    Args: `symbols` names (each becomes a real symbol), or a mapping from names to symbols of your own.
    Raises: ValueError, one line, saying what is wrong and what to write instead.
    """
    table = dict(symbols) if isinstance(symbols, Mapping) else real_symbols(symbols)
    tree = _syntax_tree(text)
    try:
        expression = _Builder(text.strip(), table).build(tree.body)
    except RecursionError:
        raise ValueError(
            "loss is nested too deeply to be read; write it with fewer nested parentheses"
        ) from None
    if expression.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise ValueError(
            f"loss = {_short(text)} divides by zero or takes log(0) whatever its symbols are; correct it"
        )
    if expression.has(sympy.I):
        raise ValueError(
            f"loss = {_short(text)} has a complex value (a root or log of a negative number); correct it"
        )
    return expression


def real_symbols(names: Iterable[str]) -> dict[str, Symbol]:
    """A real sympy symbol for each name, keyed by name.

    Raises: ValueError for a name that already means a function or a constant in this language, or that is
    no identifier.
    """
    table: dict[str, Symbol] = {}
    for name in names:
        if name in FUNCTIONS or name in CONSTANTS or name in NOT_SMOOTH:
            raise ValueError(
                f"symbol {name!r} already means a function or a constant in a loss; rename the symbol"
            )
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"symbol {name!r} is not a name; use letters, digits and _, such as x1")
        table[name] = Symbol(name, real=True)
    return table


def _syntax_tree(text: str) -> ast.Expression:
    if not text.strip():
        raise ValueError("loss is empty; write an expression such as log(1+exp(-y*(t1*x1+t2*x2)))")
    if len(text) > LONGEST:
        raise ValueError(
            f"loss has {len(text)} characters; at most {LONGEST} are read: define it in Python instead"
        )
    if "^" in text:
        raise ValueError(f"loss = {_short(text)} uses ^; write ** for a power")
    try:
        return ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        where = f" at character {error.offset}" if error.offset else ""
        raise ValueError(
            f"loss = {_short(text)} cannot be read{where} ({_first_clause(error.msg)}); "
            "write it like log(1+exp(-y*(t1*x1+t2*x2)))"
        ) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise ValueError(
            f"loss = {_short(text)} cannot be read ({error}); write a simpler expression"
        ) from None


class _Builder:
    """Rebuilds a checked syntax tree as a sympy expression; every node that is not listed here is refused."""

    def __init__(self, text: str, table: Mapping[str, Symbol]) -> None:
        self.text = text
        self.table = table

    def build(self, node: ast.AST) -> Expr:
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            operand = self.build(node.operand)
            return -operand if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise ValueError(
            f"loss contains {_short(self._source(node))}, which is not arithmetic; "
            "use numbers, names, + - * / **, parentheses and one-argument functions"
        )

    def _source(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or type(node).__name__

    def _number(self, node: ast.Constant) -> Expr:
        source = self._source(node).replace("_", "")
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ValueError(
                f"loss contains {_short(self._source(node))}, which is not a real number; use numbers"
            )
        exponent = re.search(r"[eE]([+-]?\d+)$", source)
        if exponent and abs(int(exponent[1])) > LARGEST_POWER:
            raise ValueError(f"loss contains {_short(source)}; exponents beyond {LARGEST_POWER} are refused")
        return sympy.Integer(node.value) if isinstance(node.value, int) else Rational(source)

    def _name(self, name: str) -> Expr:
        if name in self.table:
            return self.table[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS:
            raise ValueError(f"loss uses {name} without an argument; write {name}(...)")
        known = ", ".join([*self.table, *CONSTANTS])
        raise ValueError(
            f"loss contains the symbol {name!r}, which is unknown; known are {known}: "
            f"list it among x or theta, or give it a value ({name}=1)"
        )

    def _binary(self, node: ast.BinOp) -> Expr:
        left, right = self.build(node.left), self.build(node.right)
        if isinstance(node.op, ast.Div):
            if right == 0:
                raise ValueError(
                    f"loss divides by zero in {_short(self._source(node))}; correct the denominator"
                )
            return left / right
        if isinstance(node.op, ast.Pow):
            self._check_power(left, right, node)
            return left**right
        for kind, operator in OPERATORS.items():
            if isinstance(node.op, kind):
                return operator(left, right)
        raise ValueError(
            f"loss contains {_short(self._source(node))}; the operators are + - * / **: use one of them"
        )

    def _check_power(self, base: Expr, exponent: Expr, node: ast.BinOp) -> None:
        if base == 0 and exponent.is_number and not exponent.is_positive:
            raise ValueError(
                f"loss contains {_short(self._source(node))}, a power of zero that is not defined; correct it"
            )
        if exponent.is_number and abs(exponent) > LARGEST_POWER:
            raise ValueError(
                f"loss contains {_short(self._source(node))}; exponents beyond {LARGEST_POWER} are refused"
            )
        if exponent.is_number and _bits(base) * abs(exponent) > MOST_BITS:
            raise ValueError(
                f"loss contains {_short(self._source(node))}, a number too long to be exact; use smaller ones"
            )

    def _call(self, node: ast.Call) -> Expr:
        name = node.func.id if isinstance(node.func, ast.Name) else self._source(node.func)
        if name in NOT_SMOOTH:
            raise ValueError(
                f"loss uses {name}, which is not twice differentiable; the lemmas need a C^1 gradient: "
                "use a smooth stand-in such as sqrt(u**2+0.01) for |u| or softplus(u) for relu"
            )
        if name in self.table:
            raise ValueError(
                f"loss calls the symbol {name} like a function; write {name}*(...) for a product"
            )
        if name not in FUNCTIONS:
            raise ValueError(
                f"loss uses the unknown function {_short(name)}; known are {', '.join(FUNCTIONS)}"
            )
        if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
            raise ValueError(f"loss calls {name} with other than one argument; write {name}(u)")
        return FUNCTIONS[name](self.build(node.args[0]))


def _first_clause(message: str) -> str:
    return message.split(";")[0].split(":")[0]


def _bits(base: Expr) -> int:
    """The length of the longest exact number in an expression."""
    return max((max(int(n.p).bit_length(), int(n.q).bit_length()) for n in base.atoms(Rational)), default=0)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else line[:57] + "...")
