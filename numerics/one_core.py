"""Runs a measurement of `python -m numerics bench` on one core: a fresh process on one CPU, with one BLAS thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from support.workers import in_workers

# Read by the linear algebra that numpy was built with when it is loaded, and never again: hence a fresh process.
THREAD_COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def on_one_core(function: Callable[[Any], Any], argument: Any) -> tuple[Any, str]:
    """(function(argument), a sentence that says what it ran on). The caller's own process is left as it was.

    `function` is defined at the top of a module and, like argument and result, can be pickled. What it raises is
    raised here, OSError too where its process is ended from outside. An interrupt ends the process at once.
    """
    found: list[tuple[Any, str]] = []
    in_workers(
        partial(_bound, function),
        [argument],
        1,
        lambda _, answer: found.append(answer),
        advice="give it more memory, or measure less with --quick",
        environment=dict.fromkeys(THREAD_COUNTS, "1"),
    )
    return found[0]


def bind_to_one_cpu() -> str:
    """Binds this process to the last CPU it may use, and says so; says that it cannot where the system has no call."""
    if not hasattr(os, "sched_setaffinity"):
        return (
            "a process of its own with one thread for linear algebra, not bound to a CPU (this system cannot)"
        )
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return f"a process of its own bound to CPU {cpu}, with one thread for linear algebra"


def _bound(function: Callable[[Any], Any], argument: Any) -> tuple[Any, str]:
    sentence = bind_to_one_cpu()
    return function(argument), sentence
