"""Mutation audit of the ledger: changes one number, sign, operator or relation of a statement file at a time
and reruns its claims.

    python -m tests.mutants theory/statements/sec31/lemma2.py [more files] [--every 5]

A mutant that leaves every claim of its file as it was has survived: something that file states or derives is
not checked. Texts, equation numbers, witness points and the twins themselves are left alone, since they
assert nothing.
"""

from __future__ import annotations

import argparse
import ast
import copy
import multiprocessing
import os
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SILENT_KEYWORDS = {
    "equations",
    "remark",
    "replay",
    "point",
    "dimension",
    "shows",
    "twins",
    "title",
    "statement",
    "method",
    "latex",
}
SILENT_KEYWORDS |= {
    "location",
    "assumptions",
    "cites",
    "says",
    "coordinates",
    "slip",
    "most_boxes",
    "pair",
    "expected",
    "kind",
    "id",
}
SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
RELATIONS = {"Le": "Ge", "Ge": "Le", "Lt": "Gt", "Gt": "Lt", "<=": ">=", ">=": "<=", "<": ">", ">": "<"}
PATIENCE = (
    120  # seconds for one mutant; one that takes longer counts as noticed, since the suite would not finish
)


@dataclass(frozen=True)
class Mutant:
    """A changed syntax tree, the line of the change and what it was."""

    line: int
    change: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every single change of a number (by one), an operator, a sign or a relation in code that asserts
    something."""
    original = ast.parse(source)
    for position, node in enumerate(ast.walk(original)):
        for change in _changes(node):
            tree = copy.deepcopy(original)
            silent = _silent(tree)
            target = _nth(tree, position)
            if id(target) in silent:
                break
            yield Mutant(getattr(node, "lineno", 0), change(target), ast.fix_missing_locations(tree))


def survives(mutant: Mutant, name: str) -> bool:
    """Whether every claim of the mutated file still comes out as its ledger entry says (run in a process of
    its own)."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_judge, args=(mutant, name))
    process.start()
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()
        return False
    return process.exitcode == 0


def main(argv: list[str] | None = None) -> int:
    """Prints the survivors and the score; exit status 1 when there are survivors."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every N-th mutant of a file")
    arguments = parser.parse_args(argv)
    survivors = tried = 0
    for path in arguments.files:
        for mutant in list(mutants(path.read_text(encoding="utf-8")))[:: arguments.every]:
            tried += 1
            if survives(mutant, path.stem):
                survivors += 1
                print(f"survived: {path}:{mutant.line}: {mutant.change}", flush=True)
    print(f"{tried - survivors} of {tried} mutants noticed")
    return 1 if survivors else 0


def _judge(mutant: Mutant, name: str) -> None:
    """Exits with 0 when the mutant survives, with 1 when an assertion notices it or its code fails."""
    from theory.testing import assert_claim_stands

    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (the process ends here)
    module = types.ModuleType(f"mutant_{name}")
    sys.modules[module.__name__] = module
    status = 1
    try:
        exec(compile(mutant.tree, name, "exec"), module.__dict__)
        for claim in module.CLAIMS:
            assert_claim_stands(claim)
        status = 0
    finally:
        os._exit(status)


def _changes(node: ast.AST) -> list:
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return [_raise_number]
    if isinstance(node, ast.Constant) and node.value in RELATIONS:
        return [_turn_relation]
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        return [_swap_operator]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [_drop_sign]
    if isinstance(node, ast.Attribute) and node.attr in RELATIONS:
        return [_turn_attribute]
    return []


def _raise_number(node: ast.Constant) -> str:
    node.value += 1  # type: ignore[operator]
    return f"{node.value - 1} -> {node.value}"  # type: ignore[operator]


def _turn_relation(node: ast.Constant) -> str:
    before = str(node.value)
    node.value = RELATIONS[before]
    return f"{before} -> {node.value}"


def _swap_operator(node: ast.BinOp) -> str:
    before, node.op = ast.unparse(node), SWAPS[type(node.op)]()
    return f"{before} -> {ast.unparse(node)}"


def _drop_sign(node: ast.UnaryOp) -> str:
    before, node.op = ast.unparse(node), ast.UAdd()
    return f"{before} -> {ast.unparse(node)}"


def _turn_attribute(node: ast.Attribute) -> str:
    before, node.attr = node.attr, RELATIONS[node.attr]
    return f"sp.{before} -> sp.{node.attr}"


def _silent(tree: ast.Module) -> set[int]:
    """Ids of the nodes inside keywords that assert nothing, in f-strings and in annotations."""
    roots: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in SILENT_KEYWORDS:
            roots.append(node.value)
        if isinstance(node, ast.FunctionDef) and "coordinates" in node.name:
            roots.append(node)
    return {id(inner) for root in roots for inner in ast.walk(root)}


def _nth(tree: ast.Module, position: int) -> ast.AST:
    return next(node for index, node in enumerate(ast.walk(tree)) if index == position)


if __name__ == "__main__":
    sys.exit(main())
