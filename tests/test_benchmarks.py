"""The benchmarks' command line, timing and searches; what they measure is not for tests to judge."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from math import inf
from pathlib import Path
from types import ModuleType

import pytest

import restride as rs
from benchmarks import graphs, overhead_distributed
from benchmarks.__main__ import NAMES, main
from benchmarks.metg import PATTERNS, ends, metg, needs
from benchmarks.systems import System
from benchmarks.timing import Timing, alternate, comparison, repeated

ROOT = Path(rs.__file__).parent.parent


def test_contenders_take_turns_in_the_order_given() -> None:
    calls: list[str] = []
    timings = alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeat=3)
    assert calls == ["a", "b"] * 3
    assert {name: len(timing.seconds) for name, timing in timings.items()} == {"a": 3, "b": 3}


def test_a_timing_knows_its_best_and_its_median() -> None:
    timing = Timing((3.0, 1.0, 2.5))
    assert (timing.best, timing.median) == (1.0, 2.5)


def test_one_contender_runs_as_often_as_asked_for_but_not_on_and_on() -> None:
    assert len(repeated(lambda: None, repeat=3).seconds) == 3
    assert len(repeated(lambda: None, repeat=3, limit=0).seconds) == 1


def test_a_comparison_says_what_part_of_the_others_restride_takes() -> None:
    rows = comparison({"restride": Timing((1.0,)), "other": Timing((4.0, 6.0))}, slabs=5)
    assert [(row["contender"], row["slabs"], row["restride's time as a part"]) for row in rows] == [
        ("restride", 5, 1.0),
        ("other", 5, 0.25),
    ]


@pytest.fixture
def benchmark_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("benchmarks.overhead")
    vars(module)["run"] = lambda quick: {
        "in threads": [{"what": "inc", "tasks": 100_000, "ratio": 0.12345}, {"what": "sum", "quick": quick}],
        "on processes": [{"System": "spider", "note": "not installed"}],
    }
    monkeypatch.setitem(sys.modules, "benchmarks.overhead", module)


@pytest.mark.usefixtures("benchmark_in_place")
def test_a_benchmark_prints_its_rows_as_tables(capsys: pytest.CaptureFixture[str]) -> None:
    main(["overhead", "--quick"])
    words = capsys.readouterr().out.split()
    assert {"threads", "what", "tasks", "ratio", "quick", "inc", "100,000", "0.123", "sum", "yes"} <= set(words)
    assert {"processes", "System", "spider", "note", "installed"} <= set(words)


@pytest.mark.usefixtures("benchmark_in_place")
def test_a_benchmark_writes_its_rows_and_the_machine_as_json(tmp_path: Path) -> None:
    main(["overhead", "--json", str(tmp_path / "out.json")])
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["tables"] == {
        "in threads": [{"what": "inc", "tasks": 100_000, "ratio": 0.12345}, {"what": "sum", "quick": False}],
        "on processes": [{"System": "spider", "note": "not installed"}],
    }
    assert report["benchmark"] == "overhead"
    assert report["cores"] >= 1


def test_an_unknown_benchmark_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["everything"])
    assert "overhead" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_benchmark_runs(name: str) -> None:
    if name in ("overhead", "restride", "fft2", "workflows", "order", "frame", "tpch"):
        pytest.importorskip("dask.array")
    subprocess.run([sys.executable, "-m", "benchmarks", name, "--quick"], cwd=ROOT, check=True)


@pytest.mark.parametrize("start", [1e-6, 30e-6, 5e-3])
def test_the_granularity_found_is_the_shortest_at_half_of_full_speed(start: float) -> None:
    overhead = 31e-6
    assert overhead <= metg(lambda seconds: seconds / (seconds + overhead), start) <= 1.1 * overhead


def test_a_system_that_is_slow_with_the_longest_tasks_too_is_given_up() -> None:
    assert metg(lambda seconds: 0.4, start=1e-3) == inf


@pytest.mark.parametrize("pattern", PATTERNS)
def test_tasks_of_a_pattern_need_tasks_that_the_step_before_has(pattern: str) -> None:
    steps = needs(pattern, 12)
    assert steps[0] == [[]] * len(steps[0])
    for before, step in pairwise(steps):
        assert all(0 <= place < len(before) and row == sorted(set(row)) for row in step for place in row)
        assert all(step)


def test_the_patterns_are_those_of_task_bench() -> None:
    assert needs("stencil_1d", 2)[1] == [
        [0, 1],
        [0, 1, 2],
        [1, 2, 3],
        [2, 3, 4],
        [3, 4, 5],
        [4, 5, 6],
        [5, 6, 7],
        [6, 7],
    ]
    assert [step[3] for step in needs("fft", 5)[1:]] == [[2, 3, 4], [1, 3, 5], [3, 7], [2, 3, 4]]
    assert [len(step) for step in needs("tree", 5)] == [1, 2, 4, 8, 8]
    assert needs("tree", 5)[4] == [[0], [0], [1], [1], [2], [2], [3], [3]]
    assert needs("all_to_all", 2)[1] == [list(range(8))] * 8


def test_the_ends_of_a_pattern_are_all_tasks_that_no_other_needs() -> None:
    assert ends(needs("no_comm", 3)) == list(range(16, 24))
    assert ends(needs("tree", 5)) == [*range(11, 15), *range(15, 23)]


def test_numbers_have_the_same_sum_in_one_task_and_in_many() -> None:
    with rs.Client("inline") as client:
        assert client.get(*graphs.inc_and_sum_at_once(1234)) == client.get(*graphs.inc_then_sum(1234)) == [1235 * 617]


class Slug:
    """A system that does nothing, not even slowly."""

    def ready(self, workers: int) -> None:
        pass

    def in_one_task(self, n: int) -> int:
        return n

    def in_tasks(self, n: int) -> int:
        return n

    def call(self) -> int:
        return 1


def test_a_system_that_is_not_installed_is_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def start(workers: int) -> Iterator[Slug]:
        yield Slug()

    systems = [System(name, package, start) for name, package in (("slug", "sys"), ("snail", "sys"), ("no", "no_such"))]
    monkeypatch.setattr(overhead_distributed, "SYSTEMS", systems)
    monkeypatch.setattr(overhead_distributed, "_seconds_until_usable", lambda system, workers: 0.5)
    ours, theirs, missing = overhead_distributed.rows(quick=True)
    assert missing == {"System": "no", "note": "not installed"}
    assert theirs["times restride's, 100"] == theirs["Per-task µs, 100"] / ours["Per-task µs, 100"]
    assert list(ours)[:3] == ["System", "Startup ms", "Per-task µs, 100"]
