"""`load` brings a data set onto the device as uint8, checked against what is published about it.

    data = load("cifar10", "datasets", device="cuda")
    x = data.pixels(data.train_images[batch])       # float32 in [0, 1]

Names: cifar10, cifar100, svhn, fashion-mnist, digits (embedded, no files), images (class folders of one's own).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

import torch

from training.data.catalogue import CATALOGUE
from training.data.cifar import read_cifar
from training.data.class_folders import read_class_folders
from training.data.dataset import Arrays, Dataset, on_device
from training.data.digits import read_digits
from training.data.download import download
from training.data.idx import read_fashion_mnist
from training.data.integrity import DataError, Progress, reason
from training.data.svhn import read_svhn

__all__ = ["NAMES", "DataError", "Dataset", "Progress", "download", "load"]

NAMES = ("cifar10", "cifar100", "svhn", "fashion-mnist", "digits", "images")


def load(
    name: str,
    folder: str | os.PathLike[str] | None = None,
    *,
    device: str | torch.device = "cpu",
    validation: int = 0,
    train: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """A data set on a device, as uint8; `Dataset.pixels` makes float32 in [0, 1] of a batch.

    `name`: one of NAMES. `folder`: that holds its files, or the path of the archive itself; "fashion-mnist" is also
    found where Debian puts it, and "digits" needs none and looks at none. `validation`: how many training images are
    held out, in proportion to the classes, by `seed` (`dataset.held_out`); the test images are always the same.
    `train`: how many of the others are kept, drawn in the same way; None for all.
    `progress`: called with (what is being done, done, all or 0).

    Files are checked against the digests and counts of `training.data.catalogue`. Class folders have none, and are
    called a copy or by their own name (`class_folders`). What is read:
    cifar10, cifar100 : the Python or binary archive, packed or unpacked, or class folders that pass for a copy
    svhn              : train_32x32.mat, test_32x32.mat
    fashion-mnist     : four idx files, .gz or plain
    images            : train/<class>/*, test/<class>/* in a folder, .zip or .tar.*

    Raises: ValueError for an unknown name, a device that is not there, a split that is impossible; DataError (a
    ValueError) in one line for files that are missing, damaged, cut short, or not what they should be.
    """
    if name not in NAMES:
        near = get_close_matches(str(name), NAMES, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"name={name!r}: no such data set, known are {', '.join(NAMES)}{guess}")
    target = _device(device)
    arrays = _reader(name, _place(name, folder), progress)()
    return on_device(name, arrays, device=target, validation=validation, train=train, seed=seed)


def _place(name: str, folder: str | os.PathLike[str] | None) -> Path | None:
    """The folder or archive, which has to be there where the data set needs one."""
    if name == "digits" or (name == "fashion-mnist" and folder is None):
        return None
    if folder is None:
        raise DataError(f"folder=None: {name} is read from files; give the folder that holds them")
    place = Path(folder)
    if not place.exists():
        raise DataError(
            f"{place}: there is no such file or folder; give the folder that holds the files of {name}"
        )
    return place


def _reader(name: str, place: Path | None, progress: Progress | None) -> Callable[[], Arrays]:
    if name == "digits":
        return read_digits
    if name == "fashion-mnist":
        return lambda: read_fashion_mnist(place, CATALOGUE[name])
    assert place is not None  # `_place` saw to it
    if name == "images":
        return lambda: read_class_folders(place, progress)
    if name == "svhn":
        return lambda: read_svhn(place, CATALOGUE[name])
    return lambda: read_cifar(place, CATALOGUE[name], progress)


def _device(device: str | torch.device) -> torch.device:
    """The device, once a tensor was put there."""
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"device={str(device)!r}: not there ({reason(error)}); 'cpu' always is") from error
    return chosen
