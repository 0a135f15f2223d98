from __future__ import annotations

import sys

import numpy as np
import pytest

import restride.array as ra


@pytest.fixture
def x(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((100, 100)))
    return ra.from_npy(tmp_path / "x.npy", chunks=10)


def test_an_explanation_tells_the_expression_before_and_after(x, tmp_path):
    y = (np.exp(x) + x)[5:15, 20:30].T
    told = y.explain()
    assert str(told) == repr(told)
    assert " ".join(told.before.split()[:9]) == "transpose (10, 10) float64, 2 blocks of (10, 5)"
    assert told.before.splitlines()[1].strip().startswith("getitem[5:15, 20:30]  ")
    assert told.before.splitlines()[-1].split() == ["from_npy", str(tmp_path / "x.npy"), "#1", "as", "above"]
    assert [line.split()[0] for line in told.after.splitlines()] == ["transpose", "add", "exp", "from_npy", "from_npy"]
    assert "(10, 10) float64, 2 blocks of (5, 10)" in told.after.splitlines()[3]


def test_an_explanation_tells_tasks_and_bytes_of_what_will_run_alone(x):
    told = (x + 1)[5:15].sum().explain()
    assert told.tasks == 20 + 3 + 1
    assert (told.bytes_read, told.bytes_made) == (10 * 100 * 8, 8)
    assert [(layer.tasks, layer.inputs) for layer in told.layers] == [(20, 0), (3, 20), (1, 3)]


def test_explanations_of_long_expressions_stay_short(x):
    for _ in range(1000):
        x = x + 1
    assert len(x.explain().before.splitlines()) == 61


def test_blocks_in_memory_are_no_tasks(x):
    told = (x.persist() + 1).explain()
    assert [layer.name for layer in told.layers] == ["add"]


def test_a_picture_has_a_box_for_each_layer_that_runs(x, tmp_path):
    pytest.importorskip("graphviz")
    y = x.persist().sum()
    text = y.visualize().source
    assert '[label="100 in memory", fillcolor=lightgrey]' in text
    assert 'label="sum\\n100 tasks"' in text
    assert '0 -> 1 [label="100"]' in text


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_is_written_in_the_format_of_its_name(x, tmp_path, kind):
    graphviz = pytest.importorskip("graphviz")
    path = str(tmp_path / f"graph.{kind}")
    try:
        assert x.sum().visualize(path) == path
    except ImportError:
        with pytest.raises(graphviz.ExecutableNotFound):
            graphviz.version()
        pytest.skip("the program dot is not installed")
    assert (tmp_path / f"graph.{kind}").read_bytes().startswith({"svg": b"<?xml", "png": b"\x89PNG"}[kind])


def test_an_unknown_format_is_an_error_that_names_some(x, tmp_path):
    pytest.importorskip("graphviz")
    with pytest.raises(ValueError, match=r"format, such as \.svg or \.png"):
        x.visualize(tmp_path / "graph")


def test_without_graphviz_the_error_says_how_to_get_it(x, monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"pip install graphviz.*apt install graphviz"):
        x.visualize()
