"""Reads Fashion-MNIST from the four idx files of its authors or of Debian's package.

Debian's `dataset-fashion-mnist` holds the same bytes in other gzip wrappers, so the digest is that of the content.
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from training.data.catalogue import Published, where_to_get
from training.data.dataset import Arrays, require_published
from training.data.integrity import DataError, file_content, reason, require_known

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
FILES = (
    *("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    *("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)
MOST_BYTES = 2**28  # an idx file unpacks to less: the largest here has 47 MB
MOST_DIMENSIONS = 4
UNSIGNED_BYTE = 8  # the third byte of an idx file says what its elements are


def read_fashion_mnist(place: Path | None, published: Published) -> Arrays:
    """Fashion-MNIST from four idx files, packed (.gz) or not, in `place` or else where Debian's package puts them.

    Raises: DataError where a file is missing, damaged or another one.
    """
    folders = ([] if place is None else [place]) + [DEBIAN]
    folder = next((one for one in folders if any(_file(one, name) for name in FILES)), None)
    if folder is None:
        looked = " and ".join(str(one) for one in folders)
        target = folders[0] if place else "a folder"
        raise DataError(
            f"no idx files in {looked}: {where_to_get(published, target)}, or install dataset-fashion-mnist"
        )
    digests, parts = [], []
    for name in FILES:
        path = _file(folder, name)
        if path is None:
            raise DataError(f"{folder}: has idx files, but no {name}.gz; {where_to_get(published, folder)}")
        content = _unpacked(path)
        digests.append(f"{path.name} (content {require_known(path, published.files[name], content)})")
        parts.append(parse_idx(content, path))
    arrays = Arrays(
        train_images=_images(parts[0], folder),
        train_labels=parts[1].astype(np.int64),
        test_images=_images(parts[2], folder),
        test_labels=parts[3].astype(np.int64),
        classes=published.classes,
        label=published.title,
        source=", ".join(digests),
    )
    require_published(arrays, published, folder)
    return arrays


def parse_idx(content: bytes, name: object) -> np.ndarray:
    """The array of unsigned bytes in an idx file: two zeros, type, number of dimensions, sizes (big-endian), elements.

    Raises: DataError where the header is no such header or the length is another one.
    """
    dimensions = content[3] if len(content) >= 4 else 0
    start = 4 + 4 * dimensions
    is_idx = content[:3] == bytes([0, 0, UNSIGNED_BYTE]) and 0 < dimensions <= MOST_DIMENSIONS
    if not is_idx or len(content) < start:
        raise DataError(
            f"{name}: no idx file of bytes (it begins with {content[:4].hex() or 'nothing'}); fetch it again"
        )
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    if math.prod(shape) != len(content) - start:
        raise DataError(
            f"{name}: {len(content) - start} bytes where shape {shape} needs {math.prod(shape)}; fetch it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def _unpacked(path: Path) -> bytes:
    if path.suffix != ".gz":
        return file_content(path, MOST_BYTES)
    try:
        with gzip.open(path) as stream:
            content = stream.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: cannot be unpacked ({reason(error)}): damaged or cut short; fetch it again"
        ) from error
    if len(content) > MOST_BYTES:
        raise DataError(f"{path}: unpacks to more than {MOST_BYTES} bytes; fetch it again")
    return content


def _images(part: np.ndarray, folder: Path) -> np.ndarray:
    if part.ndim != 3:
        raise DataError(
            f"{folder}: images of {part.ndim} dimensions, not (N, height, width); fetch the files again"
        )
    return part[:, None]
