"""The file of records: what survives a killed process, a full disk and two writers at once."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from record_tools import AT, COMPACT, ROOT, changed, python
from run_records import run_record

from training.cells.recipes import recipe
from training.results.records import _locked, append, find, read


def test_records_come_back_as_they_were_written_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "inner" / "runs.jsonl"
    curve = {"epoch": [1, 2], "test_pgd20": [0.25, 0.5], "seconds": [3.5, 7.0]}
    written = [AT, COMPACT, {**AT, "seed": 2, "data": "CIFAR-10 (±)", "curve": curve}]
    for record in written:
        append(path, record)
    assert read(path) == json.loads(json.dumps(written))
    lines = path.read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == json.loads(json.dumps(written))
    assert lines[-1] == b""


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"runs\.jsonl"):
        read(tmp_path / "runs.jsonl")


def test_find_asks_for_what_is_given_and_nothing_else() -> None:
    records = [
        AT,
        COMPACT,
        run_record("cifar10-rn18-at", 1, 5000),
        run_record("cifar10-rn18-at", 1, 5000, epochs=3),
        run_record("cifar10-rn18-at", 1, 5000, data="CIFAR-10 (JPEG copy)", device="cpu"),
    ]
    digest = recipe("cifar10-rn18-at").digest
    assert find(records) == records
    assert find(records, digest=digest) == [AT, *records[2:]]
    assert find(records, seed=0) == [AT]
    assert find(records, digest=digest, seed=1, data="CIFAR-10", shortened=False) == [records[2]]
    assert find(records, seed=1, data="CIFAR-10", shortened=True) == [records[3]]
    assert find(records, device="cpu") == [COMPACT, records[4]]
    assert find(records, digest="0" * 16) == []


def test_a_bad_record_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    with pytest.raises(ValueError, match="need a finite number"):
        append(path, changed("selection.last.pgd20", math.nan))
    assert not path.exists()


def test_records_of_another_kind_bring_their_own_check(tmp_path: Path) -> None:
    path = tmp_path / "landscapes.jsonl"

    def check(record: Any) -> None:
        if "alphas" not in record:
            raise ValueError("alphas is missing")

    append(path, {"alphas": [0.0]}, check)
    assert read(path, check) == [{"alphas": [0.0]}]
    with pytest.raises(ValueError, match="alphas is missing"):
        append(path, {}, check)
    with pytest.raises(ValueError, match=r"landscapes\.jsonl, line 1: recipe is missing"):
        read(path)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b'{"recipe": {"na', "is no JSON"),
        (b"<<<<<<< HEAD", "is no JSON"),
        (b"[1, 2]", "is a list, need an object"),
        (b"\xff\xff", "is no text in UTF-8"),
        (b"[" * 100_000, "is nested more than 50 deep"),
        (b'{"seed": 1, "seed": 1}', "holds the field 'seed' twice"),
        (b'{"recipe": {}}', "digest is missing"),
        (json.dumps(changed("seconds", math.nan)).encode(), "seconds = nan, need a finite number"),
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, broken: bytes, message: str) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    whole = path.read_bytes()
    for content, number in (
        (whole + broken + b"\n" + whole, 2),
        (broken + b"\n", 1),
        (whole + b"\n" + broken + b"\n", 3),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"runs\.jsonl, line {number}: .*{message}"):
            read(path)
        assert path.read_bytes() == content


def test_a_last_line_cut_short_is_skipped_with_a_warning_and_the_next_append_moves_it_aside(
    tmp_path: Path,
) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    whole = path.read_bytes()
    for length in (1, 10, len(whole) // 2, len(whole) - 2):
        path.write_bytes(whole + whole[:length])
        with pytest.warns(UserWarning, match=r"runs\.jsonl, line 2: cut short, skipped"):
            assert read(path) == read_quietly(whole)
        with pytest.warns(UserWarning, match=r"cut short and now lies in .*runs\.jsonl\.torn"):
            append(path, COMPACT)
        assert read(path) == [*read_quietly(whole), json.loads(json.dumps(COMPACT))]
        assert (tmp_path / "runs.jsonl.torn").read_bytes().endswith(whole[:length] + b"\n")


def read_quietly(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


def test_a_last_line_that_lacks_only_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    path.write_bytes(path.read_bytes()[:-1])
    assert [record["seed"] for record in read(path)] == [0]
    append(path, COMPACT)
    assert [record["seed"] for record in read(path)] == [0, 1]
    assert not (tmp_path / "runs.jsonl.torn").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to name what is synchronised")
def test_what_is_written_is_on_the_disk_when_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronised: list[tuple[str, int]] = []

    def noting(descriptor: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        synchronised.append((name, path.stat().st_size))

    monkeypatch.setattr(os, "fsync", noting)
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    size = path.stat().st_size
    assert synchronised == [("runs.jsonl", size), (tmp_path.name, size)]
    synchronised.clear()
    path.write_bytes(path.read_bytes() + b"torn")
    with pytest.warns(UserWarning, match="cut short"):
        append(path, AT)
    # What is moved aside is safe before it is cut off.
    assert synchronised == [("runs.jsonl.torn", size + 4), ("runs.jsonl", 2 * size)]


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from tests.run_records import run_record
from training.results.records import append
first, path = int(sys.argv[1]), Path(sys.argv[2])
for seed in range(first, first + 25):
    append(path, {**run_record("cifar10-rn18-at", seed, 5000), "padding": "x" * 20_000})
"""


def test_two_processes_may_append_at_once(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    writers = [threading.Thread(target=python, args=(WRITER, first, str(path))) for first in ("0", "100")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    seeds = [record["seed"] for record in read(path)]
    assert sorted(seeds) == [*range(25), *range(100, 125)]
    assert [seed for seed in seeds if seed < 100] == list(range(25))


def test_a_second_writer_waits_for_one_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    line = json.dumps(AT).encode() + b"\n"
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.run_records import run_record\n"
        "from training.results.records import append, read\npath = Path(sys.argv[1])\nprint('ready', flush=True)\n"
        "print(len(read(path)))\nappend(path, run_record('cifar10-rn18-at', 1, 5000))"
    )
    with _locked(path) as file:
        file.write(line[:100])
        other = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=0.3)
        file.write(line[100:])
    assert other.communicate(timeout=30)[0] == "1\n"
    assert other.returncode == 0
    assert [record["seed"] for record in read(path)] == [0, 1]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, ".")
from tests.run_records import run_record
from training.results.records import append
path = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100,) * 2)
try:
    append(path, run_record("cifar10-rn18-at", 1, 5000))
except OSError as error:
    print(error.strerror)
"""


def test_a_record_that_does_not_fit_on_the_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    before = path.read_bytes()
    assert python(FULL_DISK, str(path)).stdout == "File too large\n"
    assert path.read_bytes() == before


def test_a_process_killed_while_it_holds_the_lock_does_not_block_the_next(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom training.results.records import _locked\n"
        "with _locked(Path(sys.argv[1])) as file:\n"
        "    file.write(b'{\"recipe\"')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert python(program, str(path), check=False).returncode == -9
    with pytest.warns(UserWarning, match="cut short"):
        append(path, AT)
    assert [record["seed"] for record in read(path)] == [0]
