"""How a process notices that the one which started it has died, whatever it is busy with itself."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SET_DEATH_SIGNAL = 1
_SET_NAME = 15


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, also while a task holds the GIL (Linux alone).

    The kernel means the *thread* that forked this process, so the parent must have forked it from its main thread.

    Parameters
    ----------
    parent : int
        Id of the parent, which may have ended already.
    """
    if sys.platform == "linux":
        _prctl(_SET_DEATH_SIGNAL, ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def name_process(name: str) -> None:
    """Set what `top` and `ps -o comm` show, up to 15 characters (Linux alone)."""
    if sys.platform == "linux":
        _prctl(_SET_NAME, ctypes.c_char_p(name.encode()[:15]))


def open_parent(parent: int) -> int | None:
    """Descriptor that becomes readable when the parent has ended; None where the system has none (Linux alone has).

    Raises
    ------
    ProcessLookupError
        It has ended already.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    handle = os.pidfd_open(parent)
    if os.getppid() != parent:
        os.close(handle)
        raise ProcessLookupError(f"process {parent} has ended")
    return handle


def _prctl(option: int, argument: ctypes._SimpleCData[int] | ctypes._SimpleCData[bytes | None]) -> None:
    zero = ctypes.c_ulong(0)
    ctypes.CDLL(None, use_errno=True).prctl(ctypes.c_int(option), argument, zero, zero, zero)
