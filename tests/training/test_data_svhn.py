"""SVHN (training/data/svhn.py): written small, read back, refused where it is wrong."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from published_files import as_published, assert_holds, labels_of, pictures, put

from training.data import DataError, load


def small_svhn(monkeypatch, folder: Path, **changes) -> dict[str, np.ndarray]:
    arrays = {
        "train_images": pictures(14, (3, 32, 32), 5),
        "train_labels": labels_of(14, 10, 6),
        "test_images": pictures(11, (3, 32, 32), 7),
        "test_labels": labels_of(11, 10, 8),
    }
    files = {}
    for split in ("train", "test"):
        labels = arrays[f"{split}_labels"]
        content = {
            "X": arrays[f"{split}_images"].transpose(2, 3, 1, 0),
            "y": np.where(labels == 0, 10, labels)[:, None].astype(np.uint8),
        }
        packed = io.BytesIO()
        scipy.io.savemat(packed, content | changes.get(split, {}), do_compression=True)
        files[f"{split}_32x32.mat"] = packed.getvalue()
    as_published(monkeypatch, "svhn", files, train=14, test=11)
    put(folder, files)
    return arrays


def test_svhn_is_read_and_its_label_10_is_the_digit_0(monkeypatch, tmp_path):
    arrays = small_svhn(monkeypatch, tmp_path)
    data = load("svhn", tmp_path)
    assert_holds(data, arrays)
    assert data.classes == tuple("0123456789")
    stored = scipy.io.loadmat(tmp_path / "train_32x32.mat")
    assert stored["y"][0, 0] == 10
    assert data.train_labels[0] == 0
    np.testing.assert_array_equal(data.train_images[3, 1].numpy(), stored["X"][:, :, 1, 3])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train": {"y": np.full((14, 1), 11)}}, "labels from 11 to 11, not 1 to 10"),
        ({"train": {"y": np.zeros((14, 1))}}, "labels from 0.* to 0.*, not 1 to 10"),
        (
            {"train": {"y": np.ones((13, 1))}},
            r"y has 13 labels, not uint8 of shape \(height, width, channels, N\)",
        ),
        ({"train": {"X": np.zeros((32, 32, 3, 14))}}, "X is float64"),
        ({"test": {"X": np.zeros((16, 32, 3, 11), np.uint8)}}, r"\(3, 16, 32\), but SVHN has \(3, 32, 32\)"),
    ],
    ids=["11", "0", "fewer labels", "floats", "another size"],
)
def test_an_svhn_with_other_contents_is_refused(monkeypatch, tmp_path, changes, message):
    small_svhn(monkeypatch, tmp_path, **changes)
    with pytest.raises(DataError, match=message):
        load("svhn", tmp_path)


def test_a_missing_damaged_or_foreign_mat_is_refused(monkeypatch, tmp_path):
    small_svhn(monkeypatch, tmp_path)
    path = tmp_path / "test_32x32.mat"
    cut = path.read_bytes()[:-200]
    path.write_bytes(cut)
    with pytest.raises(DataError, match=r"test_32x32.mat: its md5 is"):
        load("svhn", tmp_path)
    as_published(monkeypatch, "svhn", {"test_32x32.mat": cut})
    with pytest.raises(DataError, match=r"test_32x32.mat: no readable .mat with X and y"):
        load("svhn", tmp_path)
    path.unlink()
    with pytest.raises(
        DataError, match=r"no test_32x32.mat in .*https://ufldl.stanford.edu/housenumbers/ into"
    ):
        load("svhn", tmp_path)
