"""What an operator asks of the running hub: how it stands, and to look at a channel now."""

import datetime
from typing import Any, Final, Protocol

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from hub.api.guard import Guarded
from hub.api.rest.parts import Asked
from hub.errors import Missing
from hub.steps import drafting
from hub.steps.hub import Hub
from hub.steps.standing import Standing, standing
from hub.steps.syncing import waiting
from hub.store.views.backlog import Backlog, Backordered, Holding
from hub.store.views.completeness import Checked
from hub.store.views.sending import TargetStatus

DRAFTS_MAX: Final = 200


class Jobs(Protocol):
    """The jobs behind the web door."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def ring(self, name: str) -> None:
        """That job looks soon for what there is to do."""

    def ring_channel(self, slug: str) -> list[str]:
        """All that is pulled from a channel looks soon; the names of these jobs."""

    def away(self) -> dict[str, str | None]:
        """What carries rings between processes, with what is wrong with it; None: it is well."""

    def standing(self) -> dict[str, Any]:
        """Whether nothing runs or waits, and how often each job ran."""


class JobsStanding(BaseModel):
    """The jobs of this process, or of the workers that it rings."""

    idle: bool
    runs: dict[str, int] = {}
    """How often each ran since the process began."""
    broker: bool | None = None
    """Of workers elsewhere: whether what carries rings to them answers."""
    ended: dict[str, str] = {}
    """When each was last done, by whichever worker."""


class Status(BaseModel):
    """As of `orderhub status`, without the exceptions, which may repeat what a far side said: they have a list."""

    records: Backlog
    orders: Holding
    backordered: Backordered
    steps: dict[str, int]
    told: dict[str, dict[str, int]]
    targets: list[TargetStatus]
    documents: dict[str, int]
    reconciliation: str | None
    completeness: list[Checked]
    to_be_read_anew: dict[str, int]
    jobs: JobsStanding


class Rung(BaseModel):
    jobs: list[str]


class DryRun(Asked):
    since: AwareDatetime | None = None
    """Begin there, not where the last pull ended."""
    limit: int = Field(default=20, ge=1, le=DRAFTS_MAX)
    """How many documents are shown."""


class Request(BaseModel):
    method: str
    path: str
    body: Any
    note: str | None


class Refusal(BaseModel):
    code: str
    field: str
    remedy: str


class Posting(BaseModel):
    account: str
    name: str
    amount_minor: int
    currency: str
    functional_minor: int


class Entry(BaseModel):
    date: datetime.date
    memo: str
    postings: list[Posting]


class Draft(BaseModel):
    """A document that the ERP would be told."""

    document: str
    kind: str
    action: str
    channel: str
    order: str | None
    reference: str | None
    date: datetime.date
    currency: str
    total_minor: int
    requests: list[Request]
    problem: Refusal | None
    entries: list[Entry]


class Drafts(BaseModel):
    dry_run: bool
    pages: int
    records: int
    new: int
    untranslatable: int
    held: dict[str, int]
    refused: int
    documents: list[Draft]
    more: int


def router(hub: Hub, jobs: Jobs) -> APIRouter:
    made = APIRouter(prefix="/api", route_class=Guarded)

    @made.get("/status")
    def status() -> Status:
        """What waits and where, what is held, what was told, and the jobs of this process."""
        found = standing(hub)
        parts = {name: getattr(found, name) for name in Standing.__dataclass_fields__ if name in Status.model_fields}
        return Status(**parts, to_be_read_anew=waiting(hub), jobs=JobsStanding(**jobs.standing()))

    @made.post("/channels/{channel}/sync", status_code=202)
    def sync(channel: str) -> Rung:
        """The channel is looked at soon; the answer names the jobs that were rung."""
        if channel not in {one.slug for one in hub.settings.channels}:
            raise Missing(f"no channel {channel!r}")
        return Rung(jobs=jobs.ring_channel(channel))

    @made.post("/channels/{channel}/dry-run")
    def dry_run(channel: str, asked: DryRun) -> Drafts:
        """What a pull would bring, and what the ERP would be told, request by request; nothing is written."""
        hub.settings.channel(channel)
        found = drafting.dry_run(hub, channel, asked.limit, asked.since)
        return Drafts(**drafting.as_json(hub, found))

    return made
