"""GET /healthz: the process lives. GET /readyz: what it needs is there; a dependency that is wrong is named.

An ERP or a channel that nothing can be sent to is named too, and so is the broker, and the hub is ready nevertheless:
what comes in is kept, and what was not rung is found at its beat.
"""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from hub.api.operating import Jobs
from hub.steps.hub import Hub
from hub.steps.opening import dependencies, far_sides


def router(hub: Hub, jobs: Jobs) -> APIRouter:
    made = APIRouter()

    @made.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @made.get("/readyz")
    async def readyz() -> JSONResponse:
        needed, away = await run_in_threadpool(lambda: (dependencies(hub), far_sides(hub)))
        wrong = any(fault is not None for fault in needed.values())
        status = {name: fault or "ok" for name, fault in (needed | away | jobs.away()).items()}
        return JSONResponse(status, status_code=503 if wrong else 200)

    return made
