"""Writes files of tensors that are whole or absent, and keeps a run's last two checkpoints.

A file is what `torch.save` writes, a zip archive, with the SHA-256 of the whole as the archive's comment. That is
verified before the file is read, as `torch.load` itself verifies nothing: of one changed bit in the archive's directory
it makes weights that are uninitialised memory. It is read with `weights_only=True`: nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

FORMAT = 2
PROJECT = "smoothness-at"
# The last record of a zip archive: 22 bytes, of which the last two are the length of a comment that follows.
END, END_SIGNATURE = 22, b"PK\x05\x06"
DIGEST = hashlib.sha256().digest_size
NO_COMMENT, COMMENT = bytes(2), DIGEST.to_bytes(2, "little")


class BadCheckpoint(ValueError):
    """A file that is no whole checkpoint of this project and format."""


def save(path: Path, kind: str, content: Mapping[str, Any]) -> None:
    """Replaces the file: whenever the process dies, it holds what it held before or `content`, and that on the disk.

    kind : such as "checkpoint", demanded back by `load`

    Raises: OSError where it cannot be written, such as a full disk; the file is then as before.
    """
    buffer = io.BytesIO()
    torch.save({"project": PROJECT, "format": FORMAT, "kind": kind, **content}, buffer)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(buffer.getbuffer()[: -len(NO_COMMENT)])
            file.write(COMMENT + _digest(buffer.getbuffer()[: -len(NO_COMMENT)]))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    fsync_folder(path.parent)


def load(path: Path, kind: str) -> dict[str, Any]:
    """What `save` wrote, tensors on the CPU.

    Raises: BadCheckpoint for a file cut short, damaged, foreign, or of another format or kind; FileNotFoundError;
    OSError where the machine is what fails, as for want of a permission or of memory.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist") from None
    _verify(path, memoryview(raw))
    try:
        content = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own message advises to switch the protection off.
        raise BadCheckpoint(f"{path} holds more than tensors and plain values, and is not read") from error
    except (RuntimeError, MemoryError) as error:
        # The bytes are those that were written: to pass the file over would throw away a good one.
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise OSError(
            f"{path} is whole, but torch {torch.__version__} cannot read it ({first[0]})"
        ) from error
    if not isinstance(content, dict) or content.get("project") != PROJECT:
        raise BadCheckpoint(f"{path} is a file of another program")
    if content.get("format") != FORMAT or content.get("kind") != kind:
        raise BadCheckpoint(
            f"{path} is {content.get('kind')!r} of format {content.get('format')!r}, need {kind!r} of {FORMAT}"
        )
    return content


def _verify(path: Path, raw: memoryview) -> None:
    archive, comment = raw[: -len(COMMENT) - DIGEST], raw[-len(COMMENT) - DIGEST :]
    end = raw[-END - DIGEST :][: len(END_SIGNATURE)]
    if end != END_SIGNATURE or comment[: len(COMMENT)] != COMMENT:
        raise BadCheckpoint(f"{path} is cut short, damaged, of an older format, or of another program")
    if comment[len(COMMENT) :] != _digest(archive):
        raise BadCheckpoint(f"{path} is damaged (its checksum is wrong)")


def _digest(archive: memoryview) -> bytes:
    return hashlib.sha256(archive).digest()


class Checkpoints:
    """The newest checkpoint of a run and the one before it, in a folder that exists."""

    def __init__(self, folder: Path) -> None:
        self.newest = folder / "checkpoint.pt"
        self.previous = folder / "checkpoint.previous.pt"
        self._newest_is_good = True

    def save(self, content: Mapping[str, Any]) -> None:
        """The newest becomes the previous one, if it is good; wherever this stops one of them is whole.

        Raises: OSError where it cannot be written; both are then as before.
        """
        fresh = self.newest.with_name("checkpoint.new.pt")
        try:
            save(fresh, "checkpoint", content)
            if self.newest.exists() and self._newest_is_good:
                os.replace(self.newest, self.previous)
            os.replace(fresh, self.newest)
            self._newest_is_good = True
        finally:
            fresh.unlink(missing_ok=True)
        fsync_folder(self.newest.parent)

    def load(self, belongs: Callable[[Mapping[str, Any]], str | None]) -> dict[str, Any] | None:
        """The newest that is whole and belongs here, with a warning for one that is not; None where there is none.

        belongs : content -> None, or what is wrong with it
        """
        for path in (self.newest, self.previous):
            try:
                content = load(path, "checkpoint")
                wrong = belongs(content)
                if wrong is not None:
                    raise BadCheckpoint(f"{path} {wrong}")
            except FileNotFoundError:
                continue
            except BadCheckpoint as error:
                self._newest_is_good &= path != self.newest
                then = (
                    "the one before it is used"
                    if path == self.newest and self.previous.exists()
                    else "unused"
                )
                warnings.warn(f"{error}: {then}", stacklevel=2)
                continue
            return content
        return None

    def remove(self) -> None:
        for path in (self.newest, self.previous):
            path.unlink(missing_ok=True)


def fsync_folder(folder: Path) -> None:
    """A file that was moved is in its place on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
