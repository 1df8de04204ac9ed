"""Variables of the environment that others read, with slips in them, do not keep the figures from being drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_backend_or_a_date_that_is_none_changes_nothing(tmp_path: Path) -> None:
    made = {}
    for name, slips in (
        ("plain", {}),
        ("slips", {"MPLBACKEND": "no-such", "SOURCE_DATE_EPOCH": "yesterday"}),
    ):
        command = [sys.executable, "-m", "figures", "--only", "figure1", "--out", str(tmp_path / name)]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **slips}, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        made[name] = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
    assert made["plain"] == made["slips"]
