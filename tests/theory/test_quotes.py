"""Every quote stands in the paper, word for word, and nothing but a quote is told as the paper's words.

The paper's text is no part of this project. The first test reads it from the file that SMOOTHNESS_AT_PAPER names, or
from shared/seeds/ beside the checkout, and is skipped where there is neither.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from theory.__main__ import main
from theory.ledger.paper import open_paper
from theory.ledger.report import markdown
from theory.ledger.rows import row
from theory.statements.quotes import QUOTES

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "SMOOTHNESS_AT_PAPER"
PAPER = open_paper()
# What `[...]` may stand for: a formula, displayed, in the line, or bare, and no word.
FORMULA = r"(?:\$\$[^$]+\$\$|\$[^$]+\$|[^\s$]*[\\_][^\s$]*?)"
FEWEST_WORDS = 3  # of a quote that is no formula alone
A_LINE = "Suppose the loss $\\ell(x)$ is *smooth* and non-\nnegative , that is \\mathbf{x}^* exists"


def plain(text: str) -> str:
    """The text without line breaks, hyphens at them, marks of emphasis, and space before punctuation."""
    joined = re.sub(r"(\w)-\n(\w)", r"\1\2", text)
    unmarked = re.sub(r"(?<![\^{_])\*+", "", joined)
    return re.sub(r"\s+(?=[.,;:-])", "", " ".join(unmarked.split()))


def stands_in(quote: str, text: str) -> bool:
    """Whether a quote is a span of a plain text."""
    return re.search(FORMULA.join(map(re.escape, plain(quote).split("[...]"))), text) is not None


def paper_text() -> str:
    """The paper as plain text; skips the test where it is not at hand."""
    beside = sorted((ROOT.parent / "shared" / "seeds").glob("*.txt"))
    path = Path(os.environ[VARIABLE]) if VARIABLE in os.environ else next(iter(beside), None)
    if path is None:
        pytest.skip(f"the paper's text is not at hand: {VARIABLE} names no file, and shared/seeds/ has none")
    return plain(path.read_text(encoding="utf-8"))


def test_every_quote_stands_in_the_paper_and_no_longer_does_with_any_one_word_changed():
    text = paper_text()
    assert [name for name, quote in QUOTES.items() if not stands_in(quote, text)] == []
    for name, quote in QUOTES.items():
        for word in re.finditer(r"(?<![\\\w{])[A-Za-z]{4,}(?![\w}])", quote):
            changed = quote[: word.start()] + "quite" + quote[word.end() :]
            assert not stands_in(changed, text), (name, changed)


def test_line_breaks_hyphens_and_emphasis_do_not_count_and_words_do():
    text = plain(A_LINE)
    assert stands_in("the loss [...] is smooth and nonnegative, that", text)
    assert stands_in("that is [...] exists", text)
    assert not stands_in("the loss [...] smooth and", text)
    assert not stands_in("the loss [...] is smooth or", text)


def test_no_quote_is_too_short_to_say_anything():
    for name, quote in QUOTES.items():
        assert "$" in quote or "\\" in quote or len(re.findall(r"[A-Za-z]{2,}", quote)) >= FEWEST_WORDS, name


def test_a_quote_for_an_id_that_no_claim_has_is_refused():
    with pytest.raises(ValueError, match=r"quotes of .*paper.py has 'lemma99', which is the id of no claim"):
        assert replace(PAPER, quotes={"lemma99": "words"}).claims


def test_what_is_told_as_printed_is_the_quote_and_a_claim_without_one_has_no_such_heading(capsys):
    quoted, bare = "sec51.not-shallow", "sec4.non-smooth"
    told = {}
    for name in (quoted, bare, next(claim.id for claim in PAPER.claims if claim.kind == "beyond")):
        assert main(["show", name]) == 0
        told[name] = " ".join(capsys.readouterr().out.split())
    assert f"As printed {QUOTES[quoted]} Read as" in told[quoted]
    assert "As printed" not in told[bare]
    assert "Read as" in told[bare]
    (new,) = set(told) - {quoted, bare}
    assert "As printed" not in told[new]
    assert "Statement" in told[new]


def test_the_report_tells_the_quote_and_the_reading_apart():
    claims = {claim.id: claim for claim in PAPER.claims}
    with_quote, without = row(claims["eq13.reference"]), row(claims["sec4.non-smooth"])
    assert (with_quote.public()["quote"], without.public()["quote"]) == (QUOTES["eq13.reference"], None)
    text = markdown([with_quote, without], PAPER).replace("\\_", "_").replace("\\*", "*")
    assert f"- As printed: {with_quote.quote}\n- Read as: {with_quote.statement}" in text
    assert text.count("As printed") == 2 * text.count("**1. ")
