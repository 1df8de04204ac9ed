"""Draws figures in parallel processes and writes their files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path

from figures.plate import Absent, Plate, Settings

# Begun first, because they take longest.
LONGEST = ("gamma_smoothness", "gamma_optimum", "figure5a", "figure5b", "figure2")


def draw(
    chosen: Sequence[Plate], folder: Path, settings: Settings, progress: Callable[[int, int, str], None]
) -> dict[str, str]:
    """Draws and writes these figures, in parallel processes; returns why one is left out, by name.

    `progress(done, total, name)` is called after each.
    """
    workers = min(os.cpu_count() or 1, len(chosen))
    absent: dict[str, str] = {}
    if workers == 1:
        for done, plate in enumerate(chosen, start=1):
            absent |= draw_one(plate, folder, settings)
            progress(done, len(chosen), plate.name)
        return absent
    earlier = set(active_children())
    pool = ProcessPoolExecutor(workers, get_context("spawn"))
    try:
        order = sorted(
            chosen, key=lambda plate: LONGEST.index(plate.name) if plate.name in LONGEST else len(LONGEST)
        )
        with _interrupts_held():
            waiting = {pool.submit(draw_one, plate, folder, settings): plate for plate in order}
        for done, future in enumerate(as_completed(waiting), start=1):
            absent |= future.result()
            progress(done, len(chosen), waiting[future].name)
    except BaseException as error:
        # What a worker has begun may take ten seconds more, and nobody waits for it now.
        for worker in set(active_children()) - earlier:
            worker.terminate()
        if isinstance(error, BrokenProcessPool):
            raise ValueError(
                "a drawing process was ended from outside, for want of memory perhaps: try --only"
            ) from error
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return absent


def draw_one(plate: Plate, folder: Path, settings: Settings) -> dict[str, str]:
    """Draws one figure and writes its files; returns {name: reason} where it is left out, else nothing."""
    from figures.files import save
    from figures.style import house

    try:
        with house():
            save(plate, plate.draw(settings), folder)
    except Absent as reason:
        return {plate.name: str(reason)}
    return {}


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C reaches every process of the group. It waits while processes are begun inside, and these, which inherit
    that it waits, leave it for good to the parent, which ends them. A no-op where the system has no such call."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)
