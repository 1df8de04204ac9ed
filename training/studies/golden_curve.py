"""Compares a run with the public log of AWP's authors (csdongxian/AWP, CIFAR-10 L-infinity, PreActResNet-18, plain AT):
`python -m training.studies.golden_curve`. It is the row AT of Tables 1 and 3, and the best detector of a wrong
batch-norm policy, augmentation or schedule."""

from __future__ import annotations

if __name__ == "__main__":  # before anything that takes long to load
    from support.commands import interruptible

    interruptible("training.studies.golden_curve")

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from support.commands import guarded
from support.options import RESULTS, CommandParser, folder_name
from training.cells.recipe import Recipe
from training.cells.recipes import recipe
from training.results.averages import groups
from training.results.records import Record, read

PROGRAM = "training.studies.golden_curve"
# Finished epochs -> percent of the test images right under PGD-20, as the public log prints them.
PUBLIC = {1: 25.95, 2: 30.61, 5: 35.49, 10: 40.51}
ALLOWED = 2.5  # points; single runs differ by about one, and the JPEG copy by about another
# Its reading `code` makes the public step's forwards: the attack in train mode, one more forward on x + delta after it
# and one on the clean batch after the update, all of which move the running statistics that the evaluation uses.
RECIPE = "cifar10-rn18-at+code"
TEST_IMAGES = 10_000
# What makes a recipe the one of the log, whatever its batch-norm policy.
SAME = (
    *(
        "dataset",
        "model",
        "method",
        "optimizer",
        "lr",
        "momentum",
        "weight_decay",
        "batch",
        "epsilon",
        "augmentation",
    ),
    *(
        "step_size_train",
        "steps_train",
        "step_size_test",
        "steps_test",
        "drops",
        "validation",
        "normalisation",
    ),
)


@dataclass(frozen=True)
class Comparison:
    """One run beside the public log.

    ours    : finished epochs -> percent; missing : epochs of the log at which the run was not evaluated
    n_test  : test images evaluated, which have to be all
    """

    seed: int
    data: str
    n_test: int
    ours: dict[int, float]
    missing: tuple[int, ...]

    @property
    def differences(self) -> dict[int, float]:
        """Finished epochs -> ours minus theirs, in points."""
        return {epoch: value - PUBLIC[epoch] for epoch, value in self.ours.items()}

    @property
    def agrees(self) -> bool:
        """Whether the run was evaluated at every epoch of the log on all test images, and lies within ALLOWED."""
        near = all(abs(difference) <= ALLOWED for difference in self.differences.values())
        return near and not self.missing and self.n_test == TEST_IMAGES


def compared(record: Record) -> Comparison:
    """A record with a curve beside the public log. Raises: ValueError for a record without a curve."""
    curve = record.get("curve", {})
    if "test_pgd20" not in curve:
        raise ValueError(
            f"the record of seed {record['seed']} has no test accuracies in its curve: repeat that run"
        )
    tested = dict(zip(curve["epoch"], curve["test_pgd20"], strict=True))
    ours = {epoch: 100 * tested[epoch] for epoch in PUBLIC if tested.get(epoch) is not None}
    missing = tuple(epoch for epoch in PUBLIC if epoch not in ours)
    return Comparison(record["seed"], record["data"], record["selection"]["last"]["n_test"], ours, missing)


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 where every run agrees; 1 where one does not, or none is there; 2 for bad input."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    used = _checked(recipe(options.recipe))
    path = options.records / "records.jsonl"
    found = [
        compared(record)
        for group in groups(used, read(path) if path.exists() else [], device=options.device)
        for record in group.records
    ]
    if not found:
        print(
            f"{used.name}: missing, {path} holds no run of it; make one with `python training/run.py --recipe "
            f"{used.name} --epochs {max(PUBLIC)} --autoattack none --device cuda --data-dir DIR`"
        )
        return 1
    print("\n".join(line for one in found for line in _lines(used, one)))
    return 0 if all(one.agrees for one in found) else 1


def _checked(used: Recipe) -> Recipe:
    """Raises: ValueError for a recipe that is not the one of the log."""
    wanted = recipe(RECIPE)
    differing = [name for name in SAME if getattr(used, name) != getattr(wanted, name)]
    if differing:
        raise ValueError(
            f"recipe {used.name!r} differs from the public log's in {', '.join(differing)}: use {RECIPE}, or another "
            "batch-norm reading of cifar10-rn18-at"
        )
    return used


def _lines(used: Recipe, one: Comparison) -> list[str]:
    lines = [
        f"{used.name}, seed {one.seed}, {one.data}, PGD-{used.steps_test} on {one.n_test:,} test images",
        "epoch   public     ours   difference",
    ]
    for epoch, public in PUBLIC.items():
        if epoch in one.missing:
            lines.append(f"{epoch:5}   {public:6.2f}  missing")
        else:
            lines.append(
                f"{epoch:5}   {public:6.2f}   {one.ours[epoch]:6.2f}   {one.differences[epoch]:+10.2f}"
            )
    reasons = []
    if one.missing:
        reasons.append(f"not evaluated after epoch {', '.join(map(str, one.missing))}")
    if one.n_test != TEST_IMAGES:
        reasons.append(f"{one.n_test:,} test images, the log has all {TEST_IMAGES:,}")
    far = [f"{epoch} ({value:+.2f})" for epoch, value in one.differences.items() if abs(value) > ALLOWED]
    if far:
        reasons.append(f"more than {ALLOWED} points away after epoch {', '.join(far)}")
    verdict = f"agrees within {ALLOWED} points" if one.agrees else f"does not agree: {'; '.join(reasons)}"
    return [*lines, f"{verdict} (single runs differ by about a point)"]


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=f"python -m {PROGRAM}",
        description=f"Compare runs of {RECIPE} with the public log of the same recipe, csdongxian/AWP.",
    )
    parser.add_argument(
        "--records",
        type=folder_name,
        default=RESULTS,
        metavar="DIR",
        help="of records.jsonl (default: results)",
    )
    parser.add_argument(
        "--recipe", default=RECIPE, metavar="NAME", help=f"another batch-norm reading (default: {RECIPE})"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), help="only runs made on it (default: all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
