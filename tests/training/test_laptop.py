"""The laptop table: its recipes against those of the paper's cells, its net, its part of the images, its table.

Second sources: the published recipes field by field, a forward written with functions alone, counts by class, and
digests that were recorded before recipes knew a number of training images.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from run_records import run_record

from training.cells.published import PUBLISHED
from training.cells.recipes import LAPTOP_EVERY, LAPTOP_RECIPES, RECIPES, recipe
from training.data import Dataset, load
from training.models import build
from training.results.records import read
from training.results.tables import render
from training.run import main
from training.runs import job
from training.runs.job import SPLIT_SEED

FLOAT = 1e-5  # relative, of float32 sums over hundreds of terms taken in another order
DATA = os.environ.get("SMOOTHNESS_AT_CIFAR10")  # the folder or archive of CIFAR-10's files
# All in which a recipe of the table differs from the paper's cell of the same method.
SMALLER = {
    *("name", "cells", "model", "epochs", "batch", "drops"),
    *("train_examples", "validation", "test_examples"),
}


def test_the_laptop_recipes_are_the_methods_of_table_3_at_the_papers_hyperparameters() -> None:
    assert {one.name for one in LAPTOP_RECIPES} == {f"laptop-{end}" for _, end in PUBLISHED["3"].columns}
    for one in LAPTOP_RECIPES:
        paper = asdict(RECIPES[f"cifar10-rn18-{one.name.removeprefix('laptop-')}"])
        differing = {name for name, value in asdict(one).items() if value != paper[name]}
        assert differing == SMALLER
        assert one.drops == (one.epochs // 2, 3 * one.epochs // 4)
        assert not one.epochs % LAPTOP_EVERY
        assert all(not drop % LAPTOP_EVERY for drop in one.drops)
        assert one.test_examples == 2000


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("compact-at", "4e0aba45f41dd99d"),
        ("cifar10-wrn-trades-awp-ensgd-tuned", "8e43e0d9697dc771"),
    ],
)
def test_recipes_that_train_on_everything_keep_the_digests_they_had(name: str, digest: str) -> None:
    assert recipe(name).digest == digest


def test_the_strided_net_computes_its_formula() -> None:
    torch.manual_seed(0)
    net = build("strided", 10, 3, (0.5,) * 3, (0.25,) * 3).eval()
    for name, value in net.state_dict().items():
        if "running_var" in name or ("norm" in name and "weight" in name):
            value.uniform_(0.5, 1.5)
        elif "running_mean" in name or ("norm" in name and "bias" in name):
            value.normal_(std=0.3)
    w = {name.removeprefix("net."): value for name, value in net.state_dict().items()}

    def active(x: torch.Tensor, layer: str) -> torch.Tensor:
        shape = (1, -1, 1, 1)[: x.ndim]
        mean, var, gain, bias = (
            w[f"{layer}.{part}"].view(shape) for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (gain * (x - mean) / (var + 1e-5).sqrt() + bias).clamp(min=0)

    x = torch.rand(3, 3, 32, 32)
    h = active(F.conv2d(4 * x - 2, w["conv1.weight"], stride=2, padding=1), "norm1")
    h = active(F.conv2d(h, w["conv2.weight"], stride=2, padding=1), "norm2")
    h = active(h.reshape(3, -1) @ w["hidden.weight"].T, "norm3")
    expected = h @ w["linear.weight"].T + w["linear.bias"]
    with torch.no_grad():
        found = net(x)
    assert found.shape == (3, 10)
    assert (found - expected).abs().max() < FLOAT * expected.abs().max() * 10


def test_a_part_of_the_training_images_is_the_same_every_time_and_holds_every_class_in_proportion() -> None:
    whole, part = load("digits", validation=100, seed=3), load("digits", validation=100, train=300, seed=3)
    again = load("digits", validation=100, train=300, seed=3)
    assert torch.equal(part.train_images, again.train_images)
    assert not torch.equal(part.train_images, load("digits", validation=100, train=300, seed=4).train_images)
    assert torch.equal(part.validation_images, whole.validation_images)
    assert torch.equal(part.test_images, whole.test_images)
    assert len(part.train_images) == len(part.train_labels) == 300
    everyone = {
        image.numpy().tobytes(): int(label)
        for image, label in zip(whole.train_images, whole.train_labels, strict=True)
    }
    for image, label in zip(part.train_images, part.train_labels, strict=True):
        assert everyone[image.numpy().tobytes()] == int(label)
    shares = np.bincount(whole.train_labels.numpy()) * 300 / len(whole.train_labels)
    assert np.abs(np.bincount(part.train_labels.numpy()) - shares).max() < 1


def test_all_of_them_is_all_and_more_or_none_are_refused() -> None:
    whole = load("digits", validation=100)
    n = len(whole.train_images)
    assert torch.equal(load("digits", validation=100, train=n).train_images, whole.train_images)
    for number in (0, n + 1):
        with pytest.raises(ValueError, match=f"train={number}: keep 1 to {n} training images"):
            load("digits", validation=100, train=number)


def noise(train: int, held: int, test: int) -> Dataset:
    """Random images of the size of CIFAR-10's."""
    generator = torch.Generator().manual_seed(0)
    parts = {}
    for split, number in (("train", train), ("validation", held), ("test", test)):
        size = (number, 3, 32, 32)
        parts[f"{split}_images"] = torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)
        parts[f"{split}_labels"] = torch.arange(number) % 10
    names = tuple("abcdefghij")
    return Dataset(name="cifar10", label="noise", source="drawn", classes=names, levels=255, **parts)


def test_a_run_of_the_table_sees_its_part_of_the_images_and_is_evaluated_as_the_table_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, object] = {}

    def loaded(name: str, folder: Path, **how: object) -> Dataset:
        asked.update(how, name=name)
        return noise(40, 20, 30)

    monkeypatch.setattr(job, "load", loaded)
    job._loaded.cache_clear()
    try:
        arguments = [
            "--recipe",
            "laptop-at",
            "--epochs",
            "1",
            "--test-examples",
            "30",
            "--out",
            str(tmp_path),
        ]
        assert main([*arguments, "--data-dir", str(tmp_path), "--autoattack", "none"]) == 0
    finally:
        job._loaded.cache_clear()
    known = recipe("laptop-at")
    assert (asked["name"], asked["train"], asked["validation"]) == ("cifar10", 1000, 500)
    assert asked["seed"] == SPLIT_SEED
    (record,) = read(tmp_path / "records.jsonl")
    assert (record["digest"], record["evaluated_every"], record["threads"]) == (known.digest, LAPTOP_EVERY, 1)
    assert record["selection"]["validation"]["selected_on"] == "validation"
    capsys.readouterr()


def test_the_laptop_table_names_its_data_its_part_of_the_images_and_every_checkpoint() -> None:
    records = [
        run_record(
            "laptop-awp", seed, 500 + 20 * seed, auto=36, n=2000, data="CIFAR-10 (JPEG copy)", device="cpu"
        )
        for seed in (0, 1)
    ]
    text = render("laptop", records)
    assert text.startswith("### Laptop table. The methods of Table 3 on a part of CIFAR-10, small net")
    for words in (
        "epsilon 8/255 on pixels in [0, 1]",
        "Trained on 1,000 images, the same ones for every seed.",
        "500 training images held out",
        "Data: CIFAR-10 (JPEG copy).",
        "PGD-20: 20 steps of 2/255, linf, epsilon 8/255, 2,000 test images, attack seed 0.",
    ):
        assert words in text
    lines = [line for line in text.splitlines() if line.startswith("| AWP  ")]
    # (500 + 520) / 2 of 2,000 are 25.5 %, their deviation 20 / sqrt(2) of 2,000.
    assert "25.50 ± 0.71" in lines[0]
    assert "2 (0, 1)" in lines[0]
    assert [line.split("|")[2].strip() for line in lines] == [
        *("best on test (selected on test)", "best on validation", "last epoch"),
    ]
    missing = [line for line in text.splitlines() if line.startswith(("| AWP+EnSGD  ", "| AWP+EnSGD (code)"))]
    assert [line.count("missing") for line in missing] == [3, 3]  # Algorithm 1 and the code


def test_the_table_without_its_data_is_one_clear_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--table", "laptop", "--out", str(tmp_path)]) == 2
    assert "laptop-at trains on cifar10: give --data-dir" in capsys.readouterr().err


@pytest.mark.skipif(DATA is None, reason="SMOOTHNESS_AT_CIFAR10 does not name the files of CIFAR-10")
def test_on_the_real_images_the_part_holds_a_hundred_of_each_class() -> None:
    assert DATA is not None
    found = load("cifar10", DATA, validation=500, train=1000, seed=SPLIT_SEED)
    assert torch.bincount(found.train_labels).tolist() == [100] * 10
    assert torch.bincount(found.validation_labels).tolist() == [50] * 10
    assert found.label.startswith("CIFAR-10")
