"""Measures how far the fast engine is from the reference: both make the same steps of a recipe, held against the
reference beside itself with every input moved by one unit in the last place.

`python -m training.studies.parity --recipe NAME --steps 50 --device DEV` prints the gaps and appends them as a JSON
line.
"""

from __future__ import annotations

if __name__ == "__main__":  # before anything that takes long to load
    from support.commands import interruptible

    interruptible("training.studies.parity")

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import torch
from torch import Tensor

from support.commands import guarded
from support.files import check_replaceable
from support.options import RESULTS, CommandParser, file_name, folder_name
from support.progress import Progress
from training.cells.recipe import Recipe
from training.cells.recipes import recipe
from training.cli import count as whole
from training.cli import device as device_name
from training.cli import parallel, positive
from training.data import Dataset
from training.engine.device import Computing, accelerator, versions
from training.results.provenance import provenance
from training.results.records import append
from training.runs.batches import minibatches, order
from training.runs.job import Job, job_data
from training.runs.parts import Parts
from training.runs.randomness import derived
from training.studies.agreement import agreement

PROGRAM = "training.studies.parity"
MEASURES = ("loss", "gradient_norm", "weights")
# The engines may differ by this many times what one unit in the last place of the inputs makes of the reference.
ALLOWED = 2.0
# The moved reference drifts until, in bf16, fifty steps tell no other step size and no missing AWP from a rounding:
# what differs shows in the first steps. Fewer than ten are too few for a mean: correct engines exceed ALLOWED there.
EARLY = 10
COMPILED = 1e-3  # roundings of float32 through some tens of layers, other orders of summation
WINDOWS = ("fast", "moved", "early_fast", "early_moved", "compiled")
MOVES = 2  # runs of the reference beside itself, their inputs moved in other directions
MANTISSA = {"float32": 23, "bf16": 7}


@dataclass(frozen=True)
class Parity:
    """Gaps from the reference, averaged over the steps, each a fraction of the reference's own value.

    fast  : of the fast engine, by name of MEASURES; "weights" is the distance over how far the reference has come
    moved : of the reference with inputs moved by one unit in the last place, the largest of `moves` runs
    early_fast, early_moved : the same, averaged over the first EARLY steps alone
    compiled : of its compiled net from the net itself in float32, logits and input gradients, in eval and in train
            mode (`agreement`); empty where nothing is compiled
    used  : what the fast engine was computed with
    """

    fast: dict[str, float]
    moved: dict[str, float]
    early_fast: dict[str, float]
    early_moved: dict[str, float]
    compiled: dict[str, float]
    used: dict[str, str]

    @property
    def holds(self) -> bool:
        """No gap of the fast engine is above ALLOWED times that of the moved reference, neither over all steps nor over
        the first ones, and the compiled net is the net up to roundings."""
        windows = ((self.fast, self.moved), (self.early_fast, self.early_moved))
        close = all(fast[name] <= ALLOWED * moved[name] for fast, moved in windows for name in MEASURES)
        return close and all(gap <= COMPILED for gap in self.compiled.values())


def parity(
    recipe: Recipe,
    data: Dataset,
    fast: Computing,
    *,
    steps: int,
    seed: int = 0,
    moves: int = MOVES,
    tell: Callable[[int], None] = lambda done: None,
) -> Parity:
    """The gaps over the first `steps` >= 1 minibatches, AWP and EntropySGD being on from the first.

    The reference is eager float32 on the device of `fast`; a unit in the last place is that of the type in which
    `fast` makes its forwards, float32 or bfloat16. `moves` >= 1: runs of the moved reference.
    `tell` is called with the number of steps done.
    """
    plain = Computing.of(fast.device, "reference", threads=fast.threads)
    unit = "bf16" if fast.amp == "bf16" else "float32"
    reference, quick = (Follower(recipe, data, one, seed) for one in (plain, fast))
    moved = [
        Follower(recipe, data, plain, seed, mover(unit, data.train_images.device, number))
        for number in range(moves)
    ]
    compiled = _compiled(recipe, data, quick, plain, seed)
    gaps: dict[Follower, list[Tensor]] = {one: [] for one in (quick, *moved)}
    for done, (x, y) in enumerate(islice(_batches(recipe, data, plain, seed), steps)):
        tell(done)
        _precision(plain)
        wanted = reference.step(x, y)
        for one, found in gaps.items():
            _precision(one.computing)
            found.append(_gap(wanted, one.step(one.computing.inputs(x), y)))
    _precision(fast)
    runs = [torch.stack(found) for found in gaps.values()]
    whole, early = _means(runs), _means([found[:EARLY] for found in runs])
    return Parity(*whole, *early, compiled, dict(quick.parts.machine.used))


class Follower:
    """One run that is stepped from outside. change: of every batch of images before the step."""

    def __init__(
        self,
        recipe: Recipe,
        data: Dataset,
        computing: Computing,
        seed: int,
        change: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.computing, self.change = computing, change
        self.parts = Parts(recipe, data, computing, seed)
        self.parts.model.train()
        self.optimizer = self.parts.optimizer(entropy=recipe.optimizer != "sgd")
        device = data.train_images.device
        self.attack = torch.Generator(device).manual_seed(derived(seed, "attack"))
        self.start = self._weights()

    def step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Loss and norm of the gradient, of shape (), and how far each weight has come."""
        x = x if self.change is None else self.change(x)
        outcome = self.parts.method.step(self.optimizer, x, y, generator=self.attack)
        gradients = [weight.grad for weight in self.parts.model.parameters() if weight.grad is not None]
        size = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        return outcome.loss, size, self._weights() - self.start

    def _weights(self) -> Tensor:
        return torch.cat([weight.detach().flatten() for weight in self.parts.model.parameters()])


def mover(unit: str, device: torch.device, seed: int) -> Callable[[Tensor], Tensor]:
    """Moves every pixel one unit in the last place of a type in MANTISSA up or down, within [0, 1]."""
    generator = torch.Generator(device).manual_seed(seed)

    def moved(x: Tensor) -> Tensor:
        up = torch.rand(x.shape, generator=generator, device=x.device) < 0.5
        # x = m 2^e with 1/2 <= m < 1: the last of the bits behind the first one counts 2^(e - 1 - bits).
        _, exponent = torch.frexp(x)
        step = torch.ldexp(torch.ones_like(x), exponent - 1 - MANTISSA[unit])
        return (x + torch.where(up, step, -step)).clamp(0, 1)

    return moved


def _batches(
    recipe: Recipe, data: Dataset, computing: Computing, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The minibatches of epoch after epoch, as a run of this seed has them."""
    generator = torch.Generator(data.train_images.device).manual_seed(derived(seed, "augmentation"))
    for epoch in count():
        yield from minibatches(recipe, data, computing, order(data, seed, epoch), generator)


def _means(runs: Sequence[Tensor]) -> tuple[dict[str, float], dict[str, float]]:
    """Of gaps (steps, 3): those of the first run, averaged over the steps, and the largest among the other runs."""
    first, *others = (found.mean(dim=0).tolist() for found in runs)
    farthest = [max(column) for column in zip(*others, strict=True)]
    return dict(zip(MEASURES, first, strict=True)), dict(zip(MEASURES, farthest, strict=True))


def _compiled(
    recipe: Recipe, data: Dataset, quick: Follower, plain: Computing, seed: int
) -> dict[str, float]:
    parts = quick.parts
    if not quick.computing.choice.compiled:
        return {}
    _precision(plain)
    x, y = next(_batches(recipe, data, quick.computing, seed))
    return agreement(parts.model, parts.computed, x, y)


def _precision(computing: Computing) -> None:
    """TF32 is a switch of the process, and the engines take turns."""
    torch.backends.cuda.matmul.allow_tf32 = computing.tf32
    torch.backends.cudnn.allow_tf32 = computing.tf32


def _gap(wanted: tuple[Tensor, ...], found: tuple[Tensor, ...]) -> Tensor:
    """Of loss, gradient norm and weights, (3,) float64: distance over size."""
    return torch.stack(
        [
            torch.linalg.vector_norm(b - a).double() / torch.linalg.vector_norm(a).double()
            for a, b in zip(wanted, found, strict=True)
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 where the parity holds, 1 where it does not, 2 for bad input."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    used, path = recipe(options.recipe), options.out / "parity.jsonl"
    check_replaceable(path)  # before the work
    fast = Computing.of(
        options.device, amp=options.amp, channels_last=options.channels_last, threads=options.threads
    )
    device = fast.prepare()
    data = job_data(Job(used, options.seed, options.out, data_dir=options.data_dir, computing=fast))
    with Progress(PROGRAM, options.steps) as shown:
        shown.at(0, "steps: building and compiling")
        found = parity(
            *(used, data, fast),
            steps=options.steps,
            seed=options.seed,
            moves=options.moves,
            tell=lambda done: shown.at(done, "steps"),
        )
    line: dict[str, Any] = {
        "what": "parity",
        "recipe": used.name,
        "digest": used.digest,
        "data": data.label,
        "steps": options.steps,
        "seed": options.seed,
        "moves": options.moves,
        "device": fast.kind,
        "fast": found.fast,
        "moved": found.moved,
        "early_steps": min(EARLY, options.steps),
        "early_fast": found.early_fast,
        "early_moved": found.early_moved,
        "compiled": found.compiled,
        "allowed": ALLOWED,
        "holds": found.holds,
        **provenance(
            threads=torch.get_num_threads(),
            accelerator=accelerator(device),
            more=versions(fast) | found.used,
        ),
    }
    for name in MEASURES:
        print(
            f"{used.name}, {name.replace('_', ' ')}: fast against reference {found.fast[name]:.2e}, "
            f"inputs moved by one unit in the last place {found.moved[name]:.2e}; over the first "
            f"{line['early_steps']} steps {found.early_fast[name]:.2e} and {found.early_moved[name]:.2e}"
        )
    for name, gap in found.compiled.items():
        print(f"{used.name}, {name}: compiled against eager {gap:.2e}")
    print(
        f"{used.name}: parity {'holds' if found.holds else 'does not hold'} over {options.steps} steps",
        flush=True,
    )
    append(path, line, _check)
    print(f"{PROGRAM}: added to {path}", file=sys.stderr)
    return 0 if found.holds else 1


def _check(line: Any) -> None:
    """Passes gaps that are numbers. Raises: ValueError where a run has diverged."""
    gaps = [gap for name in WINDOWS for gap in line[name].values()]
    if not all(map(math.isfinite, gaps)):
        raise ValueError(
            f"{line['recipe']}: the weights diverged within {line['steps']} steps: ask for fewer"
        )


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=f"python -m {PROGRAM}",
        description="Compare the fast engine with the reference over the first steps of a recipe.",
    )
    parser.add_argument("--recipe", default="compact-at", metavar="NAME", help="default: compact-at")
    parser.add_argument("--steps", type=positive, default=50, metavar="N", help="default: 50")
    parser.add_argument("--seed", type=whole, default=0, metavar="S", help="default: 0")
    parser.add_argument(
        "--moves",
        type=positive,
        default=MOVES,
        metavar="N",
        help=f"runs of the reference with moved inputs (default: {MOVES})",
    )
    parser.add_argument(
        "--device", type=device_name, default="cpu", metavar="DEV", help="cpu (default), cuda, cuda:1"
    )
    parser.add_argument(
        "--data-dir", type=file_name, metavar="D", help="the folder or archive of the data set"
    )
    parser.add_argument("--amp", choices=("off", "bf16"), help="default: the engine's")
    parser.add_argument(
        "--channels-last", action=argparse.BooleanOptionalAction, help="default: the engine's"
    )
    parser.add_argument("--threads", type=parallel, metavar="N", help="of torch (default: all)")
    parser.add_argument("--out", type=folder_name, default=RESULTS, metavar="DIR", help="default: results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
