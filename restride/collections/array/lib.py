"""Names where numpy has them in ``numpy.lib``; ``ra.lib``."""

from __future__ import annotations

from types import SimpleNamespace

from restride.collections.array.overlap import sliding_window_view

__all__ = ["stride_tricks"]

stride_tricks = SimpleNamespace(sliding_window_view=sliding_window_view)
