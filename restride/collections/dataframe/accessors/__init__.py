"""Accessors: `str`, `dt`, `cat`, and those that users register."""
