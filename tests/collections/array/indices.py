"""Indices for hypothesis: whatever numpy takes, for an array of a shape."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

TOGETHER = [(3,), (2, 2), (1,), (0,), (4, 1)]
"""Shapes of the arrays of one index, which broadcast more often than not."""

KINDS = ["int", "slice", "slice", "array", "array", "mask", "mask2", "new", "bool", "rest"]


@st.composite
def numpy_indices(draw, shape, repeats=True):
    """A tuple of integers, slices, newaxis, an Ellipsis, arrays and lists of integers, masks."""
    together = draw(st.sampled_from(TOGETHER))
    index = []
    axis = 0
    while axis < len(shape) and draw(st.integers(0, 9)):
        length = shape[axis]
        kind = draw(
            st.sampled_from(["int", "slice", "slice", "array", "array", "mask", "mask2", "new", "bool", "rest"])
        )
        if kind == "rest":
            axis += draw(st.integers(0, len(shape) - axis))
            return (*index, Ellipsis, *(draw(st.slices(length)) for length in shape[axis:]))
        if kind == "new":
            index.append(None)
            continue
        if kind == "bool":
            index.append(draw(st.booleans()))
            continue
        if kind == "int" and length:
            index.append(draw(st.integers(-length, length - 1)))
        elif kind == "array" and length:
            places = draw(arrays(np.int64, together, elements=st.integers(-length, length - 1)))
            if draw(st.booleans()):
                places = np.sort(places, axis=None).reshape(together)
            index.append(places if draw(st.booleans()) else places.tolist())
        elif kind == "mask":
            index.append(draw(arrays(np.bool, (length,))))
        elif kind == "mask2" and axis + 1 < len(shape):
            index.append(draw(arrays(np.bool, shape[axis : axis + 2])))
            axis += 1
        else:
            index.append(draw(st.slices(length)))
        axis += 1
    return tuple(index)
