"""Files of a paper that fail as they are imported or checked, and hostile certificates: one line, exit status 2."""

import json
import re
import shlex
from pathlib import Path

import pytest

from theory.__main__ import main
from theory.certificates.normal_form import same
from theory.certificates.store import STORE
from theory.ledger.new import next_steps, write_new

BROKEN = [
    (
        'raise RuntimeError("no such constant")',
        r"angle.py, line [0-9]+: RuntimeError: no such constant: mend",
    ),
    ("import a_library_that_is_not_there", r"angle.py, line [0-9]+: ModuleNotFoundError: .*: mend"),
    ("raise SystemExit(0)", r"angle.py, line [0-9]+: SystemExit: 0: mend"),
    ("CLAIMS = 5", r"CLAIMS of .*angle.py must be a tuple of"),
    ("del CLAIMS", r"CLAIMS of .*angle.py must be a tuple of"),
    ("\0", r"angle.py.*null bytes: mend"),
]


@pytest.fixture
def folder(tmp_path):
    write_new(tmp_path / "my-paper.2")
    return tmp_path / "my-paper.2"


def only_line(capsys):
    lines = [line for line in capsys.readouterr().err.splitlines() if "files decided" not in line]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize(("appended", "said"), BROKEN)
def test_a_file_that_fails_as_it_is_imported_is_named_with_its_line(appended, said, folder, capsys):
    with (folder / "angle.py").open("a", encoding="utf-8") as file:
        file.write(f"\n{appended}\n")
    assert main(["--paper", str(folder)]) == 2
    assert re.search(said, line := only_line(capsys)), line


def test_a_file_that_is_no_text_is_named(folder, capsys):
    (folder / "angle.py").write_bytes(b"\xff\xfe\nCLAIMS = ()\n")
    assert main(["--paper", str(folder)]) == 2
    assert "angle.py" in only_line(capsys)


def test_a_folder_with_the_name_of_a_statement_file_is_no_statement_file(folder, capsys):
    (folder / "angle.py").unlink()
    (folder / "angle.py").mkdir()
    assert main(["--paper", str(folder)]) == 2
    assert "names 'angle', which is no file with CLAIMS there" in only_line(capsys)


def test_a_check_that_fails_is_named_with_the_line_of_its_file(folder, capsys):
    path = folder / "angle.py"
    text = path.read_text(encoding="utf-8").replace(
        "check=apart", "check=lambda stated: [stated.no_such_datum]"
    )
    path.write_text(text, encoding="utf-8")
    line = 1 + text[: text.index("no_such_datum")].count("\n")
    for arguments in ([], ["show", "eq3"]):
        assert main(["--paper", str(folder), *arguments]) == 2
        said = only_line(capsys)
        assert f"check of claim 'eq3' fails at {path}, line {line}: AttributeError" in said


def test_an_id_that_the_page_would_refuse_is_refused_before_anything_is_decided(folder, capsys):
    path = folder / "angle.py"
    path.write_text(path.read_text(encoding="utf-8").replace('id="eq3"', 'id="a b/é"'), encoding="utf-8")
    assert main(["--paper", str(folder)]) == 2
    assert "has an id of other signs: make it of letters, digits, dots and dashes" in only_line(capsys)


def test_a_number_too_large_to_write_is_given_up_at_once():
    assert not same("9**9**9**9", "1", {})
    assert same("2**100", "4**50", {})


@pytest.mark.parametrize("name", ["my paper; x", "-weird", "plain"])
def test_what_new_says_to_type_next_names_the_folder_to_a_shell(name):
    words = shlex.split(next_steps(Path(name))[0], comments=True)
    assert words[:4] == ["python", "-m", "theory", "--paper"]
    assert len(words) == 5
    assert not words[4].startswith("-")
    assert Path(words[4]) == Path(name)


def lemma2_facts(kind):
    stored = json.loads((STORE / "lemma2.json").read_text(encoding="utf-8"))
    return next(
        (name, fact)
        for name, entry in stored.items()
        for fact in entry["facts"]
        if fact["kind"] == kind and fact["holds"] and (kind != "follows" or "proofs" in fact)
    )


@pytest.mark.parametrize(
    ("kind", "change", "status"),
    [
        ("identity", {"equal": 7}, 2),
        ("identity", {"equal": [["a"]]}, 2),
        ("identity", {"variables": None}, 2),
        ("identity", {"holds": []}, 2),
        ("identity", {"kind": {}}, 2),
        ("follows", {"proofs": [{"sum": [None]}]}, 1),
        ("follows", {"proofs": 3}, 1),
        ("follows", {"given": ["("]}, 1),
        ("follows", {"given": ["-" * 5000 + "1 > 0"]}, 1),
    ],
)
def test_a_hostile_certificate_is_refused_in_one_line(kind, change, status, tmp_path, capsys):
    name, fact = lemma2_facts(kind)
    path = tmp_path / "lemma2.json"
    path.write_text(json.dumps({name: {"facts": [fact]}}), encoding="utf-8")
    assert main(["verify", str(path)]) == 0
    capsys.readouterr()
    path.write_text(json.dumps({name: {"facts": [{**fact, **change}]}}), encoding="utf-8")
    assert main(["verify", str(path)]) == status
    assert name in only_line(capsys)
