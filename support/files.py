"""How files are written: each replaced whole or not at all, also by several processes at once, in a folder that is
known to be usable before the work is done.
"""

from __future__ import annotations

import glob
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.leaving import last_act

STALE = 3600.0  # seconds: no file takes so long to write, the process that began it was killed
PART = ".part"


def make_folder(folder: Path, name: str = "out") -> None:
    """Makes the folder where it is missing, and makes sure that a file can be made in it: before long work, not after.

    Raises: ValueError, with the argument's name, where it cannot: a file of its name, no permission, no such device.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{name} = {folder} must be a folder, and is none; name one, such as results")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        raise ValueError(
            f"{name} = {folder} must be a folder to write to, and no file can be made there ({why}); name another"
        ) from error


def check_replaceable(path: Path) -> None:
    """For a file that `replace_file` is to write after long work.

    Raises: ValueError where it could not: a folder or a device of its name, or a folder no file can be made in.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"out = {path} must be a file to replace, and is none; name another")
    make_folder(path.parent)


def replace_file(path: Path, content: str | bytes) -> Path:
    """Writes beside the file, onto the disk, and renames: a reader sees the file of before or all of `content`,
    whenever a process dies and however many write it at once, of whom the last one to finish wins. Text is UTF-8.

    The folder is made where it is missing; returns the path. Raises: ValueError for a device or a folder of that name;
    OSError, naming the path, where it cannot be written. The file is then as it was.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"out = {path} must be a file to replace, and is none; name another")
    data = content.encode() if isinstance(content, str) else content
    parts: list[Path] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with last_act(lambda: _remove(parts)):
            try:
                # Of a name that no other process has.
                descriptor, name = tempfile.mkstemp(
                    dir=path.parent, prefix=f".{path.name[:100]}.", suffix=PART
                )
                parts.append(Path(name))
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(name, _mode(path))
                os.replace(name, path)
            finally:
                _remove(parts)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    _remove(_stale(path))
    return path


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """One process at a time: for reading a file, changing what it holds, and replacing it. The others wait.

    The lock is on `.<name>.lock` beside the file, in a folder that is made where it is missing, and ends with the
    process. On a system without such locks nothing waits.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mode(path: Path) -> int:
    """The rights that the file has, or those of a new file."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _stale(path: Path) -> list[Path]:
    """What killed processes left of this file, long ago."""
    before = time.time() - STALE
    found = path.parent.glob(f".{glob.escape(path.name[:100])}.*{PART}")
    return [one for one in found if _changed(one) < before]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")  # another process was quicker


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)
