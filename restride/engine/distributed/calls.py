"""What a worker can be asked beside running tasks: to call a function at once, and how it is."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from restride.engine.messages import Reply, Request
from restride.engine.serialize import dump_exception, dump_value, load_function

if TYPE_CHECKING:
    from restride.engine.distributed.worker_server import WorkerServer


def answer_call(worker: WorkerServer, request: Request, reply: Callable[[Reply], Any]) -> None:
    """Answer a request, soon or later.

    Parameters
    ----------
    worker : WorkerServer
    request : Request
        ``"run"``, with a pickled function in its blob, which is called in a thread of its own, with the worker as its
        argument ``worker`` if it has one of that name; or ``"info"``.
    reply : callable
        Takes the answer, in any thread.
    """
    match request.what:
        case "run":
            threading.Thread(target=lambda: reply(_run(worker, request)), name="restride-call", daemon=True).start()
        case "info":
            reply(Reply(request.number, worker.info()))
        case unknown:
            reply(Reply(request.number, None, error=f"a worker does not know what {unknown!r} is"))


def _run(worker: WorkerServer, request: Request) -> Reply:
    try:
        function = load_function(request.blob)
        keywords = {"worker": worker} if _takes_worker(function) else {}
        blob, ok = dump_value(function(**keywords)), True
    except BaseException as error:  # noqa: BLE001  the user's code may raise anything; who asked gets it
        blob, ok = dump_exception(error), False
    return Reply(request.number, {"ok": ok}, [blob])


def _takes_worker(function: Callable[..., Any]) -> bool:
    try:
        return "worker" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some builtins do not say
        return False
