"""Nodes of what is done by groups."""
