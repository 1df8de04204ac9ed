"""`python -m theory new FOLDER`: writes a paper's folder with three worked claims, which passes as it stands."""

from __future__ import annotations

import shutil
from pathlib import Path
from shlex import quote

TEMPLATE = Path(__file__).resolve().parents[1] / "template"


def write_new(folder: Path) -> list[Path]:
    """Copies the example into a folder, which is made, and returns the paths written.

    Raises ValueError where the folder holds something already or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"new = {folder} exists and is not empty: name a folder that does not exist yet")
    try:
        files = [path for path in sorted(TEMPLATE.glob("*.py")) if path.name != "__init__.py"]
        folder.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copyfile(path, folder / path.name)) for path in files]
    except OSError as error:
        raise ValueError(
            f"new = {folder} could not be written ({error.strerror}): name another folder"
        ) from error


def next_steps(folder: Path) -> list[str]:
    """What to type next, a line each, so that a shell takes any name as it is."""
    name = quote(f"./{folder}" if str(folder).startswith("-") else str(folder))
    return [
        f"python -m theory --paper {name}              # its ledger",
        f"python -m theory --paper {name} show eq2     # one derivation, step by step",
        f"python -m pytest {name}                      # every claim, and every false twin refuted",
        f"edit {quote(str(folder / 'square.py'))}, and run pytest again",
    ]
