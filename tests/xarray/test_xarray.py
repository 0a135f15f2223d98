"""xarray on our arrays, without dask: the same results as on numpy's, and nothing computed before it is asked for."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from xarray.namedarray.parallelcompat import guess_chunkmanager

import restride
import restride.array as ra
from restride.xarray import RestrideManager

ROOT = Path(restride.__file__).parents[1]
TIME = pd.date_range("2000-01-01", periods=120, freq="D")


def dataset():
    values = np.random.default_rng(0).random((120, 6, 8))
    values[3, 2, 1] = np.nan
    coordinates = {"time": TIME, "lat": np.arange(6.0), "lon": np.arange(8.0)}
    a = xr.DataArray(values, dims=("time", "lat", "lon"), coords=coordinates, name="a")
    return xr.Dataset({"a": a, "b": a * 2 + 1, "n": ("time", np.arange(120)), "when": ("time", TIME.to_numpy())})


@pytest.fixture
def ds():
    return dataset()


@pytest.fixture
def lazy(ds):
    return ds.chunk({"time": 30, "lat": 3}, chunked_array_type="restride")


def parallelized(function, *args, **kwargs):
    return xr.apply_ufunc(function, *args, dask="parallelized", output_dtypes=[float], **kwargs)


OPERATIONS = {
    "arithmetic": lambda x: np.sin(x.a) * 2 + x.b,
    "mean of all": lambda x: x.a.mean(),
    "mean of several": lambda x: x[["a", "b"]].mean("time"),
    "std": lambda x: x.a.std("time", ddof=1),
    "sum, min_count": lambda x: x.a.sum("time", min_count=3),
    "max": lambda x: x.a.max(("lat", "lon")),
    "median": lambda x: x.a.median("time"),
    "quantile": lambda x: x.a.chunk(time=-1).quantile([0.1, 0.5], "time"),
    "cumsum": lambda x: x.a.cumsum("time"),
    "argmax": lambda x: x.a.fillna(0).argmax("time"),
    "idxmax": lambda x: x.a.idxmax("time"),
    "where": lambda x: x.a.where(x.a > 0.5, 0),
    "fillna": lambda x: x.a.fillna(7),
    "isin": lambda x: x.n.isin([1, 2, 3]),
    "diff and shift": lambda x: x.a.diff("time") + x.a.shift(time=1),
    "roll and pad": lambda x: x.a.roll(lon=3).pad(lon=2, mode="wrap"),
    "isel": lambda x: x.a.isel(time=slice(3, 50, 2), lon=[1, 3, 2]),
    "isel of points": lambda x: x.a.isel(time=xr.DataArray([1, 2, 3], dims="p"), lon=xr.DataArray([1, 3, 2], dims="p")),
    "sel": lambda x: x.a.sel(time="2000-02").sel(lat=2.1, method="nearest"),
    "reindex": lambda x: x.a.reindex(lat=[0.0, 7.0, 2.0]),
    "climatology": lambda x: x.a.groupby("time.month").mean(),
    "anomaly": lambda x: x.a.groupby("time.month") - x.a.groupby("time.month").mean(),
    "groupby, first": lambda x: x.a.groupby("time.month").first(),
    "groupby, map": lambda x: x.a.groupby("time.month").map(lambda group: group - group.mean("time")),
    "groupby, bins": lambda x: x.a.groupby_bins("lat", [0, 2, 6]).mean(),
    "resample": lambda x: x.a.resample(time="MS").mean(),
    "resample, interpolate": lambda x: x.a.resample(time="12h").interpolate("linear"),
    "rolling, mean": lambda x: x.a.rolling(time=5).mean(),
    "rolling, centred": lambda x: x.a.rolling(time=5, center=True, min_periods=1).max(),
    "rolling, two axes": lambda x: x.a.rolling(lat=3, lon=3, center=True).mean(),
    "rolling, construct": lambda x: x.a.rolling(time=5).construct("window"),
    "coarsen": lambda x: x.a.coarsen(time=10, lat=2).mean(),
    "weighted": lambda x: x.a.weighted(np.cos(x.lat)).mean(("lat", "lon")),
    "weighted by an array": lambda x: x.a.weighted(x.b.fillna(0)).mean("time"),
    "dot": lambda x: xr.dot(x.a.fillna(0), x.b.fillna(0), dim="time"),
    "corr": lambda x: xr.corr(x.a, x.b, dim="time"),
    "polyfit": lambda x: x.a.polyfit("time", 1).polyfit_coefficients,
    "polyfit, one axis": lambda x: x.n.polyfit("time", 1).polyfit_coefficients,
    "polyfit, polyval": lambda x: xr.polyval(x.time, x.a.fillna(0).polyfit("time", 2).polyfit_coefficients),
    "interp": lambda x: x.a.interp(lat=[0.5, 1.5]),
    "interp to points": lambda x: x.a.interp(lat=xr.DataArray([0.5], dims="p"), lon=xr.DataArray([0.3], dims="p")),
    "differentiate": lambda x: x.a.differentiate("lat"),
    "integrate": lambda x: x.a.integrate("lon"),
    "stack and unstack": lambda x: x.a.stack(z=("lat", "lon")).unstack("z"),
    "transpose": lambda x: x.a.transpose("lon", "lat", "time"),
    "concat": lambda x: xr.concat([x.a, x.a + 1], dim="time"),
    "broadcast": lambda x: xr.broadcast(x.a, x.n)[1],
    "sortby": lambda x: x.a.sortby("lat", ascending=False),
    "full_like": lambda x: xr.full_like(x.a, 3.0),
    "apply_ufunc": lambda x: parallelized(lambda v: v * 2, x.a),
    "apply_ufunc, core": lambda x: parallelized(
        lambda v: v.mean(-1), x.a.chunk(time=-1), input_core_dims=[["time"]]
    ),
    "apply_ufunc, vectorized": lambda x: parallelized(
        lambda v, w: (v * w).sum(), x.a.chunk(time=-1), x.b.chunk(time=-1), input_core_dims=[["time"], ["time"]],
        vectorize=True,
    ),
    "apply_ufunc, new axis": lambda x: parallelized(
        lambda v: np.stack([v.min(-1), v.max(-1)], -1), x.a.chunk(time=-1), input_core_dims=[["time"]],
        output_core_dims=[["extreme"]], dask_gufunc_kwargs={"output_sizes": {"extreme": 2}},
    ),
    "times of data": lambda x: x.when.dt.month,
    "persist": lambda x: x.a.persist(),
    "copy": lambda x: x.a.copy(deep=True),
    "pickle": lambda x: pickle.loads(pickle.dumps(x.a)),
    "chunks by month": lambda x: x.a.chunk(time=xr.groupers.TimeResampler("MS")),
    "chunks of a size": lambda x: x.a.chunk("1 MiB"),
}  # fmt: skip


def refuse(*_args, **_kwargs):
    raise AssertionError("computed while nobody asked for it")


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.filterwarnings(
    "ignore::RuntimeWarning", "ignore::FutureWarning", "ignore::restride.errors.PerformanceWarning"
)
def test_operations_stay_lazy_and_give_what_they_give_on_numpy(name, ds, lazy, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(RestrideManager, "compute", refuse)
        patched.setattr(ra.Array, "__array__", refuse)
        result = OPERATIONS[name](lazy)
        arrays = result.data_vars.values() if isinstance(result, xr.Dataset) else [result]
        assert all(isinstance(array.data, ra.Array) for array in arrays)
    xr.testing.assert_allclose(result.compute(), OPERATIONS[name](ds).compute())


def test_groups_are_not_handed_to_flox_which_would_load_them(ds, lazy, with_flox_installed):
    result = lazy.a.groupby("time.month").mean()
    assert isinstance(result.data, ra.Array)
    with xr.set_options(use_flox=False):
        xr.testing.assert_allclose(result.compute(), ds.a.groupby("time.month").mean())


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "group" in name or "resample" in name])
def test_with_flox_itself_groups_stay_lazy(name, ds, lazy, with_flox_installed):
    pytest.importorskip("flox")
    result = OPERATIONS[name](lazy)
    assert isinstance(result.data, ra.Array)
    with xr.set_options(use_flox=False):
        xr.testing.assert_allclose(result.compute(), OPERATIONS[name](ds))


def test_restride_is_what_xarray_takes_by_itself(ds):
    assert isinstance(ds.chunk({"time": 30}).a.data, ra.Array)
    assert isinstance(guess_chunkmanager("restride"), RestrideManager)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_zarr_stores_are_read_and_written_lazily(ds, lazy, tmp_path, zarr_format):
    place = tmp_path / "store.zarr"
    lazy.to_zarr(place, consolidated=False, zarr_format=zarr_format)
    read = xr.open_zarr(place, chunked_array_type="restride", consolidated=False)
    assert read.a.data.chunks == lazy.a.data.chunks
    xr.testing.assert_identical(read.compute(), ds)


def test_a_region_of_a_zarr_store_is_written(ds, lazy, tmp_path):
    place = tmp_path / "store.zarr"
    lazy.to_zarr(place, consolidated=False)
    part = (lazy[["a"]] + 1).isel(time=slice(30, 60)).drop_vars(["lat", "lon"])
    part.to_zarr(place, region={"time": slice(30, 60)}, consolidated=False)
    ds["a"][30:60] += 1
    xr.testing.assert_identical(xr.open_zarr(place, consolidated=False).compute(), ds)


def test_a_store_is_written_later(ds, lazy, tmp_path):
    for later, read in [
        (lazy.to_zarr(tmp_path / "store.zarr", compute=False, consolidated=False), xr.open_zarr),
        (lazy.to_netcdf(tmp_path / "file.nc", engine="h5netcdf", compute=False), xr.open_dataset),
    ]:
        later.compute()
        options = {"consolidated": False} if read is xr.open_zarr else {"engine": "h5netcdf"}
        with read(tmp_path / ("store.zarr" if read is xr.open_zarr else "file.nc"), **options) as written:
            xr.testing.assert_allclose(written.compute(), ds)


def test_several_stores_are_written_later_at_once(ds, lazy, tmp_path):
    places = [tmp_path / "one.zarr", tmp_path / "other.zarr"]
    restride.compute(*(lazy.to_zarr(place, compute=False, consolidated=False) for place in places))
    for place in places:
        xr.testing.assert_identical(xr.open_zarr(place, consolidated=False).compute(), ds)


def test_a_zarr_store_whose_writing_was_interrupted_is_refused_until_it_is_written_again(lazy, tmp_path):
    def fail(block):
        raise ZeroDivisionError

    place = tmp_path / "store.zarr"
    broken = lazy[["b"]].assign(a=lazy.a.copy(data=lazy.a.data.map_blocks(fail)))
    with pytest.raises(ZeroDivisionError):
        broken.to_zarr(place, consolidated=False)
    with pytest.raises(ValueError, match=f"{place}/[ab] is incomplete"):
        xr.open_zarr(place, consolidated=False)
    lazy.to_zarr(place, mode="w", consolidated=False)
    xr.open_zarr(place, consolidated=False).a.mean().compute()


def test_other_processes_do_not_write_to_files_that_are_open_in_this_one(ds, tmp_path):
    with (
        restride.Client("processes", workers=1),
        pytest.raises(ValueError, match="is in this process, where workers in others cannot write"),
    ):
        ds.chunk({"time": 30}).to_netcdf(tmp_path / "file.nc", engine="h5netcdf")


def test_an_xarray_that_is_not_as_known_is_a_warning(monkeypatch):
    gates = (("xarray.core.no_such_module", ("push",), "ffill"), ("xarray.core.missing", ("no_such_name",), "bfill"))
    monkeypatch.setattr(restride.xarray, "GATES", gates)
    with pytest.warns(RuntimeWarning, match=r"there is no .*no_such_module.push, .*no_such_name, .*: ffill, bfill"):
        restride.xarray._widen_gates.__wrapped__()


def test_netcdf_files_are_read_and_written_lazily(ds, lazy, tmp_path):
    place = tmp_path / "file.nc"
    lazy.to_netcdf(place, engine="h5netcdf")
    with xr.open_dataset(place, engine="h5netcdf", chunks={"time": 50}) as read:
        assert read.a.data.chunks[0] == (50, 50, 20)
        xr.testing.assert_allclose(read.a.mean("time").compute(), ds.a.mean("time"))


def test_what_xarray_makes_of_arrays_runs_on_processes(ds, tmp_path):
    names = ["mean of several", "climatology", "rolling, mean", "polyfit", "interp", "apply_ufunc, core"]
    place = tmp_path / "store.zarr"
    with restride.Client("processes", workers=2):
        ds.chunk({"time": 30}).to_zarr(place, consolidated=False)
        read = xr.open_zarr(place, consolidated=False)
        for name in names:
            xr.testing.assert_allclose(OPERATIONS[name](read).compute(), OPERATIONS[name](ds).compute())


def test_only_chunks_that_are_needed_are_read(tmp_path, lazy, monkeypatch):
    place = tmp_path / "store.zarr"
    lazy.to_zarr(place, consolidated=False)
    read = xr.open_zarr(place, consolidated=False)
    from xarray.backends.zarr import ZarrArrayWrapper

    reads = []
    get = ZarrArrayWrapper.__getitem__
    monkeypatch.setattr(ZarrArrayWrapper, "__getitem__", lambda self, key: (reads.append(key), get(self, key))[1])
    (read.a * 2).isel(time=slice(0, 30), lat=slice(0, 3)).compute()
    assert len(reads) == 1


def test_several_variables_are_computed_as_one_graph(lazy, monkeypatch):
    calls = []
    compute = restride.xarray.compute
    monkeypatch.setattr(
        "restride.xarray.compute", lambda *args, **kw: (calls.append(len(args)), compute(*args, **kw))[1]
    )
    lazy[["a", "b"]].compute()
    assert calls == [2]


def test_chunks_of_any_spelling_are_normalized():
    manager = RestrideManager()
    assert manager.normalize_chunks((2, None), shape=(5, 3), dtype=np.dtype("f8")) == ((2, 2, 1), (3,))
    assert manager.normalize_chunks(((2, 3), (3,))) == ((2, 3), (3,))
    auto = manager.normalize_chunks("auto", (1000, 1000), limit="80 kB", dtype="f8", previous_chunks=(100, 100))
    assert auto == ((100,) * 10, (100,) * 10)
    assert manager.get_auto_chunk_size() == restride.config.Settings.current().array_chunk_size


def test_arrays_that_are_not_ours_pass_through_compute_and_persist():
    manager = RestrideManager()
    values = np.arange(3)
    one, two = manager.compute(values, ra.arange(3))
    assert one is values
    np.testing.assert_array_equal(two, values)
    assert manager.persist(values)[0] is values


def test_the_package_registers_the_chunk_manager():
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["xarray.chunkmanagers"]
    module, _, name = entry["restride"].partition(":")
    assert getattr(import_module(module), name) is RestrideManager
    installed = [point for point in entry_points(group="xarray.chunkmanagers") if point.name == "restride"]
    assert all(point.value == entry["restride"] for point in installed)


def test_a_process_that_cannot_import_dask_computes_with_xarray():
    program = """
import sys
sys.modules["dask"] = None
import numpy as np, xarray as xr
from xarray.namedarray import parallelcompat
from restride.xarray import RestrideManager
managers = {"restride": RestrideManager()}
parallelcompat.list_chunkmanagers = lambda: managers
x = xr.DataArray(np.arange(12.0).reshape(3, 4), dims=("t", "x")).chunk(t=1)
print(float(x.rolling(t=2).mean().sum()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.split() == ["44.0"], done.stderr
