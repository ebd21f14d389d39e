"""The search language of `query:` arguments: terms, AND, OR, NOT, brackets, comparators, quotes, and its traps.

- A value that holds a colon must stand in quotes. Unquoted it falls apart, and the search then finds nothing.
- On stamps `>` behaves like `>=`.
- A field that the list does not know is ignored, with a warning in `extensions.search`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:(?P<bracket>[()])|(?P<minus>-)?
    (?:(?P<field>[A-Za-z_][\w.]*):(?P<comparator>>=|<=|>|<)?)?
    (?:'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)"|(?P<bare>[^\s()]+)))""",
    re.VERBOSE,
)

Test = Callable[[Mapping[str, Any]], bool]


@dataclass(slots=True)
class Search:
    """A parsed search: `matches` of one document's indexed fields, and what the vendor would warn of."""

    matches: Test
    warnings: list[dict[str, str]] = field(default_factory=list)


def parse(query: str | None, fields: frozenset[str]) -> Search:
    """What the query asks for, of documents that are indexed by `fields`."""
    reader = _Reader(query or "", fields)
    test = reader.either()
    return Search(test, reader.warnings)


class _Reader:
    def __init__(self, query: str, fields: frozenset[str]) -> None:
        self.tokens = list(_TOKEN.finditer(query))
        self.at = 0
        self.fields = fields
        self.warnings: list[dict[str, str]] = []

    def either(self) -> Test:
        tests = [self._all()]
        while self._word("OR"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)

    def _all(self) -> Test:
        tests: list[Test] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token["bracket"] == ")" or token["bare"] == "OR":
                break
            if self._word("AND"):
                continue
            tests.append(self._one())
        return lambda row: all(test(row) for test in tests)

    def _word(self, word: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at]["bare"] == word and not self.tokens[self.at]["field"]:
            self.at += 1
            return True
        return False

    def _one(self) -> Test:
        if self._word("NOT"):
            inner = self._one()
            return lambda row: not inner(row)
        token = self.tokens[self.at]
        self.at += 1
        if token["bracket"] == "(":
            inner = self.either()
            self.at += 1
            return inner
        test = self._term(token)
        return (lambda row: not test(row)) if token["minus"] else test

    def _term(self, token: re.Match[str]) -> Test:
        name, comparator = token["field"], token["comparator"] or "="
        quoted = token["single"] if token["single"] is not None else token["double"]
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token["bare"]
        if quoted is None and ":" in value:
            self.warnings.append(
                {"field": name or "default", "message": f"Input `{value}` is not a valid value.", "code": "invalid"}
            )
            return lambda row: False
        if name is None:
            return lambda row: any(value.lower() in str(item).lower() for item in row.values())
        if name not in self.fields:
            self.warnings.append(
                {"field": name, "message": "Invalid search field for this query.", "code": "invalid_field"}
            )
            return lambda row: True
        return lambda row: _compare(row.get(name), comparator, value)


def _compare(found: Any, comparator: str, value: str) -> bool:
    if found is None:
        return False
    if isinstance(found, datetime):
        return _compare_stamps(found, comparator, value)
    if isinstance(found, int) and not isinstance(found, bool):
        try:
            wanted = int(value.rpartition("/")[2])
        except ValueError:
            return False
        return {
            "=": found == wanted,
            ">": found > wanted,
            "<": found < wanted,
            ">=": found >= wanted,
            "<=": found <= wanted,
        }[comparator]
    if isinstance(found, bool):
        return found == (value.lower() == "true")
    words = [word.strip().lower() for word in value.split(",")]
    if isinstance(found, list | tuple):
        return any(str(item).lower() in words for item in found)
    return any(_like(str(found).lower(), word) for word in words)


def _like(found: str, word: str) -> bool:
    return found.startswith(word[:-1]) if word.endswith("*") else found == word


def _compare_stamps(found: datetime, comparator: str, value: str) -> bool:
    low, high = _span(value)
    if low is None or high is None:
        return False
    match comparator:
        case ">" | ">=":
            return found >= low
        case "<":
            return found < low
        case "<=":
            return found < high
        case _:
            return low <= found < high


def _span(value: str) -> tuple[datetime | None, datetime | None]:
    """The first moment that the value names and the first one after it: a date names a day, a stamp a second."""
    try:
        low = datetime.fromisoformat(value)
    except ValueError:
        return None, None
    if low.tzinfo is None:
        low = low.replace(tzinfo=UTC)
    return low, low + (timedelta(days=1) if len(value) == len("2026-11-01") else timedelta(seconds=1))
