"""`python -m numerics adversaries [ID ...]`: attacks the ledger's sentences and writes results/adversaries.json.

Seeded, with progress, and resumable: a sentence that was attacked with the same seed and at least as many draws, and
has not changed since, is not attacked again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import fields
from functools import partial
from pathlib import Path

from numerics.adversaries.adversary import Adversary
from numerics.adversaries.judgement import Judgement, judge, power, sentence_of
from numerics.adversaries.registry import adversaries
from support.files import changing, make_folder, replace_file
from support.options import RESULTS, folder_name
from support.own_files import read_json
from support.progress import Progress
from support.workers import in_workers
from theory.ledger.attacked import NAME, REMEDY, SHAPE, fingerprint

DRAWS = 200
MOST = 2**31 - 1  # of a seed and of draws: the file of results refuses what does not fit 64 bits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m numerics adversaries`."""
    parser.add_argument(
        "claims", nargs="*", metavar="ID", help="claims whose sentences are attacked (default: all)"
    )
    parser.add_argument("--out", type=folder_name, default=RESULTS, metavar="DIR", help="(default: results)")
    parser.add_argument("--seed", type=int, default=0, help="of the instances (default: 0)")
    parser.add_argument(
        "--draws",
        type=int,
        default=DRAWS,
        help=f"instances drawn for each sentence and twin (default: {DRAWS})",
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=None,
        metavar="SECONDS",
        help="begin no further sentence after this time",
    )
    parser.add_argument("--again", action="store_true", help="attack also what has been attacked")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Attacks and writes; 1 where an adversary and the ledger disagree. Raises ValueError on bad input."""
    for name, least in (("seed", 0), ("draws", 1)):
        value = getattr(arguments, name)
        if value < least:
            raise ValueError(f"{name} = {value}; it must be at least {least}")
        if value > MOST:
            raise ValueError(f"{name} = {value}; it must be at most {MOST}")
    if arguments.budget is not None and not arguments.budget >= 0:
        raise ValueError(f"budget = {arguments.budget}; it must be a number of seconds, at least 0")
    chosen = adversaries(arguments.claims)
    make_folder(arguments.out)
    path = arguments.out / NAME
    done = (
        {}
        if arguments.again
        else {
            (one.claim, one.reading): one
            for one in read(path)
            if one.seed == arguments.seed and one.draws >= arguments.draws
        }
    )
    todo = [one for one in chosen if not _current(done.get((one.claim, one.reading)), one)]
    _attack(todo, arguments, path)
    kept = {(one.claim, one.reading): one for one in read(path)}
    shown = [kept[one.claim, one.reading] for one in chosen if (one.claim, one.reading) in kept]
    caught, tried = power(shown)
    wrong = [one for one in shown if not one.agrees]
    print(
        f"{len(shown)} of {len(chosen)} sentences attacked ({len(todo)} now), "
        f"{sum(one.instances for one in shown)} instances; {caught} of {tried} false neighbours refuted"
    )
    for one in wrong:
        said = (
            f"fails at {one.counterexample}"
            if one.violated
            else "is called false, and no counterexample was found"
        )
        print(f"numerics: {one.claim} ({one.reading}) {said}", file=sys.stderr)
    print(f"written: {path}")
    return 1 if wrong else 0


def read(path: Path) -> list[Judgement]:
    """What a former run wrote; [] where there is none. Raises ValueError for another file of that name."""
    if not path.exists():
        return []
    rows = read_json(path, SHAPE, remedy=REMEDY)
    return [Judgement(**{field.name: row[field.name] for field in fields(Judgement)}) for row in rows]


def _current(found: Judgement | None, adversary: Adversary) -> bool:
    return found is not None and found.sentence == fingerprint(sentence_of(adversary))


def _attack(todo: list[Adversary], arguments: argparse.Namespace, path: Path) -> None:
    ends = None if arguments.budget is None else time.monotonic() + arguments.budget
    names = [(one.claim, one.reading) for one in todo]
    with Progress("adversaries", len(names)) as progress:
        count = 0

        def finished(name: tuple[str, str], found: Judgement | None) -> None:
            nonlocal count
            count += 1
            if found is not None:
                keep(path, found)
            progress.at(count, name[0])

        attack = partial(attack_one, seed=arguments.seed, draws=arguments.draws, ends=ends)
        workers = min(os.cpu_count() or 1, len(names))
        if workers > 1:
            in_workers(attack, names, workers, finished)
        else:
            for name in names:
                finished(name, attack(name))


def attack_one(name: tuple[str, str], *, seed: int, draws: int, ends: float | None) -> Judgement | None:
    """The judgement on one sentence; None where the time is over (`ends`, of the monotonic clock)."""
    if ends is not None and time.monotonic() > ends:
        return None
    (adversary,) = (one for one in adversaries([name[0]]) if one.reading == name[1])
    return judge(adversary, seed=seed, draws=draws)


def keep(path: Path, found: Judgement) -> None:
    """Puts a judgement into the file, in place of an older one of the same sentence."""
    with changing(path):
        rows = [one for one in read(path) if (one.claim, one.reading) != (found.claim, found.reading)]
        rows = sorted([*rows, found], key=lambda one: (one.claim, one.reading))
        text = json.dumps([one.as_dict() for one in rows], indent=1, ensure_ascii=False)
        replace_file(path, text + "\n")
