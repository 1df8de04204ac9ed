"""Averages over seeds and differences in standard errors by hand, and everything that must not be averaged."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from run_records import run_record
from table_records import AT, auto_runs

from training.cells.published import Number
from training.results.averages import Average, average, difference
from training.results.tables import render


def test_the_mean_and_deviation_of_48_49_50_are_49_and_1() -> None:
    found = average(auto_runs(), "best_test", "autoattack")
    assert found is not None
    assert (found.mean, found.std) == pytest.approx((49, 1))
    assert found.seeds == (0, 1, 2)


def test_means_and_deviations_agree_with_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    right = (4801, 4977, 5003, 4642)
    found = average(auto_runs(right=right), "best_test", "autoattack")
    assert found is not None
    assert found.mean == pytest.approx(numpy.mean(right) / 100, rel=1e-12)
    assert found.std == pytest.approx(numpy.std(right, ddof=1) / 100, rel=1e-12)


def test_the_difference_in_standard_errors_by_hand() -> None:
    """Ours 49 ± 1 from 3 seeds against 48.0 ± 0.2 from 3: 1 / sqrt(1/3 + 0.04/3) = 1 / sqrt(1.04/3)."""
    ours = Average(49.0, 1.0, (0, 1, 2), "autoattack")
    assert difference(ours, Number("48.0±0.2")) == pytest.approx(math.sqrt(3 / 1.04))
    assert difference(ours, Number("50.0±0.2")) == pytest.approx(-math.sqrt(3 / 1.04))
    more = Average(49.0, 1.0, tuple(range(12)), "autoattack")
    assert difference(more, Number("48.0±0.2")) == pytest.approx(1 / math.sqrt(1 / 12 + 0.04 / 3))
    narrow = Average(49.0, 0.3, (0, 1), "autoattack")
    assert difference(narrow, Number("48.0±0.2")) == pytest.approx(1 / math.sqrt(0.045 + 0.04 / 3))


def test_one_seed_or_no_spread_has_no_difference() -> None:
    single = average(auto_runs(right=(4900,)), "best_test", "autoattack")
    assert single == Average(49.0, None, (0,), "autoattack")
    assert difference(single, Number("48.0±0.2")) is None
    assert difference(Average(49.0, 0.0, (0, 1), "pgd20"), Number("48.0±0.0")) is None


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            run_record("cifar10-rn18-at", 3, 2550, auto=2450, n=5000),
            "n_test is 10000 for seed 0 and 5000 for seed 3",
        ),
        (
            run_record("cifar10-rn18-at-ensgd", 3, 5100, auto=4900),
            "digest is .* for seed 0 and .* for seed 3",
        ),
        (
            run_record(replace(AT, lr=0.2), 3, 5100, auto=4900),
            "digest is .* of cifar10-rn18-at: such records cannot be averaged",
        ),
        (
            run_record("cifar10-rn18-at", 3, 5100, auto=4900, data="CIFAR-10 (JPEG copy)"),
            "data is CIFAR-10 for",
        ),
        (
            run_record("cifar10-rn18-at", 3, 5100, auto=4900, epochs=100),
            "epochs_run is 200 for seed 0 and 100",
        ),
        (run_record("cifar10-rn18-at", 2, 5100, auto=4900), "seeds 0, 1, 2, 2: a seed occurs twice"),
    ],
)
def test_records_that_differ_are_never_averaged(other: dict[str, Any], message: str) -> None:
    assert average([*auto_runs(), run_record("cifar10-rn18-at", 3, 5100, auto=4900)], "last", "pgd20")
    with pytest.raises(ValueError, match=message):
        average([*auto_runs(), other], "best_test", "autoattack")


@pytest.mark.parametrize(
    ("attack", "setting", "value"),
    [
        ("autoattack", "n", 1000),
        ("autoattack", "version", "pyautoattack 0.1.0"),
        ("autoattack", "epsilon", 0.031),
        ("autoattack", "norm", "l2"),
        ("pgd20", "steps", 10),
        ("pgd20", "step_size", 0.003),
    ],
)
def test_attacks_with_different_settings_are_never_averaged(attack: str, setting: str, value: object) -> None:
    records = auto_runs()
    records[1]["selection"]["best_test"]["attacks"][attack][setting] = value
    with pytest.raises(ValueError, match=rf"attacks\.{attack} is .* such records cannot be averaged"):
        average(records, "best_test", attack)
    other = "clean" if attack == "pgd20" else "pgd20"
    assert average(records, "best_test", other)


def test_attacks_started_from_different_seeds_are_averaged_and_every_seed_is_said() -> None:
    records = auto_runs()
    for number, record in enumerate(records):
        record["selection"]["best_test"]["attacks"]["autoattack"]["seed"] = 10 + number
    assert average(records, "best_test", "autoattack")
    assert (
        "AutoAttack (pyautoattack 0.2.0): linf, epsilon 8/255, 10,000 test images, attack seed 10, 11, 12."
        in (render("1", records))
    )


def test_nothing_to_average_is_said() -> None:
    with pytest.raises(ValueError, match="records is empty"):
        average([], "last", "clean")
    assert average(auto_runs(), "last", "autoattack") is None
    assert average(auto_runs(), "validation", "pgd20") is None
