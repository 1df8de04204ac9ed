"""The records of runs: what is refused, what survives a killed process, a full disk and two writers at once."""

from __future__ import annotations

import copy
import json
import math
import os
import platform
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from run_records import run_record

from training.cells.recipes import recipe
from training.results.provenance import commit, provenance
from training.results.records import _locked, append, find, read, validate

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


def test_records_come_back_as_they_were_written_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "inner" / "runs.jsonl"
    curve = {"epoch": [1, 2], "test_pgd20": [0.25, 0.5], "seconds": [3.5, 7.0]}
    written = [AT, COMPACT, {**AT, "seed": 2, "data": "CIFAR-10 (±)", "curve": curve}]
    for record in written:
        append(path, record)
    assert read(path) == json.loads(json.dumps(written))
    lines = path.read_bytes().split(b"\n")
    assert [json.loads(line) for line in lines[:-1]] == json.loads(json.dumps(written))
    assert lines[-1] == b""


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"runs\.jsonl"):
        read(tmp_path / "runs.jsonl")


def test_find_asks_for_what_is_given_and_nothing_else() -> None:
    records = [
        AT,
        COMPACT,
        run_record("cifar10-rn18-at", 1, 5000),
        run_record("cifar10-rn18-at", 1, 5000, epochs=3),
        run_record("cifar10-rn18-at", 1, 5000, data="CIFAR-10 (JPEG copy)", device="cpu"),
    ]
    digest = recipe("cifar10-rn18-at").digest
    assert find(records) == records
    assert find(records, digest=digest) == [AT, *records[2:]]
    assert find(records, seed=0) == [AT]
    assert find(records, digest=digest, seed=1, data="CIFAR-10", shortened=False) == [records[2]]
    assert find(records, seed=1, data="CIFAR-10", shortened=True) == [records[3]]
    assert find(records, device="cpu") == [COMPACT, records[4]]
    assert find(records, digest="0" * 16) == []


PATHS = [
    *("recipe", "digest", "seed", "device", "data", "selection", "epochs_run", "shortened", "commit"),
    *("versions", "hardware", "seconds", "threads", "selection.last.epoch", "selection.last.clean"),
    *("selection.best_test.pgd20", "selection.best_test.autoattack", "selection.last.n_test"),
    *("selection.last.attacks", "selection.last.attacks.pgd20.seed", "selection.last.attacks.pgd20.norm"),
    *("selection.last.attacks.pgd20.epsilon", "selection.best_test.attacks.pgd20.step_size"),
    *("selection.best_test.attacks.pgd20.steps", "selection.best_test.attacks.autoattack.n"),
    *("selection.best_test.attacks.autoattack.seed", "selection.best_test.attacks.autoattack.version"),
    *("selection.best_test.attacks.autoattack.epsilon", "selection.best_test.attacks.autoattack.norm"),
]


@pytest.mark.parametrize("path", PATHS)
def test_a_record_that_lacks_a_field_or_has_another_type_there_is_refused(path: str) -> None:
    validate(AT)
    with pytest.raises(ValueError, match=f"{path} is missing, need"):
        validate(changed(path, ...))
    with pytest.raises(ValueError, match=rf"{path} = \(\), need"):
        validate(changed(path, ()))
    if path != "shortened":
        with pytest.raises(ValueError, match=f"{path} = True, need"):
            validate(changed(path, True))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("selection.last.pgd20", math.nan, "selection.last.pgd20 = nan, need a finite number"),
        ("seconds", math.inf, "seconds = inf, need a finite number"),
        ("versions", {"a": [1.0, -math.inf]}, r"versions.a\[1\] = -inf, need a finite number"),
        (
            "selection.last.pgd20",
            51.0,
            r"selection.last.pgd20 = 51.0, need a fraction in \[0, 1\], not percent",
        ),
        ("selection.last.clean", 1.0001, r"selection.last.clean = 1.0001, need a fraction in \[0, 1\]"),
        (
            "selection.best_test.attacks.autoattack.n",
            0,
            "autoattack = 0.48 is no number of right answers out of n = 0",
        ),
        ("selection.last.clean", -0.1, r"selection.last.clean = -0.1, need a fraction in \[0, 1\]"),
        ("selection.last.clean", 0.80005, "clean = 0.80005 is no number of right answers out of n = 10000"),
        ("selection.best_test.autoattack", 0.48005, "autoattack = 0.48005 is no number of right answers"),
        ("seed", -1, "seed = -1, need at least 0"),
        ("threads", 0, "threads = 0, need at least 1"),
        ("seconds", 0, "seconds = 0, need a positive number"),
        ("selection.last.n_test", 0, "selection.last.n_test = 0, need at least 1"),
        ("selection.best_test.epoch", -1, "selection.best_test.epoch = -1, need at least 0"),
        ("digest", "0" * 16, "digest = '0000000000000000', but that of the recipe beside it is"),
        ("recipe.epsilon", 0.03, "digest = .*, but that of the recipe beside it is"),
        ("shortened", True, "shortened = True, but 200 of 200 epochs were run"),
        ("epochs_run", 199, "shortened = False, but 199 of 200 epochs were run"),
        ("epochs_run", 201, "epochs_run = 201, need at most the recipe's 200"),
        ("epochs_run", 0, "epochs_run = 0, need at least 1"),
        ("selection.last.epoch", 199, "selection.last.epoch = 199, but epochs_run = 200"),
        ("selection.best_test.epoch", 201, "selection.best_test.epoch = 201, but epochs_run = 200"),
        ("selection.best_test.selected_on", ..., "selection.best_test.selected_on = None, need 'test'"),
        ("selection.best_test.selected_on", "validation", "selected_on = 'validation', need 'test'"),
        ("selection.last.selected_on", "test", "selection.last.selected_on = 'test', need None"),
        ("selection.best_test", None, "selection.best_test is a NoneType, need an object"),
        (
            "selection.best_test",
            ...,
            r"selection holds \['last', 'validation'\], need last, best_test and val",
        ),
        (
            "selection.validation",
            AT["selection"]["best_test"],
            "selection.validation needs to be null exactly",
        ),
        ("selection.last.attacks.autoattack", ..., r"attacks holds \['pgd20'\], need pgd20 and autoattack"),
        (
            "selection.best_test.autoattack",
            None,
            "autoattack and attacks.autoattack need to be null together",
        ),
        ("selection.last.autoattack", 0.5, "autoattack and attacks.autoattack need to be null together"),
        ("selection.last.attacks.pgd20", None, "selection.last.attacks.pgd20 is a NoneType, need an object"),
        ("selection.last.attacks.pgd20.steps", 10, "pgd20.steps = 10, but the recipe says 20"),
        ("selection.last.attacks.pgd20.norm", "l2", "pgd20.norm = 'l2', but the recipe says 'linf'"),
        (
            "selection.last.attacks.pgd20.epsilon",
            0.031,
            "pgd20.epsilon = 0.031, but the recipe says 0.0313725",
        ),
        ("selection.last.attacks.pgd20.step_size", 0.003, "pgd20.step_size = 0.003, but the recipe says"),
        (
            "selection.best_test.attacks.autoattack.epsilon",
            0.031,
            "autoattack.epsilon = 0.031, but the recipe says",
        ),
        ("curve", [1], "curve is a list, need an object"),
        ("curve", {"seconds": [1.0]}, "curve holds lists of lengths .* epoch among them"),
        ("curve", {"epoch": [1, 2], "seconds": [1.0]}, "curve holds lists of lengths .*, need equally long"),
        ("curve", {"epoch": [1], "seconds": 1.0}, "curve holds lists of lengths .*, need equally long"),
        ("curve", {"epoch": [1, 1]}, "curve.epoch needs to increase"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(path: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate(changed(path, value))


def test_checkpoints_on_different_numbers_of_test_images_are_refused() -> None:
    other = changed("selection.last.n_test", 5000)
    with pytest.raises(ValueError, match=r"selection mixes n_test \[5000, 10000\]"):
        validate(other)


def test_a_recipe_that_holds_images_out_needs_a_validation_checkpoint() -> None:
    validate(COMPACT)
    with pytest.raises(ValueError, match=r"selection\.validation needs to be null exactly where"):
        validate(changed("selection.validation", None, COMPACT))


def test_none_right_and_all_right_are_accuracies() -> None:
    for value in (0.0, 1.0, 0, 1):
        validate(changed("selection.last.pgd20", value))


@pytest.mark.parametrize("record", [None, [AT], "AT", 1.0])
def test_what_is_no_object_is_no_record(record: Any) -> None:
    with pytest.raises(ValueError, match=r"^record is a \w+, need an object$"):
        validate(record)


@pytest.mark.parametrize("n", [200, 2000, 10_000, 26_032])
def test_an_accuracy_in_single_precision_passes_and_half_an_example_does_not(n: int) -> None:
    numpy = pytest.importorskip("numpy")
    for right in (1, n // 3, n - 1):
        single = float(numpy.float32(right) / numpy.float32(n))
        validate(changed("selection.last.clean", single, run_record("cifar10-rn18-at", 0, n // 2, n=n)))
        with pytest.raises(ValueError, match="is no number of right answers"):
            validate(
                changed(
                    "selection.last.clean", single + 0.5 / n, run_record("cifar10-rn18-at", 0, n // 2, n=n)
                )
            )


def test_a_bad_record_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    with pytest.raises(ValueError, match="need a finite number"):
        append(path, changed("selection.last.pgd20", math.nan))
    assert not path.exists()


def test_records_of_another_kind_bring_their_own_check(tmp_path: Path) -> None:
    path = tmp_path / "landscapes.jsonl"

    def check(record: Any) -> None:
        if "alphas" not in record:
            raise ValueError("alphas is missing")

    append(path, {"alphas": [0.0]}, check)
    assert read(path, check) == [{"alphas": [0.0]}]
    with pytest.raises(ValueError, match="alphas is missing"):
        append(path, {}, check)
    with pytest.raises(ValueError, match=r"landscapes\.jsonl, line 1: recipe is missing"):
        read(path)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (b'{"recipe": {"na', "is no JSON"),
        (b"<<<<<<< HEAD", "is no JSON"),
        (b"[1, 2]", "holds a list, need an object"),
        (b"\xff\xfe", "is no JSON"),
        (b'{"recipe": {}}', "digest is missing"),
        (json.dumps(changed("seconds", math.nan)).encode(), "seconds = nan, need a finite number"),
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, broken: bytes, message: str) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    whole = path.read_bytes()
    for content, number in (
        (whole + broken + b"\n" + whole, 2),
        (broken + b"\n", 1),
        (whole + b"\n" + broken + b"\n", 3),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"runs\.jsonl, line {number}: .*{message}"):
            read(path)
        assert path.read_bytes() == content


def test_a_last_line_cut_short_is_skipped_with_a_warning_and_the_next_append_moves_it_aside(
    tmp_path: Path,
) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    whole = path.read_bytes()
    for length in (1, 10, len(whole) // 2, len(whole) - 2):
        path.write_bytes(whole + whole[:length])
        with pytest.warns(UserWarning, match=r"runs\.jsonl, line 2: cut short, skipped"):
            assert read(path) == read_quietly(whole)
        with pytest.warns(UserWarning, match=r"cut short and now lies in .*runs\.jsonl\.torn"):
            append(path, COMPACT)
        assert read(path) == [*read_quietly(whole), json.loads(json.dumps(COMPACT))]
        assert (tmp_path / "runs.jsonl.torn").read_bytes().endswith(whole[:length] + b"\n")


def read_quietly(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


def test_a_last_line_that_lacks_only_its_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    path.write_bytes(path.read_bytes()[:-1])
    assert [record["seed"] for record in read(path)] == [0]
    append(path, COMPACT)
    assert [record["seed"] for record in read(path)] == [0, 1]
    assert not (tmp_path / "runs.jsonl.torn").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to name what is synchronised")
def test_what_is_written_is_on_the_disk_when_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronised: list[tuple[str, int]] = []

    def noting(descriptor: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        synchronised.append((name, path.stat().st_size))

    monkeypatch.setattr(os, "fsync", noting)
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    size = path.stat().st_size
    assert synchronised == [("runs.jsonl", size), (tmp_path.name, size)]
    synchronised.clear()
    path.write_bytes(path.read_bytes() + b"torn")
    with pytest.warns(UserWarning, match="cut short"):
        append(path, AT)
    # What is moved aside is safe before it is cut off.
    assert synchronised == [("runs.jsonl.torn", size + 4), ("runs.jsonl", 2 * size)]


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, ".")
from tests.run_records import run_record
from training.results.records import append
first, path = int(sys.argv[1]), Path(sys.argv[2])
for seed in range(first, first + 25):
    append(path, {**run_record("cifar10-rn18-at", seed, 5000), "padding": "x" * 20_000})
"""


def test_two_processes_may_append_at_once(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    writers = [threading.Thread(target=python, args=(WRITER, first, str(path))) for first in ("0", "100")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    seeds = [record["seed"] for record in read(path)]
    assert sorted(seeds) == [*range(25), *range(100, 125)]
    assert [seed for seed in seeds if seed < 100] == list(range(25))


def test_a_second_writer_waits_for_one_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    line = json.dumps(AT).encode() + b"\n"
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.run_records import run_record\n"
        "from training.results.records import append, read\npath = Path(sys.argv[1])\nprint('ready', flush=True)\n"
        "print(len(read(path)))\nappend(path, run_record('cifar10-rn18-at', 1, 5000))"
    )
    with _locked(path) as file:
        file.write(line[:100])
        other = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", program, str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=0.3)
        file.write(line[100:])
    assert other.communicate(timeout=30)[0] == "1\n"
    assert other.returncode == 0
    assert [record["seed"] for record in read(path)] == [0, 1]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, ".")
from tests.run_records import run_record
from training.results.records import append
path = Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100,) * 2)
try:
    append(path, run_record("cifar10-rn18-at", 1, 5000))
except OSError as error:
    print(error.strerror)
"""


def test_a_record_that_does_not_fit_on_the_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    append(path, AT)
    before = path.read_bytes()
    assert python(FULL_DISK, str(path)).stdout == "File too large\n"
    assert path.read_bytes() == before


def test_a_process_killed_while_it_holds_the_lock_does_not_block_the_next(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom training.results.records import _locked\n"
        "with _locked(Path(sys.argv[1])) as file:\n"
        "    file.write(b'{\"recipe\"')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert python(program, str(path), check=False).returncode == -9
    with pytest.warns(UserWarning, match="cut short"):
        append(path, AT)
    assert [record["seed"] for record in read(path)] == [0]


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
    git("add", "file")
    git("commit", "--quiet", "-m", "one")
    head = git("rev-parse", "HEAD")
    assert len(head) == 40
    assert commit(tmp_path) == head
    (tmp_path / "untracked").write_text("", encoding="utf-8")
    assert commit(tmp_path) == head
    (tmp_path / "file").write_text("two", encoding="utf-8")
    assert commit(tmp_path) == f"{head}+changes"
    assert commit(tmp_path / "inner") == "unknown"
    assert commit(tmp_path / "nowhere") == "unknown"
