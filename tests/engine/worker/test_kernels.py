"""Functions as a worker gets them: pickled, loaded by the first task that runs them, or else explained."""

from __future__ import annotations

import pickle
import sys
import types
from typing import Any

import cloudpickle
import numpy as np
import pytest

from restride.engine.messages import PackedKernels, Place
from restride.engine.serialize import dump_function
from restride.engine.worker import kernels
from restride.engine.worker.compute import run_claimed
from restride.engine.worker.kernels import KernelCache, unpacked
from restride.engine.worker.state import Outcomes, WorkerState
from restride.errors import SerializationError


class Touchy:
    """A constant that says how often it was unpickled."""

    loads = 0

    def __setstate__(self, state: object) -> None:
        Touchy.loads += 1
        if state == "raise":
            raise ZeroDivisionError("in __setstate__")


def packed(*functions: Any, digests: list[str] | None = None, **constants: Any) -> PackedKernels:
    n = len(functions)
    return PackedKernels(
        numbers=np.arange(n),
        kernel=np.arange(n, dtype=np.int32),
        has_param=np.zeros(n, np.bool_),
        resources=[{}] * n,
        digests=digests or [str(number) for number in range(n)],
        kernels=[dump_function((function, constants)) for function in functions],
    )


def lost_function(blob_of: str = "gone_module") -> bytes:
    """The pickle of a function of a module that is not there any more."""
    module = types.ModuleType(blob_of)
    exec("def compute(x):\n    return x", module.__dict__)
    sys.modules[blob_of] = module
    try:
        return pickle.dumps((module.compute, {}))
    finally:
        del sys.modules[blob_of]


def run(*functions: Any, message: PackedKernels | None = None) -> tuple[dict[int, Any], list[BaseException]]:
    """Outputs and failures of one task of each layer."""
    state = WorkerState(1, 0)
    state.receive(message or packed(*functions))
    n = len(message.numbers if message else functions)
    none = np.zeros(n + 1, np.int64)
    state.receive(
        Place(
            np.arange(n), np.ones(n, np.int32), np.arange(n, dtype=np.int32), [None] * n, none, none[:0],
            none[:0].astype(np.int32), np.zeros(n, np.bool_),
        )
    )  # fmt: skip
    while state.tasks:
        outcomes = Outcomes()
        run_claimed(state, state.claim(0)[0], outcomes)
        state.settle(outcomes)
    return dict(state.store.outputs), [failure.exception for failure in state.reports()[1]]


def test_a_kernel_is_loaded_by_the_first_task_that_runs_it_and_its_constants_are_bound() -> None:
    Touchy.loads = 0
    kernel = unpacked(packed(lambda x, *, c: (x, type(c).__name__), c=Touchy.__new__(Touchy)), KernelCache())[0]
    assert Touchy.loads == 0
    assert kernel.call(3) == (3, "Touchy")
    assert kernel.call(4) == (4, "Touchy")


def test_a_kernel_that_has_been_loaded_is_not_loaded_again() -> None:
    cache = KernelCache()
    first = unpacked(packed(lambda: object(), digests=["same"]), cache)[0]
    second = unpacked(packed(lambda: 1 / 0, digests=["same"]), cache)[0]
    first.call()
    second.call()
    assert first.call is second.call
    assert len(cache) == 1


def test_a_new_kernel_is_expected_to_take_as_long_as_the_last_one_with_its_function() -> None:
    cache = KernelCache()
    first = unpacked(packed(len, digests=["same"]), cache)[0]
    first.seconds, first.longest = 0.25, 0.5
    other = unpacked(packed(len, digests=["other"]), cache)[0]
    second = unpacked(packed(len, digests=["same"]), cache)[0]
    assert (second.seconds, second.longest, other.seconds) == (0.25, 0.5, 0)


def test_no_more_kernels_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "KEPT", 2)
    cache = KernelCache()
    for kernel in unpacked(packed(*[lambda: 0] * 5), cache).values():
        kernel.call()
    assert len(cache) == 2


def test_no_larger_kernels_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "KEPT_BYTES", 2500)
    cache = KernelCache()
    for digest in "abc":
        cache.load(digest, dump_function((len, {"c": b"x" * 1000})))
    assert len(cache) == 2
    cache.load("large", dump_function((len, {"c": b"x" * 5000})))
    assert len(cache) == 1, "what is in use is kept, however large"


def test_a_missing_module_is_named_with_the_function_and_the_worker() -> None:
    with pytest.raises(SerializationError) as raised:
        KernelCache("worker alpha").load("d", lost_function())
    assert str(raised.value) == (
        "the function gone_module.compute cannot be loaded on worker alpha: ModuleNotFoundError: No module named "
        "'gone_module'; is the module 'gone_module' installed, or on the path, there?"
    )


def test_a_function_that_is_not_in_its_module_is_named() -> None:
    blob = pickle.dumps((pickle.dumps, {})).replace(b"dumps", b"bumps")
    with pytest.raises(SerializationError, match=r"the function _?pickle\.bumps cannot be loaded"):
        KernelCache().load("d", blob)


def test_what_a_constant_raises_as_it_is_unpickled_is_told() -> None:
    blob = cloudpickle.dumps((len, {"c": _Spoilt()}))
    with pytest.raises(SerializationError, match=r"cannot be loaded on the worker: ZeroDivisionError: in __setstate__"):
        KernelCache().load("d", blob)


class _Spoilt(Touchy):
    def __reduce__(self) -> Any:
        return object.__new__, (Touchy,), "raise"


def test_a_truncated_pickle_is_told() -> None:
    with pytest.raises(SerializationError, match="a function cannot be loaded"):
        KernelCache().load("d", b"\x80\x05")


def test_tasks_fail_whose_kernel_cannot_be_loaded_and_others_run() -> None:
    good = packed(lambda: 1, lambda: 2)
    message = PackedKernels(
        good.numbers, good.kernel, good.has_param, good.resources, good.digests, [lost_function(), good.kernels[1]]
    )
    outputs, failures = run(message=message)
    assert outputs == {1: 2}
    assert [type(failure) for failure in failures] == [SerializationError]


def test_the_traceback_of_a_first_call_begins_in_the_kernel() -> None:
    def picky() -> None:
        raise ValueError("no")

    _, (failure,) = run(picky)
    assert failure.__traceback__ is not None
    assert failure.__traceback__.tb_frame.f_code.co_name == "picky"
