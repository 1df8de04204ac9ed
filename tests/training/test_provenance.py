"""Where a number was made (training/results/provenance.py): commit, versions, hardware and threads."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path

import pytest
from record_tools import AT, python

from training.results.provenance import commit, provenance
from training.results.records import validate


def test_provenance_says_commit_versions_hardware_and_threads() -> None:
    found = provenance(threads=3, accelerator="Some GPU", more={"cuda": "12.4"})
    assert found["threads"] == 3
    assert found["hardware"]["accelerator"] == "Some GPU"
    assert found["hardware"]["cores"] >= 1
    assert found["versions"]["cuda"] == "12.4"
    assert found["versions"]["python"] == platform.python_version()
    validate({**AT, **found})
    with pytest.raises(ValueError, match="threads = 0, need at least 1"):
        provenance(threads=0)


def test_provenance_knows_the_version_of_numpy_and_loads_neither_it_nor_torch() -> None:
    numpy = pytest.importorskip("numpy")
    program = (
        "import json, sys\nfrom training.results.records import provenance\n"
        "print(json.dumps([provenance(threads=1)['versions'], 'torch' in sys.modules, 'numpy' in sys.modules]))"
    )
    versions, torch_loaded, numpy_loaded = json.loads(python(program).stdout)
    assert versions["numpy"] == numpy.__version__
    assert not torch_loaded
    assert not numpy_loaded


def test_the_commit_is_that_of_the_checkout_and_says_when_it_was_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        run = subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return run.stdout.strip()

    try:
        git("init", "--quiet")
    except FileNotFoundError:
        pytest.skip("needs git")
    assert commit(tmp_path) == "unknown"
    (tmp_path / "file").write_text("one", encoding="utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "records.jsonl").write_text("", encoding="utf-8")
    git("add", "file", "results")
    git("commit", "--quiet", "-m", "one")
    head = git("rev-parse", "HEAD")
    assert len(head) == 40
    assert commit(tmp_path) == head
    (tmp_path / "untracked").write_text("", encoding="utf-8")
    assert commit(tmp_path) == head
    # What a run wrote changes no program.
    (tmp_path / "results" / "records.jsonl").write_text("{}", encoding="utf-8")
    assert commit(tmp_path) == head
    (tmp_path / "file").write_text("two", encoding="utf-8")
    assert commit(tmp_path) == f"{head}+changes"
    assert commit(tmp_path / "inner") == "unknown"
    assert commit(tmp_path / "nowhere") == "unknown"
