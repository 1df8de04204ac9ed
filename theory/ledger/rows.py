"""The ledger of a paper: every claim decided and written as a row of plain values, and which equations are covered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from support.workers import in_workers
from theory.deciders.facts import Dimension, Finding, Verdict, Witness
from theory.ledger.attacked import attacks
from theory.ledger.claim import Claim, Reading, decide
from theory.ledger.paper import DEFAULT, Paper, numbered, open_paper

PUBLIC = (
    "id",
    "location",
    "equations",
    "kind",
    "statement",
    "assumptions",
    "verdict",
    "grade",
    "method",
    "dimension",
    "evidence",
    "witness",
    "corrected",
    "sharpest",
    "tightness",
    "group",
    "quote",
    "reading",
    "remark",
    "adversary",
)


@dataclass(frozen=True)
class Row:
    """One decided claim as plain values (strings, integers, lists, dictionaries), ready for JSON and for
    tables."""

    id: str
    location: str
    equations: list[int]
    kind: str
    statement: str
    assumptions: list[str]
    verdict: str
    grade: str
    method: str | None
    dimension: str | list[int] | None
    evidence: list[str]
    witness: dict | None
    corrected: dict | None
    sharpest: dict | None
    tightness: dict | None
    title: str
    latex: str
    remark: str
    twins: list[str]
    expected: str
    group: str | None
    quote: str | None
    reading: str
    adversary: dict | None

    def public(self) -> dict:
        """The keys of `python -m theory --json`, in their documented order; absent values are None."""
        values = asdict(self)
        return {key: values[key] for key in PUBLIC}

    @property
    def erratum(self) -> bool:
        """Whether the statement is wrong as printed; a reading that fails is no error of the paper's."""
        return self.verdict in (Verdict.FALSE, Verdict.TYPO) and self.kind != "reading"

    @property
    def sharpness(self) -> str:
        """What is known of the constant: attained, improved, both, or nothing."""
        words = ["attained"] if self.tightness else []
        return ", ".join([*words, "sharper"] if self.sharpest else words)


def defects(rows: Iterable[Row]) -> int:
    """How many different defects the statements that are false as printed have: those of one group share one."""
    return len({row.group or row.id for row in rows if row.erratum and row.verdict == Verdict.FALSE})


def rows(
    paper: Paper,
    progress: Callable[[int, int], None] = lambda done, total: None,
    workers: int | None = None,
) -> list[Row]:
    """Decides every claim, statement files in parallel processes, and returns the rows in the paper's order.

    `progress(done, total)` is called after each finished file. Raises ValueError for a paper whose claims do not
    fit together (see `Paper.claims`), before anything is decided.
    """
    if not paper.claims:  # reading them is the check of the paper, which python -O must not leave out
        raise ValueError(f"paper = {paper.folder} has no claim: put one into CLAIMS of a statement file")
    workers = workers or min(os.cpu_count() or 1, len(paper.files))
    found: dict[str, list[Row]] = {}

    def finished(name: str, decided: list[Row]) -> None:
        found[name] = decided
        progress(len(found), len(paper.files))

    if workers == 1:
        for name in paper.files:
            finished(name, rows_of(name, paper.folder))
    else:
        one = partial(rows_of, folder=paper.folder)
        in_workers(one, paper.files, workers, finished, advice="leave it more memory")
    return [row for name in paper.files for row in found[name]]


def rows_of(name: str, folder: Path = DEFAULT) -> list[Row]:
    """The rows of one statement file of the paper in a folder."""
    return [row(claim) for claim in open_paper(folder).claims_of(name)]


def row(claim: Claim) -> Row:
    """Decides one claim and writes it as a row.

    Raises ValueError where the check of a claim that is to be decided yields no fact.
    """
    decision = decide(claim)
    printed = decision.printed
    if not printed.facts and not claim.empirical:
        raise ValueError(
            f"check of claim {claim.id!r} yields no fact, so that nothing is decided: let it yield one fact for "
            "each step of the argument, or mark the claim empirical"
        )
    return Row(
        id=claim.id,
        location=claim.location,
        equations=list(claim.equations),
        kind=claim.kind,
        statement=claim.statement,
        assumptions=[*claim.assumptions, *(f"uses: {theorem}" for theorem in claim.cites)],
        verdict=str(decision.verdict),
        grade=str(decision.grade),
        method=printed.method,
        dimension=_dimension(decision.dimension),
        evidence=printed.lines(),
        witness=_witness(printed.witness),
        corrected=_reading(claim.corrected, decision.corrected),
        sharpest=_reading(claim.sharpest, decision.sharpest),
        tightness=_tightness(claim),
        title=claim.title,
        latex=claim.latex,
        remark=claim.remark,
        twins=[twin.name for twin in claim.twins],
        expected=str(claim.expected),
        group=claim.group or None,
        quote=claim.quote or None,
        reading=claim.statement,
        adversary=attacks(claim),
    )


def coverage(claims: Iterable[Claim | Row], paper: Paper) -> dict[int, list[str]]:
    """Equation number -> ids of the claims that decide it, for every equation of the paper (an empty list is a gap)."""
    covered: dict[int, list[str]] = {number: [] for number in paper.equations}
    for claim in claims:
        for number in claim.equations:
            covered[number].append(claim.id)
    return covered


def equation_number(name: str, paper: Paper) -> int | None:
    """The number that `32`, `(32)`, `eq32` or `Eq. (32)` means, or None for a name of another form.

    Raises ValueError for a number that the paper does not have.
    """
    digits = name.lower().removeprefix("eq").strip(" .()")
    if not digits.isdecimal():
        return None
    if int(digits) not in paper.equations:
        raise ValueError(
            f"equation {digits} is not in the paper, whose equations are {numbered(paper.equations)}"
        )
    return int(digits)


def find(name: str, paper: Paper | None = None) -> Claim:
    """The claim of that id, in any case of letters (`Lemma 5` is `lemma5`), of the project's paper if none is given.

    Raises ValueError with the nearest known ids for an unknown one.
    """
    claims = _by_key(paper or open_paper())
    if _key(name) in claims:
        return claims[_key(name)]
    near = get_close_matches(_key(name), claims, n=4, cutoff=0.4) or list(claims)[:4]
    raise ValueError(
        f"claim {name!r} is unknown; did you mean {', '.join(claims[key].id for key in near)}? "
        f"`python -m theory` lists all {len(claims)}"
    )


def is_id(name: str, paper: Paper) -> bool:
    """Whether `find` knows the name."""
    return _key(name) in _by_key(paper)


def family(name: str, paper: Paper) -> list[Claim]:
    """The claims whose ids begin with `name.`, for a statement told in several claims; [] for an id."""
    if is_id(name, paper):
        return []
    return [claim for key, claim in _by_key(paper).items() if key.startswith(f"{_key(name)}.")]


def related(claim: Claim, paper: Paper) -> list[Claim]:
    """Claims of the same statement (the part of the id before the dot) or of one of the same equations."""
    statement = claim.id.partition(".")[0]
    return [
        other
        for other in paper.claims
        if other.id != claim.id
        and (other.id.partition(".")[0] == statement or set(other.equations) & set(claim.equations))
    ]


def _by_key(paper: Paper) -> dict[str, Claim]:
    return {_key(claim.id): claim for claim in paper.claims}


def _key(name: str) -> str:
    return "".join(name.casefold().split())


def _dimension(dimension: Dimension) -> str | list[int] | None:
    return [int(d) for d in dimension] if isinstance(dimension, tuple) else dimension


def _witness(witness: Witness | None) -> dict | None:
    if witness is None:
        return None
    return {
        "point": {name: str(value) for name, value in witness.point.items()},
        "left": str(witness.left),
        "relation": witness.relation,
        "right": str(witness.right),
        "replay": witness.replay or None,
    }


def _reading(reading: Reading | None, finding: Finding | None) -> dict | None:
    if reading is None or finding is None:
        return None
    return {
        "statement": reading.statement,
        "latex": reading.latex or None,
        "holds": finding.holds,
        "grade": str(finding.grade),
        "method": finding.method,
        "dimension": _dimension(finding.dimension),
        "evidence": finding.lines(),
    }


def _tightness(claim: Claim) -> dict | None:
    if claim.tightness is None:
        return None
    return {
        "pair": claim.tightness.pair,
        "attained": str(claim.tightness.attained),
        "bound": str(claim.tightness.bound),
    }
