"""``series.dt``: parts of dates and durations, row by row."""

from __future__ import annotations

from typing import Any

import pandas as pd

from restride.collections.dataframe.accessors.generated import Accessor, add_attributes, add_methods
from restride.collections.dataframe.methods.elementwise import row_by_row

_ATTRIBUTES = {
    "components": "Days, hours, minutes, ... of durations: a column each.",
    "date": "Dates without time and zone, as objects of `datetime.date`.",
    "day": "Day of the month, from 1.",
    "day_of_week": "Day of the week, from 0 for Monday.",
    "day_of_year": "Day of the year, from 1.",
    "days": "Whole days of durations.",
    "days_in_month": "How many days the month has.",
    "end_time": "The last moment of periods.",
    "hour": "Hour, from 0.",
    "is_leap_year": "Whether the year has 366 days.",
    "is_month_end": "Whether it is the last day of the month.",
    "is_month_start": "Whether it is the first day of the month.",
    "is_quarter_end": "Whether it is the last day of the quarter.",
    "is_quarter_start": "Whether it is the first day of the quarter.",
    "is_year_end": "Whether it is the last day of the year.",
    "is_year_start": "Whether it is the first day of the year.",
    "microsecond": "Microseconds of the second.",
    "microseconds": "Microseconds of durations beyond whole seconds.",
    "minute": "Minute of the hour.",
    "month": "Month, from 1.",
    "nanosecond": "Nanoseconds of the microsecond.",
    "nanoseconds": "Nanoseconds of durations beyond whole microseconds.",
    "quarter": "Quarter of the year, from 1.",
    "qyear": "Fiscal year of periods.",
    "second": "Second of the minute.",
    "seconds": "Seconds of durations beyond whole days.",
    "start_time": "The first moment of periods.",
    "time": "Times of day, as objects of `datetime.time`.",
    "timetz": "Times of day with their zone, as objects of `datetime.time`.",
    "week": "Week of the year, of periods.",
    "weekofyear": "Week of the year, of periods.",
    "year": "Year.",
}
_METHODS = {
    "as_unit": "The same in another unit: ``s``, ``ms``, ``us`` or ``ns``.",
    "asfreq": "Periods of another frequency.",
    "ceil": "Rounded up to a frequency, such as ``h``.",
    "day_name": "Name of the day of the week.",
    "floor": "Rounded down to a frequency, such as ``h``.",
    "isocalendar": "Year, week and day of ISO 8601: a column each.",
    "month_name": "Name of the month.",
    "normalize": "Midnight of the day.",
    "round": "Rounded to a frequency, such as ``h``.",
    "strftime": "As strings of a format.",
    "to_timestamp": "The first, or last, moment of periods.",
    "total_seconds": "Durations in seconds.",
    "tz_convert": "The same moments in another zone.",
    "tz_localize": "The same local times as times of a zone; without a zone if None.",
}


class DatetimeMethods(Accessor):
    """Parts of dates and durations, row by row; pandas' own, so that results are its results.

    Parts are integers where it is known that no date is missing, and floats otherwise, as pandas has them for a series
    that misses one.

    Examples
    --------
    >>> import pandas as pd
    >>> import restride.dataframe as rd
    >>> t = rd.from_pandas(pd.Series(pd.to_datetime(["2024-02-29 12:30", "2025-01-01 08:00"])), npartitions=2)
    >>> t.dt.year.compute().tolist()
    [2024, 2025]
    >>> t.dt.day_name().compute().tolist()
    ['Thursday', 'Wednesday']
    >>> t.dt.floor("D").dt.strftime("%d.%m.%Y").compute().tolist()
    ['29.02.2024', '01.01.2025']
    """

    word = "dt"

    @property
    def tz(self) -> Any:
        """The zone; None if there is none."""
        return self._values().dt.tz

    @property
    def unit(self) -> str:
        """The unit in which dates and durations are stored."""
        return str(self._values().dt.unit)

    @property
    def freq(self) -> Any:
        """The frequency of periods; None of dates, as it is not looked for among their values."""
        dtype = self._values().dtype
        return dtype.freq if isinstance(dtype, pd.PeriodDtype) else None

    @property
    def dayofweek(self) -> Any:
        """Day of the week, from 0 for Monday."""
        return self.day_of_week  # type: ignore[attr-defined]

    @property
    def weekday(self) -> Any:
        """Day of the week, from 0 for Monday."""
        return self.day_of_week  # type: ignore[attr-defined]

    @property
    def dayofyear(self) -> Any:
        """Day of the year, from 1."""
        return self.day_of_year  # type: ignore[attr-defined]

    @property
    def daysinmonth(self) -> Any:
        """How many days the month has."""
        return self.days_in_month  # type: ignore[attr-defined]

    def to_period(self, freq: Any) -> Any:
        """The periods of a frequency that dates are in.

        Parameters
        ----------
        freq : str
            Such as ``M``; pandas would look for one among all dates if there were none.
        """
        return row_by_row(self._collection, to_period, freq)

    def to_pydatetime(self) -> Any:
        """Objects of `datetime.datetime`."""
        return row_by_row(self._collection, as_objects)

    def to_pytimedelta(self) -> Any:
        """Objects of `datetime.timedelta`."""
        return row_by_row(self._collection, as_objects)

    def _values(self) -> pd.Series:
        meta = self._collection.expr.meta
        return pd.Series([], dtype=meta.dtype) if isinstance(meta, pd.Index) else meta


add_methods(DatetimeMethods, "dt", _METHODS, None)
add_attributes(DatetimeMethods, "dt", _ATTRIBUTES)


def to_period(series: pd.Series, freq: Any) -> pd.Series:
    """Kernel: the periods that dates are in."""
    return series.dt.to_period(freq)


def as_objects(series: pd.Series) -> pd.Series:
    """Kernel: dates or durations as Python's own objects."""
    name = "to_pytimedelta" if series.dtype.kind == "m" else "to_pydatetime"
    values = getattr(pd.Index(series), name)()
    return pd.Series(values, dtype=object, index=series.index, name=series.name)
