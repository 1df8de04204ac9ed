"""When class folders are called a copy of CIFAR-10 (training/data/class_folders.py), and when they are not.

The JPEG copy of CIFAR-10 is read where SMOOTHNESS_AT_CIFAR10 names the folder (or the archive) that holds it.
"""

from __future__ import annotations

import io
import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from folder_pictures import Picture, files_of, pictures, put
from PIL import Image

from training.data import DataError, load
from training.data.catalogue import CATALOGUE, CIFAR10_CLASSES

pytestmark = pytest.mark.usefixtures("cache")

REAL = os.environ.get("SMOOTHNESS_AT_CIFAR10")


def small_cifar10(monkeypatch, suffix: str = ".jpg", **changes: Any) -> list[Picture]:
    """Two training images and one test image a class, called the published ones by count, mean and deviation."""
    chosen = pictures(CIFAR10_CLASSES, train=2, test=1, shape=(32, 32, 3), suffix=suffix)
    files = files_of(chosen)
    pixels = np.stack(
        [np.asarray(Image.open(io.BytesIO(files[name]))) for name, _ in chosen if "train" in name]
    )
    known: dict[str, Any] = {
        "train": 20,
        "test": 10,
        "mean": tuple(pixels.mean((0, 1, 2)) / 255 + 0.004),
        "std": tuple(pixels.std((0, 1, 2)) / 255 - 0.004),
    }
    monkeypatch.setitem(CATALOGUE, "cifar10", replace(CATALOGUE["cifar10"], **(known | changes)))
    return chosen


@pytest.mark.parametrize(
    ("place", "suffix", "kind"),
    [("cifar10-small.tar.xz", ".jpg", "JPEG"), ("CIFAR-10.zip", ".png", "PNG"), ("cifar10", ".bmp", "BMP")],
)
def test_class_folders_that_pass_for_cifar10_are_called_a_copy(monkeypatch, tmp_path, place, suffix, kind):
    chosen = small_cifar10(monkeypatch, suffix)
    path = put(tmp_path / place, files_of(chosen))
    for name, where in (("cifar10", tmp_path), ("cifar10", path), ("images", path)):
        data = load(name, where)
        assert data.label == f"CIFAR-10 ({kind} copy)"
        assert data.classes == CIFAR10_CLASSES
        assert data.test_labels.bincount().tolist() == [1] * 10


def test_the_kind_of_copy_is_what_the_files_are_and_not_how_they_are_called(monkeypatch, tmp_path):
    chosen = small_cifar10(monkeypatch, ".png")
    files = {name.replace(".png", ".jpg"): content for name, content in files_of(chosen).items()}
    assert load("cifar10", put(tmp_path / "cifar10.zip", files)).label == "CIFAR-10 (PNG copy)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": 30}, r"20 training images with 20 labels, but CIFAR-10 has 30"),
        ({"test": 9}, r"10 test images with 10 labels, but CIFAR-10 has 9"),
        ({"mean": (0.49, 0.48, 0.44)}, r"mean and deviation of its pixels are"),
        ({"std": (0.24, 0.24, 0.26)}, r"mean and deviation of its pixels are"),
        ({"classes": (*CIFAR10_CLASSES[:9], "van")}, r"it has 10 classes, the first 'airplane'"),
        ({"shape": (3, 28, 28)}, r"\(3, 32, 32\), but CIFAR-10 has \(3, 28, 28\)"),
        ({"mean": ()}, r"copies of it are not recognised"),
    ],
    ids=["train", "test", "mean", "deviation", "classes", "size", "not known"],
)
def test_class_folders_that_differ_are_not_called_cifar10(monkeypatch, tmp_path, changes, message):
    path = put(tmp_path / "cifar10.zip", files_of(small_cifar10(monkeypatch, **changes)))
    with pytest.raises(DataError, match=rf"no copy of CIFAR-10: .*{message}.*; load it by the name 'images'"):
        load("cifar10", tmp_path)
    assert load("images", path).label == "cifar10.zip (class folders)"


def test_class_folders_of_uneven_sizes_are_not_called_cifar10(monkeypatch, tmp_path):
    files = files_of(small_cifar10(monkeypatch))
    files["train/truck/2.jpg"] = files.pop("train/airplane/0000.jpg")
    put(tmp_path / "cifar10.zip", files)
    with pytest.raises(DataError, match="its classes have different numbers of images"):
        load("cifar10", tmp_path)


def test_an_archive_named_otherwise_is_not_taken_for_cifar10(monkeypatch, tmp_path):
    files = files_of(small_cifar10(monkeypatch))
    put(tmp_path / "cifar100.zip", files)
    put(tmp_path / "pets.zip", files)
    with pytest.raises(DataError, match=r"no CIFAR-10 in .*cifar-10-python.tar.gz"):
        load("cifar10", tmp_path)


@pytest.mark.skipif(REAL is None, reason="SMOOTHNESS_AT_CIFAR10 names no copy of CIFAR-10")
def test_the_jpeg_copy_of_cifar10_is_recognised(monkeypatch):
    monkeypatch.undo()  # the user's own cache: decoding takes a quarter of a minute
    data = load("cifar10", str(REAL))
    assert data.label == "CIFAR-10 (JPEG copy)"
    assert data.train_images.shape == (50_000, 3, 32, 32)
    assert data.train_labels.bincount().tolist() == [5000] * 10
    assert data.test_labels.bincount().tolist() == [1000] * 10
    assert data.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=5e-4)
    assert data.std == pytest.approx((0.2471, 0.2435, 0.2616), abs=2.5e-3)
