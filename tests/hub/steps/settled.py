"""Payouts and balance transactions as Shopify's GraphQL gives them, for tests."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.model.facts import Source
from hub.model.records import Received
from hub.steps.advance import advance_all
from hub.steps.capture import capture
from hub.steps.hub import Hub
from hub.steps.send import send_all

HEARD = datetime(2026, 11, 2, 12, tzinfo=UTC)


def money(amount: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": amount, "currencyCode": currency}


def line(
    number: int,
    kind: str,
    amount: str,
    net: str | None = None,
    *,
    fee: str = "0.00",
    payout: int | None = 3,
    order: int | None = None,
    transaction: int | None = None,
    currency: str = "USD",
    minutes: int = 0,
) -> Received:
    """A balance transaction, heard so many minutes after HEARD."""
    body = {
        "__typename": "ShopifyPaymentsBalanceTransaction",
        "id": f"gid://shopify/ShopifyPaymentsBalanceTransaction/{number}",
        "type": kind,
        "test": False,
        "amount": money(amount, currency),
        "fee": money(fee, currency),
        "net": money(net or amount, currency),
        "transactionDate": "2026-10-20T10:00:00Z",
        "sourceOrderTransactionId": str(transaction) if transaction else None,
        "associatedOrder": {"id": f"gid://shopify/Order/{order}", "name": f"#{order}"} if order else None,
        "associatedPayout": {"id": f"gid://shopify/ShopifyPaymentsPayout/{payout}" if payout else None, "status": "X"},
    }
    return _record("balance_transactions", number, body, minutes)


def payout(
    amount: str, status: str = "PAID", number: int = 3, *, on: str = "2026-10-21", currency: str = "USD", **more: Any
) -> Received:
    minutes = more.pop("minutes", 0)
    body = {
        "__typename": "ShopifyPaymentsPayout",
        "id": f"gid://shopify/ShopifyPaymentsPayout/{number}",
        "legacyResourceId": str(number),
        "issuedAt": f"{on}T00:00:00Z",
        "status": status,
        "transactionType": "DEPOSIT",
        "externalTraceId": None,
        "net": money(amount, currency),
        **more,
    }
    return _record("payouts", number, body, minutes)


def take_in(hub: Hub, *received: Received) -> None:
    """Captured, decided and sent to the last."""
    capture(hub, received)
    advance_all(hub)
    send_all(hub)


def balances(hub: Hub) -> dict[str, int]:
    """The ledger's own balances that are not zero, by account, as `number currency` where not in dollars."""
    rows = hub.erp.trial_balance()
    return {
        row["account"] if row["currency"] == "USD" else f"{row['account']} {row['currency']}": row["balance_minor"]
        for row in rows
        if row["balance_minor"]
    }


def _record(topic: str, number: int, body: dict[str, Any], minutes: int) -> Received:
    raw = json.dumps(body).encode()
    at = HEARD + timedelta(minutes=minutes)
    return Received("shopify", f"{topic}:{number}:{at:%H%M}:{hash(raw)}", topic, Source.PULL, raw, at)
