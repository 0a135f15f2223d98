"""Devices, of which there is one: the memory of the workers."""

from __future__ import annotations

from typing import Any

DEVICE = "cpu"
"""The one device, by numpy's name."""


def check_device(device: Any) -> None:
    """Refuse any device but the one there is, or None.

    Raises
    ------
    ValueError
        Another device.
    """
    if device is not None and device != DEVICE:
        raise ValueError(f"the only device is {DEVICE!r}, got {device!r}")
