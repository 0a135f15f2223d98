"""Whole programs that use other processes: Ctrl-C, ends without closing, functions of the main module."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import restride as rs

ROOT = Path(rs.__file__).parent.parent
SECONDS = 60

PREAMBLE = """
import threading, time
import numpy as np
import restride as rs

k = 5

class Point:
    def __init__(self, x):
        self.x = x

def add(x):
    return Point(x.x + k)
"""


def program(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(script)],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(script: str, *, interrupt: bool = False) -> tuple[int, str, str]:
    """Exit code and output of a program, which is interrupted once it prints."""
    process = program(script)
    first = ""
    try:
        if interrupt:
            assert process.stdout is not None
            first = process.stdout.readline()
            process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, first + stdout, stderr


def test_functions_and_classes_of_the_program_itself_travel() -> None:
    script = """
        with rs.Client("processes", workers=1) as client:
            future = client.submit(add, Point(1))
            assert client.submit(add, future).result(20).x == 11
            g = rs.TaskGraph()
            g.add(add, 2, params=[Point(1), Point(2)])
            assert [point.x for point in client.get(g, [0, 1])] == [6, 7]
            k = 100
            assert client.submit(add, Point(1)).result(20).x == 101, "pickled anew at every call"
        print("end")
    """
    assert outcome(script) == (0, "end\n", "")


def test_a_program_may_end_without_closing_and_with_tasks_under_way() -> None:
    script = """
        client = rs.Client("processes", workers=2)
        never = client.map(lambda _: time.sleep(1000), range(10))
        waiting = client.submit(abs, never[0])
        waiting.add_done_callback(print)
        assert client.submit(abs, -3, priority=1, workers=["nobody"]).done() is False
        print("end")
    """
    code, stdout, stderr = outcome(script)
    assert (code, stdout.splitlines()[0], stderr) == (0, "end", "")


@pytest.mark.parametrize("wait", ["client.get(g, [0])", "client.gather(futures)"])
def test_an_interrupted_wait_ends_at_once_and_the_client_computes_on(wait: str) -> None:
    script = f"""
        g = rs.TaskGraph()
        g.add(lambda: time.sleep(1000), 1)
        with rs.Client("processes", workers=1, threads_per_worker=1) as client:
            client.submit(abs, -1).result(20)
            futures = client.submit_graph(g, [0])
            try:
                print("begun")
                {wait}
            except KeyboardInterrupt:
                print("interrupted")
            client.cancel(futures)
            assert client.submit(abs, -3).result(20) == 3
        print("end")
    """
    code, stdout, _ = outcome(script, interrupt=True)
    assert (code, stdout) == (0, "begun\ninterrupted\nend\n")


def test_interrupts_at_any_moment_break_nothing() -> None:
    script = """
        import signal
        client = rs.Client("processes", workers=1, threads_per_worker=1)
        client.submit(abs, -1).result(20)
        interrupts = done = 0
        begun = time.monotonic()
        while interrupts < 40 and time.monotonic() - begun < 20:
            signal.setitimer(signal.ITIMER_REAL, 0.001 + 0.0001 * interrupts)
            try:
                for i in range(50):
                    client.gather(client.map(abs, range(-20, 0)))
                    done += 1
            except KeyboardInterrupt:
                interrupts += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        assert client.gather(client.map(abs, range(-50, 0)))[0] == 50
        client.close()
        print("end")
    """
    script = "        import signal\n        signal.signal(signal.SIGALRM, signal.default_int_handler)\n" + script
    code, stdout, _ = outcome(script)  # on stderr Python tells of interrupts in destructors, which it passes over
    assert (code, stdout) == (0, "end\n")
