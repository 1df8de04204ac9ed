"""What the project's modules import, as their source says and without loading them.

The source is read with `ast`, so imports inside functions and `importlib.import_module("...")` count as well.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def own_modules(rooms: Iterable[str]) -> dict[str, str]:
    """Dotted name -> source of every module in these rooms of the project."""
    paths = [path for room in rooms for path in [ROOT / f"{room}.py", *(ROOT / room).rglob("*.py")]]
    return {dotted(path): path.read_text(encoding="utf-8") for path in paths if path.is_file()}


def dotted(path: Path) -> str:
    """`theory/statements/__init__.py` -> `theory.statements.__init__`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports(module: str, source: str) -> set[str]:
    """Every imported name, `from a import b` as `a.b`, relative imports made absolute."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            base += node.module.split(".") if node.module else []
            found |= {".".join([*base, alias.name]) for alias in node.names}
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                found.add(node.args[0].value)
    return found


def reached(start: str, modules: dict[str, str]) -> set[str]:
    """Names imported by a module, by each module of ours it loads (parent packages too), and so on."""
    pending = [start]
    seen: set[str] = set()
    names: set[str] = set()
    while pending:
        module = pending.pop()
        parts = module.split(".")
        loaded = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
        for name in {key for stem in loaded for key in (stem, f"{stem}.__init__")} & set(modules) - seen:
            seen.add(name)
            found = imports(name, modules[name])
            names |= found
            pending += found
    return names


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)
