"""Graphs, and the jobs that they become: columns, the static order, and both written as bytes."""
