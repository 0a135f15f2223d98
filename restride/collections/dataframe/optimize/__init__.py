"""Passes that make frame expressions cheaper."""
