"""Workers over real sockets, told what to do by a scheduler that only writes down what it hears."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from restride.config import Settings
from restride.engine.distributed import worker_server
from restride.engine.distributed.worker_server import WorkerServer, current_worker
from restride.engine.graphs.params import ParamPages
from restride.engine.messages import (
    Drop,
    Fetch,
    Finished,
    GivenBack,
    Heartbeat,
    Moved,
    Outputs,
    PackedFailure,
    PackedKernels,
    Place,
    Reply,
    Request,
    Stop,
    Stopped,
    TakeBack,
    Undeliverable,
    Withdraw,
    Workers,
)
from restride.engine.serialize import RemoteTraceback, dump_function, load_exception, load_value, load_values
from restride.engine.wire.connection import Connection
from restride.engine.wire.listen import Listener, dial_first
from restride.engine.wire.security import Security
from restride.engine.wire.session import Session, SessionTable
from restride.engine.worker.claims import NO_TASK
from restride.errors import AuthenticationError, ConnectError, RefusedError, SerializationError

PATIENCE = 20.0
SECURITY = Security.temporary()
SETTINGS = replace(Settings.current(), validate=True, heartbeat=0.2, comm_reconnect_timeout=PATIENCE)


class Gate:
    """Where tasks wait until they are let through; known by name, as it cannot be pickled."""

    named: ClassVar[dict[str, Gate]] = {}

    def __init__(self, name: str) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()
        Gate.named[name] = self


def go_through(*_: Any, name: str) -> str:
    gate = Gate.named[name]
    gate.begun.set()
    assert gate.open.wait(PATIENCE)
    return name


@pytest.fixture
def gate() -> Any:
    gate = Gate("gate")
    yield gate
    gate.open.set()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await test()

    asyncio.run(timed())


class Board:
    """A scheduler that does what the test says."""

    def __init__(self) -> None:
        self.workers: list[Session] = []
        self.hellos: list[dict[str, Any]] = []
        self._heard: list[tuple[int, Any]] = []
        self._news = asyncio.Event()
        self._kernels = 0
        self._sessions = SessionTable(self._open, SETTINGS)
        self.refuses: str | None = None

    @asynccontextmanager
    async def listening(self, address: str = "tcp://127.0.0.1:0") -> AsyncIterator[Board]:
        listener = Listener(address, SECURITY, self._sessions.on_hello, SETTINGS)
        await listener.start()
        self.address = listener.address
        try:
            yield self
        finally:
            await listener.stop()
            await self._sessions.close()

    async def say_goodbye(self) -> None:
        await self._sessions.close()

    def _open(self, session: Session, hello: dict[str, Any]) -> dict[str, Any]:
        if self.refuses is not None:
            raise RefusedError(self.refuses)
        number = len(self.workers)
        session.on_message = lambda _, message: self._hear(number, message)
        self.workers.append(session)
        self.hellos.append(hello)
        return {"number": number, "heartbeat": SETTINGS.heartbeat}

    def _hear(self, number: int, message: Any) -> None:
        self._heard.append((number, message))
        self._news.set()

    async def hear(self, kind: type, number: int | None = None, that: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message of a kind; what else has come stays."""
        while True:
            for at, (source, message) in enumerate(self._heard):
                if isinstance(message, kind) and number in (None, source) and that(message):
                    del self._heard[at]
                    return message
            self._news.clear()
            async with asyncio.timeout(PATIENCE):
                await self._news.wait()

    async def finished(self, *ids: int) -> None:
        """Wait until all of these are reported."""
        left = set(ids)
        while left:
            news = await self.hear(Finished, that=lambda news: not set(ids).isdisjoint(news.ids.tolist()))
            left -= set(news.ids.tolist())

    async def failure(self, id: int) -> BaseException:
        return load_exception((await self.hear(PackedFailure, that=lambda news: news.id == id)).exception)

    def introduce(self) -> None:
        message = Workers(np.arange(len(self.workers)), [hello["addresses"] for hello in self.hellos])
        for worker in self.workers:
            worker.send(message)

    def kernel(self, function: Callable[..., Any], **constants: Any) -> int:
        """Tell all workers of a layer; its number."""
        self._kernels += 1
        message = PackedKernels(
            numbers=np.array([self._kernels]),
            kernel=np.array([0], np.int32),
            has_param=np.array([False]),
            resources=[{}],
            digests=[f"{self._kernels}"],
            kernels=[dump_function((function, constants))],
        )
        for worker in self.workers:
            worker.send(message)
        return self._kernels

    def place(
        self, number: int, layer: int, *ids: int, needs: Sequence[int] = (), home: int = 0, wanted: bool = False
    ) -> None:
        """Tasks for a worker, each of which needs the same inputs."""
        n, none = len(ids), np.full(len(ids), -1, np.int32)
        self.workers[number].send(
            Place(
                ids=np.array(ids),
                attempts=np.ones(n, np.int32),
                layers=np.full(n, layer, np.int32),
                params=ParamPages(none, none, np.zeros(0, np.int64), b""),
                indptr=np.arange(n + 1) * len(needs),
                deps=np.array([*needs] * n, np.int64),
                homes=np.full(n * len(needs), home, np.int32),
                wanted=np.full(n, wanted),
            )
        )


@asynccontextmanager
async def working(n: int = 1, **options: Any) -> AsyncIterator[tuple[Board, list[WorkerServer]]]:
    """A scheduler and workers that know each other."""
    options = {"threads": 1, "settings": SETTINGS, **options}
    async with Board().listening() as board:
        servers = [WorkerServer(board.address, name=f"w{number}", security=SECURITY, **options) for number in range(n)]
        try:
            for server in servers:
                await server.start()
            board.introduce()
            yield board, servers
        finally:
            for server in servers:
                await server.stop()


@asynccontextmanager
async def asking(server: WorkerServer) -> AsyncIterator[tuple[Connection, asyncio.Queue[Any]]]:
    """A client's connection to a worker, and what comes over it."""
    connection = await dial_first(server.addresses, SECURITY, {"role": "peer", "host": "", "name": "test"}, SETTINGS)
    came: asyncio.Queue[Any] = asyncio.Queue()
    connection.start(lambda _, message: came.put_nowait(message), lambda _, reason: came.put_nowait(reason))
    try:
        yield connection, came
    finally:
        connection.close()
        await connection.wait_closed()


def fetch(*ids: int) -> Fetch:
    return Fetch(np.array(ids))


class Unpicklable:
    def __getstate__(self) -> object:
        raise ZeroDivisionError("in __getstate__")


class Unloadable:
    def __reduce__(self) -> Any:
        return _explode, ()


def _explode() -> None:
    raise ZeroDivisionError("as it is unpickled")


def numbers() -> np.ndarray:
    return np.arange(100_000.0)


def add(*inputs: Any) -> float:
    return float(sum(np.sum(each) for each in inputs))


# ---- tasks and reports


def test_a_worker_says_who_it_is_when_it_registers() -> None:
    async def test() -> None:
        async with working(threads=2, resources={"GPU": 1}, memory_limit=2**40, nanny="n") as (board, (server,)):
            hello = board.hellos[0]
            expected = {
                "role": "worker", "name": "w0", "threads": 2, "memory_limit": 2**40, "pid": os.getpid(), "nanny": "n",
                "resources": {"GPU": 1}, "addresses": server.addresses,
            }  # fmt: skip
            assert {key: hello[key] for key in expected} == expected
            assert [address.partition(":")[0] for address in server.addresses] == ["unix", "tcp"]
            assert hello["versions"]["numpy"] == np.__version__
            assert server.number == 0

    run(test)


def test_placed_tasks_run_and_are_reported_with_the_small_results_that_are_wanted() -> None:
    async def test() -> None:
        async with working() as (board, _):
            seven, large = board.kernel(lambda: 7), board.kernel(numbers)
            board.place(0, seven, 1)
            await board.finished(1)
            board.place(0, seven, 2, wanted=True)
            news = await board.hear(Finished, that=lambda news: 2 in news.ids)
            assert news.result_ids.tolist() == [2]
            assert [load_value(result) for result in news.results] == [7]
            board.place(0, large, 3, wanted=True)
            news = await board.hear(Finished)
            assert (news.ids.tolist(), news.nbytes.tolist(), len(news.results)) == ([3], [800_000], 0)

    run(test)


def test_many_short_tasks_are_reported_in_few_messages() -> None:
    async def test() -> None:
        async with working() as (board, _):
            board.place(0, board.kernel(lambda: 7), *range(10_000))
            messages = []
            while sum(len(message.ids) for message in messages) < 10_000:
                messages.append(await board.hear(Finished))
            assert len(messages) < 100

    run(test)


def test_what_has_finished_is_reported_though_a_long_task_has_begun(gate: Gate) -> None:
    async def test() -> None:
        async with working() as (board, _):
            quick, slow = board.kernel(lambda: 7), board.kernel(go_through, name="gate")
            board.place(0, quick, *range(10))
            board.place(0, slow, 10, needs=[5], home=0)
            await board.finished(*range(10))
            gate.open.set()
            await board.finished(10)

    run(test)


def test_a_task_that_raises_is_reported_with_its_traceback() -> None:
    async def test() -> None:
        async with working() as (board, _):
            board.place(0, board.kernel(lambda: {}["key"]), 4)
            error = await board.failure(4)
            assert repr(error) == "KeyError('key')"
            assert isinstance(error.__cause__, RemoteTraceback)
            assert "<lambda>" in str(error.__cause__)

    run(test)


def test_a_wanted_result_that_cannot_be_pickled_is_a_failure_that_explains_itself() -> None:
    async def test() -> None:
        async with working() as (board, _):
            board.place(0, board.kernel(Unpicklable), 1, wanted=True)
            error = await board.failure(1)
            assert isinstance(error, SerializationError)
            assert "Unpicklable cannot be pickled" in str(error)
            assert "in __getstate__" in str(error)
            board.place(0, board.kernel(lambda: 7), 2, wanted=True)
            await board.finished(2)

    run(test)


def test_tasks_are_given_back_and_dropped(gate: Gate) -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            board.place(0, board.kernel(go_through, name="gate"), 1)
            board.place(0, board.kernel(lambda: 7), 2, 3, 4)
            await asyncio.to_thread(gate.begun.wait, PATIENCE)
            board.workers[0].send(TakeBack(np.array([1, 2])))
            given = await board.hear(GivenBack)
            assert (given.ids.tolist(), given.attempts.tolist()) == ([2], [1])
            board.workers[0].send(Drop(np.array([3])))
            gate.open.set()
            await board.finished(1, 4)
            assert sorted(server.state.store) == [1, 4]

    run(test)


def test_stopped_is_said_once_a_cancelled_task_has_ended(gate: Gate) -> None:
    async def test() -> None:
        async with working() as (board, _):
            board.place(0, board.kernel(go_through, name="gate"), 1)
            await asyncio.to_thread(gate.begun.wait, PATIENCE)
            board.workers[0].send(Drop(np.array([1])))
            board.workers[0].send(Stop(0, np.array([1])))
            board.workers[0].send(Stop(1, np.array([2])))
            assert await board.hear(Stopped) == Stopped(1)
            gate.open.set()
            assert await board.hear(Stopped) == Stopped(0)

    run(test)


def test_heartbeats_say_how_it_is(gate: Gate) -> None:
    async def test() -> None:
        async with working() as (board, _):
            board.place(0, board.kernel(numbers), 1)
            board.place(0, board.kernel(go_through, name="gate"), 2, 3)
            beat = await board.hear(Heartbeat, that=lambda beat: beat.running == 1 and beat.ready == 1)
            assert beat.nbytes == 800_000
            assert beat.memory > 2**20

    run(test)


# ---- outputs between workers


def test_inputs_come_from_the_worker_that_has_them() -> None:
    async def test() -> None:
        async with working(2) as (board, servers):
            board.place(0, board.kernel(numbers), 1)
            board.place(1, board.kernel(add), 2, needs=[1], home=0, wanted=True)
            await board.finished(1, 2)
            assert servers[1].state.store[2] == np.arange(100_000).sum()
            assert servers[1].state.store[1].flags.writeable

    run(test)


def test_workers_wait_for_each_other_in_a_chain_placed_ahead() -> None:
    async def test() -> None:
        async with working(2) as (board, servers):
            one, add_one = board.kernel(lambda: 1), board.kernel(lambda x: x + 1)
            board.place(0, one, 0)
            for id in range(200, 0, -1):  # the later ones first
                board.place(id % 2, add_one, id, needs=[id - 1], home=(id - 1) % 2, wanted=id == 200)
            await board.finished(200)
            assert servers[0].state.store[200] == 201

    run(test)


def test_many_outputs_go_in_one_message() -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            board.place(0, board.kernel(lambda: 7), *range(1000))
            await board.finished(*range(1000))
            async with asking(server) as (connection, came):
                connection.send(fetch(*range(1000)))
                message = await came.get()
                assert message.ids.tolist() == list(range(1000))
                assert load_values(message.head, message.buffers) == [7] * 1000

    run(test)


def test_clients_get_outputs_that_are_here_and_others_when_they_come(gate: Gate) -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            board.place(0, board.kernel(lambda: 7), 1)
            await board.finished(1)
            async with asking(server) as (connection, came):
                connection.send(fetch(1, 2, 3))
                assert (await came.get()).ids.tolist() == [1]
                connection.send(Withdraw(np.array([3])))
                board.place(0, board.kernel(go_through, name="gate"), 2, 3)
                gate.open.set()
                message = await came.get()
                assert (message.ids.tolist(), load_values(message.head, message.buffers)) == ([2], ["gate"])
                await board.finished(2, 3)
                assert came.empty()

    run(test)


def test_what_cannot_be_pickled_is_said_to_be_so_and_everything_else_is_sent() -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            board.place(0, board.kernel(lambda: 7), 1, 3)
            board.place(0, board.kernel(Unpicklable), 2)
            await board.finished(1, 2, 3)
            async with asking(server) as (connection, came):
                connection.send(fetch(1, 2, 3))
                messages = [await came.get() for _ in range(3)]
                assert sorted(message.ids[0] for message in messages if isinstance(message, Outputs)) == [1, 3]
                (refusal,) = (message for message in messages if isinstance(message, Undeliverable))
                assert refusal.id == 2
                assert isinstance(load_exception(refusal.exception), SerializationError)

    run(test)


def test_tasks_fail_whose_input_cannot_be_pickled() -> None:
    async def test() -> None:
        async with working(2) as (board, _):
            board.place(0, board.kernel(Unpicklable), 1)
            board.place(0, board.kernel(lambda: 7), 2)
            first = board.kernel(lambda *inputs: inputs[0])
            board.place(1, first, 3, needs=[1, 2], home=0)
            board.place(1, first, 4, needs=[2], home=0)
            assert isinstance(await board.failure(3), SerializationError)
            await board.finished(4)

    run(test)


def test_tasks_fail_whose_input_cannot_be_unpickled_and_no_others() -> None:
    async def test() -> None:
        async with working(2) as (board, servers):
            board.place(0, board.kernel(lambda: 7), 1, 3)
            board.place(0, board.kernel(Unloadable), 2)
            await board.finished(1, 2, 3)
            first = board.kernel(lambda *inputs: inputs[0])
            board.place(1, first, 4, needs=[1, 2, 3], home=0)
            board.place(1, first, 5, needs=[1, 3], home=0)
            error = await board.failure(4)
            assert isinstance(error, SerializationError)
            assert "on worker w1: a value cannot be unpickled here: ZeroDivisionError: as it is unpickled" in str(error)
            await board.finished(5)
            assert servers[1].state.store[5] == 7

    run(test)


def test_a_connection_between_workers_that_breaks_is_made_again(gate: Gate) -> None:
    async def test() -> None:
        async with working(2) as (board, (one, two)):
            board.place(0, board.kernel(go_through, name="gate"), 1)
            board.place(1, board.kernel(lambda x: x * 2), 2, needs=[1], home=0)
            await asyncio.to_thread(gate.begun.wait, PATIENCE)
            for _ in range(3):
                while not one.state.asked:
                    await asyncio.sleep(0)
                for caller in list(one._callers):
                    caller.close()
                while one.state.asked:
                    await asyncio.sleep(0)
            gate.open.set()
            await board.finished(2)
            assert two.state.store[2] == "gategate"

    run(test)


def test_what_a_lost_worker_was_asked_for_comes_from_its_new_home(gate: Gate) -> None:
    async def test() -> None:
        async with working(3) as (board, servers):
            board.place(0, board.kernel(go_through, name="gate"), 1)
            board.place(1, board.kernel(lambda x: x * 2), 2, needs=[1], home=0)
            while not servers[0].state.asked:
                await asyncio.sleep(0)
            await servers[0].stop()
            board.workers[1].send(Workers(np.array([0]), [[]]))
            board.place(2, board.kernel(lambda: "new"), 1)
            board.workers[1].send(Moved(np.array([1]), np.array([2], np.int32)))
            await board.finished(2)
            assert servers[1].state.store[2] == "newnew"

    run(test)


def test_a_worker_talks_to_peers_only() -> None:
    async def test() -> None:
        async with working() as (_, (server,)):
            with pytest.raises(ConnectError, match="'client' had better ask the scheduler"):
                await dial_first(server.addresses[:1], SECURITY, {"role": "client"}, SETTINGS)
            with pytest.raises(ConnectError, match="the secret is another one"):
                await dial_first(server.addresses[:1], Security.temporary(), {"role": "peer"}, SETTINGS)

    run(test)


def test_a_caller_that_sends_nonsense_is_cut_off_and_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with (
            working() as (board, (server,)),
            asking(server) as (good, came),
            asking(server) as (bad, told),
        ):
            bad.send(Stopped(1))
            assert "hung up" in await told.get()
            good.send(fetch(1))
            board.place(0, board.kernel(lambda: 7), 1)
            assert (await came.get()).ids.tolist() == [1]

    with caplog.at_level(logging.CRITICAL, "restride.wire"):
        run(test)


# ---- what else it can be asked


async def ask(board: Board, function: Callable[..., Any]) -> Reply:
    board.workers[0].send(Request(9, "run", {}, dump_function(function)))
    reply: Reply = await board.hear(Reply)
    assert reply.number == 9
    return reply


def test_functions_run_beside_tasks_and_get_the_worker_if_they_ask_for_it(gate: Gate) -> None:
    async def test() -> None:
        async with working() as (board, _):
            board.place(0, board.kernel(go_through, name="gate"), 1)
            reply = await ask(board, lambda worker, x=3: (worker.name, x))
            assert (reply.value, load_value(reply.blobs[0])) == ({"ok": True}, ("w0", 3))
            reply = await ask(board, os.getpid)
            assert load_value(reply.blobs[0]) == os.getpid()

    run(test)


@pytest.mark.parametrize(("function", "message"), [(lambda: 1 / 0, "division by zero"), (Unpicklable, "cannot be")])
def test_functions_that_fail_say_so(function: Callable[[], Any], message: str) -> None:
    async def test() -> None:
        async with working() as (board, _):
            reply = await ask(board, function)
            assert reply.value == {"ok": False}
            assert message in str(load_exception(reply.blobs[0]))

    run(test)


def test_it_says_how_it_is_and_what_it_does_not_know() -> None:
    async def test() -> None:
        async with working() as (board, _):
            board.place(0, board.kernel(numbers), 1)
            await board.finished(1)
            board.workers[0].send(Request(1, "info", {}))
            info = (await board.hear(Reply)).value
            assert (info["name"], info["nbytes"], info["outputs"], info["placed"]) == ("w0", 800_000, 1, 0)
            board.workers[0].send(Request(2, "dance", {}))
            assert (await board.hear(Reply)).error == "a worker does not know what 'dance' is"

    run(test)


# ---- tasks that wait for others


def wait_for_gate() -> str:
    worker = current_worker()
    assert worker is not None
    gate = Gate.named["gate"]
    with worker.blocking(gate.open.is_set):
        assert gate.open.wait(PATIENCE)
    return worker.name


def open_gate() -> bool:
    Gate.named["gate"].open.set()
    worker = current_worker()
    return worker is not None and worker.runs_task_here


def test_a_task_that_waits_makes_room_for_another(gate: Gate) -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            board.place(0, board.kernel(wait_for_gate), 1)
            board.place(0, board.kernel(open_gate), 2)
            await board.finished(1, 2)
            assert server.state.store.take([1, 2]) == ["w0", True]
            assert not server.runs_task_here

    run(test)


# ---- tasks that are not worth a thread


def where_it_runs() -> str:
    return threading.current_thread().name


def where_it_runs_having_asked_for_the_worker() -> tuple[str, bool]:
    name = threading.current_thread().name
    worker = current_worker()
    return name, worker is not None and worker.runs_task_here


async def run_often(board: Board, server: WorkerServer, function: Callable[..., Any]) -> list[Any]:
    """Outputs of tasks that run one at a time; of the first, nobody knows how long they take."""
    layer = board.kernel(function)
    for id in range(50):
        board.place(0, layer, id)
        await board.finished(id)
    return server.state.store.take(range(50))


def test_quick_tasks_run_in_the_thread_that_has_their_inputs() -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            ran_in = await run_often(board, server, where_it_runs)
            assert ran_in[0] == "restride-compute-1"
            assert threading.current_thread().name in ran_in

    run(test)


def test_a_task_that_may_wait_runs_in_a_thread_of_its_own() -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            ran_in = await run_often(board, server, where_it_runs_having_asked_for_the_worker)
            assert set(ran_in) == {("restride-compute-1", True)}

    run(test)


def test_the_page_shows_quick_tasks_too() -> None:
    async def test() -> None:
        page = memoryview(np.full(2, NO_TASK)).cast("B").cast("q")
        Pages.page = page
        async with working(liveness=page) as (board, (server,)):
            assert await run_often(board, server, look_at_page) == list(range(50))
            assert page[1] == NO_TASK

    run(test)


class Pages:
    page: memoryview


def look_at_page() -> int:
    return Pages.page[1]


def test_an_error_in_a_quick_task_is_its_own() -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            await run_often(board, server, where_it_runs)
            layer = board.kernel(fail_later)
            for id in range(100, 150):
                board.place(0, layer, id, wanted=True)
                if (id - 99) % 10:
                    await board.finished(id)
                else:
                    assert repr(await board.failure(id)) == f"ValueError({id - 99})"

    calls = 0

    def fail_later() -> None:
        nonlocal calls
        calls += 1
        if calls % 10 == 0:
            raise ValueError(calls)

    run(test)


# ---- without compute threads


def test_without_threads_tasks_run_on_the_loop_and_messages_are_heard_in_between() -> None:
    async def test() -> None:
        async with working(2, threads=0) as (board, servers):
            thread, spin = board.kernel(threading.get_ident), board.kernel(_spin)
            board.place(0, thread, 1, wanted=True)
            news = await board.hear(Finished)
            assert load_value(news.results[0]) == threading.get_ident()
            board.place(0, spin, *range(100, 200))
            board.place(0, thread, 2)
            board.place(1, thread, 3, needs=[], wanted=True)
            await board.finished(3)
            assert len(servers[0].state.store) < 100, "the other worker need not wait for all of them"
            await board.finished(2, *range(100, 200))

    run(test)


def _spin() -> None:
    end = worker_server.time.monotonic() + 2e-3
    while worker_server.time.monotonic() < end:
        pass


# ---- signs of life, and memory


def test_the_page_shows_that_it_lives_and_what_it_runs(gate: Gate) -> None:
    async def test() -> None:
        page = memoryview(np.full(2, NO_TASK)).cast("B").cast("q")
        async with working(liveness=page) as (board, _):
            first = page[0]
            assert first > 0
            board.place(0, board.kernel(go_through, name="gate"), -5)
            await asyncio.to_thread(gate.begun.wait, PATIENCE)
            assert page[1] == -5
            while page[0] == first:
                await board.hear(Heartbeat)
            gate.open.set()
            await board.finished(-5)
            while page[1] != NO_TASK:
                await asyncio.sleep(0)

    run(test)


def test_where_memory_is_short_tasks_without_inputs_wait(
    gate: Gate, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        async with working(memory_limit=1000, threads=2) as (board, (server,)):
            source, double = board.kernel(lambda: "ab"), board.kernel(lambda x: x * 2)
            slow = board.kernel(go_through, name="gate")
            board.place(0, source, 1)
            await board.finished(1)
            board.place(0, slow, 2)
            await asyncio.to_thread(gate.begun.wait, PATIENCE)
            memory.rss = 801
            while not server._saves_memory:
                await asyncio.sleep(0.01)
            board.place(0, source, 3)
            board.place(0, double, 4, needs=[1], home=0)
            await board.finished(4)
            assert 3 not in server.state.store
            memory.rss = 699
            await board.finished(3)

    memory = SimpleNamespace(rss=0)
    process = SimpleNamespace(memory_info=lambda: memory)
    monkeypatch.setattr(worker_server, "psutil", SimpleNamespace(Process=lambda: process))
    with caplog.at_level(logging.INFO, "restride.worker"):
        run(test)
    said = [record.message for record in caplog.records if " MB" in record.message]
    assert len(said) == 2


# ---- beginning and end


def test_it_ends_when_its_scheduler_says_goodbye_and_leaves_nothing() -> None:
    async def test() -> None:
        async with Board().listening() as board:
            server = WorkerServer(board.address, security=SECURITY, threads=2, settings=SETTINGS)
            await server.start()
            directory = Path(server.addresses[0].removeprefix("unix://")).parent
            assert directory.stat().st_mode & 0o777 == 0o700
            await board.say_goodbye()
            await server.closed()
            assert not directory.exists()
            await server.stop()
            for thread in list(server._compute._alive.values()):
                await asyncio.to_thread(thread.join, PATIENCE)
            assert current_worker() is None

    run(test)


def test_it_waits_for_a_scheduler_that_starts_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        address = f"unix://{tmp_path}/scheduler"
        server = WorkerServer(address, security=SECURITY, settings=SETTINGS)
        starting = asyncio.create_task(server.start())
        while not caplog.records:
            await asyncio.sleep(0)
        async with Board().listening(address) as board:
            await starting
            assert board.hellos[0]["name"] == server.name
            await server.stop()

    with caplog.at_level(logging.WARNING, "restride.worker"):
        run(test)
    assert len(caplog.records) == 1
    assert "waits for its scheduler" in caplog.text


def test_it_does_not_start_where_the_scheduler_will_not_have_it() -> None:
    async def test() -> None:
        async with Board().listening() as board:
            board.refuses = "there is a worker 'w' already"
            with pytest.raises(RefusedError, match="there is a worker 'w' already"):
                await WorkerServer(board.address, name="w", security=SECURITY, settings=SETTINGS).start()
            with pytest.raises(AuthenticationError):
                await WorkerServer(board.address, security=Security.temporary(), settings=SETTINGS).start()
            assert current_worker() is None

    run(test)


def test_it_ends_with_an_error_when_its_scheduler_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        settings = replace(SETTINGS, comm_reconnect_timeout=0.05)
        board = Board()
        async with board.listening(f"unix://{tmp_path}/scheduler"):
            server = WorkerServer(board.address, security=SECURITY, settings=settings)
            await server.start()
            (tmp_path / "scheduler").rename(tmp_path / "elsewhere")
            server._session._connection.close()  # type: ignore[union-attr]
            with pytest.raises(ConnectError, match=r"the scheduler at .* is lost: cannot connect to unix://"):
                await server.closed()

    with caplog.at_level(logging.CRITICAL, "restride"):
        run(test)


def test_a_fault_of_the_engine_itself_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with working() as (board, (server,)):
            server.state.settle = lambda _: 1 / 0  # type: ignore[method-assign, assignment]
            board.place(0, board.kernel(lambda: 7), 1)
            with pytest.raises(Exception, match=r"worker w0 has failed: ZeroDivisionError"):
                await server.closed()

    with caplog.at_level(logging.CRITICAL, "restride.worker"):
        run(test)
    assert "please report it" in caplog.text
