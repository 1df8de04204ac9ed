"""The comparison with the public log of AWP's authors, on made-up records inside and outside what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from curve_records import write
from run_records import run_record

from training.studies.golden_curve import PUBLIC, compared, main

NAME = "cifar10-rn18-at+code"
# Typed in a second time: test PGD-20 accuracy after epochs 1, 2, 5, 10.
LOG = {1: 0.2595, 2: 0.3061, 5: 0.3549, 10: 0.4051}


def logged(
    shift: dict[int, float], *, name: str = NAME, epochs: int = 10, seed: int = 0, n: int = 10_000
) -> dict[str, Any]:
    """A record with the public accuracies moved by so many points, and 0.01 at every other epoch."""
    record = run_record(name, seed, 4051 * n // 10_000, n=n, data="CIFAR-10 (JPEG copy)", epochs=epochs)
    numbers = list(range(1, epochs + 1))
    record["curve"] = {
        "epoch": numbers,
        "test_pgd20": [LOG[one] + shift.get(one, 0.0) / 100 if one in LOG else 0.01 for one in numbers],
    }
    return record


def status(folder: Path, records: list[dict[str, Any]], *more: str) -> int:
    write(folder, records)
    return main(["--records", str(folder), *more])


def test_the_public_log_is_that_of_the_issue() -> None:
    assert {epoch: value / 100 for epoch, value in PUBLIC.items()} == pytest.approx(LOG)


@pytest.mark.parametrize("shift", [{}, {1: 2.4}, {2: -2.4, 10: 2.4}])
def test_a_run_within_two_and_a_half_points_agrees(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shift: dict[int, float]
) -> None:
    assert status(tmp_path, [logged(shift)]) == 0
    text = capsys.readouterr().out
    assert "agrees within 2.5 points" in text
    for epoch, moved in shift.items():
        assert any(line.split()[:1] == [str(epoch)] and f"{moved:+.2f}" in line for line in text.splitlines())


@pytest.mark.parametrize("epoch", [1, 2, 5, 10])
def test_one_epoch_too_far_away_is_enough_to_disagree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], epoch: int
) -> None:
    assert status(tmp_path, [logged({epoch: -2.6})]) == 1
    assert f"does not agree: more than 2.5 points away after epoch {epoch} (-2.60)" in capsys.readouterr().out


def test_epochs_without_evaluation_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = logged({})
    record["curve"]["test_pgd20"][4] = None
    assert compared(record).missing == (5,)
    assert status(tmp_path, [record]) == 1
    assert "not evaluated after epoch 5" in capsys.readouterr().out
    assert status(tmp_path, [logged({}, epochs=5)]) == 1
    assert "not evaluated after epoch 10" in capsys.readouterr().out


def test_a_part_of_the_test_images_is_not_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(tmp_path, [logged({}, n=1000)]) == 1
    assert "1,000 test images, the log has all 10,000" in capsys.readouterr().out


def test_every_seed_has_to_agree(tmp_path: Path) -> None:
    assert status(tmp_path, [logged({}), logged({1: 1.0}, seed=1)]) == 0
    assert status(tmp_path, [logged({}), logged({1: 3.0}, seed=1)]) == 1


def test_no_run_is_said_with_the_command_that_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--records", str(tmp_path)]) == 1
    assert "--recipe cifar10-rn18-at+code --epochs 10" in capsys.readouterr().out
    # The paper's own reading has another batch-norm policy, and is not the default.
    assert status(tmp_path, [logged({}, name="cifar10-rn18-at")]) == 1
    assert status(tmp_path, [logged({}, name="cifar10-rn18-at")], "--recipe", "cifar10-rn18-at") == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cifar10-rn18-awp+code", "differs from the public log's in method"),
        ("cifar10-rn18-at-e20+code", "differs from the public log's in drops"),
        ("cifar10-rn18-at-val", "differs from the public log's in validation"),
        ("cifar10-rn18-att", "is unknown"),
    ],
)
def test_a_recipe_of_another_experiment_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    assert main(["--records", str(tmp_path), "--recipe", name]) == 2
    assert words in capsys.readouterr().err


def test_a_record_without_a_curve_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = logged({})
    del record["curve"]
    assert status(tmp_path, [record]) == 2
    assert "has no test accuracies in its curve" in capsys.readouterr().err
