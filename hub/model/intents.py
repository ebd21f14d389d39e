"""Intents: decisions to tell an ERP something, persisted before the call; their steps; what an ERP answers."""

import datetime
from enum import StrEnum
from typing import Final

from hub.model.documents import Document, DocumentKey
from hub.model.frozen import frozen
from hub.model.order import Party, PartyRef


class Action(StrEnum):
    CREATE = "create"
    AMEND = "amend"  # the same document with other content: reversed and posted anew
    VOID = "void"  # the cause is gone: reversed


class StepState(StrEnum):
    PLANNED = "planned"
    SENT = "sent"  # claimed by a worker: the call is under way, or its worker is gone
    DONE = "done"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"
    SUPERSEDED = "superseded"  # never sent, and a later decision took its place


@frozen
class Write:
    """One step handed to an adapter: make `document` so in the ERP. Safe to repeat: `document.key` is the key.

    `revision` names the content; an ERP that already holds this key at this revision has nothing to do. `parties` are
    those that the document names, filled in for this call alone and no part of the content; one that was purged has
    nothing but its reference, and the document is posted all the same.
    """

    action: Action
    document: Document
    revision: str
    parties: tuple[Party, ...] = ()
    held: tuple[str, ...] = ()  # the far side's own ids of what stands there of this document, as its last write said
    taken: frozenset[str] = frozenset()  # the channel's own ids of the order's other documents: never this one
    part: str = ""  # of a write in several requests, the one that comes next, as the outcome of the one before it said

    def party(self, ref: PartyRef | None) -> Party | None:
        """The party that the document names by this reference; None where it names none."""
        return next((one for one in self.parties if one.ref == ref), None)


@frozen
class ReadBack:
    """A document as the ERP holds it, read after a write: the evidence for hand edits later."""

    key: DocumentKey
    ref: str  # the ERP's own id
    revision: str | None  # of the content that we wrote; None where the ERP does not keep it
    total_minor: int
    tax_minor: int
    currency: str
    date: datetime.date
    lines: int  # how many
    version: int  # the ERP's own counter: moves with each change, ours or by hand
    voided: bool = False


REFS: Final = ","
"""Between the ids of a document that the far side keeps in parts."""


class Verdict(StrEnum):
    DONE = "done"
    REJECTED = "rejected"
    IN_DOUBT = "in_doubt"
    UNSENT = "unsent"  # nothing happened: it may be sent later


@frozen
class Outcome:
    """What became of one write."""

    verdict: Verdict
    ref: str | None = None  # the far side's own id; several, of one document in parts, joined by REFS
    code: str = ""  # rejected: closed_period, unknown_item, unknown_customer …
    field: str = ""
    remedy: str = ""
    then: str | None = None  # done: the part of the write that comes next; None: the whole of it is done


class Found(StrEnum):
    DONE = "done"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    TWICE = "twice"  # two matches: an alarm


@frozen
class Probe:
    """What looking for a write found."""

    found: Found
    ref: str | None = None
    then: str | None = None  # done: the part that comes next, as in an Outcome
