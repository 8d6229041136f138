"""All years, a year, a month, a day: what a chart shows, and where its bars and arrows lead."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import MAXYEAR, date, time, timedelta
from typing import Any

from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _

ALL = "all"
_TEXT = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class BadPeriod(ValueError):
    """What is no year, month or day."""


@dataclass(frozen=True, slots=True)
class Column:
    """One bar's place: its name, its short name, and the period that it stands for (empty: none of its own)."""

    name: str
    short: str
    period: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """``month`` and ``day`` are 0 where it is longer; ``year`` is 0 for all years."""

    year: int = 0
    month: int = 0
    day: int = 0

    @classmethod
    def read(cls, text: str) -> Period:
        """``2025``, ``2025-06``, ``2025-06-01`` or ``all``; raises BadPeriod."""
        if text == ALL:
            return cls()
        found = _TEXT.fullmatch(text)
        try:
            if found is None:
                raise ValueError
            year, month, day = (int(part or 0) for part in found.groups())
            date(year, month if found[2] else 1, day if found[3] else 1)
        except ValueError as failure:
            raise BadPeriod(text[:40]) from failure
        return cls(year, month, day)

    @classmethod
    def of(cls, day: date, unit: str) -> Period:
        """The year, month or day in which that day lies."""
        return cls(day.year, day.month if unit != "year" else 0, day.day if unit == "day" else 0)

    def __str__(self) -> str:
        if not self.year:
            return ALL
        parts = [f"{self.year:04d}", *(f"{part:02d}" for part in (self.month, self.day) if part)]
        return "-".join(parts)

    @property
    def unit(self) -> str:
        return "day" if self.day else "month" if self.month else "year" if self.year else ALL

    @property
    def first(self) -> date | None:
        return date(self.year, self.month or 1, self.day or 1) if self.year else None

    @property
    def last(self) -> date | None:
        if not self.year:
            return None
        month = self.month or 12
        return date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    @property
    def name(self) -> str:
        """For a person."""
        if self.first is None:
            return _("All years")
        pattern = {"year": "Y", "month": "YEAR_MONTH_FORMAT", "day": "DATE_FORMAT"}[self.unit]
        return date_format(self.first, pattern)

    @property
    def wider(self) -> str:
        """The period around it; empty for all years."""
        if not self.year:
            return ""
        return str(Period(self.year if self.month else 0, self.month if self.day else 0))

    def beside(self, step: int) -> str:
        """The one before (-1) or after (1); empty at the ends of the calendar, and for all years."""
        if self.first is None or self.last is None:
            return ""
        try:
            day = self.first - timedelta(days=1) if step < 0 else self.last + timedelta(days=1)
        except OverflowError:
            return ""
        return str(Period.of(day, self.unit)) if day.year < MAXYEAR else ""

    def columns(self, years: range) -> dict[int, Column]:
        """Its parts by number: hours, days, months, or ``years``."""
        if self.day:
            names = {hour: time_format(time(hour), "H:i") for hour in range(24)}
            return {hour: Column(names[hour], str(hour)) for hour in names}
        if self.month:
            days = range(1, calendar.monthrange(self.year, self.month)[1] + 1)
            return {day: self._column(Period(self.year, self.month, day), str(day)) for day in days}
        if self.year:
            months = [Period(self.year, month) for month in range(1, 13)]
            return {one.month: self._column(one, date_format(one.first, "M")) for one in months}
        return {year: self._column(Period(year), str(year)) for year in years}

    def _column(self, period: Period, short: Any) -> Column:
        return Column(period.name, str(short), str(period))
