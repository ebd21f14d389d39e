"""GET /healthz: the process lives. GET /readyz: what it needs is there; a dependency that is wrong is named."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from hub.steps.hub import Hub
from hub.steps.opening import dependencies


def router(hub: Hub) -> APIRouter:
    made = APIRouter()

    @made.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @made.get("/readyz")
    async def readyz() -> JSONResponse:
        faults = await run_in_threadpool(dependencies, hub)
        wrong = {name: fault for name, fault in faults.items() if fault is not None}
        status = {name: fault or "ok" for name, fault in faults.items()}
        return JSONResponse(status, status_code=503 if wrong else 200)

    return made
