"""The benchmarks' command line and timing; what they measure is not for tests to judge."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.__main__ import main
from benchmarks.timing import Timing, alternate


def test_contenders_take_turns_in_the_order_given() -> None:
    calls: list[str] = []
    timings = alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeat=3)
    assert calls == ["a", "b"] * 3
    assert {name: len(timing.seconds) for name, timing in timings.items()} == {"a": 3, "b": 3}


def test_a_timing_knows_its_best_and_its_median() -> None:
    timing = Timing((3.0, 1.0, 2.5))
    assert (timing.best, timing.median) == (1.0, 2.5)


@pytest.fixture
def benchmark_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("benchmarks.overhead")
    vars(module)["run"] = lambda quick: [
        {"what": "inc", "tasks": 100_000, "ratio": 0.12345},
        {"what": "sum", "quick": quick},
    ]
    monkeypatch.setitem(sys.modules, "benchmarks.overhead", module)


@pytest.mark.usefixtures("benchmark_in_place")
def test_a_benchmark_prints_its_rows_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["overhead", "--quick"])
    words = capsys.readouterr().out.split()
    assert {"overhead", "what", "tasks", "ratio", "quick", "inc", "100,000", "0.123", "sum", "yes"} <= set(words)


@pytest.mark.usefixtures("benchmark_in_place")
def test_a_benchmark_writes_its_rows_and_the_machine_as_json(tmp_path: Path) -> None:
    main(["overhead", "--json", str(tmp_path / "out.json")])
    report = json.loads((tmp_path / "out.json").read_text())
    assert report["rows"] == [{"what": "inc", "tasks": 100_000, "ratio": 0.12345}, {"what": "sum", "quick": False}]
    assert report["benchmark"] == "overhead"
    assert report["cores"] >= 1


def test_an_unknown_benchmark_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["everything"])
    assert "overhead" in capsys.readouterr().err
