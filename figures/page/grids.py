"""Reads back the tables that `python training/run.py --render` writes as Markdown, for the report page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CELL = re.compile(r"(?<!\\)\|")
IN_FULL = re.compile(r"(\d+) of (\d+) cells are trained in full")
RULE = re.compile(r"\|(-+\|)+")


@dataclass
class Grid:
    """A table as plain text: title, headings, rows of as many entries, notes."""

    title: str
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def papers(self) -> bool:
        """Whether it is one of the paper's Tables 1-3, and not one of our own."""
        return self.title.startswith("Table ")

    @property
    def missing(self) -> int:
        """How many rows have an entry that is missing."""
        return sum("missing" in row for row in self.rows)

    @property
    def in_full(self) -> tuple[int, int]:
        """How many cells are trained in full, of how many, as the notes say: a shortened run fills a row as well."""
        found = next((match for note in self.notes if (match := IN_FULL.search(note))), None)
        return (int(found[1]), int(found[2])) if found else (0, len(self.rows))


def grids(text: str) -> tuple[Grid, ...]:
    """The tables of a file, in its order.

    Raises: ValueError for a line that is none of `### title`, `| row |`, `- note`, or has too few or too many entries.
    """
    found: list[Grid] = []
    for number, line in enumerate(text.splitlines(), start=1):
        wrong = _taken(line, found) if line.strip() else ""
        if wrong:
            raise ValueError(
                f"tables.md, line {number}: {wrong}; write it again with `python training/run.py --render`"
            )
    if not found or any(not grid.rows for grid in found):
        raise ValueError("tables.md holds no whole table: write it with `python training/run.py --render`")
    return tuple(found)


def _taken(line: str, found: list[Grid]) -> str:
    """Adds a line to the tables; says what is wrong with it, or nothing."""
    if line.startswith("### "):
        found.append(Grid(line[4:].strip()))
    elif not found:
        return "stands before any title"
    elif line.startswith("- "):
        found[-1].notes.append(line[2:].strip())
    elif RULE.fullmatch(line):
        return ""
    elif line.startswith("|"):
        grid = found[-1]
        cells = [cell.strip().replace("\\|", "|") for cell in CELL.split(line.strip())[1:-1]]
        if not grid.columns:
            grid.columns = cells
        elif len(cells) != len(grid.columns):
            return f"a row of {len(cells)} entries below {len(grid.columns)} headings"
        else:
            grid.rows.append(cells)
    else:
        return f"{line[:40]!r} is no title, row or note"
    return ""
