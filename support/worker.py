"""The other side of `support.workers`: what a worker process does from its first moment to its last."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from support.leaving import terminated

PR_SET_PDEATHSIG = 1  # of Linux' prctl: the signal that a process gets when its parent dies


def serve(conversation: int, lifeline: int, number: int, grace: float) -> None:
    """Takes a function, then an item at a time, and answers with what the function returns or raises; does not return.

    Ends when the other side hangs up. When the parent dies, of whatever cause, it ends at once, or, with a grace, gets
    SIGTERM and that many seconds.
    """
    signal.signal(signal.SIGTERM, terminated)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    multiprocessing.current_process().name = f"worker {number}"
    _die_with_parent(lifeline, grace)
    connection = Connection(conversation)
    status = 0
    try:
        _answer(connection)
    except (EOFError, ConnectionError):
        pass  # hung up
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    except BaseException:  # noqa: BLE001 - told to leave, by an exception of no kind of error: it has saved its work
        pass
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    # Not through the interpreter's end, where libraries that are at work crash or wait.
    os._exit(status)


def _answer(connection: Connection) -> None:
    try:
        function, tells = connection.recv()
    except (ImportError, AttributeError, pickle.UnpicklingError) as error:
        connection.recv_bytes()
        connection.send(("failed", _portable(error)))
        return

    def say(what: Any) -> None:
        # The parent may be gone; that has been noticed elsewhere, and a run that saves itself goes on to do so.
        with suppress(ConnectionError):
            connection.send(("said", what))

    while True:
        item = connection.recv()
        try:
            answer = ("done", function(item, say) if tells else function(item))
        except Exception as error:  # noqa: BLE001 - it is raised in the parent
            answer = ("failed", _portable(error))
        try:
            connection.send(answer)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - of the pickling, and of many kinds
            connection.send(("failed", _portable(error)))


def _portable(error: Exception) -> Exception:
    """The error itself, with where it was raised as a note, where it survives the way; else one that says the same."""
    error.add_note(f"\nin a worker process:\n{''.join(traceback.format_exception(error))}")
    with suppress(Exception):
        if type(pickle.loads(pickle.dumps(error))) is type(error):
            return error
    return RuntimeError(f"{type(error).__name__}: {error}\n{error.__notes__[-1]}")


def _die_with_parent(lifeline: int, grace: float) -> None:
    """The system's call ends a process that is deep in a library, where there is such a call; the thread does so
    everywhere else."""
    last = signal.SIGTERM if grace else signal.SIGKILL
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(last), 0, 0, 0)

    def watch() -> None:
        os.read(lifeline, 1)  # returns when nobody holds the other end
        if grace:
            os.kill(os.getpid(), last)
            threading.Event().wait(grace)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
