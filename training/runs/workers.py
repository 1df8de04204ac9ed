"""Does several runs: one after the other, or, where they are small, at once in processes of their own.

A run computes with its own stated number of threads, so what it finds does not depend on what runs beside it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from training.runs.health import TrainingFailed
from training.runs.job import Job, run_job
from training.runs.progress import plain_warnings
from training.runs.stopping import Stop, Stopped

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
    context = multiprocessing.get_context("spawn")
    waiting = list(jobs)
    busy: dict[Connection, Job] = {}
    processes: dict[Connection, Any] = {}
    failure: BaseException | None = None
    with Stop() as stop:
        try:
            for number in range(1, workers + 1):
                ours, theirs = context.Pipe()
                process = context.Process(target=_worker, args=(theirs,), name=f"run {number}", daemon=True)
                process.start()
                theirs.close()
                processes[ours] = process
            idle = list(processes)
            while (waiting or busy) and failure is None:
                while idle and waiting:
                    connection, job = idle.pop(), waiting.pop(0)
                    connection.send(job)
                    busy[connection] = job
                with stop.anywhere():
                    ready = wait(list(busy))
                for connection in [one for one in busy if one in ready]:
                    job = busy[connection]
                    event = _received(connection, job, processes[connection])
                    if event["event"] in ("done", "failed"):
                        idle.append(connection)
                        del busy[connection]
                    if event["event"] == "failed":
                        failure = event["error"]
                    else:
                        report(job, event)
        finally:
            _end(processes)
    if failure is not None:
        raise failure


def _received(connection: Connection, job: Job, process: Any) -> dict[str, Any]:
    try:
        return connection.recv()
    except EOFError:
        process.join(GRACE)
        return {
            "event": "failed",
            "error": TrainingFailed(
                f"{job.name}: its process ended with status {process.exitcode}; run it again"
            ),
        }


def _end(processes: Mapping[Connection, Any]) -> None:
    """SIGTERM has each worker save its run and leave; one that hangs is killed."""
    for process in processes.values():
        process.terminate()
    deadline = time.monotonic() + GRACE
    for connection, process in processes.items():
        # A worker that waits to be read from would never end.
        while process.is_alive() and time.monotonic() < deadline:
            try:
                if connection.poll(0.05):
                    connection.recv()
            except (EOFError, OSError):
                process.join(0.05)
        if process.is_alive():
            process.kill()
        process.join()
        connection.close()


def _worker(connection: Connection) -> None:
    """A process that takes jobs until it is told to leave. Ctrl-C is for its parent, which then sends SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    plain_warnings(multiprocessing.current_process().name)
    with Stop() as stop:
        try:
            while True:
                with stop.anywhere():
                    job = connection.recv()
                _work(job, stop, connection)
        except (Stopped, EOFError, BrokenPipeError):
            # Told to leave: the run has been saved. Or the parent is gone, and a run under way goes on another time
            # from its last checkpoint.
            os._exit(0)


def _work(job: Job, stop: Stop, connection: Connection) -> None:
    told = 0.0

    def report(event: Mapping[str, Any]) -> None:
        nonlocal told
        if event["event"] == "batch":
            if time.monotonic() - told < TOLD_EVERY:
                return
            told = time.monotonic()
        connection.send(dict(event))

    try:
        record = run_job(job, stop=stop, report=report)
    except (ValueError, OSError, TrainingFailed) as error:
        if isinstance(error, BrokenPipeError):
            raise
        connection.send({"event": "failed", "error": error})
    else:
        connection.send({"event": "done", "record": record})
