"""Checkpoints are whole or absent: damaged and foreign ones are seen and passed over, and nothing is written over."""

from __future__ import annotations

import errno
import os
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from training import checkpoint
from training.checkpoint import BadCheckpoint, Checkpoints, load, save
from training.run_folder import RunFolder


def damaged(content: bytes, how: str) -> bytes:
    if how == "truncated":
        return content[: len(content) * 2 // 3]
    if how == "one bit":
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]
    return {"empty": b"", "foreign": b"PK\x05\x06" + bytes(18), "text": b"not a checkpoint\n" * 9}[how]


@pytest.mark.parametrize("how", ["truncated", "one bit", "empty", "foreign", "text"])
def test_a_damaged_checkpoint_is_seen_and_the_one_before_is_used(how, tmp_path):
    kept = Checkpoints(tmp_path)
    for number in (1, 2):
        kept.save({"number": number, "weights": torch.arange(1000.0)})
    kept.newest.write_bytes(damaged(kept.newest.read_bytes(), how))
    with pytest.warns(UserWarning, match=r"checkpoint\.pt .*: the one before it is used"):
        content = kept.load(lambda content: None)
    assert content is not None
    assert content["number"] == 1
    kept.previous.write_bytes(damaged(kept.previous.read_bytes(), how))
    with (
        pytest.warns(UserWarning, match=r"checkpoint\.previous\.pt .*: unused"),
        pytest.warns(UserWarning, match=r"checkpoint\.pt .*: the one before it is used"),
    ):
        assert kept.load(lambda content: None) is None


def test_a_checkpoint_of_another_program_kind_or_format_is_refused(tmp_path):
    path = tmp_path / "file.pt"
    torch.save({"model": torch.zeros(2)}, path)
    with pytest.raises(BadCheckpoint, match="another program"):
        load(path, "checkpoint")
    save(path, "trained", {"a": 1})
    assert load(path, "trained")["a"] == 1
    with pytest.raises(BadCheckpoint, match="'trained' of format 1, need 'checkpoint' of 1"):
        load(path, "checkpoint")
    torch.save({"project": "smoothness-at", "format": 0, "kind": "checkpoint"}, path)
    with pytest.raises(BadCheckpoint, match="of format 0"):
        load(path, "checkpoint")


def test_a_file_that_would_execute_something_is_refused(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    path = tmp_path / "file.pt"
    torch.save({"project": "smoothness-at", "harm": Harm()}, path)
    with pytest.raises(BadCheckpoint, match="holds more than tensors"):
        load(path, "checkpoint")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_full_disk_leaves_the_checkpoints_as_they_were(moment, tmp_path, monkeypatch):
    kept = Checkpoints(tmp_path)
    for number in (1, 2):
        kept.save({"number": number})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint.os, moment, full)
    with pytest.raises(OSError, match="No space left"):
        kept.save({"number": 3})
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


IDENTITY = {
    "recipe": "a",
    "digest": "0",
    "seed": 0,
    "data": "digits",
    "examples": 9,
    "epochs": 2,
    "n_test": 3,
    "evaluate_every": 1,
    "settings": {"device": "cpu", "amp": "off"},
}


def folder(path: Path, *, resume: bool = True, threads: int = 1, **changes) -> RunFolder:
    return RunFolder(path, {**IDENTITY, **changes}, resume=resume, threads=threads)


def test_another_run_in_the_folder_is_set_aside_and_kept(tmp_path):
    path = tmp_path / "seed0"
    with folder(path) as run:
        run.save_checkpoint({"epoch": 1})
    with folder(path) as run:
        assert run.load_checkpoint() == {"epoch": 1}
    differences: list[dict[str, Any]] = [{"digest": "1"}, {"resume": False, "digest": "1"}]
    for number, changes in enumerate(differences, start=1):
        run = folder(path, **changes)
        with pytest.warns(UserWarning, match=f"now lies in seed0.old{number}"):
            run.__enter__()
        assert run.load_checkpoint() is None
        run.save_checkpoint({"epoch": 2})
        run.__exit__()
    assert load(tmp_path / "seed0.old1" / "checkpoint.pt", "checkpoint")["state"] == {"epoch": 1}


def test_a_run_begun_with_other_options_is_not_continued(tmp_path):
    path = tmp_path / "seed0"
    with folder(path):
        pass
    with (
        pytest.raises(
            ValueError, match="begun with device cpu, amp off, now device cpu, amp bf16: give the same"
        ),
        folder(path, settings={"device": "cpu", "amp": "bf16"}),
    ):
        pass


def test_a_foreign_checkpoint_in_the_folder_is_passed_over(tmp_path):
    with folder(tmp_path / "one") as run:
        run.save_checkpoint({"epoch": 1})
    with folder(tmp_path / "two", digest="1") as other:
        other.save_checkpoint({"epoch": 7})
    os.replace(tmp_path / "one" / "checkpoint.pt", tmp_path / "one" / "checkpoint.previous.pt")
    os.replace(tmp_path / "two" / "checkpoint.pt", tmp_path / "one" / "checkpoint.pt")
    with (
        folder(tmp_path / "one") as run,
        pytest.warns(UserWarning, match="belongs to a run with another digest: the one before it is used"),
    ):
        assert run.load_checkpoint() == {"epoch": 1}


def test_another_number_of_threads_is_warned_about(tmp_path):
    with folder(tmp_path / "run") as run:
        run.save_checkpoint({"epoch": 1})
    with (
        folder(tmp_path / "run", threads=2) as run,
        pytest.warns(UserWarning, match="threads 1, now 2: it goes on"),
    ):
        run.load_checkpoint()
    with folder(tmp_path / "run") as run, warnings.catch_warnings():
        warnings.simplefilter("error")
        run.load_checkpoint()


def test_two_processes_do_not_enter_one_folder(tmp_path):
    with (
        folder(tmp_path / "run"),
        pytest.raises(ValueError, match="another process is at this run"),
        folder(tmp_path / "run"),
    ):
        pass
    with folder(tmp_path / "run"):
        pass
