"""Arrays in an object store, over the network: a server of S3's interface on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import h5py
import numpy as np
import pytest

import restride as rs
import restride.array as ra
from restride.collections.array.operations.urls import UrlFile
from tests.collections.array.strategies import assert_same
from tests.object_store import object_store

pytest.importorskip("s3fs")
tifffile = pytest.importorskip("tifffile")
pytest.importorskip("moto.server")

X = np.arange(60.0).reshape(6, 10)


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, object]]:
    """How to reach the server, which has a bucket called data."""
    with object_store("data") as options:
        yield options


@pytest.fixture
def url(request):
    return f"s3://data/{request.node.name}.zarr"


@pytest.fixture
def x():
    return ra.from_array(X, chunks=(2, 5))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_an_array_comes_back_as_it_was_written(x, url, options, zarr_format):
    x.to_zarr(url, "a/x", storage_options=options, zarr_format=zarr_format)
    y = ra.from_zarr(url, "a/x", storage_options=options)
    assert y.chunks == x.chunks
    assert_same(y, X)
    assert (y + 1)[3, 4].compute() == X[3, 4] + 1


def test_parts_are_replaced_and_appended(x, url, options):
    x.to_zarr(url, storage_options=options)
    ra.zeros((2, 10)).to_zarr(url, region=slice(0, 2), storage_options=options)
    ra.ones((3, 10)).to_zarr(url, append_axis=0, storage_options=options)
    assert_same(
        ra.from_zarr(url, storage_options=options), np.concatenate([np.zeros((2, 10)), X[2:], np.ones((3, 10))])
    )


def test_other_processes_read_and_write(x, url, options):
    with rs.Client("processes", workers=2):
        (x + 1).to_zarr(url, storage_options=options)
        y = ra.from_zarr(url, storage_options=options)
        assert_same(y.rechunk((6, 1)) - 1, X)


def test_what_is_there_is_replaced_only_if_asked_for(x, url, options):
    x.to_zarr(url, storage_options=options)
    with pytest.raises(FileExistsError, match=f"{url} holds an array already"):
        x.to_zarr(url, storage_options=options)
    (x + 1).to_zarr(url, storage_options=options, overwrite=True)
    assert_same(ra.from_zarr(url, storage_options=options), X + 1)


def test_a_writing_that_fails_says_that_it_is_incomplete(x, url, options):
    def fail(block):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        x.map_blocks(fail).to_zarr(url, storage_options=options)
    with pytest.raises(ValueError, match=f"{url} is incomplete"):
        ra.from_zarr(url, storage_options=options)
    x.to_zarr(url, storage_options=options, overwrite=True)
    with pytest.raises(ZeroDivisionError):
        x.map_blocks(fail).to_zarr(url, region=(), storage_options=options)
    with pytest.raises(ValueError, match=r"is incomplete: the region \[0:6, 0:10\]"):
        ra.from_zarr(url, storage_options=options)
    x.to_zarr(url, region=(), storage_options=options)
    assert_same(ra.from_zarr(url, storage_options=options), X)


def test_a_missing_array_is_a_file_not_found(url, options):
    with pytest.raises(FileNotFoundError, match=f"no Zarr array at {url}"):
        ra.from_zarr(url, storage_options=options)


def put(url, options, write):
    """Write a file, and put it in the store."""
    import fsspec

    local = Path(tempfile.mkdtemp()) / "file"
    write(local)
    fsspec.open(url, **options).fs.put_file(str(local), url)


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=X, chunks=(2, 5), compression="gzip")


def write_npy(path, values):
    with path.open("wb") as file:
        np.save(file, values)


FILES = {
    "npy": (lambda path: write_npy(path, X), ra.from_npy),
    "npy in Fortran's order": (lambda path: write_npy(path, np.asfortranarray(X)), ra.from_npy),
    "hdf5": (write_hdf5, lambda url, **kwargs: ra.from_hdf5(url, "x", **kwargs)),
    "tiff": (lambda path: tifffile.imwrite(path, X, photometric="minisblack"), ra.image.from_tiff),
    "compressed tiff": (
        lambda path: tifffile.imwrite(path, X, photometric="minisblack", compression="zlib"), ra.image.from_tiff
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("where", ["threads", "processes"])
def test_files_are_read_at_urls(kind, where, options):
    write, read = FILES[kind]
    url = f"s3://data/{kind}-{where}".replace(" ", "-")
    put(url, options, write)
    with rs.Client("processes", workers=1) if where == "processes" else nullcontext():
        assert_same(read(url, storage_options=options), X)
        assert_same(read(url, chunks=(2, 5), storage_options=options)[1:4, 2:9], X[1:4, 2:9])


def test_only_rows_that_are_needed_are_read_of_npy_files(options, monkeypatch):
    url = "s3://data/rows.npy"
    put(url, options, FILES["npy"][0])
    ranges = []
    read = UrlFile.read
    monkeypatch.setattr(UrlFile, "read", lambda self, *span: (ranges.append(span), read(self, *span))[1])
    assert ra.from_npy(url, chunks=(2, -1), storage_options=options)[4].compute().tolist() == X[4].tolist()
    assert [stop - start for start, stop in ranges] in ([80], [160])


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_missing_or_cut_short_are_errors_that_name_their_urls(kind, options):
    write, read = FILES[kind]
    with pytest.raises(FileNotFoundError, match="s3://data/missing"):
        read("s3://data/missing", storage_options=options)
    url = f"s3://data/cut-{kind}".replace(" ", "-")
    put(url, options, lambda path: (write(path), path.write_bytes(path.read_bytes()[:200])))
    with pytest.raises(Exception, match=r".") as caught:
        read(url, storage_options=options).compute()
    assert url in str(caught.value) + "".join(getattr(caught.value, "__notes__", []))


def test_images_at_urls_are_read_in_the_order_of_their_names(options):
    for number in (2, 0, 1):
        put(f"s3://data/images/{number}.tif", options, lambda path, n=number: tifffile.imwrite(path, X + n))
    assert_same(ra.image.imread("s3://data/images/*.tif", storage_options=options), np.stack([X, X + 1, X + 2]))
    with pytest.raises(FileNotFoundError, match=r"there are no files s3://data/images/\*.png"):
        ra.image.imread("s3://data/images/*.png", storage_options=options)


def test_only_zarr_is_written_to_urls(x):
    for write in (lambda: ra.to_hdf5("s3://data/x.h5", "x", x), lambda: ra.to_npy_stack("s3://data/x", x)):
        with pytest.raises(ValueError, match=r"s3://data/x.* is a URL; to_zarr writes to URLs"):
            write()
