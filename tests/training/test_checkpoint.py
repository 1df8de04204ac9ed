"""Checkpoints are whole or absent: damaged and foreign ones are seen and passed over, and nothing is written over."""

from __future__ import annotations

import errno
import os
import random
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from training.runs import checkpoint
from training.runs.checkpoint import BadCheckpoint, Checkpoints, load, save
from training.runs.run_folder import STATE, TRAINED, RunFolder


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


def test_a_damaged_checkpoint_does_not_take_the_place_of_the_good_one_before_it(tmp_path):
    first = Checkpoints(tmp_path)
    for epoch in (1, 2):
        first.save({"epoch": epoch})
    first.newest.write_bytes(damaged(first.newest.read_bytes(), "truncated"))
    again = Checkpoints(tmp_path)
    with pytest.warns(UserWarning, match="the one before it is used"):
        content = again.load(lambda content: None)
    assert content is not None
    assert content["epoch"] == 1
    again.save({"epoch": 3})
    assert [load(path, "checkpoint")["epoch"] for path in (again.newest, again.previous)] == [3, 1]
    again.save({"epoch": 4})
    assert [load(path, "checkpoint")["epoch"] for path in (again.newest, again.previous)] == [4, 3]


def test_a_checkpoint_of_another_program_kind_or_format_is_refused(tmp_path):
    path = tmp_path / "file.pt"
    torch.save({"project": "smoothness-at", "format": 2, "kind": "checkpoint"}, path)
    with pytest.raises(BadCheckpoint, match="of another program"):
        load(path, "checkpoint")
    save(path, "trained", {"project": "another"})
    with pytest.raises(BadCheckpoint, match="a file of another program"):
        load(path, "trained")
    save(path, "trained", {"a": 1})
    assert load(path, "trained")["a"] == 1
    with pytest.raises(BadCheckpoint, match="'trained' of format 2, need 'checkpoint' of 2"):
        load(path, "checkpoint")
    save(path, "checkpoint", {"format": 0})
    with pytest.raises(BadCheckpoint, match="of format 0"):
        load(path, "checkpoint")


def test_no_changed_byte_of_a_checkpoint_goes_unseen(tmp_path):
    path, seeded = tmp_path / "file.pt", random.Random(20)
    save(path, "checkpoint", {"weights": torch.arange(300.0), "more": [{"a": 1.5, "b": None}]})
    whole = path.read_bytes()
    for place in [*seeded.sample(range(len(whole)), 400), *range(len(whole) - 60, len(whole))]:
        changed = bytes([whole[place] ^ seeded.randrange(1, 256)])
        path.write_bytes(whole[:place] + changed + whole[place + 1 :])
        with pytest.raises(BadCheckpoint, match=r"file\.pt is (cut short, )?damaged"):
            load(path, "checkpoint")
    for length in range(0, len(whole), 7):
        for rest in (b"", bytes(len(whole) - length)):
            path.write_bytes(whole[:length] + rest)
            with pytest.raises(BadCheckpoint):
                load(path, "checkpoint")


def test_one_bit_that_torch_does_not_see_would_make_other_weights(tmp_path):
    """Of a file that the directory of the archive calls a folder nothing is read. That is why there is a checksum."""
    path = tmp_path / "file.pt"
    save(path, "checkpoint", {"weights": torch.arange(300.0)})
    assert torch.equal(torch.load(path, weights_only=True)["weights"], torch.arange(300.0))
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"data/0") - len("file/")  # its name there, after 46 bytes about it
    attributes = content.rindex(b"PK\x01\x02", 0, directory) + 38
    content[attributes] ^= 0x10
    path.write_bytes(content)
    torch.load(path, weights_only=True)
    with pytest.raises(BadCheckpoint, match=r"damaged \(its checksum is wrong\)"):
        load(path, "checkpoint")


def test_a_failure_of_the_machine_is_not_taken_for_damage(tmp_path, monkeypatch):
    kept = Checkpoints(tmp_path)
    kept.save({"number": 1})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def refused(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    def exhausted(*arguments, **options):
        raise RuntimeError("DefaultCPUAllocator: not enough memory")

    monkeypatch.setattr(torch, "load", exhausted)
    with pytest.raises(OSError, match=r"whole, but torch .* not enough memory"):
        kept.load(lambda content: None)
    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(PermissionError):
        kept.load(lambda content: None)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_that_would_execute_something_is_refused(tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    path = tmp_path / "file.pt"
    save(path, "checkpoint", {"harm": Harm()})
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


def state(epoch: int) -> dict[str, Any]:
    return {**dict.fromkeys(STATE, 0), "epoch": epoch}


def test_another_run_in_the_folder_is_set_aside_and_kept(tmp_path):
    path = tmp_path / "seed0"
    with folder(path) as run:
        run.save_checkpoint(state(1))
    with folder(path) as run:
        assert run.load_checkpoint() == state(1)
    differences: list[dict[str, Any]] = [{"digest": "1"}, {"resume": False, "digest": "1"}]
    for number, changes in enumerate(differences, start=1):
        run = folder(path, **changes)
        with pytest.warns(UserWarning, match=f"now lies in seed0.old{number}"):
            run.__enter__()
        assert run.load_checkpoint() is None
        run.save_checkpoint(state(2))
        run.__exit__()
    assert load(tmp_path / "seed0.old1" / "checkpoint.pt", "checkpoint")["state"] == state(1)


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
        run.save_checkpoint(state(1))
    with folder(tmp_path / "two", digest="1") as other:
        other.save_checkpoint(state(7))
    os.replace(tmp_path / "one" / "checkpoint.pt", tmp_path / "one" / "checkpoint.previous.pt")
    os.replace(tmp_path / "two" / "checkpoint.pt", tmp_path / "one" / "checkpoint.pt")
    with (
        folder(tmp_path / "one") as run,
        pytest.warns(UserWarning, match="belongs to a run with another digest: the one before it is used"),
    ):
        assert run.load_checkpoint() == state(1)


def test_another_number_of_threads_is_warned_about(tmp_path):
    with folder(tmp_path / "run") as run:
        run.save_checkpoint(state(1))
    with (
        folder(tmp_path / "run", threads=2) as run,
        pytest.warns(UserWarning, match="threads 1, now 2: it goes on"),
    ):
        run.load_checkpoint()
    with folder(tmp_path / "run") as run, warnings.catch_warnings():
        warnings.simplefilter("error")
        run.load_checkpoint()


@pytest.mark.parametrize("missing", STATE)
def test_a_state_of_another_shape_is_passed_over(missing, tmp_path):
    with folder(tmp_path / "run") as run:
        run.save_checkpoint(state(1))
        run.save_checkpoint({name: value for name, value in state(2).items() if name != missing})
        with pytest.warns(
            UserWarning, match=f"of another shape, without {missing}: the one before it is used"
        ):
            assert run.load_checkpoint() == state(1)


@pytest.mark.parametrize("missing", TRAINED)
def test_a_result_of_another_shape_is_not_used(missing, tmp_path):
    with folder(tmp_path / "run") as run:
        whole = dict.fromkeys(TRAINED, 0)
        run.save_trained(whole)
        found = run.load_trained()
        assert found is not None
        assert found.items() >= whole.items()
        run.save_trained({name: value for name, value in whole.items() if name != missing})
        with pytest.warns(UserWarning, match=f"of another shape, without {missing}: the run is repeated"):
            assert run.load_trained() is None


def test_two_processes_do_not_enter_one_folder(tmp_path):
    with (
        folder(tmp_path / "run"),
        pytest.raises(ValueError, match="another process is at this run"),
        folder(tmp_path / "run"),
    ):
        pass
    with folder(tmp_path / "run"):
        pass
