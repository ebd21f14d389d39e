"""Connections: a page of a list, with the cursors that the vendor gives."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

FIRST_MAX = 250


@dataclass(frozen=True, slots=True)
class Row:
    """One place in a sorted list; the node is composed only where a page shows it."""

    value: str  # what the list is sorted by, as the cursor says it
    number: int  # the id, which breaks ties
    load: Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows in their order, sorted by (value, number), both downwards where `reverse` was asked for."""

    rows: Sequence[Row]
    reverse: bool = False


def page(found: Listing | Sequence[dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
    """The connection's object: edges, nodes, pageInfo.

    Raises:
        GraphQLError: the arguments name no page.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if (first is None) == (last is None):
        raise GraphQLError("you must provide one of first or last", extensions={"code": "BAD_REQUEST"})
    size = first if first is not None else last
    if not isinstance(size, int) or not 0 < size <= FIRST_MAX:
        name = "first" if first is not None else "last"
        raise GraphQLError(
            f"Argument '{name}' has an invalid value ({size}). It must be between 1 and {FIRST_MAX}.",
            extensions={"code": "BAD_REQUEST"},
        )
    listing = found if isinstance(found, Listing) else _numbered(found, reverse=bool(arguments.get("reverse")))
    rows, low, high = listing.rows, 0, len(listing.rows)
    if (after := arguments.get("after")) is not None:
        low = _place(listing, _read(after), past=True)
    if (before := arguments.get("before")) is not None:
        high = _place(listing, _read(before), past=False)
    start, stop = (low, min(high, low + size)) if first is not None else (max(low, high - size), high)
    shown = [(_cursor(row), row.load()) for row in rows[start:stop]]
    return {
        "edges": [{"cursor": cursor, "node": node} for cursor, node in shown],
        "nodes": [node for _, node in shown],
        "pageInfo": {
            "hasNextPage": stop < len(rows),
            "hasPreviousPage": start > 0,
            "startCursor": shown[0][0] if shown else None,
            "endCursor": shown[-1][0] if shown else None,
        },
    }


def whole(found: Listing | Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All of the list as one page."""
    rows = found.rows if isinstance(found, Listing) else _numbered(found, reverse=False).rows
    nodes = [row.load() for row in rows]
    edges = [{"cursor": _cursor(row), "node": node} for row, node in zip(rows, nodes, strict=True)]
    nowhere = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    return {"edges": edges, "nodes": nodes, "pageInfo": nowhere}


def _numbered(nodes: Sequence[dict[str, Any]], *, reverse: bool) -> Listing:
    """Nodes in the order given: the position is what they are sorted by."""
    rows = [Row(f"{at:09d}", at, lambda node=node: node) for at, node in enumerate(nodes)]  # type: ignore[misc]
    return Listing(rows[::-1] if reverse else rows, reverse)


def _place(listing: Listing, key: tuple[str, int], *, past: bool) -> int:
    """How many rows stand before the cursor's place, and with `past` also at it; its row may be gone by now."""
    for at, row in enumerate(listing.rows):
        mine = (row.value, row.number)
        beyond = mine < key if listing.reverse else mine > key
        if beyond or (not past and mine == key):
            return at
    return len(listing.rows)


def _cursor(row: Row) -> str:
    return base64.b64encode(
        json.dumps({"last_id": row.number, "last_value": row.value}, separators=(",", ":")).encode()
    ).decode()


def _read(cursor: Any) -> tuple[str, int]:
    try:
        found = json.loads(base64.b64decode(str(cursor), validate=True))
        return str(found["last_value"]), int(found["last_id"])
    except (ValueError, KeyError, TypeError):
        raise GraphQLError(f"Invalid cursor: {cursor}", extensions={"code": "BAD_REQUEST"}) from None
