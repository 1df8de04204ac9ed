"""`python -m numerics bounds` while jax is at work: Ctrl-C ends it at once, whatever its environment names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOON = 20.0  # seconds for what takes 0.3 on an idle machine


@pytest.mark.parametrize("seconds", [7.0, 11.0])
def test_an_interrupted_search_says_so_and_does_not_crash(tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "numerics", "bounds", "--out", str(tmp_path)]
    environment = {**os.environ, "JAX_PLATFORMS": "no-such-backend"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
        started = time.monotonic()
        out, err = process.communicate(timeout=SOON)
        assert time.monotonic() - started < SOON
    assert (process.returncode, out) == (130, b"")
    assert err.decode().splitlines()[-1] == "numerics: stopped"
    assert "Traceback" not in err.decode()
    assert list(tmp_path.iterdir()) == []
