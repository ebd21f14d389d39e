"""What needs a person, grouped by cause; one fix heals all of a cause."""

import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, model_validator

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import LIMIT, Asked, Channel, Cursor, Limit, Word, offset_of, page
from hub.api.rest.previews import Preview
from hub.steps import exceptions as steps
from hub.steps.answers import healing_answer
from hub.steps.hub import Hub
from hub.steps.replaying import preview_release
from hub.steps.settling import Sent
from hub.store.views import exceptions
from hub.store.views.exceptions import Group, OpenException

Fingerprint = Annotated[Word, Query(description="The cause.")]


class Groups(BaseModel):
    exceptions: list[Group]


class OpenOnes(BaseModel):
    exceptions: list[OpenException]
    next: str | None = None


class Resolve(Asked):
    fingerprint: Word
    order: Word | None = None
    """Only this order of the cause."""
    dry_run: bool = False
    """Only say, in money, what it would change."""
    send: bool = True


class Standing(Asked):
    channel: Word
    since: datetime.date


class Retry(Asked):
    """One of the four."""

    fingerprint: Word | None = None
    all: bool = False
    due: bool = False
    standing: Standing | None = None
    send: bool = True

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.fingerprint is not None) + self.all + self.due + (self.standing is not None) != 1:
            raise ValueError("name one of fingerprint, all, due, standing")
        return self


class Assign(Asked):
    fingerprint: Word
    assignee: Word


class Assigned(BaseModel):
    fingerprint: str
    assignee: str
    exceptions: int


class Healed(BaseModel):
    """What became of held orders that were decided anew; `sent`: what became of their documents."""

    orders: int
    healed: int
    healed_minor: dict[str, int]
    still_held: int
    causes: dict[str, int]
    steps_again: int
    sent: Sent | None


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/exceptions", tags=["exceptions"], route_class=Guarded)

    @made.get("")
    def groups(caller: CallerOf, channel: Channel = None) -> Groups:
        """The open causes: how many orders, how much money, since when, and what to do."""
        return Groups(exceptions=exceptions.groups(hub.store, caller.only(channel)))

    @made.get("/orders")
    def orders(
        caller: CallerOf,
        fingerprint: Fingerprint,
        channel: Channel = None,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> OpenOnes:
        """The orders of one cause, the oldest first."""
        offset = offset_of(cursor)
        found = exceptions.opened(
            hub.store, fingerprint=fingerprint, channel=caller.only(channel), limit=offset + limit + 1
        )
        rows, following = page(found, offset, limit)
        return OpenOnes(exceptions=rows, next=following)

    @made.post("/resolve")
    def resolve(caller: CallerOf, asked: Resolve) -> Healed | Preview:
        """Releases the orders of a cause as they are, signed by the token's name; a dry run says what it would do."""
        if asked.dry_run:
            return Preview(**preview_release(hub, asked.fingerprint, asked.order).as_json())
        healing = steps.resolve(hub, asked.fingerprint, caller.name, asked.order, then_send=asked.send)
        return Healed(**healing_answer(healing))

    @made.post("/retry")
    def retry(asked: Retry) -> Healed:
        """Decides held orders anew under the rules of now, and sends again what the ERP refused."""
        if asked.standing is not None:
            one = asked.standing
            healing = steps.redecide(hub, one.channel, one.since, then_send=asked.send)
        elif asked.due:
            healing = steps.retry_due(hub, then_send=asked.send)
        else:
            healing = steps.retry(hub, asked.fingerprint, then_send=asked.send)
        return Healed(**healing_answer(healing))

    @made.post("/assign")
    def assign(asked: Assign) -> Assigned:
        """Gives the open exceptions of a cause to a person."""
        count = steps.assign(hub, asked.fingerprint, asked.assignee)
        return Assigned(fingerprint=asked.fingerprint, assignee=asked.assignee, exceptions=count)

    return made
