"""What an operator asks of the running hub: how it stands, and to look at a channel now."""

from dataclasses import asdict
from typing import Any, Protocol

from fastapi import APIRouter, HTTPException
from starlette.concurrency import run_in_threadpool

from hub.api.guard import Guarded
from hub.steps.hub import Hub
from hub.steps.syncing import waiting
from hub.store.views import backlog
from hub.store.views.sending import sending


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


def router(hub: Hub, jobs: Jobs) -> APIRouter:
    made = APIRouter(prefix="/api", route_class=Guarded)

    @made.get("/status")
    async def status() -> dict[str, Any]:
        """What waits and where, and the jobs of this process."""
        return await run_in_threadpool(_status, hub, jobs)

    @made.post("/channels/{channel}/sync", status_code=202)
    async def sync(channel: str) -> dict[str, Any]:
        """The channel is looked at soon; the answer names the jobs that were rung."""
        if channel not in {one.slug for one in hub.settings.channels}:
            raise HTTPException(404, "no such channel")
        return {"jobs": jobs.ring_channel(channel)}

    return made


def _status(hub: Hub, jobs: Jobs) -> dict[str, Any]:
    return {
        "records": asdict(backlog.backlog(hub.inbox)),
        "orders": asdict(backlog.holding(hub.store, hub.clock())),
        "steps": backlog.steps_by_state(hub.store),
        "told": backlog.told(hub.store),
        "targets": [asdict(one) for one in sending(hub.store, hub.clock(), hub.settings.slots())],
        "to_be_read_anew": waiting(hub),
        "jobs": jobs.standing(),
    }
