"""What tests have done in workers of the trainer that are killed: the work itself, and SIGKILL at a known moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from training.results.record import Record
from training.runs.job import Job
from training.runs.workers import _work as work

Say = Callable[[dict[str, Any]], None]


def killed_after_its_second_epoch(job: Job, say: Say) -> Record:
    """Once: a file in the folder of the results says that it has been."""
    mark = job.out / "killed"

    def saying(event: dict[str, Any]) -> None:
        say(event)
        if event["event"] == "epoch" and event["epoch"] == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    return work(job, saying)


def killed_with_seed_0(job: Job, say: Say) -> Record:
    """At its first minibatch, each time."""

    def saying(event: dict[str, Any]) -> None:
        say(event)
        if job.seed == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    return work(job, saying)
