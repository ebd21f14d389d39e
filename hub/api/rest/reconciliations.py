"""Reconciliations: the runs, a new one, and who vouches for it."""

from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, StringConstraints

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import LIMIT, Asked, Cursor, Limit, Month, Word, alone, offset_of, page
from hub.errors import Missing
from hub.model.reconciliation import Signed
from hub.steps import healing
from hub.steps.closing import reconcile
from hub.steps.healing import Healed
from hub.steps.hub import Hub
from hub.steps.reconcile import as_json
from hub.steps.showing import report_of, runs
from hub.steps.signing import sign

Run = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{8}T[0-9]{6}Z(-[0-9]{1,4})?$")]


class Runs(BaseModel):
    runs: list[str]
    next: str | None = None


class Wanted(Asked):
    period: Month
    channel: Word | None = None
    """None: every channel."""


class Total(BaseModel):
    """What one side comes to; `orders` of sales, `payments` of payments."""

    model_config = ConfigDict(extra="forbid")

    entity: str
    currency: str
    total_minor: int
    orders: int | None = None
    payments: int | None = None


class Cause(BaseModel):
    code: str
    amount_minor: int
    evidence: dict[str, Any]
    """Facts by name, as each cause has its own; amounts in names that end in `_minor`."""


class Variance(BaseModel):
    """A difference: the sum of its causes and the residual, and of its components."""

    pair: str
    entity: str
    channel: str
    order: str | None
    subject: str
    subject_id: str
    document: str
    reference: str
    kind: str
    currency: str
    delta_minor: int
    components: dict[str, int]
    causes: list[Cause]
    residual_minor: int


class Comparison(BaseModel):
    sides: dict[str, list[Total]]
    """channel, hub, erp."""
    matched: int
    matched_pairs: dict[str, int]
    variances: list[Variance]
    unexplained_minor: dict[str, int]


class Waiting(BaseModel):
    """What waits for a person, by cause."""

    cause: str
    orders: int
    held_minor: dict[str, int]
    oldest: str
    remedy: str
    assignee: str | None


class Report(Comparison):
    """A run's report.json: sales at the top, payments and books under names of their own."""

    model_config = ConfigDict(extra="allow")

    period: str
    run: str
    digest: str
    complete: bool
    payments: Comparison
    waiting: list[Waiting]


class Heal(Asked):
    do: bool = False
    """False: only say what would be done."""


class Healing(BaseModel):
    """What would heal the run's variances, and what was done of it."""

    pull: dict[str, list[str]]
    """Orders to be read anew, by channel."""
    pull_minor: dict[str, int]
    send: int
    """Documents to be sent, or looked for in the ERP."""
    send_minor: dict[str, int]
    left: dict[str, int]
    """What needs a person, by cause."""
    cannot_ask: list[str]
    """Channels that give no order by its id: their orders are to be imported again."""
    done: Healed | None


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
        with alone(one_at_a_time, "reconciliation"):
            return Report(**as_json(reconcile(hub, asked.period, [], slug=asked.channel)))

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

    @made.post("/{run}/heal")
    def heal(run: Run, asked: Heal) -> Healing:
        """What pulling and posting would heal of a run's variances; it is done where that is asked for."""
        if run not in runs(hub):
            raise Missing(f"no run {run!r}: see the list of runs")
        with alone(one_at_a_time, "reconciliation"):
            planned = healing.plan(hub, reconcile(hub, run[:7], [], hub.settings.home / "runs" / run))
            done = healing.heal(hub, planned) if asked.do and not planned.is_empty else None
        return Healing(**planned.as_json(), done=done)

    return made
