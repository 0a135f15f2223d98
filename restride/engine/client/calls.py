"""Single calls, as `Client.submit` and `Client.map` make them, gathered into one graph.

Calls that come while the engine has not begun with the batch before join it, and travel as one graph. Futures may stand
anywhere in the arguments, inside lists, tuples, sets and dicts too; where they stood the call gets their results.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from restride.engine.client.futures import Future
from restride.engine.client.submission import Submission
from restride.engine.graphs.csr import row_starts
from restride.engine.graphs.graph import Layer, TaskGraph
from restride.engine.graphs.job import compile_job, job_of_one
from restride.engine.graphs.options import Options
from restride.engine.graphs.packing import culprit
from restride.engine.serialize import dump_function, dump_value, load_function
from restride.errors import CancelledError, SerializationError

if TYPE_CHECKING:
    from restride.engine.client.client import Client

Arguments = tuple[Sequence[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Slot:
    """Stands in an argument for the result of a future: which of the call's inputs it is."""

    input: int


def call(arguments: Arguments, *inputs: Any, function: Callable[..., Any]) -> Any:
    """Kernel of a single call: fills the results of futures into the arguments."""
    args, kwargs = arguments
    if inputs:
        args, kwargs = _filled(args, inputs), _filled(kwargs, inputs)
    return function(*args, **kwargs)


def call_packed(arguments: bytes, *inputs: Any, function: Callable[..., Any]) -> Any:
    """Kernel of a single call that has travelled: arguments that cannot be unpickled fail this call alone."""
    return call(pickle.loads(arguments), *inputs, function=function)


class PackedFunction:
    """A function, pickled at the call; unpickled it is the function itself.

    Parameters
    ----------
    function : callable

    Raises
    ------
    SerializationError
        It cannot be pickled.
    """

    __slots__ = ("_pickled",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._pickled = dump_function(function)

    def __reduce__(self) -> tuple[Any, ...]:
        return load_function, (self._pickled,)


def _filled(value: Any, inputs: Sequence[Any]) -> Any:
    kind = type(value)
    if kind is _Slot:
        return inputs[value.input]
    if kind in (list, tuple, set):
        return kind(_filled(item, inputs) for item in value)
    if kind is dict:
        return {key: _filled(item, inputs) for key, item in value.items()}
    return value


def _with_slots(value: Any, found: list[Future]) -> Any:
    """A value with slots for futures, which are appended to `found`; the value itself where there are none."""
    if isinstance(value, Future):
        found.append(value)
        return _Slot(len(found) - 1)
    kind = type(value)
    before = len(found)
    new: Any = value
    if kind in (list, tuple, set):
        new = kind([_with_slots(item, found) for item in value])
    elif kind is dict and value:
        new = {key: _with_slots(item, found) for key, item in value.items()}
    return new if len(found) > before else value


@dataclass(eq=False, slots=True)
class Call:
    """One call that waits to be submitted."""

    function: Any
    """To be called, or a `PackedFunction` of it."""
    name: str
    origin: str | None
    arguments: Arguments | bytes
    """With slots for futures; bytes are the pickle of that."""
    inputs: list[Future]


def calls_of(function: Callable[..., Any], origin: str | None, arguments: Sequence[Arguments]) -> list[Call]:
    """One call of the function for each of `arguments`."""
    name = _name(function)
    calls = []
    for args, kwargs in arguments:
        inputs: list[Future] = []
        filled = _with_slots(args, inputs), _with_slots(kwargs, inputs)
        calls.append(Call(function, name, origin, filled, inputs))
    return calls


def pack_calls(calls: Sequence[Call], function: PackedFunction) -> None:
    """Have calls of one function travel: each is pickled by itself, so that what cannot be pickled is refused alone.

    Raises
    ------
    SerializationError
        An argument cannot be pickled.
    """
    for call in calls:
        call.function, call.arguments = function, _packed_arguments(call)


def _packed_arguments(call: Call) -> bytes:
    arguments = call.arguments
    if isinstance(arguments, bytes):
        return arguments
    try:
        return dump_value(arguments)
    except SerializationError as error:
        args, kwargs = arguments
        what, reason = culprit([*enumerate(args), *kwargs.items()]) or ("?", error)
        raise SerializationError(f"argument {what!r} of {call.name!r}: {reason}") from error


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _layer_of(run: Sequence[Call]) -> Layer:
    """Calls of one function from one line, as a layer by itself."""
    first = run[0]
    kernel = call_packed if isinstance(first.arguments, bytes) else call
    params = [call.arguments for call in run]
    return Layer(first.name, kernel, 0, len(run), params, {"function": first.function}, first.origin)


def _replaced(call: Call) -> Call:
    """In the place of a call that needs a future which was cancelled, one that fails; it alone, and not the batch."""
    return Call(_fail_as_cancelled, call.name, call.origin, ((), {}), [])


def _fail_as_cancelled() -> None:
    raise CancelledError("a future among the arguments was cancelled before the call")


class CallBatch:
    """Calls that will be submitted together.

    Parameters
    ----------
    client : Client
    options : Options
        How they are to be run.
    nested : bool
        Whether a task makes these calls.

    Attributes
    ----------
    submission : Submission
        It has a position for each call, and compiles the batch when its turn comes.
    """

    def __init__(self, client: Client, options: Options, *, nested: bool) -> None:
        self.submission = Submission(self._compile, options)
        self.nested = nested
        self._client = client
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._closed = False
        self._packed: tuple[Callable[..., Any], PackedFunction] | None = None

    def fits(self, options: Options, *, nested: bool) -> bool:
        """Whether calls with these options may join it."""
        return self.nested == nested and self.submission.options == options

    def packed(self, function: Callable[..., Any]) -> PackedFunction:
        """A function as it travels: pickled once for calls of it that follow each other, and may join."""
        known = self._packed
        if known is None or known[0] is not function or self._closed:
            self._packed = known = function, PackedFunction(function)
        return known[1]

    def add(self, calls: Sequence[Call]) -> list[Future] | None:
        """Calls join the batch; None where it is closed already."""
        with self._lock:
            if self._closed:
                return None
            self._calls += calls
            first = self.submission.expect(len(calls))
        return [Future(self._client, self.submission, first + i) for i in range(len(calls))]

    def close(self) -> None:
        """No more calls may join."""
        with self._lock:
            self._closed = True

    def _compile(self) -> None:
        self.close()
        self._calls = [
            _replaced(call) if call.inputs and any(map(Future.cancelled, call.inputs)) else call for call in self._calls
        ]
        if len(self._calls) == 1:
            job, futures = job_of_one(_layer_of([self._calls[0]]), self._calls[0].inputs)
            self.submission.seal(job, futures, np.zeros(1, np.int64))
            self._calls = []
            return
        graph = TaskGraph()
        ids: dict[Future, int] = {}
        outside = list({future: None for call in self._calls for future in call.inputs if not self._has(future)})
        if outside:
            ids.update(zip(outside, graph.add_futures(outside).ids.tolist()))
        of_position: list[int] = []
        for run in self._runs():
            inputs = [
                ids[future] if future in ids else of_position[future.position] for call in run for future in call.inputs
            ]
            layer = _layer_of(run)
            assert layer.kernel is not None
            layer = graph.add_layer(
                layer.kernel,
                len(run),
                deps=(row_starts(np.array([len(call.inputs) for call in run])), inputs),
                params=layer.params,
                name=layer.name,
                constants=layer.constants,
                origin=layer.origin,
            )
            of_position += layer.ids.tolist()
        self._calls = []
        job, futures, rows = compile_job(graph, of_position)
        self.submission.seal(job, futures, rows)

    def _has(self, future: Future) -> bool:
        return future.submission is self.submission

    def _runs(self) -> list[list[Call]]:
        """Neighbouring calls of one function from one line that do not need each other: the layers."""
        runs: list[list[Call]] = []
        start = 0
        for position, call in enumerate(self._calls):
            last = runs[-1][-1] if runs else None
            joins = (
                last is not None
                and last.function is call.function
                and last.origin == call.origin
                and last.name == call.name
                and type(last.arguments) is type(call.arguments)
                and all(not self._has(future) or future.position < start for future in call.inputs)
            )
            if joins:
                runs[-1].append(call)
            else:
                runs.append([call])
                start = position
        return runs
