"""Reads the Python and the binary version of CIFAR-10 and CIFAR-100, packed or unpacked.

Where neither is there, a class-folder copy of the same images is taken, and named as a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.archives import named_files
from training.data.catalogue import Published, where_to_get
from training.data.class_folders import class_folder_place, read_copy
from training.data.dataset import Arrays, require_published
from training.data.integrity import DataError, Progress, file_content, require_known
from training.data.pickles import read_pickle

PIXELS = 3 * 32 * 32


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of one data set: its archive, the folder inside, the files of each split, where a label stands.

    `label_key`: of the labels in a pickle; "" in the binary version, whose records begin with `label_bytes`
    bytes, the last of them the label.
    """

    archive: str
    inner: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    label_key: str = ""
    label_bytes: int = 0


VERSIONS: Mapping[str, tuple[Version, ...]] = {
    "cifar10": (
        Version(
            archive="cifar-10-python.tar.gz",
            inner="cifar-10-batches-py",
            train=tuple(f"data_batch_{number}" for number in range(1, 6)),
            test=("test_batch",),
            label_key="labels",
        ),
        Version(
            archive="cifar-10-binary.tar.gz",
            inner="cifar-10-batches-bin",
            train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
            test=("test_batch.bin",),
            label_bytes=1,
        ),
    ),
    "cifar100": (
        Version(
            archive="cifar-100-python.tar.gz",
            inner="cifar-100-python",
            train=("train",),
            test=("test",),
            label_key="fine_labels",
        ),
        Version(
            archive="cifar-100-binary.tar.gz",
            inner="cifar-100-binary",
            train=("train.bin",),
            test=("test.bin",),
            label_bytes=2,  # the coarse label, then the fine one
        ),
    ),
}


def read_cifar(place: Path, published: Published, progress: Progress | None) -> Arrays:
    """CIFAR-10 or CIFAR-100 from the first of these that is there, its digests checked:

    the Python archive, the binary archive, the unpacked folder of either (in `place`, or `place` itself), and last a
    class-folder copy (`class_folders.read_copy`). `place` may also be an archive itself.

    Raises: DataError where none is there, or the first one found is damaged, cut short or another file.
    """
    for version in VERSIONS[published.name]:
        packed = place if place.name == version.archive else place / version.archive
        if packed.is_file():
            source = f"{packed.name} ({require_known(packed, published.files[packed.name])})"
            parts = named_files(packed, [f"{version.inner}/{name}" for name in version.train + version.test])
            contents = {name.rpartition("/")[2]: content for name, content in parts.items()}
            return _parsed(version, contents, published, packed, source)
    for version in VERSIONS[published.name]:
        for folder in (place / version.inner, place):
            if all((folder / name).is_file() for name in version.train + version.test):
                return _unpacked(folder, version, published)
    copy = class_folder_place(place, published)
    if copy is None:
        raise DataError(f"no {published.title} in {place}: {where_to_get(published, place)}")
    return read_copy(copy, published, progress)


def _unpacked(folder: Path, version: Version, published: Published) -> Arrays:
    contents: dict[str, bytes] = {}
    digests: set[str] = set()
    for name in version.train + version.test:
        contents[name] = file_content(folder / name)
        digests.add(require_known(folder / name, published.files[name], contents[name]).partition(" ")[0])
    source = f"{folder.name}, {len(contents)} files ({', '.join(sorted(digests))} as known)"
    return _parsed(version, contents, published, folder, source)


def _parsed(
    version: Version, contents: Mapping[str, bytes], published: Published, where: Path, source: str
) -> Arrays:
    train_images, train_labels = _split(version, version.train, contents, where)
    test_images, test_labels = _split(version, version.test, contents, where)
    arrays = Arrays(
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        classes=published.classes,
        label=published.title,
        source=source,
    )
    require_published(arrays, published, where)
    return arrays


def _split(
    version: Version, names: tuple[str, ...], contents: Mapping[str, bytes], where: Path
) -> tuple[np.ndarray, np.ndarray]:
    parse = _from_pickle if version.label_key else _from_records
    parts = [parse(version, contents[name], where / name) for name in names]
    images = np.concatenate([images for images, _ in parts])
    return images.reshape(-1, 3, 32, 32), np.concatenate([labels for _, labels in parts])


def _from_pickle(version: Version, content: bytes, name: Path) -> tuple[np.ndarray, np.ndarray]:
    found = read_pickle(content, name)
    images, labels = found.get("data"), found.get(version.label_key)
    if not isinstance(images, np.ndarray) or images.ndim != 2 or images.shape[1] != PIXELS:
        raise DataError(f"{name}: 'data' is no array of rows of {PIXELS} bytes; fetch the published archive")
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 2**31 for label in labels):
        raise DataError(
            f"{name}: {version.label_key!r} is no list of whole numbers; fetch the published archive"
        )
    return images, np.array(labels, dtype=np.int64)


def _from_records(version: Version, content: bytes, name: Path) -> tuple[np.ndarray, np.ndarray]:
    length = version.label_bytes + PIXELS
    if len(content) % length:
        raise DataError(
            f"{name}: {len(content)} bytes are no whole number of records of {length}; fetch it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, length)
    return records[:, version.label_bytes :], records[:, version.label_bytes - 1].astype(np.int64)
