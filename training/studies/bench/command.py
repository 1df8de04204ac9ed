"""`python -m training.studies.bench --recipe NAME` times both engines in turn on the device at hand and writes
results/training_bench.json and .md."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from support.commands import guarded
from support.files import changing, check_replaceable, replace_file
from support.options import RESULTS, CommandParser, file_name, folder_name
from support.own_files import read_json
from support.progress import Progress, plain_warnings
from training.cells.recipe import Recipe
from training.cells.recipes import recipe
from training.cli import device as device_name
from training.cli import parallel, positive
from training.data import Dataset
from training.data.catalogue import CATALOGUE
from training.engine.choice import ENGINES
from training.engine.device import Computing, accelerator, versions
from training.results.provenance import provenance
from training.runs.job import Job, job_data
from training.runs.stopping import Stop, Stopped
from training.studies.bench.attack import autoattack_entry
from training.studies.bench.page import page, words
from training.studies.bench.shape import FORMAT, check_file
from training.studies.bench.steps import steps_entry

PROGRAM = "training.studies.bench"
FILE = "training_bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0; 2 for bad input or output that cannot be written; 130 and 143 when told to leave."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    plain_warnings(PROGRAM)
    used = _recipe(options)
    path = options.out / f"{FILE}.json"
    # What is there, or cannot be written, is refused before the work.
    for file in (path, path.with_suffix(".md")):
        check_replaceable(file)
    entries(path)
    computing = {
        engine: Computing.of(
            options.device,
            engine,
            amp=options.amp if engine == "fast" else None,
            threads=options.threads or (1 if _small(used) else None),
        )
        for engine in ENGINES
    }
    device = computing["fast"].prepare()
    if used.batch < 2 and _small(used):
        raise ValueError(
            f"batch = {used.batch}: the small net's last batch norm has one number an image and needs two of them: ask "
            "for at least 2"
        )
    data = _data(options, used, computing["fast"], device)
    try:
        with Stop() as stop, stop.anywhere(), Progress(PROGRAM) as shown:
            if options.autoattack is None:
                entry = steps_entry(used, data, computing, options, lambda what: shown.at(0, what))
            else:
                entry = autoattack_entry(used, data, computing["fast"], options)
    except Stopped as stopped:
        print(f"{PROGRAM}: {stopped}", file=sys.stderr)
        return stopped.status
    entry |= _where(used, data, computing["fast"], device)
    print(words(entry), flush=True)
    with changing(path):  # another bench may have written meanwhile
        found = [*(one for one in entries(path) if _key(one) != _key(entry)), entry]
        replace_file(path, json.dumps({"format": FORMAT, "entries": found}, indent=1, allow_nan=False) + "\n")
        replace_file(path.with_suffix(".md"), page(found))
    print(f"{PROGRAM}: written to {path} and {path.with_suffix('.md').name}", file=sys.stderr)
    return 0


def entries(path: Path) -> list[dict[str, Any]]:
    """Those of an earlier file, [] where there is none. Raises: ValueError for a file of another kind."""
    if not path.exists():
        return []
    remedy = "move it away or give another --out"
    return list(read_json(path, check=check_file, remedy=remedy)["entries"])


def _recipe(options: argparse.Namespace) -> Recipe:
    used = recipe(options.recipe)
    return used if options.batch is None else replace(used, batch=options.batch)


def _small(used: Recipe) -> bool:
    return used.small


def _data(options: argparse.Namespace, used: Recipe, computing: Computing, device: torch.device) -> Dataset:
    """The recipe's data where they are at hand, else random pixels in their numbers: a step takes as long on them."""
    if options.data_dir is not None or used.dataset == "digits":
        data = job_data(Job(used, 0, options.out, data_dir=options.data_dir, computing=computing))
    else:
        data = synthetic(used.dataset, device)
    if len(data.train_images) < used.batch:
        raise ValueError(
            f"batch = {used.batch}: {data.label} has {len(data.train_images)} training images, ask for fewer"
        )
    return data


def synthetic(name: str, device: torch.device) -> Dataset:
    """Random pixels and labels in number and shape of a published data set, and a label that says so."""
    about = CATALOGUE[name]
    generator = torch.Generator().manual_seed(0)

    def drawn(number: int) -> tuple[torch.Tensor, torch.Tensor]:
        shape = (number, *about.shape)
        images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        return images.to(device), torch.randint(0, len(about.classes), (number,), generator=generator).to(
            device
        )

    train, test, none = drawn(about.train), drawn(about.test), drawn(0)
    return Dataset(
        name=name,
        label=f"random pixels, as many as {about.title} has",
        source="torch.randint, seed 0",
        classes=about.classes,
        levels=255,
        train_images=train[0],
        train_labels=train[1],
        validation_images=none[0],
        validation_labels=none[1],
        test_images=test[0],
        test_labels=test[1],
    )


def _where(used: Recipe, data: Dataset, computing: Computing, device: torch.device) -> dict[str, Any]:
    return {
        "recipe": used.name,
        "digest": used.digest,
        "batch": used.batch,
        "data": data.label,
        "images_an_epoch": len(data.train_images),
        "steps_an_epoch": math.ceil(len(data.train_images) / used.batch),
        "device": computing.kind,
        **provenance(
            threads=torch.get_num_threads(), accelerator=accelerator(device), more=versions(computing)
        ),
    }


def _key(entry: dict[str, Any]) -> tuple[Any, ...]:
    """What a newer entry replaces: the same thing timed on the same hardware."""
    hardware = entry["hardware"]
    named = (entry["what"], entry["recipe"], entry["batch"], entry["device"], entry["threads"])
    return (*named, entry["versions"].get("amp", "off"), hardware["cpu"], hardware["accelerator"])


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=f"python -m {PROGRAM}",
        description="Time the fast engine and the reference on a recipe's training steps, in turn, beside the floor of "
        "the device. Results of the same recipe on the same hardware are replaced, others stay.",
    )
    add = parser.add_argument
    add("--recipe", default="compact-at", metavar="NAME", help="default: compact-at")
    add("--device", type=device_name, default="cpu", metavar="DEV", help="cpu (default), cuda, cuda:1")
    add(
        "--steps",
        type=positive,
        metavar="N",
        help="of each engine, in five blocks (default: 100 on a GPU, 10 on a CPU)",
    )
    add(
        "--amp",
        choices=("off", "bf16"),
        help="autocast of the fast engine's training forwards (default: the engine's)",
    )
    add("--batch", type=positive, metavar="N", help="images a step (default: the recipe's)")
    add(
        "--data-dir",
        type=file_name,
        metavar="D",
        help="of the data set (default: random pixels, which take as long)",
    )
    add(
        "--evaluation",
        action="store_true",
        help="clock PGD on all test images, at most 10,000, not one batch of them",
    )
    add("--examples", type=positive, metavar="N", help="clock the evaluation on the first N test images")
    add(
        "--autoattack",
        type=file_name,
        metavar="FILE",
        help="clock AutoAttack instead, on the test-selected net in this trained.pt: its time depends on the net",
    )
    add("--threads", type=parallel, metavar="N", help="of torch (default: 1 for the small net, else all)")
    add("--out", type=folder_name, default=RESULTS, metavar="DIR", help="default: results")
    return parser
