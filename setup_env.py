"""Serves `make install`: brings an environment to the tested versions, or finds that it is there.

`create` makes the project's own environment with the interpreter that runs this file; `install` fills the
environment whose interpreter runs this file. Standard library only, since nothing is installed yet.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PROJECT = "smoothness-at"
STAMP = f".{PROJECT}.json"
# Builds of torch differ by accelerator and are large: one that is in range is never replaced.
KEPT = ("torch",)


class SetupError(Exception):
    """The environment cannot be set up; the message is one line that says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Exit status of the command line: 0 when the environment is ready, 2 with one clear line otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make the project's own environment")
    create.add_argument("environment", type=Path, help="directory of the environment")
    create.add_argument("--own", type=Path, required=True, help="the directory the project may create")
    fill = commands.add_parser("install", help="fill the environment of this interpreter")
    fill.add_argument("--extras", default="", help="extras of pyproject.toml, separated by commas")
    fill.add_argument("--asked", default="", help="the interpreter asked for; its version must be this one's")
    options = parser.parse_args(arguments)
    try:
        if options.command == "create":
            create_environment(options.environment, options.own)
        else:
            refuse_other_version(options.asked)
            install(split_extras(options.extras))
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 2
    return 0


def create_environment(environment: Path, own: Path) -> None:
    """Makes the virtual environment `own`; an active environment that has no interpreter is never created.

    A broken environment (its interpreter is gone) is made anew; another directory is refused.
    """
    if absolute(environment) != absolute(own):
        raise SetupError(
            f"the active environment {environment} has no bin/python: put a Python into it, deactivate it, "
            "or run `make VIRTUAL_ENV= CONDA_PREFIX= ...` to use the project's own"
        )
    if own.exists() and not (own / "pyvenv.cfg").exists() and (not own.is_dir() or any(own.iterdir())):
        raise SetupError(f"{own} exists and is no virtual environment: move it away or pass another VENV")
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        version = ".".join(map(str, sys.version_info[:2]))
        raise SetupError(
            f"{sys.executable} cannot make virtual environments (venv or ensurepip is missing): on Debian "
            f"or Ubuntu run `apt install python{version}-venv`, or name another one, PYTHON=/path/to/python3"
        )
    say(f"making {own} with {sys.executable} (Python {sys.version.split()[0]})")
    if subprocess.run([sys.executable, "-m", "venv", "--clear", str(own)]).returncode:
        raise SetupError(f"{sys.executable} -m venv {own} failed; its message is above")


def refuse_other_version(asked: str) -> None:
    """Raises SetupError when the interpreter `asked` for differs from this one in its minor version."""
    if not asked:
        return
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([asked, "-c", probe], capture_output=True, text=True).stdout.strip()
    except OSError as error:
        raise SetupError(f"PYTHON={asked} does not run: name one that does") from error
    here = ".".join(map(str, sys.version_info[:2]))
    if answer != here:
        raise SetupError(
            f"PYTHON={asked} is Python {answer or 'of unknown version'} and {sys.prefix} runs {here}: "
            f"drop PYTHON, or `make clean` first (an active environment: deactivate it)"
        )


def install(extras: list[str]) -> None:
    """Installs the project in place with the tested versions, unless this environment already holds them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    known = project["project"]["optional-dependencies"]
    if unknown := sorted(set(extras) - set(known)):
        raise SetupError(f"unknown extra {', '.join(unknown)}: EXTRAS takes {', '.join(sorted(known))}")
    wanted = direct_requirements(project, extras)
    usable = drop_kept_pins(constraints, wanted, installed_version)
    stamp, print_of_state = Path(sys.prefix) / STAMP, fingerprint(project, constraints)
    done = read_stamp(stamp, print_of_state)
    if set(extras) <= set(done or []) and done is not None and not drifted(wanted, usable):
        say(f"{shown(sys.prefix)} holds the tested versions; nothing to install")
        return
    run_pip(extras, usable)
    stamp.write_text(json.dumps({"state": print_of_state, "extras": sorted({*extras, *(done or [])})}) + "\n")
    say(f"{shown(sys.prefix)} is ready")


def run_pip(extras: list[str], constraints: str) -> None:
    """Runs pip of this interpreter with its progress visible."""
    if importlib.util.find_spec("pip") is None:
        say("this environment has no pip; adding the one Python ships")
        if subprocess.run([sys.executable, "-m", "ensurepip"]).returncode:
            raise SetupError(f"{sys.prefix} has no pip and `python -m ensurepip` failed: install pip into it")
    target = f".[{','.join(extras)}]" if extras else "."
    say(f"installing {PROJECT}{target[1:]} into {shown(sys.prefix)} with the versions of constraints.txt")
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "constraints.txt"
        pins.write_text(constraints, encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
        if subprocess.run([*command, "-c", str(pins), "-e", target], cwd=ROOT).returncode:
            raise SetupError("pip could not install the tested versions; its message is above")


def direct_requirements(project: dict, extras: Iterable[str]) -> dict[str, str]:
    """Name -> version range of all that the project asks for; an extra that names extras is followed."""
    optional = project["project"]["optional-dependencies"]
    pending = [*project["project"]["dependencies"], *(line for extra in extras for line in optional[extra])]
    found: dict[str, str] = {}
    while pending:
        name, inner, versions = split_requirement(pending.pop())
        if name == PROJECT:
            pending += [line for extra in inner for line in optional[extra]]
        else:
            found[name] = versions
    return found


def drop_kept_pins(constraints: str, wanted: dict[str, str], version_of: Callable[[str], str | None]) -> str:
    """The constraints without the pin of each kept package whose installed version is in range."""
    held = {name: version_of(name) for name in KEPT if name in wanted}
    kept = [name for name, version in held.items() if version and admits(wanted[name], version)]
    return "\n".join(line for line in constraints.splitlines() if pin_of(line)[0] not in kept) + "\n"


def drifted(wanted: dict[str, str], constraints: str) -> list[str]:
    """What is missing or differs from its pin, among the wanted packages and the project itself."""
    pins = dict(pin_of(line) for line in constraints.splitlines())
    held = {name: installed_version(name) for name in (*wanted, PROJECT)}
    return [
        name
        for name, version in held.items()
        if version is None or (name in pins and version.partition("+")[0] != pins[name])
    ]


def fingerprint(project: dict, constraints: str) -> str:
    """Digest of what an installation depends on: dependencies, pins, interpreter and both places."""
    tables = [project["build-system"], project["project"], project["tool"]["setuptools"]]
    interpreter = [sys.version, os.path.realpath(sys.executable), sys.prefix]
    state = json.dumps([tables, constraints, interpreter, str(ROOT)], sort_keys=True)
    return hashlib.sha256(state.encode()).hexdigest()


def read_stamp(stamp: Path, state: str) -> list[str] | None:
    """The extras a stamp of the same state records, or None when there is no such stamp."""
    try:
        record = json.loads(stamp.read_text(encoding="utf-8"))
        return list(record["extras"]) if record["state"] == state else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def admits(versions: str, version: str) -> bool:
    """Whether a version range made of `>=` and `<` admits a version, by the order of PEP 440.

    A pre-release precedes its release, yet `<` does not admit it; a local label (`+cpu`) is ignored.
    """
    release, final = version_key(version)
    for part in filter(None, (piece.strip() for piece in versions.split(","))):
        match = re.fullmatch(r"(>=|<)\s*(\d+(?:\.\d+)*)", part)
        if match is None:
            raise SetupError(f"cannot read the version range {part!r}: write it with >= or < and digits")
        bound, _ = version_key(match[2])
        if not ((release, final) >= (bound, True) if match[1] == ">=" else release < bound):
            return False
    return True


def version_key(version: str) -> tuple[tuple[int, ...], bool]:
    """Release numbers without trailing zeros, and False for a pre-release or development build."""
    public = version.partition("+")[0]
    match = re.match(r"\d+(?:\.\d+)*", public)
    if match is None:
        raise SetupError(f"cannot read the version {version!r}: it must start with digits")
    numbers = [int(number) for number in match[0].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    rest = public[match.end() :]
    return tuple(numbers), not rest or (rest.startswith(".post") and ".dev" not in rest)


def pin_of(line: str) -> tuple[str, str]:
    """Normalised name and version of a line `name==version`, or two empty strings for a comment."""
    name, equals, version = line.partition("#")[0].strip().partition("==")
    return (normalised(name), version.strip()) if equals else ("", "")


def split_requirement(line: str) -> tuple[str, list[str], str]:
    """Normalised name, extras and version range of a requirement such as `name[a,b]>=1,<2`."""
    match = re.fullmatch(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?\s*([^;]*?)\s*", line)
    if match is None:
        raise SetupError(f"cannot read the requirement {line!r}: write name[extra]>=version")
    return normalised(match[1]), split_extras(match[2] or ""), match[3]


def split_extras(text: str) -> list[str]:
    return [extra.strip() for extra in text.split(",") if extra.strip()]


def installed_version(name: str) -> str | None:
    """The version of a distribution in this environment, or None when it is not there."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).strip().lower()


def absolute(path: Path) -> str:
    return os.path.normpath(ROOT / path)


def shown(path: str) -> str:
    """A path as a reader at the repository root would write it."""
    return os.path.relpath(path, ROOT) if Path(path).is_relative_to(ROOT) else path


def say(line: str) -> None:
    print(f"setup: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
