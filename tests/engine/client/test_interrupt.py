"""Ctrl-C, delivered for real: the computation is cancelled, and the client computes on."""

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
import threading
import numpy as np
import restride as rs

begun, opened, ran = threading.Event(), threading.Event(), []

def block(i):
    print("begun", flush=True)
    assert opened.wait(50)

def graph():
    g = rs.TaskGraph()
    g.add(block, 1, params=[0])
    g.add(lambda i, _: ran.append(i), 1000, params=range(1000), deps=(np.arange(1001), np.zeros(1000, int)))
    return g
"""


def interrupted(script: str) -> tuple[int, str, str]:
    """Run a program and send it a SIGINT once it prints; its exit code, and what else it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(script)],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.communicate()
    return process.returncode, stdout, stderr


@pytest.mark.parametrize("where", ["'threads', threads=1", "'threads', threads=2", "'inline'"])
def test_an_interrupted_get_drops_the_rest_and_the_client_computes_on(where: str) -> None:
    script = f"""
        with rs.Client({where}) as client:
            try:
                client.get(graph(), range(1001))
            except KeyboardInterrupt:
                print("interrupted")
            opened.set()
            assert client.submit(abs, -3).result(20) == 3
            assert client.gather(client.map(abs, range(-100, 0))) == list(range(100, 0, -1))
            assert ran == [], ran
            assert client.get(graph(), [1000]) == [None]
        print("end")
    """
    assert interrupted(script) == (0, "interrupted\nbegun\nend\n", "")


@pytest.mark.parametrize("wait", ["future.result()", "rs.wait([future])", "list(rs.as_completed([future]))"])
def test_an_interrupted_wait_leaves_the_task_running(wait: str) -> None:
    script = f"""
        with rs.Client(threads=1) as client:
            future = client.submit(block, 1)
            try:
                {wait}
            except KeyboardInterrupt:
                print("interrupted")
            opened.set()
            assert future.result(20) is None
        print("end")
    """
    assert interrupted(script) == (0, "interrupted\nend\n", "")


def test_an_interrupted_inline_map_gives_up_all_calls() -> None:
    script = """
        with rs.Client("inline") as client:
            try:
                client.map(lambda i: ran.append(i) or block(i), range(10))
            except KeyboardInterrupt:
                print("interrupted")
            assert client.submit(abs, -3).result() == 3
            assert ran == [0], ran
        print("end")
    """
    assert interrupted(script) == (0, "interrupted\nend\n", "")


def test_an_interrupt_that_nobody_catches_ends_the_program_at_once() -> None:
    script = """
        client = rs.Client(threads=1)
        client.get(graph(), [1000])
    """
    code, stdout, stderr = interrupted(script)
    assert code == -signal.SIGINT
    assert stdout == ""
    assert stderr.rstrip().endswith("KeyboardInterrupt")
