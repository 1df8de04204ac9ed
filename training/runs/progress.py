"""Shows how runs come on: a line an epoch or a run on stderr, throughput, time left, TensorBoard."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO

from support.progress import CLEARED, duration
from training.runs.job import Job

REFRESH = 0.2  # seconds between redraws of the status line
NOT_PLOTTED = ("event", "epoch", "epochs")


class Board:
    """Called with (job, event) as in `training.runs.workers.run_jobs`.

    Of one job it prints every epoch, of several every run. On a terminal a status line below them shows how far all of
    it is, minibatches of this session included. TensorBoard's files are written beside the metrics where it is
    installed.
    """

    def __init__(self, jobs: int, out: TextIO | None = None) -> None:
        self.jobs = jobs
        self.out = out or sys.stderr
        self.live = self.out.isatty()
        self.finished = 0
        self.began = time.monotonic()
        self.drawn = 0.0
        self.images = 0.0
        self.progress: dict[str, float] = {}  # how far the training of each run is, 0 to 1
        self.attacks: dict[str, str] = {}  # run -> how far AutoAttack on it is
        self.resumed: dict[str, float] = {}  # what of that was there before
        self.writers: dict[str, Any] = {}
        self.noted: set[str] = set()

    def __call__(self, job: Job, event: Mapping[str, Any]) -> None:
        if event["event"] == "note":
            self._note(event["text"])
            return
        handle = {
            "batch": self._batch,
            "epoch": self._epoch,
            "autoattack": self._autoattack,
            "done": self._done,
            "again": self._again,
            "failed": self._failed,
        }
        handle[event["event"]](job, event)
        self._draw(job, event)

    def close(self) -> None:
        """Takes the status line away."""
        if self.live:
            self.out.write(CLEARED)
            self.out.flush()

    def _note(self, text: str) -> None:
        """Once, however many runs say it."""
        if text not in self.noted:
            self.noted.add(text)
            self._line(text)

    def _batch(self, job: Job, event: Mapping[str, Any]) -> None:
        now = (event["epoch"] + event["batch"] / event["batches"]) / event["epochs"]
        before = self.progress.get(job.name)
        self.resumed.setdefault(job.name, now)
        self.progress[job.name] = now
        if before is not None:
            self.images += (now - before) * event["epochs"] * event["examples"]

    def _epoch(self, job: Job, event: Mapping[str, Any]) -> None:
        plot(self.writers, job, event)
        if self.jobs > 1:
            return
        words = [f"epoch {event['epoch']}/{event['epochs']}", f"loss {event['train_loss']:.3f}"]
        for name, title in (
            *(("train_robust", "train PGD"), ("test_clean", "test clean"), ("test_pgd20", "PGD-20")),
            ("validation_pgd20", "validation PGD-20"),
        ):
            if event[name] is not None:
                words.append(f"{title} {100 * event[name]:.2f} %")
        self._line(f"{job.name}: {', '.join(words)}; {self._pace()}")

    def _autoattack(self, job: Job, event: Mapping[str, Any]) -> None:
        # Such a run is trained, perhaps in an earlier session.
        self.resumed.setdefault(job.name, 1.0)
        self.progress[job.name] = 1.0
        self.attacks[job.name] = f"{event['stage']} {event['batch']}/{event['batches']}"
        if self.jobs == 1 and event["batch"] == event["batches"]:
            left = 100 * event["accuracy"]
            self._line(f"{job.name}: AutoAttack, {left:.2f} % left after {event['stage']}")

    def _done(self, job: Job, event: Mapping[str, Any]) -> None:
        self.finished += 1
        self.resumed.setdefault(job.name, 1.0)
        self.progress[job.name] = 1.0
        self.attacks.pop(job.name, None)
        if job.name in self.writers:
            self.writers.pop(job.name).close()
        best = event["record"]["selection"]["best_test"]
        words = [f"epoch {best['epoch']} best on test", f"clean {100 * best['clean']:.2f} %"]
        words.append(f"PGD-20 {100 * best['pgd20']:.2f} %")
        if best["autoattack"] is not None:
            words.append(f"AutoAttack {100 * best['autoattack']:.2f} %")
        count = f"[{self.finished}/{self.jobs}] " if self.jobs > 1 else ""
        self._line(f"{count}{job.name}: {', '.join(words)}; {event['record']['seconds']:.0f} s")

    def _again(self, job: Job, event: Mapping[str, Any]) -> None:
        # It goes back to its checkpoint, which is no negative progress.
        self.progress.pop(job.name, None)
        self.resumed.pop(job.name, None)
        self.attacks.pop(job.name, None)
        self._line(f"{job.name}: {event['text']}")

    def _failed(self, job: Job, event: Mapping[str, Any]) -> None:
        # Nothing of it is left to be done.
        self.progress[job.name] = self.resumed[job.name] = 1.0
        self.attacks.pop(job.name, None)
        if job.name in self.writers:
            self.writers.pop(job.name).close()
        self._line(f"{event['text']}; the others go on")

    def _pace(self) -> str:
        """`1,532 images/s, 0:12 of training left`, over this session. What evaluations take nobody knows before."""
        elapsed = time.monotonic() - self.began
        made = sum(self.progress.values()) - sum(self.resumed.values())
        words = [f"{self.images / elapsed:,.0f} images/s"] if elapsed else []
        ahead = self.jobs - sum(self.progress.values())
        if made > 0 and ahead > 0:
            words.append(f"{duration(elapsed * ahead / made)} of training left")
        return ", ".join(words)

    def _line(self, text: str) -> None:
        self.out.write((CLEARED if self.live else "") + text + "\n")
        self.out.flush()

    def _draw(self, job: Job, event: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if not self.live or now - self.drawn < REFRESH:
            return
        self.drawn = now
        self.out.write(f"{CLEARED}{self._status()}")
        self.out.flush()

    def _status(self) -> str:
        done = sum(self.progress.values()) / self.jobs
        words = [f"{self.finished}/{self.jobs} runs"] if self.jobs > 1 else []
        if done < 1:
            words += [f"training {100 * done:.0f} %", self._pace()]
        if self.attacks:
            words.append(f"AutoAttack {'; '.join(self.attacks.values())}")
        elif done == 1:
            words.append("trained, evaluating")
        return ", ".join([*words, f"{duration(time.monotonic() - self.began)} so far"])


def plot(writers: dict[str, Any], job: Job, event: Mapping[str, Any]) -> None:
    """The numbers of an epoch for TensorBoard, in the run's folder; nothing where it is not installed."""
    if find_spec("tensorboard") is None:
        return
    if job.name not in writers:
        from torch.utils.tensorboard import SummaryWriter

        folder: Path = job.folder / "tensorboard"
        # A resumed run writes its epochs anew: what an earlier file says of them is dropped.
        writers[job.name] = SummaryWriter(str(folder), purge_step=event["epoch"])
    for name, value in event.items():
        if name not in NOT_PLOTTED and isinstance(value, int | float):
            writers[job.name].add_scalar(name, value, event["epoch"])
