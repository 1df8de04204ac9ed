"""How the errata document is written in Typst: plain text is quoted wherever it enters, only formulas are set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType

from figures.formulas import pieces
from figures.typeset import typst

Source = NewType("Source", str)

PREAMBLE = """
#set page(paper: "a4", margin: (x: 2cm, y: 1.9cm), numbering: "1 / 1")
#set text(font: "New Computer Modern", size: 9.5pt, lang: "en", hyphenate: true)
#set par(justify: true, leading: 0.58em)
#show heading.where(level: 1): set text(size: 14pt)
#show heading.where(level: 1): set block(above: 1.6em, below: 0.9em)
#show heading.where(level: 2): set text(size: 10.5pt)
#show heading.where(level: 2): set block(above: 1.5em, below: 0.6em)
#set enum(indent: 0.4em, spacing: 0.62em)
#let entry(label, body) = grid(
  columns: (6.2em, 1fr), gutter: 0.6em, par(justify: false, text(fill: luma(90), style: "italic", label)), body)
#let place(body) = text(size: 8.5pt, fill: luma(90), body)
"""


def text(sentence: str) -> Source:
    """A sentence whose formulas are set."""
    return Source(
        "".join(f"${typst(one.formula)}$" if one.formula else quoted(one.text) for one in pieces(sentence))
    )


def quoted(plain: str) -> Source:
    """Plain text, of which no character is markup."""
    inside = plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return Source(f'#"{inside}";') if inside else Source("")


def heading(level: int, sentence: str) -> Source:
    """A heading; level 1 or 2."""
    return Source(f"\n#heading(level: {level})[{text(sentence)}]\n")


def paragraph(*parts: Source) -> Source:
    """Parts in one paragraph."""
    return Source("".join(parts) + "\n\n")


def entry(label: str, body: Source) -> Source:
    """A label with what stands beside it."""
    return Source(f"#entry[{quoted(label)}][{body}]\n")


def place(sentence: str) -> Source:
    """Small print: where in the paper, how known."""
    return Source(f"#place[{quoted(sentence)}]\n\n")


def steps(lines: Iterable[str]) -> Source:
    """Numbered steps of an argument."""
    return Source("#enum(" + ", ".join(f"[{text(line)}]" for line in lines) + ")\n")


def table(head: Iterable[str], rows: Iterable[Iterable[str]], columns: str) -> Source:
    """A table with a head; `columns` is Typst's list of widths."""
    cells = [f"[*{quoted(cell)}*]" for cell in head] + [f"[{text(cell)}]" for row in rows for cell in row]
    return Source(
        f"#table(columns: {columns}, stroke: (x, y) => if y == 0 {{ (bottom: 0.6pt) }}, inset: (x: 4pt, y: 3pt), "
        f"{', '.join(cells)})\n\n"
    )
