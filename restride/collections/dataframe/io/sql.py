"""SQL: tables and queries of a database in partitions by ranges of a column, and frames into tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from restride.collections.dataframe.base import new_collection
from restride.collections.dataframe.expr import Divisions, FrameExpr, Wanted, unknown_divisions
from restride.collections.dataframe.io.creation import checked_divisions
from restride.collections.dataframe.io.delayed import delayed_partitions
from restride.collections.dataframe.io.parts import ReadParts
from restride.collections.dataframe.io.sizes import parsed_blocksize
from restride.collections.dataframe.meta import has_default_index, meta_of
from restride.collections.dataframe.methods.partitions import make_meta
from restride.collections.dataframe.operations.selection import without_index
from restride.collections.expression import tokenize

Connect = str | Callable[[], Any]
"""A URL of SQLAlchemy's, or a function that makes a connection: of ADBC, of SQLAlchemy, of Python's sqlite3."""
BLOCK = 64 * 1024**2
"""Bytes of a partition in memory, where nobody says how many there are to be."""


@dataclass(frozen=True)
class Database:
    """Where tables are. It travels to the workers, and each task makes a connection of its own."""

    con: Connect
    engine_options: tuple[tuple[str, Any], ...] = ()

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection that pandas reads from and writes to."""
        if callable(self.con):
            connection = self.con()
            try:
                yield connection
            finally:
                connection.close()
            return
        engine = self._engine()
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    @property
    def shown(self) -> str:
        """What people call the database, without its password."""
        if callable(self.con):
            return getattr(self.con, "__name__", type(self.con).__name__)
        return str(_sqlalchemy().engine.make_url(self.con).render_as_string(hide_password=True))

    def quoted(self, name: str) -> str:
        """The name of a column or table as the database takes it."""
        if callable(self.con):
            return '"' + name.replace('"', '""') + '"'
        engine = self._engine()
        try:
            return str(engine.dialect.identifier_preparer.quote_identifier(name))
        finally:
            engine.dispose()

    def frame(self, sql: str, **options: Any) -> pd.DataFrame:
        """The result of a query."""
        with self.connected() as connection:
            return pd.read_sql_query(_statement(sql, self.con), connection, **options)

    def _engine(self) -> Any:
        return _sqlalchemy().create_engine(self.con, **dict(self.engine_options))


@dataclass(frozen=True)
class SqlReader:
    """Reads ranges of a query."""

    database: Database
    source: str
    """What stands after FROM."""
    columns: tuple[str, ...]
    """The names of the data columns, as the database has them."""
    index: str | None
    quoted: tuple[tuple[str, str], ...]
    """How the database takes names."""
    meta: Any
    options: tuple[tuple[str, Any], ...]
    """For `pandas.read_sql_query`."""
    word: str

    def read(self, part: SqlRange, wanted: Wanted) -> pd.DataFrame:
        """The frame of a range."""
        names = [self.columns[i] for i in wanted.columns]
        if self.index is not None and (wanted.index or not names):
            names = [*names, self.index]
        quoted = dict(self.quoted)
        text = ", ".join(quoted[name] for name in names) or "1 AS restride_row"
        options = dict(self.options)
        if self.index in names:
            options["index_col"] = self.index
        where = f" WHERE {part.condition}" if part.condition else ""
        return self.database.frame(f"SELECT {text} FROM {self.source}{where}", **options)


@dataclass(frozen=True)
class SqlRange:
    """Some rows of a query."""

    condition: str
    """What stands after WHERE; empty for all rows."""

    def __str__(self) -> str:
        return f"rows where {self.condition}" if self.condition else "all rows"


def database_of(con: Any, engine_kwargs: dict[str, Any] | None = None) -> Database:
    """Where tables are, of what users give.

    Raises
    ------
    TypeError
        It is a connection, which belongs to one thread of one process.
    """
    con = getattr(con, "url", con)  # of an engine of SQLAlchemy, which does not travel
    if hasattr(con, "render_as_string"):
        con = con.render_as_string(hide_password=False)
    if not isinstance(con, str) and (hasattr(con, "cursor") or not callable(con)):
        raise TypeError(
            "each task connects to the database by itself: give a URL, an engine of SQLAlchemy, or a function that "
            f"makes a connection, such as lambda: sqlite3.connect(path), not a {type(con).__name__}"
        )
    return Database(con, tuple(sorted((engine_kwargs or {}).items())))


def read_sql_table(
    table_name: str,
    con: Connect,
    index_col: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    divisions: Sequence[Any] | None = None,
    npartitions: int | None = None,
    limits: tuple[Any, Any] | None = None,
    blocksize: int | str | None = "auto",
    head_rows: int = 1000,
    schema: str | None = None,
    meta: Any = None,
    engine_kwargs: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Read a table of a database, in partitions by ranges of a column.

    Parameters
    ----------
    table_name : str
    con : str, engine or callable
        A URL of SQLAlchemy (``"sqlite:////path/to.db"``), an engine, whose URL is taken, or a function that makes a
        connection: of an ADBC driver, of SQLAlchemy, of Python's sqlite3. Each task makes one of its own.
    index_col : str, optional
        The column to make the index, of numbers or dates, by whose ranges partitions are made; without it there is one.
        Rows where it is missing come in the first.
    columns : list of str, optional
        The columns to read.
    divisions : sequence, optional
        The least value of the index in each partition, and the greatest of the last.
    npartitions : int, optional
        How many partitions, of equal ranges of the index.
    limits : tuple, optional
        The least and greatest value of the index to read; looked up if not given.
    blocksize : int, str or None
        About how many bytes a partition takes in memory, where nothing above says how many there are.
    head_rows : int
        Rows to take dtypes from. Which columns have missing values is counted by the database.
    schema : str, optional
        The schema that the table is in.
    meta : pandas object, optional
        An empty one of the labels and dtypes, or a dict of dtypes by label. Then nothing is looked at for dtypes.
    engine_kwargs : dict, optional
        For SQLAlchemy's ``create_engine``.
    **options
        What `pandas.read_sql_query` takes: ``parse_dates``, ``dtype``, ``coerce_float``, ``dtype_backend``.

    Returns
    -------
    DataFrame

    Raises
    ------
    ImportError
        A URL, and SQLAlchemy is not installed.
    ValueError
        An index of text, without `divisions`; divisions that do not ascend.

    Examples
    --------
    >>> import functools, pathlib, sqlite3, tempfile
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> folder = tempfile.TemporaryDirectory()
    >>> connect = functools.partial(sqlite3.connect, pathlib.Path(folder.name, "x.db"))
    >>> rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]})).to_sql("numbers", connect, index_label="k")
    >>> df = rd.read_sql_table("numbers", connect, "k", npartitions=2)
    >>> df.x.compute().tolist()
    [1, 2, 3]
    >>> folder.cleanup()
    """
    database = database_of(con, engine_kwargs)
    source = database.quoted(table_name)
    if schema is not None:
        source = f"{database.quoted(schema)}.{source}"
    return _read(
        "read_sql_table", database, source, table_name, index_col, columns, divisions, npartitions, limits, blocksize,
        head_rows, meta, options,
    )  # fmt: skip


def read_sql_query(
    sql: str,
    con: Connect,
    index_col: str | None = None,
    *,
    divisions: Sequence[Any] | None = None,
    npartitions: int | None = None,
    limits: tuple[Any, Any] | None = None,
    blocksize: int | str | None = "auto",
    head_rows: int = 1000,
    meta: Any = None,
    engine_kwargs: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Read the result of a query, in partitions by ranges of one of its columns.

    The database runs the query for each partition, with a condition.

    Parameters
    ----------
    sql : str
        A SELECT statement.
    con, index_col, divisions, npartitions, limits, blocksize, head_rows, meta, engine_kwargs
        As for `read_sql_table`.
    **options
        What `pandas.read_sql_query` takes.

    Returns
    -------
    DataFrame

    Raises
    ------
    ImportError, ValueError
        As `read_sql_table`.

    Examples
    --------
    >>> import sqlite3
    >>> import restride.dataframe as rd
    >>> rd.read_sql_query("SELECT 1 AS x, 'a' AS y", lambda: sqlite3.connect(":memory:")).compute()
       x  y
    0  1  a
    """
    database = database_of(con, engine_kwargs)
    source = f"({str(sql).strip().rstrip(';')}) AS restride_query"
    return _read(
        "read_sql_query", database, source, "a query", index_col, None, divisions, npartitions, limits, blocksize,
        head_rows, meta, options,
    )  # fmt: skip


def read_sql(sql: str, con: Connect, index_col: str | None = None, **options: Any) -> Any:
    """Read a table or the result of a query: `read_sql_table` for one word, else `read_sql_query`.

    Parameters
    ----------
    sql : str
        The name of a table, or a SELECT statement.
    con, index_col
        As for `read_sql_table`.
    **options
        What these functions take.

    Returns
    -------
    DataFrame

    Examples
    --------
    >>> import sqlite3
    >>> import restride.dataframe as rd
    >>> rd.read_sql("SELECT 1 AS x", lambda: sqlite3.connect(":memory:")).x.compute().tolist()
    [1]
    """
    function = read_sql_query if len(sql.split()) > 1 else read_sql_table
    return function(sql, con, index_col, **options)


def _read(
    word: str,
    database: Database,
    source: str,
    place: str,
    index_col: str | None,
    columns: Sequence[str] | None,
    divisions: Sequence[Any] | None,
    npartitions: int | None,
    limits: tuple[Any, Any] | None,
    blocksize: int | str | None,
    head_rows: int,
    meta: Any,
    options: dict[str, Any],
) -> Any:
    head = database.frame(f"SELECT * FROM {source} LIMIT {head_rows}", **options)
    if index_col is not None and index_col not in head.columns:
        raise ValueError(f"{place} has no column {index_col!r} to make the index of; it has {list(head.columns)}")
    missing = [name for name in columns or () if name not in head.columns]
    if missing:
        raise ValueError(f"{place} has no columns {missing}; it has {list(head.columns)}")
    names = [str(name) for name in (columns or head.columns) if name != index_col]
    quoted = {name: database.quoted(name) for name in [*names, *([index_col] if index_col else [])]}
    counts = _counts(database, source, quoted, index_col)
    if meta is not None:
        declared = make_meta(meta)
    else:
        typed = _with_missing(head, counts)
        declared = meta_of((typed.set_index(index_col) if index_col else typed)[names])
    ranges, known = [SqlRange("")], unknown_divisions(1)
    if index_col is not None:
        if divisions is None:
            if npartitions is None:
                width = int(head.memory_usage(deep=True).sum()) / max(len(head), 1)
                size = parsed_blocksize(blocksize)
                target = BLOCK if not isinstance(size, int) else size
                npartitions = max(1, round(counts["rows"] * width / target)) if size is not None else 1
            divisions = _even_divisions(limits or (counts["least"], counts["greatest"]), npartitions, head[index_col])
        if divisions is not None:
            checked_divisions(divisions, len(divisions) - 1)
            ranges, known = _ranges(quoted[index_col], divisions, has_missing=bool(counts[index_col] < counts["rows"]))
    reader = SqlReader(
        database, source, tuple(names), index_col, tuple(quoted.items()), declared, tuple(options.items()), word
    )
    # What a database holds may change at any time, so that no two frames are known to be the same.
    token = tokenize(object())
    wanted = Wanted(tuple(range(declared.shape[1])), not has_default_index(declared))
    return new_collection(ReadParts(reader, ranges, wanted, token, place, known))


def _counts(database: Database, source: str, quoted: dict[str, str], index: str | None) -> dict[str, Any]:
    """How many rows there are, how many values each column has, the ends of the index."""
    asked = ["COUNT(*)", *(f"COUNT({name})" for name in quoted.values())]
    if index is not None:
        asked += [f"MIN({quoted[index]})", f"MAX({quoted[index]})"]
    text = ", ".join(f"{what} AS c{i}" for i, what in enumerate(asked))
    row = database.frame(f"SELECT {text} FROM {source}").iloc[0].tolist()
    counts: dict[str, Any] = {"rows": int(row[0])}
    counts |= {name: int(count) for name, count in zip(quoted, row[1:])}
    return counts | {"least": row[-2], "greatest": row[-1]} if index is not None else counts


def _with_missing(head: pd.DataFrame, counts: dict[str, Any]) -> pd.DataFrame:
    """The first rows, with the dtypes that columns have where values are missing later."""
    changes: dict[Any, Any] = {}
    for name, dtype in head.dtypes.items():
        if name in counts and counts[str(name)] < counts["rows"] and isinstance(dtype, np.dtype):
            if dtype.kind in "iu":
                changes[name] = np.dtype(float)
            elif dtype.kind == "b":
                changes[name] = np.dtype(object)
    return head.astype(changes)


def _even_divisions(limits: tuple[Any, Any], npartitions: int, index: pd.Series) -> Sequence[Any] | None:
    """Equal ranges of an index between its least and its greatest value; None if it has none."""
    least, greatest = limits
    if least is None or least != least:
        return None
    if npartitions == 1:
        return [least, greatest]
    if getattr(index.dtype, "kind", "") == "M":
        return list(pd.date_range(least, greatest, periods=npartitions + 1))
    if not isinstance(least, (int, float, np.number)):
        raise ValueError(
            f"the index is of {type(least).__name__}, in which there are no equal ranges: pass divisions=, or "
            "npartitions=1"
        )
    if isinstance(least, (int, np.integer)) or float(least).is_integer():
        edges = np.unique(np.linspace(int(least), int(greatest), npartitions + 1).round().astype(np.int64))
        return edges.tolist() if len(edges) > 1 else [int(least), int(greatest)]
    return np.linspace(least, greatest, npartitions + 1).tolist()


def _ranges(column: str, divisions: Sequence[Any], *, has_missing: bool) -> tuple[list[SqlRange], Divisions]:
    n = len(divisions) - 1
    ranges = []
    for i, (low, high) in enumerate(pairwise(divisions)):
        sign = "<=" if i == n - 1 else "<"
        condition = f"{column} >= {_literal(low)} AND {column} {sign} {_literal(high)}"
        ranges.append(SqlRange(f"({condition}) OR {column} IS NULL" if i == 0 and has_missing else condition))
    return ranges, unknown_divisions(n) if has_missing else tuple(divisions)


def _literal(value: Any) -> str:
    """A value as SQL writes it."""
    if isinstance(value, (bool, np.bool_)):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float, np.number)):
        return repr(value.item() if isinstance(value, np.number) else value)
    text = value.isoformat(sep=" ") if isinstance(value, pd.Timestamp) else str(value)
    return "'" + text.replace("'", "''") + "'"


def to_sql(
    frame: FrameExpr,
    name: str,
    con: Connect,
    *,
    schema: str | None,
    if_exists: Literal["fail", "replace", "append"],
    index: bool,
    index_label: Any,
    engine_kwargs: dict[str, Any] | None,
    options: dict[str, Any],
) -> None:
    """Write a frame into a table; see `DataFrame.to_sql`."""
    database = database_of(con, engine_kwargs)
    exists: Literal["fail", "replace", "append"] = if_exists
    with database.connected() as connection:
        try:
            for future in delayed_partitions(frame if index else without_index(frame)):
                part = future.result()
                if index and index_label is not None:
                    part = part.rename_axis([index_label] if isinstance(index_label, str) else list(index_label))
                part.to_sql(name, connection, schema=schema, if_exists=exists, index=index, **options)
                exists = "append"
        except BaseException:
            if hasattr(connection, "rollback"):
                connection.rollback()
            raise
        if hasattr(connection, "commit"):
            connection.commit()


def _statement(sql: str, con: Connect) -> Any:
    return sql if callable(con) else _sqlalchemy().text(sql.replace(":", "\\:"))


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
    except ImportError as error:
        raise ImportError("URLs of databases need the package sqlalchemy: pip install sqlalchemy") from error
    return sqlalchemy
