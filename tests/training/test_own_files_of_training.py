"""Files of the trainer's own formats that somebody else wrote: refused in one line with file, line and field."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from curve_records import curve_record

from training.cells.recipe import digest_of
from training.evaluation.state import ForeignState, State, opened
from training.results.records import read
from training.studies.bench.command import entries
from training.studies.landscape.finished_runs import finished_runs

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "results" / "training_bench.json"


def changed(content: Any, place: tuple[str | int, ...], value: Any) -> Any:
    """A deep copy with another value at a place; `...` takes the field away."""
    copy = json.loads(json.dumps(content))
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("recipe", "method"), "magic", 'recipe.method = "magic", need one of at, awp, trades, trades-awp'),
        (("recipe", "optimizer"), ..., "recipe.optimizer is missing, need one of 2ndensgd, ensgd, sgd"),
        (("recipe", "drops"), [[1]], "recipe.drops[0] is a list, need an integer"),
        (("recipe", "epochs"), "30", 'recipe.epochs = "30", need an integer of at least 1'),
        (("versions", "torch"), {}, "versions.torch is an empty object"),
        (("hardware", "accelerator"), [1], "hardware.accelerator is a list"),
        (("hardware", "accelerator"), 7, "hardware.accelerator = 7, need a text or null"),
        (("evaluated_every",), {"a": 1}, "evaluated_every is an object, need an integer of at least 1"),
        (("curve", "test_pgd20", 3), "x", 'curve.test_pgd20[3] = "x", need a number or null'),
        (("curve", "test_pgd20", 3), 1.5e308, "curve.test_pgd20[3] = 1.5e+308, need a number from 0 to 1"),
        (("curve", "seconds_training", 29), None, "curve.seconds_training[29] = null, need a number"),
        (("curve",), {"epoch": []}, "curve.epoch is an empty list, need a list that is not empty"),
    ],
)
def test_a_record_whose_inside_is_something_else_is_refused_by_line_and_field(
    place, value, said: str, tmp_path: Path
) -> None:
    record = curve_record("compact-at", 0)
    broken = changed(record, place, value)
    broken["digest"] = digest_of(broken["recipe"])
    path = tmp_path / "records.jsonl"
    path.write_text(f"{json.dumps(record)}\n{json.dumps(broken)}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(f"{path}, line 2: {said}")):
        read(path)


def test_records_that_would_never_end_or_are_in_utf_16_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="/dev/zero is no regular file"):
        read(Path("/dev/zero"))
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(curve_record("compact-at", 0)), encoding="utf-16")
    with pytest.raises(ValueError, match=r"records\.jsonl is written in UTF-16, need UTF-8"):
        read(path)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("format",), 7, "format = 7, need 1"),
        (("entries", 0, "what"), "x", "entries[0].what = 'x', need one of steps, autoattack"),
        (("entries", 0, "hardware"), [], "entries[0].hardware is an empty list, need an object"),
        (("entries", 0, "ratio", "low"), ..., "entries[0].ratio.low is missing, need a number above 0"),
        (
            ("entries", 0, "engines", "fast", "evaluation"),
            {},
            "entries[0].engines.fast.evaluation.images is missing",
        ),
        (("entries", 0, "engines", "fast", "evaluation", "seconds"), 0, "seconds = 0, need a number above 0"),
        (
            ("entries", 0, "tf32_convolutions"),
            [],
            "entries[0].tf32_convolutions is an empty list, need an object",
        ),
    ],
)
def test_an_earlier_timing_that_is_something_else_is_refused_by_line_and_field(
    place, value, said: str, tmp_path: Path
) -> None:
    content = json.loads(BENCH.read_text(encoding="utf-8"))
    assert entries(BENCH) == content["entries"]
    path = tmp_path / "training_bench.json"
    path.write_text(json.dumps(changed(content, place, value), indent=1), encoding="utf-8")
    with pytest.raises(
        ValueError, match=rf"training_bench\.json, line \d+: .*{re.escape(said.rpartition('.')[2][:30])}"
    ) as refused:
        entries(path)
    assert said in str(refused.value)
    assert str(refused.value).endswith("move it away or give another --out")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("stages",), {}),
        (("stages", 0, "batches"), -1),
        (("stages", 0, "seconds"), "1"),
        (("stages", 0, "robust"), "f"),
        (("stages", 0, "robust"), "ff"),
        (("clean",), "zz"),
        (("current",), 3),
        (("warnings",), [3]),
        (("run",), None),
        (("format",), True),
    ],
)
def test_a_state_of_autoattack_that_is_something_else_is_foreign(place, value, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    run = {"n": 20, "weights": "a", "data": "b"}
    path = tmp_path / "state.json"
    state = State(run, torch.ones(20, dtype=torch.bool))
    state.begin("apgd-ce")
    state.end()
    state.save(path)
    assert opened(path, run, lambda: pytest.fail("it begins anew")).stages[0].accuracy == 1
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(changed(content, place, value)), encoding="utf-8")
    with pytest.raises(
        ForeignState,
        match=r"state_path = .*/state\.json holds no state of AutoAttack \(.*\): delete the file",
    ):
        opened(path, run, lambda: pytest.fail("it begins anew"))


@pytest.mark.parametrize(
    "about", [None, "[" * 100_000, "{}", '{"recipe": {}}', '{"recipe": 1e999}', "\ud800"]
)
def test_a_folder_that_does_not_say_what_run_it_holds_is_left_out_with_a_line(
    about: str | None, tmp_path: Path
) -> None:
    folder = tmp_path / "compact-at" / "seed0"
    folder.mkdir(parents=True)
    (folder / "trained.pt").write_bytes(b"")
    if about is not None:
        (folder / "run.json").write_bytes(about.encode("utf-8", "surrogatepass"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match="no finished run of that name"):
            finished_runs(tmp_path, ["compact-*"])
    (said,) = caught
    assert "run.json" in str(said.message)
    assert str(said.message).endswith("the run is left out")
