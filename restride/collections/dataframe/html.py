"""How frames show themselves: as text, and as HTML in notebooks. Nothing is computed for it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from restride.collections.dataframe.meta import index_of, labels_of
from restride.shuffle.rechunk import bytes_text

if TYPE_CHECKING:
    from restride.collections.dataframe.base import FrameBase

MOST_DIVISIONS = 6
MOST_COLUMNS = 20


def text_of(frame: FrameBase) -> str:
    """One line: what it is, its columns, rows and partitions."""
    return f"<{type(frame).__name__}: {', '.join(facts(frame))}>"


def facts(frame: FrameBase) -> list[str]:
    """What is known of a frame without computing it, in words."""
    expr = frame.expr
    known = []
    if expr.length is not None:
        known.append(f"{expr.length:,} rows")
    if isinstance(expr.meta, pd.DataFrame):
        columns = [f"{label}: {dtype}" for label, dtype in zip(labels_of(expr.meta), expr.meta.dtypes)]
        known.append("[" + ", ".join(columns[:MOST_COLUMNS]) + (", ...]" if len(columns) > MOST_COLUMNS else "]"))
    else:
        known.append(f"{expr.meta.name if expr.meta.name is not None else 'no name'}: {expr.meta.dtype}")
    known.append("1 partition" if expr.npartitions == 1 else f"{expr.npartitions:,} partitions")
    return known


def html_of(frame: FrameBase) -> str:
    """A table of the columns with their dtypes, above the divisions of the partitions."""
    expr = frame.expr
    meta = expr.meta
    labels = labels_of(meta)[:MOST_COLUMNS]
    dtypes = list(meta.dtypes)[:MOST_COLUMNS] if isinstance(meta, pd.DataFrame) else [meta.dtype][: len(labels)]
    head = "".join(f"<th>{escape(str(label))}</th>" for label in labels)
    kinds = "".join(f"<td>{escape(str(dtype))}</td>" for dtype in dtypes)
    rows = [f"<tr><th>{escape(str(index_of(meta).name or ''))}</th>{head}</tr>", f"<tr><td></td>{kinds}</tr>"]
    if expr.known_divisions:
        blank = "<td>...</td>" * len(labels)
        rows += [f"<tr><th>{escape(_division(value))}</th>{blank}</tr>" for value in _some(expr.divisions)]
    nbytes = expr.nbytes
    size = f"{expr.length:,} rows, about {bytes_text(nbytes)}, " if nbytes is not None else ""
    parts = "1 partition" if expr.npartitions == 1 else f"{expr.npartitions:,} partitions"
    return (
        f"<div><strong>{type(frame).__name__}</strong>: {size}{parts}"
        f"<table class='dataframe'><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _some(divisions: Any) -> list[Any]:
    if len(divisions) <= MOST_DIVISIONS:
        return list(divisions)
    return [*divisions[: MOST_DIVISIONS - 2], "...", *divisions[-2:]]


def _division(value: Any) -> str:
    return str(value)
