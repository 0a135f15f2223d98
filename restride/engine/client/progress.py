"""A live progress bar for computations that take longer than a moment, in a terminal or a notebook.

It is drawn by the thread that waits for the computation; there is no thread of its own.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

_REDRAW_SECONDS = 0.1

Progress = Callable[[], tuple[int, int, int]]
"""How many tasks have ended, how many there are, and how many bytes of outputs are held."""


class Waiting(Protocol):
    """What can be waited for, as an event is."""

    def wait(self, timeout: float) -> bool:
        """Wait, for so many seconds at most; whether it is over."""


def wait_with_progress(over: Waiting, progress: Progress, after: float) -> None:
    """Wait for something; show a progress bar once it has taken `after` seconds, where there is somebody to see it.

    Parameters
    ----------
    over : Waiting
        An event, say.
    progress : Progress
    after : float
        Seconds to wait before the bar appears.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    notebook = _in_notebook()
    if not (notebook or _in_terminal()) or over.wait(after):
        return
    if notebook:
        _draw_in_notebook(over, progress)
    else:
        _draw_in_terminal(over, progress)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _in_terminal() -> bool:
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # no stderr, or a closed one
        return False


def _draw_in_notebook(over: Waiting, progress: Progress) -> None:
    """By IPython itself: rich would need widgets for it."""
    from IPython.display import HTML, display

    shown = display(HTML(""), display_id=True)
    begun = monotonic()
    while not over.wait(_REDRAW_SECONDS):
        ended, tasks, nbytes = progress()
        text = f"{ended:,} of {tasks:,} tasks, {nbytes // 1_000_000:,} MB held, {monotonic() - begun:.0f} s"
        shown.update(HTML(f'<progress value="{ended}" max="{tasks}"></progress> {text}'))
    shown.update(HTML(""))


def _draw_in_terminal(over: Waiting, progress: Progress) -> None:
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("computing"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("tasks, {task.fields[held]} MB held"),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        ended, tasks, nbytes = progress()
        line = bar.add_task("", total=tasks, held=0)
        while not over.wait(_REDRAW_SECONDS):
            ended, tasks, nbytes = progress()
            bar.update(line, completed=ended, held=nbytes // 1_000_000, refresh=True)
