"""Profiles of computations."""

from __future__ import annotations

import pstats
from pathlib import Path

import pytest

import restride as rs


def kernel(x: int) -> int:
    return x + 1


@pytest.mark.parametrize("where", ["inline", "loop"])
def test_tasks_and_engine_are_in_the_profile(tmp_path: Path, where: str) -> None:
    with rs.Client(where) as client, rs.profile(tmp_path / "profile") as profiler:
        assert client.gather(client.map(kernel, range(50))) == list(range(1, 51))
    assert profiler is not None
    functions = {name: calls for (_, _, name), (calls, *_) in pstats.Stats(str(tmp_path / "profile")).stats.items()}
    assert functions["kernel"] == 50
    assert "run_claimed" in functions


def test_a_profile_is_written_whatever_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), rs.profile(tmp_path / "profile"):
        _ = kernel(1) / 0
    assert (tmp_path / "profile").stat().st_size > 0
