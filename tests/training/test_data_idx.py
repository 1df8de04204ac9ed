"""Fashion-MNIST (training/data/idx.py): written small, read back, refused where it is wrong.

Second source: Fashion-MNIST as Debian packages it, where it is installed.
"""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from published_files import DEBIAN, as_published, assert_holds, labels_of, pictures, put

from training.data import DataError, idx, load


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def small_fashion(monkeypatch) -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    arrays = {
        "train_images": pictures(13, (1, 28, 28), 9),
        "train_labels": labels_of(13, 10, 10),
        "test_images": pictures(10, (1, 28, 28), 11),
        "test_labels": labels_of(10, 10, 12),
    }
    files = {
        "train-images-idx3-ubyte": idx_bytes(arrays["train_images"][:, 0]),
        "train-labels-idx1-ubyte": idx_bytes(arrays["train_labels"].astype(np.uint8)),
        "t10k-images-idx3-ubyte": idx_bytes(arrays["test_images"][:, 0]),
        "t10k-labels-idx1-ubyte": idx_bytes(arrays["test_labels"].astype(np.uint8)),
    }
    as_published(monkeypatch, "fashion-mnist", files, train=13, test=10)
    return files, arrays


def zipped(files: dict[str, bytes], mtime: int) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content, mtime=mtime) for name, content in files.items()}


def test_fashion_mnist_is_read_plain_or_from_any_gzip_wrapper(monkeypatch, tmp_path):
    files, arrays = small_fashion(monkeypatch)
    put(tmp_path / "plain", files)
    put(tmp_path / "once", zipped(files, mtime=0))
    put(tmp_path / "later", zipped(files, mtime=10**9))
    for folder in ("plain", "once", "later"):
        data = load("fashion-mnist", tmp_path / folder)
        assert_holds(data, arrays)
        assert data.label == "Fashion-MNIST"
        assert data.classes[9] == "Ankle boot"


def test_fashion_mnist_is_found_where_debian_puts_it(monkeypatch, tmp_path):
    files, arrays = small_fashion(monkeypatch)
    put(tmp_path / "debian", zipped(files, mtime=0))
    monkeypatch.setattr(idx, "DEBIAN", tmp_path / "debian")
    (tmp_path / "empty").mkdir()
    assert_holds(load("fashion-mnist"), arrays)
    assert_holds(load("fashion-mnist", tmp_path / "empty"), arrays)
    monkeypatch.setattr(idx, "DEBIAN", tmp_path / "absent")
    with pytest.raises(DataError, match=r"no idx files in .*empty and .*absent: put .*dataset-fashion-mnist"):
        load("fashion-mnist", tmp_path / "empty")


def test_an_idx_file_that_is_missing_changed_or_cut_is_refused(monkeypatch, tmp_path):
    files, _ = small_fashion(monkeypatch)
    wrapped = zipped(files, mtime=0)
    put(tmp_path, wrapped)
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(wrapped[path.name][:-6])
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte.gz: cannot be unpacked"):
        load("fashion-mnist", tmp_path)
    path.write_bytes(gzip.compress(files["t10k-labels-idx1-ubyte"]))
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte.gz: its md5 is"):
        load("fashion-mnist", tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=r"has idx files, but no train-labels-idx1-ubyte.gz"):
        load("fashion-mnist", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\0\0\x08", "no idx file"),
        (b"\0\0\x08\0", "no idx file"),
        (b"\0\0\x0d\1\0\0\0\0", "begins with 00000d01"),
        (b"\0\0\x08\2\0\0\0\1", "no idx file"),
        (idx_bytes(np.zeros((2, 3), np.uint8))[:-1], r"5 bytes where shape \(2, 3\) needs 6"),
        (idx_bytes(np.zeros((2, 3), np.uint8)) + b"\0", "7 bytes where"),
        (b"\0\0\x08\2" + b"\xff" * 8, "0 bytes where shape"),
    ],
    ids=["empty", "cut", "no dimensions", "floats", "no sizes", "short", "long", "huge"],
)
def test_an_idx_header_that_does_not_fit_is_refused(content, message):
    with pytest.raises(DataError, match=f"some.file: .*{message}"):
        idx.parse_idx(content, "some.file")


@pytest.mark.skipif(
    not DEBIAN.is_dir(), reason=f"Debian's dataset-fashion-mnist is not installed in {DEBIAN}"
)
def test_debians_fashion_mnist_has_the_published_bytes():
    data = load("fashion-mnist")
    assert data.train_images.shape == (60_000, 1, 28, 28)
    assert data.test_labels.bincount().tolist() == [1000] * 10
    assert data.mean == pytest.approx([0.2860], abs=5e-5)  # as many public codes state it
    assert data.std == pytest.approx([0.3530], abs=5e-5)
