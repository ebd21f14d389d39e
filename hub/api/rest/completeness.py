"""Completeness: which orders channel, hub and ERP hold."""

from threading import Lock
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, StringConstraints

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import Asked, Channel, Word, alone
from hub.steps.completeness import as_json, check_completeness, period_of
from hub.steps.hub import Hub
from hub.store.views.completeness import answers

Days = Annotated[
    str, StringConstraints(pattern=r"^[12][0-9]{3}-[0-9]{2}(-[0-9]{2}(\.\.[12][0-9]{3}(-[0-9]{2}){2})?)?$")
]


class Looked(BaseModel):
    """How one side was looked at."""

    counted: int
    """Days and hours whose counts were asked for."""
    read: int
    """Days and hours whose orders were listed."""
    alike: int
    differing: int


class Completeness(BaseModel):
    """What a check found of one channel; `lists` are cut short, `counts` are not."""

    channel: str
    first: str
    last: str
    checked_at: str
    compared: list[str]
    """The sides that were asked: channel, erp."""
    orders: int
    sums_minor: dict[str, int]
    digest: str
    proven: dict[str, int]
    """By side: orders that it listed; of the others a count alone agrees."""
    buckets: dict[str, Looked]
    missing: int
    late: int
    untold: int
    unread: int
    lists: dict[str, list[str]]
    """Orders by what is the matter with them."""
    counts: dict[str, int]
    not_posted: dict[str, int]
    complete: bool


class Checks(BaseModel):
    channels: list[Completeness]


class Check(Asked):
    period: Days
    """A month like 2026-10, a day, or days like 2026-10-05..2026-10-07."""
    channel: Word | None = None
    """None: every channel."""
    prove: bool = False
    """List every order on all sides; else counts that agree are believed."""


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/completeness", tags=["completeness"], route_class=Guarded)
    one_at_a_time = Lock()

    @made.get("")
    def last(caller: CallerOf, channel: Channel = None) -> Checks:
        """What the last check of each channel found."""
        only = caller.only(channel)
        slugs = [one.slug for one in hub.settings.channels if only in (None, one.slug)]
        return Checks(channels=[Completeness(**one) for one in answers(hub.store, slugs)])

    @made.post("")
    def check(asked: Check) -> Checks:
        """Compares which orders channel, hub and ERP hold, day by day; what the hub lacks is asked for anew."""
        first, until = period_of(asked.period)
        with alone(one_at_a_time, "completeness check"):
            found = check_completeness(hub, first, until, asked.channel, prove_from=first if asked.prove else None)
        return Checks(channels=[Completeness(**as_json(one)) for one in found])

    return made
