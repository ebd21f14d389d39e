"""What NetSuite says, read whatever its release and its service spelled it like.

Names moved between releases (`billingaddress`, `billingAddress`) and SuiteQL gives them in lower case, so a name is
read in any case. An enum is a word in 2020 and `{id, refName}` in 2026; a number may be text; a flag is true, "T" or
"true"; what is empty is absent. A value of another shape is a fault with its path, never a guess.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

from hub.errors import Untranslatable
from hub.model.frozen import frozen
from hub.model.problems import Problem

NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII).fullmatch
TRUE: Final = (True, "T", "true")
FALSE: Final = (False, "F", "false")


@frozen
class Ref:
    """Another record that a field names."""

    id: str
    name: str | None = None  # as people know it; None: not told


class Fields:
    """A record, a row of a sublist, or a row of a query."""

    def __init__(self, said: Mapping[str, Any], path: str = "$") -> None:
        """
        Args:
            path: where it stands in what was said, for faults.
        """
        self.path = path
        self._said = {name.lower(): (name, value) for name, value in said.items()}

    def __contains__(self, name: str) -> bool:
        return self._value(name) is not None

    def __repr__(self) -> str:
        return f"Fields({self.path}: {', '.join(name for name, _ in self._said.values())})"

    def names(self) -> frozenset[str]:
        """The names as they were spelled."""
        return frozenset(name for name, _ in self._said.values())

    def raw(self) -> dict[str, Any]:
        """All of it, as it was said."""
        return dict(self._said.values())

    # --- one value; None: absent or empty ---------------------------------------------------------------------------

    def text(self, name: str) -> str | None:
        """A text; a number as its digits, a reference as its id."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, Mapping):
            return self._ref(name, value).id
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            self.fault(name, "not a text")
        return str(value)

    def needed(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            self.fault(name, "missing")
        return value

    def amount(self, name: str) -> Decimal | None:
        """A number, given as one or as text."""
        value = self._value(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            self.fault(name, "not a number")
        if isinstance(value, str) and not NUMBER(value.strip()):
            self.fault(name, f"not a number: {value[:40]!r}")
        try:
            return Decimal(value)
        except InvalidOperation:
            self.fault(name, "not a number")

    def whole(self, name: str) -> int | None:
        """A whole number."""
        value = self.amount(name)
        if value is not None and value != value.to_integral_value():
            self.fault(name, f"not a whole number: {value}")
        return None if value is None else int(value)

    def flag(self, name: str) -> bool | None:
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, bool | str) or value not in (*TRUE, *FALSE):
            self.fault(name, "neither true nor false")
        return value in TRUE

    def ref(self, name: str) -> Ref | None:
        """The record that a field names: an object with its id, or the id alone."""
        value = self._value(name)
        return None if value is None else self._ref(name, value)

    def code(self, name: str) -> str | None:
        """The word of an enum."""
        found = self.ref(name)
        return None if found is None else found.id

    def day(self, name: str) -> date | None:
        """A date. A moment is none: which day it is depends on a time zone."""
        value = self._value(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fault(name, f"not a date like 2026-03-02: {str(value)[:40]!r}")

    def moment(self, name: str) -> datetime | None:
        """A moment; one without an offset is in UTC, as the service writes it."""
        value = self._value(name)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            self.fault(name, f"not a moment: {str(value)[:40]!r}")
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)

    # --- parts -------------------------------------------------------------------------------------------------------

    def part(self, name: str) -> "Fields | None":
        """A subrecord, such as an address."""
        value = self._value(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fault(name, "not a subrecord")
        self._whole(name, value)
        return Fields(value, f"{self.path}.{name}")

    def rows(self, name: str) -> list["Fields"]:
        """The rows of a sublist, all of them; none where the record does not have the sublist.

        Raises:
            Untranslatable: it came as a link, or not whole: it was read without its sub-resources.
        """
        value = self._value(name)
        if value is None:
            return []
        if isinstance(value, Mapping):
            sublist = Fields(value, f"{self.path}.{name}")
            listed = sublist._value("items")
            if listed is None:
                self.fault(name, "a link in place of its rows: the record was read without expandSubResources")
            total = sublist.whole("totalResults")
            if isinstance(listed, list) and total is not None and total != len(listed):
                self.fault(name, f"{len(listed)} of {total} rows: not whole")
        else:
            listed = value
        if not isinstance(listed, list) or not all(isinstance(row, Mapping) for row in listed):
            self.fault(name, "not a list of rows")
        return [Fields(row, f"{self.path}.{name}.items[{index}]") for index, row in enumerate(listed)]

    def _ref(self, name: str, value: Any) -> Ref:
        if isinstance(value, Mapping):
            inner = Fields(value, f"{self.path}.{name}")
            return Ref(inner.needed("id"), inner.text("refName"))
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.fault(name, "not a reference")
        return Ref(str(value))

    def _value(self, name: str) -> Any:
        found = self._said.get(name.lower(), (name, None))[1]
        return None if found == "" else found

    def _whole(self, name: str, value: Mapping[str, Any]) -> None:
        if set(value) == {"links"}:
            self.fault(name, "a link in place of its fields: the record was read without expandSubResources")

    def fault(self, name: str, message: str) -> NoReturn:
        """
        Raises:
            Untranslatable: always, with the path of the field.
        """
        raise Untranslatable((Problem(f"{self.path}.{name}", message),))
