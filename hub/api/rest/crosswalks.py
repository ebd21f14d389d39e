"""The channels' words and the ERP's."""

import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.exceptions import Healed
from hub.api.rest.parts import LIMIT, Asked, Channel, Content, Cursor, Limit, Send, Word, offset_of, page, takes
from hub.api.rest.previews import Preview
from hub.model.crosswalk import ANY_CHANNEL, CrosswalkKind
from hub.steps import crosswalks as steps
from hub.steps.answers import set_answer
from hub.steps.crosswalks import Listed, Wanted
from hub.steps.hub import Hub
from hub.steps.replaying import preview_orders
from hub.store.views import crosswalks
from hub.store.views.crosswalks import SetRow

FILE: Final = "body"


class InForce(BaseModel):
    crosswalk: list[Listed]
    next: str | None = None


class History(BaseModel):
    history: list[SetRow]
    next: str | None = None


class Mapped(Asked):
    source: Word
    target: Word
    channel: Word = ANY_CHANNEL
    since: datetime.date | None = Field(default=None, alias="from")
    unlisted: bool = False
    """Take an item that is not in the price list: the ERP knows it."""
    dry_run: bool = False
    """Only say, in money, what it would change."""
    send: bool = True


class SetRowAnswer(BaseModel):
    """A row that was set."""

    kind: CrosswalkKind
    channel: str
    source: str
    target: str
    valid_from: datetime.date


class SetAnswer(Healed):
    set: list[SetRowAnswer]
    unchanged: int
    unlisted: list[str]


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/crosswalks", tags=["crosswalks"], route_class=Guarded)

    @made.get("")
    def in_force(
        caller: CallerOf,
        kind: CrosswalkKind | None = None,
        channel: Channel = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> InForce:
        """The rows in force today; of a channel: its own, and those of every channel."""
        only = caller.only(channel)
        found = [row for row in steps.in_force(hub, kind) if only is None or row.channel in (only, ANY_CHANNEL)]
        rows, following = page(found, offset_of(cursor), limit)
        return InForce(crosswalk=rows, next=following)

    @made.get("/history")
    def history(
        caller: CallerOf,
        kind: CrosswalkKind | None = None,
        source: Word | None = None,
        channel: Channel = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> History:
        """Every row that was ever set, by whom and when, the newest first."""
        only, offset = caller.only(channel), offset_of(cursor)
        channels = None if only is None else (only, ANY_CHANNEL)
        found = crosswalks.history(hub.store, kind, source, offset + limit + 1, channels)
        rows, following = page(found, offset, limit)
        return History(history=rows, next=following)

    @made.post("/{kind}")
    def set_row(caller: CallerOf, kind: CrosswalkKind, asked: Mapped) -> SetAnswer | Preview:
        """Maps a word, signed by the token's name; orders that this heals are decided anew and posted."""
        wanted = Wanted(asked.source, asked.target, asked.channel, asked.since)
        if asked.dry_run:
            rows = [steps.proposed_row(hub, kind, wanted, unlisted=asked.unlisted)]
            return Preview(**preview_orders(hub, steps.healed_by(hub, kind, rows), rows).as_json())
        outcome = steps.set_row(hub, kind, wanted, caller.name, unlisted=asked.unlisted, then_send=asked.send)
        return SetAnswer(**set_answer(outcome))

    @made.post(
        "/{kind}/import", openapi_extra=takes("text/csv", "source,target,channel,from\nLAMP-2,LAMP-HEAD-350,,\n")
    )
    def import_(
        caller: CallerOf,
        kind: CrosswalkKind,
        content: Content,
        unlisted: Annotated[bool, Query(description="Take items that are not in the price list.")] = False,
        dry_run: Annotated[bool, Query(description="Only say, in money, what it would change.")] = False,
        send: Send = True,
    ) -> SetAnswer | Preview:
        """Maps all words of a CSV with the columns source,target and optionally channel,from, or none of them."""
        if dry_run:
            rows = steps.proposed_content(hub, kind, FILE, content, unlisted=unlisted)
            return Preview(**preview_orders(hub, steps.healed_by(hub, kind, rows), rows).as_json())
        outcome = steps.import_content(hub, kind, FILE, content, caller.name, unlisted=unlisted, then_send=send)
        return SetAnswer(**set_answer(outcome))

    return made
