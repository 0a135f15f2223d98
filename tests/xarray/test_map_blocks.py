"""Functions of blocks of xarray's objects: what each gets, and what becomes of what it returns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import restride
from restride.errors import BlockError
from restride.xarray import map_blocks

TIME = pd.date_range("2000-01-01", periods=12, freq="MS")


def dataset():
    rng = np.random.default_rng(0)
    return xr.Dataset(
        {"a": (("t", "x"), rng.random((12, 6)), {"units": "K"}), "n": ("t", np.arange(12)), "one": 1.5},
        coords={"t": TIME, "x": np.arange(6.0), "month": ("t", TIME.month), "name": "here"},
        attrs={"title": "random"},
    )


@pytest.fixture
def ds():
    return dataset()


@pytest.fixture
def lazy(ds):
    return ds.chunk({"t": 4, "x": 3}, chunked_array_type="restride")


FUNCTIONS = {
    "arithmetic": lambda x: x * 2,
    "with coordinates": lambda x: x + x.month,
    "other dtype": lambda x: x > 0.5,
    "transposed": lambda x: x.transpose(),
    "renamed": lambda x: x.rename("z") if isinstance(x, xr.DataArray) else x.rename(a="z"),
    "without a coordinate": lambda x: x.drop_vars("month"),
    "without an index": lambda x: x.drop_vars("x"),
    "a new dimension": lambda x: x.expand_dims(k=[1, 2, 3]),
    "a new dimension without an index": lambda x: x.expand_dims(k=2),
    "a new coordinate": lambda x: x.assign_coords(half=x.x / 2),
    "attributes": lambda x: x.assign_attrs(made=1),
    "to a Dataset": lambda x: x.to_dataset(name="d") if isinstance(x, xr.DataArray) else x[["a"]],
    "to a DataArray": lambda x: x if isinstance(x, xr.DataArray) else x.a,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["Dataset", "DataArray"])
@pytest.mark.parametrize("chunks", [{"t": 4, "x": 3}, {"t": 5}])
def test_a_function_that_does_not_mind_blocks_gives_what_it_gives_of_the_whole(ds, name, kind, chunks):
    lazy = ds.chunk(chunks, chunked_array_type="restride")
    whole, blocks = (ds, lazy) if kind == "Dataset" else (ds.a, lazy.a)
    expected, result = FUNCTIONS[name](whole), map_blocks(FUNCTIONS[name], blocks)
    assert type(result) is type(expected)
    assert result.chunks
    xr.testing.assert_identical(result.compute(), expected)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.integers(1, 12), st.integers(1, 6))
def test_each_block_is_what_isel_gives(t, x):
    ds = dataset()
    lazy = ds.chunk({"t": t, "x": x}, chunked_array_type="restride")
    seen = []

    def remember(block):
        seen.append(block)
        return block

    xr.testing.assert_identical(map_blocks(remember, lazy, template=lazy).compute(), ds)
    starts = sorted((i, j) for i in range(0, 12, t) for j in range(0, 6, x))
    blocks = sorted(seen, key=lambda block: (block.t.values[0], block.x.values[0]))
    for (i, j), block in zip(starts, blocks, strict=True):
        xr.testing.assert_identical(block, ds.isel(t=slice(i, i + t), x=slice(j, j + x)))


def test_what_a_function_does_to_a_block_it_does_to_that_block_alone(ds, lazy):
    result = map_blocks(lambda block: block - block.mean("t"), lazy.a)
    expected = xr.concat([part - part.mean("t") for part in (ds.a[:4], ds.a[4:8], ds.a[8:])], "t")
    xr.testing.assert_allclose(result.compute(), expected)


def test_other_objects_are_cut_alike_and_other_arguments_are_passed_whole(ds, lazy):
    result = map_blocks(lambda a, n, k, *, factor: a * n + k * factor, lazy.a, [lazy.n, 10], {"factor": 3})
    xr.testing.assert_identical(result.compute(), ds.a * ds.n + 30)
    numpys = map_blocks(lambda a, n: a * n, lazy.a, [ds.n])
    xr.testing.assert_identical(numpys.compute(), ds.a * ds.n)


def test_a_template_says_how_long_the_result_is(ds, lazy):
    template = lazy.a.coarsen(t=2).mean()
    result = map_blocks(lambda block: block.coarsen(t=2).mean(), lazy.a, template=template)
    assert result.chunks == template.chunks
    xr.testing.assert_allclose(result.compute(), ds.a.coarsen(t=2).mean())
    with pytest.raises(ValueError, match=r"'t' of what the function returned is 2 long, not 4.*template"):
        map_blocks(lambda block: block[::2], lazy.a).compute()


def test_a_dimension_that_is_gone_leaves_one_of_its_blocks(ds):
    lazy = ds.chunk({"t": -1, "x": 2}, chunked_array_type="restride")
    result = map_blocks(lambda block: block.mean("t"), lazy.a)
    assert result.chunks == ((2, 2, 2),)
    xr.testing.assert_allclose(result.compute(), ds.a.mean("t"))


def test_what_is_not_chunked_is_passed_to_the_function_at_once(ds):
    assert map_blocks(lambda block, k: (block, k), ds, [1]) == (ds, 1)


def test_functions_run_in_other_processes(ds, lazy):
    with restride.Client("processes", workers=2):
        xr.testing.assert_identical(map_blocks(doubled, lazy).compute(), ds * 2)


def doubled(block):
    return block * 2


def test_mistakes_are_errors_that_say_what_to_do(ds, lazy):
    with pytest.raises(ValueError, match="pass template="):
        map_blocks(lambda block: block.isel(t=0), lazy)
    with pytest.raises(TypeError, match=r"DataArray or Dataset is needed .* got int"):
        map_blocks(lambda block: 1, lazy)
    with pytest.raises(ValueError, match=r"different chunks along 't': \(4, 4, 4\) and \(6, 6\)"):
        map_blocks(lambda a, b: a, lazy.a, [lazy.n.chunk(t=6)])
    with pytest.raises(ValueError, match="cannot align"):
        map_blocks(lambda a, b: a, lazy.a, [lazy.n[1:]])
    with pytest.raises(ValueError, match="not chunked"):
        map_blocks(doubled, lazy, template=ds)
    with pytest.raises(ValueError, match="along 't' there are 3, and 2 in the template"):
        map_blocks(doubled, lazy, template=lazy.chunk(t=6))
    with pytest.raises(TypeError, match="must return a DataArray or Dataset, got int"):
        map_blocks(lambda block: 1, lazy, template=lazy).compute()
    with pytest.raises(ValueError, match=r"variables \['a'\] are missing"):
        map_blocks(lambda block: block.drop_vars("a"), lazy, template=lazy).compute()
    with pytest.raises(ValueError, match="has dimensions"):
        map_blocks(lambda block: block.expand_dims(k=2), lazy.a, template=lazy.a).compute()
    with pytest.raises(BlockError):
        map_blocks(lambda block: block > 0, lazy.a, template=lazy.a).compute()
