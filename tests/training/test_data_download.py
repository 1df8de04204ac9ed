"""Downloads (training/data/download.py): the published file or nothing, and never over another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from published_files import as_published, put

from training.data import DataError, download
from training.data.catalogue import CATALOGUE


def site(monkeypatch, tmp_path: Path, content: bytes = b"an archive") -> Path:
    """A file that stands for the site of CIFAR-10, with the content published."""
    source = tmp_path / "site"
    put(source, {"cifar-10-python.tar.gz": content})
    as_published(
        monkeypatch, "cifar10", {"cifar-10-python.tar.gz": b"an archive"}, site=source.as_uri() + "/"
    )
    return source


def test_a_download_brings_the_published_file_and_leaves_a_right_one(monkeypatch, tmp_path):
    source = site(monkeypatch, tmp_path)
    calls = []
    target = tmp_path / "new" / "folder"
    paths = download("cifar10", target, lambda *call: calls.append(call))
    assert paths == [target / "cifar-10-python.tar.gz"]
    assert paths[0].read_bytes() == b"an archive"
    assert calls == [("cifar-10-python.tar.gz", 10, 10)]
    (source / "cifar-10-python.tar.gz").unlink()
    assert download("cifar10", target) == paths
    assert [path.name for path in target.iterdir()] == ["cifar-10-python.tar.gz"]


@pytest.mark.parametrize(
    "content", [b"an archiv", b"<html>moved</html>", b""], ids=["cut", "a page", "nothing"]
)
def test_a_download_of_something_else_leaves_nothing(monkeypatch, tmp_path, content):
    site(monkeypatch, tmp_path, content)
    with pytest.raises(
        DataError, match=r"what came has md5 .* put cifar-10-python.tar.gz .* by hand"
    ) as caught:
        download("cifar10", tmp_path / "folder")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_wrong_file_is_never_written_over(monkeypatch, tmp_path):
    site(monkeypatch, tmp_path)
    put(tmp_path / "folder", {"cifar-10-python.tar.gz": b"mine"})
    with pytest.raises(DataError, match="its md5 is"):
        download("cifar10", tmp_path / "folder")
    assert (tmp_path / "folder" / "cifar-10-python.tar.gz").read_bytes() == b"mine"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "http://nowhere.invalid/"])
def test_without_a_network_one_line_says_which_file_goes_where(monkeypatch, tmp_path, address):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setitem(CATALOGUE, "svhn", replace(CATALOGUE["svhn"], site=address, also=""))
    with pytest.raises(DataError) as caught:
        download("svhn", tmp_path)
    message = str(caught.value)
    assert message.startswith(f"cannot fetch {address}train_32x32.mat (")
    assert f"put train_32x32.mat (md5 e26dedcc434d2e4c54c9b2d4a06d8373) into {tmp_path} by hand" in message
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []


def test_a_download_needs_a_known_name_and_a_folder_to_write_to(tmp_path):
    with pytest.raises(
        ValueError, match=r"'digits': nothing to download .*cifar10, cifar100, svhn, fashion-mnist"
    ):
        download("digits", tmp_path)
    put(tmp_path, {"folder/file": b""})
    with pytest.raises(DataError, match=r"folder.*file: .*; give a folder that can be written to"):
        download("cifar10", tmp_path / "folder" / "file")
