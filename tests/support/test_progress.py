"""Progress (support/progress.py): one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io

import pytest

from support import progress
from support.progress import Progress, duration


class Screen(io.StringIO):
    """What a terminal was sent."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_on_a_terminal_one_line_is_rewritten_and_taken_away(clock) -> None:
    screen = Screen()
    with Progress("bench", 4, screen) as shown:
        shown.at(0, "warming up")
        clock[0] += 10
        shown.at(1, "steps")
        shown.at(2, "too soon to be read")
        shown.line("half")
        clock[0] += 10
        shown.at(2, "steps")
    assert screen.getvalue() == (
        "\r\x1b[Kbench: 0 of 4, warming up, 0:00"
        "\r\x1b[Kbench: 1 of 4, steps, 0:10, 0:30 left"
        "\r\x1b[Kbench: half\n"
        "\r\x1b[Kbench: 2 of 4, steps, 0:20, 0:20 left"
        "\r\x1b[K"
    )


def test_elsewhere_there_is_a_whole_line_now_and_then(clock) -> None:
    out = io.StringIO()
    with Progress("bench", 100, out) as shown:
        for done in range(100):
            clock[0] += 1
            shown.at(done, "steps")
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "bench: 9 of 100, steps, 0:10, 1:41 left"
    assert "\x1b" not in out.getvalue()


def test_where_nobody_knows_the_end_nothing_is_said_of_it(clock) -> None:
    out = io.StringIO()
    shown = Progress("check", None, out)
    clock[0] += 65
    shown.at(0, "deriving")
    assert out.getvalue() == "check: deriving, 1:05\n"


def test_nothing_is_left_of_what_is_done(clock) -> None:
    out = io.StringIO()
    shown = Progress("check", 3, out)
    clock[0] += 60
    shown.at(3, "writing")
    assert out.getvalue() == "check: 3 of 3, writing, 1:00\n"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3723, "1:02:03")])
def test_durations_are_written_as_a_clock_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text
