"""The published numbers (training/cells/published.py) against the lines of the paper's tables."""

from __future__ import annotations

import re

import pytest

from training.cells.published import PUBLISHED
from training.cells.recipes import PUBLISHED_RECIPES

# The lines of the paper's tables, as its text has them.
PAPER = {
    "1": """
	AT	AT+EnSGD	AWP	AWP+EnSGD
CIFAR10 (AA, RN18)	48.0±0.2	49.2±0.4	49.9±0.4	50.5±0.2
CIFAR10 (AA, WRN)	51.9±0.5	53.3±0.3	53.2±0.3	54.72±0.05
SVHN (PGD, RN18)	53.1±0.6	59.1±0.4	59.3±0.1	59.91±0.09
CIFAR100 (PGD, RN18)	27.66±0.04	28.69±0.03	30.95±0.07	30.9±0.1
""",
    "2": """
	TRADES	+EnSGD	+AWP	+AWP+EnSGD	+AWP+EnSGD(tuned)
WRN	52.9±0.3	53.4 ± 0.1	55.6±0.4	55.8±0.3	56.3±0.1
""",
    "3": """
	AT	AT+EnSGD	AT+2ndEnSGD	AWP	AWP+EnSGD	AWP+2ndEnSGD
CIFAR10(AA, RN18)	48.0±0.2	49.2±0.4	48.93±0.09	49.9±0.4	50.5±0.2	50.4 ± 0.3
CIFAR10(AA, WRN)	51.9±0.5	53.3±0.3	53.5 ± 0.2	53.2±0.3	54.72±0.05	54.9 ± 0.2
SVHN (PGD, RN18)	53.1±0.6	59.1±0.4	59.3±0.1	59.3±0.1	59.91±0.09	59.9±0.1
CIFAR100 (PGD, RN18)	27.66±0.04	28.69±0.03	28.94±0.05	30.95±0.07	30.9±0.1	30.7±0.1
""",
}


@pytest.mark.parametrize("number", PUBLISHED)
def test_the_published_numbers_are_those_of_the_papers_lines(number: str) -> None:
    heading, *body = [line.split("\t") for line in PAPER[number].split("\n") if line]
    table = PUBLISHED[number]
    assert [column for column, _ in table.columns] == heading[1:]
    printed = [[re.sub(r"\s", "", entry) for entry in line] for line in body]
    typed = [[re.sub(r"\s", "", one.label), *(number.text for number in one.numbers)] for one in table.rows]
    assert typed == printed


def test_the_tables_print_45_numbers_for_29_cells_and_table_1_repeats_table_3() -> None:
    cells = {number: table.cells for number, table in PUBLISHED.items()}
    assert [len(cells[number]) for number in ("1", "2", "3")] == [16, 5, 24]
    assert len({**cells["1"], **cells["2"], **cells["3"]}) == 29
    assert cells["1"].items() <= cells["3"].items()
    assert set(cells["2"]) | set(cells["3"]) == {one.name for one in PUBLISHED_RECIPES}


def test_a_number_is_read_as_mean_and_deviation() -> None:
    number = PUBLISHED["3"].cells["cifar10-wrn-awp-ensgd"]
    assert (number.text, number.mean, number.std) == ("54.72±0.05", 54.72, 0.05)
    assert all(
        0 < one.std < 1 < one.mean < 100 for table in PUBLISHED.values() for one in table.cells.values()
    )


def test_the_claim_that_awp_beats_awp_ensgd_on_cifar100_by_0_05_holds_of_the_numbers() -> None:
    """Sec. 5.3; and "for almost all cases EnSGD outperforms SGD": all but that one."""
    cells = PUBLISHED["1"].cells
    assert cells["cifar100-rn18-awp"].mean - cells["cifar100-rn18-awp-ensgd"].mean == pytest.approx(0.05)
    for stem in ("cifar10-rn18", "cifar10-wrn", "svhn-rn18", "cifar100-rn18"):
        for method in ("at", "awp"):
            better = cells[f"{stem}-{method}-ensgd"].mean > cells[f"{stem}-{method}"].mean
            assert better == ((stem, method) != ("cifar100-rn18", "awp"))
