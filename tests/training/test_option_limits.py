"""Options of `training/run.py` and the studies that no machine can honour are refused in one line, before any work."""

from __future__ import annotations

import pytest

from training.engine.device import Computing
from training.run import main
from training.studies import parity
from training.studies.acceleration import command as acceleration
from training.studies.bench import command as bench
from training.studies.landscape import command as landscape

CASES = [
    (["--seeds", "1000000000"], "argument --seeds: '1000000000' is more than 10000"),
    (["--threads", "100000"], "argument --threads: '100000' is more than 1024"),
    (["--jobs", "100000"], "argument --jobs: '100000' is more than 1024"),
    (["--device", ""], "argument --device: '' is no device; write cpu, cuda or cuda:1"),
    (["--device", "  "], "argument --device"),
    (["--data-dir", ""], "argument --data-dir"),
]


@pytest.mark.parametrize(("arguments", "words"), CASES)
def test_the_command_refuses_what_no_machine_can_do(capsys, tmp_path, arguments, words):
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--out", str(tmp_path)])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("study", [parity, acceleration, bench, landscape])
def test_the_studies_refuse_it_too(capsys, study):
    for arguments in (["--threads", "100000"], ["--device", ""]):
        with pytest.raises(SystemExit) as left:
            study.main(arguments)
        assert left.value.code == 2
        assert f"argument {arguments[0]}" in capsys.readouterr().err


@pytest.mark.parametrize("threads", [0, -1, 100_000])
def test_threads_beyond_any_machine_are_refused_from_python_too(threads):
    with pytest.raises(ValueError, match=f"threads = {threads}, need at least 1 and at most 1024"):
        Computing(threads=threads)
