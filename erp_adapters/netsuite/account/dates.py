"""Dates as a search compares and shows them.

Inside the database a date is a text with a mark before it, `\\x01YYYY-MM-DD HH:MM:SS`, so that it sorts as it should
and is never taken for a text that only looks like one.
"""

import re
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

MARK: Final = "\x01"
_MONTHS: Final = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()

_PARTS: Final = {
    "YYYY": r"(?P<year>\d{4})",
    "HH24": r"(?P<hour>\d{1,2})",
    "MON": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})",
    "SS": r"(?P<second>\d{1,2})",
}
_FORMAT: Final = re.compile(r'YYYY|HH24|MON|MM|DD|MI|SS|"[^"]*"|[^A-Za-z"]', re.IGNORECASE)


def moment(at: datetime, zone: str) -> str:
    """This moment as a clock in `zone` shows it, to the second."""
    return f"{MARK}{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def day(text: object) -> str | None:
    """A date of a record, `YYYY-MM-DD`; None stays None."""
    return f"{MARK}{str(text)[:10]} 00:00:00" if text else None


def is_date(value: object) -> bool:
    return isinstance(value, str) and value.startswith(MARK)


def parse(text: str, form: str) -> str:
    """TO_DATE: what is missing is zero, or the first.

    Raises:
        ValueError: the text is not of this form, or the form has a part that is not served.
    """
    pattern = "".join(_PARTS.get(part.upper(), re.escape(part.strip('"'))) for part in _split(form))
    match = re.fullmatch(pattern, text.strip())
    if match is None:
        raise ValueError(f"{text} is not a date of the form {form}")
    found = match.groupdict()
    if not found.get("year"):
        raise ValueError(f"{form} has no year")
    month = _MONTHS.index(found["name"].upper()) + 1 if found.get("name") else int(found.get("month") or 1)
    hour, minute, second = (int(found.get(part) or 0) for part in ("hour", "minute", "second"))
    read = datetime(int(found["year"]), month, int(found.get("day") or 1), hour, minute, second)  # noqa: DTZ001
    return f"{MARK}{read:%Y-%m-%d %H:%M:%S}"


def show(value: str, form: str) -> str:
    """TO_CHAR of a date.

    Raises:
        ValueError: the form has a part that is not served.
    """
    at = datetime.fromisoformat(value.removeprefix(MARK))
    texts = {
        "YYYY": f"{at:%Y}",
        "HH24": f"{at:%H}",
        "MON": _MONTHS[at.month - 1],
        "MM": f"{at:%m}",
        "DD": f"{at:%d}",
        "MI": f"{at:%M}",
        "SS": f"{at:%S}",
    }
    return "".join(texts.get(part.upper(), part.strip('"')) for part in _split(form))


def in_account(value: str, form: str) -> str:
    """The date as the account's preference shows it: a moment loses its time of day [G]."""
    at = date.fromisoformat(value.removeprefix(MARK)[:10])
    parts = {"YYYY": str(at.year), "MM": f"{at.month:02}", "DD": f"{at.day:02}", "M": str(at.month), "D": str(at.day)}
    return re.sub("YYYY|MM|DD|M|D", lambda match: parts[match.group()], form)


def from_account(text: str, form: str) -> str:
    """A date typed as the account's preference has it, with or without leading zeros.

    Raises:
        ValueError: it is of another form, ISO 8601 among them.
    """
    return parse(text, re.sub(r"M+", "MM", re.sub(r"D+", "DD", form)))


def _split(form: str) -> list[str]:
    parts = _FORMAT.findall(form)
    if "".join(parts) != form:
        raise ValueError(f"{form} has a part that is not served")
    return parts
