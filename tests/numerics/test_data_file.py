"""Files for `--data` that are damaged, hostile or hold other things than real numbers (numerics/data_file.py)."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numerics.__main__ import main
from numerics.data_file import read_data
from numerics.problem import Problem, number_array

X = np.array([[1.5, -2.0], [0.25, 3.0], [-1.0, 0.125]])
Y = np.array([1, -1, 1])
MOST_MEMORY = (
    30_000_000  # bytes beyond what was held before: a small multiple of what a reading of 64 kB needs
)


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(shape: str, kind: str = "<f8") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in members.items():
            written.writestr(f"{name}.npy", content)
    return path


def attempt(path: Path) -> tuple[Any, str]:
    try:
        return read_data(path), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_wrote_is_read_as_numpy_reads_it(tmp_path: Path, write: Any, order: Any) -> None:
    for kind in ("f8", ">f4", "f2", "i1", ">i8", "u2"):
        write(tmp_path / "d.npz", X=np.asarray(np.abs(X), dtype=kind, order=order), y=Y.astype("i2"))
        with np.load(tmp_path / "d.npz") as expected:
            found = read_data(tmp_path / "d.npz")
            np.testing.assert_array_equal(found[0], expected["X"].astype(float))
            np.testing.assert_array_equal(found[1], expected["y"].astype(float))


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_a_file_with_one_byte_changed_is_read_unchanged_or_refused_in_one_line(
    tmp_path: Path, write: Any
) -> None:
    write(tmp_path / "good.npz", X=X, y=Y)
    good, bad = (tmp_path / "good.npz").read_bytes(), tmp_path / "bad.npz"
    refused = 0
    for place in range(len(good)):
        for change in (0x01, 0xFF):
            bad.write_bytes(good[:place] + bytes([good[place] ^ change]) + good[place + 1 :])
            found, message = attempt(bad)
            if found is None:
                refused += 1
                assert message.startswith(f"data = {bad}")
                assert "\n" not in message
            else:
                np.testing.assert_array_equal(found[0], X)
                np.testing.assert_array_equal(found[1], Y)
    assert refused > len(good) / 2


def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "good.npz", X=X, y=Y)
    good, bad = (tmp_path / "good.npz").read_bytes(), tmp_path / "bad.npz"
    for length in range(len(good)):
        bad.write_bytes(good[:length])
        with pytest.raises(ValueError, match=r"^data = [^\n]*$"):
            read_data(bad)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (X + 0.5j, "holds complex numbers as X"),
        (np.full((3, 2), "2020-01-01", dtype="M8[D]"), "holds dates as X"),
        (np.full((3, 2), 3, dtype="m8[s]"), "holds durations as X"),
        (X > 0, "holds truth values as X"),
        (X.astype("U5"), "holds text or records as X"),
        (np.zeros((3, 2), dtype=[("a", "f8")]), "holds text or records as X"),
        (X.astype(object), "holds Python objects as X"),
    ],
)
def test_what_is_no_real_number_is_refused_and_not_made_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], array: np.ndarray, message: str
) -> None:
    np.savez(tmp_path / "d.npz", X=array, y=Y)
    assert main(["local-entropy", "--theta", "1,2", "--data", str(tmp_path / "d.npz")]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    "value",
    [
        X + 0.5j,
        np.full((3, 2), "2020-01-01", dtype="M8[D]"),
        np.ma.masked_greater(X, 2.0),
        X.astype(str),
        [[10**400, 1]],
    ],
)
def test_arrays_in_python_are_held_to_the_same(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^X = .* is not an array of numbers[^\n]*$"):
        number_array("X", value)
    with pytest.raises(ValueError, match="X = "):
        Problem(value, np.ones(len(value)), 0.1)


HOSTILE = {
    "a header of 10^13 rows": {"X": header("(10000000000000, 2)"), "y": npy(Y)},
    "a header of 10^4000 rows": {"X": header(f"({'9' * 4000}, 2)"), "y": npy(Y)},
    "a bomb of zeros that goes on": {"X": header("(3, 2)") + bytes(200_000_000), "y": npy(Y)},
    "a bomb that its header declares": {"X": header("(125000000, 2)") + bytes(64), "y": npy(Y)},
    "many axes": {"X": header(f"({'1, ' * 65})") + bytes(8), "y": npy(Y)},
    "a negative shape": {"X": header("(-3, -2)") + bytes(48), "y": npy(Y)},
    "a header of format 2 with 4 GB": {"X": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100), "y": npy(Y)},
    "a header nested deeply": {"X": header("(" * 5000 + ")" * 5000), "y": npy(Y)},
    "a header that is no Python": {"X": header("__import__('os')"), "y": npy(Y)},
    "a type as long as a house": {"X": header("(3, 2)", "V2000000000"), "y": npy(Y)},
    "text of 2 GB a number": {"X": header("(3, 2)", "U500000000"), "y": npy(Y)},
    "no header": {"X": b"", "y": npy(Y)},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_file_declares_is_held_to_a_budget_before_anything_is_made(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "d.npz", **HOSTILE[name])
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"^data = [^\n]*$"):
            read_data(path)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_refused_without_waiting_for_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe", tmp_path, Path("/dev/null")):
        with pytest.raises(ValueError, match="it is no file"):
            read_data(path)


def test_names_given_twice_or_many_times_over_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as written:
        written.writestr("X.npy", npy(X))
        written.writestr("y.npy", npy(Y))
        with pytest.warns(UserWarning, match="Duplicate"):
            written.writestr("X.npy", npy(-X))
    with pytest.raises(ValueError, match="each once"):
        read_data(tmp_path / "d.npz")
    many = archive(tmp_path / "many.npz", **{f"a{i}": b"" for i in range(1001)})
    with pytest.raises(ValueError, match="holds 1001 arrays"):
        read_data(many)


def test_names_that_would_write_on_the_terminal_are_shown_escaped(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds \\x1b\[31mred; it must") as caught:
        read_data(archive(tmp_path / "d.npz", **{"\x1b[31mred": npy(X)}))
    assert "\x1b" not in str(caught.value)
