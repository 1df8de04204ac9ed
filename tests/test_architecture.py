"""Holds the rooms to the project's import rules: who may import what, as the source says and a process shows.

Each rule has twins: made-up modules that break it and must be reported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from imported_names import ROOT, imports, is_standard, own_modules, reached, within

ROOMS = {
    "support": ("support", "rich"),
    "theory": ("theory", "support", "sympy", "mpmath", "z3", "flint", "rich"),
    "numerics": ("numerics", "theory", "support", "numpy", "scipy", "jax", "flint"),
    "training": (
        # scipy.sparse.linalg: ARPACK's eigenvalues of operators that are products with vectors, for the probe.
        *("training", "support", "torch", "numpy", "scipy.io", "scipy.sparse.linalg", "sklearn", "PIL"),
        *("pyautoattack", "rich", "tensorboard"),
    ),
    "figures": (
        *("latex2mathml", "typst"),
        "figures",
        "support",
        "matplotlib",
        "numpy",
        "theory",
        "numerics",
        "training.results.records",
    ),
    "setup_env": (),
}
TEST_TOOLS = ("pytest", "hypothesis")
# A `__main__` puts rooms together for the command line.
MAIN_MAY_ALSO = ("figures", "tests")
WITHOUT_TORCH = ("training.cells", "training.results")
HEAVY = ("torch", "jax", "matplotlib")


def violations(module: str, source: str) -> list[str]:
    """The imports of a module that its room does not allow."""
    parts = module.split(".")
    allowed = ROOMS[parts[0]]
    if parts[-1].startswith("test_") or parts[-1] in ("conftest", "testing") or "tests" in parts:
        allowed += TEST_TOOLS
    if parts[-1] == "__main__":
        allowed += MAIN_MAY_ALSO
    return sorted(
        name for name in imports(module, source) if not (is_standard(name) or within(name, allowed))
    )


def loaded_after(statement: str, folder: Path) -> list[str]:
    """Which heavy packages a fresh process holds after a statement, all of them being importable there."""
    for name in HEAVY:
        (folder / f"{name}.py").write_text("", encoding="utf-8")
    probe = f"import sys\n{statement}\nprint(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    run = subprocess.run(
        [sys.executable, "-c", probe], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


@pytest.mark.parametrize(
    ("module", "source"), [pytest.param(*one, id=one[0]) for one in own_modules(ROOMS).items()]
)
def test_a_module_imports_only_what_its_room_allows(module, source):
    assert violations(module, source) == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_read(room):
    assert any(module.split(".")[0] == room for module in own_modules(ROOMS))


@pytest.mark.parametrize(
    ("module", "source", "reported"),
    [
        ("support.a", "import numpy", "numpy"),
        ("support.a", "from theory import exact", "theory.exact"),
        ("support.a", "import training.records", "training.records"),
        ("theory.a", "import numpy as np", "numpy"),
        ("theory.a", "from scipy.optimize import minimize", "scipy.optimize.minimize"),
        ("theory.a", "def f():\n    import torch", "torch"),
        ("theory.a", "import importlib\nimportlib.import_module('jax.numpy')", "jax.numpy"),
        ("theory.a", "__import__('matplotlib')", "matplotlib"),
        ("theory.a", "from ..numerics import losses", "numerics.losses"),
        ("theory.statements.a", "from ...numerics.losses import f", "numerics.losses.f"),
        ("theory.a", "import pytest", "pytest"),
        ("theory.a", "import figures", "figures"),
        ("numerics.a", "import torch", "torch"),
        ("numerics.a", "from training.results import records", "training.results.records"),
        ("numerics.a", "from tests import helpers", "tests.helpers"),
        ("training.a", "from theory import calculus", "theory.calculus"),
        ("training.a", "from scipy import stats", "scipy.stats"),
        ("training.a", "import scipy.sparse", "scipy.sparse"),
        ("training.a", "import scipy", "scipy"),
        ("figures.a", "from training.runs import trainer", "training.runs.trainer"),
        ("figures.a", "import training", "training"),
        ("figures.a", "import training.results.records_extra", "training.results.records_extra"),
        ("figures.a", "import scipy", "scipy"),
        ("setup_env", "import rich", "rich"),
        ("training.__main__", "import theory", "theory"),
    ],
)
def test_a_module_that_breaks_a_rule_is_reported(module, source, reported):
    assert violations(module, source) == [reported]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "support.a",
            "import json\nfrom rich.console import Console\nfrom support.files import replace_file",
        ),
        ("theory.a", "from support.workers import in_workers"),
        ("numerics.a", "from support.files import make_folder"),
        ("training.a", "from support import commands"),
        ("figures.a", "from support.own_files import read_json"),
        ("theory.a", "import ast\nimport flint\nfrom sympy import Matrix\nfrom z3 import Solver"),
        ("theory.statements.a", "from ..calculus import hessian\nfrom . import lemma1"),
        ("theory.statements.__init__", "from . import lemma1"),
        ("theory.test_a", "import pytest\nfrom hypothesis import given"),
        ("theory.__main__", "import figures"),
        ("numerics.a", "import jax.numpy as jnp\nfrom theory import calculus"),
        ("training.a", "import scipy.io\nfrom scipy.io import loadmat"),
        ("training.a", "from scipy.sparse.linalg import eigsh"),
        ("figures.a", "from training.results import records\nfrom training.results.records import read"),
    ],
)
def test_a_module_that_keeps_the_rules_is_not_reported(module, source):
    assert violations(module, source) == []


@pytest.mark.parametrize("module", [one for one in own_modules(ROOMS) if within(one, WITHOUT_TORCH)])
def test_recipes_records_and_tables_reach_no_torch(module):
    assert not [name for name in reached(module, own_modules(ROOMS)) if within(name, ("torch",))]


@pytest.mark.parametrize(
    "modules",
    [
        {"training.results.records": "import torch"},
        {
            "training.results.records": "from training.data import load",
            "training.data": "from torch import nn",
        },
        {"training.results.records": "from .. import data", "training.data": "import torch.nn"},
        {
            "training.results.records": "import json",
            "training.__init__": "from . import a",
            "training.a": "import torch",
        },
        {
            "training.results.records.__init__": "from .write import put",
            "training.results.records.write": "import torch",
        },
    ],
)
def test_torch_is_found_however_records_reach_it(modules):
    assert [name for name in reached("training.results.records", modules) if within(name, ("torch",))]


def test_what_every_room_stands_on_loads_nothing_that_takes_long(tmp_path):
    every = ", ".join(name for name in own_modules(ROOMS) if name.startswith("support.") and "__" not in name)
    assert (
        loaded_after(f"import {every}\nassert not {{'rich', 'sympy', 'numpy'}} & set(sys.modules)", tmp_path)
        == []
    )


def test_importing_theory_loads_no_torch_no_jax_and_no_matplotlib(tmp_path):
    assert loaded_after("import theory", tmp_path) == []


def test_a_heavy_package_that_is_loaded_is_seen(tmp_path):
    assert loaded_after("import theory, jax, matplotlib", tmp_path) == ["jax", "matplotlib"]
