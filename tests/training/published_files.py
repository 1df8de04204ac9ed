"""Small files in the formats of the published data sets, and what a data set read from them must hold."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from training.data.catalogue import CATALOGUE, Published

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


TRAIN, TEST = 20, 10  # images of a small CIFAR-10, five batches of four


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
    settings = {"files": {**CATALOGUE[name].files, **digests}, "pins": {}, "also": "", **changes}
    published = replace(CATALOGUE[name], **settings)
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
