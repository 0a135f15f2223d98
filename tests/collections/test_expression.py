from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

import restride.array as ra
from restride.collections.expression import rewrite, subexpressions, tokenize


def test_equal_expressions_have_equal_names_and_others_do_not():
    x = ra.arange(10, chunks=3)
    assert (x + 1).name == (ra.arange(10, chunks=3) + 1).name
    assert (x + 1).expr == (x + 1).expr
    assert (
        len(
            {
                y.name
                for y in (x + 1, x + 1.0, x + 2, 1 + x, x - 1, x.sum(), x.max(), x[1:], ra.arange(10, chunks=2) + 1)
            }
        )
        == 9
    )


def test_names_are_the_same_in_every_process():
    code = "import restride.array as ra, numpy as np; print((np.exp(ra.arange(10, chunks=3)) * [1.5] * 10).sum().name)"
    here = (np.exp(ra.arange(10, chunks=3)) * [1.5] * 10).sum().name
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert there == here


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("1", 1),
        (np.float64(1), 1.0),
        (np.float64(1), np.float32(1)),
        (np.array([1, 2]), np.array([[1, 2]])),
        (np.array([1, 2]), np.array([1, 2], np.int32)),
        (np.add, np.subtract),
        (np.sum, np.mean),
        ((1, (2,)), ((1, 2),)),
        (slice(1, 2), slice(1, 2, 1)),
        ({"a": 1}, {"b": 1}),
        (tuple(range(2000)), tuple(range(1, 2001))),
        (b"a", "a"),
        (np.dtype("i4"), np.dtype("u4")),
    ],
)
def test_tokens_tell_values_apart(one, other):
    assert tokenize(one) == tokenize(one)
    assert tokenize(one) != tokenize(other)


def test_what_cannot_be_known_by_content_gets_a_name_of_its_own():
    big = np.zeros(100_000)
    for value in (big, object(), lambda: 1):
        assert tokenize(value) != tokenize(value)


def test_expressions_can_be_pickled():
    x = (ra.arange(10, chunks=3) + 1).sum()
    again = pickle.loads(pickle.dumps(x.expr))
    assert again == x.expr
    assert (again.shape, again.dtype, again.origin) == ((), np.dtype(int), x.expr.origin)


def test_origin_is_the_users_line_and_no_part_of_identity():
    x = ra.ones(3)
    y = x + 1
    z = x + 1
    assert y.expr.origin != z.expr.origin
    assert y.expr == z.expr
    assert "test_expression.py" in y.expr.origin
    assert "test_origin_is_the_users_line" in y.expr.origin


def test_rewrite_goes_on_until_nothing_changes_and_keeps_origins():
    x = ra.ones(3) + 1 + 1 + 1

    def one_less(expr):
        first = expr.children[0] if expr.children else None
        return first if first is not None and first.label == "add" else expr

    (rewritten,) = rewrite([x.expr], one_less)
    assert [expr.label for expr in subexpressions([rewritten])] == ["full", "add"]
    assert "test_rewrite_goes_on" in rewritten.origin


def test_expressions_of_any_depth_compute():
    x = ra.zeros(4, chunks=2)
    for _ in range(3000):
        x = x + 1
    assert x.sum().compute() == 12_000
