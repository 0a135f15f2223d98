"""The functions that tasks run, as a worker has them.

Between processes they come pickled, and are unpickled by the compute thread that runs the first of their tasks: a
large constant does not hold up messages, and a function that cannot be loaded is a failure of the tasks that need it,
with words that say what to do. What has been loaded is kept by digest, as the next job often runs the same functions.
"""

from __future__ import annotations

import pickle
import pickletools
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from restride.engine.graphs.graph import Layer
from restride.engine.messages import Blob, PackedKernels
from restride.errors import SerializationError

KEPT_BYTES = 64 * 2**20
"""Kernels that are kept loaded beyond the job that they came with, by the bytes of their pickles."""
KEPT = 256
"""How many of them at most."""

NO_NEEDS: Mapping[str, float] = {}


class Kernel:
    """What the tasks of a layer run, and how long it takes on this worker."""

    __slots__ = ("call", "has_param", "longest", "needs", "seconds")

    def __init__(self, call: Callable[..., Any], *, has_param: bool, needs: Mapping[str, float] = NO_NEEDS) -> None:
        self.call = call
        self.has_param = has_param
        self.needs = needs
        """Resources that a task has for itself while it runs."""
        self.seconds = 0.0
        """Moving average of durations, 0 where nothing is known yet."""
        self.longest = 0.0
        """The longest duration of late."""

    @classmethod
    def of_layer(cls, layer: Layer) -> Kernel:
        """The kernel of a layer that comes as it is."""
        return cls(_bound(layer.kernel, layer.constants), has_param=layer.params is not None)


class KernelCache:
    """Kernels that have been loaded, by digest; safe to use from several threads.

    Parameters
    ----------
    place : str
        What to call this process in an error.
    """

    def __init__(self, place: str = "the worker") -> None:
        self.place = place
        self._lock = threading.Lock()
        self._loaded: OrderedDict[str, tuple[Callable[..., Any], int]] = OrderedDict()
        self._nbytes = 0
        self._durations: OrderedDict[str, Kernel] = OrderedDict()

    def __len__(self) -> int:
        return len(self._loaded)

    def learn_from_others(self, digest: str, kernel: Kernel) -> None:
        """Expect a new kernel to take as long as the last one with the same function."""
        known = self._durations.pop(digest, None)
        if known is not None:
            kernel.seconds, kernel.longest = known.seconds, known.longest
        self._durations[digest] = kernel
        if len(self._durations) > KEPT:
            self._durations.popitem(last=False)

    def load(self, digest: str, blob: Blob) -> Callable[..., Any]:
        """The function whose pickle this is, its constants bound.

        Raises
        ------
        SerializationError
            It cannot be loaded here; the message names the function, and the module that is missing.
        """
        with self._lock:
            if digest in self._loaded:
                self._loaded.move_to_end(digest)
                return self._loaded[digest][0]
        try:
            function, constants = pickle.loads(blob)
        except Exception as error:  # the user's own code may run here, and raise anything
            raise SerializationError(_why_not(blob, error, self.place)) from error
        call = _bound(function, constants)
        with self._lock:
            if digest not in self._loaded:
                self._loaded[digest] = call, len(blob)
                self._nbytes += len(blob)
            while len(self._loaded) > 1 and (len(self._loaded) > KEPT or self._nbytes > KEPT_BYTES):
                _, (_, nbytes) = self._loaded.popitem(last=False)
                self._nbytes -= nbytes
        return call


def unpacked(message: PackedKernels, cache: KernelCache) -> dict[int, Kernel]:
    """The kernels that a message brings, by number of layer."""
    kernels = {}
    columns = message.numbers.tolist(), message.kernel.tolist(), message.has_param.tolist(), message.resources
    for number, which, has_param, needs in zip(*columns):
        digest = message.digests[which]
        first_call = _FirstCall(cache, digest, message.kernels[which])
        kernels[number] = first_call.kernel = Kernel(first_call, has_param=has_param, needs=needs)
        cache.learn_from_others(digest, kernels[number])
    return kernels


class _FirstCall:
    """Stands in for a kernel's function until it is called."""

    __slots__ = ("_blob", "_cache", "_digest", "kernel")

    def __init__(self, cache: KernelCache, digest: str, blob: Blob) -> None:
        self._cache, self._digest, self._blob = cache, digest, blob
        self.kernel: Kernel

    def __call__(self, *inputs: Any) -> Any:
        call = self._cache.load(self._digest, self._blob)
        self.kernel.call = call
        return call(*inputs)


FIRST_CALL = _FirstCall.__call__.__code__
"""A frame of ours, which may stand in a traceback before the kernel's own."""


def _bound(function: Any, constants: Mapping[str, Any]) -> Callable[..., Any]:
    return partial(function, **constants) if constants else function


def _why_not(blob: Blob, error: Exception, place: str) -> str:
    module = getattr(error, "name", None) if isinstance(error, ImportError) else None
    named = [f"{owner}.{name}" for owner, name in _names_in(blob) if module is None or owner.startswith(module)]
    what = f"the function {named[0]}" if named else "a function"
    advice = f"; is the module {module!r} installed, or on the path, there?" if module else ""
    return f"{what} cannot be loaded on {place}: {type(error).__name__}: {error}{advice}"


def _names_in(blob: Blob) -> list[tuple[str, str]]:
    """Modules and the names in them that a pickle refers to, leaving out what only the pickling needs.

    Those of a pickle inside it come first: that of the user's function, around which there are wrappers of ours.
    """
    strings: list[str] = []
    found: list[tuple[str, str]] = []
    try:
        for opcode, argument, _ in pickletools.genops(bytes(blob)):
            if opcode.name == "STACK_GLOBAL":
                found += list(pairwise(strings[-2:]))
            elif isinstance(argument, str):
                strings.append(argument)
            elif isinstance(argument, bytes) and argument.startswith(pickle.PROTO):
                found[:0] = _names_in(argument)
    except ValueError:  # a pickle that ends early, say, which is what the error to explain says
        pass
    return [(module, name) for module, name in found if module.partition(".")[0] not in ("cloudpickle", "builtins")]
