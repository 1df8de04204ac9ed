"""Runs a measurement of `python -m numerics bench` on one core: a fresh process on one CPU, with one BLAS thread."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

# Read by the linear algebra that numpy was built with when it is loaded, and never again: hence a fresh process.
THREAD_COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def on_one_core(function: Callable[[Any], Any], argument: Any) -> tuple[Any, str]:
    """(function(argument), a sentence that says what it ran on). The caller's own process is left as it was.

    `function` is defined at the top of a module and, like argument and result, can be pickled. What it raises is
    raised here. An interrupt ends the process at once.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(sending, function, argument), daemon=True)
    kept = {name: os.environ.get(name) for name in THREAD_COUNTS}
    os.environ.update(dict.fromkeys(THREAD_COUNTS, "1"))
    try:
        child.start()
    finally:
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    sending.close()
    try:
        result, error, sentence = receiving.recv()
    except EOFError as ended:
        raise OSError(
            "the measuring process ended without a result: see above, or give it more memory"
        ) from ended
    finally:
        child.terminate()
        child.join()
    if error is not None:
        raise error
    return result, sentence


def bind_to_one_cpu() -> str:
    """Binds this process to the last CPU it may use, and says so; says that it cannot where the system has no call."""
    if not hasattr(os, "sched_setaffinity"):
        return (
            "a process of its own with one thread for linear algebra, not bound to a CPU (this system cannot)"
        )
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return f"a process of its own bound to CPU {cpu}, with one thread for linear algebra"


def _work(sending: Connection, function: Callable[[Any], Any], argument: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sentence = bind_to_one_cpu()
    try:
        sending.send((function(argument), None, sentence))
    except (ValueError, OSError, ArithmeticError) as error:
        sending.send((None, error, sentence))
