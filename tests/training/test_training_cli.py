"""The trainer's command line: its numbers (training/cli.py) and one-line errors (support/options.py)."""

from __future__ import annotations

import argparse
from fractions import Fraction

import pytest

from support.options import BadValue, CommandParser
from training.cli import count, fraction, positive, radius


def parser() -> CommandParser:
    made = CommandParser(prog="run")
    made.add_argument("--epsilon", type=radius)
    made.add_argument("--shift", type=fraction)
    made.add_argument("--seed", type=count)
    made.add_argument("--epochs", type=positive)
    made.add_argument("--device", choices=("cpu", "cuda"))
    made.add_argument("--list", action="store_true")
    return made


@pytest.mark.parametrize(
    "text", ["8/255", "0.031", "2/255", "1e-3", ".5", "-3", "-8/255", "+1/3", "0.1/0.3", " 8 / 255 "]
)
def test_a_number_is_the_float_nearest_to_what_is_written(text: str) -> None:
    numerator, _, denominator = text.partition("/")
    exact = Fraction(numerator.strip()) / Fraction(denominator.strip() or 1)
    assert fraction(text) == float(exact)
    assert abs(Fraction(fraction(text)) - exact) <= abs(exact) * Fraction(1, 2**53)


def test_eight_grey_levels_are_the_recipes_epsilon() -> None:
    assert fraction("8/255") == 8 / 255


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (
            fraction,
            "eight",
            "'eight' is not a number; write a decimal such as 0.031 or a fraction such as 8/255",
        ),
        (fraction, "nan", "'nan' is not a number"),
        (fraction, "inf", "'inf' is not a number"),
        (fraction, "", "'' is not a number"),
        (fraction, "1/2/3", "'1/2/3' is not a number"),
        (fraction, "8/", "'8/' is not a number"),
        (fraction, "1e9999", "'1e9999' is not a number"),
        (fraction, "1e999", "'1e999' is too large for a float"),
        (fraction, "8/0", "'8/0' divides by zero"),
        (fraction, "8/0.0", "'8/0.0' divides by zero"),
        (
            radius,
            "8",
            r"'8' is no fraction of the pixel range in \(0, 1\); write 8/255 for eight grey levels",
        ),
        (radius, "0", "'0' is no fraction of the pixel range"),
        (radius, "1", "'1' is no fraction of the pixel range"),
        (radius, "-8/255", "'-8/255' is no fraction of the pixel range"),
        (count, "-1", "'-1' is not an integer of at least 0"),
        (count, "1.5", "'1.5' is not an integer of at least 0"),
        (count, "1_000", "'1_000' is not an integer of at least 0"),
        (positive, "0", "'0' is not an integer of at least 1"),
        (positive, "", "'' is not an integer of at least 1"),
        (positive, "9" * 5000, "is not an integer of at least 1"),
    ],
)
def test_what_is_no_such_number_is_refused(kind, text: str, message: str) -> None:
    with pytest.raises(BadValue, match=message):
        kind(text)


@pytest.mark.parametrize(
    ("kind", "text", "value"), [(count, "0", 0), (count, "+7", 7), (positive, "1", 1), (positive, " 12 ", 12)]
)
def test_integers_are_read(kind, text: str, value: int) -> None:
    assert kind(text) == value


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["--epsilon", "8"], "run: argument --epsilon: '8' is no fraction of the pixel range"),
        (["--epsilon", "-8/255"], "run: argument --epsilon: '-8/255' is no fraction of the pixel range"),
        (["--seed", "-1"], "run: argument --seed: '-1' is not an integer of at least 0"),
        (["--device", "tpu"], "run: argument --device: invalid choice: 'tpu'"),
        (["--epoch", "3"], "run: unrecognized arguments: --epoch 3; did you mean --epochs?"),
        (["--sed=3"], "run: unrecognized arguments: --sed=3; did you mean --seed?"),
        (["surplus"], "run: unrecognized arguments: surplus"),
        (["--epochs"], "run: argument --epochs: expected one argument"),
    ],
)
def test_an_error_is_one_line_and_exit_status_2(capsys, tokens: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(tokens)
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert printed.out == ""
    assert printed.err.startswith(message)
    assert printed.err.endswith("(see run --help)\n")
    assert printed.err.count("\n") == 1


def test_options_are_not_abbreviated_as_plain_argparse_would() -> None:
    plain = argparse.ArgumentParser(exit_on_error=False)
    plain.add_argument("--epochs")
    assert plain.parse_args(["--epoch", "3"]).epochs == "3"
    with pytest.raises(SystemExit):
        parser().parse_args(["--epoch", "3"])


def test_good_options_are_read_and_values_may_be_negative() -> None:
    found = parser().parse_args(["--epsilon", "8/255", "--shift", "-8/255", "--seed", "3", "--device", "cpu"])
    assert (found.epsilon, found.shift, found.seed, found.device) == (8 / 255, -8 / 255, 3, "cpu")
    assert parser().parse_args(["--shift", "-.5", "--list"]).shift == -0.5
