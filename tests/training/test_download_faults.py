"""Downloads (training/data/download.py) from sites that send too much, stop, or cannot be reached as they should be.

Second sources: hashlib on the bytes that were served, and the folder's list of files.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest
from published_files import as_published

from training.data import DataError, download
from training.data.catalogue import CATALOGUE

NAME = "cifar-10-python.tar.gz"
CONTENT = bytes(range(256)) * 40
PIN = {NAME: (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())}


class Site(BaseHTTPRequestHandler):
    """Sends what `answer` says; without a length where that is None; `endless`: and then nothing more, for ever."""

    content, length, endless = b"", None, False

    def do_GET(self) -> None:
        self.send_response(200)
        if self.length is not None:
            self.send_header("Content-Length", str(self.length))
        self.end_headers()
        try:
            self.wfile.write(self.content)
            while self.endless:
                time.sleep(0.05)
                self.wfile.write(b"")
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    Site.endless = False
    server.shutdown()
    server.server_close()


def serve(monkeypatch, content: bytes, length: int | None = None) -> None:
    monkeypatch.setattr(Site, "content", content)
    monkeypatch.setattr(Site, "length", length)


def test_a_file_with_the_published_md5_and_another_sha256_is_refused(monkeypatch, tmp_path, address):
    serve(monkeypatch, CONTENT)
    as_published(monkeypatch, "cifar10", {NAME: CONTENT}, site=address, pins={NAME: (len(CONTENT), "0" * 64)})
    with pytest.raises(DataError, match=rf"what came has sha256 {PIN[NAME][1]}, not the published 0000"):
        download("cifar10", tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / NAME).write_bytes(CONTENT)
    with pytest.raises(DataError, match="its sha256 is"):
        download("cifar10", tmp_path)


@pytest.mark.parametrize("length", [None, len(CONTENT), 10**15])
def test_a_site_that_sends_more_than_the_file_has_is_left_at_once(monkeypatch, tmp_path, address, length):
    serve(monkeypatch, CONTENT + b"!" * 10**6, length)
    as_published(monkeypatch, "cifar10", {NAME: CONTENT}, site=address, pins=PIN)
    if length == len(CONTENT):  # what stands behind the length is never read
        assert download("cifar10", tmp_path)[0].read_bytes() == CONTENT
        return
    with pytest.raises(
        DataError, match=rf"sends \d+ bytes, and {NAME} has at most {len(CONTENT)}: it is another file"
    ):
        download("cifar10", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_length_beyond_any_file_ends_in_one_line(monkeypatch, tmp_path, address):
    serve(monkeypatch, CONTENT, 10**30)
    as_published(monkeypatch, "cifar10", {NAME: CONTENT}, site=address, pins=PIN)
    with pytest.raises(DataError, match="it is another file") as caught:
        download("cifar10", tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_without_encryption_is_used_where_the_other_is_not_there_and_a_sha256_vouches(
    monkeypatch, tmp_path, address
):
    serve(monkeypatch, CONTENT)
    gone = "https://127.0.0.1:9/"
    as_published(monkeypatch, "cifar10", {NAME: CONTENT}, site=gone, also=address, pins=PIN)
    assert download("cifar10", tmp_path / "a")[0].read_bytes() == CONTENT
    as_published(monkeypatch, "cifar10", {NAME: CONTENT}, site=gone, also=address, pins={})
    with pytest.raises(DataError, match=rf"cannot fetch {gone}{NAME}"):
        download("cifar10", tmp_path / "b")


def test_what_a_killed_process_left_is_taken_away_when_it_is_old(monkeypatch, tmp_path, address):
    serve(monkeypatch, CONTENT)
    as_published(monkeypatch, "cifar10", {NAME: CONTENT}, site=address, pins=PIN)
    old, new = tmp_path / f".{NAME}.1.part", tmp_path / f".{NAME}.2.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (1, 1))
    download("cifar10", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {NAME, new.name}


def test_the_command_shows_how_far_it_is_and_leaves_nothing_half_when_told_to_end(
    monkeypatch, tmp_path, address
):
    serve(monkeypatch, CONTENT[:5000], len(CONTENT))
    monkeypatch.setattr(Site, "endless", True)
    program = (
        "import sys\nfrom dataclasses import replace\nfrom training.data.catalogue import CATALOGUE\n"
        f"CATALOGUE['cifar10'] = replace(CATALOGUE['cifar10'], site={address!r})\n"
        "import support.progress\nimport training.data.download\n"
        "sys.modules['training.data.download'].PIECE = 1000\nsupport.progress.SPARSE = 0.0\n"
        "from support.commands import interruptible\ninterruptible('training/run.py')\n"
        "from training.run import main\n"
        f"sys.exit(main(['--recipe', 'cifar10-rn18-at', '--download', '--data-dir', {str(tmp_path)!r}, "
        f"'--out', {str(tmp_path / 'out')!r}]))"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        first = run.stderr.readline()
        assert f"{NAME}: 0 of 0 MB" in first
        assert [path.name for path in tmp_path.glob(".*")] == [f".{NAME}.{run.pid}.part"]
        run.send_signal(signal.SIGTERM)
        run.wait(timeout=60)
    assert not list(tmp_path.glob(".*.part"))


def test_every_file_that_is_fetched_has_a_sha256_and_comes_encrypted_first():
    for published in CATALOGUE.values():
        assert set(published.pins) == set(published.fetch)
        assert urlparse(published.site).scheme == "https"
        assert all(len(digest) == 64 and size > 0 for size, digest in published.pins.values())
    assert replace(CATALOGUE["svhn"], pins={}).pins == {}
    assert Path(NAME).suffix == ".gz"
