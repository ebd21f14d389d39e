"""What the ledger says of its books, from posted entries alone."""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, case, func, or_, select

from erp_adapters.ledger import schema
from erp_adapters.ledger.documents import ref_of
from hub.books import Chart, Role
from hub.model.money import spread
from hub.model.postings import ErpPosting
from hub.ports import Cost

BUCKETS: Final = {"0-30": 30, "31-60": 60, "61-90": 90, "over 90": None}
"""Days since the debt arose, the last bucket without end."""

ROWS_AT_ONCE: Final = 1000


def accounts(connection: Connection, chart: Chart) -> list[dict[str, Any]]:
    rows = {
        x.number: {"id": x.number, "number": x.number, "name": x.name, "type": str(x.type), "role": str(x.role)}
        for x in chart.accounts
    }
    for found in connection.execute(select(schema.account)).mappings():
        rows[found["id"]] = dict(found)
    return [rows[id] for id in sorted(rows)]


def trial_balance(connection: Connection, until: datetime.date | None) -> list[dict[str, Any]]:
    entry, posting, account = schema.entry.c, schema.posting.c, schema.account.c
    of = (entry.entity, posting.account, account.name, account.type, posting.currency, entry.functional)
    rows = (
        select(*of, func.sum(posting.amount_minor).label("amount"), func.sum(posting.functional_minor).label("worth"))
        .join_from(schema.posting, schema.entry, posting.entry == entry.id)
        .join(schema.account, posting.account == account.id)
        .where(entry.posted)
        .group_by(*of)
        .order_by(entry.entity, posting.account, posting.currency)
    )
    if until is not None:
        rows = rows.where(entry.date <= until)
    return [
        {
            "entity": x.entity,
            "account": x.account,
            "name": x.name,
            "type": x.type,
            "currency": x.currency,
            "debit_minor": max(int(x.amount), 0),
            "credit_minor": max(-int(x.amount), 0),
            "balance_minor": int(x.amount),
            "functional": x.functional,
            "functional_minor": int(x.worth),
        }
        for x in connection.execute(rows)
    ]


def journal(
    connection: Connection, first: datetime.date | None, last: datetime.date | None
) -> Iterator[dict[str, Any]]:
    entry, posting, document = schema.entry.c, schema.posting.c, schema.document.c
    rows = (
        select(
            entry.id, entry.cause, entry.reverses, entry.date, entry.original_date, entry.entity, entry.memo,
            entry.functional, document.id.label("document_id"), document.key, document.kind, document.channel,
            document.order_id, document.reference,
            posting.account, posting.amount_minor, posting.currency, posting.functional_minor,
        )
        .join_from(schema.entry, schema.posting, posting.entry == entry.id)
        .join(schema.document, entry.document == document.id)
        .where(entry.posted)
        .order_by(entry.id, posting.line)
    )  # fmt: skip
    if first is not None:
        rows = rows.where(entry.date >= first)
    if last is not None:
        rows = rows.where(entry.date <= last)
    with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(rows) as found:
        for _, postings in groupby(found, key=lambda x: x.id):
            yield _entry(list(postings))


def postings(connection: Connection, first: datetime.date, last: datetime.date) -> Iterator[ErpPosting]:
    """What each document stands for on each account and day; what its reversals took back is gone."""
    entry, posting, document = schema.entry.c, schema.posting.c, schema.document.c
    of_document = ("id", "key", "kind", "channel", "order_id", "by_hand", "version")
    of = (*(document[name] for name in of_document), entry.entity, entry.date, posting.account, posting.currency)
    amount, worth = func.sum(posting.amount_minor), func.sum(posting.functional_minor)
    rows = (
        select(*of, amount.label("amount"), worth.label("worth"), func.count().label("lines"))
        .join_from(schema.posting, schema.entry, posting.entry == entry.id)
        .join(schema.document, entry.document == document.id)
        .where(entry.posted, entry.date.between(first, last))
        .group_by(*of)
        .having(or_(amount != 0, worth != 0))
    )
    with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(rows) as found:
        for x in found:
            yield ErpPosting(
                document=x.key or "",
                ref=ref_of(x.kind, x.id),
                kind=x.kind,
                entity=x.entity,
                date=x.date,
                channel=x.channel,
                order=x.order_id,
                account=x.account,
                currency=x.currency,
                amount_minor=int(x.amount),
                functional_minor=int(x.worth),
                by_hand=x.by_hand,
                version=x.version,
                lines=x.lines,
            )


def costs(connection: Connection, first: datetime.date, last: datetime.date) -> Iterator[Cost]:
    """The postings to cost of goods sold in these days, by document and account, split over the items it moved.

    The split goes by what the document's moves cost in all, so that one amended goes by what it moves now.
    """
    entry, posting, account, document = schema.entry.c, schema.posting.c, schema.account.c, schema.document.c
    of = (entry.entity, posting.account, document.id, document.key, document.kind, document.channel, document.order_id)
    posted = (
        select(*of, func.sum(posting.functional_minor).label("worth"))
        .join_from(schema.posting, schema.entry, posting.entry == entry.id)
        .join(schema.account, posting.account == account.id)
        .join(schema.document, entry.document == document.id)
        .where(entry.posted, entry.date.between(first, last), account.role == Role.COST_OF_GOODS_SOLD.value)
        .group_by(*of)
        .order_by(document.id, posting.account)
    )
    moved = (
        select(schema.stock_move.c.document, schema.stock_move.c.item, func.sum(schema.stock_move.c.cost_minor))
        .where(schema.stock_move.c.document.in_(select(posted.subquery().c.id)))
        .group_by(schema.stock_move.c.document, schema.stock_move.c.item)
        .order_by(schema.stock_move.c.document, schema.stock_move.c.item)
    )
    items: defaultdict[int, dict[str | None, int]] = defaultdict(dict)
    for number, item, cost in connection.execute(moved):
        items[number][item] = abs(int(cost))
    for x in connection.execute(posted):
        weights: Mapping[str | None, int] = items[x.id] or {None: 1}
        if not any(weights.values()):
            weights = dict.fromkeys(weights, 1)
        for item, share in zip(weights, spread(int(x.worth), list(weights.values())), strict=True):
            if share:
                yield Cost(
                    entity=x.entity,
                    account=x.account,
                    document=x.key,
                    ref=ref_of(x.kind, x.id),
                    kind=x.kind,
                    channel=x.channel or None,
                    order=x.order_id or None,
                    item=item,
                    functional_minor=share,
                )


def _entry(lines: list[Any]) -> dict[str, Any]:
    x = lines[0]
    return {
        "entry": x.id,
        "cause": x.cause,
        "reverses": x.reverses,
        "date": x.date.isoformat(),
        "original_date": x.original_date and x.original_date.isoformat(),
        "entity": x.entity,
        "memo": x.memo,
        "functional": x.functional,
        "document": x.key,
        "ref": ref_of(x.kind, x.document_id),
        "kind": x.kind,
        "channel": x.channel,
        "order": x.order_id,
        "reference": x.reference,
        "postings": [
            {
                "account": line.account,
                "amount_minor": line.amount_minor,
                "currency": line.currency,
                "functional_minor": line.functional_minor,
            }
            for line in lines
        ],
    }


def ageing(connection: Connection, chart: Chart, on: datetime.date) -> list[dict[str, Any]]:
    entry, posting, document = schema.entry.c, schema.posting.c, schema.document.c
    named = (document.customer, schema.customer.c.name)
    of = (entry.entity, *named, document.channel, document.order_id, document.reference, posting.currency)
    debit = case((posting.amount_minor > 0, posting.amount_minor), else_=0)
    rows = (
        select(*of, entry.date, func.sum(debit).label("debit"), func.sum(posting.amount_minor - debit).label("credit"))
        .join_from(schema.posting, schema.entry, posting.entry == entry.id)
        .join(schema.document, entry.document == document.id)
        .outerjoin(schema.customer, schema.customer.c.key == document.customer)
        .where(entry.posted, entry.date <= on, posting.account == chart.account(Role.RECEIVABLE))
        .group_by(*of, entry.date)
    )
    by_order: defaultdict[tuple[Any, ...], list[tuple[datetime.date, int]]] = defaultdict(list)
    for x in connection.execute(rows):
        by_order[tuple(x[:7])] += [(x.date, int(x.debit)), (x.date, int(x.credit))]
    out = [
        {
            "entity": entity,
            "customer": customer,
            "name": name,
            "channel": channel,
            "order": order,
            "reference": reference,
            "currency": currency,
        }
        | _aged(moves, on)
        for (entity, customer, name, channel, order, reference, currency), moves in by_order.items()
        if sum(amount for _, amount in moves)
    ]
    return sorted(out, key=lambda x: (x["entity"], x["currency"], x["oldest"] or "~", x["channel"], x["order"]))


def _aged(moves: list[tuple[datetime.date, int]], on: datetime.date) -> dict[str, Any]:
    """Debts in their buckets after credits have paid the oldest; what credits leave over stands apart."""
    paid = -sum(amount for _, amount in moves if amount < 0)
    buckets = dict.fromkeys(BUCKETS, 0)
    oldest = None
    for date, amount in sorted(moves):
        if amount <= 0:
            continue
        settled = min(paid, amount)
        paid -= settled
        if amount > settled:
            oldest = oldest or date.isoformat()
            buckets[_bucket((on - date).days)] += amount - settled
    return {
        "oldest": oldest,
        "buckets": buckets,
        "credit_minor": paid,
        "total_minor": sum(buckets.values()) - paid,
    }


def _bucket(days: int) -> str:
    return next(name for name, end in BUCKETS.items() if end is None or days <= end)
