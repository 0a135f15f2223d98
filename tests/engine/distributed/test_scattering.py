"""Data that a client scatters goes straight to workers, and can be had again as long as somebody has it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

import restride as rs
from restride.engine.client.scattering import LARGE_BYTES
from restride.engine.distributed.remote import RemoteEngine
from restride.errors import LostError, SerializationError
from tests.engine.distributed.harm import PATIENCE, kill, pids, until

MANY = 4 * LARGE_BYTES
"""Items of an array that is large enough."""


@pytest.fixture(scope="module")
def fragile() -> Iterator[rs.LocalCluster]:
    """Two workers that tests may kill."""
    with rs.LocalCluster(workers=2, threads_per_worker=1, log_level="critical") as cluster:
        cluster.wait_for_workers(timeout=PATIENCE)
        yield cluster


@pytest.fixture
def client(fragile: rs.LocalCluster) -> Iterator[rs.Client]:
    with rs.Client(fragile) as client:
        client.wait_for_workers(2, PATIENCE)
        yield client


class Unloadable:
    """Large, and cannot be unpickled anywhere."""

    def __init__(self) -> None:
        self.data = bytes(2 * LARGE_BYTES)

    def __reduce__(self) -> tuple[object, ...]:
        return _refuse, (self.data,)


def _refuse(data: bytes) -> None:
    raise RuntimeError("no")


def kept(client: rs.Client) -> int:
    """How many values the client keeps lest they are lost."""
    engine = client._engine
    assert isinstance(engine, RemoteEngine)
    return len(engine._scattering._values)


def homes(client: rs.Client) -> dict[str, int]:
    """Bytes that each worker holds."""
    return client.run(lambda worker: worker.state.store.nbytes)


def test_large_and_small_values_come_back_as_they_were_and_in_their_places(client: rs.Client) -> None:
    values = [1, np.arange(MANY), "text", np.zeros((300, 400)).T, bytes(range(256)) * 1000, {"a": np.ones(MANY)}, None]
    results = client.gather(client.scatter(values))
    for value, result in zip(values, results):
        np.testing.assert_equal(result, value)


def test_what_is_changed_after_the_call_does_not_count(client: rs.Client) -> None:
    array = np.zeros(MANY)
    scattered = []
    for i in range(5):
        array[:] = i
        scattered.append(client.scatter(array))
    array[:] = -1
    assert client.gather(client.map(np.max, scattered)) == [0, 1, 2, 3, 4]


def test_several_values_are_shared_out_and_past_the_scheduler(client: rs.Client) -> None:
    scheduler = psutil.Process(client.info()["scheduler"]["pid"])
    before = scheduler.memory_info().rss
    blocks = client.scatter([np.full(8 * MANY, i) for i in range(8)])
    rs.wait(blocks, PATIENCE)
    assert all(nbytes >= 4 * blocks[0].result().nbytes for nbytes in homes(client).values())
    assert scheduler.memory_info().rss - before < blocks[0].result().nbytes
    assert client.gather(client.map(np.max, blocks)) == list(range(8))


def test_values_go_to_workers_that_may_hold_them(client: rs.Client) -> None:
    name = min(pids(client))
    block = client.scatter(np.ones(MANY), workers=name)
    rs.wait([block], PATIENCE)
    until(lambda: [worker for worker, nbytes in homes(client).items() if nbytes] == [name])


def test_every_worker_gets_a_copy_where_that_is_asked_for(client: rs.Client) -> None:
    block = client.scatter(np.ones(MANY), broadcast=True)
    until(lambda: all(nbytes >= 8 * MANY for nbytes in homes(client).values()))
    totals = [client.submit(np.sum, block, workers=name).result(PATIENCE) for name in pids(client)]
    assert totals == [MANY, MANY]


def test_the_client_keeps_a_value_until_nothing_can_need_it(client: rs.Client) -> None:
    block = client.scatter(np.ones(MANY))
    total = client.submit(np.sum, block)
    assert total.result(PATIENCE) == MANY
    del block
    assert client.submit(abs, -1).result() == 1  # so that the release has been heard of
    assert kept(client) == 1  # from which the total may have to be computed again
    del total
    until(lambda: kept(client) == 0)
    until(lambda: not any(homes(client).values()))


def test_values_that_were_lost_with_their_workers_are_sent_again(client: rs.Client) -> None:
    blocks = client.scatter([np.full(MANY, i) for i in range(4)])
    total = client.submit(lambda *blocks: [int(block.max()) for block in blocks], *blocks)
    assert total.result(PATIENCE) == [0, 1, 2, 3]
    for pid in pids(client).values():
        kill(pid)
    assert client.gather(client.map(np.max, blocks)) == [0, 1, 2, 3]
    assert total.result(PATIENCE) == [0, 1, 2, 3]


def test_values_arrive_when_their_worker_dies_as_they_are_sent(client: rs.Client) -> None:
    for pid in pids(client).values():
        blocks = client.scatter([np.full(20 * MANY, i) for i in range(6)])
        kill(pid)
        assert client.gather(client.map(np.max, blocks)) == list(range(6))


def test_a_value_whose_client_is_gone_is_an_error_once_it_is_lost(fragile: rs.LocalCluster, client: rs.Client) -> None:
    with rs.Client(fragile) as other:
        other.publish_dataset(block=other.scatter(np.ones(MANY)))
    block = client.get_dataset("block")
    client.unpublish_dataset("block")
    assert client.submit(np.sum, block).result(PATIENCE) == MANY
    for pid in pids(client).values():
        kill(pid)
    with pytest.raises(LostError, match="scatter it again"):
        client.submit(np.sum, block).result(PATIENCE)


def test_a_client_that_is_killed_halfway_leaves_nothing(fragile: rs.LocalCluster, client: rs.Client) -> None:
    program = """
        import sys
        import numpy as np
        import restride as rs
        from restride.engine.wire.security import Security

        client = rs.Client(sys.argv[1], security=Security(bytes.fromhex(sys.stdin.readline())))
        blocks = client.scatter([np.ones(5_000_000) for _ in range(6)])
        print("sending", flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(program), fragile.scheduler_address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(fragile.security.secret.hex() + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "sending\n"
        process.kill()
    until(lambda: not any(homes(client).values()))


def test_a_value_that_cannot_be_made_on_the_worker_fails_by_itself(client: rs.Client) -> None:
    good, bad = client.scatter([np.ones(MANY), Unloadable()])
    with pytest.raises(SerializationError, match="no"):
        client.submit(len, bad).result(PATIENCE)
    assert client.submit(np.sum, good).result(PATIENCE) == MANY


def test_a_value_that_cannot_be_pickled_is_refused_at_the_call(client: rs.Client) -> None:
    with pytest.raises(SerializationError, match="generator"):
        client.scatter([np.ones(MANY), (x for x in "")])


def test_a_value_larger_than_a_message_may_be_is_an_error(fragile: rs.LocalCluster) -> None:
    with (
        rs.config.set({"comm.max_message": "1 MiB"}),
        rs.Client(fragile) as client,
        pytest.raises(SerializationError, match=r"comm\.max_message"),
    ):
        client.scatter(np.ones(1 << 20)).result(PATIENCE)


def test_scattering_waits_for_a_worker_that_may_hold_it(fragile: rs.LocalCluster, client: rs.Client) -> None:
    block = client.scatter(np.ones(MANY), workers="not there yet")
    assert client.submit(abs, -1).result() == 1
    assert not block.done()
    block.cancel()
    until(lambda: kept(client) == 0)


def test_a_task_scatters_too(client: rs.Client) -> None:
    def total() -> float:
        here = rs.default_client()
        return float(here.submit(np.sum, here.scatter(np.ones(MANY))).result())

    assert client.submit(total).result(PATIENCE) == MANY
