"""Fetches the published files of a data set from their authors' sites and verifies them (`--download`)."""

from __future__ import annotations

import http.client
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from support.leaving import last_act
from training.data.catalogue import CATALOGUE, Published
from training.data.integrity import ALGORITHMS, DataError, Progress, file_digest, reason, require_known

PIECE = 2**20
TIMEOUT = 30.0  # seconds without a byte
MOST_BYTES = 2**30  # of a file whose size is not known
STALE = 3600.0  # seconds after which what a killed process left is taken away


def download(name: str, folder: str | os.PathLike[str], progress: Progress | None = None) -> list[Path]:
    """The files of a published data set in `folder`: those that are there and right are left, the others fetched.

    A file comes under its name only once its md5 was found to be the published one and, where the catalogue has one,
    its SHA-256 that. A wrong file that bears its name is never written over. No more is taken than the file has, and
    what was taken is removed when the process is told to end. `name`: a key of `catalogue.CATALOGUE`. `progress`:
    called with (file, bytes so far, all bytes or 0).

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
        _remove_stale(path)
        if path.exists():
            for digest in _digests(path, published):
                require_known(path, digest)
        else:
            _fetch(path, published, progress)
    return paths


def _fetch(path: Path, published: Published, progress: Progress | None) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with last_act(lambda: partial.unlink(missing_ok=True)):
        try:
            _take(path, partial, published, progress)
            for digest in _digests(path, published):
                algorithm = ALGORITHMS[len(digest)]
                found = file_digest(partial, algorithm)
                if found != digest:
                    raise DataError(
                        f"{published.site}{path.name}: what came has {algorithm} {found}, not the published {digest};"
                        f" try again, or {_by_hand(path, published)}"
                    )
            os.replace(partial, path)
        except OSError as error:
            raise DataError(f"{path}: {reason(error)}; make room, or give a folder to write to") from error
        finally:
            partial.unlink(missing_ok=True)


def _take(path: Path, partial: Path, published: Published, progress: Progress | None) -> None:
    """What the first place sends that can be reached; without encryption only what a SHA-256 vouches for."""
    places = [published.site]
    if published.also and path.name in published.pins:
        places.append(published.also)
    failed: list[DataError] = []
    for place in places:
        try:
            with partial.open("wb") as stream:
                for piece, done, total in _pieces(place + path.name, path, published):
                    stream.write(piece)
                    if progress:
                        progress(path.name, done, total)
            return
        except DataError as error:
            failed.append(error)
    raise failed[0]


def _digests(path: Path, published: Published) -> list[str]:
    """The published digest of a file, and our SHA-256 where there is one."""
    pinned = published.pins.get(path.name)
    return [published.files[path.name]] + ([pinned[1]] if pinned else [])


def _remove_stale(path: Path) -> None:
    for part in path.parent.glob(f".{path.name}.*.part"):
        try:
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()
        except OSError:
            continue  # another process was quicker


def _pieces(url: str, path: Path, published: Published) -> Iterator[tuple[bytes, int, int]]:
    """(bytes, number so far, number in all or 0) of what the site sends, at most what the file has."""
    most = published.pins.get(path.name, (MOST_BYTES, ""))[0]
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read(PIECE) if total <= most else b"-":
                done += len(piece)
                if done > most or total > most:
                    raise DataError(
                        f"{url}: sends {max(done, total)} bytes, and {path.name} has at most {most}: it is another"
                        f" file; {_by_hand(path, published)}"
                    )
                yield piece, done, total
    except DataError:
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise DataError(
            f"cannot fetch {url} ({reason(getattr(error, 'reason', error))}): {_by_hand(path, published)}"
        ) from error


def _by_hand(path: Path, published: Published) -> str:
    return f"put {path.name} (md5 {published.files[path.name]}) into {path.parent} by hand"
