"""The hub's side of a statement: what the books should say, with the evidence that the hub holds for each row."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from hub.flow.echo import shipments
from hub.flow.fold import FactSet, lines_of, winners
from hub.model.adoption import ADOPTED
from hub.model.documents import DOCUMENT, DocumentKey, DocumentKind, document_key
from hub.model.facts import Fact, FactKind, HandEdit, Refund, Tender
from hub.model.intents import Action
from hub.model.order import OrderKey, Snapshot
from hub.model.statement import HubRow, StatementRow, Subject
from hub.model.subjects import subjects
from hub.steps.hub import Hub, OpenChannel
from hub.store import orders
from hub.store import statement as stored
from hub.store.schema import day

BEFORE_GO_LIVE: Final = "before_go_live"

CHUNK_ORDERS: Final = 1_000

KINDS: Final = {
    Subject.ORDER: (DocumentKind.SALES_ORDER,),
    Subject.REFUND: (DocumentKind.REFUND, DocumentKind.CASH_REFUND),
    Subject.PAYMENT: (DocumentKind.PAYMENT, DocumentKind.DEPOSIT, DocumentKind.CASH_SALE),
}
"""Which documents an ERP has for a subject."""


def expected_rows(hub: Hub, connection: Connection, first: date, last: date) -> Iterator[HubRow]:
    """Every order placed in these days, and every order with money moved in them, with all its subjects.

    Orders from before the go-live are compared like all others, and what the ERP lacks of them is held by that name.
    Test orders give no row, nor do those of a channel that is no longer configured.
    """
    postings = stored.orders_between(connection, first, last)
    configured = {channel.slug for channel in hub.settings.channels}
    keys = [key for key in postings if key.channel in configured]
    for start in range(0, len(keys), CHUNK_ORDERS):
        part = keys[start : start + CHUNK_ORDERS]
        facts = stored.facts(connection, part)
        decided = stored.documents(connection, part)
        held = stored.holds(connection, part)
        adopted = orders.adopted(connection, part)
        for key in part:
            channel = hub.channel(key.channel)
            of_order = facts.get(key, ())
            latest, edits = winners(of_order), _hand_edits(of_order)
            for row in _subjects(channel, key, latest):
                state = BEFORE_GO_LIVE if postings[key] == BEFORE_GO_LIVE else held.get(key)
                before = key in adopted and row.date < adopted[key]
                yield _row(row, key, latest, decided, edits, state, before=before)


def _subjects(channel: OpenChannel, key: OrderKey, latest: FactSet) -> list[StatementRow]:
    snapshot = latest.get((FactKind.SNAPSHOT, key.external_id))
    if snapshot is None or not isinstance(snapshot.body, Snapshot):
        return []
    lines = lines_of(latest)
    bodies = [
        (at[1], fact.body if lines is None else lines.body(fact.body, fact.modified_at)) for at, fact in latest.items()
    ]
    fulfilments = [one.body for one in shipments(latest, lines)]
    return subjects(
        key,
        channel.entity.slug,
        channel.timezone,
        snapshot.body if lines is None or lines.snapshot is None else lines.snapshot,
        fulfilments,
        [(id, body) for id, body in bodies if isinstance(body, Refund)],
        [(id, body) for id, body in bodies if isinstance(body, Tender)],
    )


def _row(
    row: StatementRow,
    key: OrderKey,
    latest: FactSet,
    decided: dict[DocumentKey, Any],
    edits: frozenset[tuple[str, int]],
    held: str | None,
    *,
    before: bool,
) -> HubRow:
    """Where nothing was decided: held by name, or from before the go-live and so never to be posted."""
    snapshot = latest[FactKind.SNAPSHOT, key.external_id]
    modified_at = snapshot.modified_at.isoformat()
    name = snapshot.body.name if isinstance(snapshot.body, Snapshot) else ""
    cause = (row.subject_id,) if row.subject is not Subject.ORDER else ()
    documents = [document_key(kind, key.channel, key.external_id, *cause) for kind in KINDS[row.subject]]
    found = [decided[document] for document in documents if document in decided]
    standing = [one for one in found if one.action != Action.VOID]  # a deposit gives way to a cash sale
    for one in standing or found:
        return _with_evidence(row, modified_at, one, name, edits, held)
    document = documents[0]
    held = BEFORE_GO_LIVE if before else held
    state = "held" if held else ""
    return HubRow(row, modified_at, document, state, held or "", None, None, None, None, None, name=name)


def _hand_edits(facts: Sequence[Fact]) -> frozenset[tuple[str, int]]:
    """Each version that a person in the ERP made: the document's key, and when, in whole seconds as versions are."""
    return frozenset(
        (fact.body.document, int(fact.modified_at.timestamp())) for fact in facts if isinstance(fact.body, HandEdit)
    )


def _with_evidence(
    row: StatementRow, modified_at: str, found: Any, name: str, edits: frozenset[tuple[str, int]], held: str | None
) -> HubRow:
    """What was decided and read back of the document, signed like the row.

    An order that is held now goes by that where the document is no longer what the facts call for.
    """
    document = DOCUMENT.validate_json(found.content)
    sign = -1 if row.subject is Subject.REFUND else 1
    stale = held is not None and (sign * document.total_minor, document.tax_minor) != (row.total_minor, row.tax_minor)
    read = found.readback_total_minor
    voided = found.action == Action.VOID
    return HubRow(
        row=replace(row, date=document.date),
        modified_at=modified_at,
        document=found.document_key,
        state="held" if stale else found.state,
        cause=(held if stale else ADOPTED if found.name == ADOPTED else found.code) or "",
        original_date=document.original_date,
        readback_minor=None if read is None or voided else sign * read,
        readback_tax_minor=found.readback_tax_minor,
        readback_date=day(found.readback_date) if found.readback_date else None,
        readback_version=found.readback_version,
        readback_by_hand=(found.document_key, found.readback_version) in edits,
        name=name,
    )
