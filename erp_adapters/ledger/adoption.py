"""Documents that somebody else made, and how one comes to carry a key of the hub's."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select, update

from erp_adapters.ledger import schema
from erp_adapters.ledger.documents import body_of, document_of, id_of, ref_of
from erp_adapters.ledger.journal import TICK, in_utc
from hub.model.adoption import ADOPTABLE, Claim, ErpDocument
from hub.model.documents import DocumentKind
from hub.model.intents import Outcome, Verdict

CLAIMS_AT_ONCE: Final = 500


def documents(connection: Connection, first: datetime.date, last: datetime.date) -> Iterator[ErpDocument]:
    """Those of orders that stand, dated in the period; by number."""
    document = schema.document
    rows = (
        select(document)
        .where(document.c.kind.in_(sorted(ADOPTABLE)), document.c.date.between(first, last), ~document.c.voided)
        .order_by(document.c.id)
    )
    with connection.execute(rows) as found:
        for x in found:
            ref = ref_of(x.kind, x.id)
            yield ErpDocument(
                ref=ref,
                key=x.key or "",
                kind=DocumentKind(x.kind),
                entity=x.entity,
                channel=x.channel,
                order=x.order_id,
                reference=x.reference or "",
                external="" if x.subject_id in (ref, x.order_id) else x.subject_id,
                currency=x.currency,
                date=x.date,
                total_minor=x.total_minor,
                tax_minor=x.tax_minor,
                lines=x.lines,
                version=x.version,
            )


def adopt(connection: Connection, claims: Sequence[Claim], now: datetime.datetime) -> list[Outcome]:
    """Each document has the key and names the order; what it posts is untouched."""
    change = schema.take_turn(connection)["changes"]
    outcomes: list[Outcome] = []
    for start in range(0, len(claims), CLAIMS_AT_ONCE):
        part = claims[start : start + CLAIMS_AT_ONCE]
        document = schema.document
        by_id = document.c.id.in_([id_of(claim.ref) for claim in part])
        rows = {x.id: x for x in connection.execute(select(document).where(by_id))}
        by_key = document.c.key.in_([claim.key for claim in part])
        holders = {x.key: x.id for x in connection.execute(select(document.c.key, document.c.id).where(by_key))}
        for claim in part:
            outcomes.append(_adopt(connection, claim, rows.get(id_of(claim.ref)), holders, change, now))
    return outcomes


def _adopt(
    connection: Connection,
    claim: Claim,
    row: Any,
    holders: dict[str, int],
    change: int,
    now: datetime.datetime,
) -> Outcome:
    if row is None or row.voided:
        return _refused("gone", "ref", f"{claim.ref} is not there any more: run it again")
    if row.key == claim.key:
        return Outcome(Verdict.DONE, claim.ref)
    if (row.key or "") != claim.was:
        return _refused("other_key", "key", f"{claim.ref} has another key by now: run it again")
    if claim.key in holders:
        kept = ref_of(row.kind, holders[claim.key])
        return _refused("key_taken", "key", f"{kept} has the key already: void one of the two")
    kept_document = replace(document_of(row.body), key=claim.key, order=claim.order)
    placed = row.kind == DocumentKind.SALES_ORDER
    connection.execute(
        update(schema.document)
        .where(schema.document.c.id == row.id)
        .values(
            key=claim.key,
            channel=claim.order.channel,
            order_id=claim.order.external_id,
            subject_id=claim.order.external_id if placed else row.subject_id,
            body=body_of(kept_document),
            by_hand=False,
            version=row.version + 1,
            changed=change,
            modified_at=max(now, in_utc(row.modified_at) + TICK),
        )
    )
    holders[claim.key] = row.id
    return Outcome(Verdict.DONE, claim.ref)


def _refused(code: str, field: str, remedy: str) -> Outcome:
    return Outcome(Verdict.REJECTED, None, code, field, remedy)
