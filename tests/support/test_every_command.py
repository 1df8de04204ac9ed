"""What holds for every command of every room: it can be interrupted from its first moment, and its names are names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for room in ("theory", "numerics", "training", "figures")
    for path in sorted((ROOT / room).rglob("*.py"))
    if "examples" not in path.parts  # to be copied
]
RUN = re.compile(r'^if __name__ == "__main__":', re.MULTILINE)
# Each rule with a source that breaks it and one that keeps it.
RULES = {
    "a module that is run ends Ctrl-C in one line from its first moment (support.commands.start, interruptible)": (
        lambda source: (
            not RUN.search(source) or re.search(r"^    (start|interruptible)\(", source, re.MULTILINE)
        ),
        'if __name__ == "__main__":\n    sys.exit(main())\n',
        'if __name__ == "__main__":\n    start("theory", main)\n',
    ),
    "an option that is a file or a folder refuses an empty name (support.options.file_name, folder_name)": (
        lambda source: not re.search(r"type=Path\b", source),
        'parser.add_argument("--out", type=Path)\n',
        'parser.add_argument("--out", type=folder_name)\n',
    ),
    "results lie below the working directory (support.options.RESULTS)": (
        lambda source: not re.search(r'ROOT / "results"', source),
        'default=ROOT / "results"\n',
        "default=RESULTS\n",
    ),
    "workers are those of support.workers": (
        lambda source: not re.search(r"ProcessPoolExecutor|\bPool\(|\bProcess\(", source),
        "pool = ProcessPoolExecutor(2)\n",
        "in_workers(work, items, 2, finished)\n",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_every_source_keeps_a_rule_of_commands(rule: str) -> None:
    holds, broken, kept = RULES[rule]
    assert not holds(broken)
    assert holds(kept)
    assert [
        str(path.relative_to(ROOT)) for path in SOURCES if not holds(path.read_text(encoding="utf-8"))
    ] == []
