"""decide: the intents that bring an ERP from what was decided before to what is planned now, and the expected entries.

A planned document is compared with what was decided under its key by its *plan digest*: the document as planned, its
natural date included, before a closed period moves it. So closing a period, or a new policy version, changes no
document that stands.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hub.books.chart import Chart
from hub.books.policy import Policy
from hub.books.post import post
from hub.flow.terms import Terms
from hub.model.decisions import Decided, Decision, Intent
from hub.model.documents import DOCUMENT, NOTICE_KINDS, Document, DocumentKey, DocumentKind, content_of, revision_of
from hub.model.entries import ENTRY, Entry
from hub.model.intents import Action

NOTHING: Final = Decision([], [])

TAKING: Final = frozenset({DocumentKind.DEPOSIT_APPLICATION, DocumentKind.PAYMENT, DocumentKind.REFUND})
"""What takes money from other documents, and no document takes anything from it."""


def decide(
    planned: list[Document],
    decided: Mapping[DocumentKey, Decided],
    terms: Terms,
    chart: Chart,
    policy: Policy,
) -> Decision:
    """What is new against what was decided; nothing where everything planned stands already."""
    intents: list[Intent] = []
    superseded: list[DocumentKey] = []
    for document in planned:
        content = content_of(document)
        digest = revision_of(content)
        held = decided.get(document.key)
        if held is not None and held.plan_digest == digest and held.action is not Action.VOID:
            continue
        if held is not None and not held.sent:
            superseded.append(held.key)
            held = held.standing
        if held is None:
            intents.append(_intent(Action.CREATE, document, content, digest, None, terms, chart, policy))
        elif held.plan_digest != digest or held.action is Action.VOID:
            intents.append(_intent(Action.AMEND, document, content, digest, held, terms, chart, policy))
    if decided:
        keys = {document.key for document in planned}
        voids: list[Intent] = []
        for held in reversed(list(decided.values())):
            if held.key in keys or held.action is Action.VOID:
                continue
            if not held.sent:
                superseded.append(held.key)
            standing = held if held.sent else held.standing
            if standing is not None and standing.action is not Action.VOID:
                voids.append(_void(standing, terms))
        # The money that is given back may be what a new document takes; all else goes when nothing refers to it.
        freeing = [void for void in voids if void.document.kind in TAKING]
        others = [void for void in voids if void.document.kind not in TAKING]
        intents = [*freeing, *intents, *_referring_first(others)]
    return Decision(intents, superseded) if intents or superseded else NOTHING


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
    revision = digest
    day = document.date if document.kind in NOTICE_KINDS else terms.open_day(document.date)
    if day != document.date:
        document = replace(document, date=day, original_date=document.date)
        content = content_of(document)
        revision = revision_of(content)
    entry = post(document, chart, policy, terms.functional)
    reversal = _reversal(before, terms) if before else None
    return Intent(action, document, content, revision, digest, entry, terms.policy, reversal)


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
