"""Failures of tasks, as the client has them: of tasks that ran here, and in another process."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from restride import errors
from restride.engine.messages import Blob, PackedBroken, TaskFailure
from restride.engine.serialize import load_exception


class Raised:
    """What a task of this process has raised; held by clients, and by no engine.

    The traceback of an exception grows when it is raised for whoever asks: it leads to the caller, and from there to
    the future that was asked. An engine that held it would keep these for as long as it lives.
    """

    __slots__ = ("__weakref__", "exception", "traceback")

    def __init__(self, exception: BaseException, traceback: TracebackType | None) -> None:
        self.exception, self.traceback = exception, traceback


class LocalFailure:
    """What `TaskFailure` tells of a task of this process, and what was raised.

    Parameters
    ----------
    failure : TaskFailure
        Whose exception is a weak reference to a `Raised`.
    """

    def __init__(self, failure: TaskFailure) -> None:
        self.task, self.origin = failure.task, failure.origin
        raised = failure.exception()
        assert isinstance(raised, Raised)  # which the inputs have that failed
        self._raised = raised

    @property
    def exception(self) -> BaseException:
        """What was raised: the same one for everybody who asks."""
        return self._raised.exception

    @property
    def traceback(self) -> TracebackType | None:
        """From the kernel on."""
        return self._raised.traceback


class RemoteFailure:
    """What `TaskFailure` tells of a task of another process; the exception is unpickled where and when it is asked for.

    Parameters
    ----------
    news : PackedBroken
    """

    def __init__(self, news: PackedBroken) -> None:
        self.task = news.task
        self.origin = news.origin
        self._pickled: Blob = news.exception
        self._error, self._message = news.error, news.message

    def tells(self, news: PackedBroken) -> bool:
        """Whether it is the same failure that these news are of."""
        same = self.task == news.task and self._error == news.error and self._message == news.message
        return same and self._pickled == news.exception

    @cached_property
    def exception(self) -> BaseException:
        """What was raised: the same one for everybody who asks."""
        if self._error:
            kind: type[BaseException] = getattr(errors, self._error, errors.TaskError)
            return kind(self._message)
        return load_exception(self._pickled)

    @property
    def traceback(self) -> TracebackType | None:
        """None: that of another process is text, and the cause of the exception."""
        return None


Failure = TaskFailure | LocalFailure | RemoteFailure
