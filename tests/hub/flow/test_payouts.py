"""A payout's document: it balances, it is what was paid, and clearing gives exactly its charges and refunds."""

import datetime
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from hub.books.policy import Policy
from hub.books.post import post
from hub.flow.payouts import plan_payout
from hub.model.payouts import Payout, PayoutState, PayoutStatus, SettlementKind
from hub.testing.builders import terms
from tests.hub.flow.bookkeeping import CHART

DAY = datetime.date(2026, 10, 21)
CLEARED = (SettlementKind.CHARGE, SettlementKind.REFUND)


@dataclass(frozen=True)
class Lines:
    kind: SettlementKind
    word: str
    amount_minor: int
    fee_minor: int
    off_minor: int = 0  # by how much the net is not amount less fee
    currency: str = "USD"
    count: int = 1

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.fee_minor + self.off_minor

    @property
    def adds_up(self) -> bool:
        return self.off_minor == 0


_lines = st.lists(
    st.builds(
        Lines,
        st.sampled_from(SettlementKind),
        st.sampled_from(["charge", "moonbeam", "debit"]),
        st.integers(-(10**6), 10**6),
        st.integers(-500, 500),
        st.sampled_from([0, 0, 0, 7]),
    ),
    max_size=8,
)


def whole(lines: list[Lines], status: PayoutStatus = PayoutStatus.PAID, opening: int = 0) -> Payout:
    """The payout that these lines make."""
    amount = opening + sum(line.net_minor for line in lines if line.kind is not SettlementKind.PAYOUT)
    return Payout("3", status, DAY, amount, "USD", "shopify_payments", opening_minor=opening)


@given(_lines, st.sampled_from([PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELLED]), st.integers(0, 99))
def test_a_whole_payout_balances_and_leaves_nothing_out(lines: list[Lines], status: PayoutStatus, opening: int) -> None:
    payout = whole(lines, status, opening)

    planned = plan_payout("shopify", payout, lines, terms(), ())

    if planned.document is None:
        assert (status is not PayoutStatus.PAID, planned.state) == (True, PayoutState.EMPTY)
        return
    entry = post(planned.document, CHART, Policy(), "USD")
    balances = {p.account: p.amount_minor for p in entry.postings} if entry else {}
    assert sum(balances.values()) == 0
    assert balances.get("1000", 0) == (payout.amount_minor if status is PayoutStatus.PAID else 0)
    cleared = sum(line.amount_minor for line in lines if line.kind in CLEARED and line.adds_up)
    assert balances.get("1200:shopify_payments", 0) == -cleared
    strange = sum(line.net_minor for line in lines if _strange(line))
    assert sum(minor for account, minor in balances.items() if account.startswith("1285")) == -strange


@given(_lines, st.integers(1, 10**6))
def test_what_is_missing_is_held_by_exactly_that(lines: list[Lines], missing: int) -> None:
    payout = whole(lines)
    short = replace(payout, amount_minor=payout.amount_minor + missing)

    planned = plan_payout("shopify", short, lines, terms(), ())

    assert (planned.state, planned.document) == (PayoutState.HELD, None)
    assert [(task.hold.code.value, task.amount_minor) for task in planned.holds] == [("payout_incomplete", missing)]


@given(_lines)
def test_every_strange_line_is_a_task_and_holds_nothing(lines: list[Lines]) -> None:
    planned = plan_payout("shopify", whole(lines), lines, terms(), ())

    assert planned.state is PayoutState.POSTED
    assert len(planned.tasks) == sum(1 for line in lines if _strange(line))


def _strange(line: Lines) -> bool:
    return line.kind is not SettlementKind.PAYOUT and (line.kind is SettlementKind.UNKNOWN or not line.adds_up)
