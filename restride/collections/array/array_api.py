"""What the Python array API standard asks of a namespace beyond functions of arrays: what it can do, and its dtypes.

The standard: https://data-apis.org/array-api/2024.12.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from restride.collections.array import elementwise, manipulation, reductions
from restride.collections.array.array import Array, asarray, implements
from restride.collections.array.device import DEVICE, check_device

__array_api_version__ = "2024.12"

bitwise_invert = elementwise.invert
bitwise_left_shift = elementwise.left_shift
bitwise_right_shift = elementwise.right_shift
concat = manipulation.concatenate
permute_dims = manipulation.transpose

implements(np.amax)(reductions.max)
implements(np.amin)(reductions.min)
implements(np.astype)(elementwise.astype)

DTYPES = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
"""The standard's kinds of dtypes; three more are made of them."""
KINDS = {
    **DTYPES,
    "integral": DTYPES["signed integer"] + DTYPES["unsigned integer"],
    "numeric": sum((names for kind, names in DTYPES.items() if kind != "bool"), ()),
}


class NamespaceInfo:
    """What `restride.array` can do, as the standard's ``__array_namespace_info__`` tells it."""

    def capabilities(self) -> dict[str, Any]:
        """Which optional behaviour there is.

        Returns
        -------
        dict
            Masks, and functions whose result's shape depends on values, are there: such axes have chunks of unknown
            length until `Array.compute_chunk_sizes`.
        """
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """The device of new arrays."""
        return DEVICE

    def devices(self) -> list[str]:
        """All devices."""
        return [DEVICE]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, np.dtype]:
        """The dtypes of new arrays where none is given."""
        check_device(device)
        return {
            "real floating": np.dtype(np.float64),
            "complex floating": np.dtype(np.complex128),
            "integral": np.dtype(np.int64),
            "indexing": np.dtype(np.intp),
        }

    def dtypes(self, *, device: str | None = None, kind: str | tuple[str, ...] | None = None) -> dict[str, np.dtype]:
        """The standard's dtypes: all, or those of a kind or of several.

        Raises
        ------
        ValueError
            There is no such kind.
        """
        check_device(device)
        kinds = tuple(DTYPES) if kind is None else (kind,) if isinstance(kind, str) else kind
        for word in kinds:
            if word not in KINDS:
                raise ValueError(f"a kind of dtype is one of {', '.join(map(repr, KINDS))}; got {word!r}")
        return {name: np.dtype(name) for word in kinds for name in KINDS[word]}


def __array_namespace_info__() -> NamespaceInfo:  # noqa: N807  # the standard's name
    """Tell what this namespace can do.

    Examples
    --------
    >>> import restride.array as ra
    >>> sorted(ra.__array_namespace_info__().dtypes(kind="real floating"))
    ['float32', 'float64']
    """
    return NamespaceInfo()


@implements(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> np.dtype:
    """The dtype that arithmetic between arrays, dtypes and Python's numbers gives.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.result_type(ra.ones(2, dtype="float32"), ra.int8, 3)
    dtype('float32')
    """
    return np.result_type(*(x.dtype if isinstance(x, Array) else x for x in arrays_and_dtypes))


@implements(np.can_cast)
def can_cast(from_: Any, to: DTypeLike, casting: Any = "safe") -> bool:
    """Whether values of an array or dtype can become another dtype by a rule of casting, the safe one by default.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.can_cast(ra.int32, ra.float64), ra.can_cast(ra.arange(3), ra.int8)
    (True, False)
    """
    return np.can_cast(from_.dtype if isinstance(from_, Array) else from_, to, casting)


def isdtype(dtype: DTypeLike, kind: Any) -> bool:
    """Whether a dtype is of a kind: another dtype, one of the standard's words for kinds, or a tuple of these.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.isdtype(ra.ones(2).dtype, ("real floating", ra.int8))
    True
    """
    return np.isdtype(np.dtype(dtype), kind)


def finfo(type: Any) -> np.finfo:  # noqa: A002  # the standard's name
    """Limits of a dtype of floating point numbers, or of an array's.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.finfo(ra.float32).bits
    32
    """
    return np.finfo(type.dtype if isinstance(type, Array) else type)


def iinfo(type: Any) -> np.iinfo:  # noqa: A002  # the standard's name
    """Limits of a dtype of integers, or of an array's.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.iinfo(ra.arange(3)).max == 2**63 - 1
    True
    """
    return np.iinfo(type.dtype if isinstance(type, Array) else type)


def from_dlpack(x: Any, /, *, device: str | None = None, copy: Any = None) -> Array:
    """Make an array of one of another library, without a copy where that can be.

    Parameters
    ----------
    x : object with __dlpack__ and __dlpack_device__
    device : {"cpu", None}
    copy : bool, optional
        Always or never copy.

    Examples
    --------
    >>> import numpy as np
    >>> import restride.array as ra
    >>> ra.from_dlpack(np.arange(3)).sum().compute()
    np.int64(3)
    """
    check_device(device)
    return asarray(x, copy=copy) if isinstance(x, Array) else asarray(np.from_dlpack(x, copy=copy))


@implements(np.matrix_transpose)
def matrix_transpose(x: Any) -> Array:
    """The last two axes exchanged.

    Raises
    ------
    ValueError
        There are not two.

    Examples
    --------
    >>> import restride.array as ra
    >>> ra.matrix_transpose(ra.ones((4, 2, 3))).shape
    (4, 3, 2)
    """
    return asarray(x).mT


@implements(np.copy)
def _copy(a: Any, order: str = "K", subok: bool = False) -> Array:
    return asarray(a, copy=True)


@implements(np.iscomplexobj)
def _iscomplexobj(x: Array) -> bool:
    return x.dtype.kind == "c"


@implements(np.isrealobj)
def _isrealobj(x: Array) -> bool:
    return x.dtype.kind != "c"
