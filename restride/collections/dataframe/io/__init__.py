"""Frames in and out: files of any kind, databases, arrays, other libraries' tables."""
