"""Reads image sets of one's own, and says when class folders are a copy of CIFAR-10 or CIFAR-100 (never the original).

They are read from a folder, a .zip or a .tar.*. Classes are numbered in alphabetical order, which is the published
order of CIFAR-10 and of CIFAR-100.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from training.data.archives import is_archive
from training.data.cache import cached
from training.data.catalogue import CATALOGUE, Published
from training.data.dataset import Arrays, pixel_statistics, require_published
from training.data.decoding import SPLITS, decoded, named
from training.data.integrity import DataError, Progress

# How far a copy's mean and standard deviation may lie from the published ones.
STATISTICS_TOLERANCE = 0.005


def read_class_folders(place: Path, progress: Progress | None) -> Arrays:
    """The images in class folders: of `place`, or of the only archive in it (see `decoding.decoded`).

    What an archive decodes to is kept (see `cache.cached`). The label is that of a copy, "CIFAR-10 (JPEG copy)",
    where `difference` finds none, else "<name> (class folders)".

    Raises: DataError naming the file, where there are no such images or they cannot be read.
    """
    found = class_folder_place(place)
    if found is None:
        raise DataError(
            f"no images in {place}: give a folder with train/<class>/*.jpg and test/<class>/*.jpg, or a .zip or .tar.*"
            " of one"
        )
    arrays = _read(found, progress)
    for published in CATALOGUE.values():
        if not difference(arrays, published):
            return _as_copy(arrays, published)
    return arrays


def read_copy(place: Path, published: Published, progress: Progress | None) -> Arrays:
    """Class folders that pass for a copy of a published data set, labelled as a copy (see `difference`).

    Raises: DataError as `read_class_folders`, and with the first thing that tells it from the published data set.
    """
    arrays = _read(place, progress)
    found = difference(arrays, published)
    if found:
        raise DataError(
            f"{place}: no copy of {published.title}: {found}; load it by the name 'images' instead"
        )
    return _as_copy(arrays, published)


def difference(arrays: Arrays, published: Published) -> str:
    """What tells images in class folders from a published data set, "" for nothing.

    There is no digest to go by, as a copy in another format has other pixels. A copy has the published class names
    and size, the published counts, the same in every class (as in CIFAR), and, within 0.005, the published mean and
    standard deviation of the training pixels. A data set published without those has no copies.
    """
    if not published.mean:
        return "copies of it are not recognised"
    if arrays.classes != published.classes:
        return f"it has {len(arrays.classes)} classes, the first {arrays.classes[0]!r}"
    try:
        require_published(arrays, published, "it")
    except DataError as error:
        return str(error)
    for labels in (arrays.train_labels, arrays.test_labels):
        if len(set(np.bincount(labels).tolist())) > 1:
            return "its classes have different numbers of images"
    found = np.array(pixel_statistics(arrays.train_images))
    if np.abs(found - (published.mean, published.std)).max() > STATISTICS_TOLERANCE:
        return f"mean and deviation of its pixels are {found.round(4).tolist()}"
    return ""


def class_folder_place(place: Path, published: Published | None = None) -> Path | None:
    """Where the class folders are: `place` itself, or the only archive in it.

    With `published`, an archive or a folder named after the data set: `cifar10-jpeg.tar.xz`, `CIFAR-10`.

    Raises: DataError where there are several.
    """
    if is_archive(place) or _has_splits(place):
        return place
    if not place.is_dir():
        return None
    official = {file for one in CATALOGUE.values() for file in one.files}
    found = [file for file in sorted(place.iterdir()) if is_archive(file) and file.name not in official]
    if published is not None:
        folders = [file for file in sorted(place.iterdir()) if _has_splits(file)]
        found = [file for file in found + folders if _named_after(file, published.name)]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise DataError(f"{place}: holds {names}; give the path of the one to read")
    return found[0] if found else None


def _has_splits(folder: Path) -> bool:
    return all((folder / split).is_dir() for split in SPLITS)


def _named_after(file: Path, name: str) -> bool:
    """`cifar10-jpeg.tar.xz` and `CIFAR-10` are named after cifar10, `cifar100.zip` is not."""
    plain = "".join(char for char in file.name.lower() if char.isalnum())
    return plain.startswith(name) and not plain[len(name) : len(name) + 1].isdigit()


def _read(place: Path, progress: Progress | None) -> Arrays:
    """An archive through the cache, a folder afresh: only an archive has a digest that tells whether it changed."""
    if place.is_dir():
        return named(decoded(place, progress), place)
    return named(cached(place, lambda: decoded(place, progress)), place)


def _as_copy(arrays: Arrays, published: Published) -> Arrays:
    return replace(arrays, label=f"{published.title} ({'/'.join(arrays.formats)} copy)")
