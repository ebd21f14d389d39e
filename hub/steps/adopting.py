"""adopt: documents that an older integration made in the ERP stand for the hub's own, so that nothing is posted twice.

The ERP's documents are read anew, and each is laid to the one order that it names. The ERP takes our key first, the
store is told after: a run that was broken off finds by that key what it had done, and whatever the hub would have sent
meanwhile is found under it too.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection

from hub.errors import Misconfigured
from hub.flow.adopt import Paired, pair
from hub.model.adoption import ADOPTABLE, ADOPTED, Claim, Doubt, ErpDocument, Link, Unsure
from hub.model.documents import Document, DocumentKey, DocumentKind
from hub.model.intents import Action, Outcome, ReadBack, StepState, Verdict
from hub.model.order import OrderKey
from hub.model.statement import ErpRow, Subject
from hub.ports import Adopts, ReadsBack, StatesDocuments
from hub.steps.advance import reconsider
from hub.steps.calling import differs
from hub.steps.deciding import Adoptable, Decider, add_intent
from hub.steps.hub import Hub
from hub.store import adoption, audit, orders
from hub.store.adoption import Named
from hub.store.orders import Changes, Known
from hub.store.schema import stamp

LOOK_BACK_DAYS: Final = 92
LATE_DAYS: Final = 7
"""An older integration may date a document later than what it is about: so much is looked at beyond its last day."""

CHUNK_ORDERS: Final = 200
NOT_POSTED: Final = ("test", "stub")

_SUBJECTS: Final = {
    Subject.ORDER: DocumentKind.SALES_ORDER,
    Subject.REFUND: DocumentKind.REFUND,
    Subject.PAYMENT: DocumentKind.PAYMENT,
}


@dataclass(slots=True)
class Adopted:
    """What was linked, or would be, and what a person must look at."""

    channel: str
    since: datetime.date
    until: datetime.date  # the last day of the older integration
    orders: int = 0
    before: int = 0  # documents that were adopted by an earlier run
    links: list[Link] = field(default_factory=list)
    unsure: list[Unsure] = field(default_factory=list)
    absent: list[Document] = field(default_factory=list)  # of these orders, until the last day: left as they are
    posts: list[Document] = field(default_factory=list)  # of these orders, after it: the hub's own to post
    refused: list[tuple[Link, Outcome]] = field(default_factory=list)  # by the ERP

    def as_json(self) -> dict[str, Any]:
        sums: dict[str, int] = {}
        for link in self.links:
            sums[link.document.currency] = sums.get(link.document.currency, 0) + link.difference_minor
        return {
            "channel": self.channel,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "orders": self.orders,
            "linked": [_link_json(link) for link in self.links],
            "linked_before": self.before,
            "difference_minor": sums,
            "unsure": [_unsure_json(one) for one in self.unsure],
            "absent": [_document_json(document) for document in self.absent],
            "posts": [_document_json(document) for document in self.posts],
            "refused": [_link_json(link) | {"code": o.code, "remedy": o.remedy} for link, o in self.refused],
        }


@dataclass(frozen=True, slots=True)
class _Ready:
    """An order that can be adopted."""

    key: OrderKey
    version: int
    order: Adoptable
    paired: Paired
    unsent: Mapping[DocumentKey, int]  # what was decided of it and never sent


def adopt(
    hub: Hub,
    slug: str,
    *,
    since: datetime.date | None = None,
    until: datetime.date | None = None,
    write: bool = True,
    by: str = "adopt",
) -> Adopted:
    """What the ERP has of the channel's orders under no key of ours stands as the hub's own; said twice, it is so once.

    Args:
        since: the first day of documents that are looked at; None: three months before `until`.
        until: the last day that was the older integration's; None: the day before the channel's go-live.
        write: False: only what would be.

    Raises:
        Misconfigured: there is no such channel, neither it nor the caller says until when, or the ERP lists nothing.
        Overtaken: an order changed meanwhile; run again.
    """
    channel = hub.settings.channel(slug)
    if until is None and channel.go_live is None:
        raise Misconfigured(f"adopt: until when did the older integration post? set go_live of {slug}, or say --until")
    last = until or (channel.go_live or datetime.date.max) - datetime.timedelta(days=1)
    found = Adopted(slug, since or last - datetime.timedelta(days=LOOK_BACK_DAYS), last)
    by_order = _by_order(hub, found)
    keys = sorted(by_order, key=str)
    for start in range(0, len(keys), CHUNK_ORDERS):
        part = keys[start : start + CHUNK_ORDERS]
        ready = list(_considered(hub, found, {key: by_order[key] for key in part}))
        if write and ready:
            _link(hub, found, ready, by)
        else:
            found.links += [link for one in ready for link in one.paired.links]
        found.orders += len(ready)
    return found


def stored_links(erp: Any, connection: Connection) -> dict[str, DocumentKey]:
    """Our keys by the ERP's own ids of what was adopted, where the ERP could not take them onto the documents."""
    return {} if isinstance(erp, Adopts) else adoption.links(connection)


def _by_order(hub: Hub, found: Adopted) -> dict[OrderKey, list[ErpDocument]]:
    """The ERP's documents by the one order of the channel that each names; what names several is put aside."""
    with hub.store.connect() as connection:
        links = stored_links(hub.erp, connection)
    documents = [
        replace(one, key=links[one.ref]) if one.ref in links else one
        for one in _documents(hub.erp, found.since, found.until + datetime.timedelta(days=LATE_DAYS))
    ]
    words = {word for one in documents for word in (one.reference, one.order) if word}
    by_word: dict[str, list[Named]] = {}
    with hub.store.connect() as connection:
        for order in adoption.named(connection, words):
            for word in {order.name, order.key.external_id}:
                by_word.setdefault(word, []).append(order)
    by_order: dict[OrderKey, list[ErpDocument]] = {}
    for one in documents:
        fits = _named_by(one, by_word)
        if not any(order.key.channel == found.channel for order in fits):
            continue
        if len(fits) > 1:
            found.unsure.append(Unsure(one, Doubt.SEVERAL_ORDERS, tuple(order.key for order in fits)))
        elif fits[0].posting in NOT_POSTED:
            found.unsure.append(Unsure(one, Doubt.NOT_POSTED, (fits[0].key,)))
        else:
            by_order.setdefault(fits[0].key, []).append(one)
    return by_order


def _named_by(one: ErpDocument, by_word: Mapping[str, Sequence[Named]]) -> list[Named]:
    """The orders that a document names: by id and channel, else by id or name; those of its entity."""
    if one.order and one.channel:
        exact = [x for x in by_word.get(one.order, ()) if x.key == OrderKey(one.channel, one.order)]
        if exact:
            return exact
    fits = [x for word in dict.fromkeys((one.order, one.reference)) if word for x in by_word.get(word, ())]
    return [x for x in dict.fromkeys(fits) if x.entity == one.entity]


def _documents(erp: Any, first: datetime.date, last: datetime.date) -> Iterator[ErpDocument]:
    if isinstance(erp, Adopts):
        yield from erp.documents(first, last)
    elif isinstance(erp, StatesDocuments):
        yield from (_of_statement(row) for row in erp.statement(first, last) if not row.voided)
    else:
        raise Misconfigured("adopt: the configured ERP lists no documents")


def _of_statement(stated: ErpRow) -> ErpDocument:
    row = stated.row
    return ErpDocument(
        ref=stated.ref,
        key=stated.key,
        kind=_SUBJECTS[row.subject],
        entity=row.entity,
        channel=row.channel,
        order=row.order,
        reference=stated.reference,
        external="" if row.subject is Subject.ORDER or row.subject_id == stated.ref else row.subject_id,
        currency=row.currency,
        date=row.date,
        total_minor=-row.total_minor if row.subject is Subject.REFUND else row.total_minor,
        tax_minor=row.tax_minor,
        lines=0,
        version=stated.version,
    )


def _considered(hub: Hub, found: Adopted, named: Mapping[OrderKey, list[ErpDocument]]) -> Iterator[_Ready]:
    """Those orders of which everything fits in one way and something is to be linked; the others are listed."""
    posts_from = found.until + datetime.timedelta(days=1)
    with hub.store.connect() as connection:
        known = orders.load(connection, named)
        decider = Decider(hub, connection, known, hub.clock())
        for key, documents in named.items():
            order = decider.adoptable(key)
            ours = known.get(key) or Known()
            standing = {held.key for held in ours.decided.values() if held.sent or held.standing is not None}
            foreign = [one for one in documents if one.key not in standing]
            found.before += len(documents) - len(foreign) if ours.posts_from is not None else 0
            if not foreign or order.state.snapshot is None:
                continue
            if order.terms.day(order.state.snapshot.placed_at) > found.until:
                found.unsure += [Unsure(one, Doubt.PLACED_LATER, (key,)) for one in foreign]
                continue
            if order.holds:
                said = "; ".join(f"{hold.fingerprint}: {hold.remedy}" for hold in order.holds)
                found.unsure += [Unsure(one, Doubt.ON_HOLD, (key,), said) for one in foreign]
                continue
            planned = [document for document in order.planned if document.kind in ADOPTABLE]
            paired = pair(key, planned, foreign, standing)
            found.unsure += paired.unsure
            if paired.blocked or not paired.links:
                continue
            linked = {link.document.key for link in paired.links}
            found.absent += [document for document in paired.absent if document.date < posts_from]
            found.posts += [
                document
                for document in order.planned
                if document.key not in linked | standing and document.date >= posts_from
            ]
            unsent = {held: id for held, id in ours.unsent.items() if ours.decided[held].standing is None}
            yield _Ready(key, ours.version, order, paired, unsent)


def _link(hub: Hub, found: Adopted, ready: Sequence[_Ready], by: str) -> None:
    """The documents have our keys in the ERP, as far as it takes them; then the hub knows them for its own."""
    links = [(one, link) for one in ready for link in one.paired.links]
    taken: list[tuple[_Ready, Link]] = links
    if isinstance(hub.erp, Adopts):
        claims = [Claim(link.erp.ref, link.document.key, one.key, link.erp.key) for one, link in links]
        taken = []
        for (one, link), outcome in zip(links, hub.erp.adopt(claims), strict=True):
            if outcome.verdict is Verdict.DONE:
                taken.append((one, link))
            else:
                found.refused.append((link, outcome))
    reads = _read_back(hub.erp, [link for _, link in taken])
    now = hub.clock()
    changes = Changes()
    for (one, link), read in zip(taken, reads, strict=True):
        add_intent(changes, one.key.channel, one.key.external_id, one.order.intent(link.document), stamp(now))
        changes.steps[-1] |= _settled(link, read, now)
    of_links = {one.key: one for one, _ in taken}
    changes.superseded = [id for one in of_links.values() for id in one.unsent.values()]
    versions = {key: one.version for key, one in of_links.items()}
    with hub.writing() as connection, connection.begin():
        adoption.record(connection, versions, found.until + datetime.timedelta(days=1), stamp(now), by)
        orders.record(connection, changes)
        for key in versions:
            of_order = [link for one, link in taken if one.key == key]
            detail = {"linked": [_link_json(link) for link in of_order], "until": found.until.isoformat()}
            audit.note(connection, now, by, "adopt", str(key), detail)
    found.links += [link for _, link in taken]
    reconsider(hub, sorted(versions, key=str))


def _read_back(erp: Any, links: Sequence[Link]) -> list[ReadBack]:
    """Each document as the ERP has it now: by our key where it carries that, else as it was listed."""
    keyed: Sequence[ReadBack | None] = [None] * len(links)
    if isinstance(erp, Adopts) and isinstance(erp, ReadsBack):
        keyed = erp.read_back([link.document for link in links])
    return [read or _as_listed(link) for link, read in zip(links, keyed, strict=True)]


def _as_listed(link: Link) -> ReadBack:
    one = link.erp
    return ReadBack(
        link.document.key,
        one.ref,
        None,
        one.total_minor,
        one.tax_minor,
        one.currency,
        one.date,
        one.lines,
        one.version,
    )


def _settled(link: Link, read: ReadBack, now: datetime.datetime) -> dict[str, Any]:
    """The columns of a step that was never sent, because the ERP has what it would make."""
    return {
        "name": ADOPTED,
        "state": StepState.DONE.value,
        "settled_at": stamp(now),
        "ref": link.erp.ref,
        "readback_total_minor": read.total_minor,
        "readback_tax_minor": read.tax_minor,
        "readback_currency": read.currency,
        "readback_date": read.date.isoformat(),
        "readback_lines": read.lines,
        "readback_version": read.version,
        "matches": not differs(link.document, read, Action.CREATE),
    }


def _link_json(link: Link) -> dict[str, Any]:
    document, erp = link.document, link.erp
    return _document_json(document) | {
        "ref": erp.ref,
        "erp_minor": erp.total_minor,
        "difference_minor": link.difference_minor,
        "differences": list(link.differences),
    }


def _document_json(document: Document) -> dict[str, Any]:
    return {
        "order": document.order.external_id if document.order else "",
        "name": document.reference or "",
        "document": document.key,
        "kind": document.kind.value,
        "date": document.date.isoformat(),
        "currency": document.currency,
        "planned_minor": document.total_minor,
    }


def _unsure_json(one: Unsure) -> dict[str, Any]:
    erp = one.erp
    return {
        "ref": erp.ref,
        "kind": erp.kind.value,
        "reference": erp.reference,
        "date": erp.date.isoformat(),
        "currency": erp.currency,
        "erp_minor": erp.total_minor,
        "doubt": one.doubt.value,
        "orders": [str(key) for key in one.orders],
        "detail": one.detail,
    }
