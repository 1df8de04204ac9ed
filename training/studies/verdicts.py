"""Judges what the paper says of EntropySGD's robust accuracy (Secs. 5.3 and 6, App. F) on the records of a family of
recipes: `python -m training.studies.verdicts --stem laptop` writes results/verdicts_<stem>.md and .json.

Each sentence becomes a difference between two runs of the same seed, and so of the same start and batches. Its mean
over seeds has a 95 % interval by Student's t; the sentence is confirmed or contradicted only where that leaves out 0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

if __name__ == "__main__":  # before anything that takes long to load
    from support.commands import interruptible

    interruptible("training.studies.verdicts")

from support.commands import guarded
from support.files import replace_file
from support.options import RESULTS, CommandParser, folder_name
from training.cells.recipes import recipe
from training.results.averages import groups, listed
from training.results.record import Record
from training.results.records import read
from training.studies.acceleration.comparison import Interval, interval, robust

PROGRAM = "training.studies.verdicts"
Measure = Callable[[Record], float | None]


@dataclass(frozen=True)
class Sentence:
    """What the paper says, as a difference that it expects to be positive ("more"), or 0 ("equal").

    words   : the paper's, shortened; place : where
    reading, plain : endings of the recipes whose records are subtracted
    measure : of a record, in percentage points, None where it has none; by : what it is, in words
    """

    words: str
    place: str
    reading: str
    plain: str
    measure: Measure
    by: str
    expects: str = "more"


@dataclass(frozen=True)
class Finding:
    """A sentence on the records: both means, the paired difference in points, None without a common seed."""

    sentence: str
    place: str
    reading: str
    plain: str
    by: str
    seeds: tuple[int, ...]
    values: tuple[tuple[float, ...], tuple[float, ...]]
    difference: Interval | None
    verdict: str


def best(record: Record) -> float:
    """PGD-20 at the epoch that was best on test, in percent."""
    return 100 * record["selection"]["best_test"]["pgd20"]


def chosen(record: Record) -> float | None:
    """PGD-20 on test images at the epoch that was best on held-out images, in percent."""
    checkpoint = record["selection"]["validation"]
    return None if checkpoint is None else 100 * checkpoint["pgd20"]


def attacked(record: Record) -> float | None:
    """AutoAttack at the epoch that was best on test, in percent."""
    accuracy = record["selection"]["best_test"]["autoattack"]
    return None if accuracy is None else 100 * accuracy


def last(record: Record) -> float:
    """PGD-20 on test images after the last epoch, in percent."""
    return 100 * robust(record)[-1]


def trained(record: Record) -> float:
    """Robust accuracy on the training images of the last epoch (PGD-10, augmented, as trained), in percent."""
    return 100 * record["curve"]["train_robust"][-1]


def lost(record: Record) -> float:
    """PGD-20, best minus last epoch, in points: robust overfitting (Rice et al., 2020)."""
    return 100 * max(robust(record)) - last(record)


def less(measure: Callable[[Record], float]) -> Measure:
    """The negative, so that less of it is more."""
    return lambda record: -measure(record)


HIGHER = "EnSGD is more robust than SGD"
OVERFITTING = "EnSGD alleviates overfitting"
SECOND = "second order is as good as first order"
OVER_AWP = "AWP+EnSGD is more robust than AWP"


def sentences() -> tuple[Sentence, ...]:
    """Everything that is judged, reading by reading."""
    found: list[Sentence] = []
    for reading in ("at-ensgd", "at-ensgd+code"):
        found += [
            Sentence(HIGHER, "Sec. 5.3", reading, "at", best, "PGD-20, best on test"),
            Sentence(HIGHER, "Sec. 5.3", reading, "at", attacked, "AutoAttack, best on test"),
            Sentence(HIGHER, "Sec. 5.3", reading, "at", chosen, "PGD-20, best on validation"),
            Sentence(OVERFITTING, "Sec. 5.3", reading, "at", less(lost), "PGD-20, minus (best - last)"),
            Sentence(OVERFITTING, "Sec. 5.3", reading, "at", less(trained), "minus the last epoch's train"),
            Sentence(OVERFITTING, "Sec. 5.3", reading, "at", last, "PGD-20, last epoch"),
        ]
    for reading in ("awp-ensgd", "awp-ensgd+code"):
        found += [
            Sentence(OVER_AWP, "Sec. 5.3", reading, "awp", best, "PGD-20, best on test"),
            Sentence(OVER_AWP, "Sec. 5.3", reading, "awp", chosen, "PGD-20, best on validation"),
        ]
    for method in ("at", "awp"):
        both = (f"{method}-2ndensgd", f"{method}-ensgd")
        found.append(Sentence(SECOND, "App. F", *both, best, "PGD-20, best on test", "equal"))
    return tuple(found)


def judge(sentence: Sentence, reading: Sequence[Record], plain: Sequence[Record]) -> Finding:
    """A sentence on the records of both recipes, one a seed each."""
    mine, its = (
        {one["seed"]: value for one in some if (value := sentence.measure(one)) is not None}
        for some in (reading, plain)
    )
    seeds = tuple(sorted(mine.keys() & its.keys()))
    values = tuple(mine[seed] for seed in seeds), tuple(its[seed] for seed in seeds)
    found = interval([a - b for a, b in zip(*values, strict=True)]) if seeds else None
    named = (sentence.words, sentence.place, sentence.reading, sentence.plain, sentence.by)
    return Finding(*named, seeds, values, found, verdict(found, sentence.expects))


def verdict(found: Interval | None, expects: str) -> str:
    """ "confirmed" or "contradicted" where the interval leaves 0 out, else "open"; an interval around 0 is no proof of
    equality, so that "equal" is contradicted or open. "no run" without a common seed."""
    if found is None:
        return "no run"
    if found.low is None or found.high is None or found.low <= 0 <= found.high:
        return "open"
    return "confirmed" if expects == "more" and found.low > 0 else "contradicted"


def records_of(stem: str, ending: str, records: Sequence[Record]) -> list[Record]:
    """The whole runs of a recipe, those of the first protocol and data there are."""
    found = [group for group in groups(recipe(f"{stem}-{ending}"), records) if not group.shortened]
    return list(found[0].records) if found else []


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0; 2 for bad input; 130, 143 when told to leave."""
    return guarded(PROGRAM, lambda: _command(arguments))


def _command(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    path = options.out / "records.jsonl"
    records = read(path) if path.exists() else []
    found = {
        ending: records_of(options.stem, ending, records)
        for one in sentences()
        for ending in (one.reading, one.plain)
    }
    if not found["at"]:
        raise ValueError(f"{path} has no run of {options.stem}-at: make it with training/run.py")
    findings = [judge(one, found[one.reading], found[one.plain]) for one in sentences()]
    text = page(options.stem, found, findings)
    facts = {"what": "verdicts", "stem": options.stem, "findings": [asdict(one) for one in findings]}
    print(text, flush=True)
    replace_file(options.out / f"verdicts_{options.stem}.json", json.dumps(facts, indent=1) + "\n")
    written = replace_file(options.out / f"verdicts_{options.stem}.md", text)
    print(f"{PROGRAM}: written to {written} and verdicts_{options.stem}.json", file=sys.stderr)
    return 0


def page(stem: str, records: Mapping[str, Sequence[Record]], findings: Sequence[Finding]) -> str:
    """The findings as Markdown."""
    first = records["at"][0]
    checkpoint = first["selection"]["best_test"]
    attack = checkpoint["attacks"]["autoattack"]
    lines = [
        f"# What the paper says of EntropySGD's accuracy, on the {stem} runs",
        "",
        f"Generated by `python -m {PROGRAM} --stem {stem}`. {first['data']}, `{stem}-at` and its siblings, "
        f"{_trained_on(first)} training images, {first['epochs_run']} epochs, evaluated every "
        f"{first.get('evaluated_every', 1)}; PGD-20 on {checkpoint['n_test']:,} test images, attack seed "
        f"{checkpoint['attacks']['pgd20']['seed']}"
        + (f"; AutoAttack on the first {attack['n']:,}, attack seed {attack['seed']}" if attack else "")
        + f". Made on {first['hardware'].get('accelerator') or first['hardware']['cpu']}, {first['threads']} thread, "
        f"torch {first['versions'].get('torch', '?')}, training forwards under {_precision(first)}.",
        "",
        "Differences are percentage points, reading minus plain, paired by seed; in brackets the 95 % interval by "
        "Student's t. A sentence is confirmed or contradicted where the interval leaves out 0, each for itself and not "
        "all at once, else open: with two seeds only a difference that hardly varies is more. Train: what the training "
        "forwards of the last epoch got right under PGD, augmented, at theta' for EntropySGD and at w + v for AWP; a "
        "smaller one is no gain unless the test accuracy is larger.",
        "",
        "| the paper says | reading | against | by | reading | against | difference | seeds | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *map(_row, findings),
        "",
    ]
    return "\n".join(lines)


def _trained_on(record: Record) -> str:
    number = record["recipe"].get("train_examples")
    return "all" if number is None else f"{number:,}"


def _precision(record: Record) -> str:
    amp = record["versions"].get("amp", "off")
    return "float32" if amp == "off" else f"{amp} autocast"


def _row(one: Finding) -> str:
    means = [f"{sum(some) / len(some):.2f}" if some else "-" for some in one.values]
    cells = [f"{one.sentence} ({one.place})", one.reading, one.plain, one.by, *means]
    return f"| {' | '.join([*cells, _points(one.difference), listed(one.seeds) or '-', one.verdict])} |"


def _points(found: Interval | None) -> str:
    if found is None:
        return "-"
    around = "" if found.low is None else f" ({found.low:+.2f} to {found.high:+.2f})"
    return f"{found.mean:+.2f}{around}"


def _parser() -> CommandParser:
    parser = CommandParser(
        prog=f"python -m {PROGRAM}",
        description="Judges what the paper says of EntropySGD's robust accuracy, on the records there are.",
    )
    parser.add_argument("--stem", default="laptop", metavar="S", help="such as compact (default: laptop)")
    parser.add_argument("--out", type=folder_name, default=RESULTS, metavar="DIR", help="default: results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
