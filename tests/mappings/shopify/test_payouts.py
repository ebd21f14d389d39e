"""Payouts and balance transactions: REST and GraphQL say the same, and a fault is named in the shape's own words."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Untranslatable
from hub.model.facts import Source
from hub.model.payouts import SettlementKind
from hub.model.records import Translation
from mappings.shopify import translate
from mappings.shopify.payouts import KINDS

RECEIVED_AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
REST: dict[str, Any] = {
    "id": 77,
    "type": "charge",
    "test": False,
    "payout_id": 3,
    "payout_status": "paid",
    "currency": "USD",
    "amount": "10.00",
    "fee": "0.59",
    "net": "9.41",
    "source_order_id": 11,
    "source_order_transaction_id": 21,
    "processed_at": "2026-10-20T05:00:00-05:00",
}
NODE: dict[str, Any] = {
    "id": "gid://shopify/ShopifyPaymentsBalanceTransaction/77",
    "type": "CHARGE",
    "test": False,
    "amount": {"amount": "10.0", "currencyCode": "USD"},
    "fee": {"amount": "0.59", "currencyCode": "USD"},
    "net": {"amount": "9.41", "currencyCode": "USD"},
    "sourceOrderTransactionId": "21",
    "associatedOrder": {"id": "gid://shopify/Order/11", "name": "#11"},
    "associatedPayout": {"id": "gid://shopify/ShopifyPaymentsPayout/3", "status": "PAID"},
    "transactionDate": "2026-10-20T10:00:00Z",
}
PAYOUT = {"payout": {"id": 3, "status": "paid", "date": "2026-10-21", "currency": "USD", "amount": "41.90"}}
PAYOUT_NODE: dict[str, Any] = {
    "id": "gid://shopify/ShopifyPaymentsPayout/3",
    "status": "PAID",
    "issuedAt": "2026-10-21T00:00:00Z",
    "transactionType": "DEPOSIT",
    "net": {"amount": "41.9", "currencyCode": "USD"},
}


def read(document: dict[str, Any], topic: str = "") -> Translation:
    return translate("shopify", topic, document, Source.PULL, "EUR", RECEIVED_AT)


def test_both_shapes_of_a_balance_transaction_are_one_line() -> None:
    assert read(REST).settlement_lines == read(NODE, "balance_transactions").settlement_lines
    assert read(NODE).settlement_lines[0].net_minor == 941


def test_both_shapes_of_a_payout_are_one_payout() -> None:
    assert read(PAYOUT).payouts == read(PAYOUT_NODE, "payouts").payouts
    assert read(PAYOUT).payouts[0].amount_minor == 4190


def test_a_test_transaction_is_no_money() -> None:
    assert read(NODE | {"test": True}).settlement_lines == ()


def test_a_word_that_nobody_knows_is_kept_and_no_fault() -> None:
    (line,) = read(NODE | {"type": "MOON_CREDIT"}).settlement_lines

    assert (line.kind, line.word) == (SettlementKind.UNKNOWN, "moon_credit")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"net": None}, "net: not a text: None"),
        ({"fee": {"amount": "0.59", "currencyCode": "EUR"}}, "amount.currencyCode: not a text: None"),
        ({"transactionDate": "yesterday"}, "transactionDate: not a time with an offset: 'yesterday'"),
        ({"amount": {"amount": "a lot", "currencyCode": "USD"}}, "amount: not a decimal: 'a lot'"),
        ({"type": None}, "type: not a text: None"),
    ],
)
def test_a_fault_is_named_in_the_words_of_the_shape(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        read(NODE | change)

    assert said in [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_an_unknown_status_of_a_payout_is_a_fault() -> None:
    with pytest.raises(Untranslatable, match="status: unknown word: 'mislaid'"):
        read(PAYOUT_NODE | {"status": "MISLAID"})


def test_every_word_that_is_mapped_is_the_vendors(shared_contracts: Path) -> None:
    """REST's short words are in its samples and reference alone."""
    rest = {"dispute", "reserve", "credit", "debit", "payout", "payout_failure", "payout_cancellation"}
    schema = (shared_contracts / "shopify" / "spec" / "admin-2026-10.graphql").read_text()
    enum = re.search(r"^enum ShopifyPaymentsTransactionType \{(.*?)^\}", schema, re.MULTILINE | re.DOTALL)
    assert enum is not None

    known = {word.lower() for word in re.findall(r"^  ([A-Z_]+)$", enum[1], re.MULTILINE)}

    assert len(known) > 100
    assert set(KINDS) - known == rest
