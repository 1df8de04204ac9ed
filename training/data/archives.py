"""Reads the files in a .tar.*, a .zip or a folder one at a time, in memory.

Nothing is written to disk, so no name in an archive can reach a place outside it; a name that tries is refused all
the same, and so are links and devices.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO

from training.data.integrity import DataError, file_content, reason

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
ARCHIVE_SUFFIXES = (".zip", *TAR_SUFFIXES)
PIECE = 2**20
MOST_BYTES = 256 * 2**20  # of one file: the largest of a known data set, CIFAR-100's `train`, has 155 MB
MOST_IN_ALL = 4 * 2**30  # of all files of one place, unpacked, that are held at once
MOST_FILES = 2**22  # of one place: ImageNet has a third
MOST_NAME = 2**16  # bytes that a tar may spend on the name of a file, and on what else stands before it
PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}  # by how the file begins
BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, RuntimeError, NotImplementedError, UnicodeError),
)


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive read here, and the file is there."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES) and path.is_file()


def files_in(
    path: Path, most: int | None = None, wanted: Callable[[str], bool] = lambda name: True
) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file of an archive, or of a folder's `train` and `test`, to the depth of `train/*/*`.

    `most`: bytes of one file, 256 MiB where it is None. `wanted`: of its name; others are not read. What is hidden in
    a folder is left out.

    Raises: DataError for a damaged archive, a name that leaves it or comes twice, a link, a file above `most`, and
    before they are read for more files or bytes than are held at once.
    """
    if path.is_dir():
        entries = _in_folder(path, most or MOST_BYTES, wanted)
    else:
        packed = _in_zip if path.name.lower().endswith(".zip") else _in_tar
        entries = packed(path, most or MOST_BYTES, wanted)
    seen: set[str] = set()
    total = 0
    for name, content in entries:
        if name in seen:
            raise DataError(f"{path}: holds {name!r} twice; make the archive anew")
        seen.add(name)
        total += len(content)
        if total > MOST_IN_ALL or len(seen) > MOST_FILES:
            raise DataError(
                f"{path}: {len(seen)} files of {total} bytes in all so far, more than the {MOST_FILES} or "
                f"{MOST_IN_ALL} that are held at once; make it smaller"
            )
        yield name, content


def is_hidden(name: str) -> bool:
    """Whether a file is none of the data: it, or a folder above it, is hidden or what macOS adds."""
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def named_files(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """The contents of the named files of a .tar.* by their names.

    Raises: DataError as `files_in`, and where one is not there.
    """
    found = dict(files_in(path, wanted=lambda name: name in names))
    missing = sorted(set(names) - set(found))
    if missing:
        raise DataError(f"{path}: lacks {', '.join(missing)}; fetch the archive again")
    return found


def _in_folder(path: Path, most: int, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    for split in ("train", "test"):
        for file in sorted([*path.glob(f"{split}/*"), *path.glob(f"{split}/*/*")]):
            name = file.relative_to(path).as_posix()
            if is_hidden(name):
                continue
            if file.is_file():
                if wanted(name):
                    yield name, file_content(file, most)
            elif file.is_dir():
                if name.count("/") == 2 and any(not is_hidden(one.name) for one in _listed(file)):
                    raise DataError(
                        f"{file}: a folder inside a class folder; put its images into {file.parent}"
                    )
            elif file.is_symlink() and not file.exists():
                raise DataError(f"{file}: a link to {os.readlink(file)}, which is not there; remove it")
            else:
                raise DataError(f"{file}: no file but a device, a pipe or a socket; remove it")


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: {reason(error)}; make the folder readable") from error


def _in_tar(path: Path, most: int, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    try:
        with _Unpacked(path) as unpacked, tarfile.open(fileobj=unpacked, mode="r:") as tar:
            while True:
                unpacked.most = MOST_NAME
                member = tar.next()
                tar.members.clear()  # type: ignore[attr-defined]  # or all of them would be kept
                if member is None:
                    break
                name = _inside(member.name, path)
                if member.isdir():
                    continue
                if not member.isreg():
                    raise DataError(f"{path}: {name!r} is a link or a device; make an archive of plain files")
                if not wanted(name):
                    continue
                stream = tar.extractfile(member)
                assert stream is not None  # a regular member has content
                unpacked.most = most + 1
                yield name, _limited(stream, member.size, name, path, most)
            unpacked.most = PIECE
            _require_end(tar, path)
    except BROKEN as error:
        raise _damaged(path, error) from error


class _Unpacked(io.BufferedIOBase):
    """The bytes of a .tar.* unpacked, at most `most` at a time: a tar says itself how long a name or a file is."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as raw:
            start = raw.read(6)
        opened = next((one for head, one in PACKED.items() if start.startswith(head)), open)
        self.path, self.most = path, MOST_NAME
        self.stream: IO[bytes] = opened(path, "rb")  # type: ignore[operator]

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= self.most:
            raise DataError(
                f"{self.path}: asks for {size} bytes at once where at most {self.most} make sense: damaged, or made to "
                "harm; do not use this archive"
            )
        return self.stream.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def close(self) -> None:
        self.stream.close()
        super().close()


def _in_zip(path: Path, most: int, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            # What Windows has packed may divide names by backslashes, against the format.
            entries = [
                (name, entry)
                for entry in archive.infolist()
                if not (spelt := entry.filename.replace("\\", "/")).endswith("/")
                and wanted(name := _inside(spelt, path))
            ]
            declared = sum(entry.file_size for _, entry in entries)
            if declared > MOST_IN_ALL:
                raise DataError(
                    f"{path}: {len(entries)} files of {declared} bytes in all, more than the {MOST_IN_ALL} that are "
                    "held at once; make it smaller"
                )
            for name, entry in entries:
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise DataError(f"{path}: {name!r} is a link; make an archive of plain files")
                with archive.open(entry) as stream:
                    yield name, _limited(stream, entry.file_size, name, path, most)
    except BROKEN as error:
        raise _damaged(path, error) from error


def _inside(name: str, path: Path) -> str:
    """The name without `./`, where it stays inside the archive."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts:
        raise DataError(
            f"{path}: holds the name {name!r}, which leads out of the archive; do not use this archive"
        )
    if "\0" in name:
        raise DataError(f"{path}: holds the name {name!r} with a zero byte; make the archive anew")
    return "/".join(part for part in parts if part not in ("", "."))


def _limited(stream: IO[bytes], size: int, name: str, path: Path, most: int) -> bytes:
    """The content of a member: as many bytes as the archive says, and at most `most`."""
    if not 0 <= size <= most:
        raise DataError(f"{path}: {name!r} has {size} bytes, more than the {most} that are read; remove it")
    content = stream.read(size + 1)
    if len(content) != size:
        raise DataError(
            f"{path}: {name!r} has {len(content)} bytes, not the {size} it should; get the archive again"
        )
    return content


def _require_end(tar: tarfile.TarFile, path: Path) -> None:
    """A tar ends in blocks of zeros: without one it was cut between two files. The rest is read for its checksum."""
    assert tar.fileobj is not None  # opened from a path
    tar.fileobj.seek(tar.offset)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise DataError(f"{path}: ends before its end mark: it was cut short; get the archive again")
    for _ in range(MOST_BYTES // PIECE):
        if not tar.fileobj.read(PIECE):
            return
    raise DataError(f"{path}: goes on for {MOST_BYTES} bytes behind its end mark; make the archive anew")


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: cannot be read ({reason(error)}): damaged or cut short; get it again")
