"""The rules that judge "EnSGD accelerates the training" on made-up curves whose answer is known, and the command."""

from __future__ import annotations

import json
import math
import shlex
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import pytest
import scipy.stats
from curve_records import write
from run_records import run_record

from figures.__main__ import _parser
from training.cells.recipes import recipe
from training.results.records import read
from training.runs.health import TrainingFailed
from training.studies.acceleration import command as claim
from training.studies.acceleration.command import arms, main
from training.studies.acceleration.comparison import (
    STUDENT,
    aligned,
    compared,
    interval,
    judged,
    levels,
    reach,
)
from training.studies.acceleration.findings import ARMS, AT, findings
from training.studies.acceleration.page import page

EPOCHS = 30
START, TOP = 0.2, 0.8


def curved(name: str, seed: int, pace: float, *, top: float = TOP, cost: float = 1.0, every: int = 1) -> dict:
    """A run that climbs from START on a straight line, `pace` times as fast as one that needs 20 epochs to TOP, and
    stays at `top`; an epoch takes 2 `cost` seconds."""
    record = run_record(name, seed, 100, n=200, data="digits", device="cpu")
    numbers = list(range(1, EPOCHS + 1))
    climb = [min(top, START + (TOP - START) * pace * (number - 1) / 20) for number in numbers]
    kept = [
        value if number % every == 0 or number == EPOCHS else None
        for number, value in zip(numbers, climb, strict=True)
    ]
    record["curve"] = {
        "epoch": numbers,
        "test_pgd20": kept,
        "seconds_training": [2.0 * cost * number for number in numbers],
    }
    record["versions"]["engine"] = "fast"
    return record


def runs(name: str, paces: list[float], **more: float) -> list[dict]:
    return [curved(name, seed, pace, **more) for seed, pace in enumerate(paces)]  # type: ignore[arg-type]


def test_the_student_table_is_that_of_scipy() -> None:
    wanted = [float(scipy.stats.t.ppf(0.975, degrees)) for degrees in range(1, len(STUDENT) + 1)]
    assert [round(value, 3) for value in wanted] == list(STUDENT)


def test_an_interval_is_that_of_scipy() -> None:
    values = [0.1, 0.4, -0.2, 0.35]
    found = interval(values)
    low, high = scipy.stats.t.interval(0.95, 3, loc=mean(values), scale=scipy.stats.sem(values))
    assert (found.mean, found.n) == (pytest.approx(mean(values)), 4)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert interval([0.3]).low is None


def test_a_level_on_a_straight_line_is_reached_where_the_line_is() -> None:
    # 0.2 + 0.03 (epoch - 1) = 0.47 at epoch 10.
    for every in (1, 4):
        found = reach(curved("compact-at", 0, 1.0, every=every), 0.47, "epochs")
        assert found == pytest.approx(10.0)
    assert reach(curved("compact-at", 0, 1.0), 0.47, "seconds") == pytest.approx(20.0)
    assert reach(curved("compact-at", 0, 1.0), 0.81, "epochs") is None
    assert reach(curved("compact-at", 0, 1.0, every=4), 0.1, "epochs") == 4


def test_levels_lie_on_the_way_of_the_mean_curve() -> None:
    two = [curved("compact-at", 0, 1.0), curved("compact-at", 1, 1.0, top=0.6)]
    # The first evaluations are both 0.2, the mean curve ends at 0.7.
    assert levels(two) == {share: pytest.approx(0.2 + share * 0.5) for share in (0.5, 0.75, 0.9)}
    with pytest.raises(ValueError, match=r"is best, 20\.00 %, at its first evaluation"):
        levels([curved("compact-at", 0, 0.0)])
    with pytest.raises(ValueError, match="no run of AT"):
        levels([])


def test_a_reading_twice_as_fast_accelerates_and_half_as_fast_slows_down() -> None:
    plain = runs("compact-at", [1.0, 0.95, 1.05])
    at = levels(plain)
    twice = compared(runs("compact-at-ensgd", [2.0, 1.9, 2.1]), plain, at)
    assert twice is not None
    assert twice.verdict == {"epochs": "accelerates", "seconds": "accelerates"}
    for level in twice.levels:
        # Both start from epoch 1: 1 + (t - 1)/2 epochs instead of t.
        ratio = level.ratio["epochs"]
        assert ratio is not None
        assert 0.5 < ratio.mean < 0.56
        assert (level.verdict["epochs"], level.reached) == ("faster", (3, 3))
    half = compared(plain, runs("compact-at-ensgd", [2.0, 1.9, 2.1]), at)
    assert half is not None
    assert half.verdict == {"epochs": "slows down", "seconds": "slows down"}


def test_the_same_pace_at_twice_the_cost_is_slower_in_seconds_alone() -> None:
    plain = runs("compact-at", [1.0, 0.95, 1.05])
    found = compared(runs("compact-at-ensgd", [1.0, 0.95, 1.05], cost=2.0), plain, levels(plain))
    assert found is not None
    assert found.verdict == {"epochs": "undecided", "seconds": "slows down"}
    assert (found.cost.mean, found.cost.low) == (pytest.approx(2.0), pytest.approx(2.0))
    assert found.last.mean == pytest.approx(0.0)


def test_seeds_that_disagree_and_a_single_seed_decide_nothing() -> None:
    plain = runs("compact-at", [1.0, 1.0, 1.0])
    mixed = compared(runs("compact-at-ensgd", [1.8, 0.7, 1.2]), plain, levels(plain))
    assert mixed is not None
    assert set(mixed.verdict.values()) == {"undecided"}
    single = compared(runs("compact-at-ensgd", [2.0]), plain, levels(plain))
    assert single is not None
    assert single.seeds == (0,)
    assert set(single.verdict.values()) == {"undecided"}
    assert compared([curved("compact-at-ensgd", 7, 2.0)], plain, levels(plain)) is None


def test_a_reading_that_never_gets_there_is_slower_where_at_always_does() -> None:
    plain = runs("compact-at", [1.0, 1.0, 1.0])
    stuck = compared(runs("compact-at-ensgd", [1.0, 1.0, 1.0], top=0.6), plain, levels(plain))
    assert stuck is not None
    assert [level.reached[0] for level in stuck.levels] == [3, 0, 0]  # 0.5, 0.65 and 0.74
    assert [level.verdict["epochs"] for level in stuck.levels] == ["undecided", "slower", "slower"]
    assert stuck.verdict["epochs"] == "slows down"
    assert stuck.last.mean == pytest.approx(-0.2)
    # Of a level that only some runs reach nothing is said.
    some = [*runs("compact-at-ensgd", [2.0, 2.0]), curved("compact-at-ensgd", 2, 2.0, top=0.6)]
    found = compared(some, plain, levels(plain))
    assert found is not None
    assert [level.verdict["epochs"] for level in found.levels] == ["faster", "undecided", "undecided"]


def test_paired_ratios_are_averaged_geometrically() -> None:
    plain = runs("compact-at", [1.0, 1.0])
    found = compared(runs("compact-at-ensgd", [2.0, 1.25]), plain, {0.5: 0.5})
    assert found is not None
    ratio = found.levels[0].ratio["epochs"]
    # 0.3/0.03 = 10 steps of AT after epoch 1.
    logs = [math.log((1 + 10 / 2.0) / 11), math.log((1 + 10 / 1.25) / 11)]
    assert ratio is not None
    assert ratio.mean == pytest.approx(math.exp(mean(logs)))
    assert ratio.high == pytest.approx(math.exp(mean(logs) + 12.706 * stdev(logs) / math.sqrt(2)))


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["faster", "faster", "undecided"], "accelerates"),
        (["faster", "undecided", "undecided"], "undecided"),
        (["faster", "faster", "slower"], "undecided"),
        (["slower", "slower", "undecided"], "slows down"),
        (["slower", "slower", "faster"], "undecided"),
        (["undecided"] * 3, "undecided"),
    ],
)
def test_most_levels_decide_unless_one_speaks_against(verdicts: list[str], said: str) -> None:
    assert judged(verdicts) == said


def test_runs_are_compared_at_evaluations_that_all_of_them_have() -> None:
    often, seldom = curved("compact-at", 0, 1.0), curved("compact-at-ensgd", 0, 1.0, every=4)
    for record in aligned([often, seldom]):
        tested = [
            epoch
            for epoch, value in zip(record["curve"]["epoch"], record["curve"]["test_pgd20"], strict=True)
            if value
        ]
        assert tested == [4, 8, 12, 16, 20, 24, 28, 30]
    assert often["curve"]["test_pgd20"].count(None) == 0
    with pytest.raises(ValueError, match="share 1 evaluated epochs, need 2"):
        aligned([often, curved("compact-at-ensgd", 0, 1.0, every=30)])
    del seldom["curve"]
    with pytest.raises(ValueError, match="compact-at-ensgd, seed 0, has no epoch in its curve"):
        aligned([seldom])


PACES = {"at": 1.0, "at+code": 1.0, "at-ensgd+code": 2.0, "at-ensgd": 1.0, "at-2ndensgd": 0.5}


def made_up(endings: list[str]) -> list[dict]:
    return [
        curved(f"compact-{ending}", seed, PACES[ending] * (1 + seed / 50))
        for ending in endings
        for seed in range(3)
    ]


def test_the_page_says_who_accelerates_and_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, made_up(list(PACES)))
    assert main(["--no-train", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert (tmp_path / "claim_compact.md").read_text() == text.removesuffix("\n")
    assert (
        "in epochs and seconds, “AT+EnSGD, code” reproduces the sentence, “AT+2ndEnSGD, paper” contradicts it"
        in text
    )
    assert "“AT+EnSGD, paper” leaves it open" in text
    assert "**AT+EnSGD, paper, eta' decayed**: not judged, there is no run" in text
    assert "| AT+EnSGD, paper, eta' decayed | missing: no run |" in text
    found = json.loads((tmp_path / "claim_compact.json").read_text())
    code = found["comparisons"]["AT+EnSGD, code"]
    assert code["verdict"] == {"epochs": "accelerates", "seconds": "accelerates"}
    assert code["seeds"] == [0, 1, 2]
    assert found["n_test"] == 200


def test_all_readings_alike_are_said_once() -> None:
    records = {arm: runs(f"compact-{arm.ending}", [1.0, 1.0, 1.0]) for arm in ARMS}
    recipes = arms("compact", None)
    text = page(findings(recipes, records, {}, 3), "draw")
    assert "Here, in epochs and seconds, every reading leaves it open." in text
    assert "drawn by `draw`" in text


def test_a_reading_of_the_code_is_held_against_at_of_the_code() -> None:
    records = {arm: runs(f"compact-{arm.ending}", [1.0, 1.0, 1.0]) for arm in ARMS}
    text = page(findings(arms("compact", None), records, {}, 3), "draw")
    against = {line.split("**")[1]: line for line in text.splitlines() if line.startswith("- **")}
    for label, other in {"AT+EnSGD, code": "AT, code", "AT+EnSGD, paper": "AT"}.items():
        assert f"times the seconds of “{other}”. Against “{other}” it is" in against[label]
        assert f"times the epochs and 1.00 (1.00 to 1.00) times the seconds of “{other}”." in against[label]
    records[next(arm for arm in ARMS if arm.ending == "at-ensgd+code")] = []
    missing = page(findings(arms("compact", None), records, {}, 3), "draw")
    assert "**AT+EnSGD, code**: not judged, there is no run with a seed that “AT, code” has." in missing


def test_where_the_at_of_its_own_reading_was_not_run_a_reading_is_held_against_the_papers() -> None:
    records = {arm: runs(f"compact-{arm.ending}", [1.0, 1.0, 1.0]) for arm in ARMS}
    records[next(arm for arm in ARMS if arm.ending == "at+code")] = []
    result = findings(arms("compact", None), records, {}, 3)
    assert result["comparisons"]["AT+EnSGD, code"]["against"] == "AT"
    assert result["comparisons"]["AT+EnSGD, code"]["seeds"] == (0, 1, 2)


def test_seconds_of_two_machines_are_left_open_and_the_page_says_why() -> None:
    records = {arm: runs(f"compact-{arm.ending}", [1.0, 0.95, 1.05]) for arm in ARMS}
    quick = next(arm for arm in ARMS if arm.ending == "at-ensgd")
    records[quick] = runs("compact-at-ensgd", [2.0, 1.9, 2.1])
    same = findings(arms("compact", None), records, {}, 3)
    assert same["comparisons"][quick.label]["verdict"]["seconds"] == "accelerates"
    assert "two machines" not in page(same, "draw")
    records[quick][2]["hardware"]["cpu"] = "Other CPU"
    result = findings(arms("compact", None), records, {}, 3)
    found = result["comparisons"][quick.label]
    assert found["verdict"] == {"epochs": "accelerates", "seconds": "undecided"}
    assert {level["verdict"]["seconds"] for level in found["levels"]} == {"undecided"}
    text = page(result, "draw")
    assert "the runs were made on Other CPU (2 threads) and Some CPU (2 threads), and seconds on two" in text
    assert "in epochs it reproduces the sentence, in seconds it leaves it open" in text
    # The others were all made on one.
    assert text.count("two machines") == 1


def test_the_page_names_the_command_of_its_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, made_up(list(PACES)))
    assert main(["--no-train", "--out", str(tmp_path)]) == 0
    command = capsys.readouterr().out.rpartition("is drawn by `")[2].partition("`")[0]
    options = _parser().parse_args(shlex.split(command)[3:])
    assert options.only == ("figure3",)
    assert options.runs == tuple(one.name for one in arms("compact", None).values())
    assert (Path(options.records), Path(options.out)) == (tmp_path, tmp_path / "claim_figure")


def test_other_data_devices_and_seeds_do_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = made_up(list(PACES))
    strangers = made_up(["at-ensgd"])
    changes: list[dict[str, object]] = [{"device": "cuda"}, {"data": "other digits"}, {"seed": 9}]
    for one, change in zip(strangers, changes, strict=True):
        one.update(change)
        one["curve"]["test_pgd20"] = [0.99] * EPOCHS
    write(tmp_path, records + strangers)
    assert main(["--no-train", "--out", str(tmp_path)]) == 0
    assert "99.00" not in capsys.readouterr().out


def test_records_of_another_engine_than_that_of_at_do_not_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = made_up(list(PACES))
    for one in records:
        if one["recipe"]["name"] == "compact-at-ensgd":
            one["versions"]["engine"] = "reference"
    # A later record of the other engine does not hide the one that counts.
    other = curved("compact-at-2ndensgd", 0, 9.0)
    other["versions"]["engine"] = "reference"
    write(tmp_path, [*records, other])
    assert main(["--no-train", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "4 records of engine reference do not count, AT's first is of fast" in said.err
    assert "| AT+EnSGD, paper | missing: no run |" in said.out
    found = json.loads((tmp_path / "claim_compact.json").read_text())
    assert found["comparisons"]["AT+2ndEnSGD, paper"]["seeds"] == [0, 1, 2]


def test_records_evaluated_otherwise_than_at_do_not_count(tmp_path: Path) -> None:
    for change, value in (("evaluated_every", 2), ("n_test", 400)):
        records = made_up(list(PACES))
        for one in records:
            if one["recipe"]["name"] == "compact-at-ensgd":
                holders = [one] if change == "evaluated_every" else filter(None, one["selection"].values())
                for holder in holders:
                    holder[change] = value
        write(tmp_path, records)
        assert main(["--no-train", "--out", str(tmp_path)]) == 0
        found = json.loads((tmp_path / "claim_compact.json").read_text())
        assert found["comparisons"]["AT+EnSGD, paper"] is None
        assert found["comparisons"]["AT+2ndEnSGD, paper"] is not None


def test_arms_are_the_readings_of_the_issue_over_so_many_epochs() -> None:
    names = [one.name for one in arms("cifar10-rn18", None).values()]
    assert names == [
        "cifar10-rn18-at-e15",
        "cifar10-rn18-at-e15+code",
        "cifar10-rn18-at-ensgd-e15+code",
        "cifar10-rn18-at-ensgd-e15",
        "cifar10-rn18-at-ensgd-e15+eta-inner-decays",
        "cifar10-rn18-at-2ndensgd-e15",
    ]
    assert next(one.name for one in arms("compact", None).values()) == "compact-at"
    # eta' can only decay where the learning rate drops on the way.
    assert all(one.drops[-1] < one.epochs for one in arms("cifar10-rn18", None).values())


def test_bad_input_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stem", "mnist", "--no-train", "--out", str(tmp_path)]) == 2
    assert "stem = 'mnist': recipe 'mnist-at' is unknown" in capsys.readouterr().err
    assert main(["--stem", "compact", "--epochs", "3", "--no-train", "--out", str(tmp_path)]) == 2
    assert "would come after 2, 2: ask for more epochs" in capsys.readouterr().err
    assert main(["--no-train", "--out", str(tmp_path)]) == 2
    assert "there is no run of AT" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    with pytest.raises(SystemExit) as left:
        main(["--seeds", "0"])
    assert left.value.code == 2


def test_the_command_makes_missing_runs_once_and_says_which_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.runs import workers

    honest = workers.run_jobs

    def run_jobs(jobs, number, report):  # type: ignore[no-untyped-def]
        if jobs[0].recipe.preset == "code":
            raise TrainingFailed(f"{jobs[0].name}: the loss became nan")
        honest(jobs, number, report)

    two = tuple(arm for arm in ARMS if arm.ending in ("at", "at-ensgd", "at-ensgd+code"))
    two = tuple(replace(arm, against="at") if arm.against else arm for arm in two)
    monkeypatch.setattr(claim, "ARMS", two)
    monkeypatch.setattr(workers, "run_jobs", run_jobs)
    arguments = ["--seeds", "1", "--epochs", "4", "--evaluate-every", "1", "--test-examples", "20"]
    arguments += ["--out", str(tmp_path)]
    assert main(arguments) == 1
    text = capsys.readouterr().out
    assert "missing: compact-at-ensgd-e4+code, seed 0: the loss became nan" in text
    records = read(tmp_path / "records.jsonl")
    assert [one["recipe"]["name"] for one in records] == ["compact-at-e4", "compact-at-ensgd-e4"]
    assert [one["recipe"]["drops"] for one in records] == [[2, 3]] * 2
    assert main(arguments) == 1
    assert len(read(tmp_path / "records.jsonl")) == 2
    assert AT in two
    assert recipe("compact-at-e4").cells == ()
