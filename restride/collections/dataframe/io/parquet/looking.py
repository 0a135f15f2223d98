"""What only the data of Parquet files tell: missing values without statistics, categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from restride.collections.dataframe.io.files import DataFile, FileSystem, in_parallel
from restride.collections.dataframe.io.parquet.facts import Facts
from restride.collections.dataframe.io.parquet.footers import Footer

SURE = 256 * 1024
"""Bytes of a dictionary, as it is in the file, up to which its writer has not given up on it half way."""


class ParquetFacts(Facts):
    """The facts of files that can be looked into."""

    def __init__(self, system: FileSystem, files: Sequence[DataFile], footers: Sequence[Footer]) -> None:
        super().__init__(footers)
        self.system, self.files = system, files

    @property
    def schemas(self) -> list[pa.Schema]:
        """One a file."""
        return [footer.schema for footer in self.footers]

    @property
    def total_rows(self) -> int:
        """Of all files."""
        return int(self.rows.sum())

    def has_nulls(self, name: str) -> bool:
        """Whether a value of a column is missing anywhere."""

        def look(pair: tuple[DataFile, Footer]) -> bool:
            file, footer = pair
            if name not in footer.leaves:
                return True
            with self.system.open(file.path) as opened:
                column = pq.ParquetFile(opened, metadata=footer.metadata).read(columns=[name], use_threads=False)
            return bool(column.column(name).null_count)

        known = self.may_have_nulls(name)
        return any(in_parallel(look, list(zip(self.files, self.footers)))) if known is None else known

    def dictionaries(self, name: str) -> list[pa.Array]:
        """The dictionaries of a column, in the order of the row groups."""

        def look(pair: tuple[DataFile, Footer]) -> list[pa.Array]:
            file, footer = pair
            if name not in footer.leaves:
                return []
            with self.system.open(file.path) as opened:
                return list(_dictionaries(pq.ParquetFile(opened, metadata=footer.metadata), name, footer))

        return [one for many in in_parallel(look, list(zip(self.files, self.footers))) for one in many]


def _dictionaries(file: pq.ParquetFile, name: str, footer: Footer) -> Iterator[pa.Array]:
    """The dictionary of each row group: from its first row, as the dictionary comes before all rows."""
    for group in range(footer.n_groups):
        chunk = footer.metadata.row_group(group).column(footer.leaves[name][0])
        if chunk.has_dictionary_page and chunk.data_page_offset - chunk.dictionary_page_offset <= SURE:
            rows = [next(file.iter_batches(1, row_groups=[group], columns=[name], use_threads=False), None)]
        else:
            rows = file.read_row_group(group, columns=[name], use_threads=False).to_batches()
        for batch in rows:
            if batch is not None and pa.types.is_dictionary(batch.column(0).type):
                yield batch.column(0).dictionary
