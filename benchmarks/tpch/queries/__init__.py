"""The 22 questions, each as a function of the tables, and as SQL for the answers to compare with."""

from __future__ import annotations

from importlib import import_module

QUERIES = {number: import_module(f"{__name__}.q{number:02d}") for number in range(1, 23)}
"""Modules by number, with `query(tables)`, `SQL`, and in the docstring what is asked for."""
