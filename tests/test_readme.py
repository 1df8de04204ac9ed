"""What README.md says can be run: its claims have the verdicts it implies, its examples run, its numbers are in
results/."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from numerics import __main__ as numerics_command_line
from theory import __main__ as command_line
from theory.ledger.rows import find
from training.cells.recipes import recipe
from training.results.averages import average
from training.results.records import Record, read
from training.results.records import find as find_records
from training.results.table_notes import percent

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"\| `python -m theory show ([\w.-]+)` \|", README)
ERRATA, BEYOND = README.split("Results that go beyond the paper")


def test_the_readme_names_claims() -> None:
    assert len(SHOWN) > 10


@pytest.mark.parametrize("name", [name for name in SHOWN if f"show {name}` |" in ERRATA])
def test_a_claim_listed_as_failing_is_refuted_in_the_ledger(name: str) -> None:
    assert find(name).expected in ("false", "typo")


@pytest.mark.parametrize("name", [name for name in SHOWN if f"show {name}` |" in BEYOND])
def test_a_claim_listed_as_a_result_is_proved_or_sharpened_in_the_ledger(name: str) -> None:
    claim = find(name)
    assert claim.expected == "true"
    assert claim.kind == "beyond" or claim.sharpest is not None


def test_the_check_command_of_the_readme_prints_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    text = README.replace("\\\n", " ")
    command = next(line for line in text.splitlines() if line.startswith("python -m theory check"))
    assert command_line.main(shlex.split(command)[3:]) == 0
    shown = capsys.readouterr().out
    # Closed form: the attack moves by epsilon/||theta|| = 0.6/sqrt(1.25) at most.
    assert "0.536656" in shown


def test_the_python_example_of_the_readme_runs() -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example is not None
    names: dict = {}
    exec(example[1], names)
    # l = t x - x^2 is maximal at x = t/2: the attack moves half as fast as t.
    assert abs(float(names["report"].lipschitz) - 0.5) < 1e-20


def test_the_local_entropy_command_of_the_readme_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    command = next(
        line for line in README.splitlines() if line.startswith("python -m numerics local-entropy --")
    )
    assert numerics_command_line.main(shlex.split(command)[3:]) == 0
    assert json.loads(capsys.readouterr().out)["method"] == "fast"


def test_the_counts_of_the_bounds_are_those_of_their_table() -> None:
    first = (ROOT / "results" / "bounds.md").read_text(encoding="utf-8")
    found = re.search(r"(\d+) statements, (\d+) of them the paper's: (\d+) of those fail", first)
    reached = re.search(r"confirmed, in (\d+); exceeded in 0", first)
    assert found is not None
    assert reached is not None
    text = " ".join(README.split())
    assert f"Of {found[1]} statements, {found[2]} of them the paper's, {found[3]} of the paper's fail" in text
    assert f"none of ours is exceeded, and {reached[1]} are reached" in text


def test_the_gap_of_pgd_is_the_one_of_its_figure() -> None:
    panels = json.loads((ROOT / "results" / "figures" / "pgd_gap.json").read_text(encoding="utf-8"))
    gaps = [float(value) for value in re.findall(r'"largest": ([0-9.e-]+)', json.dumps(panels))]
    found = re.search(r"misses up to ([0-9.]+) of the loss", README)
    assert found is not None
    assert found[1] == f"{max(gaps):.3f}"


def test_the_counts_of_the_adversaries_are_those_of_their_file() -> None:
    rows = json.loads((ROOT / "results" / "adversaries.json").read_text(encoding="utf-8"))
    twins = [caught for row in rows for caught in row["twins"].values()]
    said = re.search(
        r"Of (\d+) sentences each .*? of (\d+) false neighbours (\d+) were refuted", README, re.DOTALL
    )
    assert said is not None
    assert tuple(map(int, said.groups())) == (len(rows), len(twins), sum(twins))
    assert all(row["violated"] != row["holds"] for row in rows)


def test_every_file_the_readme_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_training_parts_of_the_readme_run(capsys: pytest.CaptureFixture[str]) -> None:
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(next(one for one in examples if "EntropySGD(" in one), {})
    assert capsys.readouterr().out == "torch.Size([1, 10])\n"


def test_the_numbers_of_the_laptop_table_are_those_of_its_first_records() -> None:
    """Of seeds 0 and 1; later records are a reader's own."""
    first: dict[tuple[str, int], Record] = {}
    for record in read(ROOT / "results" / "records.jsonl"):
        if record["seed"] < 2:
            first.setdefault((record["digest"], record["seed"]), record)
    rows = {"AT": "at", "as the public codes have it": "at-ensgd+code", "as Algorithm 1 has it": "at-ensgd"}
    for method, ending in rows.items():
        records = find_records(first.values(), digest=recipe(f"laptop-{ending}").digest)
        best, last = (average(records, checkpoint, "pgd20") for checkpoint in ("best_test", "last"))
        assert best is not None
        assert best.seeds == (0, 1)
        assert f"{method} | {percent(best, 'pgd20')} % | {percent(last, 'pgd20')} % |" in README
    findings = json.loads((ROOT / "results" / "verdicts_laptop.json").read_text(encoding="utf-8"))["findings"]
    ahead = next(
        one for one in findings if one["reading"] == "at-ensgd+code" and one["by"] == "PGD-20, last epoch"
    )
    mean, low, high = (f"{ahead['difference'][name]:.2f}" for name in ("mean", "low", "high"))
    text = " ".join(README.split())
    assert f"{mean} points ahead (95 % interval {low} to {high}, paired by seed)" in text
    assert ahead["verdict"] == "confirmed"


def test_the_speed_of_bf16_is_that_of_the_bench() -> None:
    bench = json.loads((ROOT / "results" / "training_bench.json").read_text(encoding="utf-8"))
    entry = next(
        one for one in bench["entries"] if one["recipe"] == "laptop-at" and one["versions"]["amp"] == "bf16"
    )
    share = 100 * entry["engines"]["fast"]["share_of_peak"]
    text = " ".join(README.split())
    assert f"{entry['ratio']['median']:.2f} times as fast as the reference, {share:.0f} % of the peak" in text


def test_the_recipes_the_readme_names_are_there() -> None:
    names = re.findall(r"\b(?:cifar10|compact)-[a-z0-9-]+[a-z0-9](?:\+[a-z]+)?\b", README)
    assert len(names) >= 2
    for name in names:
        assert recipe(name).name == name


def test_the_numbers_of_the_compact_table_are_those_of_its_first_records() -> None:
    """Later ones are a reader's own, made on another machine."""
    first: dict[tuple[str, int], Record] = {}
    for record in read(ROOT / "results" / "records.jsonl"):
        first.setdefault((record["digest"], record["seed"]), record)
    text = " ".join(README.split())
    for method, name in (("AT", "compact-at"), ("AT+EnSGD", "compact-at-ensgd")):
        found = average(find_records(first.values(), digest=recipe(name).digest)[:3], "best_test", "pgd20")
        assert found is not None
        assert found.seeds == (0, 1, 2)
        assert f"{method} {percent(found, 'pgd20')} %" in text
