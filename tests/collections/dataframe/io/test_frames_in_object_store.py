"""Frames in an object store, over the network: a server of S3's interface on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import restride as rs
import restride.dataframe as rd
from tests.object_store import object_store

pytest.importorskip("s3fs")
pytest.importorskip("moto.server")

FRAME = pd.DataFrame({"x": range(10), "y": list("abcdefghij"), "k": [1, 2] * 5})


@pytest.fixture(scope="module")
def options() -> Iterator[dict[str, object]]:
    """How to reach the server, which has a bucket called frames."""
    with object_store("frames") as options:
        yield options


@pytest.fixture
def url(request):
    return f"s3://frames/{request.node.name}"


@pytest.fixture
def df():
    return rd.from_pandas(FRAME, npartitions=3)


def fail(part):
    raise ZeroDivisionError


def test_a_frame_comes_back_as_it_was_written(df, url, options):
    df.to_parquet(url, storage_options=options)
    back = rd.read_parquet(url, storage_options=options, blocksize=1)
    assert (back.npartitions, len(back)) == (3, 10)
    assert_frame_equal(back.compute(), FRAME)
    assert_frame_equal(pd.read_parquet(url, storage_options=options), FRAME)
    assert back[back.x > 8].y.compute().tolist() == ["j"]
    one = rd.read_parquet(f"{url}/part-00001*", storage_options=options)
    assert_frame_equal(one.compute(), FRAME[3:7])


def test_hive_partitions(df, url, options):
    df.to_parquet(url, storage_options=options, partition_on="k")
    back = rd.read_parquet(url, storage_options=options).compute()
    assert_frame_equal(back, pd.read_parquet(url, storage_options=options))


def test_frames_are_replaced_and_appended(df, url, options):
    df.to_parquet(url, storage_options=options)
    with pytest.raises(FileExistsError, match="holds a data set already"):
        df.to_parquet(url, storage_options=options)
    df[["x"]].to_parquet(url, storage_options=options, overwrite=True)
    df[["x"]].to_parquet(url, storage_options=options, append=True)
    back = rd.read_parquet(url, storage_options=options).compute()
    assert_frame_equal(back, pd.concat([FRAME[["x"]]] * 2, ignore_index=True))


def test_a_writing_that_fails_leaves_what_there_was(df, url, options):
    df.to_parquet(url, storage_options=options)
    with pytest.raises(ZeroDivisionError):
        df.map_partitions(fail, meta=df._meta).to_parquet(url, storage_options=options, overwrite=True)
    assert_frame_equal(rd.read_parquet(url, storage_options=options).compute(), FRAME)


def test_a_writing_that_was_killed_says_that_it_is_incomplete(df, url, options):
    writing = df.to_parquet(url, storage_options=options, compute=False)
    writing.writes[0].begun(here=True)
    with pytest.raises(ValueError, match="is incomplete"):
        rd.read_parquet(url, storage_options=options)
    df.to_parquet(url, storage_options=options, overwrite=True)
    assert_frame_equal(rd.read_parquet(url, storage_options=options).compute(), FRAME)


def test_text_is_written_and_read_in_parts(df, url, options):
    df.to_csv(f"{url}/one.csv.gz", single_file=True, index=False, storage_options=options)
    assert_frame_equal(rd.read_csv(f"{url}/one.csv.gz", storage_options=options).compute(), FRAME)
    df.to_csv(f"{url}/many", index=False, storage_options=options)
    back = rd.read_csv(f"{url}/many", storage_options=options, blocksize=20)
    assert back.npartitions > 3
    assert_frame_equal(back.compute(), FRAME)
    df.to_json(f"{url}/x.json", single_file=True, storage_options=options)
    assert_frame_equal(rd.read_json(f"{url}/x.json", storage_options=options, blocksize=100).compute(), FRAME)


def test_a_single_file_that_fails_leaves_what_there_was(df, url, options):
    df.to_csv(f"{url}/x.csv", single_file=True, index=False, storage_options=options)
    failing = df.map_partitions(fail, meta=df._meta)
    with pytest.raises(ZeroDivisionError):
        failing.to_csv(f"{url}/x.csv", single_file=True, index=False, storage_options=options)
    assert_frame_equal(rd.read_csv(f"{url}/x.csv", storage_options=options).compute(), FRAME)
    assert_frame_equal(rd.read_csv(f"{url}/*", storage_options=options).compute(), FRAME)


def test_feather_files(df, url, options):
    df.to_feather(url, storage_options=options)
    assert_frame_equal(rd.read_feather(url, storage_options=options).compute(), FRAME)


def test_missing_files_are_named(url, options):
    with pytest.raises(FileNotFoundError, match=url):
        rd.read_parquet(url, storage_options=options)


@pytest.mark.slow
def test_other_processes_read_and_write(df, url, options):
    with rs.Client("processes", workers=2):
        df.to_parquet(url, storage_options=options)
        assert_frame_equal(rd.read_parquet(url, storage_options=options, blocksize=1).compute(), FRAME)
