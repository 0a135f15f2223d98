"""What clients publish for each other, by name."""

from __future__ import annotations

from typing import Any

from restride.engine.client.asynchronous import awaitable
from restride.engine.client.engine import Engine
from restride.engine.client.futures import Future
from restride.engine.client.submission import Submission


class KeepsDatasets:
    """Part of `Client`: the datasets that it publishes, and that others have."""

    asynchronous: bool
    _engine: Engine

    def _check_open(self) -> None:
        raise NotImplementedError

    def _future(self, submission: Submission, position: int) -> Future:
        raise NotImplementedError

    @awaitable
    def publish_dataset(self, /, *values: Any, name: str | None = None, override: bool = False, **named: Any) -> None:
        """Keep collections, or anything with futures in it, under names, for other clients and after this one's end.

        Parameters
        ----------
        *values : object
            One, of which `name` is the name.
        name : str, optional
        override : bool
            Take the place of what has the name already.
        **named
            Others, each by its name.

        Raises
        ------
        KeyError
            There is something of that name.

        Examples
        --------
        >>> import restride as rs
        >>> with rs.Client(threads=2) as client:
        ...     client.publish_dataset(three=client.submit(abs, -3))
        ...     client.get_dataset("three").result()
        3
        """
        self._check_open()
        if len(values) != (name is not None):
            raise TypeError("publish_dataset takes one value with its name=, or values as keyword arguments")
        if name is not None:
            named = {name: values[0], **named}
        for key, value in named.items():
            self._engine.publish(key, value, override=override)

    @awaitable
    def get_dataset(self, name: str) -> Any:
        """What was published under a name.

        Raises
        ------
        KeyError
            There is nothing of that name.
        """
        self._check_open()
        return self._engine.get_published(name, self._future)

    @awaitable
    def list_datasets(self) -> list[str]:
        """The names under which something was published."""
        self._check_open()
        return self._engine.published()

    @awaitable
    def unpublish_dataset(self, name: str) -> None:
        """Forget what was published under a name.

        Raises
        ------
        KeyError
            There is nothing of that name.
        """
        self._check_open()
        self._engine.unpublish(name)
