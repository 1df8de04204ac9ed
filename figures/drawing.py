"""Draws figures in parallel processes and writes their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from figures.plate import Absent, Plate, Settings
from support.workers import in_workers

# Begun first, because they take longest.
LONGEST = ("gamma_smoothness", "gamma_optimum", "figure5a", "figure5b", "figure2")


def draw(
    chosen: Sequence[Plate], folder: Path, settings: Settings, progress: Callable[[int, int, str], None]
) -> dict[str, str]:
    """Draws and writes these figures, in parallel processes; returns why one is left out, by name.

    `progress(done, total, name)` is called after each.
    """
    workers = min(os.cpu_count() or 1, len(chosen))
    absent: dict[str, str] = {}
    one = partial(draw_one, folder=folder, settings=settings)
    done = 0

    def finished(plate: Plate, left_out: dict[str, str]) -> None:
        nonlocal done
        done += 1
        absent.update(left_out)
        progress(done, len(chosen), plate.name)

    if workers == 1:
        for plate in chosen:
            finished(plate, one(plate))
        return absent
    order = sorted(
        chosen, key=lambda plate: LONGEST.index(plate.name) if plate.name in LONGEST else len(LONGEST)
    )
    in_workers(one, order, workers, finished, advice="draw fewer figures at once, --only")
    return absent


def draw_one(plate: Plate, folder: Path, settings: Settings) -> dict[str, str]:
    """Draws one figure and writes its files; returns {name: reason} where it is left out, else nothing."""
    from figures.files import save
    from figures.style import house

    try:
        with house():
            save(plate, plate.draw(settings), folder)
    except Absent as reason:
        return {plate.name: str(reason)}
    return {}
