"""The account's balance: each payout is the sum of its transactions, and what was charged is all there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.shopify.simulator import App, Server, Setup
from tests.connectors.shopify.shop.caller import Caller

START = datetime(2026, 9, 1, tzinfo=UTC)
MONEY = "{ amount currencyCode }"
ENTRIES = f"""query ($after: String, $search: String, $hide: Boolean) {{ shopifyPaymentsAccount {{
  balance {MONEY}
  balanceTransactions(first: 250, after: $after, query: $search, hideTransfers: $hide) {{
    nodes {{ id type amount {MONEY} fee {MONEY} net {MONEY} transactionDate sourceType sourceOrderTransactionId
      associatedOrder {{ id }} associatedPayout {{ id status }} }}
    pageInfo {{ hasNextPage endCursor }} }} }} }}"""
PAYOUTS = f"""{{ shopifyPaymentsAccount {{ payouts(first: 200) {{ nodes {{ id issuedAt status net {MONEY} gross {MONEY}
  summary {{ chargesGross {MONEY} chargesFee {MONEY} refundsFeeGross {MONEY} adjustmentsGross {MONEY}
    adjustmentsFee {MONEY} reservedFundsGross {MONEY} }} }} }} }} }}"""


@pytest.fixture
def caller() -> Iterator[Caller]:
    app = App(Setup(seed=7, orders=150, start=START, wide=False))
    app.shop.move_to(datetime(2026, 11, 20, tzinfo=UTC))
    with Server(app) as server, Caller(app, server) as caller:
        yield caller


def minor(money: dict[str, str]) -> int:
    return round(float(money["amount"]) * 100)


def entries(caller: Caller, search: str | None = None, *, hide: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = caller.ask(ENTRIES, after=after, search=search, hide=hide)["shopifyPaymentsAccount"][
            "balanceTransactions"
        ]
        found += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def test_each_payout_is_the_sum_of_its_transactions_to_the_minor_unit(caller: Caller) -> None:
    payouts = caller.ask(PAYOUTS)["shopifyPaymentsAccount"]["payouts"]["nodes"]
    lines = entries(caller, hide=True)

    assert len(payouts) > 10
    for payout in payouts:
        mine = [line for line in lines if line["associatedPayout"]["id"] == payout["id"]]
        parts = payout["summary"]
        gross = sum(
            minor(parts[name]) for name in ("chargesGross", "refundsFeeGross", "adjustmentsGross", "reservedFundsGross")
        )
        assert sum(minor(line["net"]) for line in mine) == minor(payout["net"]) > 0
        assert sum(minor(line["amount"]) for line in mine) == minor(payout["gross"]) == gross


def test_a_net_amount_is_the_amount_less_its_fee(caller: Caller) -> None:
    for line in entries(caller):
        assert minor(line["net"]) == minor(line["amount"]) - minor(line["fee"])


def test_what_is_not_paid_out_is_the_balance(caller: Caller) -> None:
    account = caller.ask(ENTRIES)["shopifyPaymentsAccount"]
    every = entries(caller)
    open_lines = [line for line in every if line["associatedPayout"]["id"] is None]

    assert sum(minor(line["net"]) for line in every) == minor(account["balance"][0])
    assert sum(minor(line["net"]) for line in open_lines) == minor(account["balance"][0])


def test_every_charge_and_refund_of_the_orders_is_there_once(caller: Caller) -> None:
    shop = caller.app.shop
    charged, refunded = 0, 0
    for order in shop.orders.values():
        for payment in order.life.payments_at(shop.now):
            if (
                payment.gateway == "shopify_payments"
                and payment.status_at(shop.now) == "success"
                and not order.life.test
            ):
                charged += payment.amount.shop if payment.kind in ("sale", "capture") else 0
                refunded += payment.amount.shop if payment.kind == "refund" else 0
    lines = entries(caller)

    assert sum(minor(line["amount"]) for line in lines if line["type"] == "CHARGE") == charged > 0
    assert sum(minor(line["amount"]) for line in lines if line["type"] == "REFUND") == -refunded < 0


def test_fees_disputes_reserves_and_rare_kinds_occur(caller: Caller) -> None:
    lines = entries(caller)

    assert {
        "CHARGE",
        "REFUND",
        "DISPUTE_WITHDRAWAL",
        "RESERVED_FUNDS",
        "RESERVED_FUNDS_REVERSAL",
        "SHIPPING_LABEL",
        "MERCHANT_GOODWILL_CREDIT",
        "TRANSFER",
    } <= {line["type"] for line in lines}
    assert len({line["id"] for line in lines}) == len(lines)


def test_a_payout_does_not_change_once_it_was_issued() -> None:
    def issued(app: App) -> dict[int, int]:
        return {payout.id: payout.net_minor for payout in app.payments.books()[1]}

    app = App(Setup(seed=7, orders=150, start=START, wide=False))
    app.shop.move_to(datetime(2026, 9, 25, tzinfo=UTC))
    early = issued(app)
    app.shop.move_to(datetime(2026, 11, 20, tzinfo=UTC))
    late = issued(app)

    assert len(early) > 5
    assert {number: late[number] for number in early} == early


def test_a_payout_can_be_found_by_its_id_and_its_transactions_by_the_payout(caller: Caller) -> None:
    payout = caller.ask(PAYOUTS)["shopifyPaymentsAccount"]["payouts"]["nodes"][3]
    number = payout["id"].rpartition("/")[2]

    found = caller.ask(
        "query ($id: ID!) { node(id: $id) { id ... on ShopifyPaymentsPayout { issuedAt status } } }", id=payout["id"]
    )["node"]
    lines = entries(caller, f"payments_transfer_id:{number}", hide=True)

    assert found == {"id": payout["id"], "issuedAt": payout["issuedAt"], "status": "PAID"}
    assert sum(minor(line["net"]) for line in lines) == minor(payout["net"])


def test_a_dispute_names_its_order_and_ends(caller: Caller) -> None:
    found = caller.ask(
        "{ disputes(first: 50) { nodes { id status initiatedAt finalizedOn order { id disputes { status } } } } }"
    )["disputes"]["nodes"]

    lines = entries(caller)
    for kind, ended in (("DISPUTE_WITHDRAWAL", None), ("DISPUTE_REVERSAL", "WON")):
        told = sum(ended in (None, each["status"]) for each in found)
        assert sum(line["type"] == kind for line in lines) == told > 0
    for each in found:
        assert each["status"] in {summary["status"] for summary in each["order"]["disputes"]}


def test_tenders_cover_every_way_of_paying(caller: Caller) -> None:
    found = caller.ask(
        "{ tenderTransactions(first: 250) { nodes { id amount { amount } paymentMethod order { id } } } }"
    )["tenderTransactions"]["nodes"]

    assert {each["paymentMethod"] for each in found} == {"credit_card", "other"}
    assert any(float(each["amount"]["amount"]) < 0 for each in found)


def test_the_truth_tells_the_payouts_and_the_balance(caller: Caller) -> None:
    truth = caller.client.get("/_control/truth").json()
    account = caller.ask(ENTRIES)["shopifyPaymentsAccount"]

    assert truth["balance_minor"] == minor(account["balance"][0])
    assert [each["net_minor"] for each in truth["payouts"]] == [
        minor(each["net"]) for each in caller.ask(PAYOUTS)["shopifyPaymentsAccount"]["payouts"]["nodes"]
    ]
