"""Postings: what an ERP's general ledger holds, what the books should hold, and how the two compare by account."""

import datetime
from typing import Any

from hub.model.causes import CauseCode
from hub.model.frozen import frozen


@frozen
class ErpPosting:
    """What a document stands for now on one account, on one day, as the ERP's general ledger has it.

    What was reversed and posted anew counts as what is left of it, and a document that is gone has none.
    """

    document: str  # our key, of each of its parts where the ERP keeps it in several; "" where typed in by hand
    ref: str  # the ERP's own id
    kind: str  # a DocumentKind where it is one, else the ERP's word
    entity: str
    date: datetime.date  # on which it is posted
    channel: str  # with order: what the document names; "" where it names none
    order: str
    account: str  # in the hub's chart, `1200` or `1200:detail`; the ERP's own number where the chart has none for it
    currency: str
    amount_minor: int  # in `currency`; debits are positive
    functional_minor: int
    by_hand: bool  # last changed by a person
    version: int = 0  # the document's, as it is read back; 0: the ERP counts none
    lines: int = 1  # posted lines that this is the sum of: each may be off by the rounding of a conversion


@frozen
class AccountTotal:
    """What both sides put on one account in the period, in one currency."""

    entity: str
    account: str
    name: str
    currency: str
    functional: str  # the entity's currency
    expected_minor: int
    erp_minor: int
    expected_functional_minor: int
    erp_functional_minor: int
    unexplained_minor: int  # Σ |residual|
    unexplained_functional_minor: int

    @property
    def delta_minor(self) -> int:
        return self.erp_minor - self.expected_minor

    @property
    def delta_functional_minor(self) -> int:
        return self.erp_functional_minor - self.expected_functional_minor


@frozen
class PostingCause:
    code: CauseCode
    amount_minor: int  # a part of the difference, computed from the evidence alone
    functional_minor: int
    evidence: dict[str, Any]  # facts by name; amounts in names that end in `_minor`


@frozen
class PostingDifference:
    """What the ERP has otherwise of one document on one account; a delta is ERP − expected.

    Invariant: each delta = Σ causes + its residual; by account the deltas sum to the account's.
    """

    entity: str
    account: str
    currency: str
    functional: str
    document: str  # our key, else the ERP's own id
    ref: str  # the ERP's own id; "" where it has no such document
    kind: str
    channel: str
    order: str
    reference: str  # what people call it; "" where nobody said
    delta_minor: int
    delta_functional_minor: int
    causes: tuple[PostingCause, ...]
    residual_minor: int
    residual_functional_minor: int


@frozen
class PostingGroup:
    """The differences of one entity and currency by their cause; `code` None is what is unexplained."""

    entity: str
    currency: str
    code: CauseCode | None
    documents: int
    gross_minor: int  # Σ of absolute amounts: signed, an entry's sum is zero
    gross_functional_minor: int


@frozen
class LeftOut:
    """An account that is not compared."""

    account: str
    name: str
    why: str  # cost: the ERP alone values stock; foreign: the hub's chart has no such account


@frozen
class TrialBalanceLine:
    """What the books should hold on an account at the end of a day."""

    entity: str
    account: str
    name: str
    type: str
    currency: str
    balance_minor: int  # + is a debit
    functional: str
    functional_minor: int


@frozen
class BooksComparison:
    """The ERP's books of the period beside the expected ones."""

    accounts: tuple[AccountTotal, ...]
    differences: tuple[PostingDifference, ...]
    groups: tuple[PostingGroup, ...]
    left_out: tuple[LeftOut, ...]
    documents: int  # that either side posted in the period
    matched: int  # that both have alike on every account
    unexplained_minor: dict[str, int]  # Σ |residual| by currency, zeros included
    unexplained_functional_minor: dict[str, int]  # the same of what they are worth, by the entities' currency
    trial_balance: tuple[TrialBalanceLine, ...]  # expected, at the period's end

    @property
    def is_unexplained(self) -> bool:
        return any(self.unexplained_minor.values()) or any(self.unexplained_functional_minor.values())
