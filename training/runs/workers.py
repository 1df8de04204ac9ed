"""Does several runs: one after the other, or, where they are small, at once in processes of their own.

A run computes with its own stated number of threads, so what it finds does not depend on what runs beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from support.progress import plain_warnings
from support.workers import WorkerLost, in_workers
from training.results.record import Record
from training.runs.health import TrainingFailed
from training.runs.job import Job, run_job
from training.runs.stopping import Stop

GRACE = 60.0  # seconds a worker has to save its run
TOLD_EVERY = 0.5  # seconds between a worker's words about minibatches
Board = Callable[[Job, Mapping[str, Any]], None]


def run_jobs(jobs: Sequence[Job], workers: int, report: Board) -> None:
    """Every job, `workers` at a time; with 1 in this process. `report(job, event)`, "done" among the events.

    Raises: what `run_job` raises, once the other workers have saved their runs.
    """
    if workers > 1 and len(jobs) > 1:
        return _in_workers(jobs, min(workers, len(jobs)), report)
    with Stop() as stop:
        for job in jobs:
            record = run_job(job, stop=stop, report=lambda event, job=job: report(job, event))  # type: ignore[misc]
            report(job, {"event": "done", "record": record})
    return None


def _in_workers(jobs: Sequence[Job], workers: int, report: Board) -> None:
    with Stop() as stop:
        try:
            in_workers(
                _work,
                jobs,
                workers,
                lambda job, record: report(job, {"event": "done", "record": record}),
                heard=report,
                advice="run it again, with fewer --jobs where memory is short",
                grace=GRACE,
                waiting=stop.anywhere,
            )
        except WorkerLost as lost:
            raise TrainingFailed(f"{lost.item.name}: {lost}") from None


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
