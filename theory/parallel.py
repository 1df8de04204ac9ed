"""Work in parallel processes that Ctrl-C ends at once: for the ledger's statement files and for the figures."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import active_children
from multiprocessing.context import BaseContext
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int,
    finished: Callable[[Item, Result], None],
    context: BaseContext | None = None,
) -> None:
    """Calls `finished(item, function(item))` here for every item, as soon as it is ready; begun in their order.

    `function`, items and results can be pickled; `context` says how processes are begun (default: the system's way).
    An exception, an interrupt included, ends the workers at once and is raised here; nothing is left running.
    """
    earlier = set(active_children())
    pool = ProcessPoolExecutor(workers, context)
    try:
        with _interrupts_held():
            waiting = {pool.submit(function, item): item for item in items}
        for future in as_completed(waiting):
            finished(waiting[future], future.result())
    except BaseException:
        # What a worker has begun may take ten seconds more, and nobody waits for it now.
        for worker in set(active_children()) - earlier:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


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
