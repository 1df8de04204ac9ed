"""Typesets a table: a grid of plain strings with a title and notes, in Markdown or LaTeX."""

from __future__ import annotations

from dataclasses import dataclass

STYLES = ("markdown", "latex")


@dataclass(frozen=True)
class Grid:
    """A table as plain text: title, one heading a column, rows of as many entries, and notes below."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"row {row} has {len(row)} entries, need {len(self.columns)}, one a column")


def typeset(grid: Grid, style: str) -> str:
    """The grid in Markdown, or in LaTeX that needs no package, ending in a line end.

    Raises: ValueError for an unknown style.
    """
    if style not in STYLES:
        raise ValueError(f"style = {style!r}, need one of {', '.join(STYLES)}")
    return _markdown(grid) if style == "markdown" else _latex(grid)


def _markdown(grid: Grid) -> str:
    rows = [grid.columns, *grid.rows]
    cells = [[entry.replace("|", "\\|") for entry in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(grid.columns))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    notes = [f"- {note}" for note in grid.notes]
    return "\n".join([f"### {grid.title}", "", *lines, "", *notes]) + "\n"


def _latex(grid: Grid) -> str:
    rows = [" & ".join(map(_escaped, row)) + r" \\" for row in grid.rows]
    notes = [rf"\item {_escaped(note)}" for note in grid.notes]
    lines = [
        r"\begin{table}",
        r"\centering\footnotesize",
        rf"\caption{{{_escaped(grid.title)}}}",
        rf"\begin{{tabular}}{{{'l' * len(grid.columns)}}}",
        r"\hline",
        " & ".join(map(_escaped, grid.columns)) + r" \\",
        r"\hline",
        *rows,
        r"\hline",
        r"\end{tabular}",
        *([r"\begin{itemize}", *notes, r"\end{itemize}"] if notes else []),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "±": r"$\pm$",
        "²": "$^2$",
        "<": "$<$",
        ">": "$>$",
        "|": "$|$",
        # A bracket at the start of a row would be taken for the optional argument of the line break before it.
        "[": "{[}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)
