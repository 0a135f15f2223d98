"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), flags=re.DOTALL | re.MULTILINE)


def test_the_plan_that_the_readme_shows_is_that_of_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(r"^```text\n(optimised\n.*?)^```", README.read_text(), flags=re.DOTALL | re.MULTILINE)
    (example,) = (example for example in EXAMPLES if "explain()" in example)
    exec(compile(example, str(README), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.endswith(shown)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=["array", "dataframe", "processes", "graph"])
def test_an_example_of_the_readme_runs(example: str) -> None:
    exec(compile(example, str(README), "exec"), {"__name__": "__main__"})
