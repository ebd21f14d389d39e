"""The queries that the adapter asks, their rows as values: what a name stands for in this account.

Texts are compared as they are; more than one match is an alarm for the caller, so every match is given.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Final

from erp_adapters.netsuite.client import Client
from hub.errors import Rejected
from hub.model.frozen import frozen
from mappings.netsuite.fields import Fields

NAMES_AT_ONCE: Final = 500  # bound in one query

# A date as text is in the user's own format else.
DAY: Final = "TO_CHAR({0}, 'YYYY-MM-DD')"
MOMENT: Final = "TO_CHAR({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS')"
HELD: Final = (
    f"SELECT t.id, t.externalid, t.type, {DAY.format('t.trandate')} AS day, "  # noqa: S608 - ours
    f"{MOMENT.format('t.lastmodifieddate')} AS modified FROM transaction t"
)


@frozen
class Named:
    """A record of the account's set-up."""

    id: str
    name: str  # by which it was asked for
    kind: str = ""  # of an item, NetSuite's word: InvtPart, NonInvtPart, OthCharge, Discount …; of an account, its type
    inactive: bool = False


@frozen
class Held:
    """A transaction in short."""

    id: str
    key: str | None  # its external id; None: it has none
    type: str  # SalesOrd, CustInvc …
    day: date
    modified: str | None  # by the clock of the integration's user, so nothing but another of these compares with it


def items(client: Client, codes: Iterable[str]) -> dict[str, Named]:
    """The items with these codes; one that is not there is absent.

    Raises:
        Rejected: two items have one code.
    """
    return _named(client, "item", "itemid", codes, kind="itemtype")


def accounts(client: Client, numbers: Iterable[str]) -> dict[str, Named]:
    """The accounts with these numbers; as `items`."""
    return _named(client, "account", "acctnumber", numbers, kind="accttype")


def locations(client: Client, names: Iterable[str]) -> dict[str, Named]:
    """The locations with these names; as `items`."""
    return _named(client, "location", "name", names)


def currencies(client: Client, codes: Iterable[str]) -> dict[str, Named]:
    """The currencies with these ISO codes; as `items`."""
    return _named(client, "currency", "symbol", codes)


def tax_codes(client: Client, names: Iterable[str]) -> dict[str, Named]:
    """The tax codes with these names; as `items`."""
    return _named(client, "salestaxitem", "itemid", names)


def tax_types(client: Client, names: Iterable[str]) -> dict[str, Named]:
    """The tax types with these names; as `items`."""
    return _named(client, "taxtype", "name", names)


def customers(client: Client, keys: Iterable[str]) -> dict[str, Named]:
    """The customers with these external ids; as `items`."""
    return _named(client, "customer", "externalid", keys)


def transactions(client: Client, keys: Iterable[str]) -> dict[str, list[Held]]:
    """The transactions with these external ids, whatever their type. A query may lag behind a write: a probe `get`s."""
    found: dict[str, list[Held]] = {}
    for some in _some(keys):
        query = f"{HELD} WHERE t.externalid IN ({_marks(some)}) ORDER BY t.id"
        for row in client.suiteql(query, some):
            held = held_of(row)
            found.setdefault((held.key or "").lower(), []).append(held)
    return found


def held_of(row: Fields) -> Held:
    """A transaction from a row with id, externalid, type, day and modified."""
    day = row.day("day")
    if day is None:
        row.fault("day", "missing")
    return Held(row.needed("id"), row.text("externalid"), row.needed("type"), day, row.text("modified"))


def _named(client: Client, table: str, column: str, names: Iterable[str], kind: str = "") -> dict[str, Named]:
    found: dict[str, Named] = {}
    for some in _some(names):
        columns = f"id, {column} AS name, isinactive" + (f", {kind} AS kind" if kind else "")
        query = f"SELECT {columns} FROM {table} WHERE {column} IN ({_marks(some)}) ORDER BY id"  # noqa: S608 - ours
        for row in client.suiteql(query, some):
            one = Named(row.needed("id"), row.needed("name"), row.text("kind") or "", row.flag("isinactive") or False)
            if one.name in found:
                raise Rejected(
                    f"{client.slug}: two {table} records are called {one.name!r}: {found[one.name].id}, {one.id}",
                    code=f"ambiguous_{table}",
                    field=table,
                    remedy=f"rename one of the two in NetSuite: {found[one.name].id} and {one.id}",
                )
            found[one.name] = one
    return found


def _some(names: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = iter(dict.fromkeys(names))
    while some := tuple(islice(rest, NAMES_AT_ONCE)):
        yield some


def _marks(names: Sequence[str]) -> str:
    return ", ".join("?" * len(names))
