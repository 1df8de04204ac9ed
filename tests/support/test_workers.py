"""Worker processes (support/workers.py): what they return, how they fail, and that none is ever left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import busy

from support.workers import WorkerLost, in_workers

ROOT = Path(__file__).resolve().parents[2]
PROMPT = 60.0  # seconds for what takes one on an idle machine, so that a busy one does not fail


def collected(function: Callable[..., object], items: list, workers: int, **options: object) -> dict:
    found: dict = {}
    in_workers(function, items, workers, found.__setitem__, **options)  # type: ignore[arg-type]
    return found


def alive(process: int) -> bool:
    """Whether a process still runs; one that has ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        if sys.platform == "linux":
            return False
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        return True
    return state not in "ZX"


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PROMPT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def asking(function: str, folder: Path, workers: int, grace: float = 0.0) -> subprocess.Popen[str]:
    """A process that has workers at work, each of which has left its number in the folder."""
    program = f"""
import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests" / "support")!r}]
from support.commands import start
from support.workers import in_workers
import busy
def command():
    heard = (lambda item, what: None) if {grace} else None
    options = {{"heard": heard, "grace": {grace}}}
    in_workers(busy.{function}, [{str(folder)!r}] * {workers}, {workers}, lambda item, found: None, **options)
    return 0
start("asking", command)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: len(numbers(folder)) == workers or process.poll() is not None, "the workers do not begin")
    return process


def numbers(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.pid")]


def test_every_item_is_answered_in_fewer_or_more_processes_than_items() -> None:
    for workers in (1, 3, 20):
        assert collected(busy.square, list(range(7)), workers) == {n: n * n for n in range(7)}
    assert collected(busy.square, [], 2) == {}
    with pytest.raises(ValueError, match="workers = 0, need at least 1"):
        collected(busy.square, [1], 0)


def test_work_is_done_in_other_processes_with_their_own_environment() -> None:
    found = collected(busy.where, [1], 1, environment={"ONLY_THERE": "yes"})
    assert found[1][0] != os.getpid()
    assert found[1][1] == "yes"
    assert "ONLY_THERE" not in os.environ


def test_what_a_worker_says_is_heard_in_its_order() -> None:
    heard: list[tuple[int, int]] = []
    found = collected(busy.say_and_square, [3, 4], 2, heard=lambda item, what: heard.append((item, what)))
    assert found == {3: 9, 4: 16}
    assert [what for item, what in heard if item == 4] == [0, 1, 2, 3]


def test_an_error_of_the_function_is_raised_with_the_place_in_the_worker() -> None:
    with pytest.raises(KeyError, match="number 2") as raised:
        collected(busy.fail, [1, 2, 3], 2)
    assert any("in fail" in note for note in raised.value.__notes__)


def test_what_cannot_be_sent_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(Exception, match=r"pickle|local object"):
        collected(busy.unpicklable, [1], 1)
    with pytest.raises(Exception, match=r"pickle|local object"):
        collected(busy.square, [lambda: None], 1)


@pytest.mark.parametrize("function", [busy.be_killed, busy.be_killed_while_it_speaks])
def test_a_worker_killed_as_for_want_of_memory_is_a_line_that_says_so(function) -> None:
    listening = (lambda item, what: None) if function is busy.be_killed_while_it_speaks else None
    began = time.monotonic()
    with pytest.raises(WorkerLost) as lost:
        collected(function, [1, 2], 2, advice="try --jobs 1", heard=listening)
    assert (
        str(lost.value)
        == "a worker process was ended from outside (SIGKILL), for want of memory perhaps: try --jobs 1"
    )
    assert lost.value.item in (1, 2)
    assert time.monotonic() - began < PROMPT


def test_a_worker_that_leaves_by_itself_is_told_apart() -> None:
    with pytest.raises(WorkerLost, match="left in mid-work with status 3"):
        collected(busy.leave, [1], 1)


def test_the_asking_program_is_not_run_again_and_needs_no_guard(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests' / 'support')!r}]\n"
        "import busy\nfrom support.workers import in_workers\nprint('once')\n"
        "in_workers(busy.square, [5], 2, print)\n",
        encoding="utf-8",
    )
    command = [sys.executable, str(tmp_path / "program.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PROMPT, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("once\n5 25\n", "", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
@pytest.mark.parametrize("function", ["note_and_sleep", "compute_for_long"])
def test_no_worker_outlives_the_process_that_asked(number, function: str, tmp_path: Path) -> None:
    process = asking(function, tmp_path, 2)
    workers = numbers(tmp_path)
    assert all(map(alive, workers))
    os.kill(process.pid, number)
    assert process.wait(PROMPT) == -number
    until(lambda: not any(map(alive, workers)), f"workers are left after signal {number}")


@pytest.mark.skipif(sys.platform != "linux", reason="the thread is what other systems have")
def test_no_worker_is_left_where_the_system_has_no_call_for_it(tmp_path: Path, monkeypatch) -> None:
    blind = tmp_path / "blind"
    blind.mkdir()
    (blind / "sitecustomize.py").write_text(
        "import ctypes\nctypes.CDLL = lambda name: (_ for _ in ()).throw(OSError)\n", encoding="utf-8"
    )
    monkeypatch.setenv("PYTHONPATH", str(blind))
    process = asking("note_and_sleep", tmp_path, 2)
    workers = numbers(tmp_path)
    process.kill()
    process.wait(PROMPT)
    until(lambda: not any(map(alive, workers)), "workers are left")


def test_ctrl_c_is_one_line_and_leaves_no_worker(tmp_path: Path) -> None:
    process = asking("note_and_sleep", tmp_path, 3)
    workers = numbers(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PROMPT)
    assert (process.returncode, out, err) == (130, "", "asking: stopped\n")
    until(lambda: not any(map(alive, workers)), "workers are left")


@pytest.mark.parametrize("milliseconds", [0, 20, 60, 120, 250])
def test_ctrl_c_while_workers_begin_is_one_line(milliseconds: int, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    program = f"""
import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests" / "support")!r}]
from pathlib import Path
from support.commands import start
from support.workers import in_workers
import busy
def command():
    Path({str(ready)!r}).touch()
    in_workers(busy.note_and_sleep, [{str(tmp_path)!r}] * 6, 6, lambda item, found: None)
start("asking", command)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(ready.exists, "it does not begin")
    time.sleep(milliseconds / 1000)
    os.killpg(process.pid, signal.SIGINT)
    # The pipes end when the last worker has: nothing it might say is missed.
    out, err = process.communicate(timeout=PROMPT)
    assert (process.returncode, out, err) == (130, "", "asking: stopped\n")
    until(lambda: not any(map(alive, numbers(tmp_path))), "workers are left")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_with_a_grace_saves_its_work_when_its_parent_dies(number, tmp_path: Path) -> None:
    process = asking("save_when_told", tmp_path, 2, grace=PROMPT)
    workers = numbers(tmp_path)
    process.send_signal(number)
    process.wait(PROMPT)
    until(lambda: not any(map(alive, workers)), "workers are left")
    assert {int(path.stem) for path in tmp_path.glob("*.saved")} == set(workers)


def test_a_worker_with_a_grace_saves_its_work_when_another_fails(tmp_path: Path) -> None:
    def heard(item: str, what: str) -> None:
        if len(numbers(tmp_path)) == 2:
            raise ArithmeticError("enough")

    began = time.monotonic()
    with pytest.raises(ArithmeticError, match="enough"):
        collected(busy.save_when_told, [str(tmp_path)] * 2, 2, heard=heard, grace=10 * PROMPT)
    assert time.monotonic() - began < PROMPT
    assert {int(path.stem) for path in tmp_path.glob("*.saved")} == set(numbers(tmp_path))
