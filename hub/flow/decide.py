"""decide: the intents that bring an ERP from what was decided before to what is planned now, and the expected entries.

A planned document is compared with what was decided under its key by its *plan digest*: the document as planned, its
natural date included, before a closed period moves it. So closing a period, or a new policy version, changes no
document that stands.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from hub.books.chart import Chart
from hub.books.policy import Policy
from hub.books.post import post
from hub.flow.terms import Terms
from hub.model.decisions import Decided, Decision, Intent
from hub.model.documents import (
    BILLS,
    CREDITS,
    DOCUMENT,
    NOTICE_KINDS,
    Component,
    Document,
    DocumentKey,
    DocumentKind,
    content_of,
    revision_of,
)
from hub.model.entries import ENTRY, Entry
from hub.model.intents import Action

NOTHING: Final = Decision([], [])

TAKING: Final = frozenset(
    {DocumentKind.DEPOSIT_APPLICATION, DocumentKind.PAYMENT, DocumentKind.REFUND, DocumentKind.CASH_REFUND}
)
"""What takes money from other documents, and no document takes anything from it."""

BALANCES: Final = frozenset({Component.DEPOSITS, Component.RECEIVABLE, Component.REFUNDS_PAYABLE})
"""Lines that name, in their detail, the document that holds the balance."""


def decide(
    planned: list[Document],
    decided: Mapping[DocumentKey, Decided],
    terms: Terms,
    chart: Chart,
    policy: Policy,
) -> Decision:
    """What is new against what was decided; nothing where everything planned stands already."""
    keys = {document.key for document in planned}
    gone = [held for held in decided.values() if held.key not in keys and held.action is not Action.VOID]
    first = _goods_first(planned, decided, gone) if gone else frozenset()
    intents: list[Intent] = []
    superseded: list[DocumentKey] = []
    anew = False  # one that was not sent yet is decided again: what the plan has behind it must stay behind it
    for document in planned:
        content = content_of(document)
        digest = revision_of(content)
        held = decided.get(document.key)
        stands = held is not None and held.plan_digest == digest and held.action is not Action.VOID
        stays = not first and (not anew or document.kind is DocumentKind.DEPOSIT)  # which refers to nothing
        if held is not None and stands and (held.sent or stays):
            continue
        if held is not None and not held.sent:
            superseded.append(held.key)
            held = held.standing
        if held is None:
            anew = anew or document.key in decided
            intents.append(_intent(Action.CREATE, document, content, digest, None, terms, chart, policy))
        elif held.plan_digest != digest or held.action is Action.VOID:
            intents.append(_intent(Action.AMEND, document, content, digest, held, terms, chart, policy))
    if gone:
        voids: list[Intent] = []
        for held in reversed(gone):
            if not held.sent:
                superseded.append(held.key)
            standing = held if held.sent else held.standing
            if standing is not None and standing.action is not Action.VOID:
                voids.append(_void(standing, terms))
        # The money that is given back may be what a new document takes, and the goods what is shipped anew; all else
        # goes when nothing refers to it.
        made = {one.document.kind for one in intents if one.action is Action.CREATE}
        money = [void for void in voids if void.document.kind in TAKING]
        rest = [void for void in voids if void.document.kind not in TAKING]
        early = {one.document.key for one in rest if one.document.key in first or _gives_way(one.document.kind, made)}
        before = [void for void in rest if void.document.key in early]
        others = [void for void in rest if void.document.key not in early]
        intents = [*money, *_referring_first(before), *intents, *_referring_first(others)]
    return Decision(intents, superseded) if intents or superseded else NOTHING


def _goods_first(
    planned: Sequence[Document], decided: Mapping[DocumentKey, Decided], gone: Sequence[Decided]
) -> frozenset[DocumentKey]:
    """The shipments that are called off, with what refers to them, where others take their place.

    The same units would be shipped twice until they are gone. Empty where nothing new is shipped, where none of them
    was ever sent, or where a document that stays was told to refer to one: it is told otherwise before that can go.
    """
    shipped = {
        held.key
        for document in planned
        if document.kind is DocumentKind.FULFILMENT
        if (held := decided.get(document.key)) is not None and held.sent and held.action is not Action.VOID
    }
    if all(document.kind is not DocumentKind.FULFILMENT or document.key in shipped for document in planned):
        return frozenset()
    standing = [one if one.sent else one.standing for one in decided.values()]
    told: list[Document] = [
        DOCUMENT.validate_json(one.content) for one in standing if one is not None and one.action is not Action.VOID
    ]
    going = {held.key for held in gone}
    first = {one.key for one in told if one.key in going and one.kind is DocumentKind.FULFILMENT}
    while more := {one.key for one in told if one.key not in first and first.intersection(_named(one))}:
        first |= more
    return frozenset(first) if first <= going else frozenset()


def _named(document: Document) -> Iterator[DocumentKey]:
    """The documents that it refers to."""
    if document.applies_to is not None:
        yield document.applies_to
    for line in (*document.lines, *document.settles):
        if line.component in BALANCES and line.detail:
            yield DocumentKey(line.detail)


def standing(document: Document, terms: Terms, chart: Chart, policy: Policy) -> Intent:
    """The intent of a document that the ERP has though the hub never sent it, on the day that its facts call for."""
    content = content_of(document)
    revision = revision_of(content)
    entry = post(document, chart, policy, terms.functional)
    return Intent(Action.CREATE, document, content, revision, revision, entry, terms.policy)


def _intent(
    action: Action,
    document: Document,
    content: bytes,
    digest: str,
    before: Decided | None,
    terms: Terms,
    chart: Chart,
    policy: Policy,
) -> Intent:
    if before is not None and before.action is not Action.VOID:
        told: Document = DOCUMENT.validate_json(before.content)
        kept = replace(document, date=told.date, original_date=told.original_date)
        if document.date == (told.original_date or told.date) and kept.same_but_for_parcels(told):
            return _in_place(kept, digest, before, terms)
    revision = digest
    day = document.date if document.kind in NOTICE_KINDS else terms.open_day(document.date)
    if day != document.date:
        document = replace(document, date=day, original_date=document.date)
        content = content_of(document)
        revision = revision_of(content)
    entry = post(document, chart, policy, terms.functional)
    reversal = _reversal(before, terms) if before else None
    return Intent(action, document, content, revision, digest, entry, terms.policy, reversal)


def _in_place(document: Document, digest: str, before: Decided, terms: Terms) -> Intent:
    """The intent of a document that says something else of its parcels: it stays on its day, with its entry."""
    content = content_of(document)
    entry: Entry | None = None if before.entry is None else ENTRY.validate_json(before.entry)
    reversal = None if entry is None else entry.reversed(entry.date)
    revision = revision_of(content)
    return Intent(Action.AMEND, document, content, revision, digest, entry, terms.policy, reversal, in_place=True)


def _void(held: Decided, terms: Terms) -> Intent:
    document: Document = DOCUMENT.validate_json(held.content)
    return Intent(
        Action.VOID,
        document,
        held.content,
        held.revision,
        held.plan_digest,
        None,
        terms.policy,
        _reversal(held, terms),
    )


def _gives_way(kind: DocumentKind, made: Collection[DocumentKind]) -> bool:
    """Whether an invoice becomes a cash sale, a credit memo a cash refund, or back: nothing is billed twice."""
    return any(kind in family and any(one in family and one is not kind for one in made) for family in (BILLS, CREDITS))


def _referring_first(voids: list[Intent]) -> list[Intent]:
    """A document goes before what it applies to, whichever was amended last; else the last decided goes first."""
    applies_to = {void.document.key: void.document.applies_to for void in voids}

    def depth(key: DocumentKey | None) -> int:
        return 1 + depth(applies_to[key]) if key in applies_to else 0

    return sorted(voids, key=lambda void: -depth(void.document.key))


def _reversal(held: Decided, terms: Terms) -> Entry | None:
    if held.entry is None or held.action is Action.VOID:
        return None
    entry: Entry = ENTRY.validate_json(held.entry)
    return entry.reversed(terms.open_day(entry.date))
