"""Families of methods of frames and series, as mixins."""
