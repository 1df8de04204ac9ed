"""The compact and the laptop table: the six methods of the paper's Table 3 on small digits, and on a part of CIFAR-10
with a small net, each checkpoint with its accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.cells.published import PUBLISHED
from training.cells.recipe import Recipe
from training.results.averages import Average, Group, average, groups, listed
from training.results.record import Record
from training.results.table_notes import HOW_AVERAGED, in_255ths, mark_remarks, notes_on, percent
from training.results.typesetting import Grid

CHECKPOINTS = {
    "best_test": "best on test (selected on test)",
    "validation": "best on validation",
    "last": "last epoch",
}
TITLES = {
    "laptop": "Laptop table. The methods of Table 3 on a part of CIFAR-10, small net",
    "compact": "Compact table. The methods of Table 3 on 8x8 digits, small net",
}
HEADINGS = {ending: heading for heading, ending in PUBLISHED["3"].columns}
COLUMNS = ("Method", "Checkpoint", "After epoch", "Clean", "PGD-20", "AutoAttack", "Test images", "Seeds")


@dataclass(frozen=True)
class CompactLine:
    """One recipe at one checkpoint, averaged over the seeds of one group; a recipe without a run has group None."""

    recipe: Recipe
    group: Group | None = None
    checkpoint: str = "best_test"
    clean: Average | None = None
    pgd20: Average | None = None
    autoattack: Average | None = None
    remarks: tuple[str, ...] = ()


def compact_lines(
    recipes: Sequence[Recipe], records: Sequence[Record], seeds: int | None = None, device: str | None = None
) -> tuple[CompactLine, ...]:
    """The lines of the compact table, at least one a recipe; seeds and device as in `tables.render`."""
    found: list[CompactLine] = []
    for recipe in recipes:
        runs = groups(recipe, records, seeds=seeds, device=device)
        found += [_line(recipe, group, checkpoint) for group in runs for checkpoint in _checkpoints(recipe)]
        if not runs:
            found.append(CompactLine(recipe))
    return tuple(found)


def compact_grid(
    table: str,
    recipes: Sequence[Recipe],
    records: Sequence[Record],
    seeds: int | None = None,
    device: str | None = None,
) -> Grid:
    """The compact or the laptop table, one of TITLES, as plain text, with its notes."""
    found = compact_lines(recipes, records, seeds, device)
    marks, remark_notes = mark_remarks([line.remarks for line in found])
    used = [
        record for line in found if line.group and line.checkpoint == "last" for record in line.group.records
    ]
    radii = sorted({recipe.epsilon for recipe in recipes})
    held = sorted({recipe.validation for recipe in recipes})
    return Grid(
        TITLES[table],
        COLUMNS,
        tuple(_entries(line, mark) for line, mark in zip(found, marks, strict=True)),
        (
            f"Accuracy in percent, epsilon {', '.join(map(in_255ths, radii))} on pixels in [0, 1]. "
            f"{HOW_AVERAGED} The paper has no such table.",
            "Best on test: epoch with the best PGD-20 accuracy on these test images, the paper's protocol, selected on "
            f"test. Best on validation: the same on {listed(held)} training images held out.",
            *_trained_on(recipes),
            *remark_notes,
            *notes_on(recipes, used, records),
        ),
    )


def _trained_on(recipes: Sequence[Recipe]) -> list[str]:
    """How many training images the runs see, where that is a part of them."""
    numbers = sorted({recipe.train_examples for recipe in recipes if recipe.train_examples is not None})
    words = " and ".join(f"{number:,}" for number in numbers)
    return [f"Trained on {words} images, the same ones for every seed."] if numbers else []


def _checkpoints(recipe: Recipe) -> list[str]:
    return [name for name in CHECKPOINTS if name != "validation" or recipe.validation]


def _line(recipe: Recipe, group: Group, checkpoint: str) -> CompactLine:
    clean, pgd20, autoattack = (
        average(group.records, checkpoint, measure) for measure in ("clean", "pgd20", "autoattack")
    )
    short = (f"shortened run: {group.epochs_run} of {recipe.epochs} epochs",) if group.shortened else ()
    remarks = (*short, *group.remarks)
    return CompactLine(recipe, group, checkpoint, clean, pgd20, autoattack, remarks)


def _entries(line: CompactLine, mark: str) -> tuple[str, ...]:
    stem, plus, readings = line.recipe.name.partition("-")[2].partition("+")
    method = HEADINGS.get(stem, stem) + (f" ({readings})" if plus else "") + mark
    if line.group is None:
        return method, "-", "-", "missing", "missing", "missing", "-", "0"
    checkpoints = [record["selection"][line.checkpoint] for record in line.group.records]
    return (
        method,
        CHECKPOINTS[line.checkpoint],
        listed(checkpoint["epoch"] for checkpoint in checkpoints),
        percent(line.clean, "clean"),
        percent(line.pgd20, "pgd20"),
        percent(line.autoattack, "autoattack") if line.autoattack else "not run",
        ", ".join(f"{size:,}" for size in sorted({checkpoint["n_test"] for checkpoint in checkpoints})),
        f"{len(line.group.seeds)} ({listed(line.group.seeds)})",
    )
