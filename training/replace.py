"""Replaces a text file as a whole, or leaves it as it was."""

from __future__ import annotations

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Writes beside the file, onto the disk, and renames: whenever the process dies the file holds its text of before
    or `text`. Its folder is made where it is missing.

    Raises: OSError where it cannot be written; the file is then as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
