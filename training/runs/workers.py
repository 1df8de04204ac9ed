"""Does several runs: one after the other, or, where they are small, at once in processes of their own.

A run computes with its own stated number of threads, so what it finds does not depend on what runs beside it.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from support.progress import plain_warnings
from support.workers import WorkerLost, in_workers
from training.results.record import Record
from training.runs.health import TrainingFailed
from training.runs.job import Job, require_data, run_job
from training.runs.stopping import Stop

GRACE = 60.0  # seconds a worker has to save its run
TOLD_EVERY = 0.5  # seconds between a worker's words about minibatches
EXPECTED = (TrainingFailed, ValueError, OSError, MemoryError)  # they say enough by themselves
Board = Callable[[Job, Mapping[str, Any]], None]


def run_jobs(
    jobs: Sequence[Job], workers: int, report: Board, *, retries: int = 0, keep_going: bool = False
) -> list[str]:
    """Every job, `workers` at a time; with 1 in this process, unless it has to outlive them. Returns the failed ones.

    report     : called as `report(job, event)`, "done", "again" and "failed" among the events
    retries    : how often a job goes on from its checkpoint after its worker was lost
    keep_going : a failed run is one of those returned, `recipe, seed 0: why`, and the others go on

    Raises: ValueError for a job whose data are not there; without `keep_going`, what `run_job` raises, once the other
    workers have saved their runs, TrainingFailed for a lost one.
    """
    for job in jobs:
        require_data(job)
    if (workers > 1 and len(jobs) > 1) or retries or keep_going:
        failures = _Failures(report, retries, keep_going)
        _in_workers(jobs, workers, report, failures)
        return failures.said
    with Stop() as stop:
        for job in jobs:
            record = run_job(job, stop=stop, report=lambda event, job=job: report(job, event))  # type: ignore[misc]
            report(job, {"event": "done", "record": record})
    return []


def _in_workers(jobs: Sequence[Job], workers: int, report: Board, failures: _Failures) -> None:
    with Stop() as stop:
        in_workers(
            _work,
            jobs,
            workers,
            lambda job, record: report(job, {"event": "done", "record": record}),
            heard=failures.heard,
            failed=failures.again,
            advice="run it again, with fewer --jobs where memory is short",
            grace=GRACE,
            waiting=stop.anywhere,
        )


class _Failures:
    """What becomes of runs that fail in workers. said : a line each, of those that are given up while others go on."""

    def __init__(self, report: Board, retries: int, keep_going: bool) -> None:
        self.report, self.retries, self.keep_going = report, retries, keep_going
        self.said: list[str] = []
        self.lost: Counter[str] = Counter()
        self.begun: set[str] = set()

    def heard(self, job: Job, event: Mapping[str, Any]) -> None:
        self.begun.add(job.name)
        self.report(job, event)

    def again(self, job: Job, error: Exception) -> Job | None:
        """The job to be done again, None where it is given up. Raises: the error, where that ends all runs."""
        if isinstance(error, WorkerLost):
            if self.lost[job.name] < self.retries:
                self.lost[job.name] += 1
                text = f"{error.what}; it goes on, retry {self.lost[job.name]} of {self.retries}"
                self.report(job, {"event": "again", "text": text})
                # What it had begun by itself is its own to go on from; what lay there before it may not be.
                return replace(job, resume=job.resume or job.name in self.begun)
            retried = f"; retries used: {self.retries}" if self.retries else ""
            error = TrainingFailed(f"{job.name}: {error}{retried}")
        if not self.keep_going:
            raise error
        if not isinstance(error, EXPECTED):
            traceback.print_exception(error)
        text = " ".join(str(error).split()) or type(error).__name__
        self.said.append(text if text.startswith(f"{job.name}: ") else f"{job.name}: {text}")
        self.report(job, {"event": "failed", "text": self.said[-1]})
        return None


def _work(job: Job, say: Callable[[dict[str, Any]], None]) -> Record:
    """In a worker: SIGTERM has it save its run and leave."""
    plain_warnings(job.name)
    told = 0.0

    def report(event: Mapping[str, Any]) -> None:
        nonlocal told
        if event["event"] == "batch":
            if time.monotonic() - told < TOLD_EVERY:
                return
            told = time.monotonic()
        say(dict(event))

    with Stop() as stop:
        return run_job(job, stop=stop, report=report)
