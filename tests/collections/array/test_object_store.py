"""Arrays in an object store, over the network: a server of S3's interface on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import restride as rs
import restride.array as ra
from tests.collections.array.strategies import assert_same

pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

X = np.arange(60.0).reshape(6, 10)


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, object]]:
    """How to reach the server, which has a bucket called data."""
    import s3fs

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = {"endpoint_url": f"http://{host}:{port}"}
    options = {"key": "key", "secret": "secret", "client_kwargs": endpoint}
    s3fs.S3FileSystem(**options).mkdir("data")  # starts fsspec's thread, which lives as long as the process
    yield options
    server.stop()


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
