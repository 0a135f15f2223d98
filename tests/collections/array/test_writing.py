"""Writing where things go wrong: tasks that run twice or too late, computations that fail, processes that die."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import FsspecStore, MemoryStore

import restride as rs
import restride.array as ra
from restride.collections.array.chunks import block_bounds
from restride.collections.array.operations.storage import WriteBlock
from restride.collections.lowering import lower
from restride.collections.staging import Staging
from tests.collections.array.strategies import assert_same

X = np.arange(60.0).reshape(6, 10)

KINDS = {
    "zarr": (lambda x, path, **options: ra.to_zarr(x, path, **options), ra.from_zarr),
    "zarr 2": (lambda x, path, **options: ra.to_zarr(x, path, zarr_format=2, **options), ra.from_zarr),
    "shards": (lambda x, path, **options: ra.to_zarr(x, path, chunks=(1, 5), shards=(2, 5), **options), ra.from_zarr),
    "npy stack": (lambda x, path, **options: ra.to_npy_stack(path, x, **options), ra.from_npy_stack),
}


@pytest.fixture
def x():
    return ra.from_array(X, chunks=(2, 5))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def path(folder):
    return folder / "x"


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def write(kind):
    return kind[0]


@pytest.fixture
def read(kind):
    return kind[1]


@pytest.fixture
def inline():
    with rs.Client("inline"):
        yield


def failing_at(number, error=ZeroDivisionError):
    """The array with a block that raises instead of being made, after the blocks before it."""

    def function(block):
        if (block == number).any():
            raise error("no such block")
        return block + 1000

    return ra.from_array(X, chunks=(2, 5)).map_blocks(function)


class Begun:
    """A writing between its beginning and its end, whose blocks are written by hand, as a worker would."""

    def __init__(self, writing):
        self.context = writing._computing(here=False)
        expr, value_of = self.context.__enter__()
        self.finish = lambda: value_of([])
        self.staging = expr.sink.staging
        self.write = pickle.loads(pickle.dumps(WriteBlock(expr.sink)))
        self.params = [[number, *bounds] for number, bounds in enumerate(block_bounds(expr.array.chunks).tolist())]

    def write_all(self, x=X):
        for param in self.params:
            self.write(param, x[tuple(map(slice, param[1::2], param[2::2]))])

    def fail(self):
        assert not self.context.__exit__(ZeroDivisionError, ZeroDivisionError(), None)

    def files(self):
        return {path: path.read_bytes() for path in self.staging.work.rglob("*") if path.is_file()}


@pytest.fixture
def begin(write, path):
    def begin(x, **options):
        return Begun(write(x, path, compute=False, **options))

    return begin


# ---- what is done once, and what may be done again -------------------------------------------------------------------


def test_tasks_do_nothing_but_write_blocks(x, path, write):
    graph, ids = lower([write(x, path, compute=False).expr])
    assert {graph.layers[-1].name.rpartition("-")[2]} == {"write"}
    assert len(ids[0]) == graph.layers[-1].count


def test_a_target_is_prepared_and_opened_once_whatever_the_number_of_blocks(x, path, monkeypatch):
    calls = []
    for name in ("create_array", "open_array", "open", "open_group"):
        function = getattr(zarr, name)
        monkeypatch.setattr(zarr, name, lambda *args, f=function, **kw: (calls.append(f.__name__), f(*args, **kw))[1])
    x.to_zarr(path)
    assert calls == ["create_array"]


def test_a_block_that_is_written_again_is_the_same_to_the_byte(x, path, begin, read):
    begun = begin(x)
    begun.write_all()
    before = begun.files()
    begun.write_all()
    assert begun.files() == before
    begun.finish()
    assert_same(read(path), X)


def test_a_block_that_two_write_at_once_is_the_same_to_the_byte(x, begin):
    begun = begin(x)
    begun.write_all()
    before = begun.files()
    together = threading.Barrier(2)

    def write_all():
        for _ in range(5):
            together.wait(30)
            begun.write_all()

    threads = [threading.Thread(target=write_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert begun.files() == before


def test_a_write_that_is_cut_short_leaves_the_block_as_it_was(x, begin, monkeypatch):
    def full(self, target):
        assert self.read_bytes()
        raise OSError("no space left")

    begun = begin(x)
    begun.write_all()
    before = begun.files()
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left") as info:
        begun.write_all(X + 1)
    assert "while writing [0:2" in info.value.__notes__[-1]
    assert begun.files() == before


def test_files_that_writers_which_died_have_left_do_not_come_along(x, path, begin, read):
    begun = begin(x)
    begun.write_all()
    written = {file.relative_to(begun.staging.work) for file in begun.files()}
    file = max(begun.files())
    file.with_suffix(".0123456789abcdef.partial").write_bytes(file.read_bytes()[:10])
    begun.finish()
    there = {file.relative_to(path) for file in path.rglob("*") if file.is_file()}
    assert there - {Path("info.json")} == written
    assert_same(read(path), X)


def test_a_write_after_the_end_changes_nothing_and_leaves_nothing(x, path, folder, begin, read):
    begun = begin(x)
    begun.write_all()
    begun.finish()
    with pytest.raises(FileNotFoundError, match="incomplete"):
        begun.write_all(X + 1)
    assert_same(read(path), X)
    assert os.listdir(folder) == ["x"]


@pytest.mark.parametrize("value", [0, 1])
def test_a_write_after_a_failure_leaves_nothing(x, path, folder, write, value):
    begun = Begun(write(x, path / "y", compute=False))
    begun.fail()
    with pytest.raises(FileNotFoundError, match="incomplete"):
        begun.write_all(np.full_like(X, value))
    assert os.listdir(folder) == []


def test_two_computations_of_one_writing_do_not_meet(x, path, folder, begin, write, read):
    writing = write(x, path, compute=False, overwrite=True)
    one, other = Begun(writing), Begun(writing)
    one.write_all(X + 1)
    other.write_all(X + 2)
    one.finish()
    assert_same(read(path), X + 1)
    other.finish()
    assert_same(read(path), X + 2)
    assert os.listdir(folder) == ["x"]


# ---- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, MemoryError, KeyboardInterrupt])
def test_a_failure_in_the_middle_leaves_what_was_there(x, path, folder, write, read, inline, error):
    write(x, path)
    with pytest.raises(error):
        write(failing_at(25, error), path, overwrite=True)
    with pytest.raises(error):
        write(failing_at(25, error), path, overwrite=True, compute=False).compute()
    assert_same(read(path), X)
    assert os.listdir(folder) == ["x"]


def test_a_failure_in_the_middle_leaves_nothing_where_nothing_was(path, folder, write, inline):
    with pytest.raises(ZeroDivisionError):
        write(failing_at(25), path / "y" / "z")
    assert os.listdir(folder) == []


def test_a_failure_leaves_no_groups_either(path, folder, inline):
    with pytest.raises(ZeroDivisionError):
        failing_at(25).to_zarr(path, "a/b")
    assert os.listdir(folder) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_failure_of_one_leaves_nothing_of_those_computed_with_it(x, folder, write, read, inline, error):
    write(x, folder / "y")
    writings = [
        write(x, folder / "new" / "x", compute=False),
        write(failing_at(25, error), folder / "y", compute=False, overwrite=True),
        write(x + 1, folder / "z", compute=False),
    ]
    with pytest.raises(error):
        rs.compute(*writings)
    assert os.listdir(folder) == ["y"]
    assert_same(read(folder / "y"), X)


def test_a_target_that_cannot_be_prepared_is_met_before_anything_runs(x, folder, write):
    ran = []
    writings = [write(x.map_blocks(ran.append, dtype=float), folder / name, compute=False) for name in "xy"]
    (folder / "y").touch()
    with pytest.raises(FileExistsError) as info:
        rs.compute(*writings)
    assert info.value.__notes__ == [f"while preparing to write {folder / 'y'}"]
    assert ran == []
    assert os.listdir(folder) == ["y"]


def test_what_was_finished_before_another_could_not_be_is_there(x, folder, write, read):
    def take(block):
        (folder / "y").mkdir(exist_ok=True)
        (folder / "y" / "file").touch()
        return block

    writings = [write(x, folder / "x", compute=False), write(x.map_blocks(take), folder / "y", compute=False)]
    with pytest.raises(FileExistsError, match="no array that could be replaced"):
        rs.compute(*writings)
    assert_same(read(folder / "x"), X)
    assert sorted(os.listdir(folder)) == ["x", "y"]
    assert os.listdir(folder / "y") == ["file"]


def test_a_task_that_still_writes_when_another_has_failed_leaves_nothing(path, folder, write):
    begun, failed = threading.Event(), threading.Event()

    def function(block):
        if block.flat[0] == 0:
            begun.set()
            assert failed.wait(30)
        elif block.flat[0] == 20:
            assert begun.wait(30)
            raise ZeroDivisionError
        return block

    with rs.Client(threads=2):
        with pytest.raises(ZeroDivisionError):
            write(ra.from_array(X, chunks=(2, 10)).map_blocks(function), path)
        failed.set()
    assert os.listdir(folder) == []


def test_a_writing_that_has_failed_can_be_computed_again(path, folder, write, read, inline):
    failures = [ZeroDivisionError()]

    def function(block):
        if failures and (block == 25).any():
            raise failures.pop()
        return block

    writing = write(ra.from_array(X, chunks=(2, 5)).map_blocks(function), path, compute=False)
    with pytest.raises(ZeroDivisionError):
        writing.compute()
    writing.compute()
    assert_same(read(path), X)
    assert os.listdir(folder) == ["x"]


def test_a_writing_that_was_computed_is_not_computed_again_for_nothing(x, path, folder, write):
    ran = []
    writing = write(x.map_blocks(lambda block: (ran.append(1), block)[1]), path, compute=False)
    writing.compute()
    n = len(ran)
    with pytest.raises(FileExistsError, match="holds an array already"):
        writing.compute()
    assert len(ran) == n
    assert os.listdir(folder) == ["x"]


def test_an_interrupt_between_the_old_and_the_new_brings_the_old_back(x, path, folder, begin, write, read, monkeypatch):
    write(x, path)
    begun = begin(x + 1, overwrite=True)
    begun.write_all(X + 1)
    rename = Path.rename

    def interrupted(self, target):
        if self == begun.staging.work and target == path:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        begun.finish()
    begun.fail()
    assert_same(read(path), X)
    assert os.listdir(folder) == ["x"]


def test_a_process_that_dies_in_the_middle_leaves_what_was_there(x, path):
    x.to_zarr(path)
    code = f"""if True:
        import os, restride as rs, restride.array as ra
        x = ra.from_zarr({str(path)!r})
        y = x.map_blocks(lambda block: os._exit(7) if block.flat[0] == 25 else block + 1000)
        with rs.Client("inline"):
            y.to_zarr({str(path)!r}, overwrite=True)
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
    assert_same(ra.from_zarr(path), X)
    (left,) = (name for name in os.listdir(path.parent) if name != path.name)
    assert left.startswith(".x.incomplete-")


@pytest.mark.slow
def test_an_array_is_whole_though_workers_died_over_it(tmp_path, path, folder, write, read):
    def deadly(block):
        mark = tmp_path / f"{block.flat[0]}"
        if block.flat[0] % 20 == 0 and not mark.exists():
            mark.touch()
            os._exit(9)
        return block + 1000

    with rs.Client("processes", workers=2):
        write(ra.from_array(X, chunks=(2, 5)), path)
        write(ra.from_array(X, chunks=(2, 5)).map_blocks(deadly), path, overwrite=True)
        assert_same(read(path), X + 1000)
    assert os.listdir(folder) == ["x"]


# ---- stores where nothing can be renamed -----------------------------------------------------------------------------


def test_a_failure_in_the_middle_of_a_store_that_is_no_directory_is_noticed_by_readers(x):
    store = MemoryStore()
    x.to_zarr(store, "x")
    with pytest.raises(ZeroDivisionError):
        failing_at(25).to_zarr(store, "x", overwrite=True)
    for place in ((store, "x"), (zarr.open_array(store, path="x"),)):
        with pytest.raises(ValueError, match=r"memory://.*/x is incomplete"):
            ra.from_zarr(*place)
    x.to_zarr(store, "x", overwrite=True)
    assert_same(ra.from_zarr(store, "x"), X)


@pytest.mark.parametrize(
    "make",
    [dict, MemoryStore, lambda: "memory://restride/1", lambda: FsspecStore.from_url("memory://restride/2")],
)
def test_a_store_in_memory_is_not_written_by_other_processes_whose_blocks_would_be_lost(x, make):
    store = make()
    x.to_zarr(store, "x", overwrite=True)
    with pytest.raises(ValueError, match="is in the memory of this process"):
        Begun((x + 1).to_zarr(store, "x", overwrite=True, compute=False))
    assert_same(ra.from_zarr(store, "x"), X)


def test_a_process_that_does_not_see_the_file_system_of_the_client_does_not_write_elsewhere(x, path, folder, begin):
    begun = begin(x)
    Staging.discard(begun.staging)
    with pytest.raises(FileNotFoundError):
        begun.write_all(np.zeros_like(X))  # of which zarr stores nothing, so that nothing would be missed
    assert os.listdir(folder) == []


def test_an_array_has_no_components(x, path, folder):
    x.to_zarr(path, "a")
    with pytest.raises(ValueError, match=r"x/a is a Zarr array, so it cannot hold 'a/b/c'"):
        (x + 1).to_zarr(path, "a/b/c")
    assert_same(ra.from_zarr(path, "a"), X)


def test_a_component_lies_in_its_store_however_its_name_begins(x, path, folder):
    x.to_zarr(path, "/a/b")
    assert_same(ra.from_zarr(path, "a/b"), X)
    assert os.listdir(folder) == ["x"]


# ---- in the background -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("persist", [lambda _, writing: writing.persist(), rs.persist])
def test_a_writing_leaves_nothing_that_could_persist(x, path, folder, write, persist):
    ran = []
    x = x.map_blocks(ran.append, dtype=float)
    with pytest.raises(TypeError, match=r"<Writing to .*/x> leaves nothing in memory.*call compute\(\) instead"):
        persist(x, write(x, path, compute=False))
    assert ran == []
    assert os.listdir(folder) == []


def test_a_writing_can_be_computed_in_the_background(x, path, write, read):
    with rs.Client(threads=2) as client:
        assert client.submit(write(x, path, compute=False).compute).result() is None
    assert_same(read(path), X)
