"""The ways to train compared for the paper's sentence "EnSGD accelerates the training" (Sec. 5.3, Fig. 3), and all
numbers about them as one JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.cells.recipe import Recipe
from training.results.record import Record
from training.studies.acceleration.comparison import Comparison, compared, levels, robust


@dataclass(frozen=True)
class Arm:
    """One way to train. ending: of the recipe's name; words: what sets it apart; against: the ending of the arm it is
    compared with, the AT of the same reading (the paper's where that has no run), None for AT."""

    ending: str
    label: str
    words: str
    against: str | None = None


AT = Arm("at", "AT", "plain SGD")
ARMS = (
    AT,
    Arm("at+code", "AT, code", "plain SGD with the batch-norm forwards of the public code"),
    Arm(
        "at-ensgd+code",
        "AT+EnSGD, code",
        "as the public codes do: momentum in both loops, averaging weight 0.25, batch norm renewed for the evaluation",
        "at+code",
    ),
    Arm("at-ensgd", "AT+EnSGD, paper", "Algorithm 1, eta' fixed", "at"),
    Arm(
        "at-ensgd+eta-inner-decays",
        "AT+EnSGD, paper, eta' decayed",
        "Algorithm 1, eta' divided with eta",
        "at",
    ),
    Arm("at-2ndensgd", "AT+2ndEnSGD, paper", "Algorithm 1 at order 2, eta' fixed", "at"),
)


def findings(
    recipes: Mapping[Arm, Recipe],
    records: Mapping[Arm, Sequence[Record]],
    failed: Mapping[str, str],
    seeds: int,
) -> dict[str, Any]:
    """Everything the page says, ready for JSON.

    records : of each arm, `aligned`; [] for none. failed : recipe -> why it has none. seeds : asked for

    Raises: ValueError where AT has no record.
    """
    at = levels(records[AT])
    by_ending = {arm.ending: arm for arm in recipes}
    first = records[AT][0]
    comparisons = {}
    for arm in recipes:
        if arm.against is not None:
            # Where the AT of its own reading was not run, the paper's.
            other = by_ending[arm.against] if records[by_ending[arm.against]] else AT
            found = compared(records[arm], records[other], at)
            machines = sorted({_machine(one) for one in (*records[arm], *records[other])})
            comparisons[arm.label] = None if found is None else _comparison(found, other.label, machines)
    return {
        "what": "claim",
        "sentence": "EnSGD accelerates the training (Sec. 5.3)",
        "seeds": seeds,
        "levels": [{"share": share, "accuracy": accuracy} for share, accuracy in at.items()],
        "arms": [_arm(arm, recipes[arm], records[arm], by_ending) for arm in recipes],
        "comparisons": comparisons,
        "failed": dict(failed),
        **{name: first[name] for name in ("data", "device", "hardware", "versions", "threads")},
        "commits": sorted({one["commit"] for some in records.values() for one in some}),
        "processors": sorted({_machine(one) for some in records.values() for one in some}),
        "n_test": first["selection"]["last"]["n_test"],
        "epochs": first["epochs_run"],
        "evaluated": _evaluated(first),
    }


def _comparison(found: Comparison, against: str, machines: Sequence[str]) -> dict[str, Any]:
    """With the label of the AT it is against, and the machines that made its runs: seconds on two of them say nothing
    about the training, and leave open what they would decide."""
    result = asdict(found) | {"against": against, "machines": list(machines)}
    if len(machines) > 1:
        for one in (result, *result["levels"]):
            one["verdict"]["seconds"] = "undecided"
    return result


def _arm(arm: Arm, used: Recipe, records: Sequence[Record], by_ending: Mapping[str, Arm]) -> dict[str, Any]:
    return {
        "label": arm.label,
        "against": None if arm.against is None else by_ending[arm.against].label,
        "words": arm.words,
        "recipe": used.name,
        "digest": used.digest,
        "seeds": [one["seed"] for one in records],
        "last": [robust(one)[-1] for one in records],
        "best": [max(robust(one)) for one in records],
        "seconds": [one["curve"]["seconds_training"][-1] for one in records],
    }


def _evaluated(record: Record) -> list[int]:
    curve = record["curve"]
    tested = zip(curve["epoch"], curve["test_pgd20"], strict=True)
    return [epoch for epoch, value in tested if value is not None]


def _machine(record: Record) -> str:
    hardware, threads = record["hardware"], record["threads"]
    return hardware.get("accelerator") or f"{hardware['cpu']} ({threads} thread{'s' * (threads != 1)})"
