"""What a change would do, in money; nothing is written."""

import datetime
from typing import Final

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from hub.api.guard import Guarded
from hub.api.rest.parts import Asked, Word
from hub.model.crosswalk import ANY_CHANNEL, CrosswalkKind
from hub.steps import crosswalks as steps
from hub.steps.crosswalks import Wanted
from hub.steps.hub import Hub
from hub.steps.replaying import preview

DAYS: Final = 30
ROWS_MAX: Final = 500


class Account(BaseModel):
    account: str
    currency: str
    delta_minor: int
    """+ is a debit."""


class DocumentChange(BaseModel):
    document: str
    action: str
    before_minor: int | None
    after_minor: int | None


class Example(BaseModel):
    order: str
    name: str
    currency: str
    held: bool
    documents: list[DocumentChange]


class Preview(BaseModel):
    orders: int
    """Looked at."""
    changed: int
    released: int
    released_minor: dict[str, int]
    held: dict[str, int]
    """Orders held then and not now, by cause."""
    untranslatable: int
    documents: dict[str, int]
    """By action."""
    sales_minor: dict[str, int]
    tax_minor: dict[str, int]
    accounts: list[Account]
    examples: list[Example]


class Row(Asked):
    """A crosswalk row as if it were set."""

    source: Word
    target: Word
    channel: Word = ANY_CHANNEL
    since: datetime.date | None = Field(default=None, alias="from")


class Replay(Asked):
    since: AwareDatetime | None = None
    """Orders placed since then; none: for the last 30 days."""
    channel: Word | None = None
    kind: CrosswalkKind = CrosswalkKind.ITEM
    """What the rows map."""
    rows: list[Row] = Field(default_factory=list, max_length=ROWS_MAX)


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api", tags=["replay"], route_class=Guarded)

    @made.post("/replay")
    def replay(asked: Replay) -> Preview:
        """What today's mappings, or these crosswalk rows, would change: orders, accounts, tax, with examples."""
        if asked.channel is not None:
            hub.settings.channel(asked.channel)
        rows = [
            steps.proposed_row(hub, asked.kind, Wanted(one.source, one.target, one.channel, one.since), unlisted=True)
            for one in asked.rows
        ]
        since = asked.since or hub.clock() - datetime.timedelta(days=DAYS)
        return Preview(**preview(hub, since, rows, asked.channel).as_json())

    return made
