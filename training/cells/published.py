"""The numbers that the paper's Tables 1, 2 and 3 print, each with the name of the recipe that reproduces it.

What they are: robust accuracy in percent on the whole test set, mean and standard deviation of three trained models
(App. E; whether the deviation divides by 3 or by 2 is not said), measured with AutoAttack on CIFAR-10 and with PGD of
20 steps on CIFAR-100 and SVHN, at the epoch whose TEST accuracy under PGD of 20 steps was best (Sec. 5.2). They are
therefore selected on test. Table 1 is part of Table 3: the three tables print 45 numbers for 29 cells.
"""

from __future__ import annotations

from dataclasses import dataclass

PUBLISHED_SEEDS = 3


@dataclass(frozen=True)
class Number:
    """A printed `mean±std` in percent; `text` is how the paper prints it, whose last digit bounds its precision."""

    text: str

    @property
    def mean(self) -> float:
        return float(self.text.split("±")[0])

    @property
    def std(self) -> float:
        return float(self.text.split("±")[1])


@dataclass(frozen=True)
class Row:
    """A printed row: its label, the stem of its recipes' names, what it was measured with, the name and size of its
    test set, and one number a column."""

    label: str
    stem: str
    attack: str
    data: str
    test_examples: int
    numbers: tuple[Number, ...]


@dataclass(frozen=True)
class Table:
    """A printed table: its title, its columns as (heading, ending of the recipe's name), and its rows."""

    title: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]

    @property
    def cells(self) -> dict[str, Number]:
        """Recipe name -> number, row by row."""
        return {
            f"{row.stem}-{ending}": number
            for row in self.rows
            for (_, ending), number in zip(self.columns, row.numbers, strict=True)
        }


def _row(label: str, stem: str, attack: str, data: str, test_examples: int, *numbers: str) -> Row:
    return Row(label, stem, attack, data, test_examples, tuple(map(Number, numbers)))


CIFAR10_RN18 = ("CIFAR10 (AA, RN18)", "cifar10-rn18", "autoattack", "CIFAR-10", 10_000)
CIFAR10_WRN = ("CIFAR10 (AA, WRN)", "cifar10-wrn", "autoattack", "CIFAR-10", 10_000)
SVHN_RN18 = ("SVHN (PGD, RN18)", "svhn-rn18", "pgd20", "SVHN", 26_032)
CIFAR100_RN18 = ("CIFAR100 (PGD, RN18)", "cifar100-rn18", "pgd20", "CIFAR-100", 10_000)

PUBLISHED = {
    "1": Table(
        "Robust accuracies against AutoAttack (AA) on CIFAR10, and against PGD on CIFAR100 and SVHN",
        (("AT", "at"), ("AT+EnSGD", "at-ensgd"), ("AWP", "awp"), ("AWP+EnSGD", "awp-ensgd")),
        (
            _row(*CIFAR10_RN18, "48.0±0.2", "49.2±0.4", "49.9±0.4", "50.5±0.2"),
            _row(*CIFAR10_WRN, "51.9±0.5", "53.3±0.3", "53.2±0.3", "54.72±0.05"),
            _row(*SVHN_RN18, "53.1±0.6", "59.1±0.4", "59.3±0.1", "59.91±0.09"),
            _row(*CIFAR100_RN18, "27.66±0.04", "28.69±0.03", "30.95±0.07", "30.9±0.1"),
        ),
    ),
    "2": Table(
        "Robust accuracies against AutoAttack on CIFAR10 using TRADES",
        (
            ("TRADES", "trades"),
            ("+EnSGD", "trades-ensgd"),
            ("+AWP", "trades-awp"),
            ("+AWP+EnSGD", "trades-awp-ensgd"),
            ("+AWP+EnSGD(tuned)", "trades-awp-ensgd-tuned"),
        ),
        (
            _row(
                *("WRN", *CIFAR10_WRN[1:]),
                *("52.9±0.3", "53.4±0.1", "55.6±0.4", "55.8±0.3", "56.3±0.1"),
            ),
        ),
    ),
    "3": Table(
        "Robust accuracies against AutoAttack on CIFAR10, and against PGD on CIFAR100 and SVHN, with order 2",
        (
            ("AT", "at"),
            ("AT+EnSGD", "at-ensgd"),
            ("AT+2ndEnSGD", "at-2ndensgd"),
            ("AWP", "awp"),
            ("AWP+EnSGD", "awp-ensgd"),
            ("AWP+2ndEnSGD", "awp-2ndensgd"),
        ),
        (
            _row(*CIFAR10_RN18, "48.0±0.2", "49.2±0.4", "48.93±0.09", "49.9±0.4", "50.5±0.2", "50.4±0.3"),
            _row(*CIFAR10_WRN, "51.9±0.5", "53.3±0.3", "53.5±0.2", "53.2±0.3", "54.72±0.05", "54.9±0.2"),
            _row(*SVHN_RN18, "53.1±0.6", "59.1±0.4", "59.3±0.1", "59.3±0.1", "59.91±0.09", "59.9±0.1"),
            _row(
                *CIFAR100_RN18,
                *("27.66±0.04", "28.69±0.03", "28.94±0.05", "30.95±0.07", "30.9±0.1", "30.7±0.1"),
            ),
        ),
    ),
}
