"""The second paper: every statement decided by the machine of the first, its equations covered, its text apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from theory.__main__ import main
from theory.ledger.paper import open_paper
from theory.ledger.rows import coverage, find, rows

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "theory" / "l0_paper"
PAPER = open_paper(FOLDER)
TOLERANCE = 1e-9  # of double precision, on numbers of order 1


@pytest.fixture(scope="module")
def decided():
    return {row.id: row for row in rows(PAPER, workers=1)}


def test_every_numbered_equation_that_its_prose_names_is_decided():
    assert [number for number, ids in coverage(PAPER.claims, PAPER).items() if not ids] == []
    assert len(PAPER.claims) >= 30


def test_the_command_shows_its_ledger(capsys):
    assert main(["--paper", str(FOLDER), "show", "appE.l2-bound"]) == 0
    shown = capsys.readouterr().out
    assert "7/5 <= 1 fails" in shown
    assert "Smoothness Analysis" not in shown


def test_the_claims_of_the_two_papers_do_not_meet():
    ours = {claim.id for claim in open_paper().claims}
    with pytest.raises(ValueError, match="unknown"):
        find("propC.1", open_paper())
    assert "lemma2" in ours
    assert find("propC.1", PAPER).expected == "false"


def softmax(logits):
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


def loss(logits, y):
    return -float(y @ np.log(softmax(logits)))


def test_the_least_lipschitz_constant_of_theorem_4_2_is_not_exceeded_and_is_approached(decided):
    """Random labels and logits linear in theta with slopes up to 1: the slope of the loss against 2 (1 - min y)."""
    assert decided["theorem4.2"].sharpest["holds"]
    rng = np.random.default_rng(0)
    closest = 0.0
    for _ in range(3000):
        k = int(rng.integers(2, 6))
        y = rng.dirichlet(np.full(k, rng.uniform(0.2, 3)))
        h = softmax(rng.standard_normal(k) * 10 ** rng.uniform(-1, 2))
        slopes = np.sign(h - y)
        slope = float((h - y) @ slopes)
        bound = 2 * (1 - y.min())
        assert slope <= bound + TOLERANCE
        closest = max(closest, slope / bound)
    assert closest > 0.95


def test_the_bound_without_a_constant_term_holds_for_random_networks(decided):
    """f_i = sum_j a_ij sin(b_ij theta + c_ij x): the constants of 4.1 and 4.3 are known, theta and x are numbers."""
    assert decided["theorem4.4"].sharpest["holds"]
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(3000):
        k, m = int(rng.integers(2, 5)), int(rng.integers(1, 4))
        a, b, c = rng.standard_normal((3, k, m))
        lt, lx = np.abs(a * b).sum(1).max(), np.abs(a * c).sum(1).max()
        ltt, ltx = np.abs(a * b * b).sum(1).max(), np.abs(a * b * c).sum(1).max()
        y = rng.dirichlet(np.ones(k))
        (t1, t2), (x1, x2) = rng.standard_normal((2, 2)) * 10 ** rng.uniform(-3, 0.5)

        def gradient(t, x, a=a, b=b, c=c, y=y):
            h = softmax((a * np.sin(b * t + c * x)).sum(1))
            return float((h - y) @ (a * b * np.cos(b * t + c * x)).sum(1))

        moved = abs(gradient(t1, x1) - gradient(t2, x2))
        bound = (2 * ltt + lt**2) * abs(t1 - t2) + (2 * ltx + lt * lx) * abs(x1 - x2)
        assert moved <= bound + TOLERANCE
        assert moved <= 4 * lt + TOLERANCE
        worst = max(worst, moved / bound)
    assert worst > 0.1


def test_the_widest_differences_of_appendix_e_are_found_by_search(decided):
    """d = 4, epsilon = 1/2, x = 1/2: random pairs on the l2 sphere against 2 epsilon sqrt(d)."""
    assert decided["appE.l2-bound"].corrected["holds"]
    rng = np.random.default_rng(2)
    sums = []
    for _ in range(4000):
        direction = rng.standard_normal(4)
        delta = 0.5 * direction / np.linalg.norm(direction)
        assert np.all(np.abs(delta) <= 0.5)
        sums.append(np.abs(2 * delta).sum())
    assert max(sums) <= 2 + TOLERANCE
    assert max(sums) > 1.95  # the printed bound is D_2 + (4 epsilon^2 - D_2)^(1/2) = 1
