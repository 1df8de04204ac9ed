"""Two records, changes to them, and a Python process of its own."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

from run_records import run_record

ROOT = Path(__file__).resolve().parents[2]
AT = run_record("cifar10-rn18-at", 0, 5100, clean=8000, auto=4800)
COMPACT = run_record("compact-at", 1, 120, clean=190, auto=118, n=200, data="digits", device="cpu")


def changed(path: str, value: Any, record: dict[str, Any] = AT) -> dict[str, Any]:
    """A copy of the record with the entry at a dotted path replaced, or removed where the value is ...."""
    copied = copy.deepcopy(record)
    *parents, last = path.split(".")
    place = copied
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copied


def python(program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=check
    )
