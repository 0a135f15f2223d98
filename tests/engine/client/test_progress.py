"""The progress bar: shown to whoever watches a computation that takes long, and to nobody else."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import restride as rs
from restride.engine.client.progress import wait_with_progress

ROOT = Path(rs.__file__).parent.parent
SECONDS = 60

PREAMBLE = """
import sys, threading
import restride as rs

let_go = threading.Event()

def last():
    threading.Thread(target=lambda: (sys.stdin.readline(), let_go.set()), daemon=True).start()
    assert let_go.wait(50)  # until the parent has seen enough
    return 9

g = rs.TaskGraph()
g.add(abs, 9, params=range(9))
g.add(last, 1)
"""

COMPUTE = """
with rs.Client(threads=1) as client:
    assert client.get(g, range(10)) == list(range(10))
"""


def environment(**settings: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("RESTRIDE_")}
    return {**kept, "TERM": "xterm", "COLUMNS": "120", "LINES": "40", **settings}


def in_terminal(script: str, *, until: str | None, then: int | None = None, **settings: str) -> tuple[int, str]:
    """Run a program whose stderr is a terminal; let it go on (or send it a signal) once it has shown a text."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(script)],
        cwd=ROOT,
        env=environment(**settings),
        stdin=subprocess.PIPE,
        stderr=its,
        text=True,
    )
    os.close(its)
    shown = ""
    try:
        assert process.stdin is not None
        if until is None:
            process.stdin.write("\n")
            process.stdin.flush()
        while select.select([ours], [], [], SECONDS)[0]:
            try:
                read = os.read(ours, 10_000).decode()
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not read:
                break
            shown += read
            if until is not None and re.search(until, shown):
                until = None
                if then is not None:
                    process.send_signal(then)
                else:
                    process.stdin.write("\n")
                    process.stdin.flush()
        return process.wait(SECONDS), shown
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        os.close(ours)


def test_a_bar_in_a_terminal_tells_how_many_tasks_have_ended() -> None:
    code, shown = in_terminal(COMPUTE, until=r"9/10", RESTRIDE_PROGRESS_AFTER="0")
    assert code == 0, shown
    assert "computing" in shown
    assert "MB held" in shown


def test_the_bar_is_gone_after_the_computation_and_the_cursor_back() -> None:
    _, shown = in_terminal(COMPUTE, until=r"9/10", RESTRIDE_PROGRESS_AFTER="0")
    assert shown.rstrip("\r\n").endswith("\x1b[2K"), "the line is erased at last"
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


@pytest.mark.parametrize("settings", [{"RESTRIDE_PROGRESS": "0"}, {"RESTRIDE_PROGRESS_AFTER": "1000"}], ids=str)
def test_no_bar_where_it_is_off_or_the_computation_short(settings: dict[str, str]) -> None:
    assert in_terminal(COMPUTE, until=None, **settings) == (0, "")


def test_no_bar_for_what_takes_a_moment_unless_one_is_asked_for() -> None:
    # On a busy machine it may take longer.
    assert any(in_terminal(COMPUTE, until=None) == (0, "") for _ in range(10))


def test_no_bar_outside_of_the_main_thread() -> None:
    script = """
        with rs.Client(threads=1) as client:
            got = []
            thread = threading.Thread(target=lambda: got.append(client.get(g, range(10))))
            thread.start()
            thread.join(50)
            assert got == [list(range(10))]
    """
    assert in_terminal(script, until=None, RESTRIDE_PROGRESS_AFTER="0") == (0, "")


def test_nothing_is_printed_where_the_output_is_not_a_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + COMPUTE],
        cwd=ROOT,
        env=environment(RESTRIDE_PROGRESS_AFTER="0"),
        input="\n",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_interrupt_under_the_bar_leaves_a_clean_terminal_and_a_client_that_works() -> None:
    script = """
        with rs.Client(threads=1) as client:
            try:
                client.get(g, range(10))
            except KeyboardInterrupt:
                let_go.set()
                assert client.submit(abs, -3).result(20) == 3
            else:
                raise AssertionError("not interrupted")
    """
    code, shown = in_terminal(script, until=r"9/10", then=signal.SIGINT, RESTRIDE_PROGRESS_AFTER="0")
    assert code == 0, shown
    assert "Traceback" not in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_a_failure_under_the_bar_reaches_the_caller() -> None:
    script = """
        with rs.Client(threads=1) as client:
            g.add(lambda _: 1 / 0, 1, deps=([0, 1], [9]))
            try:
                client.get(g, [*range(10), 10])
            except ZeroDivisionError:
                raise SystemExit(7)
    """
    assert in_terminal(script, until=r"/11", RESTRIDE_PROGRESS_AFTER="0")[0] == 7


@pytest.mark.parametrize("stderr", [None, "closed"])
def test_no_bar_where_there_is_no_stderr(stderr: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = None
    if stderr == "closed":
        stream = open(os.devnull, "w")  # noqa: SIM115
        stream.close()
    monkeypatch.setattr(sys, "stderr", stream)
    wait_with_progress(threading.Event(), lambda: (0, 1, 0), 0.0)
