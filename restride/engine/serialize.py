"""Values, functions and exceptions to bytes and back, for clients and workers; the scheduler's process never does it.

Values are pickled with protocol 5: buffers that are not small stay where they are and travel beside the pickle. What
pickle cannot do, or would do by a reference to ``__main__``, which is another module elsewhere, cloudpickle does.
Arrow's tables go as `restride.engine.arrow` has it; a type may have a say in how several of its values travel together.
"""

from __future__ import annotations

import functools
import io
import pickle
import signal
import threading
import traceback as tracebacks
from collections import ChainMap
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import cloudpickle
import numpy as np

from restride.engine import arrow
from restride.errors import SerializationError, TaskError

OUT_OF_BAND = 4096
"""Bytes from which a buffer travels beside the pickle."""
PROTOCOL = 5

Keep = Callable[[pickle.PickleBuffer], bool]
"""Takes a buffer and says whether the pickle should hold it after all."""


Together = Callable[[list[Any]], list[Any]]
"""Takes values of one type that travel in one message, and says what is to be pickled for each."""

_together: dict[type, Together] = {}


def travel_together(kind: type, prepare: Together) -> None:
    """Have all values of a type that travel in one message prepared at once, so that they can share what they have.

    Parameters
    ----------
    kind : type
        Of values that are outputs of tasks themselves; not of what is inside of them.
    prepare : callable
        Takes a list of such values, returns as many.
    """
    _together[kind] = prepare


class RemoteTraceback(Exception):  # noqa: N818  nobody raises it
    """Where in another process an exception was raised: the ``__cause__`` of the exception here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}" if self.args else ""


def dump_function(obj: Any) -> bytes:
    """Pickle a function, by value unless it can be imported elsewhere.

    Raises
    ------
    SerializationError
        It, or something that it refers to, cannot be pickled.

    Examples
    --------
    >>> k = 3
    >>> load_function(dump_function(lambda x: k * x))(2)
    6
    """
    try:
        # cloudpickle takes 20 µs to find out that what can be imported elsewhere can be
        return _cloudpickled(obj, None) if cloudpickle.list_registry_pickle_by_value() else _pickled(obj, None, [])
    except BaseException as error:
        raise _unpicklable(obj, error) from error


def load_function(data: bytes | memoryview) -> Any:
    """Make the function again; raises what its unpickling raises."""
    return pickle.loads(data)


def dump_values(values: Sequence[Any]) -> tuple[bytes, list[memoryview]]:
    """Pickle values that travel together.

    Parameters
    ----------
    values : sequence

    Returns
    -------
    head : bytes
        The pickle of the list, without the buffers.
    buffers : list of memoryview
        Contiguous, of bytes each; they are memory of the values, which must not be changed before they are sent.

    Raises
    ------
    SerializationError
        One of them cannot be pickled; the message names its type.

    Examples
    --------
    >>> head, buffers = dump_values([np.arange(10_000), "text"])
    >>> len(head) < 200, [buffer.nbytes for buffer in buffers]
    (True, [80000])
    >>> load_values(head, buffers)[1]
    'text'
    """
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < OUT_OF_BAND:
            return True
        buffers.append(raw)
        return False

    try:
        return _pickled(_prepared(values), keep, buffers), buffers
    except BaseException as error:
        raise _unpicklable(_culprit(values), error) from error


def load_values(head: bytes | memoryview, buffers: Sequence[bytes | memoryview]) -> list[Any]:
    """Make the values again, around the buffers: arrays are writable if those are.

    Raises
    ------
    SerializationError
        One of them cannot be made here.
    """
    try:
        values: list[Any] = pickle.loads(head, buffers=buffers)
    except BaseException as error:
        raise _unloadable(error) from error
    return values


def dump_value(value: Any) -> bytes:
    """Pickle one small value, all of it in one piece.

    Raises
    ------
    SerializationError
        It cannot be pickled.
    """
    try:
        return _pickled(value, None, [])
    except BaseException as error:
        raise _unpicklable(value, error) from error


def load_value(data: bytes | memoryview) -> Any:
    """Make the value again.

    Raises
    ------
    SerializationError
        It cannot be made here.
    """
    try:
        return pickle.loads(data)
    except BaseException as error:
        raise _unloadable(error) from error


def dump_exception(exception: BaseException, traceback: TracebackType | str | None = None) -> bytes:
    """Pickle an exception with its traceback as text; this never fails.

    Parameters
    ----------
    exception : BaseException
    traceback : traceback or str, optional
        Where it was raised; the exception's own where there is none.
    """
    if isinstance(traceback, str):
        text = traceback
    else:
        text = "".join(tracebacks.format_exception(type(exception), exception, traceback or exception.__traceback__))
    try:
        pickled = _pickled(exception, None, [])
    except BaseException as error:  # noqa: BLE001  the text has to do then
        _check_interrupt(error)
        pickled = b""
    return pickle.dumps((pickled, type(exception).__qualname__, _message(exception), text), PROTOCOL)


def load_exception(data: bytes | memoryview) -> BaseException:
    """Make the exception again, with a `RemoteTraceback` as its cause.

    Returns
    -------
    BaseException
        A `TaskError` that has name, message and traceback where the exception could not be pickled, or not be made
        again.

    Examples
    --------
    >>> load_exception(dump_exception(ValueError("no such band")))
    ValueError('no such band')
    """
    pickled, name, message, text = pickle.loads(data)
    problem = "it cannot be pickled"
    exception = None
    if pickled:
        try:
            exception = pickle.loads(pickled)
        except BaseException as error:  # noqa: BLE001  whatever its __init__ makes of the arguments
            _check_interrupt(error)
            problem = f"its pickle cannot be loaded: {type(error).__name__}: {_message(error)}"
    if not isinstance(exception, BaseException):
        exception = TaskError(f"{name}: {message} (this stands for the exception itself: {problem})")
    exception.__cause__ = RemoteTraceback(text)
    return exception


def _pickled(value: Any, keep: Keep | None, buffers: list[memoryview]) -> bytes:
    reducers = arrow.reducers()
    try:
        if reducers is None:
            data = pickle.dumps(value, PROTOCOL, buffer_callback=keep)
        else:
            file = io.BytesIO()
            pickler = pickle.Pickler(file, PROTOCOL, buffer_callback=keep)
            pickler.dispatch_table = reducers
            pickler.dump(value)
            data = file.getvalue()
    except Exception:  # noqa: BLE001  what went wrong, if it does again, cloudpickle says
        data = None
    if data is not None and b"__main__" not in data:
        return data
    buffers.clear()
    return _cloudpickled(value, keep)


def _cloudpickled(value: Any, keep: Keep | None) -> bytes:
    file = io.BytesIO()
    reducers = arrow.reducers()
    kind = cloudpickle.Pickler if reducers is None else _cloudpickler(frozenset(reducers))
    kind(file, PROTOCOL, buffer_callback=keep).dump(value)
    return file.getvalue()


@functools.lru_cache(maxsize=1)
def _cloudpickler(_kinds: frozenset[type]) -> type[cloudpickle.Pickler]:
    """Cloudpickle's pickler with Arrow's reducers: it reads the table when it is made."""
    reducers = arrow.reducers() or {}
    table = ChainMap(dict(cloudpickle.Pickler.dispatch_table), reducers)
    return type("Pickler", (cloudpickle.Pickler,), {"dispatch_table": table})


def _prepared(values: Sequence[Any]) -> list[Any]:
    """What is to be pickled for each value."""
    prepared = [_contiguous(value) for value in values]
    for kind in _together.keys() & set(map(type, prepared)) if _together else ():
        places = [place for place, value in enumerate(prepared) if type(value) is kind]
        for place, value in zip(places, _together[kind]([prepared[place] for place in places])):
            prepared[place] = value
    return prepared


def _contiguous(value: Any) -> Any:
    """Views of parts of an array cannot stay where they are: only contiguous memory can."""
    if value.__class__ is np.ndarray and not value.flags.forc:
        return value.copy()
    return value


def _culprit(values: Sequence[Any]) -> Any:
    """The first value that cannot be pickled by itself."""
    for value in values:
        try:
            _pickled(value, None, [])
        except BaseException as error:  # noqa: BLE001  that is the question
            _check_interrupt(error)
            return value
    return values


def _check_interrupt(error: BaseException) -> None:
    """A user's ``__reduce__`` or ``__setstate__`` may raise anything, which is explained; a Ctrl-C is none of that.

    Only the main thread gets one, and in a worker's process nothing does.
    """
    if (
        isinstance(error, KeyboardInterrupt)
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    ):
        raise error


def _unloadable(error: BaseException) -> SerializationError:
    _check_interrupt(error)
    return SerializationError(f"a value cannot be unpickled here: {type(error).__name__}: {_message(error)}")


def _unpicklable(value: Any, error: BaseException) -> SerializationError:
    _check_interrupt(error)
    name = getattr(value, "__qualname__", None)
    what = f"{name!r}, a {type(value).__name__}," if isinstance(name, str) else f"a value of type {_type_name(value)}"
    return SerializationError(
        f"{what} cannot be pickled, and so not be sent to another process: {type(error).__name__}: {_message(error)}"
    )


def _type_name(value: Any) -> str:
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except BaseException as error:  # noqa: BLE001  a user's __str__
        _check_interrupt(error)
        return "(its message cannot be shown)"
