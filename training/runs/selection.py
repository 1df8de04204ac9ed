"""Which epoch's weights are reported: the last, the best under PGD on test images, the best on validation ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

Weights = dict[str, Tensor]
Scores = Mapping[str, float]
# Checkpoint -> the score that chooses it, and what that was measured on.
CHOSEN_BY = {"best_test": ("pgd20", "test"), "validation": ("validation_pgd20", "validation")}


class Selection:
    """The weights chosen so far, {name: {"epoch", "clean", "pgd20", "weights"}}, the names "last", "best_test" and,
    where images were held out, "validation"; the accuracies are those on test images."""

    def __init__(self, chosen: Mapping[str, dict[str, Any]] | None = None) -> None:
        self.chosen: dict[str, dict[str, Any]] = dict(chosen or {})

    def offer(
        self, epoch: int, scores: Scores, weights: Callable[[], Weights], *, last: bool = False
    ) -> list[str]:
        """The names the weights after an epoch (counted from 1) were chosen for.

        A later epoch needs a strictly better score (Sec. 5.2's protocol: of equal ones the first). `scores`: "clean",
        "pgd20" and perhaps "validation_pgd20", fractions. `weights` is called only if it is chosen.
        """
        names = [
            name for name, (score, _) in CHOSEN_BY.items() if score in scores and self._better(name, scores)
        ]
        if last:
            names.append("last")
        if names:
            entry = {"epoch": epoch, "clean": scores["clean"], "pgd20": scores["pgd20"], "weights": weights()}
            for name in names:
                by, _ = CHOSEN_BY.get(name, ("pgd20", ""))
                self.chosen[name] = {**entry, "score": scores[by]}
        return names

    def _better(self, name: str, scores: Scores) -> bool:
        return name not in self.chosen or scores[CHOSEN_BY[name][0]] > self.chosen[name]["score"]
