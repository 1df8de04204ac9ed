"""The losses of the first 20 steps of the eleven combinations of method and optimizer in Tables 1-3, on digits.

`python tests/training/golden_losses.py` computes and stores them anew, with versions, threads and, for each
step, how far the loss moves when every weight starts one unit in the last place away: sign steps make a run chaotic.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from run_tools import few_digits, tiny, trainer
from torch import nn

from training.methods.step import Outcome

FILE = Path(__file__).with_name("golden") / "first_steps.json"
STEPS = 20
COMBINATIONS = (
    *("cifar10-rn18-at", "cifar10-rn18-at-ensgd", "cifar10-rn18-at-2ndensgd"),
    *("cifar10-rn18-awp", "cifar10-rn18-awp-ensgd", "cifar10-rn18-awp-2ndensgd"),
    *("cifar10-wrn-trades", "cifar10-wrn-trades-ensgd"),
    *("cifar10-wrn-trades-awp", "cifar10-wrn-trades-awp-ensgd", "cifar10-wrn-trades-awp-ensgd-tuned"),
)
# Four epochs of five steps, an outer step every third, a drop; "tuned" gives way to SGD after the third epoch.
SHAPE = {"epochs": 4, "drops": (2,), "batch": 32}
# The attack of TRADES starts where its gradient vanishes, so that one ulp turns signs; smaller steps keep that small.
SLOW = {"lr": 0.01, "eta_inner": 0.01}
EXAMPLES = 150
ULPS = 4  # runs with a start moved by one ulp, each in other directions
MARGIN = 10.0  # on the farthest of them: other processors round other operations, not only the start
LEAST = 1e-5  # some tens of roundings of a loss of about 2 in float32


def first_losses(name: str, folder: Path, *, moved: int | None = None, **changes: Any) -> list[float]:
    """The training loss of each step; `moved` seeds the directions in which every weight starts one ulp away."""
    used = tiny(name, **(SHAPE | changes))
    shape: dict[str, Any] = dict(SLOW) if used.beta else {}
    if used.optimizer == "sgd":
        shape.pop("eta_inner", None)
    if used.optimizer != "sgd":
        shape["inner_steps"] = 3
    if used.warmup_epochs:
        shape["warmup_epochs"] = 1
    if used.switch_to_sgd:
        shape["switch_to_sgd"] = 3
    run = trainer(tiny(name, **(SHAPE | shape | changes)), few_digits(EXAMPLES), folder, evaluate_every=9)
    if moved is not None:
        _move(run.model, moved)
    losses = []
    step = run.method.step

    def noted(*arguments: Any, **options: Any) -> Outcome:
        outcome = step(*arguments, **options)
        losses.append(float(outcome.loss))
        return outcome

    run.method.step = noted  # type: ignore[method-assign]
    run.train()
    return losses


def _move(model: nn.Module, seed: int) -> None:
    """Every weight one ulp up or down."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            up = torch.rand(weight.shape, generator=generator) < 0.5
            towards = torch.where(up, torch.inf, -torch.inf)
            weight.copy_(torch.nextafter(weight, towards))


def main() -> None:
    torch.set_num_threads(1)
    losses: dict[str, list[float]] = {}
    tolerances: dict[str, list[float]] = {}
    for name in COMBINATIONS:
        with tempfile.TemporaryDirectory() as folder:
            runs = [
                first_losses(name, Path(folder) / str(moved), moved=moved) for moved in (None, *range(ULPS))
            ]
        losses[name] = runs[0]
        # A later step inherits what the steps before it have lost.
        farthest = 0.0
        tolerances[name] = []
        for values in zip(*runs, strict=True):
            farthest = max(farthest, *(abs(value - values[0]) for value in values))
            tolerances[name].append(float(f"{max(LEAST, MARGIN * farthest):.3g}"))
        print(f"{name}: {losses[name][0]:.4f} to {losses[name][-1]:.4f} ± {tolerances[name][-1]:g}")
    versions = {"python": platform.python_version(), "torch": str(torch.__version__)}
    machine = {"threads": torch.get_num_threads(), "cpu_capability": torch.backends.cpu.get_cpu_capability()}
    content = {**versions, **machine, "margin": MARGIN, "losses": losses, "tolerances": tolerances}
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
