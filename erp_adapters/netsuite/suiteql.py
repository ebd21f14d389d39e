"""The queries that the adapter asks, their rows as values: what a name stands for in this account.

Texts are compared as they are; more than one match is an alarm for the caller, so every match is given.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from erp_adapters.netsuite.client import Client
from hub.errors import Rejected
from hub.model.frozen import frozen

NAMES_AT_ONCE: Final = 500  # bound in one query

# A date as text is in the user's own format else.
DAY: Final = "TO_CHAR({0}, 'YYYY-MM-DD')"
MOMENT: Final = "TO_CHAR({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS')"


@frozen
class Named:
    """A record of the account's set-up."""

    id: str
    name: str  # by which it was asked for
    kind: str = ""  # of an item, NetSuite's word: InvtPart, NonInvtPart, OthCharge, Discount …; of an account, its type
    inactive: bool = False


def some_at_once(names: Iterable[str], most: int) -> Iterator[tuple[str, ...]]:
    """The names, each once, so many together as one query binds."""
    rest = iter(dict.fromkeys(names))
    while some := tuple(islice(rest, most)):
        yield some


def marks(names: Sequence[str]) -> str:
    """A parameter for each, to stand in `IN (…)`."""
    return ", ".join("?" * len(names))


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


def departments(client: Client, names: Iterable[str]) -> dict[str, Named]:
    """The departments with these full names, "Parent : Child"; as `items`."""
    return _named(client, "department", "fullname", names)


def classes(client: Client, names: Iterable[str]) -> dict[str, Named]:
    """The classes with these full names; as `items`."""
    return _named(client, "classification", "fullname", names)


def currencies(client: Client, codes: Iterable[str]) -> dict[str, Named]:
    """The currencies with these ISO codes; as `items`."""
    return _named(client, "currency", "symbol", codes)


def tax_codes(client: Client, names: Iterable[str]) -> dict[str, Named]:
    """The tax codes with these names; as `items`."""
    return _named(client, "salestaxitem", "itemid", names)


def tax_types(client: Client, names: Iterable[str]) -> dict[str, Named]:
    """The tax types with these names; as `items`."""
    return _named(client, "taxtype", "name", names)


def _named(client: Client, table: str, column: str, names: Iterable[str], kind: str = "") -> dict[str, Named]:
    found: dict[str, Named] = {}
    for some in some_at_once(names, NAMES_AT_ONCE):
        columns = f"id, {column} AS name, isinactive" + (f", {kind} AS kind" if kind else "")
        query = f"SELECT {columns} FROM {table} WHERE {column} IN ({marks(some)}) ORDER BY id"  # noqa: S608 - ours
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
