"""Frames out: into files, databases, and what other libraries take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from restride.collections.array.array import Array
from restride.collections.dataframe.base import FrameBase
from restride.collections.dataframe.io.arrays import to_array, to_records
from restride.collections.dataframe.io.delayed import delayed_partitions
from restride.collections.dataframe.io.files import Options
from restride.collections.dataframe.io.hdf import to_hdf
from restride.collections.dataframe.io.parquet.to_parquet import write_parquet
from restride.collections.dataframe.io.sql import to_sql
from restride.collections.dataframe.io.text.writing import write_text
from restride.collections.writing import Writing
from restride.engine.client.futures import Future


class TextOutput(FrameBase):
    """What writes text; of frames and series."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Compute, and hand the result to another library, by the Arrow PyCapsule interface: ``pa.table(df)``."""
        table = self.to_arrow()
        if isinstance(self.expr.meta, pd.Series):
            return table.column(0).__arrow_c_stream__(requested_schema)
        return table.__arrow_c_stream__(requested_schema)

    def to_array(self, lengths: bool | Sequence[int] | None = None) -> Array:
        """The values as an array, with a chunk for each partition; lazy.

        Parameters
        ----------
        lengths : bool or sequence of int, optional
            Rows in each partition, where they are not known; True to count them now. Otherwise the array's chunks are
            of unknown length.

        Returns
        -------
        Array
            Of one dtype for all columns, as `pandas.DataFrame.to_numpy` has it.

        Raises
        ------
        ValueError
            Not as many lengths as partitions.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> rd.from_pandas(pd.DataFrame({"x": [1, 2, 3], "y": [0.5, 1, 2]}), npartitions=2).to_array()
        <Array: shape (3, 2), float64, 2 chunks of (2, 2)>
        """
        return to_array(self.expr, lengths)

    def to_delayed(self) -> list[Future]:
        """Start computing all partitions; a future of each, whose result is a pandas object.

        Returns
        -------
        list of Future

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
        >>> [len(part.result()) for part in df.to_delayed()]
        [2, 1]
        """
        return delayed_partitions(self.expr)

    def to_csv(
        self,
        path: Any,
        *,
        single_file: bool = False,
        index: bool = True,
        overwrite: bool = False,
        name_function: Callable[[int], str] | None = None,
        compression: str | None = "infer",
        storage_options: Options = None,
        filesystem: Any = None,
        compute: bool = True,
        **options: Any,
    ) -> Writing | None:
        """Write a directory of CSV files, one a partition, or a single file; either appears when it is whole.

        Parameters
        ----------
        path : str, path or URL
            The directory or file.
        single_file : bool
            Write one file with all rows. It replaces one that is there.
        index : bool
            Write the index.
        overwrite : bool
            Replace a directory of CSV files that is there. Otherwise that is an error.
        name_function : callable, optional
            From the number of a partition to the name of its file.
        compression : str or None
            ``"gzip"``, ``"bz2"``, ``"xz"`` or ``"zstd"``; ``"infer"``: by the name of the single file.
        storage_options : dict, optional
            For the file system of a URL.
        filesystem : optional
            A file system of fsspec or pyarrow to find the path in.
        compute : bool
            Write now. Else return what writes when it is computed.
        **options
            What `pandas.DataFrame.to_csv` takes: ``sep``, ``columns``, ``na_rep``, ...

        Returns
        -------
        None or Writing

        Raises
        ------
        FileExistsError
            There is a directory already, and no `overwrite`, or something that is no directory of CSV files.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "x.csv")
        >>> df = rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
        >>> df.to_csv(path, single_file=True, index=False)
        >>> path.read_text().split()
        ['x', '1', '2', '3']
        >>> folder.cleanup()
        """
        return write_text(
            self.expr,
            path,
            "csv",
            index=index,
            single_file=single_file,
            overwrite=overwrite,
            name_function=name_function,
            compression=compression,
            storage_options=storage_options,
            filesystem=filesystem,
            compute=compute,
            options={"index": index, **options},
        )

    def to_json(
        self,
        path: Any,
        *,
        orient: str = "records",
        lines: bool | None = None,
        single_file: bool = False,
        overwrite: bool = False,
        name_function: Callable[[int], str] | None = None,
        compression: str | None = "infer",
        storage_options: Options = None,
        filesystem: Any = None,
        compute: bool = True,
        **options: Any,
    ) -> Writing | None:
        r"""Write a directory of JSON files, one a partition, or a single file of lines, that appears when it is whole.

        Parameters
        ----------
        path : str, path or URL
            The directory or file.
        orient : str
            How records lie in the file, as for `pandas.DataFrame.to_json`.
        lines : bool, optional
            Write a record a line. By itself if `orient` is ``"records"``.
        single_file : bool
            Write one file with all rows, a record a line. It replaces one that is there.
        overwrite, name_function, compression, storage_options, filesystem, compute
            As for `to_csv`.
        **options
            What `pandas.DataFrame.to_json` takes.

        Returns
        -------
        None or Writing

        Raises
        ------
        FileExistsError
            There is a directory already, and no `overwrite`, or something that is no directory of JSON files.
        ValueError
            A single file without a record a line.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "x.json")
        >>> rd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2).to_json(path, single_file=True)
        >>> path.read_text()
        '{"x":1}\n{"x":2}\n'
        >>> folder.cleanup()
        """
        lines = orient == "records" if lines is None else lines
        if single_file and not lines:
            raise ValueError("a single file of all partitions has a record a line: pass orient='records'")
        return write_text(
            self.expr,
            path,
            "json",
            index=orient != "records",
            single_file=single_file,
            overwrite=overwrite,
            name_function=name_function,
            compression=compression,
            storage_options=storage_options,
            filesystem=filesystem,
            compute=compute,
            options={"orient": orient, "lines": lines, **options},
        )


class Output(TextOutput):
    """What writes a frame, or hands it to another library."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        """Compute, and hand the result to another library, by the dataframe interchange protocol."""
        return self.to_arrow().__dataframe__(nan_as_null, allow_copy)

    def to_records(self, index: bool = True) -> Array:
        """The rows as an array of records, with a chunk for each partition; lazy.

        Parameters
        ----------
        index : bool
            Whether the index is a field.

        Returns
        -------
        Array
            Of a structured dtype, as `pandas.DataFrame.to_records` has it; its chunks are numpy record arrays.

        Examples
        --------
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> rd.from_pandas(pd.DataFrame({"x": [1, 2], "y": [0.5, 1]})).to_records(index=False).compute().tolist()
        [(1, 0.5), (2, 1.0)]
        """
        return to_records(self.expr, index)

    def to_parquet(
        self,
        path: Any,
        *,
        partition_on: str | Sequence[str] | None = None,
        compression: Any = "snappy",
        write_index: bool | None = None,
        overwrite: bool = False,
        append: bool = False,
        name_function: Callable[[int], str] | None = None,
        schema: pa.Schema | None = None,
        storage_options: Options = None,
        filesystem: Any = None,
        compute: bool = True,
        **options: Any,
    ) -> Writing | None:
        """Write a directory of Parquet files, one a partition, which appears when it is whole.

        A writing that fails or is interrupted leaves what there was before. In an object store, where nothing can be
        renamed, a file ``_restride_incomplete`` stays in the directory then, and `read_parquet` refuses it.

        Parameters
        ----------
        path : str, path or URL
            The directory.
        partition_on : label or list of labels, optional
            Columns whose values go into names of directories, ``year=2024/month=1/``, instead of files.
        compression : str or dict
            ``"snappy"``, ``"zstd"``, ``"gzip"``, ``"lz4"``, ``"brotli"`` or None; a dict for one by column.
        write_index : bool, optional
            Write the index. As pandas by itself: yes, but a default one as metadata.
        overwrite : bool
            Replace a data set that is there. Otherwise that is an error.
        append : bool
            Add files to a data set that is there, after its last one.
        name_function : callable, optional
            From the number of a partition to the name of its file. Files are read in the natural order of their names.
        schema : pyarrow.Schema, optional
            Types of some columns, where those that Arrow chooses are not wanted.
        storage_options : dict, optional
            For the file system of a URL.
        filesystem : optional
            A file system of fsspec or pyarrow to find the path in.
        compute : bool
            Write now. Else return what writes when it is computed.
        **options
            For `pyarrow.parquet.write_table`: ``row_group_size``, ``use_dictionary``, ...

        Returns
        -------
        None or Writing

        Raises
        ------
        FileExistsError
            There is something already, and neither `overwrite` nor `append`, or something that is no data set.
        KeyError
            `partition_on` names a column that there is not.
        ValueError
            Appending other columns than there are; both `overwrite` and `append`.
        SchemaError
            On compute: a column of objects has values of different types in two partitions.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "frame")
        >>> rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2).to_parquet(path)
        >>> sorted(file.name for file in path.iterdir())
        ['part-00000.parquet', 'part-00001.parquet']
        >>> pd.read_parquet(path).x.tolist()
        [1, 2, 3]
        >>> folder.cleanup()
        """
        return write_parquet(
            self.expr,
            path,
            partition_on=partition_on,
            write_index=write_index,
            overwrite=overwrite,
            append=append,
            name_function=name_function,
            schema=schema,
            storage_options=storage_options,
            filesystem=filesystem,
            compute=compute,
            options={"compression": compression, **options},
        )

    def to_feather(
        self,
        path: Any,
        *,
        compression: str | None = "lz4",
        write_index: bool | None = None,
        overwrite: bool = False,
        name_function: Callable[[int], str] | None = None,
        schema: pa.Schema | None = None,
        storage_options: Options = None,
        filesystem: Any = None,
        compute: bool = True,
    ) -> Writing | None:
        """Write a directory of Feather files, which are Arrow IPC files, one a partition; it appears when it is whole.

        Parameters
        ----------
        path : str, path or URL
            The directory.
        compression : {"lz4", "zstd", "uncompressed"}
        write_index, overwrite, name_function, schema, storage_options, filesystem, compute
            As for `to_parquet`.

        Returns
        -------
        None or Writing

        Raises
        ------
        FileExistsError
            There is something already, and no `overwrite`, or something that is no data set.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "frame")
        >>> rd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2).to_feather(path)
        >>> pd.read_feather(path / "part-00001.feather").x.tolist()
        [3]
        >>> folder.cleanup()
        """
        return write_parquet(
            self.expr,
            path,
            kind="feather",
            partition_on=None,
            write_index=write_index,
            overwrite=overwrite,
            append=False,
            name_function=name_function,
            schema=schema,
            storage_options=storage_options,
            filesystem=filesystem,
            compute=compute,
            options={"compression": compression},
        )

    def to_sql(
        self,
        name: str,
        con: Any,
        *,
        schema: str | None = None,
        if_exists: Literal["fail", "replace", "append"] = "fail",
        index: bool = True,
        index_label: Any = None,
        engine_kwargs: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Write a table of a database, partition by partition, in one transaction.

        Parameters
        ----------
        name : str
            The table.
        con : str or callable
            A URL of SQLAlchemy's, or a function that makes a connection, as for `read_sql_table`.
        schema : str, optional
            The schema that the table is in.
        if_exists : {"fail", "replace", "append"}
            What to do with a table that is there.
        index : bool
            Write the index.
        index_label : str or list of str, optional
            The names of its columns.
        engine_kwargs : dict, optional
            For SQLAlchemy's ``create_engine``.
        **options
            What `pandas.DataFrame.to_sql` takes: ``dtype``, ``method``, ``chunksize``.

        Raises
        ------
        ImportError
            A URL, and SQLAlchemy is not installed.
        ValueError
            The table is there, and `if_exists` is ``"fail"``.

        Examples
        --------
        >>> import functools, pathlib, sqlite3, tempfile
        >>> import pandas as pd
        >>> import restride.dataframe as rd
        >>> folder = tempfile.TemporaryDirectory()
        >>> connect = functools.partial(sqlite3.connect, pathlib.Path(folder.name, "x.db"))
        >>> rd.from_pandas(pd.DataFrame({"x": [1, 2]})).to_sql("numbers", connect, index=False)
        >>> rd.read_sql("numbers", connect).compute()
           x
        0  1
        1  2
        >>> folder.cleanup()
        """
        to_sql(
            self.expr,
            name,
            con,
            schema=schema,
            if_exists=if_exists,
            index=index,
            index_label=index_label,
            engine_kwargs=engine_kwargs,
            options=options,
        )

    def to_hdf(self, path: Any, key: str, *, mode: str = "a", **options: Any) -> None:
        """Write an HDF5 file by pandas, partition by partition; it appears, or changes, when all is there.

        Needs the package tables.

        Parameters
        ----------
        path : str or path
        key : str
            The name of the frame in the file.
        mode : {"a", "w"}
            Add to a file that is there, where a frame of this name is replaced; or write it anew.
        **options
            What `pandas.DataFrame.to_hdf` takes: ``complib``, ``complevel``, ``data_columns``, ``min_itemsize``.

        Raises
        ------
        ImportError
            The package tables is not installed.
        """
        to_hdf(self.expr, path, key, mode=mode, options=options)
