"""Nodes of frame expressions, and their kernels: one family of operations a module."""
