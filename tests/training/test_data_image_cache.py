"""What an archive of images decodes to is kept (training/data/cache.py): taken once whole and of this archive only."""

from __future__ import annotations

import shutil

import pytest
from folder_pictures import assert_holds, files_of, pictures, put

from training.data import class_folders, load
from training.data.cache import cache_folder

pytestmark = pytest.mark.usefixtures("cache")


def forbid_decoding(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(class_folders, "decoded", refuse)


def test_an_archive_is_decoded_once(monkeypatch, tmp_path, cache):
    chosen = pictures()
    path = put(tmp_path / "pets.zip", files_of(chosen))
    first = load("images", path)
    assert [file.suffix for file in cache.iterdir()] == [".npz"]
    forbid_decoding(monkeypatch)
    again = load("images", path)
    assert_holds(again, chosen, ("ant", "cat", "dog"))
    assert (again.label, again.source) == (first.label, first.source)
    put(path, files_of(pictures(train=3)))
    with pytest.raises(AssertionError, match="decoded"):
        load("images", path)


def test_a_folder_is_decoded_every_time(monkeypatch, tmp_path, cache):
    path = put(tmp_path / "pets", files_of(pictures()))
    load("images", path)
    assert not cache.exists()
    forbid_decoding(monkeypatch)
    with pytest.raises(AssertionError, match="decoded"):
        load("images", path)


@pytest.mark.parametrize("damage", ["cut", "a byte", "foreign", "empty"])
def test_a_damaged_cache_is_written_anew_with_a_warning(monkeypatch, tmp_path, cache, damage):
    chosen = pictures()
    path = put(tmp_path / "pets.zip", files_of(chosen))
    load("images", path)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    other = bytearray(whole)
    other[whole.index(b"train_images.npy") + 200] ^= 1
    file.write_bytes(
        {"cut": whole[:-100], "a byte": bytes(other), "foreign": b"not an archive", "empty": b""}[damage]
    )
    with pytest.warns(UserWarning, match=r"images-.*npz: damaged .* again"):
        assert_holds(load("images", path), chosen, ("ant", "cat", "dog"))
    assert file.read_bytes()[:100] == whole[:100]
    forbid_decoding(monkeypatch)
    assert_holds(load("images", path), chosen, ("ant", "cat", "dog"))


def test_a_cache_of_another_archive_is_not_taken(tmp_path, cache):
    mine, other = (
        put(tmp_path / "a.zip", files_of(pictures())),
        put(tmp_path / "b.zip", files_of(pictures(train=3))),
    )
    load("images", other)
    (foreign,) = cache.iterdir()
    load("images", mine)
    (file,) = set(cache.iterdir()) - {foreign}
    shutil.copy(foreign, file)
    with pytest.warns(UserWarning, match="it belongs to another archive"):
        assert len(load("images", mine).train_labels) == 12


def test_a_cache_that_cannot_be_written_costs_a_warning(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SMOOTHNESS_AT_CACHE", str(tmp_path / "file"))
    chosen = pictures()
    with pytest.warns(UserWarning, match=r"not kept .*; set SMOOTHNESS_AT_CACHE"):
        assert_holds(
            load("images", put(tmp_path / "pets.zip", files_of(chosen))), chosen, ("ant", "cat", "dog")
        )


def test_the_cache_is_in_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("SMOOTHNESS_AT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "smoothness-at"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "smoothness-at"
