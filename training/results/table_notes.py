"""The notes below a table: what was measured how, on which machine, what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import ascii_lowercase
from typing import Any

from training.cells.recipe import Recipe
from training.results.averages import Average, listed
from training.results.record import Record

HOW_AVERAGED = "Mean ± standard deviation over seeds, n - 1 in the denominator."
MEASURES = {"clean": "clean", "pgd20": "PGD-20", "autoattack": "AutoAttack"}


def percent(found: Average | None, expected: str) -> str:
    """`48.93 ± 0.09`, with what was measured before it where that is not what the column or row says."""
    if found is None:
        return "missing"
    text = f"{found.mean:.2f}" + ("" if found.std is None else f" ± {found.std:.2f}")
    return text if found.measure == expected else f"{MEASURES[found.measure]}: {text}"


def mark_remarks(remarks: Sequence[Sequence[str]]) -> tuple[list[str], list[str]]:
    """One mark such as ` [a, b]` a line, empty where it has no remark, and the notes that explain the letters."""
    letters: dict[str, str] = {}
    for remark in (one for line in remarks for one in line):
        letters.setdefault(remark, _letter(len(letters)))
    marks = [f" [{', '.join(letters[one] for one in line)}]" if line else "" for line in remarks]
    return marks, [f"[{letter}] {remark}." for remark, letter in letters.items()]


def notes_on(recipes: Iterable[Recipe], used: Sequence[Record], records: Sequence[Record]) -> list[str]:
    """Attacks, data and machines of the records used, and how many of these recipes' names were left out because the
    recipe has changed since they were made."""
    notes = _attacks(used)
    if used:
        notes.append(f"Data: {'; '.join(_distinct(record['data'] for record in used))}.")
        notes.append(f"Made on {'; '.join(_distinct(map(_machine, used)))}.")
    current = {recipe.name: recipe.digest for recipe in recipes}
    names = [record["recipe"]["name"] for record in records]
    old = [
        name
        for name, record in zip(names, records, strict=True)
        if current.get(name, record["digest"]) != record["digest"]
    ]
    if old:
        counts = "; ".join(f"{name} ({old.count(name)})" for name in _distinct(old))
        notes.append(f"Left out, made before their recipe was changed: {counts}.")
    return notes


def _attacks(used: Sequence[Record]) -> list[str]:
    """A sentence for each attack with its settings, and the seeds it was started from."""
    seeds: dict[str, set[int]] = {}
    for record in used:
        for checkpoint in record["selection"].values():
            for sentence, seed in _settings(checkpoint) if checkpoint else ():
                seeds.setdefault(sentence, set()).add(seed)
    return [f"{sentence}, attack seed {listed(sorted(found))}." for sentence, found in seeds.items()]


def _settings(checkpoint: dict[str, Any]) -> list[tuple[str, int]]:
    pgd, auto = checkpoint["attacks"]["pgd20"], checkpoint["attacks"]["autoattack"]
    size = f"{pgd['norm']}, epsilon {in_255ths(pgd['epsilon'])}, {checkpoint['n_test']:,} test images"
    found = [(f"PGD-20: {pgd['steps']} steps of {in_255ths(pgd['step_size'])}, {size}", pgd["seed"])]
    if auto is not None:
        size = f"{auto['norm']}, epsilon {in_255ths(auto['epsilon'])}, {auto['n']:,} test images"
        found.append((f"AutoAttack ({auto['version']}): {size}", auto["seed"]))
    return found


def in_255ths(value: float) -> str:
    """8/255 as such, 0.031 as it is."""
    levels = round(value * 255)
    return f"{levels}/255" if levels and levels / 255 == value else f"{value:g}"


def _machine(record: Record) -> str:
    hardware, versions = record["hardware"], record["versions"]
    threads = "1 thread" if record["threads"] == 1 else f"{record['threads']} threads"
    name = hardware.get("accelerator") or f"{hardware.get('cpu', 'unknown processor')}, {threads}"
    commit, plus, changes = record["commit"].partition("+")
    return f"{name}, torch {versions.get('torch', 'unknown')}, commit {commit[:10]}{plus}{changes}"


def _letter(number: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    rest, last = divmod(number, len(ascii_lowercase))
    return (_letter(rest - 1) if rest else "") + ascii_lowercase[last]


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
