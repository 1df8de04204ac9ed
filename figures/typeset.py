"""Sets the formulas that `figures/formulas.py` finds, in TeX (and from it MathML) or in Typst's notation."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from latex2mathml.converter import convert

from figures.formulas import FUNCTIONS, GREEK, SPOKEN, Token

UPRIGHT = 3  # letters of a name from which it is a word, set upright


@dataclass(frozen=True)
class Dialect:
    """How one notation writes what two notations write differently."""

    greek: Callable[[str], str]
    word: Callable[[str], str]
    special: dict[str, str]
    below: Callable[[str], str]
    above: Callable[[str], str]
    over: dict[str, Callable[[str], str]]
    bar: Callable[[str, bool], str]
    root: tuple[str, str]
    group: tuple[str, str]
    operators: dict[str, str]


TEX = Dialect(
    greek=lambda name: rf"\var{name}" if name == "epsilon" else rf"\{name}",
    word=lambda name: rf"\mathrm{{{name}}}",
    special={"nabla": r"\nabla", "infinity": r"\infty", "integral": r"\int", "sum": r"\sum", "ell": r"\ell"},
    below=lambda text: f"_{{{text}}}",
    above=lambda text: f"^{{{text}}}",
    over={"bar": lambda text: rf"\bar{{{text}}}", "~": lambda text: rf"\tilde{{{text}}}"},
    bar=lambda sign, closes: sign,
    root=(r"\sqrt{", "}"),
    group=("{", "}"),
    operators={
        "<=": r"\le",
        ">=": r"\ge",
        "!=": r"\neq",
        "==": "=",
        "->": r"\to",
        "<->": r"\leftrightarrow",
        "*": r"\cdot",
        "**": "^",
        "||": r"\|",
        "<": "<",
        ">": ">",
        "!": "!",
        "{": r"\{",
        "}": r"\}",
        ".": r"\cdot",
        "inner": r"\langle",
        "renni": r"\rangle",
        "space": r"\,",
        ",": ",",
        ";": ";",
    },
)
TYPST = Dialect(
    greek=lambda name: name,
    word=lambda name: f'upright("{name}")',
    special={"nabla": "nabla", "infinity": "infinity", "integral": "integral", "sum": "sum", "ell": "ell"},
    below=lambda text: f"_({text})",
    above=lambda text: f"^({text})",
    over={"bar": lambda text: f"overline({text})", "~": lambda text: f"tilde({text})"},
    bar=lambda sign, closes: f'class("{"closing" if closes else "opening"}", {sign})',
    root=("sqrt(", ")"),
    group=("(", ")"),
    operators={
        "<=": "<=",
        ">=": ">=",
        "!=": "!=",
        "==": "=",
        "->": "->",
        "<->": "<->",
        "/": r"\/",
        "*": "dot.op",
        "**": "^",
        "||": "‖",
        "|": "|",
        "<": "<",
        ">": ">",
        "!": "!",
        ".": "dot.op",
        "(": r"\(",
        ")": r"\)",
        "[": r"\[",
        "]": r"\]",
        "{": r"\{",
        "}": r"\}",
        "inner": "chevron.l",
        "renni": "chevron.r",
        "space": "thin",
        ",": ",",
        ";": r"\;",
    },
)


def tex(formula: Sequence[Token]) -> str:
    """A formula in TeX's notation."""
    return _written(formula, TEX)


def typst(formula: Sequence[Token]) -> str:
    """A formula in Typst's notation, without the dollar signs."""
    return _written(formula, TYPST)


@cache
def mathml(notation: str, *, display: bool = False) -> str:
    """TeX as an element of MathML, which browsers set without a script.

    Raises ValueError for TeX that cannot be converted.
    """
    try:
        return convert(notation, display="block" if display else "inline")
    except Exception as error:
        raise ValueError(f"latex = {notation!r} cannot be set ({type(error).__name__}): mend it") from error


def _written(formula: Sequence[Token], dialect: Dialect) -> str:
    parts: list[str] = []
    closing: list[str] = []  # what closes the groups that are open, for brackets that are not shown
    opened: set[str] = set()  # bars of which the left one has been met
    pending = ""  # a group that the next bracket, name or number is
    for place, token in enumerate(formula):
        text = token.text
        if token.kind == "space":
            if parts and _side_by_side(formula, place):
                parts.append(dialect.operators["space"])
            continue
        if pending and token.kind == "open" and text == "(":
            parts.append(pending)
            closing.append(dialect.root[1] if pending == dialect.root[0] else dialect.group[1])
            pending = ""
        elif token.kind == "open":
            closing.append("")
            parts.append(pending + dialect.operators.get(text, text))
            pending = ""
        elif token.kind == "inner":
            closing.append(dialect.operators["renni"])
            parts.append(dialect.operators["inner"])
        elif token.kind == "close" or (text == ">" and closing and closing[-1] == dialect.operators["renni"]):
            shown = closing.pop() if closing else ""
            parts.append(shown or dialect.operators.get(text, text))
        elif text in ("^", "**"):
            parts.append("^")
            pending = dialect.group[0]
        elif token.kind == "word":
            parts.append(" ".join(text))
        elif token.kind in ("name", "number"):
            if text == "sqrt":
                pending = dialect.root[0]
                continue
            one = _name(token, dialect) if token.kind == "name" else _number(text, dialect)
            parts.append(f"{pending}{one}{dialect.group[1]}" if pending else one)
            pending = ""
        elif pending and text == "-":
            pending += "-"  # the exponent of e^-t
        else:
            bar, _, below = text.partition("_")
            index = dialect.below(_subscript(below, dialect)) if below else ""
            shown = dialect.operators.get(bar, bar)
            if bar in ("|", "||"):
                shown = dialect.bar(shown, bar in opened)
                opened ^= {bar}
            parts.append(shown + index)
    return " ".join(part for part in parts if part)


def _number(text: str, dialect: Dialect) -> str:
    """A number; 2e8 with its power of ten."""
    digits, _, exponent = text.lower().partition("e")
    if not exponent:
        return text
    return (
        f"{digits} {dialect.operators['*']} 10 ^ {dialect.group[0]}{exponent.lstrip('+')}{dialect.group[1]}"
    )


def _side_by_side(formula: Sequence[Token], place: int) -> bool:
    """Whether a space stands between two names, numbers or brackets: a thin space keeps them apart."""
    before = formula[place - 1].kind if place else ""
    after = formula[place + 1].kind if place + 1 < len(formula) else ""
    return before in ("name", "number", "close") and after in ("name", "number", "open")


def _name(token: Token, dialect: Dialect) -> str:
    match = re.fullmatch(r"([A-Za-z]+)((?:_(?:\{[^{}]*\}|[A-Za-z0-9]+))*)(~?)('*)(\*?)", token.text)
    if match is None:
        return dialect.word(token.text)
    base, subscripts, tilde, primes, star = match.groups()
    marks = [part.strip("{}") for part in subscripts.split("_") if part]
    written = _base(base, dialect)
    if "bar" in marks:
        marks.remove("bar")
        written = dialect.over["bar"](written)
    if tilde:
        written = dialect.over["~"](written)
    below = " ".join(
        [*(_subscript(mark, dialect) for mark in marks), *([token.index] if token.index else [])]
    )
    above = "'" * len(primes)
    if below:
        written += dialect.below(below)
    if star:
        return written + above + dialect.above("*")
    return written + above


def _base(base: str, dialect: Dialect) -> str:
    if base in GREEK:
        return dialect.greek(base)
    if base == "xbar":
        return dialect.over["bar"]("x")
    if base == "eps":
        return dialect.greek("epsilon")
    if base in SPOKEN:
        return dialect.special[SPOKEN[base]]
    if len(base) == 1:
        return base
    if base in FUNCTIONS:
        return dialect.word(base)
    if base[0] == "d" and base[1:] in GREEK:
        return f"d {dialect.greek(base[1:])}"
    return " ".join(base) if len(base) < UPRIGHT else dialect.word(base)


def _subscript(mark: str, dialect: Dialect) -> str:
    if mark in ("oo", "infinity"):
        return dialect.special["infinity"]
    if mark in ("eps", "epsilon"):
        return dialect.greek("epsilon")
    parts: list[str] = []
    while mark:
        greek = next((name for name in sorted(GREEK, key=len, reverse=True) if mark.startswith(name)), None)
        if greek:
            parts.append(dialect.greek(greek))
            mark = mark[len(greek) :]
            continue
        letters = re.match(r"[A-Za-z]+|\d+|.", mark)
        run = letters[0] if letters else mark
        inside = next(
            (at for at in range(1, len(run)) if any(run[at:].startswith(name) for name in GREEK)), len(run)
        )
        run = run[:inside]
        parts.append(
            dialect.word(run)
            if len(run) >= UPRIGHT and run.isalpha()
            else " ".join(run)
            if run.isalpha()
            else run
        )
        mark = mark[len(run) :]
    return " ".join(parts)
