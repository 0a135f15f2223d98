"""``python -m restride``: the same as the command ``restride``."""

from __future__ import annotations

from restride.cli import main

main(prog_name="restride")
