"""The laptop and the compact table and the paper's Tables 1-3 on the report page, as rendered, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from figures.page.grids import Grid
from figures.page.markup import Html, absent, command, count, inline, join, table, tag
from figures.page.sources import TABLES

RENDER = "python training/run.py --render"


def laptop(grids: Sequence[Grid] | None) -> Html:
    """The methods of Table 3 on real images, in a night on one core."""
    return _small(
        grids,
        "Laptop",
        "The six methods of the paper's Table 3 at its hyperparameters, on a part of CIFAR-10 with a small net: what "
        "of its claims can be seen in ten minutes a run. What follows from it for them stands in "
        "results/verdicts_laptop.md and claim_laptop.md, its curves and landscapes in results/laptop.",
        "python training/run.py --table laptop --seeds 3 --data-dir DIR --amp bf16",
    )


def compact(grids: Sequence[Grid] | None) -> Html:
    """The methods of Table 3 on data that come with the project, in minutes."""
    return _small(
        grids,
        "Compact",
        "The six methods of the paper's Table 3 on scikit-learn's digits with a small net: a check that every part "
        "works together, not a repetition of the paper's numbers.",
        TABLES[1],
    )


def _small(grids: Sequence[Grid] | None, title: str, said: str, made_by: str) -> Html:
    """Those of the tables whose title begins so, below a sentence, and the command that makes them."""
    found = [grid for grid in grids or () if grid.title.startswith(title)]
    if not found:
        return absent(f"results/{TABLES[0]}", TABLES[1])
    parts = [part for grid in found for part in _table(grid)]
    return join([tag("p", said), *parts, command(made_by, "trains what is missing and renders it")])


def published(grids: Sequence[Grid] | None) -> Html:
    """The paper's cells beside ours; a cell without a run says missing."""
    found = [grid for grid in grids or () if grid.papers]
    if not found:
        return absent(f"results/{TABLES[0]}", RENDER)
    lines, missing = sum(len(grid.rows) for grid in found), sum(grid.missing for grid in found)
    done, cells = (sum(grid.in_full[place] for grid in found) for place in (0, 1))
    if missing == lines:
        said = f"None of the {count(lines, 'line')} has a number of ours yet: each shows the published one alone."
    else:
        said = (
            f"{done} of {count(cells, 'cell')} are trained in full here, {missing} of {count(lines, 'line')} lack a "
            "number of ours. A shortened run is marked, and not compared with the paper."
        )
    why = " A full run takes a GPU and the data sets of the paper, which the project does not carry."
    shared = [note for note in found[0].notes if len(found) > 1 and all(note in grid.notes for grid in found)]
    parts: list[str] = []
    for grid in found:
        parts += [tag("h3", grid.title), *_table(grid, shared)]
        number = grid.title.partition(".")[0].removeprefix("Table ")
        parts.append(command(f"python training/run.py --table {number} --seeds 3 --data-dir DIR"))
    if shared:
        parts += [tag("h3", "Notes to all of them"), _notes(shared)]
    return join(
        [tag("p", said + (why if done < cells else "")), *parts, command(RENDER, "renders what there is")]
    )


def _table(grid: Grid, shared: Sequence[str] = ()) -> list[str]:
    """A table with how much of it is missing and its notes, but for those that it shares with the others."""
    notes = [note for note in grid.notes if note not in shared]
    return [
        tag("p", f"{grid.missing} of {count(len(grid.rows), 'line')} lack a number.", class_="note")
        if grid.missing
        else "",
        table(grid.columns, grid.rows, label=grid.title, class_="runs"),
        _notes(notes) if notes else "",
    ]


def _notes(notes: Sequence[str]) -> Html:
    return tag("ul", *(tag("li", inline(note)) for note in notes), class_="notes")
