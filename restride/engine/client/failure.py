"""Failures of tasks that ran in another process, as the client has them."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from restride import errors
from restride.engine.messages import Blob, PackedBroken, TaskFailure
from restride.engine.serialize import load_exception


class RemoteFailure:
    """What `TaskFailure` is for tasks of this process; the exception is unpickled where and when somebody asks for it.

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


Failure = TaskFailure | RemoteFailure
