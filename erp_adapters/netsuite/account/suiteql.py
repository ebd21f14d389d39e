"""SuiteQL over the account: what a query answers, and how it is refused."""

import threading
from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from erp_adapters.netsuite.account import dialect
from erp_adapters.netsuite.account.database import Database, settings_of
from erp_adapters.netsuite.account.dialect import SEARCH_FAILED, QueryError
from erp_adapters.netsuite.account.world import World

__all__ = ["PAGE_ROWS_MAX", "REACHABLE_ROWS_MAX", "QueryError", "run"]

PAGE_ROWS_MAX: Final = 1000
REACHABLE_ROWS_MAX: Final = 100_000  # over all offsets of one query
SERVER_FAULT_CHANCE: Final = 0.25  # how often a query that cannot be read is a server fault instead

_databases: "WeakKeyDictionary[World, Database]" = WeakKeyDictionary()
_making: Final = threading.Lock()


def run(world: World, q: str, params: Sequence[Any], limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
    """One page of what the query finds now, and how many rows it finds in all.

    A row has lower-case names, texts only and no empty column, and `links`. Without an ORDER BY the order of the rows
    is the account's whim, anew for each page [G].

    Raises:
        QueryError: it is refused.
    """
    if not 1 <= limit <= PAGE_ROWS_MAX:
        raise QueryError(f"Invalid limit {limit}: it must be between 1 and {PAGE_ROWS_MAX}.")
    if offset < 0 or offset % limit:
        raise QueryError(f"Invalid offset {offset}: it must be a multiple of the limit.")  # [G]
    if offset + limit > REACHABLE_ROWS_MAX:
        raise QueryError(f"Only the first {REACHABLE_ROWS_MAX} rows of a query can be reached.")
    with _making:
        database = _databases.get(world)
        if database is None or database.settings != settings_of(world):
            database = _databases[world] = Database(world)
    try:
        found = database.ask(world, q, params)
    except QueryError as refusal:
        if refusal.detail.startswith(SEARCH_FAILED) and world.chance.random() < SERVER_FAULT_CHANCE:
            mark = "".join(world.chance.choices("abcdefghijklmnopqrstuvwxyz", k=20))
            detail = f"An unexpected error occurred. Error ID: {mark}"
            raise QueryError(detail, status=500, code="UNEXPECTED_ERROR") from None
        raise
    if len(found) > limit and not dialect.is_ordered(q):
        found = world.chance.sample(found, len(found))
    return [dict(row) for row in found[offset : offset + limit]], len(found)
