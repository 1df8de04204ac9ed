"""CIFAR-10 and CIFAR-100 (training/data/cifar.py): each version written small, read back, refused where it is wrong.

Second sources: the arrays that were written, Python's own unpickler.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pytest
from published_files import (
    TEST,
    TRAIN,
    as_published,
    assert_holds,
    cifar_files,
    cifar_pickle,
    cifar_records,
    pictures,
    put,
    small_cifar,
    tarball,
)

from training.data import DataError, load
from training.data.catalogue import CATALOGUE


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "unpacked"])
@pytest.mark.parametrize("version", ["python", "binary"])
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_cifar_is_read_from_each_version(monkeypatch, tmp_path, name, version, packed):
    arrays = small_cifar(monkeypatch, tmp_path, name, version, packed)
    data = load(name, tmp_path)
    assert_holds(data, arrays)
    assert (data.label, data.name, data.levels) == (CATALOGUE[name].title, name, 255)
    assert "md5" in data.source
    assert data.validation_images.shape == (0, 3, 32, 32)
    inside = next(tmp_path.iterdir())
    assert_holds(load(name, inside), arrays)  # the archive itself, or the unpacked folder itself


def test_the_classes_of_cifar_are_numbered_alphabetically():
    for name, number in (("cifar10", 10), ("cifar100", 100)):
        classes = CATALOGUE[name].classes
        assert len(set(classes)) == number
        assert list(classes) == sorted(classes)


def test_a_changed_byte_is_refused_with_both_digests(monkeypatch, tmp_path):
    for version, packed in (("python", True), ("binary", True), ("python", False), ("binary", False)):
        folder = tmp_path / f"{version}{packed}"
        small_cifar(monkeypatch, folder, "cifar10", version, packed)
        path = max(folder.rglob("*.*" if packed else "*batch_3*"))
        content = bytearray(path.read_bytes())
        content[-30] ^= 1
        path.write_bytes(content)
        found, known = hashlib.md5(content).hexdigest(), CATALOGUE["cifar10"].files[path.name]
        with pytest.raises(DataError, match=rf"{path.name}: its md5 is {found}.*is {known}.*fetch it again"):
            load("cifar10", folder)


@pytest.mark.parametrize(("split", "number"), [("train", 24), ("train", 16), ("test", 11)])
def test_another_number_of_images_is_refused(monkeypatch, tmp_path, split, number):
    small_cifar(monkeypatch, tmp_path, "cifar10", "binary", packed=True)
    monkeypatch.setitem(CATALOGUE, "cifar10", replace(CATALOGUE["cifar10"], **{split: number}))
    with pytest.raises(DataError, match=rf"images with .* labels, but CIFAR-10 has {number}"):
        load("cifar10", tmp_path)


@pytest.mark.parametrize("labels", [[0] * 10, [*range(9), 10]], ids=["one class", "a label of 10"])
def test_other_labels_are_refused(monkeypatch, tmp_path, labels):
    files, arrays = cifar_files("cifar10", "binary")
    name = "cifar-10-batches-bin/test_batch.bin"
    files[name] = cifar_records("cifar10", arrays["test_images"], np.array(labels))
    as_published(monkeypatch, "cifar10", files, train=TRAIN, test=TEST)
    put(tmp_path, files)
    with pytest.raises(DataError, match=r"different test labels .* but CIFAR-10 has 0 to 9, all of them"):
        load("cifar10", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({b"data": 3, b"labels": [0]}), "'data' is no array of rows of 3072 bytes"),
        (pickle.dumps({b"data": np.zeros((2, 5), np.uint8)}, 4), "'data' is no array of rows of 3072 bytes"),
        (pickle.dumps({b"data": np.zeros((2, 3072), np.uint8)}, 4), "'labels' is no list of whole numbers"),
        (pickle.dumps([b"data"]), "holds a list, not a dictionary"),
        (cifar_pickle("cifar10", pictures(2, (3, 32, 32), 0), np.arange(2))[:-40], "a damaged pickle"),
    ],
    ids=["no array", "short rows", "no labels", "a list", "cut short"],
)
def test_a_batch_that_is_none_is_refused(monkeypatch, tmp_path, content, message):
    files, _ = cifar_files("cifar10", "python")
    files["cifar-10-batches-py/data_batch_2"] = content
    as_published(monkeypatch, "cifar10", files, train=TRAIN, test=TEST)
    put(tmp_path, files)
    with pytest.raises(DataError, match=f"data_batch_2: .*{message}"):
        load("cifar10", tmp_path)


def test_records_cut_short_and_a_missing_batch_are_refused(monkeypatch, tmp_path):
    files, _ = cifar_files("cifar10", "binary")
    cut = {**files, "cifar-10-batches-bin/test_batch.bin": files["cifar-10-batches-bin/test_batch.bin"][:-1]}
    as_published(monkeypatch, "cifar10", cut, train=TRAIN, test=TEST)
    put(tmp_path / "cut", cut)
    with pytest.raises(
        DataError, match=r"test_batch.bin: 30729 bytes are no whole number of records of 3073"
    ):
        load("cifar10", tmp_path / "cut")
    files.popitem()
    archive = {"cifar-10-binary.tar.gz": tarball(files)}
    as_published(monkeypatch, "cifar10", archive)
    put(tmp_path / "lacks", archive)
    with pytest.raises(DataError, match=r"lacks cifar-10-batches-bin/test_batch.bin"):
        load("cifar10", tmp_path / "lacks")
