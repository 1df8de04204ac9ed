"""Keeps what an archive of images decodes to, so that only its first use takes the time.

The folder is `$SMOOTHNESS_AT_CACHE` if that is set, else `smoothness-at` below `$XDG_CACHE_HOME` or `~/.cache`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL

from support.files import replace_file
from training.data.dataset import Arrays
from training.data.integrity import file_digest, reason

LAYOUT = (
    2  # raised whenever the same archive would decode to other arrays or another order, or the file differs
)
DIGEST = hashlib.sha256().digest_size  # of all that stands before, at the end of the file
ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


def cached(archive: Path, decode: Callable[[], Arrays]) -> Arrays:
    """`decode()`, or what it returned before for an archive of the same SHA-256 under the same version of Pillow; but
    for label and source, which are those of a place.

    The file is written beside its place and then moved there, so it is whole or absent. One that is damaged all the
    same is written anew. A folder that cannot be written to costs a warning, and the time.
    """
    digest = file_digest(archive, "sha256")
    key = f"{digest} pillow {PIL.__version__} layout {LAYOUT}"
    file = cache_folder() / f"images-{digest[:16]}-pillow{PIL.__version__}-{LAYOUT}.npz"
    if file.is_file():
        try:
            return _read(file, key)
        except (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError, zipfile.BadZipFile) as error:
            warnings.warn(f"{file}: damaged ({reason(error)}); decoding {archive} again", stacklevel=2)
    arrays = decode()
    try:
        _write(file, key, arrays)
    except OSError as error:
        warnings.warn(
            f"{file}: not kept ({reason(error)}); set SMOOTHNESS_AT_CACHE to a folder with room", stacklevel=2
        )
    return arrays


def cache_folder() -> Path:
    """Where decoded images are kept."""
    chosen = os.environ.get("SMOOTHNESS_AT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "smoothness-at"


def _read(file: Path, key: str) -> Arrays:
    raw = memoryview(file.read_bytes())
    if hashlib.sha256(raw[:-DIGEST]).digest() != raw[-DIGEST:]:
        raise ValueError("its checksum is wrong")
    with np.load(io.BytesIO(raw[:-DIGEST]), allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        if about["key"] != key:
            raise ValueError("it belongs to another archive")
        arrays = {name: stored[name] for name in ARRAYS}
    return Arrays(
        **arrays, classes=tuple(about["classes"]), label="", source="", formats=tuple(about["formats"])
    )


def _write(file: Path, key: str, arrays: Arrays) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "key": key,
        "classes": arrays.classes,
        "formats": arrays.formats,
    }
    packed = io.BytesIO()
    np.savez(packed, about=json.dumps(about), **{name: getattr(arrays, name) for name in ARRAYS})
    packed.write(hashlib.sha256(packed.getbuffer()).digest())
    replace_file(file, packed.getvalue())
