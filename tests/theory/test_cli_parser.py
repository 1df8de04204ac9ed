"""The shared command line (theory/cli.py): one-line errors, values that begin with a minus sign,
and exact numbers."""

from __future__ import annotations

import argparse
from fractions import Fraction

import pytest
from sympy import Rational

from support.options import BadValue, CommandParser
from theory.cli import assignments, fraction_or_float, name_list, number_list


def parser() -> CommandParser:
    root = CommandParser(prog="demo")
    commands = root.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check")
    check.add_argument("--center", type=number_list)
    check.add_argument("--at", type=number_list)
    check.add_argument("--loss")
    check.add_argument("--theta", type=float, nargs="+")
    check.add_argument("--pairs", type=number_list, nargs="+")
    check.add_argument("--epsilon", "-e", type=fraction_or_float)
    check.add_argument("--norm", choices=("l2", "linf"), default="l2")
    check.add_argument("--json", action="store_true")
    return root


def refusal(capsys: pytest.CaptureFixture[str], *tokens: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(list(tokens))
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.endswith("\n")
    assert "Traceback" not in printed.err
    return printed.err


def test_a_plain_argparse_parser_refuses_what_this_one_reads() -> None:
    plain = argparse.ArgumentParser(exit_on_error=False)
    plain.add_argument("--center", type=number_list)
    with pytest.raises(argparse.ArgumentError):
        plain.parse_args(["--center", "-1,1"])


@pytest.mark.parametrize("text", ["-1,1", "-0.5", "-8/255,2", "-.5,-1e-3", "1,-2"])
def test_number_lists_may_begin_with_a_minus_sign(text: str) -> None:
    spaced = parser().parse_args(["check", "--center", text, "--json"])
    joined = parser().parse_args(["check", f"--center={text}", "--json"])
    assert spaced.center == joined.center == number_list(text)
    assert spaced.json is True


@pytest.mark.parametrize("text", ["-x1**2", "-log(1+exp(t1*x1))", "-(x1 - t1)**2", "-e"])
def test_text_values_may_begin_with_a_minus_sign_unless_they_are_an_option(text: str) -> None:
    if text == "-e":
        with pytest.raises(SystemExit):
            parser().parse_args(["check", "--loss", text])
    else:
        assert parser().parse_args(["check", "--loss", text, "--norm", "linf"]).loss == text


def test_options_that_take_several_values_may_begin_with_a_minus_sign() -> None:
    assert parser().parse_args(["check", "--theta", "-0.3", "0.5", "-2"]).theta == [-0.3, 0.5, -2.0]
    pairs = parser().parse_args(["check", "--pairs", "-1,2", "3", "-8/255"]).pairs
    assert pairs == [(-1, 2), (3,), (Rational(-8, 255),)]


def test_short_options_keep_working_beside_negative_values() -> None:
    found = parser().parse_args(["check", "-e", "8/255", "--at", "-1,0.5"])
    assert found.epsilon == Rational(8, 255)
    assert found.at == (-1, Rational(1, 2))


def test_a_subcommand_parser_is_of_the_same_class() -> None:
    action = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert all(isinstance(sub, CommandParser) for sub in action.choices.values())


def test_values_after_a_double_dash_are_left_alone() -> None:
    root = CommandParser(prog="demo")
    root.add_argument("--at")
    root.add_argument("rest", nargs="*")
    assert root.parse_args(["--at", "-1,2", "--", "--at", "-1,2"]).rest == ["--at", "-1,2"]


def test_a_missing_value_an_unknown_option_and_a_bad_choice_are_one_line_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "expected one argument" in refusal(capsys, "check", "--center", "--at", "1")
    assert "did you mean --norm?" in refusal(capsys, "check", "--nrom", "l2")
    assert "'l2', 'linf'" in refusal(capsys, "check", "--norm", "l3").replace("l2, linf", "'l2', 'linf'")
    assert "check" in refusal(capsys, "chek")
    assert "required" in refusal(capsys)


def test_abbreviated_options_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean --center?" in refusal(capsys, "check", "--cent", "1,2")


def test_a_bad_number_says_how_to_write_one(capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal(capsys, "check", "--epsilon", "eight")
    assert "'eight' is not a number" in line
    assert "8/255" in line


@pytest.mark.parametrize(
    "text", ["8/255", "0.6", "-3", "1e-3", ".5", "-.5", "2.", "+1/4", " 1 / 3 ", "1.5/2.5", "-1e2/3"]
)
def test_numbers_are_the_exact_fractions_that_they_denote(text: str) -> None:
    top, _, bottom = text.partition("/")
    expected = Fraction(top.strip()) / (Fraction(bottom.strip()) if bottom else 1)
    found = fraction_or_float(text)
    assert (found.p, found.q) == (expected.numerator, expected.denominator)


def test_a_decimal_is_not_the_nearest_double() -> None:
    assert fraction_or_float("0.6") == Rational(3, 5)
    assert fraction_or_float("0.6") != Rational(0.6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "inf",
        "-inf",
        "1/0",
        "1/2/3",
        "0x10",
        "1_000",
        "8/",
        "/3",
        "1,2",
        "1e999",
        "1e-99999999",
        "½",
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|divides by zero|digits"):
        fraction_or_float(text)


def test_refused_values_are_value_errors_and_argparse_errors() -> None:
    assert issubclass(BadValue, ValueError)
    assert issubclass(BadValue, argparse.ArgumentTypeError)


def test_names_and_assignments_are_read_and_checked() -> None:
    assert name_list("x1, x2") == ("x1", "x2")
    assert assignments("y=-1, k=8/255") == {"y": -1, "k": Rational(8, 255)}
    for text, message in (
        ("x1,", "empty entry"),
        ("x1,x1", "twice"),
        ("1x", "not a name"),
        ("a b", "not a name"),
    ):
        with pytest.raises(ValueError, match=message):
            name_list(text)
    for text, message in (
        ("y", "name=number"),
        ("y=1,y=2", "twice"),
        ("y=one", "not a number"),
        ("=1", "name=number"),
    ):
        with pytest.raises(ValueError, match=message):
            assignments(text)


def test_an_option_of_the_other_side_of_a_command_is_sent_to_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = refusal(capsys, "--json", "check")
    assert "--json is an option of the command: write it after check" in line
    root = parser()
    root.add_argument("--whole", action="store_true")
    with pytest.raises(SystemExit):
        root.parse_args(["check", "--whole"])
    line = capsys.readouterr().err
    assert "--whole is an option of demo itself, not of its command" in line
    assert "did you mean" not in line


def test_names_are_read_in_one_spelling_and_numbers_in_ascii() -> None:
    assert name_list("\u00b5,x") == ("\u03bc", "x")
    assert assignments("\u00b5=1") == {"\u03bc": 1}
    with pytest.raises(ValueError, match="twice"):
        name_list("\u00b5,\u03bc")
    with pytest.raises(ValueError, match="the minus sign is -"):
        number_list("\u22121,2")
    with pytest.raises(ValueError, match="is not a number"):
        fraction_or_float("\u0663")
