"""Methods of `Array` that the Python array API standard asks for, and numpy's arrays have no other use for."""

from __future__ import annotations

import importlib
from typing import Any, Self

import numpy as np

from restride.collections.array.base import ArrayBase
from restride.collections.array.device import DEVICE, check_device
from restride.collections.array.operations.manipulation import transpose

VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
"""Versions of the standard that `restride.array` conforms to."""


class Standard(ArrayBase):
    """The namespace, the device, and the exchange of memory with other libraries."""

    @property
    def mT(self) -> Self:  # noqa: N802  # numpy's name
        """The array with its last two axes exchanged; ValueError where there are not two."""
        if self.ndim < 2:
            raise ValueError(f"matrix transpose needs two axes, and the array has {self.ndim}")
        return type(self)(transpose(self.expr, (*range(self.ndim - 2), self.ndim - 1, self.ndim - 2)))

    @property
    def device(self) -> str:
        """Where the blocks are: ``"cpu"``."""
        return DEVICE

    def to_device(self, device: str, /, *, stream: None = None) -> Self:
        """The array itself, as there is but one device.

        Raises
        ------
        ValueError
            `device` is not ``"cpu"``, or there is a `stream`.
        """
        check_device(device)
        if stream is not None:
            raise ValueError(f"the device {DEVICE!r} has no streams, got {stream!r}")
        return self

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        if api_version is not None and api_version not in VERSIONS:
            raise ValueError(f"api_version must be one of {', '.join(VERSIONS)}, or None; got {api_version!r}")
        return importlib.import_module("restride.array")  # which imports this module

    def __dlpack__(
        self,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Compute the array, and hand over the memory of the result, which is nobody else's: `copy` is of no use."""
        values = np.asarray(self.compute())
        return values.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device)

    def __dlpack_device__(self) -> tuple[int, int]:
        return np.empty(0).__dlpack_device__()
