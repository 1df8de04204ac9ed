"""The published data sets (training/data): every format is written small, read back, and refused where it is wrong.

Second sources: the arrays that were written, Python's own unpickler, scikit-learn's arrays, hashlib, numpy, and
Fashion-MNIST as Debian packages it, where it is installed.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import sklearn.datasets
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.data import NAMES, DataError, download, idx, load
from training.data.catalogue import CATALOGUE, Published
from training.data.dataset import held_out

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
TRAIN, TEST = 20, 10  # images of a small CIFAR-10, five batches of four
DIGEST_OF_TEST_DIGITS = "c9a8ef3dddcb"  # recorded with numpy 2.4 and scikit-learn 1.9


def pictures(number: int, shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (number, *shape), dtype=np.uint8)


def labels_of(number: int, classes: int, seed: int) -> np.ndarray:
    """Every class, then at random."""
    extra = np.random.default_rng(seed).integers(0, classes, max(number - classes, 0))
    return np.concatenate([np.arange(classes), extra])[:number].astype(np.int64)


def tarball(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def as_published(monkeypatch, name: str, files: dict[str, bytes], **changes) -> Published:
    """Makes small files the published ones of a data set, by the digests of what they hold."""
    digests = {}
    for path, content in files.items():
        digests[path.rpartition("/")[2]] = hashlib.md5(content).hexdigest()
    published = replace(CATALOGUE[name], files={**CATALOGUE[name].files, **digests}, **changes)
    monkeypatch.setitem(CATALOGUE, name, published)
    return published


def cifar_files(name: str, version: str) -> tuple[dict[str, bytes], dict[str, np.ndarray]]:
    """The inner files of a small CIFAR, and the arrays in them."""
    classes = len(CATALOGUE[name].classes)
    train, test = (TRAIN, TEST) if name == "cifar10" else (120, 110)
    arrays = {
        "train_images": pictures(train, (3, 32, 32), 1),
        "train_labels": labels_of(train, classes, 2),
        "test_images": pictures(test, (3, 32, 32), 3),
        "test_labels": labels_of(test, classes, 4),
    }
    pieces = 5 if name == "cifar10" else 1
    train_names = [f"data_batch_{number}" for number in range(1, 6)] if name == "cifar10" else ["train"]
    test_name = "test_batch" if name == "cifar10" else "test"
    parts = list(
        zip(
            train_names,
            np.split(arrays["train_images"], pieces),
            np.split(arrays["train_labels"], pieces),
            strict=True,
        )
    )
    parts.append((test_name, arrays["test_images"], arrays["test_labels"]))
    folder = {"cifar10": "cifar-10-batches-", "cifar100": "cifar-100-"}[name]
    if version == "python":
        inner = folder + ("py" if name == "cifar10" else "python")
        write = cifar_pickle
        end = ""
    else:
        inner = folder + ("bin" if name == "cifar10" else "binary")
        write = cifar_records
        end = ".bin"
    return {f"{inner}/{part}{end}": write(name, *rest) for part, *rest in parts}, arrays


def cifar_pickle(name: str, images: np.ndarray, labels: np.ndarray) -> bytes:
    content = {b"data": images.reshape(len(images), -1), b"batch_label": b"a batch", b"filenames": [b"x.png"]}
    if name == "cifar10":
        content[b"labels"] = labels.tolist()
    else:
        content[b"fine_labels"] = labels.tolist()
        content[b"coarse_labels"] = [0] * len(labels)
    return pickle.dumps(content, protocol=4)


def cifar_records(name: str, images: np.ndarray, labels: np.ndarray) -> bytes:
    coarse = [7] if name == "cifar100" else []
    return b"".join(
        bytes([*coarse, label]) + image.tobytes() for image, label in zip(images, labels, strict=True)
    )


def small_cifar(monkeypatch, folder: Path, name: str, version: str, packed: bool) -> dict[str, np.ndarray]:
    files, arrays = cifar_files(name, version)
    archive = f"{name.replace('cifar', 'cifar-')}-{version}.tar.gz"
    outer = {archive: tarball({**files, f"{next(iter(files)).partition('/')[0]}/readme.html": b"see"})}
    counts = {"train": len(arrays["train_labels"]), "test": len(arrays["test_labels"])}
    as_published(monkeypatch, name, {**files, **outer}, **counts)
    put(folder, outer if packed else files)
    return arrays


def assert_holds(data, arrays: dict[str, np.ndarray]) -> None:
    for field, expected in arrays.items():
        found = getattr(data, field)
        assert found.dtype == (torch.int64 if field.endswith("labels") else torch.uint8)
        np.testing.assert_array_equal(found.numpy(), expected)


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
        DataError, match=r"no test_32x32.mat in .*http://ufldl.stanford.edu/housenumbers/ into"
    ):
        load("svhn", tmp_path)


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


def test_the_digits_are_scikit_learns_in_two_parts():
    data = load("digits")
    found = sklearn.datasets.load_digits()
    assert data.train_images.shape == (1597, 1, 8, 8)
    assert data.test_images.shape == (200, 1, 8, 8)
    test = held_out(found.target, 200, 0)
    for images, labels, where in (
        (data.train_images, data.train_labels, ~test),
        (data.test_images, data.test_labels, test),
    ):
        np.testing.assert_array_equal(
            data.pixels(images)[:, 0].numpy(), (found.images[where] / 16).astype("f4")
        )
        np.testing.assert_array_equal(labels.numpy(), found.target[where])
    assert (data.levels, data.label) == (16, "digits")
    assert data.pixels(data.train_images).max() == 1
    assert set(data.test_labels.bincount().tolist()) <= {19, 20, 21}


def test_the_test_digits_never_change():
    plain, other = load("digits"), load("digits", validation=200, seed=2)
    assert torch.equal(plain.test_images, other.test_images)
    content = plain.test_images.numpy().tobytes() + plain.test_labels.numpy().astype("<i8").tobytes()
    assert hashlib.sha256(content).hexdigest()[:12] == DIGEST_OF_TEST_DIGITS


def test_what_is_held_out_and_what_is_trained_on_make_the_training_images():
    whole, parts = load("digits"), load("digits", validation=200, seed=5)
    assert parts.validation_images.shape == (200, 1, 8, 8)
    assert parts.train_images.shape == (1397, 1, 8, 8)
    mask = torch.from_numpy(held_out(whole.train_labels.numpy(), 200, 5))
    assert torch.equal(parts.validation_images, whole.train_images[mask])
    assert torch.equal(parts.validation_labels, whole.train_labels[mask])
    assert torch.equal(parts.train_images, whole.train_images[~mask])
    assert torch.equal(parts.train_labels, whole.train_labels[~mask])
    assert not torch.equal(load("digits", validation=200, seed=6).validation_labels, parts.validation_labels)


@given(
    labels=st.lists(st.integers(0, 5), min_size=2, max_size=60).map(np.array),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_split_has_the_asked_number_shared_out_by_class(labels, share, seed):
    number = min(int(share * len(labels)), len(labels) - 1)
    mask = held_out(labels, number, seed)
    assert mask.sum() == number
    for label in set(labels.tolist()):
        of_class = labels == label
        assert abs(mask[of_class].sum() - number * of_class.sum() / len(labels)) < 1
    np.testing.assert_array_equal(mask, held_out(labels, number, seed))


def test_of_classes_with_equal_remainders_the_first_give_one_more():
    mask = held_out(np.repeat(np.arange(100), 2), 50, seed=0)
    assert mask.reshape(100, 2).sum(axis=1).tolist() == [1] * 50 + [0] * 50


@pytest.mark.parametrize("number", [-1, 1597, 5000])
def test_a_split_that_leaves_nothing_to_train_on_is_refused(number):
    with pytest.raises(ValueError, match=rf"validation={number}: .* 1597 training images"):
        load("digits", validation=number)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match=rf"seed={seed}: .* between 0 and"):
        load("digits", validation=10, seed=seed)


def test_mean_and_deviation_are_those_of_the_training_pixels(monkeypatch, tmp_path):
    small_cifar(monkeypatch, tmp_path, "cifar10", "binary", packed=True)
    data = load("cifar10", tmp_path, validation=4)
    pixels = data.train_images.numpy() / np.float64(255)
    np.testing.assert_allclose(data.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(data.std, pixels.std(axis=(0, 2, 3)), rtol=1e-13)
    assert not np.allclose(data.std, pixels.std(axis=(0, 2, 3), ddof=1), rtol=1e-13)


def test_pixels_are_levels_divided_in_float32():
    data = replace(load("digits"), levels=255)
    levels = torch.arange(256, dtype=torch.uint8)
    expected = (np.arange(256) / np.float64(255)).astype(np.float32)
    np.testing.assert_array_equal(data.pixels(levels).numpy(), expected)
    assert levels.dtype == torch.uint8
    assert levels[255] == 255


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(
        ValueError, match=r"'cifar-10': .*" + ", ".join(NAMES) + r"; did you mean 'cifar10'\?"
    ):
        load("cifar-10")
    with pytest.raises(ValueError, match="'mnst'"):
        load("mnst")


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "svhn", "images"])
def test_a_folder_that_is_not_given_or_not_there_is_named(tmp_path, name):
    with pytest.raises(DataError, match=rf"folder=None: {name} is read from files"):
        load(name)
    with pytest.raises(DataError, match=rf"absent: there is no such file or folder.*files of {name}"):
        load(name, tmp_path / "absent")


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_empty_folder_is_answered_with_what_belongs_there(monkeypatch, tmp_path, name):
    monkeypatch.setattr(idx, "DEBIAN", tmp_path / "absent")
    published = CATALOGUE[name]
    with pytest.raises(DataError) as caught:
        load(name, tmp_path)
    for part in (
        str(tmp_path),
        published.site,
        *published.fetch,
        *(published.files[file] for file in published.fetch),
    ):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ["cuda:99", "gpu"])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(ValueError, match=rf"device='{device}': not there") as caught:
        load("digits", device=device)
    assert "\n" not in str(caught.value)


def site(monkeypatch, tmp_path: Path, content: bytes = b"an archive") -> Path:
    """A file that stands for the site of CIFAR-10, with the content published."""
    source = tmp_path / "site"
    put(source, {"cifar-10-python.tar.gz": content})
    as_published(
        monkeypatch, "cifar10", {"cifar-10-python.tar.gz": b"an archive"}, site=source.as_uri() + "/"
    )
    return source


def test_a_download_brings_the_published_file_and_leaves_a_right_one(monkeypatch, tmp_path):
    source = site(monkeypatch, tmp_path)
    calls = []
    target = tmp_path / "new" / "folder"
    paths = download("cifar10", target, lambda *call: calls.append(call))
    assert paths == [target / "cifar-10-python.tar.gz"]
    assert paths[0].read_bytes() == b"an archive"
    assert calls == [("cifar-10-python.tar.gz", 10, 10)]
    (source / "cifar-10-python.tar.gz").unlink()
    assert download("cifar10", target) == paths
    assert [path.name for path in target.iterdir()] == ["cifar-10-python.tar.gz"]


@pytest.mark.parametrize(
    "content", [b"an archiv", b"<html>moved</html>", b""], ids=["cut", "a page", "nothing"]
)
def test_a_download_of_something_else_leaves_nothing(monkeypatch, tmp_path, content):
    site(monkeypatch, tmp_path, content)
    with pytest.raises(
        DataError, match=r"what came has md5 .* put cifar-10-python.tar.gz .* by hand"
    ) as caught:
        download("cifar10", tmp_path / "folder")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_wrong_file_is_never_written_over(monkeypatch, tmp_path):
    site(monkeypatch, tmp_path)
    put(tmp_path / "folder", {"cifar-10-python.tar.gz": b"mine"})
    with pytest.raises(DataError, match="its md5 is"):
        download("cifar10", tmp_path / "folder")
    assert (tmp_path / "folder" / "cifar-10-python.tar.gz").read_bytes() == b"mine"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "http://nowhere.invalid/"])
def test_without_a_network_one_line_says_which_file_goes_where(monkeypatch, tmp_path, address):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setitem(CATALOGUE, "svhn", replace(CATALOGUE["svhn"], site=address))
    with pytest.raises(DataError) as caught:
        download("svhn", tmp_path)
    message = str(caught.value)
    assert message.startswith(f"cannot fetch {address}train_32x32.mat (")
    assert f"put train_32x32.mat (md5 e26dedcc434d2e4c54c9b2d4a06d8373) into {tmp_path} by hand" in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


def test_a_download_needs_a_known_name_and_a_folder_to_write_to(tmp_path):
    with pytest.raises(
        ValueError, match=r"'digits': nothing to download .*cifar10, cifar100, svhn, fashion-mnist"
    ):
        download("digits", tmp_path)
    put(tmp_path, {"folder/file": b""})
    with pytest.raises(DataError, match=r"folder.*file: .*; give a folder that can be written to"):
        download("cifar10", tmp_path / "folder" / "file")


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_is_complete(name):
    published = CATALOGUE[name]
    assert published.name == name
    assert set(published.fetch) <= set(published.files)
    assert len(set(published.files.values())) == len(published.files)
    assert all(len(digest) in (32, 40) and int(digest, 16) >= 0 for digest in published.files.values())
    assert published.site.endswith("/")
