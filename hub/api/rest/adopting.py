"""ERP documents that an older integration made, linked to a channel's orders."""

import datetime
from threading import Lock

from fastapi import APIRouter
from pydantic import BaseModel

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import Asked, alone
from hub.steps.adopting import adopt
from hub.steps.hub import Hub


class Adopt(Asked):
    since: datetime.date | None = None
    """ERP documents dated since then; none: 92 days before `until`."""
    until: datetime.date | None = None
    """The last day that was the older integration's; none: the day before the channel's go_live."""
    dry_run: bool = False


class Planned(BaseModel):
    """A document that the hub would post."""

    order: str
    name: str
    document: str
    kind: str
    date: datetime.date
    currency: str
    planned_minor: int


class Linked(Planned):
    """… and the ERP's own that stands for it."""

    ref: str
    erp_minor: int
    difference_minor: int
    differences: list[str]


class Refused(Linked):
    code: str
    remedy: str


class Unsure(BaseModel):
    """A document of the ERP that a person must lay to its order."""

    ref: str
    kind: str
    reference: str
    date: datetime.date
    currency: str
    erp_minor: int
    doubt: str
    orders: list[str]
    detail: str


class Adopted(BaseModel):
    channel: str
    since: datetime.date
    until: datetime.date
    dry_run: bool
    orders: int
    linked: list[Linked]
    linked_before: int
    difference_minor: dict[str, int]
    unsure: list[Unsure]
    absent: list[Planned]
    """Not in the ERP, and left so."""
    posts: list[Planned]
    """The hub's own to post."""
    refused: list[Refused]


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api", tags=["channels"], route_class=Guarded)
    one_at_a_time = Lock()

    @made.post("/channels/{channel}/adopt")
    def adopt_(caller: CallerOf, channel: str, asked: Adopt) -> Adopted:
        """Links ERP documents that an older integration made to the channel's orders: nothing is posted twice."""
        with alone(one_at_a_time, "adoption"):
            found = adopt(hub, channel, since=asked.since, until=asked.until, write=not asked.dry_run, by=caller.name)
        return Adopted(**found.as_json(), dry_run=asked.dry_run)

    return made
