"""Values of a record as a search's tables keep them."""

from collections.abc import Iterator
from typing import Any

from erp_adapters.netsuite.account.world import id_in

Rows = Iterator[tuple[str, dict[str, Any]]]
"""Of each row its table, and its columns."""


def flag(value: Any) -> str:
    return "T" if value is True or value == "T" else "F"


def number(value: Any) -> float | None:
    """A figure as SQLite keeps it: it has no decimals, and a double brings the 15 digits back that go in."""
    return None if value is None or value == "" else float(value)


def custom(fields: dict[str, Any]) -> dict[str, Any]:
    """The custom fields among these, as their columns: a reference is its id, a checkbox its flag."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name.lower().startswith("cust") and "_" in name:
            plain = flag(value) if isinstance(value, bool) else id_in(value) if isinstance(value, dict) else value
            found[name.lower()] = plain if plain is None else str(plain)
    return found
