"""decide: the intents that bring an ERP from what was decided before to what is planned now, and the expected entries.

A planned document is compared with what was decided under its key by its *plan digest*: the document as planned, its
natural date included, before a closed period moves it and before policy and crosswalk versions are stamped. So closing
a period, or a new policy version, changes no document that stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hub.books.chart import Chart
from hub.books.policy import Policy
from hub.books.post import post
from hub.flow.terms import Terms
from hub.model.documents import DOCUMENT, Document, DocumentKey, revision_of
from hub.model.entries import ENTRY, Entry
from hub.model.intents import Action


@dataclass(frozen=True, slots=True)
class Decided:
    """The intent last decided under a document's key, as the store has it."""

    key: DocumentKey
    revision: str
    plan_digest: str
    action: Action
    sent: bool  # False: still planned, so a later decision supersedes it
    content: bytes  # the document's JSON
    entry: bytes | None  # the expected entry's JSON; None: it posts nothing


@dataclass(frozen=True, slots=True)
class Intent:
    """A decision, frozen: the document as JSON, and what it does to the expected books."""

    action: Action
    document: Document
    content: bytes
    revision: str
    plan_digest: str
    entry: Entry | None
    reversal: Entry | None = None  # of what stood before, where this amends or voids it


@dataclass(frozen=True, slots=True)
class Decision:
    intents: list[Intent]
    superseded: list[DocumentKey]  # intents never sent, whose place another takes or nothing


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
        if held is None:
            action, reversal = Action.CREATE, None
        elif held.sent:
            action, reversal = Action.AMEND, _reversal(held, terms)
        else:
            action, reversal = held.action, None
            superseded.append(held.key)
        stamped = _stamped(document, terms)
        content = DOCUMENT.dump_json(stamped, exclude_defaults=True)
        entry = post(stamped, chart, policy, terms.functional)
        intents.append(Intent(action, stamped, content, revision_of(content), digest, entry, reversal))
    if decided:
        gone = _gone(planned, decided)
        superseded.extend(held.key for held in gone if not held.sent)
        intents.extend(_void(held, terms) for held in gone if held.sent)
    return Decision(intents, superseded) if intents or superseded else NOTHING


def _gone(planned: list[Document], decided: Mapping[DocumentKey, Decided]) -> list[Decided]:
    """What stands and is planned no more, the latest first: a document goes before what it refers to."""
    keys = {document.key for document in planned}
    return [
        held for held in reversed(list(decided.values())) if held.key not in keys and held.action is not Action.VOID
    ]


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
