"""Tables 1-3 of the paper, the laptop table and the compact one, rendered from records, published numbers beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from training.cells.published import PUBLISHED, PUBLISHED_SEEDS, Number, Row, Table
from training.cells.readings import under
from training.cells.recipe import Recipe
from training.cells.recipes import HELD_OUT, LAPTOP_TABLE, RECIPES, held_out
from training.results.averages import Average, Group, average, difference, groups, listed
from training.results.compact import TITLES, compact_grid
from training.results.record import Record
from training.results.table_notes import HOW_AVERAGED, mark_remarks, notes_on, percent
from training.results.typesetting import Grid, typeset

TABLES = (*PUBLISHED, *TITLES)


def render(
    table: str,
    records: Sequence[Record],
    *,
    style: str = "markdown",
    recipes: Mapping[str, Recipe] = RECIPES,
    published: Mapping[str, Table] = PUBLISHED,
    seeds: int | None = None,
    readings: Sequence[str] = (),
    device: str | None = None,
) -> str:
    """A table as text. A cell without a record says `missing`; a shortened run has a line of its own that says so
    and is not compared with the paper; below stand data, number of test images, attacks, seeds, and how checkpoints
    were chosen.

    table    : "1", "2", "3", "compact" or "laptop"
    style    : "markdown" or "latex"
    seeds    : that every trained cell must have, 0 to seeds - 1, others left out; None takes those there are
    readings : of the recipes where they apply, such as ("code",)
    device   : only records made on it

    Raises: ValueError for an unknown table, style or reading, missing seeds, and records that cannot be averaged.
    """
    if table in TITLES:
        wanted = under(readings, [recipe for name, recipe in recipes.items() if name.startswith(f"{table}-")])
        if table == "laptop" and not readings:
            wanted = list(LAPTOP_TABLE)
        return typeset(compact_grid(table, wanted, records, seeds, device), style)
    found = lines(
        table,
        records,
        recipes=recipes,
        published=published,
        seeds=seeds,
        readings=readings,
        device=device,
    )
    return typeset(_grid(f"Table {table}. {published[table].title}", found, records), style)


@dataclass(frozen=True)
class Line:
    """One line of Tables 1-3: a cell and one group of its records, or a cell without any.

    group and best_test, last, clean are of the runs that train on everything, clean at the checkpoint selected on
    test; twin and validation are of their `-val` twins. difference is that of best_test, in standard errors, and None
    for a shortened run, another attack, or one seed. remarks say what keeps the line from being the paper's experiment.
    """

    recipe: Recipe
    row: Row
    heading: str
    published: Number
    group: Group | None = None
    best_test: Average | None = None
    difference: float | None = None
    last: Average | None = None
    clean: Average | None = None
    twin: Group | None = None
    validation: Average | None = None
    remarks: tuple[str, ...] = ()

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(record for group in (self.group, self.twin) if group for record in group.records)


def lines(
    table: str,
    records: Sequence[Record],
    *,
    recipes: Mapping[str, Recipe] = RECIPES,
    published: Mapping[str, Table] = PUBLISHED,
    seeds: int | None = None,
    readings: Sequence[str] = (),
    device: str | None = None,
) -> tuple[Line, ...]:
    """The lines of Table 1, 2 or 3, at least one a cell, in the order of the paper; arguments as in `render`."""
    if table not in published:
        raise ValueError(f"table {table!r} is unknown: use one of {', '.join((*published, *TITLES))}")
    places = [
        (row, heading, number)
        for row in published[table].rows
        for (heading, _), number in zip(published[table].columns, row.numbers, strict=True)
    ]
    wanted = under(readings, [recipes[name] for name in published[table].cells])
    found: list[Line] = []
    for recipe, (row, heading, number) in zip(wanted, places, strict=True):
        twin = held_out(recipe, HELD_OUT)
        whole = {group.key: group for group in groups(recipe, records, seeds=seeds, device=device)}
        held = {group.key: group for group in groups(twin, records, seeds=seeds, device=device)}
        empty = Line(recipe, row, heading, number)
        keys = sorted({*whole, *held})
        found += [_line(empty, whole.get(key), held.get(key), seeds) for key in keys] or [empty]
    return tuple(found)


def _line(line: Line, group: Group | None, twin: Group | None, seeds: int | None) -> Line:
    attack = line.row.attack
    line = replace(line, group=group, twin=twin)
    if twin is not None:
        line = replace(line, validation=_measured(twin, "validation", attack))
    if group is not None:
        best = _measured(group, "best_test", attack)
        if seeds is not None and not group.shortened:
            _refuse_some_without(attack, group)
        compared = not group.shortened and best.measure == attack
        line = replace(
            line,
            best_test=best,
            difference=difference(best, line.published) if compared else None,
            last=_measured(group, "last", attack),
            clean=average(group.records, "best_test", "clean"),
        )
    return replace(line, remarks=_remarks(line))


def _measured(group: Group, checkpoint: str, attack: str) -> Average:
    """Under the cell's attack, or under PGD-20, which every record has, where a seed lacks the other."""
    found = average(group.records, checkpoint, attack) or average(group.records, checkpoint, "pgd20")
    if found is None:
        raise ValueError(
            f"records of {group.data} have no checkpoint {checkpoint!r}: check them with validate"
        )
    return found


def _refuse_some_without(attack: str, group: Group) -> None:
    having = [one["seed"] for one in group.records if one["selection"]["best_test"][attack] is not None]
    if 0 < len(having) < len(group.seeds):
        name = group.records[0]["recipe"]["name"]
        raise ValueError(
            f"{name} on {group.data} has {attack} for seeds {listed(having)} of {listed(group.seeds)}: evaluate the "
            "others too, or ask for no number of seeds"
        )


def _remarks(line: Line) -> tuple[str, ...]:
    """What a reader has to know before comparing this line with the paper."""
    remarks = []
    group = line.group or line.twin
    if group is not None and group.shortened:
        remarks.append(
            f"shortened run: {group.epochs_run} of {line.recipe.epochs} epochs, not compared with the paper"
        )
    remarks += group.remarks if group is not None else ()
    if group is not None and group.data != line.row.data:
        remarks.append(f"measured on {group.data}, the paper on {line.row.data}")
    sizes = {
        size
        for record in line.records
        for checkpoint in record["selection"].values()
        if checkpoint
        for size in (checkpoint["n_test"], (checkpoint["attacks"]["autoattack"] or {}).get("n"))
        if size is not None
    }
    remarks += [
        f"some accuracies on {size:,} of {line.row.test_examples:,} test images"
        for size in sorted(sizes)
        if size != line.row.test_examples
    ]
    return tuple(remarks)


COLUMNS = (
    *("Data (attack, net)", "Method", "Published", "Ours, selected on test", "Difference in s.e."),
    *("Ours, last epoch", "Ours, selected on validation", "Clean, selected on test", "Test images", "Seeds"),
)


def _grid(title: str, found: Sequence[Line], records: Sequence[Record]) -> Grid:
    marks, remark_notes = mark_remarks([line.remarks for line in found])
    rows = [_entries(line, mark) for line, mark in zip(found, marks, strict=True)]
    cells = {line.recipe.name for line in found}
    trained = {line.recipe.name for line in found if line.group and not line.group.shortened}
    notes = [
        f"Robust accuracy in percent. {HOW_AVERAGED} {len(trained)} of {len(cells)} cells are trained in full.",
        f"Published: {PUBLISHED_SEEDS} runs, each at the epoch best on the test set under PGD-20: selected on test.",
        "Ours, selected on test: the same protocol. Last epoch: no selection. Selected on validation: the epoch best "
        f"under PGD-20 on {HELD_OUT:,} training images held out, from the runs of the recipes' -val twins; "
        "`not held out` where there are none.",
        "Difference: (ours, selected on test, minus published) / sqrt(s_ours²/n_ours + s_published²/n_published) with "
        "the published numbers as printed; a dash where there is one seed, a shortened run or another attack.",
        *remark_notes,
        *notes_on(_with_twins(found), [one for line in found for one in line.records], records),
    ]
    return Grid(title, COLUMNS, tuple(rows), tuple(notes))


def _with_twins(found: Sequence[Line]) -> list[Recipe]:
    return [one for line in found for one in (line.recipe, held_out(line.recipe, HELD_OUT))]


def _entries(line: Line, mark: str) -> tuple[str, ...]:
    label, method = line.row.label, f"{line.heading}{mark}"
    if "+" in line.recipe.name:
        method = f"{method} ({line.recipe.name.partition('+')[2]})"
    if line.group is None and line.twin is None:
        return label, method, line.published.text, "missing", "-", "missing", "missing", "missing", "-", "0"
    attack = line.row.attack
    checkpoints = [one["selection"]["last"] for one in line.records]
    sizes = sorted({checkpoint["n_test"] for checkpoint in checkpoints})
    seeds = line.group.seeds if line.group else ()
    held = percent(line.validation, attack) if line.validation else "not held out"
    return (
        label,
        method,
        line.published.text,
        percent(line.best_test, attack),
        "-" if line.difference is None else f"{line.difference:+.1f}",
        percent(line.last, attack),
        f"{held} ({len(line.twin.seeds)} seeds)" if line.twin and line.twin.seeds != seeds else held,
        percent(line.clean, "clean"),
        ", ".join(f"{size:,}" for size in sizes),
        f"{len(seeds)} ({listed(seeds)})" if seeds else "0",
    )
