"""The console: how it stands and what needs a person; server-rendered, linkable, no script."""

import re
from dataclasses import asdict
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool

from hub.api.guard import Guarded
from hub.api.headers import PAGES
from hub.model.money import format_minor
from hub.steps.hub import Hub
from hub.steps.reconcile import REPORT_HTML
from hub.steps.showing import RUNS, runs
from hub.store.views import backlog, exceptions

_RUN: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9TZ]+(-[0-9]+)?")
SEALED: Final = {"Content-Security-Policy": PAGES}


def router(hub: Hub) -> APIRouter:
    made = APIRouter(route_class=Guarded)
    templates = Environment(
        loader=PackageLoader("hub.api"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
    )
    templates.filters["money"] = format_minor

    @made.get("/", response_class=HTMLResponse)
    async def front() -> HTMLResponse:
        answer = await run_in_threadpool(_standing, hub)
        return HTMLResponse(templates.get_template("front.html.j2").render(answer), headers=SEALED)

    @made.get("/runs/{run}")
    async def run_report(run: str) -> Any:
        file = hub.settings.home / RUNS / run / REPORT_HTML
        if not _RUN.fullmatch(run) or not file.is_file():
            return HTMLResponse("no such run\n", status_code=404, headers=SEALED)
        return FileResponse(file, media_type="text/html", headers=SEALED)

    return made


def _standing(hub: Hub) -> dict[str, Any]:
    now = hub.clock()
    return {
        "now": now,
        "records": backlog.backlog(hub.inbox),
        "orders": backlog.holding(hub.store, now),
        "steps": backlog.steps_by_state(hub.store),
        "documents": backlog.documents_by_kind(hub.store),
        "groups": [asdict(group) for group in exceptions.groups(hub.store)],
        "runs": runs(hub),
    }
