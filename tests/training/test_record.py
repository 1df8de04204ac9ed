"""What a record must hold (training/results/record.py): whatever lacks or contradicts something is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from record_tools import AT, COMPACT, changed
from run_records import run_record

from training.results.records import validate

PATHS = [
    *("recipe", "digest", "seed", "device", "data", "selection", "epochs_run", "shortened", "commit"),
    *("versions", "hardware", "seconds", "threads", "selection.last.epoch", "selection.last.clean"),
    *("selection.best_test.pgd20", "selection.best_test.autoattack", "selection.last.n_test"),
    *("selection.last.attacks", "selection.last.attacks.pgd20.seed", "selection.last.attacks.pgd20.norm"),
    *("selection.last.attacks.pgd20.epsilon", "selection.best_test.attacks.pgd20.step_size"),
    *("selection.best_test.attacks.pgd20.steps", "selection.best_test.attacks.autoattack.n"),
    *("selection.best_test.attacks.autoattack.seed", "selection.best_test.attacks.autoattack.version"),
    *("selection.best_test.attacks.autoattack.epsilon", "selection.best_test.attacks.autoattack.norm"),
]


@pytest.mark.parametrize("path", PATHS)
def test_a_record_that_lacks_a_field_or_has_another_type_there_is_refused(path: str) -> None:
    validate(AT)
    with pytest.raises(ValueError, match=f"{path} is missing, need"):
        validate(changed(path, ...))
    with pytest.raises(ValueError, match=rf"{path} = \(\), need"):
        validate(changed(path, ()))
    if path != "shortened":
        with pytest.raises(ValueError, match=f"{path} = True, need"):
            validate(changed(path, True))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("selection.last.pgd20", math.nan, "selection.last.pgd20 = nan, need a finite number"),
        ("seconds", math.inf, "seconds = inf, need a finite number"),
        ("versions", {"a": [1.0, -math.inf]}, r"versions.a\[1\] = -inf, need a finite number"),
        (
            "selection.last.pgd20",
            51.0,
            r"selection.last.pgd20 = 51.0, need a fraction in \[0, 1\], not percent",
        ),
        ("selection.last.clean", 1.0001, r"selection.last.clean = 1.0001, need a fraction in \[0, 1\]"),
        (
            "selection.best_test.attacks.autoattack.n",
            0,
            "autoattack = 0.48 is no number of right answers out of n = 0",
        ),
        ("selection.last.clean", -0.1, r"selection.last.clean = -0.1, need a fraction in \[0, 1\]"),
        ("selection.last.clean", 0.80005, "clean = 0.80005 is no number of right answers out of n = 10000"),
        ("selection.best_test.autoattack", 0.48005, "autoattack = 0.48005 is no number of right answers"),
        ("seed", -1, "seed = -1, need at least 0"),
        ("threads", 0, "threads = 0, need at least 1"),
        ("seconds", 0, "seconds = 0, need a positive number"),
        ("selection.last.n_test", 0, "selection.last.n_test = 0, need at least 1"),
        ("selection.best_test.epoch", -1, "selection.best_test.epoch = -1, need at least 0"),
        ("digest", "0" * 16, "digest = '0000000000000000', but that of the recipe beside it is"),
        ("recipe.epsilon", 0.03, "digest = .*, but that of the recipe beside it is"),
        ("shortened", True, "shortened = True, but 200 of 200 epochs were run"),
        ("epochs_run", 199, "shortened = False, but 199 of 200 epochs were run"),
        ("epochs_run", 201, "epochs_run = 201, need at most the recipe's 200"),
        ("epochs_run", 0, "epochs_run = 0, need at least 1"),
        ("selection.last.epoch", 199, "selection.last.epoch = 199, but epochs_run = 200"),
        ("selection.best_test.epoch", 201, "selection.best_test.epoch = 201, but epochs_run = 200"),
        ("selection.best_test.selected_on", ..., "selection.best_test.selected_on = None, need 'test'"),
        ("selection.best_test.selected_on", "validation", "selected_on = 'validation', need 'test'"),
        ("selection.last.selected_on", "test", "selection.last.selected_on = 'test', need None"),
        ("selection.best_test", None, "selection.best_test is a NoneType, need an object"),
        (
            "selection.best_test",
            ...,
            r"selection holds \['last', 'validation'\], need last, best_test and val",
        ),
        (
            "selection.validation",
            AT["selection"]["best_test"],
            "selection.validation needs to be null exactly",
        ),
        ("selection.last.attacks.autoattack", ..., r"attacks holds \['pgd20'\], need pgd20 and autoattack"),
        (
            "selection.best_test.autoattack",
            None,
            "autoattack and attacks.autoattack need to be null together",
        ),
        ("selection.last.autoattack", 0.5, "autoattack and attacks.autoattack need to be null together"),
        ("selection.last.attacks.pgd20", None, "selection.last.attacks.pgd20 is a NoneType, need an object"),
        ("selection.last.attacks.pgd20.steps", 10, "pgd20.steps = 10, but the recipe says 20"),
        ("selection.last.attacks.pgd20.norm", "l2", "pgd20.norm = 'l2', but the recipe says 'linf'"),
        (
            "selection.last.attacks.pgd20.epsilon",
            0.031,
            "pgd20.epsilon = 0.031, but the recipe says 0.0313725",
        ),
        ("selection.last.attacks.pgd20.step_size", 0.003, "pgd20.step_size = 0.003, but the recipe says"),
        (
            "selection.best_test.attacks.autoattack.epsilon",
            0.031,
            "autoattack.epsilon = 0.031, but the recipe says",
        ),
        ("curve", [1], "curve is a list, need an object"),
        ("curve", {"seconds": [1.0]}, "curve holds lists of lengths .* epoch among them"),
        ("curve", {"epoch": [1, 2], "seconds": [1.0]}, "curve holds lists of lengths .*, need equally long"),
        ("curve", {"epoch": [1], "seconds": 1.0}, "curve holds lists of lengths .*, need equally long"),
        ("curve", {"epoch": [1, 1]}, "curve.epoch needs to increase"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate(changed(path, value))


def test_checkpoints_on_different_numbers_of_test_images_are_refused() -> None:
    other = changed("selection.last.n_test", 5000)
    with pytest.raises(ValueError, match=r"selection mixes n_test \[5000, 10000\]"):
        validate(other)


def test_a_recipe_that_holds_images_out_needs_a_validation_checkpoint() -> None:
    validate(COMPACT)
    with pytest.raises(ValueError, match=r"selection\.validation needs to be null exactly where"):
        validate(changed("selection.validation", None, COMPACT))


def test_none_right_and_all_right_are_accuracies() -> None:
    for value in (0.0, 1.0, 0, 1):
        validate(changed("selection.last.pgd20", value))


@pytest.mark.parametrize("record", [None, [AT], "AT", 1.0])
def test_what_is_no_object_is_no_record(record: Any) -> None:
    with pytest.raises(ValueError, match=r"^record is a \w+, need an object$"):
        validate(record)


@pytest.mark.parametrize("n", [200, 2000, 10_000, 26_032])
def test_an_accuracy_in_single_precision_passes_and_half_an_example_does_not(n: int) -> None:
    numpy = pytest.importorskip("numpy")
    for right in (1, n // 3, n - 1):
        single = float(numpy.float32(right) / numpy.float32(n))
        validate(changed("selection.last.clean", single, run_record("cifar10-rn18-at", 0, n // 2, n=n)))
        with pytest.raises(ValueError, match="is no number of right answers"):
            validate(
                changed(
                    "selection.last.clean", single + 0.5 / n, run_record("cifar10-rn18-at", 0, n // 2, n=n)
                )
            )
