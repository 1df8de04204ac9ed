"""How the report page is put together: plain text is escaped wherever it enters, and only `Html` is taken as it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from html import escape

from figures.formulas import Piece, pieces
from figures.typeset import mathml, tex

VOID = ("br", "img", "input", "link", "meta")
CODE = re.compile(r"`([^`]+)`")


class Html(str):
    """Text that is HTML already. Made by `tag`, `join` and `inline`; by hand only from constants of this package."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: str | int | bool | None) -> Html:
    """An element. Children that are not `Html` are escaped, attributes always; `class_` is class, `data_id` data-id.

    A child or an attribute that is None or False is left out; an attribute that is True stands without a value.
    """
    written = "".join(
        _attribute(key, value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[str | None], between: str = "") -> Html:
    """The children in a row, escaped as `tag` does; None is left out."""
    return Html(_safe(between).join(_safe(child) for child in children if child is not None))


def inline(text: str, claims: Collection[str] = ()) -> Html:
    """Plain text whose formulas are set; backticks mark code, which leads to the claim on the page that it names."""
    parts: list[str] = []
    for place, piece in enumerate(CODE.split(text)):
        if place % 2 == 0:
            parts += [formula(one) if one.formula else one.text for one in pieces(piece)]
        else:
            code = tag("code", piece)
            parts.append(tag("a", code, href=f"#{anchor(piece)}") if piece in claims else code)
    return join(parts)


def formula(piece: Piece) -> Html:
    """A formula as MathML, with the text it was written as for those who copy it or have it read out."""
    element = mathml(tex(piece.formula)).removeprefix(
        '<math xmlns="http://www.w3.org/1998/Math/MathML" display="inline">'
    )
    return Html(f'<math alttext="{escape(piece.text)}">{element}')


def anchor(claim: str) -> str:
    """Where a claim stands in the ledger on the page."""
    return f"claim-{claim}"


def command(line: str, *after: str) -> Html:
    """A command to run, with what is said after it."""
    return tag("p", tag("code", tag("span", "$ ", aria_hidden="true"), line), *after, class_="command")


def absent(path: str, line: str) -> Html:
    """What stands in a section whose file is not there: the command that makes it."""
    said = join([tag("code", path), " is not there. This makes it:"])
    return tag("div", tag("p", said), command(line), class_="absent")


def folded(summary: str, *children: str | None, **attributes: str | int | bool | None) -> Html:
    """A part that is closed until a reader opens it, without a script."""
    return tag("details", tag("summary", summary), *children, **attributes)


def table(
    columns: Iterable[str], rows: Iterable[Iterable[str]], *, label: str, class_: str | None = None
) -> Html:
    """A table that scrolls in a box of its own where it is wider than the page; its first column heads the rows."""
    head = tag("tr", *(tag("th", column, scope="col") for column in columns))
    body = [
        tag(
            "tr",
            *(tag("th", cell, scope="row") if place == 0 else _cell(cell) for place, cell in enumerate(row)),
        )
        for row in rows
    ]
    whole = tag("table", tag("thead", head), tag("tbody", *body), class_=class_)
    return tag("div", whole, class_="scroll", role="region", aria_label=label, tabindex="0")


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 figure`, `3 figures`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _cell(cell: str) -> Html:
    return tag("td", cell, class_="missing" if cell in ("missing", "-") else None)


def _attribute(key: str, value: str | int | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def _safe(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)
