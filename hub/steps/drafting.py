"""drafting: what the ERP would be told, request by request, with the entries that the books expect; nothing is written.

What waits in the store comes first, then what a pull would bring, decided as it would be. Personal data never shows:
the parties of a document are handed to the adapter with their fields filled by `…`, so that the requests are made by
the very functions that make those that are sent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import Untranslatable
from hub.model.documents import Document, content_of, revision_of
from hub.model.entries import ENTRY, Entry
from hub.model.intents import Action, Write
from hub.model.order import OrderKey, Party, PartyRef
from hub.model.records import Received, Record
from hub.ports import HIDDEN, Draft, Drafts
from hub.steps import syncing
from hub.steps.advance import new_facts
from hub.steps.deciding import DecidedOrder, Decider, NewFact
from hub.steps.hub import Hub
from hub.steps.syncing import Pulled
from hub.store import orders, waiting
from hub.store.orders import ERP_TARGET
from hub.store.schema import stamp
from hub.store.sending import NO_RECORD

Parties = Mapping[PartyRef, Party]

RECORDS_MAX: Final = 500  # of a pull that are decided


@dataclass(frozen=True, slots=True)
class Drafted:
    """A document that the ERP would be told, with its requests and what it does to the expected books."""

    channel: str
    order: str | None  # the channel's id; None: master data
    write: Write
    entry: Entry | None
    reversal: Entry | None  # of what stood before
    draft: Draft | None = None  # None: the adapter shows no requests


@dataclass(slots=True)
class DryRun:
    """What a pull and a send would do."""

    pulled: Pulled = field(default_factory=Pulled)
    documents: list[Drafted] = field(default_factory=list)
    more: int = 0  # documents beyond those
    held: dict[str, int] = field(default_factory=dict)  # orders that the pull brings and a hold keeps, by fingerprint
    untranslatable: int = 0  # records that the pull brings


def dry_run(hub: Hub, channel: str | None, limit: int, since: datetime | None = None) -> DryRun:
    """What a sync would do; nothing is written, not here and not there.

    Args:
        channel: it is asked what is new, and its documents are shown; None: what waits of all channels.
        limit: how many documents are shown.

    Raises:
        Misconfigured: nothing can be pulled from the channel.
        Retryable, AuthExpired: a far side does not answer.
    """
    found = DryRun()
    new: list[Received] = []
    if channel is not None:
        found.pulled = syncing.preview(hub, channel, since, new, RECORDS_MAX)
    with hub.store.connect() as connection:
        planned = [
            Drafted(one.channel, one.order_id or None, _hidden(one.write), _entry(one.entry), _entry(one.reversal))
            for one in waiting.planned(connection, ERP_TARGET, limit, channel)
        ]
        told = waiting.count_planned(connection, ERP_TARGET, channel)
        decided, parties = _decided(hub, connection, new, found)
        superseded = {str(key) for one in decided for key in one.decision.superseded}
        drafted = [one for one in planned if one.write.document.key not in superseded]
        drafted += _masters(connection, decided, parties)
        drafted += [
            Drafted(
                one.key.channel,
                one.key.external_id,
                Write(each.action, each.document, each.revision, _parties(each.document, parties)),
                each.entry,
                each.reversal,
            )
            for one in decided
            for each in one.decision.intents
        ]
    found.documents = _with_requests(hub, drafted[:limit])
    found.more = len(drafted) - len(found.documents) + told - len(planned)
    return found


def as_json(hub: Hub, found: DryRun) -> dict[str, Any]:
    """What would be done, with JSON-ready values."""
    documents = [_document_json(hub, one) for one in found.documents]
    return {
        "dry_run": True,
        "pages": found.pulled.pages,
        "records": found.pulled.records,
        "new": found.pulled.new,
        "untranslatable": found.untranslatable,
        "held": found.held,
        "refused": sum(one["problem"] is not None for one in documents),
        "documents": documents,
        "more": found.more,
    }


def _document_json(hub: Hub, one: Drafted) -> dict[str, Any]:
    document, draft = one.write.document, one.draft
    problem = draft.problem if draft else None
    return {
        "document": document.key,
        "kind": document.kind.value,
        "action": one.write.action.value,
        "channel": one.channel,
        "order": one.order,
        "reference": document.reference,
        "date": document.date.isoformat(),
        "currency": document.currency,
        "total_minor": document.total_minor,
        "requests": [
            {
                "method": request.method,
                "path": request.path,
                "body": None if request.body is None else json.loads(request.body),
                "note": request.note,
            }
            for request in (draft.requests if draft else ())
        ],
        "problem": problem and {"code": problem.code, "field": problem.path, "remedy": problem.message},
        "entries": [
            {
                "date": entry.date.isoformat(),
                "memo": entry.memo,
                "postings": [
                    {
                        "account": posting.account,
                        "name": hub.chart.name(posting.account),
                        "amount_minor": posting.amount_minor,
                        "currency": posting.currency,
                        "functional_minor": posting.functional_minor,
                    }
                    for posting in entry.postings
                ],
            }
            for entry in (one.reversal, one.entry)
            if entry is not None
        ],
    }


def _decided(
    hub: Hub, connection: Connection, new: Sequence[Received], found: DryRun
) -> tuple[list[DecidedOrder], dict[PartyRef, Party]]:
    """The orders of these records as they would be decided, and who they name."""
    told: dict[OrderKey, list[NewFact]] = {}
    parties: dict[PartyRef, Party] = {}
    at = stamp(hub.clock())
    for one in new:
        record = Record(NO_RECORD, one.channel, one.topic, one.source, one.body, one.received_at)
        try:
            translation = hub.connector(one.channel).translate(record)
        except Untranslatable:
            found.untranslatable += 1
            continue
        parties |= {party.ref: party for party in translation.parties}
        for fact in new_facts(record, translation, at):
            told.setdefault(fact.fact.order, []).append(fact)
    decider = Decider(hub, connection, orders.load(connection, list(told)), hub.clock())
    decided = [decider.order(key, told[key]) for key in sorted(told)]
    for order in decided:
        for hold in order.holds:
            found.held[hold.fingerprint] = found.held.get(hold.fingerprint, 0) + 1
    return decided, parties


def _masters(connection: Connection, decided: Sequence[DecidedOrder], parties: Parties) -> list[Drafted]:
    """Customers and items that these orders are the first to name."""
    named = {key: (one, document) for one in decided for key, document in one.masters.items()}
    known = orders.known_masters(connection, sorted(named))
    found = []
    for key, (one, document) in named.items():
        if key not in known:
            write = Write(Action.CREATE, document, revision_of(content_of(document)), _parties(document, parties))
            found.append(Drafted(one.key.channel, None, write, None, None))
    return found


def _with_requests(hub: Hub, drafted: Sequence[Drafted]) -> list[Drafted]:
    if not isinstance(hub.erp, Drafts):
        return list(drafted)
    drafts = hub.erp.draft([one.write for one in drafted])
    return [replace(one, draft=draft) for one, draft in zip(drafted, drafts, strict=True)]


def _hidden(write: Write) -> Write:
    return replace(write, parties=tuple(map(hidden, write.parties)))


def _parties(document: Document, parties: Parties) -> tuple[Party, ...]:
    return tuple(hidden(parties.get(ref) or Party(ref)) for ref in document.parties)


def hidden(party: Party) -> Party:
    """The party with every field that it has filled by `…`; its country stays: it is a code that ERPs look up."""

    def word(given: str | None) -> str | None:
        return HIDDEN if given else None

    return Party(
        party.ref,
        name=word(party.name),
        company=word(party.company),
        email=word(party.email),
        phone=word(party.phone),
        address=(HIDDEN,) * len(party.address),
        city=word(party.city),
        region=word(party.region),
        postcode=word(party.postcode),
        country=party.country,
    )


def _entry(content: str | None) -> Entry | None:
    found: Entry | None = None if content is None else ENTRY.validate_json(content)
    return found
