"""Reads the files in a .tar.*, a .zip or a folder one at a time, in memory.

Nothing is written to disk, so no name in an archive can reach a place outside it; a name that tries is refused all
the same, and so are links and devices.
"""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from training.data.integrity import DataError, file_content, reason

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
ARCHIVE_SUFFIXES = (".zip", *TAR_SUFFIXES)
PIECE = 2**20
MOST_BYTES = 256 * 2**20  # of one file: the largest of a known data set, CIFAR-100's `train`, has 155 MB
BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, RuntimeError, NotImplementedError, UnicodeError),
)


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive read here, and the file is there."""
    return path.name.lower().endswith(ARCHIVE_SUFFIXES) and path.is_file()


def files_in(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of each file of an archive, or of a folder's `train` and `test`, to the depth of `train/*/*`.

    Raises: DataError for a damaged archive, a name that leaves it or comes twice, a link, a file above 256 MiB.
    """
    if path.is_dir():
        entries = _in_folder(path)
    else:
        entries = _in_zip(path) if path.name.lower().endswith(".zip") else _in_tar(path)
    seen: set[str] = set()
    for name, content in entries:
        if name in seen:
            raise DataError(f"{path}: holds {name!r} twice; make the archive anew")
        seen.add(name)
        yield name, content


def named_files(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """The contents of the named files of a .tar.* by their names.

    Raises: DataError as `files_in`, and where one is not there.
    """
    found = {name: content for name, content in files_in(path) if name in names}
    missing = sorted(set(names) - set(found))
    if missing:
        raise DataError(f"{path}: lacks {', '.join(missing)}; fetch the archive again")
    return found


def _in_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for split in ("train", "test"):
        for file in sorted([*path.glob(f"{split}/*"), *path.glob(f"{split}/*/*")]):
            name = file.relative_to(path).as_posix()
            if file.is_file():
                yield name, file_content(file)
            elif name.count("/") == 2:
                raise DataError(f"{file}: a folder inside a class folder; put its images into {file.parent}")


def _in_tar(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path, "r:*") as tar:
            for member in tar:
                name = _inside(member.name, path)
                if member.isdir():
                    continue
                if not member.isreg():
                    raise DataError(f"{path}: {name!r} is a link or a device; make an archive of plain files")
                stream = tar.extractfile(member)
                assert stream is not None  # a regular member has content
                yield name, _limited(stream, member.size, name, path)
            _require_end(tar, path)
    except BROKEN as error:
        raise _damaged(path, error) from error


def _in_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name = _inside(entry.filename, path)
                if entry.is_dir():
                    continue
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise DataError(f"{path}: {name!r} is a link; make an archive of plain files")
                with archive.open(entry) as stream:
                    yield name, _limited(stream, entry.file_size, name, path)
    except BROKEN as error:
        raise _damaged(path, error) from error


def _inside(name: str, path: Path) -> str:
    """The name without `./`, where it stays inside the archive."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or any(char in name for char in "\\:\0"):
        raise DataError(
            f"{path}: holds the name {name!r}, which leads out of the archive; do not use this archive"
        )
    return "/".join(part for part in parts if part not in ("", "."))


def _limited(stream: IO[bytes], size: int, name: str, path: Path) -> bytes:
    """The content of a member: as many bytes as the archive says, and at most MOST_BYTES."""
    if size > MOST_BYTES:
        raise DataError(
            f"{path}: {name!r} has {size} bytes, more than the {MOST_BYTES} that are read; remove it"
        )
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
    while tar.fileobj.read(PIECE):
        pass


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: cannot be read ({reason(error)}): damaged or cut short; get it again")
