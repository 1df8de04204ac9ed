"""The folder of one run, `runs/<recipe>/seed<S>`, that one process at a time writes to and a later one resumes from.

It holds checkpoints while the run goes on, metrics.jsonl, AutoAttack's state, and in the end `trained.pt`: the
selected weights (`torch.load(path, weights_only=True)["selected"]["best_test"]["weights"]`).
"""

from __future__ import annotations

import fcntl
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import torch

from support.files import replace_file
from support.own_files import read_json
from training.runs.checkpoint import BadCheckpoint, Checkpoints, fsync_folder, load, save

# What has to agree between a run and its continuation: another value of these is another run, set aside, ...
RUN = ("recipe", "digest", "seed", "data", "examples", "epochs", "n_test", "evaluate_every")
# ... and of this an option that was given differently, which only its owner can decide.
OPTIONS = ("settings",)
# What the state in a checkpoint and what trained.pt hold; one that was written before an entry was there is not used.
STATE = (
    "epoch",
    "batch",
    "model",
    "optimizer",
    "streams",
    "sums",
    "selected",
    "history",
    "seconds",
    "engine",
)
TRAINED = ("selected", "history", "seconds", "engine")


class RunFolder:
    """One run's folder, locked while entered.

    identity : {"recipe", "digest", "seed", "data", "examples", "epochs", "n_test", "evaluate_every", "settings"}, what
        the run is; plain values
    threads  : of torch; a checkpoint of another number goes on with a warning, as its last bits may differ

    Raises on entry: ValueError where another process is in the folder, or where it holds this run with other settings.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], *, resume: bool, threads: int) -> None:
        self.path = path
        self.identity = dict(identity)
        self.resume = resume
        self.circumstances = {"torch": str(torch.__version__), "threads": threads}
        self.checkpoints = Checkpoints(path)
        self._lock: BinaryIO | None = None

    def __enter__(self) -> RunFolder:
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path.parent / f".{self.path.name}.lock").open("wb")
        try:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"{self.path}: another process is at this run; let it finish") from None
            self._own()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        assert self._lock is not None
        self._lock.close()

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def trained_path(self) -> Path:
        return self.path / "trained.pt"

    def save_checkpoint(self, state: Mapping[str, Any]) -> None:
        self.checkpoints.save(
            {"identity": self.identity, "circumstances": self.circumstances, "state": dict(state)}
        )

    def load_checkpoint(self) -> dict[str, Any] | None:
        """The state of the newest whole checkpoint, None to start from the beginning."""
        content = self.checkpoints.load(
            lambda content: self._foreign(content) or _lacking(content.get("state"), STATE)
        )
        if content is None:
            return None
        self._compare(content["circumstances"])
        return content["state"]

    def save_trained(self, result: Mapping[str, Any]) -> None:
        """The result of the training; the checkpoints, no longer needed, are removed."""
        save(
            self.trained_path,
            "trained",
            {"identity": self.identity, "circumstances": self.circumstances, **result},
        )
        self.checkpoints.remove()

    def load_trained(self) -> dict[str, Any] | None:
        """The result of a training that has ended, None where it has not."""
        try:
            content = load(self.trained_path, "trained")
            wrong = self._foreign(content) or _lacking(content, TRAINED)
            if wrong is not None:
                raise BadCheckpoint(f"{self.trained_path} {wrong}")
        except FileNotFoundError:
            return None
        except BadCheckpoint as error:
            warnings.warn(f"{error}: the run is repeated", stacklevel=2)
            return None
        return content

    def write_metrics(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """metrics.jsonl holds these lines and no others, as after a checkpoint that lies further back."""
        replace_file(self.metrics, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))

    def append_metrics(self, line: Mapping[str, Any]) -> None:
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")

    def _own(self) -> None:
        """What the folder holds of another run, or of this one when it is not to be resumed, is set aside."""
        about = self.path / "run.json"
        found = self._about(about)
        if found is not None and (
            not self.resume or any(found.get(key) != self.identity[key] for key in RUN)
        ):
            self._set_aside("a run that is not resumed" if not self.resume else "another run")
            found = None
        for key in OPTIONS if found is not None else ():
            if found is not None and found.get(key) != self.identity[key]:
                raise ValueError(
                    f"{self.path} was begun with {_words(found.get(key))}, now {_words(self.identity[key])}: give the "
                    "same options, or --no-resume to start anew"
                )
        if found is None:
            replace_file(about, json.dumps(self.identity, indent=2) + "\n")

    def _about(self, path: Path) -> dict[str, Any] | None:
        """None for a folder that is empty or says nothing about itself: its checkpoints are checked one by one."""
        try:
            return read_json(path, dict)
        except FileNotFoundError:
            return None
        except ValueError as error:
            warnings.warn(f"{error}: it is written anew", stacklevel=2)
            return None

    def _set_aside(self, what: str) -> None:
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.old{number}")).exists():
            number += 1
        os.replace(self.path, aside)
        self.path.mkdir()
        fsync_folder(self.path.parent)
        warnings.warn(f"{self.path} held {what}, which now lies in {aside.name}", stacklevel=2)

    def _foreign(self, content: Mapping[str, Any]) -> str | None:
        """What keeps a file from belonging to this run, None if nothing does."""
        theirs = content.get("identity")
        if not isinstance(theirs, dict) or not isinstance(content.get("circumstances"), dict):
            return "says nothing about its run"
        differing = [key for key in (*RUN, *OPTIONS) if theirs.get(key) != self.identity[key]]
        return f"belongs to a run with another {', '.join(differing)}" if differing else None

    def _compare(self, theirs: Mapping[str, Any]) -> None:
        for key, ours in self.circumstances.items():
            if theirs.get(key) != ours:
                warnings.warn(
                    f"{self.path} was computed with {key} {theirs.get(key)}, now {ours}: it goes on, but not to the "
                    "same last bits",
                    stacklevel=3,
                )


def _lacking(content: Any, names: Sequence[str]) -> str | None:
    """What is wrong with a content that should have these entries, None if nothing is."""
    missing = [name for name in names if name not in content] if isinstance(content, dict) else names
    return f"is of another shape, without {', '.join(missing)}" if missing else None


def _words(settings: Any) -> str:
    if not isinstance(settings, dict):
        return "unknown settings"
    return ", ".join(f"{key} {value}" for key, value in settings.items())
