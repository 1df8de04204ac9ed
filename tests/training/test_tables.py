"""Tables 1-3 and the compact table as they are rendered: what stands in a line, what is said beside it and what is
refused."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest
from run_records import run_record
from table_records import AT, auto_runs

from training.cells.published import PUBLISHED
from training.cells.recipes import COMPACT_RECIPES, RECIPES
from training.results.averages import average, groups
from training.results.tables import TABLES, lines, render


def rows(text: str) -> list[dict[str, str]]:
    """The lines of a Markdown table, heading -> entry."""
    table = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[entry.strip() for entry in line.strip("|").split("|")] for line in table]
    assert len({len(row) for row in cells}) == 1
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


def row(text: str, label: str, method: str) -> dict[str, str]:
    (found,) = [one for one in rows(text) if one["Data (attack, net)"] == label and one["Method"] == method]
    return found


@pytest.mark.parametrize("table", PUBLISHED)
def test_without_records_every_cell_shows_the_published_number_and_missing(table: str) -> None:
    found = rows(render(table, []))
    assert len(found) == len(PUBLISHED[table].cells)
    assert [one["Published"] for one in found] == [number.text for number in PUBLISHED[table].cells.values()]
    assert {one["Ours, selected on test"] for one in found} == {"missing"}
    assert {one["Ours, last epoch"] for one in found} == {"missing"}
    assert {one["Difference in s.e."] for one in found} == {"-"}
    assert {one["Seeds"] for one in found} == {"0"}
    assert {one["Ours, selected on validation"] for one in found} == {"missing"}
    assert {one["Test images"] for one in found} == {"-"}
    assert not re.search("Data:|Made on|attack seed", render(table, []))


def test_a_trained_cell_shows_ours_beside_the_published_number() -> None:
    text = render("3", auto_runs(clean=8000), seeds=3)
    assert row(text, "CIFAR10 (AA, RN18)", "AT") == {
        "Data (attack, net)": "CIFAR10 (AA, RN18)",
        "Method": "AT",
        "Published": "48.0±0.2",
        "Ours, selected on test": "49.00 ± 1.00",
        "Difference in s.e.": "+1.7",
        "Ours, last epoch": "PGD-20: 51.90 ± 1.00",
        "Ours, selected on validation": "not held out",
        "Clean, selected on test": "80.00 ± 0.00",
        "Test images": "10,000",
        "Seeds": "3 (0, 1, 2)",
    }
    assert len([one for one in rows(text) if one["Ours, selected on test"] == "missing"]) == 23
    assert "1 of 24 cells are trained in full" in text
    for said in (
        "Published: 3 runs, each at the epoch best on the test set under PGD-20: selected on test.",
        "Data: CIFAR-10.",
        "Made on Some GPU, torch 2.6.0, commit 0123456789.",
        "PGD-20: 20 steps of 2/255, linf, epsilon 8/255, 10,000 test images, attack seed 0.",
    ):
        assert said in text


def test_a_cell_measured_with_pgd_is_compared_under_pgd() -> None:
    runs = [run_record("svhn-rn18-at", seed, 13_016, n=26_032, data="SVHN") for seed in range(2)]
    found = row(render("1", runs), "SVHN (PGD, RN18)", "AT")
    assert found["Ours, selected on test"] == "50.00 ± 0.00"
    assert found["Difference in s.e."] == f"{(50 - 53.1) / math.sqrt(0.36 / 3):+.1f}"
    assert found["Test images"] == "26,032"
    assert found["Ours, last epoch"] == "49.96 ± 0.00"


def test_the_validation_column_comes_from_the_twin_that_held_images_out() -> None:
    twins = [run_record("cifar10-rn18-at-val", seed, right) for seed, right in ((0, 5005), (1, 5105))]
    found = row(render("1", [*auto_runs(), *twins]), "CIFAR10 (AA, RN18)", "AT")
    assert found["Ours, selected on validation"] == f"PGD-20: 50.50 ± {math.sqrt(0.5):.2f} (2 seeds)"
    assert found["Ours, selected on test"] == "49.00 ± 1.00"
    alone = row(render("1", twins), "CIFAR10 (AA, RN18)", "AT")
    assert (alone["Ours, selected on test"], alone["Seeds"]) == ("missing", "0")
    assert alone["Ours, selected on validation"].startswith("PGD-20: 50.50")


def test_a_shortened_run_has_its_own_line_says_so_and_is_not_compared() -> None:
    short = [run_record("cifar10-rn18-at", seed, 3000 + 100 * seed, auto=2500, epochs=5) for seed in range(3)]
    text = render("1", short)
    found = row(text, "CIFAR10 (AA, RN18)", "AT [a]")
    assert (found["Ours, selected on test"], found["Difference in s.e."]) == ("25.00 ± 0.00", "-")
    assert "[a] shortened run: 5 of 200 epochs, not compared with the paper." in text
    assert "0 of 16 cells are trained in full" in text
    both = render("1", [*short, *auto_runs()])
    assert row(both, "CIFAR10 (AA, RN18)", "AT")["Ours, selected on test"] == "49.00 ± 1.00"
    assert row(both, "CIFAR10 (AA, RN18)", "AT [a]")["Ours, selected on test"] == "25.00 ± 0.00"
    assert "1 of 16 cells are trained in full" in both
    longer = run_record("cifar10-rn18-at", 0, 3500, epochs=7)
    assert len(rows(render("1", [*short, *auto_runs(), longer]))) == 16 + 2


def test_other_data_and_part_of_the_test_set_are_said() -> None:
    copies = auto_runs(data="CIFAR-10 (JPEG copy)")
    part = auto_runs("cifar10-rn18-awp", right=(980, 990, 1000), n=2000)
    text = render("1", [*auto_runs(), *copies, *part])
    assert row(text, "CIFAR10 (AA, RN18)", "AT")["Difference in s.e."] == "+1.7"
    assert row(text, "CIFAR10 (AA, RN18)", "AT [a]")["Ours, selected on test"] == "49.00 ± 1.00"
    assert "[a] measured on CIFAR-10 (JPEG copy), the paper on CIFAR-10." in text
    assert row(text, "CIFAR10 (AA, RN18)", "AWP [b]")["Test images"] == "2,000"
    assert "[b] some accuracies on 2,000 of 10,000 test images." in text
    fewer = auto_runs()
    for record in fewer:
        record["selection"]["best_test"]["attacks"]["autoattack"]["n"] = 1000
    assert "some accuracies on 1,000 of 10,000 test images." in render("1", fewer)


def test_missing_seeds_are_refused_when_a_number_of_seeds_is_asked_for() -> None:
    two = auto_runs()[::2]
    assert row(render("1", two), "CIFAR10 (AA, RN18)", "AT")["Seeds"] == "2 (0, 2)"
    with pytest.raises(
        ValueError,
        match=r"cifar10-rn18-at on CIFAR-10 has seeds 0, 2, but 0, 1, 2 were asked for: .* --seed 1",
    ):
        render("1", two, seeds=3)
    assert row(render("1", auto_runs(), seeds=2), "CIFAR10 (AA, RN18)", "AT")["Seeds"] == "2 (0, 1)"
    twin = run_record("cifar10-rn18-at-val", 0, 5000)
    with pytest.raises(ValueError, match="cifar10-rn18-at-val on CIFAR-10 has seeds 0, but"):
        render("1", [*auto_runs(), twin], seeds=3)


def test_autoattack_on_some_seeds_only_is_refused_or_gives_way_to_pgd() -> None:
    records = [*auto_runs(right=(4800, 4900)), run_record("cifar10-rn18-at", 2, 5300)]
    found = row(render("1", records), "CIFAR10 (AA, RN18)", "AT")
    assert found["Ours, selected on test"] == "PGD-20: 52.00 ± 1.00"
    assert found["Difference in s.e."] == "-"
    with pytest.raises(ValueError, match="has autoattack for seeds 0, 1 of 0, 1, 2: evaluate the others too"):
        render("1", records, seeds=3)
    single = [run_record("cifar10-rn18-at", seed, 5300) for seed in (0, 1)] + auto_runs()[2:]
    with pytest.raises(ValueError, match="cifar10-rn18-at on CIFAR-10 has autoattack for seeds 2 of 0, 1, 2"):
        render("1", single, seeds=3)
    for record in records:
        record["epochs_run"], record["shortened"] = 5, True
    assert row(render("1", records, seeds=3), "CIFAR10 (AA, RN18)", "AT [a]")["Seeds"] == "3 (0, 1, 2)"
    none = [run_record("cifar10-rn18-at", seed, 5000) for seed in range(3)]
    assert row(render("1", none, seeds=3), "CIFAR10 (AA, RN18)", "AT")["Difference in s.e."] == "-"


def test_seeds_judged_by_different_protocols_are_not_averaged() -> None:
    for change, remark in (
        ({"evaluated_every": 2}, "evaluated every 2 epochs, so chosen among fewer"),
        ({"versions": {"amp": "bf16"}}, "trained under bf16 autocast"),
    ):
        other = auto_runs()
        other[1].update(change)
        text = render("1", other)
        found = [one for one in rows(text) if one["Method"].startswith("AT") and "EnSGD" not in one["Method"]]
        seeds = [one["Seeds"] for one in found if one["Data (attack, net)"] == "CIFAR10 (AA, RN18)"]
        assert sorted(seeds) == ["1 (1)", "2 (0, 2)"]
        assert remark in text
        assert remark not in render("1", auto_runs())
    fewer = auto_runs()
    fewer[2]["selection"]["best_test"]["attacks"]["autoattack"]["n"] = 1000
    assert [group.seeds for group in groups(AT, fewer)] == [(0, 1), (2,)]
    unlike = [*fewer[1:], run_record("cifar10-rn18-at", 0, 5300)]
    assert [group.seeds for group in groups(AT, unlike)] == [(0, 1), (2,)]


def test_a_run_recorded_again_counts_once_and_a_seed_on_two_devices_not_at_all() -> None:
    again = [*auto_runs(), run_record("cifar10-rn18-at", 2, 5300, auto=5200)]
    (group,) = groups(AT, again)
    assert [one["selection"]["best_test"]["autoattack"] for one in group.records] == [0.48, 0.49, 0.52]
    devices = [*auto_runs(), run_record("cifar10-rn18-at", 2, 5300, auto=5200, device="cpu")]
    with pytest.raises(ValueError, match="seed 2 was run on cpu and on cuda and cannot count twice"):
        render("1", devices)
    assert [group.seeds for group in groups(AT, devices, device="cpu")] == [(2,)]
    assert row(render("1", devices, device="cuda"), "CIFAR10 (AA, RN18)", "AT")["Seeds"] == "3 (0, 1, 2)"


def test_the_order_of_the_records_does_not_matter() -> None:
    records = [*auto_runs(), *auto_runs("cifar10-rn18-awp"), *auto_runs(data="CIFAR-10 (JPEG copy)")]
    assert rows(render("1", records)) == rows(render("1", records[::-1]))


def test_records_of_a_changed_recipe_are_left_out_and_counted() -> None:
    old = [run_record(replace(AT, weight_decay=2e-4), seed, 9000, auto=9000) for seed in range(2)]
    twin = run_record(replace(RECIPES["cifar10-rn18-at-val"], weight_decay=2e-4), 0, 9000)
    text = render("1", [*old, *auto_runs(), twin])
    assert row(text, "CIFAR10 (AA, RN18)", "AT")["Ours, selected on test"] == "49.00 ± 1.00"
    assert (
        "Left out, made before their recipe was changed: cifar10-rn18-at (2); cifar10-rn18-at-val (1)."
        in text
    )
    assert "Left out" not in render("1", auto_runs())


def test_a_reading_takes_the_records_of_its_own_recipes() -> None:
    read_otherwise = auto_runs("cifar10-rn18-at+code", right=(4700, 4700, 4700))
    records = [*auto_runs(), *read_otherwise]
    text = render("3", records, readings=["code"])
    assert row(text, "CIFAR10 (AA, RN18)", "AT (code)")["Ours, selected on test"] == "47.00 ± 0.00"
    assert row(text, "CIFAR10 (AA, RN18)", "AT+2ndEnSGD")["Ours, selected on test"] == "missing"
    assert row(render("3", records), "CIFAR10 (AA, RN18)", "AT")["Ours, selected on test"] == "49.00 ± 1.00"
    with pytest.raises(ValueError, match=r"'lr0\.2' is unknown"):
        render("3", records, readings=["lr0.2"])
    with pytest.raises(ValueError, match=r"'lr0\.1' changes none of these recipes"):
        render("2", records, readings=["lr0.1"])


def test_table_2_says_the_radius_of_trades() -> None:
    text = render("2", auto_runs("cifar10-wrn-trades-awp-ensgd-tuned", right=(5600, 5700)))
    assert row(text, "WRN", "+AWP+EnSGD(tuned)")["Ours, selected on test"] == "56.50 ± 0.71"
    assert "PGD-20: 20 steps of 0.003, linf, epsilon 0.031, 10,000 test images, attack seed 0." in text


def compact_runs(**more: Any) -> list[Any]:
    return [
        run_record(
            "compact-awp-ensgd",
            seed,
            right,
            clean=190,
            auto=right - 2,
            n=200,
            data="digits",
            device="cpu",
            **more,
        )
        for seed, right in enumerate((120, 124, 128))
    ]


def test_the_compact_table_shows_every_checkpoint_of_every_method() -> None:
    text = render("compact", compact_runs(), seeds=3)
    found = rows(text)
    assert [one["Method"] for one in found if one["Clean"] == "missing"] == [
        *("AT", "AT+EnSGD", "AT+2ndEnSGD", "AWP", "AWP+2ndEnSGD"),
    ]
    test, validation, last = (one for one in found if one["Method"] == "AWP+EnSGD")
    assert test["Checkpoint"] == "best on test (selected on test)"
    assert (test["Clean"], test["PGD-20"], test["AutoAttack"]) == (
        "95.00 ± 0.00",
        "62.00 ± 2.00",
        "61.00 ± 2.00",
    )
    assert (validation["Checkpoint"], validation["PGD-20"], validation["AutoAttack"]) == (
        *("best on validation", "59.50 ± 2.00"),
        "not run",
    )
    assert (last["Checkpoint"], last["PGD-20"], last["Seeds"]) == (
        "last epoch",
        "57.00 ± 2.00",
        "3 (0, 1, 2)",
    )
    epochs = COMPACT_RECIPES[0].epochs
    assert last["After epoch"] == f"{epochs}, {epochs}, {epochs}"
    assert test["Test images"] == "200"
    assert "epsilon 0.15 on pixels in [0, 1]" in text
    assert f"{COMPACT_RECIPES[0].validation} training images held out" in text
    assert "AutoAttack (pyautoattack 0.2.0): linf, epsilon 0.15, 200 test images, attack seed 0." in text
    assert "Made on Some CPU, 2 threads, torch 2.6.0, commit 0123456789." in text


def test_the_compact_table_refuses_and_flags_as_the_others_do() -> None:
    with pytest.raises(ValueError, match=r"has seeds 0, 1, but 0, 1, 2 were asked for"):
        render("compact", compact_runs()[:2], seeds=3)
    text = render("compact", compact_runs(epochs=2))
    assert len([one for one in rows(text) if one["Method"] == "AWP+EnSGD [a]"]) == 3
    assert f"[a] shortened run: 2 of {COMPACT_RECIPES[0].epochs} epochs." in text
    mixed = compact_runs()
    mixed[0] = run_record("compact-awp-ensgd", 0, 60, n=100, data="digits", device="cpu")
    lines = [one for one in rows(render("compact", mixed)) if one["Method"] == "AWP+EnSGD"]
    assert [(one["Test images"], one["Seeds"]) for one in lines] == [
        *[("100", "1 (0)")] * 3,
        *[("200", "2 (1, 2)")] * 3,
    ]
    assert "AT (code)" in {one["Method"] for one in rows(render("compact", [], readings=["code"]))}


@pytest.mark.parametrize("table", TABLES)
def test_latex_holds_the_same_entries_and_only_escaped_characters(table: str) -> None:
    records = [*auto_runs(), *auto_runs(data="CIFAR-10 (JPEG copy) 100 % & more_#"), *compact_runs(epochs=2)]
    text = render(table, records, style="latex")
    plain = rows(render(table, records))
    assert text.count(r"\begin{") == text.count(r"\end{") == (3 if r"\begin{itemize}" in text else 2)
    body = text.partition(r"\begin{tabular}")[2].partition(r"\end{tabular}")[0]
    entries = [line.removesuffix(r" \\").split(" & ") for line in body.splitlines() if line.endswith(r"\\")]
    assert len(entries) == len(plain) + 1
    assert {len(entry) for entry in entries} == {len(plain[0])}
    for entry, expected in zip(entries, [dict(zip(plain[0], plain[0], strict=True)), *plain], strict=True):
        unescaped = [one.replace(r"$\pm$", "±").replace("{[}", "[").replace("\\", "") for one in entry]
        assert unescaped == list(expected.values())
    assert not re.search(r"(?<!\\)[%#_]", text)
    assert "±" not in text
    assert text.isascii()


def test_unknown_tables_and_styles_name_the_known_ones() -> None:
    with pytest.raises(ValueError, match="table '4' is unknown: use one of 1, 2, 3, laptop, compact"):
        render("4", [])
    with pytest.raises(ValueError, match="style = 'html', need one of markdown, latex"):
        render("1", [], style="html")


def test_lines_carry_the_numbers_that_are_printed() -> None:
    found = {line.recipe.name: line for line in lines("1", auto_runs())}
    line = found["cifar10-rn18-at"]
    assert line.best_test == average(auto_runs(), "best_test", "autoattack")
    assert line.difference == pytest.approx(math.sqrt(3 / 1.04))
    assert line.records == tuple(auto_runs())
    assert found["cifar10-rn18-awp"].group is None
