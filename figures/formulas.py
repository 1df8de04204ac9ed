"""Finds the formulas in a sentence of the ledger, and sets them: MathML for the page, Typst for the PDF, TeX between.

The ledger is written for a terminal: `||x'(theta_1) - x'(theta_2)|| <= (C_theta_x/c) ||theta_1 - theta_2||`. A formula
is a longest run of names, numbers, operators and matched brackets with no English word in it; a number or a bracket by
itself is none. What is no formula is left as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

GREEK = {
    *(
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "eta",
        "theta",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
    ),
    *(
        "tau",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Phi",
        "Psi",
    ),
}
FUNCTIONS = {
    *(
        "log",
        "exp",
        "sin",
        "cos",
        "tan",
        "cosh",
        "sinh",
        "tanh",
        "det",
        "sup",
        "inf",
        "max",
        "min",
        "lim",
        "arg",
    ),
    *(
        "sqrt",
        "sign",
        "sigmoid",
        "clip",
        "erf",
        "tr",
        "var",
        "Var",
        "diag",
        "rank",
        "conv",
        "argmax",
        "argmin",
    ),
}
# Other names that stand for mathematics although they have several letters.
SPOKEN = {
    "grad": "nabla",
    "nabla": "nabla",
    "eps": "epsilon",
    "oo": "infinity",
    "infinity": "infinity",
    "int": "integral",
    "sum": "sum",
    "l": "ell",
    "xbar": "xbar",
}
PRODUCT = re.compile(r"[BDHTAEKdt][vwgfxtJlFELzusk]")  # Bv, Dg, dt: two letters side by side
NO_FORMULA = {"z3", "At", "As", "Du", "Ds"}  # look like names, and are words or a program
ENGLISH = {"a", "A", "I"}  # words unless an operator stands beside them
TOKEN = re.compile(
    r"(?P<code>`[^`]*`)|(?P<inner><(?=[^<>\s=]+,\s?[^<>=]+>))"
    r"|(?P<name>[A-Za-z]+(?:_(?:\{[^{}]*\}|[A-Za-z0-9]+))*(?:~)?(?:'+)?(?:\*(?![\w(*]))?)(?P<digits>\d*)"
    r"|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<operator><=|>=|!=|==|<->|->|\*\*|\|\|?_(?:[A-Za-z]|\d+|infinity)\b|\|\||[=<>+\-*/^|!])"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<dot>\.(?=[A-Za-z]))|(?P<comma>[,;])|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
STRONG = {"operator", "inner"}
PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


@dataclass(frozen=True)
class Token:
    """A piece of a sentence: what kind it is and how it is written; a name's trailing digits are its index."""

    kind: str
    text: str
    index: str = ""


@dataclass(frozen=True)
class Piece:
    """A run of plain text, or the tokens of a formula."""

    text: str
    formula: tuple[Token, ...] = ()


def pieces(sentence: str) -> Iterator[Piece]:
    """The sentence in order, text and formulas in turn; joined together their texts are the sentence."""
    tokens = _tokens(sentence)
    at, plain = 0, ""
    while at < len(tokens):
        end = _formula_end(tokens, at)
        if end > at and _worth_setting(tokens[at:end]):
            if plain:
                yield Piece(plain)
            plain = ""
            chosen = tokens[at:end]
            yield Piece("".join(one.text + one.index for one in chosen), tuple(chosen))
            at = end
        else:
            step = max(end, at + 1)
            plain += "".join(one.text + one.index for one in tokens[at:step])
            at = step
    if plain:
        yield Piece(plain)


def _tokens(sentence: str) -> list[Token]:
    found: list[Token] = []
    for match in TOKEN.finditer(sentence):
        kind = match.lastgroup or "other"
        if match["name"] is not None:
            found.append(_name(match["name"], match["digits"]))
        else:
            found.append(Token(kind, match[0]))
    return list(_single_bars(found))


def _single_bars(tokens: list[Token]) -> Iterator[Token]:
    """`|a||b|` closes a bar and opens another, where `||` by itself is a norm's."""
    inside = False
    for token in tokens:
        if token.text == "||" and inside:
            yield Token("operator", "|")
            yield Token("operator", "|")
            continue
        if token.kind == "word":
            inside = False
        elif token.text.split("_")[0] == "|":
            inside = not inside
        yield token


def _name(text: str, digits: str) -> Token:
    base = re.match(r"[A-Za-z]+", text)
    letters = base[0] if base else text
    if text + digits in NO_FORMULA:
        return Token("word", text + digits)
    known = letters in GREEK or letters in FUNCTIONS or letters in SPOKEN or len(letters) == 1
    compound = "_" in text and len(letters) <= 6
    if known or compound or (PRODUCT.fullmatch(letters) and not digits):
        return Token("name", text, digits)
    return Token("word", text + digits)


def _formula_end(tokens: list[Token], start: int) -> int:
    """The end of the longest formula that begins at `start`; `start` itself where none does."""
    at, end = start, start
    while at < len(tokens):
        token = tokens[at]
        if token.kind in ("name", "number") and not _is_english(tokens, at, start):
            at = end = at + 1
        elif token.kind in ("open", "inner"):
            closed = _closed(tokens, at)
            if closed is None or (
                token.text == "("
                and at > start
                and tokens[at - 1].kind == "space"
                and _aside(tokens[at:closed])
            ):
                break
            at = end = closed
        elif token.kind == "operator":
            if at == start and token.text in ("^", "**", "*", "/", "!"):
                break
            if not _has_right_side(tokens, at, token):
                if _bar(token):
                    at = end = at + 1
                    continue
                break
            at += 1
            if _bar(token):
                end = at
        elif (
            token.kind == "dot" and at > start and tokens[at - 1].kind == "name" and _next_is_name(tokens, at)
        ) or (token.kind == "space" and at > start):
            at += 1
        else:
            break
    return _bars_paired(tokens, start, end)


def _bar(token: Token) -> bool:
    return token.text.split("_")[0] in ("|", "||")


def _aside(tokens: list[Token]) -> bool:
    """Whether a bracket after a space is a remark of its own, `(d >= 2)`, and no factor."""
    return any(one.text in ("=", "<=", ">=", "<", ">", "!=", "==", "->", ",", ";") for one in tokens[1:-1])


def _bars_paired(tokens: list[Token], start: int, end: int) -> int:
    """A formula does not end inside |...|: it is cut before the bar that nothing closes."""
    for bar in ("||", "|"):
        places = [at for at in range(start, end) if tokens[at].text.split("_")[0] == bar]
        if len(places) % 2:
            end = places[-1]
    while end > start and tokens[end - 1].kind in ("space", "operator", "dot") and not _bar(tokens[end - 1]):
        end -= 1
    return end


def _is_english(tokens: list[Token], at: int, start: int) -> bool:
    if tokens[at].text not in ENGLISH or tokens[at].index:
        return False
    before = next((one for one in reversed(tokens[start:at]) if one.kind != "space"), None)
    after = next((one for one in tokens[at + 1 :] if one.kind != "space"), None)
    if before is not None and before.kind == "operator":
        return False
    if tokens[at].text == "I" and before is not None and before.kind == "name":
        return False
    return not (after is not None and after.kind == "operator" and after.text not in ("|", "||"))


def _has_right_side(tokens: list[Token], at: int, token: Token) -> bool:
    """Whether something mathematical follows an operator: `C-Lipschitz` has a hyphen, no minus."""
    rest = [one for one in tokens[at + 1 : at + 3] if one.kind != "space"]
    spaced = at + 1 < len(tokens) and tokens[at + 1].kind == "space"
    if not rest or rest[0].kind not in ("name", "number", "open", "operator", "inner"):
        return False
    if (
        token.text == "-"
        and not spaced
        and at > 0
        and tokens[at - 1].kind == "space"
        and rest[0].kind == "word"
    ):
        return False
    return rest[0].kind != "open" or _closed(tokens, tokens.index(rest[0], at + 1)) is not None


def _next_is_name(tokens: list[Token], at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at + 1].kind == "name"


def _closed(tokens: list[Token], at: int) -> int | None:
    """The place behind the bracket that closes the one at `at`; None where words stand between, or nothing closes."""
    expected = [PAIRS[tokens[at].text]]
    for place in range(at + 1, len(tokens)):
        token = tokens[place]
        raised = at > 0 and tokens[at - 1].text == "^"
        if token.kind in ("code", "other") or (
            token.kind == "word" and not (raised and len(token.text) <= 3)
        ):
            return None
        if token.kind in ("open", "inner"):
            expected.append(PAIRS[token.text])
        elif token.text == expected[-1] and (token.kind == "close" or token.text == ">"):
            expected.pop()
            if not expected:
                return place + 1
        elif token.kind == "close":
            return (
                place + 1 if len(expected) == 1 and tokens[at].text in "([" and token.text in ")]" else None
            )
    return None


def _worth_setting(tokens: list[Token]) -> bool:
    """A formula has a name that is no English word, or an operator between numbers."""
    names = [one for one in tokens if one.kind == "name"]
    if names:
        return len(tokens) > 1 or names[0].text not in FUNCTIONS | ENGLISH
    return any(one.kind in STRONG for one in tokens) and any(one.kind == "number" for one in tokens)
