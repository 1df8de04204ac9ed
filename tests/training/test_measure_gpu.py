"""The script of the GPU measurements: its pieces, their order and resumption under a stand-in interpreter, and that
every command in it is one that the real parsers and recipes take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

import figures.__main__ as figures
from training import run
from training.cells.recipes import recipe
from training.results.records import read
from training.studies import engine_accuracy, golden_curve, parity
from training.studies.acceleration import command as claim
from training.studies.bench import command as bench

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "training" / "studies" / "measure_gpu.sh"
PIECES = (
    *(
        "data",
        "bench-rn18-at",
        "bench-rn18-awp",
        "bench-wrn-at",
        "parity-at",
        "parity-awp",
        "parity-float32",
        "parity-trades",
        "golden",
    ),
    *("autoattack", "accuracy-at", "accuracy-ensgd", "records", "claim"),
)


PARSERS: dict[str, Any] = {
    "training.studies.bench": bench._parser,
    "training.studies.parity": parity._parser,
    "training.studies.acceleration": claim._parser,
    "training.studies.golden_curve": golden_curve._parser,
    "training.studies.engine_accuracy": engine_accuracy._parser,
    "training/run.py": run._parser,
    "figures": figures._parser,
}


# Writes its arguments down and ends with the status that the file STATUS gives for a word among them. A run of the
# golden recipe leaves a net.
STAND_IN = """#!/usr/bin/env bash
printf '%s\\t' "$@" | tr '\\n' '\\037' >> "$CALLS"; echo >> "$CALLS"
case $* in *run.py*+code*) mkdir -p "$RUNS/seed0-epochs10"; touch "$RUNS/seed0-epochs10/trained.pt" ;; esac
[ -z "${COMPILED:-}" ] || { mkdir -p "$TORCHINDUCTOR_CACHE_DIR"; truncate -s "$COMPILED" "$TORCHINDUCTOR_CACHE_DIR/k"; }
[ -e "$STATUS" ] && while read -r word status; do case $* in *"$word"*) exit "$status" ;; esac; done < "$STATUS"
exit 0
"""


class Bench:
    """The script in a folder of its own, with the stand-in for Python."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.out = folder / "out"
        self.data = folder / "images.tar.xz"
        self.data.touch()
        self.calls = folder / "calls"
        self.status = folder / "status"
        stand_in = folder / "python"
        stand_in.write_text(STAND_IN)
        stand_in.chmod(0o755)
        golden = "compact-at+code" if settings.get("TINY") else "cifar10-rn18-at+code"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHON": str(stand_in),
            "OUT": str(self.out),
            "DATA": str(self.data),
            "CALLS": str(self.calls),
            "STATUS": str(self.status),
            "RUNS": str(self.out / "runs" / golden),
            **settings,
        }

    def __call__(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env={**self.environment, **settings},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def commands(self) -> list[list[str]]:
        """What Python was asked to do, the checks of its packages apart."""
        lines = self.calls.read_text().split("\n")[:-1] if self.calls.exists() else []
        found = [[word.replace("\x1f", "\n") for word in line.split("\t")[:-1]] for line in lines]
        return [one for one in found if not one[-1].startswith("import ")]


def test_list_shows_every_piece_and_needs_nothing(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    shown = script("LIST", DATA="", PYTHON="/nowhere")
    assert shown.returncode == 0
    assert tuple(line.split()[0] for line in shown.stdout.splitlines()) == PIECES
    assert not script.out.exists()


@pytest.mark.parametrize(
    ("arguments", "settings", "message"),
    [
        (["golden", "goldn"], {}, "piece 'goldn' is unknown: data bench-rn18-at"),
        ([], {}, "name pieces, or LIST, or next"),
        (["golden"], {"DATA": "/nowhere/images"}, "DATA=/nowhere/images is not there"),
        (["golden"], {"PYTHON": "/nowhere/python"}, "lacks a package"),
        (["golden"], {"LIMIT": "abc"}, "LIMIT=abc is no number of at least 1"),
        (["next"], {"CLAIM_SEEDS": "0"}, "CLAIM_SEEDS=0 is no number of at least 1"),
        (["LIST", "data"], {}, "LIST stands alone, here with: data"),
        (["next", "data"], {}, "next stands alone, here with: data"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tmp_path: Path, arguments: list[str], settings: dict[str, str], message: str
) -> None:
    script = Bench(tmp_path)
    found = script(*arguments, **settings)
    assert found.returncode == 2
    assert message in found.stderr
    assert found.stderr.count("\n") == 1
    assert script.commands() == []


@pytest.mark.parametrize("settings", [{}, {"TINY": "1"}], ids=["real", "rehearsal"])
def test_every_command_is_one_that_its_program_takes(tmp_path: Path, settings: dict[str, str]) -> None:
    script = Bench(tmp_path, **settings)
    assert script("next").returncode == 0
    programs = set()
    for command in script.commands():
        if command[0] == "-c":
            compile(command[1], "data", "exec")
            continue
        program, arguments = (command[1], command[2:]) if command[0] == "-m" else (command[0], command[1:])
        programs.add(program)
        options = PARSERS[program]().parse_args(arguments)
        asked = getattr(options, "recipe", None) or []
        for name in [asked] if isinstance(asked, str) else asked:
            recipe(name)
        if program == "training.studies.acceleration":
            claim.arms(options.stem, options.epochs)
        if program == "training.studies.engine_accuracy":
            assert options.device == "cuda"
        elif program not in ("training.studies.golden_curve", "figures"):
            assert (options.device, options.data_dir) == ("cuda", script.data)
    assert programs == set(PARSERS)


def test_the_measurements_are_those_of_the_issue(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script("next")
    calls = [" ".join(one) for one in script.commands()]

    def made(*words: str) -> int:
        return sum(all(word in call.split() for word in words) for call in calls)

    for name in ("cifar10-rn18-at", "cifar10-rn18-awp", "cifar10-wrn-at"):
        assert made("training.studies.bench", name) == 1
    assert made("training.studies.parity", "--steps", "50") == 11
    for base in ("cifar10-rn18-at", "cifar10-rn18-awp", "cifar10-wrn-trades"):
        optimizers = {recipe(one[one.index("--recipe") + 1]).optimizer for one in parities(script, base)}
        assert optimizers == {"sgd", "ensgd", "2ndensgd"}
    assert made("training.studies.parity", "--amp", "off", str(script.out / "float32")) == 2
    assert made("training.studies.parity", "--moves", "1") == 3
    assert made("training/run.py", "cifar10-rn18-at+code", "--epochs", "10") == 1
    for engine in ("fast", "reference"):
        for name in ("cifar10-rn18-at", "cifar10-rn18-at-ensgd"):
            assert made("training/run.py", name, "--seeds", "3", "--epochs", "5", "--engine", engine) == 1
    assert made("training.studies.acceleration", "cifar10-rn18", "--epochs", "15", "--seeds", "3") == 1


def parities(script: Bench, base: str) -> list[list[str]]:
    """The comparisons at the engine's own precision."""
    made = [one for one in script.commands() if "training.studies.parity" in one and "--amp" not in one]
    return [one for one in made if one[one.index("--recipe") + 1].startswith(base)]


@pytest.mark.parametrize("settings", [{}, {"TINY": "1"}], ids=["real", "rehearsal"])
def test_the_figure_of_the_claim_shows_the_runs_of_the_claim(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    script = Bench(tmp_path, **settings)
    assert script("claim").returncode == 0
    made, drawn = script.commands()
    options = claim._parser().parse_args(made[2:])
    names = {one.name for one in claim.arms(options.stem, options.epochs).values()}
    patterns = drawn[drawn.index("--runs") + 1].split(",")
    tables = {
        *names,
        f"{options.stem}-at",
        f"{options.stem}-at-ensgd",
        f"{options.stem}-awp-e{options.epochs}",
    }
    assert {name for name in tables if any(fnmatchcase(name, one) for one in patterns)} == names
    assert drawn[drawn.index("--records") + 1] == str(script.out)


def test_without_matplotlib_the_claim_says_where_its_figure_is(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script.status.write_text("matplotlib 1\n")
    found = script("claim")
    assert found.returncode == 0
    assert f"the command in {script.out}/claim_cifar10-rn18.md" in found.stdout
    assert [one[1] for one in script.commands()] == ["training.studies.acceleration"]


def test_next_goes_on_with_the_piece_whose_time_was_over(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script.status.write_text("golden_curve 0\n+code 143\n")
    first = script("next")
    assert first.returncode == 75
    assert "time is over in golden; the same command goes on from here" in first.stdout
    done = {line.split()[0] for line in script("LIST").stdout.splitlines() if line.split()[1] == "done"}
    assert done == set(PIECES[: PIECES.index("golden")])
    script.status.unlink()
    before = len(script.commands())
    assert script("next").returncode == 0
    assert script.commands()[before][:3] == ["training/run.py", "--recipe", "cifar10-rn18-at+code"]
    assert "every piece is done" in script("next").stdout


def test_a_piece_that_fails_holds_up_no_other_under_next(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script.status.write_text("training.studies.bench 1\n")
    found = script("next")
    assert found.returncode == 1
    assert found.stderr.count("failed with status 1") == 4
    undone = {line.split()[0] for line in script("LIST").stdout.splitlines() if line.split()[1] == "-"}
    assert undone == {"bench-rn18-at", "bench-rn18-awp", "bench-wrn-at", "autoattack"}
    # Pieces that are named stop at the first one that fails.
    before = len(script.commands())
    assert script("bench-wrn-at", "golden").returncode == 1
    assert len(script.commands()) == before + 1
    # Bad input would be so for every other piece.
    script.status.write_text("training.studies.bench 2\n")
    assert script("next").returncode == 2
    assert len(script.commands()) == before + 2


def test_a_command_killed_before_its_time_has_failed_and_not_run_out_of_it(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script.status.write_text("training.studies.parity 137\n")
    killed = script("parity-awp")
    assert killed.returncode == 1
    assert "failed with status 137" in killed.stderr
    assert not (script.out / "measured" / "verdicts.txt").exists()
    # One that does not listen when its time is over is killed then.
    quick = tmp_path / "quick.sh"
    text = SCRIPT.read_text().replace("GRACE=25", "GRACE=1").replace("LEAST=20", "LEAST=1")
    quick.write_text(text.replace('cd "$(dirname "$0")/.."', f'cd "{ROOT}"'))
    quick.chmod(0o755)
    deaf = tmp_path / "python"
    deaf.write_text(
        "#!/usr/bin/env bash\ncase $* in *training/run.py*) trap '' TERM; sleep 30 & wait; sleep 30 ;; esac\n"
    )
    found = subprocess.run(
        [str(quick), "records"],
        env={**script.environment, "LIMIT": "3"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert found.returncode == 75, found.stderr


def test_an_absent_device_is_one_line_and_status_2(tmp_path: Path) -> None:
    script = Bench(tmp_path, PYTHON=sys.executable, DEVICE="cuda:77")
    found = script("data")
    assert found.returncode == 2
    (line,) = [one for one in found.stdout.splitlines() if "cuda:77" in one]
    assert "device 'cuda:77' is not there" in line
    assert "Traceback" not in found.stdout


def test_without_time_nothing_is_begun(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    assert script("golden", LIMIT="30").returncode == 75
    assert script.commands() == []
    # What cannot be continued needs more time to begin with.
    assert script("bench-wrn-at", LIMIT="120").returncode == 75
    assert script.commands() == []
    assert script("golden", LIMIT="120").returncode == 0


def test_an_answer_of_no_is_written_down_and_a_failure_is_not_done(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script.status.write_text("training.studies.golden_curve 1\ntraining.studies.bench 2\n")
    assert script("golden").returncode == 0
    assert (script.out / "measured" / "verdicts.txt").read_text().startswith("golden: does not hold")
    failed = script("bench-rn18-at", "golden")
    assert failed.returncode == 2
    assert "bench-rn18-at failed with status 2" in failed.stderr
    assert not (script.out / "measured" / "bench-rn18-at.done").exists()


def unpacked(kept: Path, folder: Path) -> set[str]:
    """The names of what was kept, now in that folder too."""
    folder.mkdir()
    subprocess.run(["tar", "xzf", kept / "measured.tar.gz", "-C", folder], check=True)
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_what_is_kept_are_the_results_and_the_runs_without_their_nets(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    kept = tmp_path / "kept"
    assert script("golden", KEEP=str(kept), COMPILED="1M").returncode == 0
    names = unpacked(kept, tmp_path / "first")
    assert {"measured/golden.done", "runs/cifar10-rn18-at+code/seed0-epochs10", "compiled/k"} <= names
    assert not [name for name in names if name.endswith(".pt")]
    assert (script.out / "runs" / "cifar10-rn18-at+code" / "seed0-epochs10" / "trained.pt").exists()


def test_large_kernels_and_the_net_of_autoattack_alone_are_not_kept(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script.environment["RUNS"] = str(script.out / "again" / "runs" / "cifar10-rn18-at+code")
    (script.out / "compiled").mkdir(parents=True)
    (script.out / "compiled" / "large").write_bytes(bytes(66 * 2**20))
    assert script("autoattack", KEEP=str(tmp_path / "kept")).returncode == 0
    # Else the run of it would count as finished, and its net be missing for good.
    assert (script.out / "again").is_dir()
    names = unpacked(tmp_path / "kept", tmp_path / "first")
    assert "measured/autoattack.done" in names
    assert not [name for name in names if name.startswith(("again", "compiled"))]


def test_a_run_that_was_kept_is_not_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = Bench(tmp_path)
    arguments = ["--recipe", "compact-at", "--epochs", "1", "--test-examples", "20", "--autoattack", "none"]
    assert run.main([*arguments, "--out", str(script.out)]) == 0
    assert script("data", KEEP=str(tmp_path / "kept")).returncode == 0
    assert "runs/compact-at/seed0-epochs1/run.json" in unpacked(tmp_path / "kept", tmp_path / "other")
    capsys.readouterr()
    assert run.main([*arguments, "--out", str(tmp_path / "other")]) == 0
    assert "1 of 1 runs were finished before" in capsys.readouterr().err
    assert len(read(tmp_path / "other" / "records.jsonl")) == 1
    # The twin: without the folder of the run it is made again.
    shutil.rmtree(tmp_path / "other" / "runs")
    assert run.main([*arguments, "--out", str(tmp_path / "other")]) == 0
    assert len(read(tmp_path / "other" / "records.jsonl")) == 2


def test_autoattack_without_the_net_of_golden_trains_it_again(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    script.environment["RUNS"] = str(script.out / "again" / "runs" / "cifar10-rn18-at+code")
    assert script("autoattack").returncode == 0
    train, attack = script.commands()
    assert train[0] == "training/run.py"
    assert str(script.out / "again") in train
    assert attack[attack.index("--autoattack") + 1].startswith(script.environment["RUNS"])


def test_names_given_relative_to_the_caller_are_found(tmp_path: Path) -> None:
    script = Bench(tmp_path)
    found = subprocess.run(
        [str(SCRIPT), "records"],
        env={**script.environment, "DATA": "images.tar.xz", "OUT": "out"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    assert all(str(script.data) in one and str(script.out) in one for one in script.commands())


def test_the_script_is_clean() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    subprocess.run(["shellcheck", str(SCRIPT)], check=True)
