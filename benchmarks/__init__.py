"""Benchmarks of restride against its peers and plain numpy: ``python -m benchmarks NAME``.

A benchmark is a module of this package with one function, ``run(quick) -> tables``: rows by the title of their table; a
row is a dict from the names of columns to text and numbers. Contenders run alternately in one process, so that ratios
hold on a noisy machine, or where a module says so, one after the other.
"""
