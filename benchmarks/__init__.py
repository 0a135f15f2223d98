"""Benchmarks of restride against dask and plain numpy: ``python -m benchmarks NAME``.

A benchmark is a module of this package with one function, ``run(quick) -> list of rows``; a row is a dict from the
names of columns to text and numbers. Contenders run alternately in one process, so that ratios hold on a noisy machine.
"""
