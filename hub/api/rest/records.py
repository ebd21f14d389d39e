"""The raw records as they were received, read again, and brought in."""

from collections import Counter
from enum import StrEnum
from itertools import islice
from typing import Annotated, Final, Self

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field, StringConstraints, model_validator

from hub.api.guard import CallerOf, Guarded
from hub.api.problems import Named
from hub.api.rest.parts import LIMIT, Asked, Channel, Content, Cursor, Limit, Send, Word, cursor_of, place_of, takes
from hub.errors import Missing
from hub.steps import replaying
from hub.steps.answers import record_answer
from hub.steps.editing import with_values
from hub.steps.hub import Hub
from hub.steps.importing import import_content
from hub.steps.send import send_all
from hub.steps.settling import Sent
from hub.store.views import records
from hub.store.views.records import RecordRow

ID_MAX: Final = 2**63 - 1
IDS_MAX: Final = 500  # read again at once
VALUES_MAX: Final = 100  # set in a record at once
ROWS_MAX: Final = 1_000  # of an import that are told one by one

Id = Annotated[int, Path(ge=1, le=ID_MAX, description="The record's number.")]
Text = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]


class Outcome(StrEnum):
    ORDER = "order"
    HELD = "held"
    FACTS = "facts"
    STOCK = "stock"
    PAYOUT = "payout"
    NOT_AN_ORDER = "not_an_order"
    WAITING = "waiting"


class Records(BaseModel):
    records: list[RecordRow]
    next: str | None = None


class Became(BaseModel):
    """What a record came to."""

    outcome: str
    order: str | None
    currency: str | None
    claimed_minor: int | None
    computed_minor: int | None
    problems: list[Named]


class RecordSight(BaseModel):
    """A record with its body, which may hold names and addresses."""

    id: int
    channel: str
    key: str
    topic: str
    source: str
    received_at: str
    size_bytes: int
    outcome: str | None
    order: str | None
    digest: str
    headers: dict[str, str]
    result: Became | None
    body: str | None
    """None: it was purged."""
    purged_at: str | None


class Edit(Asked):
    """What the record is to say: single values, or a whole body."""

    reason: Annotated[Text, Field(min_length=1)]
    values: dict[Word, Text] | None = Field(default=None, min_length=1, max_length=VALUES_MAX)
    """By path: {"line_items[2].price": "12.00"}."""
    body: str | None = None
    send: bool = True

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.values is None) == (self.body is None):
            raise ValueError("give values or a body, and not both")
        return self


class Edited(BaseModel):
    record: RecordRow
    result: Became | None
    sent: Sent | None


class Again(Asked):
    ids: list[Annotated[int, Field(ge=1, le=ID_MAX)]] = Field(min_length=1, max_length=IDS_MAX)
    send: bool = True


class ReadAgain(BaseModel):
    records: int
    sent: Sent | None


class Import(BaseModel):
    records: int
    outcomes: dict[str, int]
    bad: int
    """Records that do not parse or do not translate."""
    rows: list[Became]
    """The first of them, in their order."""
    sent: Sent | None


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api", tags=["records"], route_class=Guarded)

    @made.get("/records")
    def listed(
        caller: CallerOf,
        outcome: Outcome | None = None,
        channel: Channel = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> Records:
        """The records received last, the newest first, without their bodies."""
        before = place_of(cursor, int)[0] if cursor is not None else None
        if before is not None and not 0 <= before <= ID_MAX:
            raise HTTPException(422, "cursor: none that an answer gave")
        rows = records.listed(hub.inbox, outcome=outcome, channel=caller.only(channel), limit=limit + 1, before=before)
        return Records(records=rows[:limit], next=cursor_of(rows[limit - 1].id) if len(rows) > limit else None)

    @made.get("/records/{id}")
    def show(caller: CallerOf, id: Id) -> RecordSight:
        """One record: where it came from, what it came to, its problems, its body as it was received."""
        found = records.find(hub.inbox, id)
        if found is None or caller.channel not in (None, found.row.channel):
            raise Missing(f"no record {id}: see the list of records")
        return RecordSight(**record_answer(found))

    @made.post("/records/{id}/edit")
    def edit(caller: CallerOf, id: Id, asked: Edit) -> Edited:
        """Reads a record again with another body, signed by the token's name; the original is kept."""
        if asked.body is not None:
            content = asked.body.encode("utf-8", "surrogatepass")
        else:
            content = with_values(replaying.body_of(hub, id), dict(asked.values or {}))
        replaying.edit(hub, id, content, caller.name, asked.reason)
        sent = send_all(hub) if asked.send else None
        found = records.find(hub.inbox, id)
        if found is None:
            raise Missing(f"no record {id}: see the list of records")
        return Edited(record=found.row, result=Became(**found.result) if found.result else None, sent=sent)

    @made.post("/records/replay")
    def read_again(caller: CallerOf, asked: Again) -> ReadAgain:
        """Reads records again by today's mappings, and decides on their orders anew."""
        count = replaying.read_again(hub, sorted(set(asked.ids)), caller.name)
        return ReadAgain(records=count, sent=send_all(hub) if asked.send else None)

    @made.post("/channels/{channel}/import", openapi_extra=takes("application/json", '[{"id": 1001}]'))
    def import_(channel: str, content: Content, send: Send = True) -> Import:
        """Captures the records of the body (JSON, JSON lines, a list, an envelope) and decides on their orders."""
        became = import_content(hub, channel, "body", content)
        rows = list(islice(became, ROWS_MAX))
        outcomes, bad = Counter(row.outcome for row in rows), sum(row.bad for row in rows)
        for row in became:
            outcomes[row.outcome] += 1
            bad += row.bad
        told = [Became(**{name: value for name, value in row.as_row().items() if name != "file"}) for row in rows]
        sent = send_all(hub) if send else None
        return Import(records=outcomes.total(), outcomes=dict(sorted(outcomes.items())), bad=bad, rows=told, sent=sent)

    return made
