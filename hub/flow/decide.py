"""decide: the intents that bring an ERP from what was decided before to what is planned now, and the expected entries.

A planned document is compared with what was decided under its key by its *plan digest*: the document as planned, its
natural date included, before a closed period moves it and before policy and crosswalk versions are stamped. So closing
a period, or a new policy version, changes no document that stands.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hub.books.chart import Chart
from hub.books.policy import Policy
from hub.books.post import post
from hub.flow.terms import Terms
from hub.model.decisions import Decided, Decision, Intent
from hub.model.documents import DOCUMENT, Document, DocumentKey, revision_of
from hub.model.entries import ENTRY, Entry
from hub.model.intents import Action

NOTHING: Final = Decision([], [])


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
        digest = revision_of(DOCUMENT.dump_json(document, exclude_defaults=True))
        held = decided.get(document.key)
        if held is not None and held.plan_digest == digest and held.action is not Action.VOID:
            continue
        if held is not None and not held.sent:
            superseded.append(held.key)
            held = held.standing
        if held is None:
            intents.append(_intent(Action.CREATE, document, digest, None, terms, chart, policy))
        elif held.plan_digest != digest or held.action is Action.VOID:
            intents.append(_intent(Action.AMEND, document, digest, held, terms, chart, policy))
    if decided:
        keys = {document.key for document in planned}
        for held in reversed(list(decided.values())):  # a document goes before what it refers to
            if held.key in keys or held.action is Action.VOID:
                continue
            if not held.sent:
                superseded.append(held.key)
            if standing := held if held.sent else held.standing:
                intents.append(_void(standing, terms))
    return Decision(intents, superseded) if intents or superseded else NOTHING


def _intent(
    action: Action,
    document: Document,
    digest: str,
    before: Decided | None,
    terms: Terms,
    chart: Chart,
    policy: Policy,
) -> Intent:
    stamped = _stamped(document, terms)
    content = DOCUMENT.dump_json(stamped, exclude_defaults=True)
    entry = post(stamped, chart, policy, terms.functional)
    reversal = _reversal(before, terms) if before else None
    return Intent(action, stamped, content, revision_of(content), digest, entry, reversal)


def _void(held: Decided, terms: Terms) -> Intent:
    document: Document = DOCUMENT.validate_json(held.content)
    return Intent(
        Action.VOID,
        document,
        held.content,
        held.revision,
        held.plan_digest,
        None,
        _reversal(held, terms),
    )


def _reversal(held: Decided, terms: Terms) -> Entry | None:
    if held.entry is None or held.action is Action.VOID:
        return None
    entry: Entry = ENTRY.validate_json(held.entry)
    return entry.reversed(terms.open_day(entry.date))


def _stamped(document: Document, terms: Terms) -> Document:
    """The document as it is frozen: its date in an open period, the version of the policy that decided it."""
    day = terms.open_day(document.date)
    moved = document.date if day != document.date else None
    return replace(document, date=day, original_date=moved, policy=terms.policy)
