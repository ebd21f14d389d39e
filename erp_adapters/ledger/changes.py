"""What changed after a change number, as records that the ledger's mapping reads.

Each write transaction takes the one row of `counter`, with a change number of its own, before anything else, and holds
it until it has committed. So numbers become visible in their order: whoever sees one has seen all before it.
"""

import datetime
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, func, select, text, union_all

from erp_adapters.ledger import schema
from erp_adapters.ledger.documents import document_of, ref_of
from erp_adapters.ledger.journal import in_utc
from hub.errors import Misconfigured
from hub.model.documents import Component, DocumentKind
from hub.model.facts import Source
from hub.model.records import Received
from hub.ports import Page
from mappings.ledger.payload import (
    DOCUMENT,
    FULFILMENT,
    STOCK,
    DocumentPayload,
    FulfilmentPayload,
    LinePayload,
    Payload,
    StockPayload,
)

ROWS_A_PAGE: Final = 500  # more only where one transaction wrote more: a change number is never cut
NOON: Final = datetime.time(12)

_UNSTOCKED: Final = TypeAdapter(tuple[tuple[str, int], ...])


def pages(
    engine: Engine,
    slug: str,
    timezones: Mapping[str, str],
    since: str | None,
    now: datetime.datetime,
    rows_a_page: int = ROWS_A_PAGE,
) -> Iterator[Page]:
    """What people entered, and every stock level that moved, by change; at least one page.

    Args:
        timezones: of each entity: where its days are.

    Raises:
        Misconfigured: the cursor is none that this gave.
    """
    if since is not None and not since.isdecimal():
        raise Misconfigured(
            f"{slug}: {since[:40]!r} is no cursor of the ledger's; remove it to read from the beginning"
        )
    after = int(since or 0)
    while True:
        with engine.connect() as connection:
            until, more = _until(connection, after, rows_a_page)
            records = [*_documents(connection, slug, timezones, after, until, now)]
            records += _levels(connection, slug, after, until, now)
        yield Page(tuple(records), str(until), more)
        if not more:
            return
        after = until


def _until(connection: Connection, after: int, most: int) -> tuple[int, bool]:
    """The change that a page ends with, and whether there is one after it."""
    document, stock = schema.document.c, schema.stock.c
    changed = union_all(
        select(document.changed).where(text(schema.BY_HAND), document.changed > after),
        select(stock.changed).where(stock.changed > after),
    ).subquery()
    numbers = list(connection.scalars(select(changed.c.changed).order_by(changed.c.changed).limit(most + 1)))
    if len(numbers) <= most:
        return (numbers[-1] if numbers else after), False
    if numbers[-1] == numbers[0]:
        last = connection.scalar(select(func.max(changed.c.changed)))
        return numbers[0], last != numbers[0]
    return max(number for number in numbers if number < numbers[-1]), True


def _documents(
    connection: Connection, slug: str, timezones: Mapping[str, str], after: int, until: int, now: datetime.datetime
) -> Iterator[Received]:
    document, shipment = schema.document, schema.shipment
    rows = (
        select(document, shipment.c.shipped_at, shipment.c.carrier, shipment.c.tracking_number, shipment.c.unstocked)
        .join_from(document, shipment, document.c.id == shipment.c.document, isouter=True)
        .where(text(schema.BY_HAND), document.c.changed > after, document.c.changed <= until)
        .order_by(document.c.changed, document.c.id)
    )
    for x in connection.execute(rows):
        ref = ref_of(x.kind, x.id)
        entered = x.kind == DocumentKind.FULFILMENT and x.key is None
        payload: Payload = _fulfilment(x, ref, ZoneInfo(timezones[x.entity])) if entered else _other(x, ref)
        yield _received(slug, f"{ref}-v{x.version}", FULFILMENT if entered else DOCUMENT, payload, now)


def _levels(connection: Connection, slug: str, after: int, until: int, now: datetime.datetime) -> Iterator[Received]:
    stock = schema.stock
    place = (stock.c.entity, stock.c.item, stock.c.location)
    rows = select(stock).where(stock.c.changed > after, stock.c.changed <= until).order_by(stock.c.changed, *place)
    for x in connection.execute(rows):
        at = sha256("\x1f".join((x.entity, x.item, x.location)).encode()).hexdigest()[:16]
        payload = StockPayload(entity=x.entity, item=x.item, location=x.location, on_hand=x.quantity, change=x.changed)
        yield _received(slug, f"stock-{at}-{x.changed}", STOCK, payload, now)


def _received(slug: str, key: str, topic: str, payload: Payload, now: datetime.datetime) -> Received:
    return Received(slug, key, topic, Source.ERP, payload.model_dump_json().encode(), now)


def _fulfilment(x: Any, ref: str, timezone: ZoneInfo) -> FulfilmentPayload:
    document = document_of(x.body)
    lines = [
        LinePayload(line=line.line, quantity=line.quantity)
        for line in document.lines
        if line.component is Component.STOCK
    ]
    unstocked = _UNSTOCKED.validate_json(x.unstocked) if x.unstocked else ()
    return FulfilmentPayload(
        ref=ref,
        version=x.version,
        entity=x.entity,
        channel=x.channel,
        order=x.order_id,
        date=x.date,
        shipped_at=_shipped_at(x, timezone),
        modified_at=in_utc(x.modified_at),
        voided=x.voided,
        location=document.location or "",
        lines=(*lines, *(LinePayload(line=line, quantity=quantity) for line, quantity in unstocked)),
        carrier=x.carrier,
        tracking_number=x.tracking_number,
    )


def _shipped_at(x: Any, timezone: ZoneInfo) -> datetime.datetime:
    """The moment that was said, if it is on the day that the cost was posted; else noon of that day."""
    if x.shipped_at is not None and in_utc(x.shipped_at).astimezone(timezone).date() == x.date:
        return in_utc(x.shipped_at)
    return in_utc(datetime.datetime.combine(x.date, NOON, timezone))


def _other(x: Any, ref: str) -> DocumentPayload:
    return DocumentPayload(
        ref=ref,
        key=x.key,
        version=x.version,
        channel=x.channel,
        order=x.order_id,
        modified_at=in_utc(x.modified_at),
        voided=x.voided,
    )
