"""Reads SVHN from `train_32x32.mat` and `test_32x32.mat`, without the extra images."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import scipy.io

from training.data.catalogue import Published, where_to_get
from training.data.dataset import Arrays, require_published
from training.data.integrity import DataError, reason, require_known

FILES = ("train_32x32.mat", "test_32x32.mat")
BROKEN = (ValueError, TypeError, KeyError, IndexError, OSError, EOFError, NotImplementedError, zlib.error)


def read_svhn(place: Path, published: Published) -> Arrays:
    """SVHN from the two .mat files in `place`, their md5 checked. The files' label 10 is the digit 0, label 0 here.

    Raises: DataError where a file is missing, damaged or another one.
    """
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise DataError(f"no {' and no '.join(missing)} in {place}: {where_to_get(published, place)}")
    digests = [require_known(place / name, published.files[name]) for name in FILES]
    train_images, train_labels = _split(place / FILES[0])
    test_images, test_labels = _split(place / FILES[1])
    arrays = Arrays(
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        classes=published.classes,
        label=published.title,
        source=", ".join(f"{name} ({digest})" for name, digest in zip(FILES, digests, strict=True)),
    )
    require_published(arrays, published, place)
    return arrays


def _split(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images from X (height, width, channels, N), labels from y (N, 1) with the digit 0 as 10."""
    try:
        stored = scipy.io.loadmat(path, variable_names=["X", "y"])
        images, labels = stored["X"], stored["y"]
    except BROKEN as error:
        raise DataError(f"{path}: no readable .mat with X and y ({reason(error)}); fetch it again") from error
    if images.ndim != 4 or images.dtype != np.uint8 or labels.size != images.shape[3]:
        raise DataError(
            f"{path}: X is {images.dtype} of shape {images.shape} and y has {labels.size} labels, not uint8 of shape"
            " (height, width, channels, N) with N labels; fetch it again"
        )
    if labels.min(initial=1) < 1 or labels.max(initial=1) > 10:
        raise DataError(f"{path}: labels from {labels.min()} to {labels.max()}, not 1 to 10; fetch it again")
    return images.transpose(3, 2, 0, 1), labels.reshape(-1).astype(np.int64) % 10
