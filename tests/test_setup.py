"""Holds the Makefile, pyproject.toml, constraints.txt and `setup_env.py` to their promises, offline.

Second sources: the directories on disk, the `packaging` library's reading of versions, and interpreters and
commands that only record how they were called.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import setup_env

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OPTIONAL = PROJECT["project"]["optional-dependencies"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
ROOMS = ("support", "theory", "numerics", "training", "figures")


def pins() -> dict[str, str]:
    """Name -> version, read by `packaging`."""
    lines = (line.partition("#")[0].strip() for line in CONSTRAINTS.splitlines())
    requirements = [Requirement(line) for line in lines if line]
    return {canonicalize_name(item.name): str(item.specifier).removeprefix("==") for item in requirements}


def ranges() -> dict[str, list[SpecifierSet]]:
    """Name -> the ranges pyproject.toml declares for it, read by `packaging`."""
    found: dict[str, list[SpecifierSet]] = {}
    for line in [
        *PROJECT["project"]["dependencies"],
        *(line for lines in OPTIONAL.values() for line in lines),
    ]:
        found.setdefault(canonicalize_name(Requirement(line).name), []).append(Requirement(line).specifier)
    del found["smoothness-at"]
    return found


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs make as a person's shell would, with no environment active unless one is given."""
    ours = {"VIRTUAL_ENV", "CONDA_PREFIX", "PYTHON", "VENV", "EXTRAS", "PYTEST"}
    outer_make = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}
    kept = {key: value for key, value in os.environ.items() if key not in ours | outer_make}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def interpreter_of_version(path: Path, major: int, minor: int) -> Path:
    """A command that runs `-c CODE` as a Python of another version would see it."""
    code = f"import sys; sys.version_info = ({major}, {minor}, 0, 'final', 0); exec(sys.argv[2])"
    return script(path, f'exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"')


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment seen from inside, where pip only records what it is given and succeeds."""
    calls: list[list[str]] = []
    handed: list[str] = []
    versions = {name: pin for name, pin in pins().items() if name != "torch"} | {"smoothness-at": "0.1.0"}

    def run(command, **_):
        calls.append(command)
        handed.append(Path(command[command.index("-c") + 1]).read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(setup_env.sys, "prefix", str(tmp_path))
    monkeypatch.setattr(setup_env.subprocess, "run", run)
    monkeypatch.setattr(setup_env, "installed_version", versions.get)
    return calls, handed, versions


def test_the_packages_listed_by_hand_are_those_on_disk():
    on_disk = [path.parent for room in ROOMS for path in (ROOT / room).rglob("__init__.py")]
    names = sorted(".".join(path.relative_to(ROOT).parts) for path in on_disk)
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == names


def test_every_pin_lies_in_every_range_declared_for_it():
    outside = [
        f"{name}=={pin} is not {one}"
        for name, pin in pins().items()
        for one in ranges().get(name, [])
        if not one.contains(pin)
    ]
    assert outside == []


def test_everything_asked_for_has_a_tested_version():
    assert set(ranges()) <= set(pins())


def test_every_range_has_a_floor():
    assert [name for name, found in ranges().items() for one in found if ">=" not in str(one)] == []


def test_this_environment_holds_the_tested_versions_of_what_the_tests_use():
    asked = [Requirement(line).name for line in [*PROJECT["project"]["dependencies"], *OPTIONAL["test"]]]
    held = {canonicalize_name(name): importlib.metadata.version(name) for name in asked}
    if not (Path(sys.prefix) / setup_env.STAMP).exists():
        pytest.skip("this environment was not made by `make install`")
    assert held == {name: pins()[name] for name in held}


def test_the_citation_names_the_version_and_the_paper():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.M) == [PROJECT["project"]["version"]]
    for text in ("arXiv:2103.01400v4", "10.1109/TNNLS.2023.3244172", 'title: "Smoothness Analysis of Adv'):
        assert text in citation


def test_make_help_lists_every_target():
    lines = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    phony = " ".join(lines).split()
    assert set(phony) >= {"help", "install", "reproduce", "figures", "test", "lint", "clean"}
    listed = re.findall(r"^  ([a-z]+) +\S", make("help").stdout, re.M)
    assert listed == phony


def test_make_without_a_target_is_make_help():
    assert make().stdout == make("help").stdout


@pytest.mark.parametrize("minor", [6, 10])
def test_an_interpreter_that_is_too_old_is_refused_with_one_line(tmp_path, minor):
    old = interpreter_of_version(tmp_path / "python-old", 3, minor)
    run = make("install", PYTHON=str(old), VENV=str(tmp_path / "new"))
    lines = [line for line in run.stderr.splitlines() if not line.startswith("make")]
    assert run.returncode == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"setup: Python 3.11 or newer is needed, tried {old}")
    assert not (tmp_path / "new").exists()


def test_the_oldest_supported_interpreter_is_not_refused_for_its_version(tmp_path):
    (tmp_path / "occupied").mkdir()
    (tmp_path / "occupied" / "letter.txt").write_text("dear reader", encoding="utf-8")
    run = make("install", PYTHON=sys.executable, VENV=str(tmp_path / "occupied"))
    assert run.returncode == 2
    assert "is no virtual environment" in run.stderr
    assert (tmp_path / "occupied" / "letter.txt").exists()


def test_an_active_environment_that_is_too_old_is_refused(tmp_path):
    interpreter_of_version(tmp_path / "bin" / "python", 3, 10)
    run = make("install", CONDA_PREFIX=str(tmp_path))
    assert run.returncode == 2
    assert "runs a Python older than 3.11" in run.stderr


def test_an_active_environment_is_used_and_the_virtual_one_goes_before_conda(tmp_path):
    active, conda = tmp_path / "with space", tmp_path / "conda"
    for place in (active, conda):
        script(place / "bin" / "python", f'echo "$@" >> {shlex.quote(str(place))}/calls')
    assert make("install", VIRTUAL_ENV=str(active), CONDA_PREFIX=str(conda)).returncode == 0
    assert "setup_env.py install --extras test,figures,training --asked" in (active / "calls").read_text(
        encoding="utf-8"
    )
    assert not (conda / "calls").exists()
    assert make("install", CONDA_PREFIX=str(conda)).returncode == 0
    assert (conda / "calls").exists()


NAMES = [
    "it's",
    "a$b",
    "$HOME",
    "$$",
    "$(shell date)",
    'say "hi"',
    "`date`",
    "a;b",
    "a#b",
    "a\\b",
    "(a, b)",
    "a%b&c|d",
    "ü λ",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_may_have_any_name(name, tmp_path):
    active = tmp_path / name
    script(active / "bin" / "python", 'echo "$@" >> "${0%/bin/python}/calls"')
    run = make("install", VIRTUAL_ENV=str(active))
    assert (run.returncode, run.stderr) == (0, "")
    assert "setup_env.py install" in (active / "calls").read_text(encoding="utf-8")
    run = make("install", VENV=str(tmp_path / name / "none"), PYTHON=str(tmp_path / name / "no python"))
    assert run.returncode == 2
    assert f"tried {tmp_path / name / 'no python'}" in run.stderr
    gone = make("install", VIRTUAL_ENV=str(tmp_path / name / "gone"))
    assert gone.returncode == 2
    assert f"the active environment {tmp_path / name / 'gone'} has no bin/python" in gone.stderr


def test_what_is_cleaned_away_is_the_environment_of_that_name_alone(tmp_path):
    for name in ("it's", "its"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyvenv.cfg").write_text("", encoding="utf-8")
    # The sources are searched for caches, not for environments.
    assert make("clean", "sources=support", VENV=str(tmp_path / "it's")).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["its"]


def test_an_active_environment_without_an_interpreter_is_not_created(tmp_path):
    run = make("install", VIRTUAL_ENV=str(tmp_path / "gone"), VENV=str(tmp_path / "own"))
    assert run.returncode == 2
    assert "has no bin/python" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_is_not_written_is_a_failure(tmp_path):
    script(tmp_path / "bin" / "python", "exit 0")
    run = make("reproduce", "ledger=results/absent.md", VIRTUAL_ENV=str(tmp_path))
    assert run.returncode == 2
    assert "reproduce: results/absent.md was not written" in run.stderr


def test_ci_runs_make_test_at_the_root_from_anywhere(tmp_path):
    script(tmp_path / "make", f'echo "$PWD $*" > {shlex.quote(str(tmp_path))}/calls')
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["bash", str(ROOT / ".ci" / "run")], cwd=tmp_path, env={**os.environ, "PATH": path}, check=True
    )
    assert (tmp_path / "calls").read_text(encoding="utf-8") == f"{ROOT} test\n"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_a_second_install_installs_nothing(environment, capsys):
    calls, handed, _ = environment
    setup_env.install(["test"])
    assert [call[1:4] for call in calls] == [["-m", "pip", "install"]]
    assert calls[0][-2:] == ["-e", ".[test]"]
    assert handed == [CONSTRAINTS]
    setup_env.install(["test"])
    setup_env.install([])
    assert len(calls) == 1
    assert capsys.readouterr().out.count("nothing to install") == 2


@pytest.mark.parametrize("change", ["extras", "drift", "missing", "project", "stamp", "interpreter"])
def test_a_second_install_installs_again_after_a_change(environment, monkeypatch, change):
    calls, _, versions = environment
    setup_env.install(["test"])
    if change == "drift":
        versions["sympy"] = "1.13.3"
    elif change == "missing":
        del versions["mypy"]
    elif change == "project":
        del versions["smoothness-at"]
    elif change == "stamp":
        (Path(setup_env.sys.prefix) / setup_env.STAMP).write_text("{", encoding="utf-8")
    elif change == "interpreter":
        monkeypatch.setattr(setup_env.sys, "version", "3.99.0")
    setup_env.install(["test", "numerics"] if change == "extras" else ["test"])
    assert len(calls) == 2


def test_extras_installed_once_stay_installed(environment):
    calls, _, _ = environment
    setup_env.install(["numerics"])
    setup_env.install(["test"])
    setup_env.install(["numerics", "test"])
    assert len(calls) == 2


@pytest.mark.parametrize("part", ["dependencies", "pins", "build"])
def test_the_fingerprint_depends_on_what_an_installation_depends_on(part):
    changed = json.loads(json.dumps(PROJECT))
    if part == "dependencies":
        changed["project"]["dependencies"][0] += ",<2"
    elif part == "build":
        changed["tool"]["setuptools"]["packages"].append("more")
    constraints = CONSTRAINTS + "more==1\n" if part == "pins" else CONSTRAINTS
    assert setup_env.fingerprint(changed, constraints) != setup_env.fingerprint(PROJECT, CONSTRAINTS)


def test_the_fingerprint_does_not_depend_on_the_settings_of_a_linter():
    changed = json.loads(json.dumps(PROJECT))
    changed["tool"]["ruff"]["line-length"] = 100
    assert setup_env.fingerprint(changed, CONSTRAINTS) == setup_env.fingerprint(PROJECT, CONSTRAINTS)


@pytest.mark.parametrize("held", ["2.13.0", "2.6.0", "2.9.1+cu128", "3.1.0a0+git123", "2.7.0.post1"])
def test_a_torch_in_range_is_kept_and_only_its_pin_is_dropped(environment, held):
    _, handed, versions = environment
    versions["torch"] = held
    setup_env.install(["training"])
    assert set(CONSTRAINTS.splitlines()) - set(handed[0].splitlines()) == {f"torch=={pins()['torch']}"}
    assert set(handed[0].splitlines()) <= set(CONSTRAINTS.splitlines())


@pytest.mark.parametrize("held", [None, "2.5.1", "1.13.1+cu117", "2.6.0rc1"])
def test_a_torch_that_is_absent_or_out_of_range_gets_the_tested_version(environment, held):
    _, handed, versions = environment
    versions["torch"] = held
    setup_env.install(["training"])
    assert handed == [CONSTRAINTS]


def test_no_other_package_is_kept_at_an_untested_version(environment):
    _, handed, versions = environment
    versions["numpy"] = "2.0.0"
    setup_env.install(["training"])
    assert handed == [CONSTRAINTS]


@pytest.mark.parametrize("versions", [">=2.6", ">=2.6,<3", ">=2", "<2.7", ">= 2.6.0, < 2.10", ""])
@pytest.mark.parametrize(
    "version",
    [
        *("2.6", "2.6.0", "2.6.1", "2.5.9", "2.10.0", "2.7", "2.7.0", "3.0", "3", "10.0"),
        *("2.6.0+cpu", "2.7.0+cu128", "2.6.0rc1", "2.6.0.dev20250101", "3.0.0a0+git1", "2.7.0.post1"),
    ],
)
def test_ranges_are_read_as_packaging_reads_them(versions, version):
    assert setup_env.admits(versions, version) == SpecifierSet(versions).contains(version, prereleases=True)


@pytest.mark.parametrize("versions", ["~=2.6", "==2.6.*", ">=2.6,!=2.7", ">=2.6rc1", "2.6"])
def test_a_range_that_cannot_be_read_is_refused(versions):
    with pytest.raises(setup_env.SetupError, match="cannot read the version range"):
        setup_env.admits(versions, "2.6")


def test_requirements_are_read_as_packaging_reads_them():
    for extras in [[], *([name] for name in OPTIONAL)]:
        lines = [*PROJECT["project"]["dependencies"], *(line for name in extras for line in OPTIONAL[name])]
        if extras == ["figures"]:
            lines = [line for line in lines if "[" not in line] + OPTIONAL["numerics"]
        found = setup_env.direct_requirements(PROJECT, extras)
        expected = {canonicalize_name(Requirement(line).name): Requirement(line).specifier for line in lines}
        assert {name: SpecifierSet(versions) for name, versions in found.items()} == expected


def test_an_unknown_extra_is_refused_with_the_known_ones(capsys):
    assert setup_env.main(["install", "--extras", "test,tests"]) == 2
    assert "unknown extra tests: EXTRAS takes figures, numerics, test, training" in capsys.readouterr().err


@pytest.mark.parametrize("minor_away", [-1, 1])
def test_asking_for_another_python_than_the_environment_has_is_refused(tmp_path, minor_away):
    minor = sys.version_info.minor + minor_away
    other = interpreter_of_version(tmp_path / "python-other", 3, minor)
    with pytest.raises(setup_env.SetupError, match=rf"is Python 3\.{minor} and .* runs 3\."):
        setup_env.refuse_other_version(str(other))
    setup_env.refuse_other_version(sys.executable)


def test_a_python_without_venv_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        setup_env.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else name
    )
    assert setup_env.main(["create", str(tmp_path / "new"), "--own", str(tmp_path / "new")]) == 2
    assert re.search(r"run `apt install python3\.\d+-venv`", capsys.readouterr().err)
