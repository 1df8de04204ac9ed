"""Where a number was made: commit, versions, threads and hardware, gathered without loading torch."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pillow", "pyautoattack")


def provenance(
    *, threads: int, accelerator: str | None = None, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The fields "commit", "versions", "hardware" and "threads" of a record.

    threads     : that torch computes with, `torch.get_num_threads()`
    accelerator : name of the GPU, or None for a run on the CPU
    more        : versions and settings only torch knows, such as {"cuda": "12.4", "tf32": "on"}, added to "versions"

    Raises: ValueError for a number of threads below 1.
    """
    if threads < 1:
        raise ValueError(f"threads = {threads}, need at least 1: pass torch.get_num_threads()")
    return {
        "commit": commit(ROOT),
        "versions": {"python": platform.python_version(), **_packages(), **(more or {})},
        "hardware": {
            "cpu": _processor(),
            "cores": _cores(),
            "memory_gib": _memory(),
            "system": f"{platform.system()} {platform.machine()}",
            "accelerator": accelerator,
        },
        "threads": threads,
    }


CODE = ("--", ".", ":(exclude)results")


def commit(root: Path) -> str:
    """The commit that is checked out in a folder, `+changes` appended where tracked files differ from it, those in
    `results/` aside, which runs write; "unknown" where the folder is no checkout of its own (an installed copy) or
    there is no git."""
    if _git(root, "rev-parse", "--show-prefix") != "":
        return "unknown"
    head = _git(root, "rev-parse", "HEAD")
    if not head:
        return "unknown"
    return head + ("+changes" if _git(root, "status", "--porcelain", "--untracked-files=no", *CODE) else "")


def _git(root: Path, *arguments: str) -> str | None:
    """What git says, or None where it fails."""
    try:
        run = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()


def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def _processor() -> str:
    """The processor's model; `platform.processor()` is empty or just the architecture on Linux."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _memory() -> float | None:
    """Memory of the machine in GiB, or None where the system does not say."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None
