"""`python -m theory` and `python -m theory show`: the ledger as a table and one claim's derivation, for a
terminal."""

from __future__ import annotations

import os
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from theory.deciders.facts import Fact, Finding, known
from theory.ledger.attacked import attacks, outcome
from theory.ledger.claim import Claim, Decision, Reading, decide, decide_twin
from theory.ledger.paper import Paper
from theory.ledger.rows import Row, coverage, defects, related

COLOURS = {
    "true": "green",
    "false": "red",
    "typo": "yellow",
    "definition": "blue",
    "empirical": "cyan",
    "undecided": "magenta",
}
WEIGHT = {
    kind: place
    for place, kind in enumerate(("theorem", "lemma", "proposition", "algorithm", "equation", "proof step"))
}
MOST_RELATED = 12
PIPED_WIDTH = 132  # columns when the output is not a terminal


class Screen(Console):
    """A console that leaves a closed pipe to the command, whose exit status it is to decide."""

    def on_broken_pipe(self) -> None:
        """Called while a BrokenPipeError is handled: passes it on (rich would exit with status 1)."""
        raise


def console() -> Screen:
    """As wide as the terminal; in a file or a pipe COLUMNS wide where that is set, else 132 columns."""
    if sys.stdout is not None and sys.stdout.isatty():
        return Screen(highlight=False)
    # rich takes a pipe for a terminal of 80 columns where FORCE_COLOR asks for colours.
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdecimal() and int(columns) else PIPED_WIDTH
    return Screen(highlight=False, width=width)


def print_table(rows: Sequence[Row], paper: Paper, screen: Console) -> None:
    """The ledger, a line a claim: id, where, what it says, verdict, grade, sharpness; then the summary."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for heading, options in (
        ("id", {"no_wrap": True}),
        ("where", {"max_width": 30}),
        ("says", {"max_width": 62}),
        ("verdict", {"no_wrap": True}),
        ("grade", {"no_wrap": True}),
        ("sharpness", {"max_width": 10}),
    ):
        table.add_column(heading, **options)  # type: ignore[arg-type]
    for row in rows:
        verdict = Text(row.verdict, style=COLOURS[row.verdict])
        table.add_row(row.id, row.location, row.title, verdict, row.grade, row.sharpness)
    screen.print(table)
    screen.print()
    for line in summary(rows, paper):
        screen.print(line)


def summary(rows: Sequence[Row], paper: Paper) -> list[str]:
    """Four lines: verdicts, errata, grades, coverage of the paper's equations."""
    verdicts = Counter(row.verdict for row in rows)
    grades = Counter(row.grade for row in rows)
    errata = Counter(row.verdict for row in rows if row.erratum)
    readings = sum(row.verdict == "false" and not row.erratum for row in rows)
    covered = sum(bool(ids) for ids in coverage(rows, paper).values())
    return [
        f"{len(rows)} statements: " + ", ".join(f"{count} {name}" for name, count in verdicts.most_common()),
        f"wrong as printed: {errata['false']} false, with {defects(rows)} distinct defects, and "
        f"{errata['typo']} slips; "
        f"{readings} more readings fail",
        "known by: " + ", ".join(f"{count} {name}" for name, count in grades.most_common()),
        f"equations covered: {covered} of {len(paper.equations)}",
    ]


def headlines(rows: Sequence[Row], most: int = 12) -> list[str]:
    """The false statements that carry most weight, numbered statements before prose, a line each."""
    false = [row for row in rows if row.erratum and row.verdict == "false"]
    false.sort(key=lambda row: WEIGHT.get(row.kind, len(WEIGHT)))
    lines = [f"  {row.id:28.28s} {row.title}" for row in false[:most]]
    rest = [f"  ... and {len(false) - most} more"] if len(false) > most else []
    return ["false as printed, numbered statements first:", *lines, *rest]


def print_claim(claim: Claim, paper: Paper, screen: Console, dimension: int | None = None) -> list[str]:
    """One claim from statement to verdict: what is printed, the derivation fact by fact, what is right, and
    its false twins; returns what in it contradicts the ledger, a line each.

    With `dimension`, the derivation in that many coordinates follows. Raises ValueError for a claim that has
    none.
    """
    if dimension is not None and claim.coordinates is None:
        raise ValueError(
            f"dim = {dimension}: claim {claim.id!r} is decided without coordinates; leave --dim out"
        )
    written_out = list(claim.coordinates(dimension)) if dimension is not None and claim.coordinates else []
    decision = decide(claim)
    contradictions = [
        f"step {step} in {dimension} coordinates does not hold: {fact.says}"
        for step, fact in enumerate(written_out, start=1)
        if not fact.holds
    ]
    if decision.verdict is not claim.expected:
        contradictions.append(f"came out {decision.verdict}, the ledger expects {claim.expected}")
    contradictions += [
        f"what the ledger calls {name} is not established"
        for name, finding in (("right", decision.corrected), ("sharpest", decision.sharpest))
        if finding is not None and not finding.holds
    ]
    equations = ", ".join(f"({number})" for number in claim.equations)
    screen.print(f"[bold]{escape(claim.id)}[/bold]  {escape(claim.title)}")
    screen.print(f"{escape(claim.location)}" + (f"; Eq. {equations}" if equations else ""), style="dim")
    screen.print()
    if claim.quote:
        _block(screen, "As printed", claim.quote, "")
    _block(screen, "Statement" if claim.kind == "beyond" else "Read as", claim.statement, claim.latex)
    _list(screen, "Assumptions", [*claim.assumptions, *(f"uses: {theorem}" for theorem in claim.cites)])
    _facts(screen, "Derivation", decision.printed.facts)
    if written_out:
        _facts(screen, f"In {dimension} coordinate" + ("s" if dimension != 1 else ""), written_out)
    _verdict(screen, decision)
    _reading(screen, "Corrected", claim.corrected, decision.corrected)
    _reading(screen, "Sharpest known", claim.sharpest, decision.sharpest)
    _list(
        screen,
        "Adversary, of the words alone",
        [f"{reading}: {outcome(found)}" for reading, found in (attacks(claim) or {}).items()]
        or [_unattacked(decision)],
    )
    if claim.tightness is not None:
        _block(screen, "Attained", f"{claim.tightness.pair}; both sides are {claim.tightness.bound}", "")
    if claim.remark:
        _block(screen, "Remark", claim.remark, "")
    contradictions += _twins(screen, claim)
    if claim.group:
        _block(screen, "One defect", f"told in several claims: {claim.group}", "")
    others = related(claim, paper)
    if others:
        screen.print("[bold]Related[/bold]")
        for other in others[:MOST_RELATED]:
            _reference(screen, other)
        if len(others) > MOST_RELATED:
            _say(screen, f"... and {len(others) - MOST_RELATED} more")
    return contradictions


def print_references(heading: str, claims: Iterable[Claim], screen: Console) -> None:
    """The claims that decide an equation or tell a statement, a line each."""
    screen.print(heading)
    for claim in claims:
        _reference(screen, claim)
    screen.print("`python -m theory show ID` prints one in full")


def _reference(screen: Console, claim: Claim) -> None:
    screen.print(f"  {escape(claim.id)}: {escape(claim.title)} ({claim.expected})")


def _unattacked(decision: Decision) -> str:
    """Why no adversary is told of."""
    if decision.claim.empirical:
        return "none: a sentence about an experiment"
    if decision.dimension is None:
        return "none: a sentence about the text"
    return (
        "none yet, or none since the sentence changed: `python -m numerics adversaries` attacks what it can"
    )


def _verdict(screen: Console, decision: Decision) -> None:
    colour = COLOURS[str(decision.verdict)]
    how = known(decision.grade, decision.dimension)
    screen.print(f"[bold]Verdict[/bold]  [{colour}]{decision.verdict}[/{colour}], {how}")
    witness = decision.printed.witness
    if witness is not None:
        _say(screen, witness.line())
        if witness.replay:
            _say(screen, f"by hand: {witness.replay}")
    screen.print()


def _reading(screen: Console, heading: str, reading: Reading | None, finding: Finding | None) -> None:
    if reading is None or finding is None:
        return
    _block(screen, heading, reading.statement, reading.latex)
    _facts(screen, f"{heading}: why", finding.facts)


def _block(screen: Console, heading: str, text: str, latex: str) -> None:
    screen.print(f"[bold]{heading}[/bold]")
    _say(screen, text)
    if latex:
        _say(screen, latex, style="dim")
    screen.print()


def _list(screen: Console, heading: str, entries: Sequence[str]) -> None:
    if entries:
        screen.print(f"[bold]{heading}[/bold]")
        for entry in entries:
            _say(screen, f"- {entry}")
        screen.print()


def _facts(screen: Console, heading: str, facts: Sequence[Fact]) -> None:
    if not facts:
        return
    screen.print(f"[bold]{heading}[/bold]")
    for step, (fact, line) in enumerate(zip(facts, Finding.of(facts).lines(), strict=True), start=1):
        _say(screen, f"{step}. {line}")
        for line in fact.shows:
            _say(screen, line, indent=5, style="dim")
    screen.print()


def _twins(screen: Console, claim: Claim) -> list[str]:
    """Prints what became of each twin and returns a line for each that is not refuted."""
    standing: list[str] = []
    if not claim.twins:
        return standing
    screen.print("[bold]False neighbours, refuted by the same argument[/bold]")
    for twin in claim.twins:
        finding = decide_twin(claim, twin)
        outcome = "refuted" if finding.holds is False else "NOT REFUTED"
        if finding.holds is not False:
            standing.append(f"the twin {twin.name!r} is not refuted")
        where = f": {finding.witness.line()}" if finding.witness is not None else ""
        of = " (of the sharpened statement)" if twin.of == "sharpest" else ""
        _say(screen, f"- {twin.name}{of}: {outcome}{where}")
    screen.print()
    return standing


def _say(screen: Console, text: str, *, indent: int = 2, style: str = "") -> None:
    """A paragraph, indented and wrapped to the screen without padding; a line that is a matrix keeps its own
    indent."""
    margin = " " * indent
    for line in text.splitlines():
        inner = margin + " " * (len(line) - len(line.lstrip()))
        filled = textwrap.fill(line.strip(), screen.width, initial_indent=inner, subsequent_indent=inner)
        screen.print(filled, style=style, markup=False, soft_wrap=True)
