"""A merchant's own fields: JMESPath expressions over the raw document fill named fields of an order.

Pure, and compiled once. What an expression does not find changes nothing; what it finds and is not of the field's type
is a problem of the record, and changes nothing either.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

import jmespath
from jmespath.exceptions import JMESPathError

from hub.errors import Misconfigured
from hub.model.facts import Fact
from hub.model.order import Snapshot
from hub.model.overlays import OverlayField, Overlays
from hub.model.problems import Problem

CODE: Final = "overlay"
TEXT_CHARS_MAX: Final = 200
SHOWN_CHARS_MAX: Final = 60
LAST_SECOND: Final = time(23, 59, 59)
"""Until when a day that was promised lasts."""

# What the library lets through of Python's own when an expression meets what it was not written for.
RAISED: Final = (JMESPathError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)


class _Unfit(Exception):
    """A value is not what the field holds."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """Expressions of one channel, compiled."""

    fields: tuple[tuple[OverlayField, tuple[Any, ...]], ...]
    timezone: ZoneInfo  # where a day without a time of day ends

    def laid_over(self, facts: Sequence[Fact], document: object) -> tuple[tuple[Fact, ...], tuple[Problem, ...]]:
        """The facts of a document, the order among them as the overlays have it, and what did not fit."""
        values, problems = self._values(document)
        if not values:
            return tuple(facts), problems
        changed = tuple(
            replace(fact, body=replace(fact.body, **values)) if isinstance(fact.body, Snapshot) else fact
            for fact in facts
        )
        return changed, problems

    def _values(self, document: object) -> tuple[dict[str, Any], tuple[Problem, ...]]:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for name, expressions in self.fields:
            for at, expression in enumerate(expressions):
                try:
                    found = expression.search(document)
                    if found is None:
                        continue
                    values[name.value] = _READERS[name](found, self.timezone)
                except _Unfit as unfit:
                    problems.append(_problem(name, at, expression, str(unfit)))
                except RAISED as fault:
                    problems.append(_problem(name, at, expression, " ".join(str(fault).split())))
                    continue
                break
        return values, tuple(problems)


def is_expression(text: str) -> bool:
    """Whether it is JMESPath."""
    try:
        jmespath.compile(text)
    except JMESPathError:
        return False
    return True


def found_in(document: object, expression: str) -> Any:
    """What an expression finds in a document; None: nothing.

    Raises:
        ValueError: it meets what it was not written for.
    """
    try:
        return jmespath.search(expression, document)
    except RAISED as fault:
        raise ValueError(" ".join(str(fault).split())) from None


def compiled(overlays: Overlays, timezone: str) -> Overlay | None:
    """The expressions, ready to be used; None where there are none.

    Raises:
        Misconfigured: one is no JMESPath.
    """
    if not overlays:
        return None
    try:
        fields = tuple(
            (name, tuple(jmespath.compile(expression) for expression in expressions))
            for name, expressions in overlays.items()
        )
    except JMESPathError as fault:
        raise Misconfigured(f"overlays: {' '.join(str(fault).split())}") from None
    return Overlay(fields, ZoneInfo(timezone))


def _problem(name: OverlayField, at: int, expression: Any, message: str) -> Problem:
    return Problem(f"overlays.{name.value}[{at}]", f"{expression.expression}: {message}"[:500], CODE)


def _text(found: object, _timezone: ZoneInfo) -> str:
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found.strip():
        raise _Unfit(f"expected text, found {_shown(found)}")
    if len(found) > TEXT_CHARS_MAX:
        raise _Unfit(f"text of {len(found)} characters; at most {TEXT_CHARS_MAX} are read")
    return found.strip()


def _flag(found: object, _timezone: ZoneInfo) -> bool:
    if not isinstance(found, bool):
        raise _Unfit(f"expected true or false, found {_shown(found)}; compare it, as in contains(tags, 'b2b')")
    return found


def _moment(found: object, timezone: ZoneInfo) -> datetime:
    """A moment with its offset; a day alone is promised until its end."""
    try:
        if not isinstance(found, str):
            raise ValueError
        text = found.strip().replace("/", "-")
        if len(text) == len("2026-11-30"):
            return datetime.combine(date.fromisoformat(text), LAST_SECOND, timezone)
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
    except ValueError:
        raise _Unfit(f"expected a day like 2026-11-30 or a moment with its offset, found {_shown(found)}") from None
    return at


def _shown(found: object) -> str:
    match found:
        case dict():
            return "an object"
        case list():
            return "a list; take one of it, as in … | [0]"
        case str() if not found.strip():
            return "empty text"
        case _:
            return f"{str(found)[:SHOWN_CHARS_MAX]!r}"


_READERS: Final[Mapping[OverlayField, Callable[[object, ZoneInfo], Any]]] = {
    OverlayField.PO_NUMBER: _text,
    OverlayField.PROMISED_SHIP_BY: _moment,
    OverlayField.PROMISED_DELIVERY_BY: _moment,
    OverlayField.BUSINESS: _flag,
    OverlayField.SHIP_METHOD: _text,
    OverlayField.CUSTOMER_CLASS: _text,
    OverlayField.SOURCE: _text,
}
