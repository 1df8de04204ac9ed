"""What README.md says of the probe is what results/probe.json holds, and its example runs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def found():
    return json.loads((ROOT / "results" / "probe.json").read_text(encoding="utf-8"))


def test_the_numbers_of_the_probe_are_those_of_its_results(found):
    text = " ".join(README.split())
    groups = {(one["kind"], one["norm"]): one for one in found["positions"]}
    kinks = [100 * groups["small", norm]["shares"]["kink"]["mean"] for norm in ("linf", "l2")]
    assert (
        f"for {kinks[0]:.1f} % of the L-infinity and {kinks[1]:.1f} % of the L2 attacks ends on a kink"
        in text
    )
    assert all(one["shares"]["interior"]["mean"] == 0 for one in groups.values())
    smooth = groups["small-silu", "l2"]
    assert smooth["shares"]["sphere"]["mean"] == 1
    assert smooth["nondegenerate"][0] == smooth["nondegenerate"][1] == smooth["images"]
    bounds = next(one for one in found["constants"] if one["norm"] == "l2")
    assert f"constant is {bounds['paper']['mean']:.3g} times their measured speed" in text
    assert f"`beyond.tangent` {bounds['tangent']['mean']:.3g} times" in text
    settings = found["settings"]
    minutes = round(found["seconds"] / 60)
    assert (
        f"{settings['records']} measurements of {settings['nets']} nets: {minutes} minutes on a busy core"
        in text
    )


def test_the_example_of_the_probe_runs(capsys):
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(next(one for one in examples if "import probe" in one), {})
    assert "'interior':" in capsys.readouterr().out
