"""Fetches the published files of a data set from their authors' sites and verifies them (`--download`)."""

from __future__ import annotations

import http.client
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from training.data.catalogue import CATALOGUE, Published
from training.data.integrity import DataError, Progress, file_digest, reason, require_known

PIECE = 2**20
TIMEOUT = 30.0  # seconds without a byte


def download(name: str, folder: str | os.PathLike[str], progress: Progress | None = None) -> list[Path]:
    """The files of a published data set in `folder`: those that are there and right are left, the others fetched.

    A file comes under its name only once its md5 was found to be the published one. A wrong file that bears its name
    is never written over. `name`: a key of `catalogue.CATALOGUE`. `progress`: called with (file, bytes so far, all
    bytes or 0).

    Raises: ValueError for a name with nothing to download. DataError, in one line that says which file belongs where,
    without a network, for another file under its name or from the site, and where the folder cannot be written to.
    """
    if name not in CATALOGUE:
        raise ValueError(f"name={name!r}: nothing to download by that name; known: {', '.join(CATALOGUE)}")
    published = CATALOGUE[name]
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{target}: {reason(error)}; give a folder that can be written to") from error
    paths = [target / file for file in published.fetch]
    for path in paths:
        if path.exists():
            require_known(path, published.files[path.name])
        else:
            _fetch(path, published, progress)
    return paths


def _fetch(path: Path, published: Published, progress: Progress | None) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            for piece, done, total in _pieces(path, published):
                stream.write(piece)
                if progress:
                    progress(path.name, done, total)
        found = file_digest(partial, "md5")
        if found != published.files[path.name]:
            raise DataError(
                f"{published.site}{path.name}: what came has md5 {found}, not the published"
                f" {published.files[path.name]}; try again, or {_by_hand(path, published)}"
            )
        os.replace(partial, path)
    except OSError as error:
        raise DataError(f"{path}: {reason(error)}; make room, or give a folder to write to") from error
    finally:
        partial.unlink(missing_ok=True)


def _pieces(path: Path, published: Published) -> Iterator[tuple[bytes, int, int]]:
    """(bytes, number so far, number in all or 0) of what the site sends."""
    url = published.site + path.name
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read(PIECE):
                done += len(piece)
                yield piece, done, total
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DataError(
            f"cannot fetch {url} ({reason(getattr(error, 'reason', error))}): {_by_hand(path, published)}"
        ) from error


def _by_hand(path: Path, published: Published) -> str:
    return f"put {path.name} (md5 {published.files[path.name]}) into {path.parent} by hand"
