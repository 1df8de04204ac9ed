"""Engines compared by what they train (training/studies/engine_accuracy.py): on the same seeds and images, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from curve_records import write
from run_records import run_record

from training.studies import engine_accuracy


def engine_record(engine: str, seed: int, right: int, *, n: int = 1000) -> dict[str, Any]:
    """A run of 5 epochs whose last checkpoint gets `right` of n under PGD."""
    record = run_record("cifar10-rn18-at", seed, right + 10, n=n, epochs=5)
    record["versions"]["engine"] = engine
    return record


def compared(folder: Path, fast: list[dict[str, Any]], reference: list[dict[str, Any]], *more: str) -> int:
    write(folder / "fast", fast)
    write(folder / "reference", reference)
    arguments = ["--fast", str(folder / "fast"), "--reference", str(folder / "reference")]
    return engine_accuracy.main([*arguments, "--recipe", "cifar10-rn18-at", *more])


@pytest.mark.parametrize(("right", "status", "words"), [(414, 0, "+1.40 points"), (384, 1, "-1.60 points")])
def test_engines_agree_within_one_and_a_half_points_of_the_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], right: int, status: int, words: str
) -> None:
    # The seeds differ by far more than the means.
    fast = [engine_record("fast", seed, right + spread) for seed, spread in enumerate((-100, 100, 0))]
    reference = [engine_record("reference", seed, 400 + spread) for seed, spread in enumerate((100, -100, 0))]
    assert compared(tmp_path, fast, reference) == status
    assert words in capsys.readouterr().out


def test_engines_are_compared_on_the_same_seeds_and_images_and_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fast = [engine_record("fast", seed, 400) for seed in range(3)]
    reference = [engine_record("reference", seed, 400) for seed in range(3)]
    for one, other, message in (
        (fast[:2], reference, "over 5 epochs lacks seed 2: run it with --epochs 5"),
        (fast, fast, "records of engine reference are needed, these are of fast"),
        (
            fast,
            [engine_record("reference", seed, 400, n=2000) for seed in range(3)],
            "on 1000, 2000 test images",
        ),
        (fast, [{**record, "epochs_run": 4} for record in reference], "epoch"),
        (
            fast,
            [{**record, "data": "CIFAR-10 (JPEG copy)"} for record in reference],
            "data is CIFAR-10 and CIFAR-10 (JPEG",
        ),
        (fast, [{**record, "device": "cpu"} for record in reference], "device is cpu and cuda"),
    ):
        assert compared(tmp_path, one, other) == 2
        assert message in capsys.readouterr().err
    assert compared(tmp_path, fast, reference) == 0
    # Later records of another device take the place of the first ones, unless it is chosen.
    slow = [{**engine_record("fast", seed, 800), "device": "cpu"} for seed in range(3)]
    assert compared(tmp_path, [*fast, *slow], reference) == 2
    assert compared(tmp_path, [*fast, *slow], reference, "--device", "cuda") == 0
