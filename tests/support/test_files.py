"""Whole files (support/files.py): several writers at once, writers that are killed, and files changed by turns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.files import STALE, changing, check_replaceable, make_folder, replace_file

ROOT = Path(__file__).resolve().parents[2]
PROMPT = 60.0
WRITERS = 8
ROUNDS = 60


def begun(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_file_is_replaced_with_text_and_bytes_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    assert replace_file(path, "λ\n") == path
    assert path.read_bytes() == b"\xce\xbb\n"
    replace_file(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    assert [one.name for one in path.parent.iterdir()] == ["a.txt"]


def test_a_file_keeps_its_rights_and_a_new_one_has_those_of_any_other(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("", encoding="utf-8")
    path = replace_file(tmp_path / "a", "1")
    assert path.stat().st_mode == other.stat().st_mode
    path.chmod(0o600)
    replace_file(path, "2")
    assert path.stat().st_mode & 0o777 == 0o600


def test_many_processes_that_write_one_file_all_succeed_and_no_reader_sees_a_torn_one(tmp_path: Path) -> None:
    path = tmp_path / "tables.md"
    replace_file(path, "0" * 100_000)
    writers = [
        begun(
            "from pathlib import Path\nfrom support.files import replace_file\n"
            f"for _ in range({ROUNDS}): replace_file(Path({str(path)!r}), '{number}' * 100_000)"
        )
        for number in range(WRITERS)
    ]
    deadline = time.monotonic() + PROMPT
    while any(writer.poll() is None for writer in writers) and time.monotonic() < deadline:
        content = path.read_text(encoding="utf-8")
        assert len(content) == 100_000
        assert len(set(content)) == 1
    for writer in writers:
        _, said = writer.communicate(timeout=PROMPT)
        assert (writer.returncode, said) == (0, "")
    assert [one.name for one in tmp_path.iterdir()] == ["tables.md"]


def test_what_a_killed_writer_left_is_removed_by_a_later_one_and_what_is_being_written_is_not(
    tmp_path: Path,
) -> None:
    old, new, foreign = (tmp_path / name for name in (".a.md.x1.part", ".a.md.x2.part", ".b.md.x3.part"))
    for part in (old, new, foreign):
        part.write_text("", encoding="utf-8")
    for part in (old, foreign):
        os.utime(part, (0, time.time() - STALE - 60))
    replace_file(tmp_path / "a.md", "text")
    assert sorted(one.name for one in tmp_path.iterdir()) == [new.name, foreign.name, "a.md"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_midst_of_a_write_leaves_the_file_of_before_and_nothing_else(
    number, tmp_path: Path
) -> None:
    path = tmp_path / "a.md"
    replace_file(path, "before")
    writer = begun(
        "import os, time\nfrom pathlib import Path\nfrom support import files\nfrom support.commands import start\n"
        "def stuck(descriptor):\n    print('stuck', flush=True)\n    time.sleep(600)\n"
        "files.os.fsync = stuck\n"
        f"start('writer', lambda: files.replace_file(Path({str(path)!r}), 'after') and 0)"
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "stuck\n"
    writer.send_signal(number)
    writer.communicate(timeout=PROMPT)
    assert writer.returncode == (130 if number == signal.SIGINT else -signal.SIGTERM)
    assert path.read_text(encoding="utf-8") == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.md"]


def test_what_cannot_be_written_names_the_file_and_leaves_it_as_it_was(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "a.md"
    replace_file(path, "before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "part")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        replace_file(path, "after")
    assert raised.value.filename == str(path)
    assert path.read_text(encoding="utf-8") == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.md"]


def test_a_folder_or_a_device_is_not_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(ValueError, match=f"out = {path} must be a file to replace, and is none"):
            replace_file(path, "x")
        with pytest.raises(ValueError, match="must be a file to replace"):
            check_replaceable(path)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="must be a folder, and is none"):
        check_replaceable(tmp_path / "file" / "a.md")
    with pytest.raises(ValueError, match=r"runs = .* must be a folder, and is none"):
        make_folder(tmp_path / "file", "runs")
    with pytest.raises(ValueError, match="no file can be made there"):
        make_folder(tmp_path / "file" / "below" / "it")


def test_entries_that_several_processes_add_at_once_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    replace_file(path, "[]")
    program = (
        "import json, sys\nfrom pathlib import Path\nfrom support.files import changing, replace_file\n"
        f"path = Path({str(path)!r})\n"
        "for number in range(20):\n    with changing(path):\n"
        "        replace_file(path, json.dumps([*json.loads(path.read_text()), [NAME, number]]))"
    )
    adding = [begun(program.replace("NAME", str(name))) for name in range(4)]
    for one in adding:
        _, said = one.communicate(timeout=PROMPT)
        assert (one.returncode, said) == (0, "")
    assert sorted(json.loads(path.read_text(encoding="utf-8"))) == [
        [a, b] for a in range(4) for b in range(20)
    ]


def test_the_turn_of_a_process_that_is_killed_passes_on(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    holder = begun(
        f"import time\nfrom pathlib import Path\nfrom support.files import changing\n"
        f"with changing(Path({str(path)!r})):\n    print('held', flush=True)\n    time.sleep(600)"
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.communicate(timeout=PROMPT)
    with changing(path):
        pass
