"""How results are written: into a folder that is known to be usable, each file replaced whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Makes the folder where it is missing, and makes sure that a file can be made in it: before long work, not after.

    Raises ValueError where it cannot: a file of its name, no permission, no such device.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"out = {folder} must be a folder, and is none; name one, such as results")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unusable(folder, "no file can be made there", error) from error


def replace_file(path: Path, content: str | bytes) -> Path:
    """Writes beside the file and renames, so that a reader never sees half a file and an interrupted run loses nothing.

    Returns the path. Raises ValueError where the file cannot be written, and for a device or a folder of its name.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"out = {path} must be a file to replace, and is none; name another")
    data = content.encode() if isinstance(content, str) else content
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise _unusable(path.parent, f"{path.name} could not be written there", error) from error
    return path


def _unusable(folder: Path, what: str, error: OSError) -> ValueError:
    why = error.strerror or str(error)
    return ValueError(f"out = {folder} must be a folder to write to, and {what} ({why}); name another")
