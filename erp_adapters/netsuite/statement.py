"""Statements by query: every order, refund and payment of a period, in windows of the internal id."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from erp_adapters.netsuite.client import Client
from erp_adapters.netsuite.options import Options
from erp_adapters.netsuite.suiteql import DAY, MOMENT, marks
from hub.model.completeness import DayTally
from hub.model.documents import Component
from hub.model.money import rounded_minor
from hub.model.statement import ErpRow
from mappings.netsuite.fields import Fields
from mappings.netsuite.statement import Amounts, amounts_of, charge_items, erp_row
from mappings.netsuite.words import CANCELLED, CHANNEL, ORDER, REVISION, SUBJECT, VOIDED

HEADERS_AT_ONCE: Final = 200  # whose rows are asked for together

HEADERS: Final = f"""
    SELECT t.id, t.externalid, t.type, {DAY.format("t.trandate")} AS day,
        {MOMENT.format("t.lastmodifieddate")} AS modified,
        c.symbol, t.foreigntotal, t.voided, t.otherrefnum, t.memo, tl.subsidiary,
        t.{CHANNEL}, t.{ORDER}, t.{SUBJECT}, t.{REVISION}, t.{CANCELLED}
    FROM transaction t
        JOIN currency c ON c.id = t.currency
        JOIN transactionline tl ON tl.transaction = t.id AND tl.mainline = 'T'
    WHERE (t.type IN ('SalesOrd', 'CustDep', 'CustPymt', 'CustRfnd', 'CashSale', 'CashRfnd')
            OR (t.type = 'Journal' AND t.externalid LIKE 'ref-%'))
        AND t.trandate >= TO_DATE(?, 'YYYY-MM-DD') AND t.trandate <= TO_DATE(?, 'YYYY-MM-DD') AND t.id > ?
    ORDER BY t.id
"""  # noqa: S608 - ours
TALLY: Final = f"""
    SELECT t.{CHANNEL} AS channel, {DAY.format("t.trandate")} AS day, c.symbol, COUNT(t.id) AS orders,
        SUM(t.foreigntotal) AS total
    FROM transaction t JOIN currency c ON c.id = t.currency
    WHERE t.type = 'SalesOrd' AND (t.{REVISION} IS NULL OR t.{REVISION} <> '{VOIDED}')
        AND t.trandate >= TO_DATE(?, 'YYYY-MM-DD') AND t.trandate <= TO_DATE(?, 'YYYY-MM-DD')
    GROUP BY t.{CHANNEL}, {DAY.format("t.trandate")}, c.symbol
    ORDER BY t.{CHANNEL}, {DAY.format("t.trandate")}, c.symbol
"""  # noqa: S608 - ours
ROWS: Final = """
    SELECT tl.uniquekey, tl.transaction, tl.foreignamount, tl.taxline, tl.isclosed, tl.itemtype, i.itemid,
        tl.{line_field}
    FROM transactionline tl LEFT JOIN item i ON i.id = tl.item
    WHERE tl.mainline = 'F' AND tl.transaction IN ({marks})
    ORDER BY tl.uniquekey
"""


def rows(client: Client, options: Options, entities: Sequence[str], first: date, last: date) -> Iterator[ErpRow]:
    """The orders, refunds and payments dated in the period, ours or not, voided ones marked; by internal id.

    What was written within the last minutes may not be among them yet: searches lag behind.

    Raises:
        Rejected, RateLimited, Retryable, AuthExpired.
    """
    by_subsidiary = {id: entity for entity, id in options.subsidiaries.items()}
    zone = ZoneInfo(options.time_zone)
    charges = charge_items(options.items.model_dump())
    headers = client.walk(HEADERS, (first.isoformat(), last.isoformat()))
    while some := list(islice(headers, HEADERS_AT_ONCE)):
        amounts = _amounts(client, [x for x in some if x.needed("type") == "SalesOrd"], charges, options.line_field)
        for header in some:
            entity = by_subsidiary.get(header.text("subsidiary") or "") if by_subsidiary else entities[0]
            if entity is not None:  # a subsidiary that is none of the hub's entities
                yield erp_row(header, amounts.get(header.needed("id")), entity, zone)


def tally(client: Client, first: date, last: date) -> Iterator[DayTally]:
    """How many orders stand of each day, by channel and currency, and their sum: one query for all of it.

    A sum counts rows that are closed too, so an order that was cancelled in part makes its day be read.
    """
    for row in client.suiteql(TALLY, (first.isoformat(), last.isoformat())):
        day, currency = row.day("day"), row.needed("symbol")
        if day is not None:
            total_minor = rounded_minor(row.amount("total") or Decimal(0), currency)
            yield DayTally(row.text("channel") or "", day, currency, row.whole("orders") or 0, total_minor)


def _amounts(
    client: Client, orders: Sequence[Fields], charges: Mapping[str, Component], line_field: str
) -> dict[str, Amounts]:
    lines: dict[str, list[Fields]] = {}
    if orders:
        ids = [header.needed("id") for header in orders]
        query = ROWS.format(line_field=line_field, marks=marks(ids))
        for row in client.suiteql(query, ids):
            lines.setdefault(row.needed("transaction"), []).append(row)
    return {id: amounts_of(some, charges, line_field) for id, some in lines.items()}
