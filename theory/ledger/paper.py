"""A paper under the machine: a folder with `paper.py` (title, equations, sections) and statement files with CLAIMS.

The folder may lie anywhere. Its files are imported as one package, so that they can share helpers by relative
imports (`from .helper import step`); two folders never share a module, whatever their files are called.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from shlex import quote
from traceback import extract_tb
from types import ModuleType

from theory.ledger.claim import Claim

DESCRIPTION = "paper.py"
DEFAULT = Path(__file__).resolve().parents[1] / "statements"
CITED = re.compile(r"\b(?:Sec|App)\. ([A-Z0-9]+(?:\.[0-9]+)*)")
ID = re.compile(r"[\w.-]+")
TWINS = 2  # the least number of false neighbours of a claim that is decided


@dataclass(frozen=True, kw_only=True, eq=False)
class Paper:
    """What `paper.py` says of a paper, as PAPER.

    title, authors, source, url: how it is cited.
    equations: the numbers of its numbered equations; a claim may cite no other.
    sections: labels of its sections and appendices ("3.2.1", "A"), which a claim's location may name; none
        given, any may be named.
    chapters: heading -> first parts of the ids told under it, for the report page; ids that are in none get a
        chapter of their own.
    order: the statement files in the paper's order, dotted and relative to the folder ("sec3.lemma2"); none
        given, all files with CLAIMS in alphabetical order.
    quotes: id of a claim -> the paper's own words for it, verbatim; a claim that has a `quote` of its own keeps that.
    `folder` and `package` are set by `open_paper`.
    """

    title: str
    authors: str = ""
    source: str = ""
    url: str = ""
    equations: Collection[int] = ()
    sections: Collection[str] = ()
    chapters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    quotes: Mapping[str, str] = field(default_factory=dict)
    folder: Path = DEFAULT
    package: str = ""

    @property
    def citation(self) -> str:
        """Authors, title and source in one line."""
        return ", ".join(part for part in (self.authors, self.title, self.source) if part)

    @property
    def command(self) -> str:
        """The command line of this paper's ledger."""
        return (
            "python -m theory"
            if self.folder == DEFAULT
            else f"python -m theory --paper {quote(self.folder.name)}"
        )

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The statement files, dotted, in the paper's order.

        Raises ValueError where `order` leaves one out, or names one that is not there.
        """
        there = tuple(_statement_files(self.folder))
        if not there:
            raise ValueError(
                f"paper = {self.folder} has no statement file: write one that defines CLAIMS, a tuple of Claim, "
                "beside paper.py (`python -m theory new FOLDER` writes an example)"
            )
        if not self.order:
            return there
        for name in self.order:
            if name not in there:
                raise ValueError(
                    f"order of {self.folder / DESCRIPTION} names {name!r}, which is no file with CLAIMS there; "
                    f"known are {', '.join(there)}"
                )
        for name in there:
            if self.order.count(name) != 1:
                raise ValueError(
                    f"order of {self.folder / DESCRIPTION} must name {name!r} once, and names it "
                    f"{self.order.count(name)} times: put the file where it stands in the paper, or leave `order` out"
                )
        return self.order

    def claims_of(self, name: str) -> tuple[Claim, ...]:
        """The claims of one statement file, in the order in which they stand there, each with its quote."""
        return _quoted(self, name)

    def file_of(self, name: str) -> Path:
        """The path of a statement file."""
        return _file(self.folder, name)

    @property
    def titles(self) -> dict[str, str]:
        """Id of a claim -> what it says in a few words."""
        return {claim.id: claim.title for claim in self.claims}

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim, in the paper's order.

        Raises ValueError for an id used twice, an equation or section the paper does not have, or a decided
        claim with too few twins: it names the file, the claim and what to do.
        """
        seen: dict[str, str] = {}
        for name in self.files:
            for claim in self.claims_of(name):
                where = f"claim {claim.id!r} of {self.file_of(name)}"
                if claim.id in seen:
                    raise ValueError(f"{where} has the id of a claim of {seen[claim.id]}: give it another")
                seen[claim.id] = f"{name.replace('.', '/')}.py"
                self._check(claim, where)
        for name in self.quotes:
            if name not in seen:
                raise ValueError(
                    f"quotes of {self.folder / DESCRIPTION} has {name!r}, which is the id of no claim: mend the id, "
                    "or take the quote out"
                )
        return tuple(claim for name in self.files for claim in self.claims_of(name))

    def _check(self, claim: Claim, where: str) -> None:
        if not isinstance(claim.id, str) or not ID.fullmatch(claim.id):
            raise ValueError(f"{where} has an id of other signs: make it of letters, digits, dots and dashes")
        for number in claim.equations:
            if number not in self.equations:
                raise ValueError(
                    f"{where} cites equation {number}, which the paper does not have: its equations are "
                    f"{numbered(self.equations)}; mend `equations` of the claim or of paper.py"
                )
        for label in CITED.findall(claim.location):
            if self.sections and label not in self.sections:
                raise ValueError(
                    f"{where} stands in section {label!r}, which the paper does not have: its sections are "
                    f"{', '.join(self.sections)}; mend `location` of the claim or `sections` of paper.py"
                )
        if not claim.empirical and len(claim.twins) < TWINS:
            raise ValueError(
                f"{where} has {len(claim.twins)} twins, and a decided claim needs at least {TWINS}: add false "
                "neighbours of the statement (a constant off by one per cent, an assumption dropped), which its own "
                "check must refute"
            )


@cache
def _quoted(paper: Paper, name: str) -> tuple[Claim, ...]:
    """The claims of a statement file; the same objects throughout a process, since decisions are kept by claim."""
    claims = getattr(_import(paper.package, name, paper.folder), "CLAIMS", None)
    if not isinstance(claims, tuple | list) or not all(isinstance(claim, Claim) for claim in claims):
        raise ValueError(f"CLAIMS of {paper.file_of(name)} must be a tuple of theory.ledger.claim.Claim")
    return tuple(
        replace(claim, quote=paper.quotes[claim.id])
        if claim.id in paper.quotes and not claim.quote
        else claim
        for claim in claims
    )


def numbered(equations: Collection[int]) -> str:
    """The numbers as a reader says them: `numbered 1 to 9`, `numbered 1, 3, 4`, `not numbered`."""
    numbers = sorted(equations)
    if not numbers:
        return "not numbered"
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"numbered {numbers[0]} to {numbers[-1]}"
    return f"numbered {', '.join(map(str, numbers))}"


def open_paper(folder: Path | str = DEFAULT) -> Paper:
    """The paper that lies in a folder; the same object for the same folder throughout a process.

    Raises ValueError where there is no such folder, no `paper.py` in it, or none that defines PAPER.
    """
    return _opened(Path(folder).resolve())


@cache
def _opened(folder: Path) -> Paper:
    if not folder.is_dir():
        raise ValueError(f"paper = {folder} is no folder: name one that holds {DESCRIPTION}")
    if not (folder / DESCRIPTION).is_file():
        raise ValueError(
            f"paper = {folder} has no {DESCRIPTION}: `python -m theory new FOLDER` writes a folder that has"
        )
    package = _package(folder)
    paper = getattr(_import(package, "paper", folder), "PAPER", None)
    if not isinstance(paper, Paper):
        raise ValueError(
            f"{folder / DESCRIPTION} must define PAPER, a theory.ledger.paper.Paper; it has "
            f"{'none' if paper is None else type(paper).__name__}"
        )
    return replace(paper, folder=folder, package=package)


def _package(folder: Path) -> str:
    """The dotted name under which the folder's files are imported; made for a folder that belongs to no package."""
    top, parts = folder, [folder.name]
    while (top / "__init__.py").is_file() and (top.parent / "__init__.py").is_file():
        top = top.parent
        parts.insert(0, top.name)
    if len(parts) > 1 and str(top.parent) in map(_resolved, sys.path):
        return ".".join(parts)
    name = "paper_" + re.sub(r"\W", "_", folder.name) + "_" + sha256(str(folder).encode()).hexdigest()[:8]
    if name not in sys.modules:
        module = ModuleType(name)
        module.__path__ = [str(folder)]
        sys.modules[name] = module
    return name


def _resolved(entry: str) -> str:
    return str(Path(entry or ".").resolve())


def _statement_files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        tests = parts[-1].startswith(("test_", "conftest"))
        if tests or not all(part.isidentifier() for part in parts):
            continue
        if path.is_file() and re.search(rb"^CLAIMS\b", path.read_bytes(), re.MULTILINE):
            yield ".".join(parts)


def _import(package: str, name: str, folder: Path) -> ModuleType:
    """One file of a paper. Raises ValueError, with the line, where it is not Python or fails as it is run."""
    try:
        return import_module(f"{package}.{name}")
    except SyntaxError as error:
        file = error.filename or _file(folder, name)
        where = f"{file}, line {error.lineno}" if error.lineno else file
        raise ValueError(f"{where}: {error.msg}: mend it") from error
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        where = _place(error, folder) or _file(folder, name)
        raise ValueError(f"{where}: {type(error).__name__}: {error}: mend it") from error


def _file(folder: Path, name: str) -> Path:
    return folder / (name.replace(".", "/") + ".py")


def _place(error: BaseException, folder: Path) -> str:
    """The last line of the paper's own files that an error passed through; "" where it passed through none."""
    steps = [step for step in extract_tb(error.__traceback__) if folder in Path(step.filename).parents]
    return f"{steps[-1].filename}, line {steps[-1].lineno}" if steps else ""
