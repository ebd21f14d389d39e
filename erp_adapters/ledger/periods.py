"""Accounting periods: calendar months, written 2026-10."""

import datetime
import re
from collections.abc import Set
from typing import Final

MONTHS_MAX: Final = 1200  # how far the first open day is looked for

_PERIOD = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def period_of(day: datetime.date) -> str:
    return day.isoformat()[:7]


def last_day(period: str) -> datetime.date:
    """The last day of a period.

    Raises:
        ValueError: not a period.
    """
    return _next_month(first_day(period)) - datetime.timedelta(days=1)


def first_day(period: str) -> datetime.date:
    """The first day of a period.

    Raises:
        ValueError: not a period.
    """
    found = _PERIOD.fullmatch(period)
    if not found or found[1] in ("0000", "9999"):
        raise ValueError(f"not a period like 2026-10: {period!r}")
    return datetime.date(int(found[1]), int(found[2]), 1)


def first_open_day(closed: Set[tuple[str, str]], entity: str, day: datetime.date) -> datetime.date:
    """The day itself, or the first day of the next period that is open for the entity."""
    for _ in range(MONTHS_MAX):
        if (entity, period_of(day)) not in closed:
            break
        day = _next_month(day.replace(day=1))
    return day


def _next_month(first: datetime.date) -> datetime.date:
    return (first + datetime.timedelta(days=31)).replace(day=1)
