"""What the README shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=["array", "dataframe", "processes", "graph"])
def test_an_example_of_the_readme_runs(example: str) -> None:
    exec(compile(example, str(README), "exec"), {"__name__": "__main__"})
