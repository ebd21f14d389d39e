"""The bank's statements against the payouts."""

import datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel

from hub.api.guard import CallerOf, Guarded
from hub.api.rest.parts import LIMIT, Asked, Content, Cursor, Limit, Word, offset_of, page, takes
from hub.model.bank import Match, PaidPayout
from hub.steps import bank
from hub.steps.answers import matching_answer
from hub.steps.bank import BankImport
from hub.steps.hub import Hub

NAME: Final = "statement"
CAMT053: Final = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id>'
    "<Acct><Id><IBAN>DE02100100100006820101</IBAN></Id></Acct></Stmt></BkToCstmrStmt></Document>"
)
"""An example: a statement without an entry."""


class Form(StrEnum):
    CSV = "csv"
    CAMT053 = "camt053"


class Line(BaseModel):
    account: str
    key: str
    on: datetime.date
    amount_minor: int
    currency: str
    reference: str
    text: str
    matched: tuple[str, str] | None
    """Channel and payout, as a person said."""
    match: Match
    payouts: list[str]
    """The one, or those that it may be: channel/payout."""


class Lines(BaseModel):
    lines: list[Line]
    unseen: list[PaidPayout]
    """Payouts that no line is, a page at a time."""
    next: str | None = None


class Said(Asked):
    line: Word
    """Its key, or the beginning of it."""
    payout: Word | None = None
    """Channel/payout; none: the match is taken back."""


class Matched(BaseModel):
    line: str
    payout: str | None


def router(hub: Hub) -> APIRouter:
    made = APIRouter(prefix="/api/bank", tags=["bank"], route_class=Guarded)

    @made.get("/lines")
    def lines(
        whole: Annotated[bool, Query(description="Also what is matched.")] = False,
        limit: Limit = LIMIT,
        cursor: Cursor = None,
    ) -> Lines:
        """Bank lines that are no payout or may be several, and payouts that the bank has not seen."""
        found, offset = matching_answer(bank.matching(hub), whole=whole), offset_of(cursor)
        rows, more_lines = page(found["lines"], offset, limit)
        unseen, more_unseen = page(found["unseen"], offset, limit)
        return Lines(lines=rows, unseen=unseen, next=more_lines or more_unseen)

    @made.post("/statements", openapi_extra=takes("application/xml", CAMT053))
    def take(
        content: Content,
        form: Annotated[Form | None, Query(description="What it is; none: as it looks.")] = None,
        account: Annotated[Word | None, Query(description="Whose lines; none: as the statement says.")] = None,
        mapping: Annotated[Word | None, Query(description="A CSV's columns: a name under `bank` in hub.yaml.")] = None,
    ) -> BankImport:
        """Keeps each booked line of a CAMT.053 statement or a bank's CSV once and matches it with the payouts."""
        return bank.import_content(hub, NAME, content, form.value if form else None, account, mapping)

    @made.post("/match")
    def match(caller: CallerOf, asked: Said) -> Matched:
        """Says which payout a line is, signed by the token's name."""
        bank.say_match(hub, asked.line, asked.payout, caller.name)
        return Matched(line=asked.line, payout=asked.payout)

    return made
