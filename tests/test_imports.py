"""Imports point one way, and heavy libraries load on first use."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import restride

ROOT = Path(restride.__file__).parent.parent
PACKAGE = sorted((ROOT / "restride").rglob("*.py"))
OURS = [path for folder in ("restride", "benchmarks", "demo") for path in sorted((ROOT / folder).rglob("*.py"))]

# A module may import what stands at its own height or below.
HEIGHTS = {"errors": 0, "config": 0, "engine": 1, "shuffle": 2, "collections": 3}
FRONT = 4


def height(module: str) -> int:
    parts = module.split(".")
    return HEIGHTS.get(parts[1], FRONT) if len(parts) > 1 else FRONT


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str) -> Iterator[str]:
    """Modules that a source imports anywhere: at the top, for types alone, inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward(module: str, source: str) -> list[str]:
    """Imports of a module that point up, or out of the package to its tests and benchmarks."""
    return [
        name
        for name in imports(source)
        if name.split(".")[0] in ("tests", "benchmarks", "demo")
        or (name.split(".")[0] == "restride" and height(name) > height(module))
    ]


@pytest.mark.parametrize("path", PACKAGE, ids=module_name)
def test_imports_point_from_collections_to_shuffle_to_engine_only(path: Path) -> None:
    assert upward(module_name(path), path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("restride.engine.graphs.graph", "import restride.collections.array"),
        ("restride.engine.graphs.graph", "from restride.shuffle import rechunk"),
        ("restride.engine.graphs.graph", "def f():\n    from restride import array"),
        ("restride.engine.graphs.graph", "from restride import TaskGraph"),
        ("restride.shuffle.rechunk", "if TYPE_CHECKING:\n    from restride.collections.array.array import Array"),
        ("restride.errors", "import restride.engine.graphs.graph"),
        ("restride.array", "from benchmarks.timing import alternate"),
    ],
)
def test_an_import_that_points_up_is_noticed_wherever_it_hides(module: str, source: str) -> None:
    assert upward(module, source) != []


@pytest.mark.parametrize("path", OURS, ids=module_name)
def test_a_module_stays_short_enough_to_hold_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 650 or exports_alone(path)


def exports_alone(path: Path) -> bool:
    """Whether a module is a list of names that are defined elsewhere: there is nothing to hold in the head."""
    _docstring, *statements = ast.parse(path.read_text()).body
    assigned = [statement for statement in statements if isinstance(statement, ast.Assign)]
    names = [target.id for statement in assigned for target in statement.targets if isinstance(target, ast.Name)]
    imports = [statement for statement in statements if isinstance(statement, ast.ImportFrom)]
    return len(assigned) + len(imports) == len(statements) and names == ["__all__"]


def loaded_by(statement: str) -> set[str]:
    """Top-level modules and packages that a fresh interpreter has loaded after a statement."""
    code = f"import sys, json; {statement}; print(json.dumps([name.split('.')[0] for name in sys.modules]))"
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return set(json.loads(output))


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        ("import restride", {"pandas", "pyarrow", "rich", "scipy", "zarr", "tornado", "donfig"}),
        ("import restride.array", {"pandas", "pyarrow", "rich", "scipy", "zarr", "tornado"}),
    ],
)
def test_heavy_libraries_load_on_first_use(statement: str, heavy: set[str]) -> None:
    assert all(importlib.util.find_spec(name) for name in heavy), "a library that is not installed proves nothing"
    assert loaded_by(statement) & heavy == set()


@pytest.mark.parametrize("name", restride.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(restride, name) is not None
    assert name in dir(restride)


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'restride' has no attribute 'Clinet'"):
        _ = restride.Clinet
