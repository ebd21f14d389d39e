"""The general ledger by query: every posted line of a period, in windows of the line's own key."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.options import Options
from erp_adapters.netsuite.suiteql import DAY, MOMENT, marks
from erp_adapters.netsuite.writing import PARTS_MAX
from hub.model.postings import ErpPosting
from hub.ports import EntityConfig
from mappings.netsuite.fields import Fields
from mappings.netsuite.postings import ChartMap, Named, order_of, posted_on, postings, whole_keys
from mappings.netsuite.words import CHANNEL, ORDER

AT_ONCE: Final = 200  # transactions whose orders and keys are asked for together
PARTED: Final = ("DepAppl", "Journal")
"""Records that may be a further part of a document, under a key of their own."""

LINES: Final = f"""
    SELECT tl.uniquekey, t.id, t.externalid, t.type, {DAY.format("t.trandate")} AS day,
        {DAY.format("ap.startdate")} AS begins, {DAY.format("ap.enddate")} AS ends,
        {MOMENT.format("t.lastmodifieddate")} AS modified, c.symbol, tl.subsidiary, t.entity,
        t.{CHANNEL}, t.{ORDER}, tal.account, a.acctnumber, tl.foreignamount, tal.amount
    FROM transactionaccountingline tal
        JOIN transaction t ON t.id = tal.transaction
        JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline
        JOIN account a ON a.id = tal.account
        JOIN accountingperiod ap ON ap.id = t.postingperiod
        LEFT JOIN currency c ON c.id = t.currency
    WHERE tal.posting = 'T' AND tal.accountingbook = 1
        AND ap.startdate <= TO_DATE(?, 'YYYY-MM-DD') AND ap.enddate >= TO_DATE(?, 'YYYY-MM-DD')
        AND tl.uniquekey > ?
    ORDER BY tl.uniquekey
"""  # noqa: S608 - ours
# What a document of several records has its first part in.
SIBLINGS: Final = f"""
    SELECT t.id, t.externalid FROM transaction t
    WHERE t.type IN ('DepAppl', 'CustRfnd') AND t.externalid IS NOT NULL AND t.{ORDER} IN ({{marks}})
    ORDER BY t.id
"""  # noqa: S608 - ours
# What a typed-in document comes from or is applied to, and which order that names.
LINKED: Final = f"""
    SELECT l.nextdoc, l.previousdoc, p.{CHANNEL}, p.{ORDER}
    FROM previoustransactionlinelink l JOIN transaction p ON p.id = l.previousdoc
    WHERE p.{ORDER} IS NOT NULL AND l.nextdoc IN ({{marks}})
    ORDER BY l.nextdoc, l.previousdoc
"""  # noqa: S608 - ours
# Customers that have bought once: whatever is theirs is of that order.
BOUGHT_ONCE: Final = f"""
    SELECT t.entity, MIN(t.{CHANNEL}) AS {CHANNEL}, MIN(t.{ORDER}) AS {ORDER}
    FROM transaction t
    WHERE t.type = 'SalesOrd' AND t.externalid IS NOT NULL AND t.{ORDER} IS NOT NULL AND t.entity IN ({{marks}})
    GROUP BY t.entity HAVING COUNT(*) = 1
    ORDER BY t.entity
"""  # noqa: S608 - ours


def rows(
    client: Client, options: Options, chart: ChartMap, entities: Sequence[EntityConfig], first: date, last: date
) -> Iterator[ErpPosting]:
    """What stands in the general ledger on these days, ours or not, by account and transaction.

    What was written within the last minutes may not be among it yet: searches lag behind.

    Raises:
        Rejected, RateLimited, Retryable, AuthExpired.
    """
    by_slug = {entity.slug: entity for entity in entities}
    by_subsidiary = {id: by_slug[slug] for slug, id in options.subsidiaries.items()}
    zone = ZoneInfo(options.time_zone)
    lines = client.walk(LINES, (last.isoformat(), first.isoformat()), key="uniquekey")
    for some in _batches(line for line in lines if first <= posted_on(line) <= last):
        heads = [of_one[0] for of_one in some]
        keys, orders = _whole(client, heads), _orders(client, heads)
        for of_one in some:
            head = of_one[0]
            entity = by_subsidiary.get(head.text("subsidiary") or "") if by_subsidiary else entities[0]
            if entity is not None:  # a subsidiary that is none of the hub's entities
                key = head.text("externalid") or ""
                named = order_of(head) or orders.get(head.needed("id"))
                yield from postings(of_one, chart, entity.slug, entity.functional, zone, keys.get(key, key), named)


def _batches(lines: Iterator[Fields]) -> Iterator[list[list[Fields]]]:
    """The lines of each transaction together, so many transactions at once."""
    some: list[list[Fields]] = []
    for _, of_one in groupby(lines, key=lambda line: line.needed("id")):
        some.append(list(of_one))
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _whole(client: Client, heads: Sequence[Fields]) -> Mapping[str, str]:
    """The document's key by the key of each further part."""
    orders = {head.text(ORDER) for head in heads if head.text("type") in PARTED and head.text("externalid")}
    found = _ask(client, SIBLINGS, [order for order in orders if order is not None])
    return whole_keys((row.needed("externalid") for row in found), PARTS_MAX)


def _orders(client: Client, heads: Sequence[Fields]) -> Mapping[str, Named]:
    """The order of each typed-in transaction that names none itself, by its internal id."""
    nameless = {head.needed("id"): head.text("entity") for head in heads if order_of(head) is None}
    found: dict[str, set[Named]] = {}
    for row in _ask(client, LINKED, list(nameless)):
        if (named := order_of(row)) is not None:
            found.setdefault(row.needed("nextdoc"), set()).add(named)
    linked = {id: next(iter(orders)) for id, orders in found.items() if len(orders) == 1}
    buyers = {who for id, who in nameless.items() if id not in found and who is not None}
    bought = {row.needed("entity"): order_of(row) for row in _ask(client, BOUGHT_ONCE, list(buyers))}
    by_buyer = {id: bought.get(who or "") for id, who in nameless.items() if id not in found}
    return linked | {id: named for id, named in by_buyer.items() if named is not None}


def _ask(client: Client, query: str, values: Sequence[str]) -> Iterator[Fields]:
    if values:
        yield from client.suiteql(query.format(marks=marks(values)), sorted(values))
