"""The books of the configured ERP, by the abilities that it has."""

import datetime
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from hub.api.guard import Guarded
from hub.api.rest.parts import LIMIT, Asked, Cursor, Limit, Month, Word, cursor_of, offset_of, page
from hub.steps import ledger
from hub.steps.expected_books import expected_trial_balance
from hub.steps.hub import Hub

Day = Annotated[datetime.date | None, Query()]


class Total(BaseModel):
    debit_minor: int
    credit_minor: int


class Balance(BaseModel):
    """An account's balance in a currency: a debit or a credit."""

    model_config = ConfigDict(extra="allow")

    entity: str
    account: str
    name: str
    currency: str
    debit_minor: int
    credit_minor: int
    balance_minor: int


class Balances(BaseModel):
    accounts: list[Balance]
    totals: dict[str, Total]


class Account(BaseModel):
    """An account of the chart, or a sub-account of one."""

    model_config = ConfigDict(extra="allow")

    id: str
    number: str
    name: str
    type: str
    role: str


class Accounts(BaseModel):
    accounts: list[Account]


class Posting(BaseModel):
    model_config = ConfigDict(extra="allow")

    account: str
    amount_minor: int
    currency: str
    functional_minor: int


class Entry(BaseModel):
    """A posted entry; its amounts sum to zero, by currency and in the entity's own."""

    model_config = ConfigDict(extra="allow")

    entry: int
    date: datetime.date
    entity: str
    document: str | None
    functional: str
    memo: str | None
    postings: list[Posting]


class Journal(BaseModel):
    entries: list[Entry]
    next: str | None = None


class Receivable(BaseModel):
    """What is owed of one order; `oldest`: since when, `buckets`: by age, `credit_minor`: paid beyond it."""

    model_config = ConfigDict(extra="allow")

    entity: str
    customer: str | None
    channel: str | None
    order: str | None
    currency: str
    oldest: datetime.date | None
    buckets: dict[str, int]
    credit_minor: int
    total_minor: int


class Ageing(BaseModel):
    on: datetime.date
    receivables: list[Receivable]
    next: str | None = None


class Period(Asked):
    period: Month
    entity: Word | None = None
    """Where there are several."""


class PeriodState(BaseModel):
    entity: str
    period: str
    closed: bool


MEDIA = {"json": "application/x-ndjson", "csv": "text/csv", "beancount": "text/plain"}


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/ledger", tags=["ledger"], route_class=Guarded)

    @made.get("/trial-balance")
    def trial_balance(until: Day = None) -> Balances:
        """Each account's balance, and the sums of both sides by currency."""
        return _balances(ledger.trial_balance(hub, until))

    @made.get("/expected")
    def expected(until: Day = None) -> Balances:
        """Each account's balance as the hub's decisions say that it should be, whatever the ERP has."""
        return _balances(ledger.both_sides(expected_trial_balance(hub, until)))

    @made.get("/accounts")
    def accounts() -> Accounts:
        """The chart of accounts with the sub-accounts opened so far."""
        return Accounts(accounts=[Account(**row) for row in ledger.accounts(hub)])

    @made.get("/ageing")
    def ageing(on: Day = None, limit: Limit = LIMIT, cursor: Cursor = None) -> Ageing:
        """What customers owe on a day, by order and age."""
        day = on or hub.clock().date()
        rows, following = page([Receivable(**row) for row in ledger.ageing(hub, day)], offset_of(cursor), limit)
        return Ageing(on=day, receivables=rows, next=following)

    @made.get("/journal")
    def journal(first: Day = None, last: Day = None, limit: Limit = LIMIT, cursor: Cursor = None) -> Journal:
        """The posted entries, in the order they were posted."""
        offset = offset_of(cursor)
        entries = [Entry(**one) for one in islice(ledger.journal(hub, first, last), offset, offset + limit + 1)]
        return Journal(entries=entries[:limit], next=cursor_of(offset + limit) if len(entries) > limit else None)

    @made.get("/export", response_class=StreamingResponse)
    def export(form: Annotated[str, Query(pattern="^(beancount|csv|json)$")] = "beancount") -> StreamingResponse:
        """The whole journal, for tools that nobody here wrote."""
        return StreamingResponse(iter(ledger.export(hub, form)), media_type=MEDIA[form])

    @made.post("/close")
    def close(asked: Period) -> PeriodState:
        """Closes a month: nothing is posted into it any more."""
        return PeriodState(entity=ledger.close(hub, asked.entity, asked.period), period=asked.period, closed=True)

    @made.post("/open")
    def open_(asked: Period) -> PeriodState:
        """Opens a closed month again."""
        return PeriodState(entity=ledger.reopen(hub, asked.entity, asked.period), period=asked.period, closed=False)

    return made


def _balances(rows: list[dict[str, Any]]) -> Balances:
    totals = {currency: Total(**sides) for currency, sides in ledger.totals(rows).items()}
    return Balances(accounts=[Balance(**row) for row in rows], totals=totals)
