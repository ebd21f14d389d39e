"""Reconciliations: the runs, a new one, and who vouches for it."""

from threading import Lock
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import LIMIT, Asked, Cursor, Limit, Month, Word, offset_of, page
from hub.errors import Missing, Retryable
from hub.model.reconciliation import Signed
from hub.steps.closing import reconcile
from hub.steps.hub import Hub
from hub.steps.reconcile import as_json
from hub.steps.showing import report_of, runs
from hub.steps.signing import sign

AGAIN_S: Final = 30
Run = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{8}T[0-9]{6}Z(-[0-9]{1,4})?$")]


class Runs(BaseModel):
    runs: list[str]
    next: str | None = None


class Wanted(Asked):
    period: Month
    channel: Word | None = None
    """None: every channel."""


class Report(BaseModel):
    """A run's report.json: sales at the top, payments and books under names of their own."""

    model_config = ConfigDict(extra="allow")

    period: str
    run: str
    digest: str
    complete: bool
    matched: int
    sides: dict[str, list[dict[str, Any]]]
    variances: list[dict[str, Any]]
    unexplained_minor: dict[str, int]
    payments: dict[str, Any]
    waiting: list[dict[str, Any]]


class Note(Asked):
    note: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")] = ""
    """Why it is signed although it is not complete, or leaves something unexplained."""


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/reconciliations", tags=["reconciliations"], route_class=Guarded)
    one_at_a_time = Lock()

    @made.get("")
    def listed(limit: Limit = LIMIT, cursor: Cursor = None) -> Runs:
        """The runs, the newest first."""
        rows, following = page(runs(hub), offset_of(cursor), limit)
        return Runs(runs=rows, next=following)

    @made.post("", status_code=201)
    def run(asked: Wanted) -> Report:
        """Reads the three sides of a month anew, compares and explains them; the answer comes when it is done."""
        if not one_at_a_time.acquire(blocking=False):
            raise Retryable("another reconciliation runs", AGAIN_S)
        try:
            return Report(**as_json(reconcile(hub, asked.period, [], slug=asked.channel)))
        finally:
            one_at_a_time.release()

    @made.get("/{run}")
    def report(run: Run) -> Report:
        """What a run found."""
        return Report(**report_of(hub, run))

    @made.post("/{run}/sign", status_code=201)
    def sign_run(caller: CallerOf, run: Run, asked: Note) -> Signed:
        """The token's name vouches for the run."""
        if run not in runs(hub):
            raise Missing(f"no run {run!r}: see the list of runs")
        return sign(hub, hub.settings.home / "runs" / run, caller.name, asked.note)

    return made
