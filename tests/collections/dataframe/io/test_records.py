"""Records in text: found from anywhere in it, and checked to be whole."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride.collections.dataframe.io.files import DataFile
from restride.collections.dataframe.io.text.parts import plan_parts
from restride.collections.dataframe.io.text.records import Dialect, ends_outside, line_ends, next_record

FIELDS = st.sampled_from(["a", "b,c", "x\ny", 'q"r', "", "\n", '""', "long text " * 3, "12", ",", '",\n"'])
ROWS = st.lists(st.lists(FIELDS, min_size=3, max_size=3), min_size=1, max_size=30)


def written(rows, **options):
    """Rows as text, and where each record ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", **options)
    ends = []
    for row in rows:
        writer.writerow(row)
        ends.append(len(text.getvalue().encode()))
    return text.getvalue().encode(), ends


@given(ROWS)
def test_line_breaks_in_quotes_end_no_record(rows):
    text, ends = written(rows)
    assert (line_ends(text, Dialect()) + 1).tolist() == ends
    assert ends_outside(text, Dialect())


@given(ROWS)
def test_escaped_quotes_and_comments_are_told_apart_sign_by_sign(rows):
    text, ends = written(rows, doublequote=False, escapechar="\\")
    dialect = Dialect(escape=b"\\", comment=b"#")
    assert (line_ends(text, dialect) + 1).tolist() == ends
    commented = text + b"# it's \"\n"
    assert (line_ends(commented, dialect) + 1).tolist() == [*ends, len(commented)]


@given(ROWS, st.data())
def test_a_part_that_does_not_end_between_records_is_noticed(rows, data):
    text, ends = written(rows)
    cut = data.draw(st.integers(0, len(text)))
    if ends_outside(text[:cut], Dialect()) and text[:cut].endswith(b"\n"):
        assert cut in ends


@given(
    st.lists(st.lists(st.sampled_from(["a", "bc", "x\ny", "d, e"]), min_size=3, max_size=3), min_size=5, max_size=30)
)
def test_the_next_record_is_found_from_any_place(rows):
    text, ends = written(rows, quoting=csv.QUOTE_ALL)
    for offset in range(1, len(text)):
        found = next_record(lambda start, stop: text[start:stop], offset, len(text), Dialect())
        assert found == next(end for end in ends if end >= offset)


@pytest.mark.parametrize("text", [b'5" pipe,3\n', b'a,b"c"d,"e"\n', b'"a"b"c,d\n', b'"a""b",c\n', b"", b'""\n'])
def test_quotes_in_the_middle_of_a_field_are_its_own(text):
    assert ends_outside(text, Dialect())
    assert not ends_outside(text + b'"', Dialect())


def test_without_quotes_each_line_is_a_record():
    dialect = Dialect(quote=b"")
    assert line_ends(b'a"\nb\n', dialect).tolist() == [2, 4]
    assert next_record(lambda start, stop: b'a"\nb\n'[start:stop], 1, 5, dialect) == 3


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5), st.integers(1, 50))
def test_parts_cover_each_file_once(sizes, blocksize):
    files = [DataFile(str(i), size, "") for i, size in enumerate(sizes)]
    parts = plan_parts(files, blocksize)
    for file in files:
        mine = [part for part in parts if part.file == file]
        assert [part.start for part in mine] == [0, *(part.stop for part in mine[:-1])]
        assert mine[-1].stop == file.size
        assert all(part.stop - part.start <= blocksize for part in mine)
