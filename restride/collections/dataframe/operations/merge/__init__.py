"""Joins of frames: the plan of a result's columns, the kernels by partition, and the nodes."""
