"""What processes do that tests of the fork server start."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from restride.engine.distributed.channel import Channel, Note
from restride.engine.distributed.liveness import NO_TASK, LivenessPage


def run(role: str, leash: Channel) -> int:
    note = leash.receive()
    spec: dict[str, Any] = note.content
    match role:
        case "ends":
            return int(spec["code"])
        case "raises":
            raise RuntimeError("on purpose")
        case "describes":
            leash.send(
                {
                    "pid": os.getpid(),
                    "parent": os.getppid(),
                    "group": os.getpgid(0),
                    "session": os.getsid(0),
                    "path": sys.path,
                    "cwd": os.getcwd(),
                    "environment": dict(os.environ),
                    "threads": threading.active_count(),
                    "random": [float(np.random.rand()), random.random()],  # noqa: NPY002 - the global generator is meant
                    "open": sorted(os.listdir("/proc/self/fd"), key=int),
                    "main": sys.modules["__main__"].__spec__.name,
                    "ignores_interrupts": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
                    "read": [os.pread(file, 100, 0).decode() for file in note.files],
                }
            )
        case "stays":
            leash.send({"pid": os.getpid()})
            signal.pause()
        case "will not listen":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            leash.send({"pid": os.getpid()})
            while True:
                signal.pause()
        case "has a child":
            child = subprocess.Popen(["sleep", "1000"])
            leash.send({"pid": os.getpid(), "child": child.pid})
            signal.pause()
        case "worker":
            return pretend_to_work(leash, note)
    return 0


def pretend_to_work(leash: Channel, note: Note) -> int:
    """What a nanny sees of a worker; its resources say how it behaves."""
    ways = note.content["resources"]
    page = LivenessPage(note.files[0])
    if "cannot start" in ways:
        leash.send({"error": "there is no libfoo"})
        return 3
    page.view[1] = int(ways.get("runs task", NO_TASK))
    leash.send({"ready": True})
    if "is sent home" in ways:
        leash.send({"over": True})
        return 0
    while True:
        page.view[0] = 0 if "does not breathe" in ways else time.monotonic_ns()
        select.select([], [], [], 0.05)
