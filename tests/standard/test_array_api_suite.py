"""The official suite of the array API standard, a subprocess for each of its files.

It is on no package index. Where the environment variable ``ARRAY_API_TESTS`` is the path of a checkout of
data-apis/array-api-tests, with its submodule, it runs; elsewhere each of its files is a test skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import restride
import restride.array

CHECKOUT = os.environ.get("ARRAY_API_TESTS")
MAX_EXAMPLES = os.environ.get("ARRAY_API_TESTS_MAX_EXAMPLES", "3")
FILES = [
    "array_object", "constants", "creation_functions", "data_type_functions", "dlpack", "fft", "has_names",
    "indexing_functions", "inspection_functions", "linalg", "manipulation_functions",
    "operators_and_elementwise_functions", "searching_functions", "set_functions", "signatures", "sorting_functions",
    "special_cases", "statistical_functions", "utility_functions",
]  # fmt: skip
NAMESPACE = "exec('import restride as rs; rs.kept = rs.Client(\"inline\"); import restride.array as xp')"
"""The elements of results are asked for one by one: a client in the same thread is twice as fast at that."""


@pytest.mark.skipif(CHECKOUT is None, reason="ARRAY_API_TESTS is no checkout of data-apis/array-api-tests")
@pytest.mark.parametrize("name", FILES)
def test_official_suite_passes(name):
    environment = os.environ | {
        "ARRAY_API_TESTS_MODULE": NAMESPACE,
        "ARRAY_API_TESTS_VERSION": restride.array.__array_api_version__,
        "PYTHONPATH": os.pathsep.join([str(Path(restride.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        "PYTEST_ADDOPTS": "",
    }
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", f"array_api_tests/test_{name}.py", "-q", "-p", "no:cacheprovider"),
            *("--max-examples", MAX_EXAMPLES, "--derandomize", "--disable-deadline", "--disable-data-dependent-shapes"),
            *("--xfails-file", str(Path(__file__).parent / "array-api-tests-xfails.txt")),
        ],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]


def test_the_files_listed_are_those_of_the_suite():
    if CHECKOUT is None:
        pytest.skip("ARRAY_API_TESTS is no checkout of data-apis/array-api-tests")
    there = {path.stem.removeprefix("test_") for path in Path(CHECKOUT, "array_api_tests").glob("test_*.py")}
    assert there == set(FILES)
