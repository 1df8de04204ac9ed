"""How a command ends (support/commands.py): its status, one line, closed pipes, Ctrl-C at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.commands import guarded

ROOT = Path(__file__).resolve().parents[2]
PROMPT = 60.0
# Output is buffered, as for a user: what fails to be written may be found out only at the end.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def begun(program: str, **options: object) -> subprocess.Popen[str]:
    text = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom support.commands import start, guarded\n{program}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, "-c", text], text=True, **pipes)  # type: ignore[call-overload]


def failing(error: BaseException):
    def command() -> int:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ValueError("epsilon = 8,\n need less"), 2, "run: epsilon = 8, need less"),
        (OSError(28, "No space left on device", "a/b.pt"), 2, "run: a/b.pt: No space left on device"),
        (OSError("torn"), 2, "run: torn"),
        (MemoryError(), 2, "run: there is not enough memory: ask for less"),
        (
            MemoryError("Unable to allocate 1. TiB"),
            2,
            "run: there is not enough memory (Unable to allocate 1. TiB)",
        ),
        (KeyboardInterrupt(), 130, "run: stopped"),
    ],
)
def test_an_error_is_one_line_and_a_status(error, status: int, line: str, capsys) -> None:
    assert guarded("run", failing(error)) == status
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == 1


def test_a_command_has_its_own_status_and_a_bug_its_traceback() -> None:
    assert guarded("run", lambda: 0) == 0
    assert guarded("run", lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        guarded("run", failing(ZeroDivisionError()))


@pytest.mark.parametrize(
    "meanwhile",
    [
        "time.sleep(600)",
        # A library that swallows what is raised in it, and one that is torn by it.
        "while True:\n        try: time.sleep(600)\n        except BaseException: pass",
        "class Collected:\n        def __del__(self): say(); time.sleep(600)\n    Collected()\n    time.sleep(600)",
        "sys.stdout.write('half a line'); time.sleep(600)",
    ],
    ids=["waits", "swallows", "in a callback", "has printed"],
)
def test_ctrl_c_ends_a_command_in_one_line_whatever_it_is_at(meanwhile: str) -> None:
    begin = "" if "say()" in meanwhile else "say()\n    "
    process = begun(
        "import time\ndef say(): print('ready', flush=True)\n"
        f"def command():\n    {begin}{meanwhile}\nstart('run', command)"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PROMPT)
    assert (process.returncode, said) == (130, "run: stopped\n")


def test_ctrl_c_that_was_switched_off_stays_so() -> None:
    process = begun(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "start('run', lambda: print('ready', flush=True) or int(sys.stdin.readline()))",
        stdin=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    process.communicate("5\n", timeout=PROMPT)
    assert process.returncode == 5


@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        ("| head -c 1", 0, ""),
        ("| exec 0<&-", 0, ""),
        (">&-", 0, ""),
        ("2>&- >&-", 0, ""),
    ],
)
@pytest.mark.parametrize("printing", ["print('x' * 1_000_000)", "[print('x') for _ in range(100_000)]"])
def test_a_reader_that_has_gone_ends_a_command_in_silence(
    redirection: str, status: int, said: str, printing: str
) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom support.commands import start\n"
        f"start('run', lambda: {printing} and 0 or 0)"
    )
    done = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -c "$1" {redirection}', sys.executable, program],
        env=BUFFERED,
        capture_output=True,
        text=True,
        timeout=PROMPT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_error_is_told_even_where_output_cannot_be_written() -> None:
    for stream, said in (("stdout", "run: no\n"), ("stderr", "")):
        with open("/dev/full", "w") as full:
            process = begun(
                "def command():\n    print('x' * 100)\n    raise ValueError('no')\nstart('run', command)",
                env=BUFFERED,
                **{stream: full},
            )
            out, err = process.communicate(timeout=PROMPT)
        assert process.returncode == 2
        assert (err or "") == said
        assert (out or "") == ("" if stream == "stdout" else "x" * 100 + "\n")


def test_an_output_without_an_encoding_for_a_character_shows_an_escape() -> None:
    process = begun("start('run', lambda: print('λ') or 0)", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert process.communicate(timeout=PROMPT)[0] == "\\u03bb\n"
    assert process.returncode == 0
