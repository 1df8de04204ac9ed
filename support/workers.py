"""Runs work in processes of their own, for every room: none of them outlives the one that began it, however that ends.

A worker is a fresh interpreter. It imports what its function needs and nothing else: the program that asks for it is
not run again, as `multiprocessing` would. Ctrl-C is for the asking process, which ends its workers.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from support.leaving import last_act

Item = TypeVar("Item")
LOOK = 0.05  # seconds between looks at a worker that is ending
SOON = 0.5  # seconds that a worker without a grace has to remove what it was writing
FAREWELL = 5.0  # seconds for an idle worker to leave by itself
ADVICE = "give it more memory, or ask for less at once"
CODE = "import sys; sys.path[:] = {path!r}; from support.worker import serve; serve({arguments})"


class WorkerLost(OSError):
    """A worker that ended in the middle of its work, as one does that is killed for want of memory.

    item : its work
    what : what became of it, without the advice
    """

    def __init__(self, item: Any, status: int, advice: str) -> None:
        if status < 0:
            how = f"was ended from outside ({_signal(-status)}), for want of memory perhaps"
        else:
            how = f"left in mid-work with status {status}"
        self.item = item
        self.what = f"a worker process {how}"
        super().__init__(f"{self.what}: {advice}")


def _raised(item: Any, error: Exception) -> Any:
    raise error


def in_workers(
    function: Callable[..., Any],
    items: Iterable[Item],
    workers: int,
    finished: Callable[[Item, Any], None],
    *,
    heard: Callable[[Item, Any], None] | None = None,
    failed: Callable[[Item, Exception], Item | None] = _raised,
    advice: str = ADVICE,
    grace: float = 0.0,
    waiting: Callable[[], AbstractContextManager[Any]] = nullcontext,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Calls `finished(item, function(item))` here for every item, as soon as it is ready; begun in their order.

    function    : defined at the top of a module and, like items and results, such that it can be pickled
    workers     : processes, at least 1
    heard       : called here with what a worker says meanwhile; the function is then called as `function(item, say)`
    failed      : called here with what the function raised or a WorkerLost; it raises what ends all, or returns an item
                  that is done next, None for none. The worker is replaced, whatever state it was in
    advice      : what to do, for the message of WorkerLost
    grace       : seconds a worker has to save its work after SIGTERM, which it gets when the others are ended or this
                  process has died
    waiting     : a context that is entered while nothing happens here but waiting, where an interrupt tears nothing
    environment : variables for the workers, beside those of this process

    Raises: what `failed` raises, at once: without it, what the function raised, or WorkerLost; OSError where no process
    can be begun. Nothing is left running, then or after an interrupt.
    """
    if workers < 1:
        raise ValueError(f"workers = {workers}, need at least 1")
    todo = list(items)[::-1]
    begin: dict[str, Any] = {
        "function": function,
        "tells": heard is not None,
        "advice": advice,
        "grace": grace,
    }
    begin["environment"] = environment or {}
    with _team(min(workers, len(todo)), begin, grace) as team:
        idle: list[_Worker] = team[::-1]
        busy: dict[Connection, _Worker] = {}
        while todo or busy:
            while todo and idle:
                worker = idle.pop()
                worker.hand(todo.pop())
                busy[worker.connection] = worker
            with waiting():
                ready = wait(list(busy))
            for worker in [busy[connection] for connection in busy if connection in ready]:
                kind, what = worker.told()
                if kind == "said" and heard is not None:
                    heard(worker.item, what)
                    continue
                del busy[worker.connection]
                if kind == "done":
                    idle.append(worker)
                    finished(worker.item, what)
                    continue
                again = failed(worker.item, what)
                todo += [] if again is None else [again]
                worker.leave(team)
                if todo:
                    with _interrupts_held():
                        idle.append(_Worker(worker.number, team, **begin))


class _Worker:
    """One process. team : a list that it is in from its first moment on, so that it is ended with the others."""

    def __init__(
        self,
        number: int,
        team: list[_Worker],
        *,
        function: Callable[..., Any],
        tells: bool,
        advice: str,
        grace: float,
        environment: Mapping[str, str],
    ) -> None:
        self.number = number
        self.advice = advice
        self.item: Any = None
        self.ours, theirs = socket.socketpair()
        # The worker reads one end of it: where that ends, this process is gone.
        end, self.lifeline = os.pipe()
        self.connection = Connection(os.dup(self.ours.fileno()))
        try:
            self.process = _interpreter((theirs.fileno(), end), f"{number}, {grace!r}", environment)
            team.append(self)
        finally:
            theirs.close()
            os.close(end)
            if self not in team:
                self._close()
        self.connection.send((function, tells))

    def hand(self, item: Any) -> None:
        self.item = item
        with suppress(ConnectionError):  # it has ended: `told` says so
            self.connection.send(item)

    def told(self) -> tuple[str, Any]:
        """("said" | "done" | "failed", what); where it has ended, "failed" with a WorkerLost."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            return "failed", self._lost()

    def leave(self, team: list[_Worker]) -> None:
        """It is ended, and no longer of the team."""
        team.remove(self)
        self.close()

    def close(self) -> None:
        """For one that has ended, or is to be killed."""
        self.process.kill()
        self.process.wait()
        self._close()

    def hang_up(self) -> None:
        """It gets no more work, and leaves when it has done what it has."""
        with suppress(OSError):
            self.ours.shutdown(socket.SHUT_WR)

    def _close(self) -> None:
        self.connection.close()
        self.ours.close()
        os.close(self.lifeline)

    def _lost(self) -> WorkerLost:
        """A connection ends a moment before its process."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(FAREWELL)
        self.process.kill()
        return WorkerLost(self.item, self.process.wait(), self.advice)


def _interpreter(
    descriptors: tuple[int, int], arguments: str, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """A process that serves, with the options and the import path of this one."""
    path = [os.path.abspath(place) for place in sys.path]
    code = CODE.format(path=path, arguments=f"{descriptors[0]}, {descriptors[1]}, {arguments}")
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    return subprocess.Popen(
        [sys.executable, *flags, "-c", code],
        pass_fds=descriptors,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


@contextmanager
def _team(size: int, begin: Mapping[str, Any], grace: float) -> Iterator[list[_Worker]]:
    """That many workers. On an error SIGTERM has each of them save its work, and what does not end is killed."""
    team: list[_Worker] = []
    with last_act(lambda: _dismissed(team, SOON)):
        try:
            with _interrupts_held():
                for number in range(1, size + 1):
                    _Worker(number, team, **begin)
            yield team
            for worker in team:
                worker.hang_up()
            _awaited(team, FAREWELL)
        except BaseException:
            _dismissed(team, max(grace, SOON))
            raise
        finally:
            for worker in team:
                worker.close()


def _dismissed(team: Sequence[_Worker], grace: float) -> None:
    for worker in team:
        worker.hang_up()
        if worker.process.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(worker.process.pid, signal.SIGTERM)
    _awaited(team, grace)


def _awaited(team: Iterable[_Worker], seconds: float) -> None:
    """Until all have ended, or that long."""
    deadline = time.monotonic() + seconds
    for worker in team:
        while worker.process.poll() is None and time.monotonic() < deadline:
            try:
                # A worker that waits to be read from would never end.
                if worker.connection.poll(LOOK):
                    worker.connection.recv_bytes()
            except (EOFError, OSError):
                time.sleep(LOOK / 10)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C reaches every process of the group. It waits while processes are begun inside, and these, which inherit
    that it waits, never see it. A no-op where the system has no such call."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    kept = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, kept)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
