"""Finds the trained nets that `training/run.py` left below a folder, by the names of their recipes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from support.own_files import read_json
from support.shapes import COUNT, INDEX
from training.cells.recipe import Recipe
from training.cells.recipes import recipe
from training.runs.checkpoint import load

IDENTITY = {
    **dict.fromkeys(("recipe", "digest", "data"), str),
    "seed": INDEX,
    **dict.fromkeys(("epochs", "examples"), COUNT),
    "settings": {"channels_last": bool},
}
FOLDER = re.compile(r"seed(\d+)(-epochs\d+)?")  # seed0.old1 is a run that was set aside


@dataclass(frozen=True)
class FinishedRun:
    """A run whose training has ended: its recipe, its folder, and what run.json says of it."""

    recipe: Recipe
    folder: Path
    identity: dict[str, Any]

    @property
    def name(self) -> str:
        epochs = self.identity["epochs"]
        shortened = f", {epochs} epochs" if epochs < self.recipe.epochs else ""
        return f"{self.recipe.name}, seed {self.identity['seed']}{shortened}"

    def load(self) -> dict[str, Any]:
        """What its trained.pt holds. Raises: FileNotFoundError; BadCheckpoint for a file that is not whole."""
        return load(self.folder / "trained.pt", "trained")


def finished_runs(
    folder: Path, patterns: Sequence[str], seeds: Sequence[int] | None = None
) -> list[FinishedRun]:
    """The finished runs below `folder` whose recipe's name fits a pattern, by name and seed.

    seeds : only these; None for all

    Runs made before their recipe was changed are left out with a warning: a trained net does not say what it was.

    Raises: ValueError where a pattern fits no finished run, or a seed is not there, naming those that are.
    """
    every = [run for path in sorted(folder.glob("*/seed*/trained.pt")) if (run := run_at(path)) is not None]
    found = [run for run in every if run.recipe.digest == run.identity["digest"]]
    fitting = [run for run in found if _fits(run, patterns)]
    old = [run.folder for run in every if _fits(run, patterns) and run not in fitting]
    if old:
        names = ", ".join(f"{path.parent.name}/{path.name}" for path in old)
        warnings.warn(f"{names}: made before the recipe was changed, left out", stacklevel=2)
    for pattern in patterns:
        if not any(_fits(run, [pattern]) for run in found):
            there = ", ".join(dict.fromkeys(run.recipe.name for run in found)) or "none"
            raise ValueError(
                f"runs = {pattern!r}: no finished run of that name in {folder}, there are: {there}; train one with "
                "training/run.py"
            )
    for seed in seeds or ():
        if all(run.identity["seed"] != seed for run in fitting):
            known = sorted({run.identity["seed"] for run in fitting})
            raise ValueError(
                f"seed = {seed}: these runs have seeds {', '.join(map(str, known))}; choose among them"
            )
    chosen = [run for run in fitting if seeds is None or run.identity["seed"] in seeds]
    return sorted(chosen, key=lambda run: (run.recipe.name, run.identity["seed"], run.identity["epochs"]))


def _fits(run: FinishedRun, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(run.recipe.name, pattern) for pattern in patterns)


def run_at(path: Path) -> FinishedRun | None:
    """The run whose trained.pt this is, None for a folder that holds something else."""
    if not FOLDER.fullmatch(path.parent.name):
        return None
    about = path.with_name("run.json")
    try:
        identity = read_json(about, IDENTITY)
        return FinishedRun(recipe(identity["recipe"]), path.parent, identity)
    except FileNotFoundError:
        warnings.warn(f"{about} is missing: the run is left out", stacklevel=3)
    except (OSError, ValueError) as error:
        warnings.warn(f"{error}: the run is left out", stacklevel=3)
    return None
