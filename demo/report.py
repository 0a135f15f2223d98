"""What a reader of the demo sees in the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich import box
from rich.table import Table

from demo.steps import Step


def introduction(threads: int) -> str:
    """What is going to happen."""
    return f"""
[bold]From maps to series and back[/]

A climate model writes one map after another, and so its output is stored: one
map to a chunk. A trend or a spectrum wants the whole series of each pixel, and
so a piece of every chunk. Here that shuffle is a graph of small tasks like any
other. For each of the fields below:

  store maps             to Zarr, one map to a chunk
  restride to series     read, and rechunk to one pixel's (or block's) series
  trends and spectra     a line through each series, the spectrum of the rest
  2-D FFT of every map   of what the lines leave, rechunked to maps on the way

{threads} threads of this process compute, plain numpy checks. It takes some 30 s
and 4 GB of memory."""


def heading(name: str, about: str, shape: Sequence[int]) -> str:
    """What a field is."""
    time, height, width = shape
    size = _bytes(4 * math.prod(shape))
    return f"\n[bold]{name}[/]  {about}\n[dim]{time:,} maps of {height} x {width} pixels, float32, {size}[/]"


def table(steps: Sequence[Step]) -> Table:
    """All steps, and their sum."""
    tasks, seconds, moved = sum(s.tasks for s in steps), sum(s.seconds for s in steps), sum(s.moved for s in steps)
    result = Table(title="What ran", box=box.SIMPLE_HEAD, title_style="bold", show_footer=True, pad_edge=False)
    result.add_column("data", "all", no_wrap=True)
    result.add_column("step", no_wrap=True)
    result.add_column("tasks", f"{tasks:,}", justify="right", no_wrap=True)
    result.add_column("seconds", f"{seconds:.2f}", justify="right", no_wrap=True)
    result.add_column("tasks/s", f"{tasks / seconds:,.0f}", justify="right", no_wrap=True)
    result.add_column("moved", _bytes(moved), justify="right", no_wrap=True)
    result.add_column("error", justify="right", no_wrap=True, style="green")
    for data, group in groupby(steps, lambda step: step.data):
        for number, step in enumerate(group):
            result.add_row(
                "" if number else f"[bold]{data}[/]",
                step.what,
                f"{step.tasks:,}",
                f"{step.seconds:.2f}",
                f"{step.tasks / step.seconds:,.0f}",
                _bytes(step.moved) if step.moved else "",
                "" if step.difference is None else f"{step.difference:.0e}",
            )
        result.add_section()
    return result


def ending(output: Path, seconds: float) -> str:
    """What the columns of the table mean, and where the plots are."""
    return f"""\
[dim]tasks: each a call of one Python function; where chunks are large, the seconds
are numpy's. moved: bytes that rechunks copied. error: the largest difference
from plain numpy, relative to the largest value.[/]

The trends and the mean spectra are drawn in
[bold]{output / "trend.png"}[/] and [bold]{output / "spectrum.png"}[/].
It took {seconds:.0f} s in all.
"""


def _bytes(n: int) -> str:
    size, unit = n / 1e6, "MB"
    if size >= 1000:
        size, unit = size / 1000, "GB"
    return f"{size:.{0 if size >= 10 else 1}f} {unit}"
