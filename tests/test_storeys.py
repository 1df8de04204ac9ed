"""Holds every house to its storeys: a room imports only from rooms on storeys below its own, and no files in a circle.

A house is a top-level folder of the project, a room is a folder or a file in it. Each rule has twins: made-up modules
that break it and must be reported.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from imported_names import imports, own_modules, within

Storeys = tuple[tuple[str, ...], ...]

# From the ground up. Rooms on one storey do not import each other.
STOREYS: dict[str, Storeys] = {
    "theory": (
        ("deciders", "cli"),
        ("calculus", "ledger"),
        ("certificates",),
        ("testing",),
        ("statements", "own_loss", "template", "l0_paper"),
        ("commands",),
        ("__main__",),
    ),
    "training": (
        ("scalars",),
        ("cells", "data", "engine", "entropy_sgd", "models", "cli"),
        ("methods", "results"),
        ("evaluation",),
        ("runs",),
        ("examples", "run", "studies"),
    ),
}


def rooms(storeys: Storeys) -> dict[str, int]:
    """Room -> the storey it is on, 0 the ground."""
    return {room: storey for storey, all_on_it in enumerate(storeys) for room in all_on_it}


def room_of(name: str) -> str:
    """`training.runs.job` -> `runs`; of a house's own `__init__` or of the house itself, ""."""
    room = (*name.split("."), "")[1]
    return "" if room == "__init__" else room


def reported(module: str, source: str, storeys: Storeys) -> list[str]:
    """The imports of a module that lead up, along its own storey, or to a room that no storey has."""
    house, on = module.split(".")[0], rooms(storeys)
    here = room_of(module)
    ground = -1 if here == "" else on[here]
    inside = [name for name in imports(module, source) if within(name, (house,)) and room_of(name) != here]
    return sorted(name for name in inside if on.get(room_of(name), len(storeys)) >= ground)


def circle(modules: Mapping[str, str]) -> list[str]:
    """The modules of a circle of imports, each importing the next and the last the first; [] where there is none."""
    whole = {name.removesuffix(".__init__"): name for name in modules}
    left = {name: imported_files(whole[name], modules[whole[name]], whole) - {name} for name in whole}
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    path: list[str] = sorted(left)[:1]
    while path and (following := min(left[path[-1]] & left.keys())) not in path:
        path.append(following)
    return path[path.index(following) :] if path else []


def imported_files(module: str, source: str, whole: Mapping[str, str]) -> set[str]:
    """Those of `whole` that a module names: `from a.b import c` is a.b.c, or a.b where c is no module."""
    found = {name if name in whole else name.rpartition(".")[0] for name in imports(module, source)}
    return found & whole.keys()


@pytest.mark.parametrize("house", STOREYS)
def test_every_room_is_on_one_storey(house):
    listed = [room for storey in STOREYS[house] for room in storey]
    assert len(listed) == len(set(listed))
    assert set(listed) == {room_of(module) for module in own_modules([house])} - {""}


@pytest.mark.parametrize(
    ("module", "source"), [pytest.param(*one, id=one[0]) for one in own_modules(STOREYS).items()]
)
def test_a_module_imports_from_its_room_and_the_storeys_below(module, source):
    assert reported(module, source, STOREYS[module.split(".")[0]]) == []


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("training.engine.a", "from training.methods import pgd", "training.methods.pgd"),
        ("training.engine.a", "def f():\n    import training.runs.parts", "training.runs.parts"),
        ("training.engine.__init__", "from ..runs import parts", "training.runs.parts"),
        ("training.data.a", "from training.models import build", "training.models.build"),
        (
            "training.results.a",
            "from training.studies.landscape.job import f",
            "training.studies.landscape.job.f",
        ),
        ("training.runs.a", "from training.run import main", "training.run.main"),
        ("training.run", "from training.studies import parity", "training.studies.parity"),
        ("training.methods.a", "from training.attic import f", "training.attic.f"),
        ("theory.deciders.a", "from theory.ledger.claim import Claim", "theory.ledger.claim.Claim"),
        ("theory.calculus.a", "from theory.ledger import claim", "theory.ledger.claim"),
        ("theory.ledger.a", "from theory.statements.paper import PAPER", "theory.statements.paper.PAPER"),
        ("theory.ledger.a", "from theory.own_loss import check_loss", "theory.own_loss.check_loss"),
        ("theory.statements.a", "from theory.own_loss import check_loss", "theory.own_loss.check_loss"),
        ("training.__init__", "from training.cells import recipe", "training.cells.recipe"),
    ],
)
def test_an_import_that_leads_up_or_along_is_reported(module, source, said):
    assert reported(module, source, STOREYS[module.split(".")[0]]) == [said]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("training.studies.a", "from training.cells.recipe import Recipe\nimport training.runs.job"),
        ("training.runs.a", "from training.runs.b import f\nimport torch\nfrom support import files"),
        ("training.methods.__init__", "from training.methods.attacks import pgd"),
    ],
)
def test_an_import_that_leads_down_or_stays_is_not_reported(module, source):
    assert reported(module, source, STOREYS["training"]) == []


@pytest.mark.parametrize("house", STOREYS)
def test_no_files_of_a_house_import_each_other_in_a_circle(house):
    assert circle(own_modules([house])) == []


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        ({"a.b": "import a.c", "a.c": "def f():\n    from a.b import g"}, ["a.b", "a.c"]),
        (
            {
                "a.b": "from a import c",
                "a.c": "from .d import f",
                "a.d": "from . import b",
                "a.e": "import a.b",
            },
            ["a.b", "a.c", "a.d"],
        ),
        ({"a.__init__": "from a.b import f", "a.b": "from a import f"}, ["a", "a.b"]),
        ({"a.__init__": "from a.b import f", "a.b": "import a.c", "a.c": "import json"}, []),
    ],
)
def test_a_circle_is_found_and_named(modules, found):
    assert circle(modules) == found
