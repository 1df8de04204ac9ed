"""What comes from strangers (training/data/pickles.py, archives.py): a pickle runs nothing, an archive stays inside.

Second sources: Python's own unpickler, which falls for the same pickles, and the files that were packed.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.data import DataError, archives
from training.data.archives import files_in, named_files
from training.data.pickles import read_pickle

ROWS = np.random.default_rng(0).integers(0, 256, (5, 7), dtype=np.uint8)
FILES = {f"top/{name}": name.encode() * 300 for name in ("a", "b.bin", "c")}
TAR_MODES = {
    ".tar": "w:",
    ".tar.gz": "w:gz",
    ".tgz": "w:gz",
    ".tar.bz2": "w:bz2",
    ".tar.xz": "w:xz",
    ".txz": "w:xz",
}


PythonPickler: Any = pickle._Pickler  # type: ignore[attr-defined]


class LikePython2(PythonPickler):
    """Writes str and bytes as Python 2 wrote its str, arrays by numpy's old name: so the CIFAR archives have them."""

    dispatch = dict(PythonPickler.dispatch)  # noqa: RUF012

    def save_text(self, text: Any) -> None:
        raw = text if isinstance(text, bytes) else text.encode("latin1")
        short = len(raw) < 256
        head = pickle.SHORT_BINSTRING if short else pickle.BINSTRING
        self.write(head + len(raw).to_bytes(1 if short else 4, "little") + raw)

    def save_function(self, function: Any) -> None:
        assert function.__name__ == "_reconstruct"
        self.write(b"cnumpy.core.multiarray\n_reconstruct\n")

    dispatch[str] = save_text
    dispatch[bytes] = save_text
    dispatch[type(np.ndarray.__reduce__)] = save_function
    dispatch[type(np.empty(0).__reduce__()[0])] = save_function


def like_python2(content: dict) -> bytes:
    packed = io.BytesIO()
    LikePython2(packed, protocol=2).dump(content)
    return packed.getvalue()


CONTENT = {
    "data": ROWS,
    "turned": np.asfortranarray(ROWS),
    "labels": [3, 1, 4],
    "filenames": ["a.png", "b.png"],
    "batch_label": "testing batch 1 of 1",
    "nothing": None,
    "nested": {"numbers": (1, 2.5, True)},
}


def assert_content(found: dict[str, Any]) -> None:
    assert set(found) == set(CONTENT)
    np.testing.assert_array_equal(found["data"], ROWS)
    np.testing.assert_array_equal(found["turned"], ROWS)
    assert found["data"].dtype == np.uint8
    assert found["labels"] == [3, 1, 4]
    assert found["nothing"] is None


def test_a_pickle_of_python_2_is_read_as_python_reads_it():
    packed = like_python2(CONTENT)
    opcodes = {opcode.name for opcode, _, _ in pickletools.genops(packed)}
    assert {"SHORT_BINSTRING", "GLOBAL", "REDUCE", "BUILD"} <= opcodes
    assert not opcodes & {"BINUNICODE", "STACK_GLOBAL", "BINBYTES"}
    found = read_pickle(packed, "batch")
    assert_content(found)
    python = pickle.loads(packed, encoding="bytes")
    np.testing.assert_array_equal(found["turned"], python[b"turned"])
    assert found["batch_label"] == python[b"batch_label"]
    assert found["filenames"] == python[b"filenames"]


@pytest.mark.parametrize("protocol", [3, 4])
def test_a_pickle_of_python_3_is_read_too(protocol):
    assert_content(read_pickle(pickle.dumps(CONTENT, protocol), "batch"))


class Calls:
    """A pickle of it calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_calls_something_is_refused_and_nothing_is_called(tmp_path, protocol):
    target = tmp_path / "called"
    packed = pickle.dumps({"data": Calls(open, str(target), "w")}, protocol)
    with pytest.raises(
        DataError, match=r"batch: the pickle names (io|builtins|__builtin__)\.open, and only arrays"
    ):
        read_pickle(packed, "batch")
    assert not target.exists()
    pickle.loads(packed)["data"].close()
    assert target.exists()


NUMPY = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
DTYPE = b"cnumpy\ndtype\n"
EMPTY = NUMPY + b"(" + NDARRAY + b"(K\x00tC\x01btR"
U1 = DTYPE + b"(C\x02u1K\x00K\x01tR"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", r"names os\.system"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0fdtype.__class__\x93.", r"names numpy\.dtype\.__class__"),
        (b"cnumpy\nload\n.", r"names numpy\.load"),
        (b"c_codecs\nencode\n.", r"names _codecs\.encode"),
        (b"(S'true'\nios\nsystem\n.", r"names os\.system"),
        (NDARRAY + b"(J\xff\xff\xff\x7ftR.", "a damaged pickle"),
        (NDARRAY + b")\x81.", "a damaged pickle"),
        (NUMPY + b"(" + DTYPE + b"(K\x00tC\x01btR.", "builds something else than an array"),
        (DTYPE + b"(C\x01OK\x00K\x01tR.", r"of type b'O'"),
        (DTYPE + b"(C\x02f8K\x00K\x01tR.", r"of type b'f8'"),
        (EMPTY + b"(K\x01(K\x04t" + U1 + b"\x89C\x03abctb.", r"shape \(4,\) in 3 bytes"),
        (
            EMPTY + b"(K\x01(J\xfe\xff\xff\xffJ\xfe\xff\xff\xfft" + U1 + b"\x89C\x04abcdtb.",
            r"shape \(-2, -2\) in 4 bytes",
        ),
        (EMPTY + b"(K\x01(K\x04tN\x89C\x04abcdtb.", "not one of bytes"),
        (EMPTY + b"K\x01b.", "a damaged pickle"),
        (NUMPY + b"}C\x0c__defaults__C\x01xsb.", "a damaged pickle"),
        (NUMPY + b"N}C\x08__call__C\x01xs\x86b.", "a damaged pickle"),
        (b"S'x'\nP1\n.", "a damaged pickle"),
        (b"P1\n.", "a damaged pickle"),
        (b"\x82\x01.", "a damaged pickle"),
        (b"", "a damaged pickle"),
        (b"garbage", "a damaged pickle"),
        (b"I1\n.", "holds a int, not a dictionary"),
        (EMPTY + b".", "holds a _Array, not a dictionary"),
    ],
)
def test_a_pickle_of_anything_else_is_refused(program, message):
    with pytest.raises(DataError, match=rf"a/batch: .*{message}.*; fetch the file") as caught:
        read_pickle(program, "a/batch")
    assert "\n" not in str(caught.value)


def test_the_program_those_are_made_from_builds_an_array_where_it_is_right():
    packed = b"}C\x04data" + EMPTY + b"(K\x01(K\x02K\x02t" + U1 + b"\x89C\x04abcdtbs."
    np.testing.assert_array_equal(read_pickle(packed, "batch")["data"], [[97, 98], [99, 100]])


def test_a_pickle_cut_anywhere_is_refused():
    packed = like_python2({"data": ROWS, "labels": [1]})
    for end in range(len(packed)):
        with pytest.raises(DataError):
            read_pickle(packed[:end], "batch")


def tar_at(path: Path, members: list[tuple[str, bytes, dict[str, Any]]]) -> Path:
    mode: Any = TAR_MODES["".join(path.suffixes)]
    with tarfile.open(path, mode) as tar:
        for name, content, fields in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(content))
    return path


def zip_at(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def packed_files(folder: Path, suffix: str) -> Path:
    path = folder / f"files{suffix}"
    if suffix == ".zip":
        return zip_at(path, [("top/", b""), *FILES.items()])
    folders = [("top", b"", {"type": tarfile.DIRTYPE})]
    return tar_at(path, [*folders, *((f"./{name}", content, {}) for name, content in FILES.items())])


@pytest.mark.parametrize("suffix", [*TAR_MODES, ".zip"])
def test_every_kind_of_archive_gives_the_files_packed(tmp_path, suffix):
    path = packed_files(tmp_path, suffix)
    assert archives.is_archive(path)
    assert dict(files_in(path)) == FILES


@pytest.mark.parametrize("suffix", [*TAR_MODES, ".zip"])
def test_an_archive_cut_anywhere_is_refused(tmp_path, suffix):
    path = packed_files(tmp_path, suffix)
    content = path.read_bytes()
    end = len(content)
    if suffix == ".tar":  # its last record is padded with zeros behind the end mark
        end = 512 * (1 + 3 * 2) + 1
    cuts = {0, 1, *range(100, end, max(end // 40, 1)), end - 1}
    for cut in sorted(cuts):
        path.write_bytes(content[:cut])
        with pytest.raises(DataError, match=rf"files{suffix}: .*(cut short|get the archive again)"):
            list(files_in(path))


BAD_NAMES = ["../up", "top/../../up", "/etc/passwd", "..", "top/.."]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path, name):
    for path in (
        tar_at(tmp_path / "bad.tar.gz", [("fine", b"1", {}), (name, b"2", {})]),
        zip_at(tmp_path / "bad.zip", [("fine", b"1"), (name, b"2")]),
    ):
        with pytest.raises(DataError, match=rf"{path.name}: holds the name .* leads out of the archive"):
            list(files_in(path))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bad.tar.gz", "bad.zip"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE], ids=str
)
def test_a_link_or_a_device_is_refused(tmp_path, kind):
    path = tar_at(tmp_path / "bad.tar", [("top/a", b"", {"type": kind, "linkname": "/etc/passwd"})])
    with pytest.raises(DataError, match=r"'top/a' is a link or a device"):
        list(files_in(path))


def test_a_link_in_a_zip_is_refused(tmp_path):
    entry = zipfile.ZipInfo("top/a")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(DataError, match=r"'top/a' is a link"):
        list(files_in(tmp_path / "bad.zip"))


def test_a_name_that_comes_twice_is_refused(tmp_path):
    path = tar_at(tmp_path / "bad.tar.xz", [("top/a", b"1", {}), ("./top/a", b"2", {})])
    with pytest.raises(DataError, match=r"holds 'top/a' twice"):
        list(files_in(path))


def test_a_file_too_large_is_refused_before_it_is_unpacked(monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    zeros = bytes(10**6)
    for path in (
        tar_at(tmp_path / "bomb.tar.gz", [("zeros", zeros, {})]),
        zip_at(tmp_path / "bomb.zip", [("zeros", zeros)]),
    ):
        with pytest.raises(DataError, match=r"'zeros' has 1000000 bytes, more than the 1000"):
            list(files_in(path))


def test_a_damaged_member_of_a_zip_is_refused(tmp_path):
    path = zip_at(tmp_path / "bad.zip", [("a", bytes(range(256)))])
    content = bytearray(path.read_bytes())
    content[60] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad.zip: cannot be read"):
        list(files_in(path))


def test_files_asked_for_by_name_are_there_or_named(tmp_path):
    path = packed_files(tmp_path, ".tar.gz")
    assert named_files(path, ["top/a", "top/c"]) == {name: FILES[name] for name in ("top/a", "top/c")}
    with pytest.raises(DataError, match=r"lacks top/d, top/e; fetch"):
        named_files(path, ["top/e", "top/a", "top/d"])
