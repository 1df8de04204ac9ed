"""What the paper says of EntropySGD's accuracy, judged on made-up runs whose answers are known by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from run_records import run_record

from training.results.records import Record, append, read
from training.studies.verdicts import (
    HIGHER,
    OVER_AWP,
    OVERFITTING,
    SECOND,
    Finding,
    judge,
    main,
    records_of,
    sentences,
)

N = 2000
RESULTS = Path(__file__).resolve().parents[2] / "results"
# 97.5 % points of Student's t with 1 and 2 degrees of freedom, from the closed forms of its distribution.
T1 = math.tan(0.475 * math.pi)
T2 = 0.95 * math.sqrt(2 / (1 - 0.95**2))
ROUNDED = 1e-3  # the module's table of t has three digits


def run(name: str, seed: int, best: int, *, last: int, train: float) -> dict[str, Any]:
    """A run evaluated twice: `best` of N right at first, `last` at the end, `train` of the training images."""
    record = run_record(f"laptop-{name}", seed, best, auto=best - 100, n=N, data="CIFAR-10", device="cpu")
    epochs = record["epochs_run"]
    record["selection"]["last"]["pgd20"] = last / N
    record["evaluated_every"] = epochs // 2
    record["curve"] = {
        "epoch": [epochs // 2, epochs],
        "test_pgd20": [best / N, last / N],
        "train_robust": [0.3, train],
    }
    return record


def findings(records: list[dict[str, Any]]) -> dict[tuple[str, str, str], Finding]:
    found = {}
    for one in sentences():
        judged = judge(
            one, records_of("laptop", one.reading, records), records_of("laptop", one.plain, records)
        )
        found[judged.sentence, judged.reading, judged.by] = judged
    return found


def test_a_difference_is_paired_by_seed_and_its_interval_is_students() -> None:
    records = [
        *(run("at", seed, best, last=best - 100, train=0.5) for seed, best in enumerate((480, 500, 490))),
        *(run("at-ensgd", seed, best, last=best, train=0.3) for seed, best in enumerate((500, 530, 540))),
    ]
    found = findings(records)[HIGHER, "at-ensgd", "PGD-20, best on test"]
    # 20, 30 and 50 of 2,000 more: 1, 1.5 and 2.5 points.
    assert found.seeds == (0, 1, 2)
    assert found.difference is not None
    assert found.difference.mean == pytest.approx(5 / 3)
    deviation = math.sqrt(((1 - 5 / 3) ** 2 + (1.5 - 5 / 3) ** 2 + (2.5 - 5 / 3) ** 2) / 2)
    assert found.difference.low == pytest.approx(5 / 3 - T2 * deviation / math.sqrt(3), abs=ROUNDED)
    assert found.verdict == "open"  # the interval begins below 0
    same = findings(records[:2] + records[3:5])[HIGHER, "at-ensgd", "PGD-20, best on test"]
    assert same.difference is not None
    assert same.difference.high == pytest.approx(1.25 + T1 * 0.25, abs=ROUNDED)


@pytest.mark.parametrize(("ahead", "verdict"), [(40, "confirmed"), (-40, "contradicted"), (0, "open")])
def test_an_interval_without_0_decides_and_one_around_it_does_not(ahead: int, verdict: str) -> None:
    records = [run("at", seed, 500, last=400, train=0.5) for seed in range(3)]
    records += [run("at-ensgd", seed, 500 + ahead + seed, last=400, train=0.5) for seed in range(3)]
    if not ahead:
        records[-1] = run("at-ensgd", 2, 498, last=400, train=0.5)
    found = findings(records)
    assert found[HIGHER, "at-ensgd", "PGD-20, best on test"].verdict == verdict
    assert found[HIGHER, "at-ensgd", "AutoAttack, best on test"].verdict == verdict
    assert found[OVER_AWP, "awp-ensgd", "PGD-20, best on test"].verdict == "no run"


def test_one_seed_decides_nothing() -> None:
    records = [run("at", 0, 300, last=200, train=0.5), run("at-ensgd", 0, 900, last=900, train=0.3)]
    found = findings(records)[HIGHER, "at-ensgd", "PGD-20, best on test"]
    assert found.difference is not None
    assert (found.difference.mean, found.difference.low, found.verdict) == (pytest.approx(30.0), None, "open")


def test_less_overfitting_is_more() -> None:
    records = [run("at", seed, 500 + seed, last=400, train=0.5) for seed in range(3)]
    records += [
        run("at-ensgd", seed, 480 + seed, last=470 + seed, train=0.3 + 0.001 * seed) for seed in range(3)
    ]
    found = findings(records)
    by = {
        measure: one
        for (words, reading, measure), one in found.items()
        if (words, reading) == (OVERFITTING, "at-ensgd")
    }
    # Best minus last: 5 points and more of AT, 0.5 of the reading; training accuracy 50 % against 30 %.
    assert by["PGD-20, minus (best - last)"].difference.mean == pytest.approx(5.05 - 0.5)  # type: ignore[union-attr]
    assert by["minus the last epoch's train"].difference.mean == pytest.approx(19.9)  # type: ignore[union-attr]
    assert by["PGD-20, last epoch"].difference.mean == pytest.approx(3.55)  # type: ignore[union-attr]
    assert {one.verdict for one in by.values()} == {"confirmed"}


def test_an_interval_around_0_is_no_proof_that_two_are_equal() -> None:
    records = [run("at-ensgd", seed, 500, last=400, train=0.5) for seed in range(3)]
    close = [run("at-2ndensgd", seed, 500 + seed, last=400, train=0.5) for seed in (-1, 0, 1)]
    close = [{**one, "seed": seed} for seed, one in enumerate(close)]
    by = (SECOND, "at-2ndensgd", "PGD-20, best on test")
    assert findings(records + close)[by].verdict == "open"
    far = [run("at-2ndensgd", seed, 600 + seed, last=400, train=0.5) for seed in range(3)]
    assert findings(records + far)[by].verdict == "contradicted"


def test_the_command_writes_the_page_and_the_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path)]) == 2
    assert "has no run of laptop-at: make it with training/run.py" in capsys.readouterr().err
    for record in (run("at", 0, 480, last=400, train=0.5), run("at-ensgd", 0, 420, last=400, train=0.3)):
        append(tmp_path / "records.jsonl", record)
    assert main(["--out", str(tmp_path)]) == 0
    text = (tmp_path / "verdicts_laptop.md").read_text(encoding="utf-8")
    row = "| at-ensgd | at | PGD-20, best on test | 21.00 | 24.00 | -3.00 | 0 | open |"
    assert f"| EnSGD is more robust than SGD (Sec. 5.3) {row}" in text.splitlines()
    assert "1,000 training images" in text
    assert "PGD-20 on 2,000 test images, attack seed 0" in text
    facts = json.loads((tmp_path / "verdicts_laptop.json").read_text(encoding="utf-8"))
    assert facts["findings"][0]["difference"]["mean"] == pytest.approx(-3.0)
    assert len(facts["findings"]) == len(sentences())


@pytest.mark.parametrize("stem", ["laptop", "compact"])
def test_the_page_in_the_repository_is_that_of_the_first_records_in_it(stem: str, tmp_path: Path) -> None:
    """Later records, and further seeds, are a reader's own."""
    page = json.loads((RESULTS / f"verdicts_{stem}.json").read_text(encoding="utf-8"))
    seeds = {seed for finding in page["findings"] for seed in finding["seeds"]}
    first: dict[tuple[str, int], Record] = {}
    for record in read(RESULTS / "records.jsonl"):
        if record["seed"] in seeds:
            first.setdefault((record["digest"], record["seed"]), record)
    for record in first.values():
        append(tmp_path / "records.jsonl", record)
    assert main(["--stem", stem, "--out", str(tmp_path)]) == 0
    for ending in ("md", "json"):
        name = f"verdicts_{stem}.{ending}"
        assert (tmp_path / name).read_text(encoding="utf-8") == (RESULTS / name).read_text(encoding="utf-8")
