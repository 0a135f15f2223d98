from __future__ import annotations

import sys

import numpy as np
import pytest

import restride as rs
import restride.array as ra
from tests.collections.array.strategies import assert_same

tifffile = pytest.importorskip("tifffile")

STACK = np.arange(2 * 3 * 40 * 50, dtype="u2").reshape(2, 3, 40, 50)


def write(path, stack, **options):
    tifffile.imwrite(path, stack, photometric="minisblack", **options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.tif"


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"imagej": True}, {"byteorder": ">"}, {"compression": "zlib", "tile": (16, 16)}],
)
def test_the_pages_of_a_tiff_file_are_an_array(path, options):
    write(path, STACK, **options)
    x = ra.image.from_tiff(path, chunks=(1, 2, 25, -1))
    assert_same(x, STACK.astype(x.dtype))
    np.testing.assert_array_equal(x[1, 1, 3:30:2, ::-1].compute(), STACK[1, 1, 3:30:2, ::-1])


def test_pages_of_colours_stay_together(path):
    pages = np.arange(5 * 8 * 6 * 3, dtype="u1").reshape(5, 8, 6, 3)
    tifffile.imwrite(path, pages, photometric="rgb", compression="zlib")
    x = ra.image.from_tiff(path, chunks=None)
    assert x.chunks == ((1,) * 5, (8,), (6,), (3,))
    assert_same(x, pages)


def test_tiff_files_can_be_read_by_other_processes(path):
    write(path, STACK, compression="zlib")
    with rs.Client("processes", workers=1):
        assert_same(ra.image.from_tiff(path), STACK)


def test_files_that_are_not_there_or_no_tiff_are_errors_that_name_them(path):
    with pytest.raises(FileNotFoundError, match=r"x\.tif"):
        ra.image.from_tiff(path)
    path.write_bytes(b"II*")
    with pytest.raises(ValueError, match=r"x\.tif cannot be read as a TIFF file"):
        ra.image.from_tiff(path)
    write(path, STACK)
    with pytest.raises(IndexError, match="there is no series 1"):
        ra.image.from_tiff(path, series=1)


def test_a_tiff_file_cut_short_is_an_error_that_names_it(path):
    write(path, STACK)
    x = ra.image.from_tiff(path)
    path.write_bytes(path.read_bytes()[: STACK.nbytes // 2])
    with pytest.raises(ValueError, match=r"x\.tif is cut short"):
        x.compute()


def test_images_are_read_one_a_block_in_the_order_of_their_names(tmp_path):
    for number in (2, 0, 1):
        tifffile.imwrite(tmp_path / f"{number}.tif", STACK[0, number])
    x = ra.image.imread(tmp_path / "*.tif")
    assert x.chunks == ((1, 1, 1), (40,), (50,))
    assert_same(x, STACK[0])
    assert_same(ra.image.imread(f"{tmp_path}/*.tif", preprocess=lambda image: image[::2] * 1.0), STACK[0, :, ::2] * 1.0)


def test_an_image_unlike_the_first_is_an_error_that_names_it(tmp_path):
    for number in range(3):
        tifffile.imwrite(tmp_path / f"{number}.tif", STACK[0, number, : 40 - number])
    with pytest.raises(ValueError, match=r"1\.tif is of shape \(39, 50\)"):
        ra.image.imread(tmp_path / "*.tif")[1].compute()


def test_a_first_image_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "0.tif").write_bytes(b"")
    with pytest.raises(Exception, match="not a TIFF file") as caught:
        ra.image.imread(tmp_path / "*.tif")
    assert str(tmp_path / "0.tif") in caught.value.__notes__[0]


def test_a_pattern_without_files_is_an_error_that_tells_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no files .*\*\.tif"):
        ra.image.imread(tmp_path / "*.tif")


def test_without_a_package_for_the_format_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    write(tmp_path / "x.tif", STACK)
    (tmp_path / "x.png").touch()
    for name in ("tifffile", "imageio", "imageio.v3"):
        monkeypatch.setitem(sys.modules, name, None)
    for make in (ra.image.from_tiff, ra.image.imread):
        with pytest.raises(ImportError, match="pip install tifffile"):
            make(tmp_path / "x.tif")
    with pytest.raises(ImportError, match="pip install imageio; or pass imread="):
        ra.image.imread(tmp_path / "x.png")
