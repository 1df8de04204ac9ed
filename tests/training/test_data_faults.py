"""Class folders, archives, caches and files that users or strangers have (training/data): what is told wrongly, what is
taken for another thing, and what a file may cost before it is refused.

Second sources: the same images without the oddity, and Python's and numpy's own limits, which the same bytes reach.
"""

from __future__ import annotations

import io
import os
import pickle
import re
import resource
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folder_pictures import files_of, pictures, put

from training.data import DataError, archives, decoding, idx, load
from training.data.archives import files_in
from training.data.idx import parse_idx
from training.data.pickles import read_pickle

pytestmark = pytest.mark.usefixtures("cache")


def same_images(one: Any, other: Any) -> bool:
    return (
        one.classes == other.classes
        and bool((one.train_images == other.train_images).all())
        and bool((one.test_images == other.test_images).all())
        and bool((one.train_labels == other.train_labels).all())
    )


def refused(place: Path, match: str) -> str:
    with pytest.raises(DataError, match=match) as caught:
        load("images", place)
    said = str(caught.value)
    assert "\n" not in said
    assert not re.search("0x[0-9a-f]{6}", said)
    return said


ODD = {
    "a folder of notebooks in a class folder": lambda cat: put(
        cat, {".ipynb_checkpoints/1-checkpoint.png": b"no"}
    ),
    "a folder of notebooks among the classes": lambda cat: put(
        cat.parent, {".ipynb_checkpoints/1.png": b"no"}
    ),
    "what macOS adds": lambda cat: put(cat, {".DS_Store": b"no", "._0001.png": b"no"}),
    "an empty folder": lambda cat: (cat / "new folder").mkdir(),
    "a folder of hidden files": lambda cat: put(cat, {"thumbs/.thumb": b"no"}),
    "a hidden link that leads nowhere": lambda cat: (cat / ".lock").symlink_to("gone"),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_data_in_a_class_folder_is_left_out(tmp_path, odd):
    plain = put(tmp_path / "plain", files_of(pictures()))
    place = put(tmp_path / "odd", files_of(pictures()))
    ODD[odd](place / "train" / "cat")
    assert same_images(load("images", place), load("images", plain))


def test_a_link_that_leads_nowhere_is_called_one(tmp_path):
    place = put(tmp_path / "pets", files_of(pictures()))
    (place / "train" / "cat" / "9.png").symlink_to("/gone/9.png")
    refused(place, r"train/cat/9.png: a link to /gone/9.png, which is not there; remove it")


def test_a_pipe_and_a_device_are_called_so_and_not_read(tmp_path):
    place = put(tmp_path / "pets", files_of(pictures()))
    os.mkfifo(place / "train" / "cat" / "9.png")
    refused(place, r"train/cat/9.png: no file but a device, a pipe or a socket; remove it")
    (place / "train" / "cat" / "9.png").unlink()
    (place / "train" / "cat" / "9.png").symlink_to("/dev/zero")
    refused(place, r"train/cat/9.png: no file but a device")


def test_a_folder_of_images_in_a_class_folder_is_refused(tmp_path):
    place = put(tmp_path / "pets", files_of(pictures()))
    put(place, {"train/cat/more/1.png": b"an image"})
    refused(place, r"train/cat/more: a folder inside a class folder; put its images into .*train/cat$")


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.parametrize("mark", [":", "\\", "*", "?", "|", '"', " ", "é"])
def test_a_name_may_have_any_character_in_an_archive_as_nothing_is_unpacked(tmp_path, suffix, mark):
    if (suffix, mark) == (".zip", "\\"):
        pytest.skip("in a .zip a backslash divides")
    plain = put(tmp_path / f"plain{suffix}", files_of(pictures()))
    place = put(
        tmp_path / f"odd{suffix}",
        {name.replace(".png", f"{mark}1.png"): content for name, content in files_of(pictures()).items()},
    )
    assert same_images(load("images", place), load("images", plain))


def test_a_zip_of_windows_that_divides_names_by_backslashes_is_read(tmp_path):
    plain = put(tmp_path / "plain.zip", files_of(pictures()))
    place = tmp_path / "windows.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for name, content in {"train\\cat\\": b"", **files_of(pictures())}.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = name.replace("/", "\\")
            archive.writestr(entry, content)
    assert same_images(load("images", place), load("images", plain))


@pytest.mark.parametrize("name", ["..\\..\\up", "..\\up", "\\etc\\passwd"])
def test_a_backslash_leads_out_of_no_zip(tmp_path, name):
    place = tmp_path / "bad.zip"
    with zipfile.ZipFile(place, "w") as archive:
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        archive.writestr(entry, b"1")
    with pytest.raises(DataError, match="leads out of the archive"):
        list(files_in(place))


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar.gz"])
def test_two_spellings_of_one_class_are_one_class(tmp_path, suffix):
    def spelt(form: Any, name: str) -> str:
        return unicodedata.normalize(form, name.replace("/cat/", "/caf\u00e9/"))

    plain, odd = ({}, {})
    for name, content in files_of(pictures()).items():
        plain[spelt("NFC", name)] = content
        odd[spelt("NFD" if name.startswith("test") else "NFC", name)] = content
    assert plain.keys() != odd.keys()
    one, other = put(tmp_path / f"a{suffix}", plain), put(tmp_path / f"b{suffix}", odd)
    assert load("images", other).classes == load("images", one).classes
    assert "caf\u00e9" in load("images", other).classes


def test_a_message_about_a_picture_has_no_address(tmp_path):
    place = put(tmp_path / "pets", files_of(pictures()))
    for content in (
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
        b"BM" + b"\xff" * 60,
        b"\xff\xd8\xff\xe0" + b"x" * 30,
    ):
        put(place, {"train/cat/9.png": content})
        refused(place, r"'train/cat/9.png' cannot be decoded \(.*\); replace or remove it")


@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_kept_images_are_called_by_the_name_their_archive_has_now(tmp_path, suffix):
    first = put(tmp_path / f"set{suffix}", files_of(pictures()))
    assert load("images", first).label == f"set{suffix} (class folders)"
    renamed = first.rename(tmp_path / f"renamed{suffix}")
    found = load("images", renamed)
    assert found.label == f"renamed{suffix} (class folders)"
    assert found.source.startswith(f"renamed{suffix}: 18 images in 3 class folders")
    assert same_images(found, load("images", renamed.rename(first)))


@pytest.mark.filterwarnings("ignore:.*damaged")
def test_no_changed_byte_of_a_kept_file_is_taken_or_ends_in_a_traceback(tmp_path, cache):
    place = put(tmp_path / "set.zip", files_of(pictures(train=1, test=1, shape=(2, 2, 3))))
    expected = load("images", place)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    places = {*range(0, len(whole), 61), *range(24), *range(len(whole) - 24, len(whole))}
    for at in sorted(places):
        changed = bytearray(whole)
        changed[at] ^= int(random.integers(1, 256))
        file.write_bytes(changed)
        with pytest.warns(UserWarning, match="damaged"):
            assert same_images(load("images", place), expected)
        assert file.read_bytes() == whole or load("images", place)


def zip_of_zeros(path: Path, files: int, size: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(files):
            with archive.open(f"train/cat/{number}.png", "w") as stream:
                for _ in range(size // 2**20):
                    stream.write(bytes(2**20))
    return path


def peak_of(code: str) -> int:
    """Bytes of memory that a process takes at most which runs the code, beyond what importing takes."""
    program = (
        "import resource, sys\nfrom training.data import DataError, load\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        f"before = peak()\ntry:\n    {code}\nexcept DataError as error:\n    print(error, file=sys.stderr)\n"
        "print(peak() - before)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("\n") == 1
    return int(run.stdout)


MODEST = 100 * 2**20


def test_a_small_zip_of_much_is_refused_before_it_takes_memory(tmp_path):
    place = zip_of_zeros(tmp_path / "bomb.zip", files=3, size=64 * 2**20)
    assert place.stat().st_size < 2**20
    assert peak_of(f"load('images', {str(place)!r})") < MODEST


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_tar_with_a_name_without_end_is_refused_before_it_takes_memory(tmp_path, kind):
    place, size = tmp_path / "bomb.tar.gz", 160 * 2**20
    with tarfile.open(place, "w:gz", compresslevel=9) as tar:
        member = tarfile.TarInfo("name")
        member.type, member.size = kind, size
        assert tar.fileobj is not None
        tar.fileobj.write(member.tobuf(tarfile.GNU_FORMAT))
        for _ in range(size // 2**20):
            tar.fileobj.write(b"a" * 2**20)
    assert place.stat().st_size < 2 * 2**20
    assert peak_of(f"load('images', {str(place)!r})") < MODEST


def test_files_are_counted_and_added_up_before_they_are_held(tmp_path, monkeypatch):
    places = [put(tmp_path / f"set{suffix}", files_of(pictures())) for suffix in (".zip", ".tar", "")]
    for limit in ("MOST_IN_ALL", "MOST_FILES"):
        monkeypatch.setattr(archives, limit, 5)
        for place in places:
            refused(place, r"files of \d+ bytes in all.* held at once; make it smaller")
        monkeypatch.undo()


def test_images_that_need_more_memory_than_there_is_are_refused(tmp_path, monkeypatch):
    place = put(tmp_path / "pets", files_of(pictures()))
    monkeypatch.setattr(os, "sysconf", lambda name: 10)
    refused(
        place,
        r"12 images of \(channels, height, width\) \(3, 6, 5\) need 1080 bytes of memory, this machine has 100",
    )


def test_large_files_beside_the_images_are_not_read(tmp_path, monkeypatch):
    files = {"readme.pdf": bytes(5000), "extra/labels.npy": bytes(5000), **files_of(pictures())}
    monkeypatch.setattr(decoding, "MOST_BYTES", 2000)
    plain = load("images", put(tmp_path / "plain", files_of(pictures())))
    for suffix in ("", ".zip", ".tar.xz"):
        assert same_images(load("images", put(tmp_path / f"set{suffix}", files)), plain)


@pytest.mark.parametrize("dimensions", [0, 5, 64, 65, 255])
def test_an_idx_of_many_dimensions_is_no_idx(dimensions):
    content = bytes([0, 0, 8, dimensions]) + b"\0\0\0\1" * dimensions + b"x"
    with pytest.raises(DataError, match="no idx file of bytes"):
        parse_idx(content, "a")


def test_an_idx_that_unpacks_to_too_much_says_so(tmp_path, monkeypatch):
    import gzip

    monkeypatch.setattr(idx, "MOST_BYTES", 1000)
    for name in idx.FILES:
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(bytes(1001)))
    with pytest.raises(DataError, match="unpacks to more than 1000 bytes"):
        load("fashion-mnist", tmp_path)


DEEP = 400_000  # a few times what the stack of a process has room for
HOSTILE = {
    "a deep tuple as a key": b"}" + b")" + b"\x85" * DEEP + b"K\x01s.",
    "a deep tuple as a key among many": b"}(" + b")" + b"\x85" * DEEP + b"K\x01u.",
    "a deep tuple as a key of another kind": b"(" + b")" + b"\x85" * DEEP + b"K\x01d.",
    "a deep tuple in a set": b"\x80\x04\x8f(" + b")" + b"\x85" * DEEP + b"\x90.",
    "tuples of one tuple, sixty times": b"}" + b")" + b"2\x86" * 60 + b"K\x01s.",
    "a deep list": b"]" * DEEP + b"a" * (DEEP - 1) + b".",
    "a deep name of a type": b"cnumpy\ndtype\n(" + b"]" + b"(]e" * 10_000 + b"tR.",
    "an index of four billion": b"}r\xff\xff\xff\xff.",
    "bytes that are not there": b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b".",
    "an int of two gigabytes": b"\x8b\xff\xff\xff\x7f.",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_pickle_made_to_crash_is_refused_in_a_process_that_lives(tmp_path, kind):
    path = tmp_path / "pickle"
    path.write_bytes(HOSTILE[kind])
    program = (
        "import sys\nfrom pathlib import Path\nfrom training.data import DataError\n"
        "from training.data.pickles import read_pickle\n"
        f"try:\n    print(len(read_pickle(Path({str(path)!r}).read_bytes(), 'data_batch_1')))\n"
        "except DataError as error:\n    print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=no_more_than_2_gb,
    )
    assert run.returncode == 0, run.stderr
    assert (
        run.stdout.startswith("data_batch_1: ") or run.stdout == "0\n"
    )  # the last one leaves an empty dictionary


def no_more_than_2_gb() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (2 * 2**30, 2 * 2**30))


@pytest.mark.parametrize("protocol", [3, 4])
def test_pickles_of_every_protocol_are_read_as_python_reads_them(protocol):
    content = {
        "labels": [3, 1],
        b"names": [b"a", "b"],
        7: (1, None, [2.5]),
        "data": np.arange(6, dtype=np.uint8),
    }
    found = read_pickle(pickle.dumps(content, protocol), "a")
    expected = pickle.loads(pickle.dumps(content, protocol), encoding="bytes")
    assert found.pop("data").tolist() == expected.pop("data").tolist()
    assert found == {"labels": [3, 1], "names": [b"a", "b"], "7": (1, None, [2.5])}
    assert found["7"] == expected[7]


def test_a_tar_of_every_packing_is_read_whatever_it_is_called(tmp_path):
    files = files_of(pictures())
    for mode in ("w:", "w:gz", "w:bz2", "w:xz"):
        packed = io.BytesIO()
        writing: Any = mode
        with tarfile.open(fileobj=packed, mode=writing) as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        path = tmp_path / "any.tar.gz"
        path.write_bytes(packed.getvalue())
        assert dict(files_in(path)) == files


def test_long_names_that_are_honest_are_read(tmp_path):
    long = "train/" + "c" * 200 + "/" + "n" * 220 + ".png"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "long.tar.gz", "w:gz", format=form) as tar:
            member = tarfile.TarInfo(long)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
        assert dict(files_in(tmp_path / "long.tar.gz")) == {long: b"abc"}
