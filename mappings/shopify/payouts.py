"""Shopify Payments: payouts and the transactions of its balance → the model, REST and GraphQL alike."""

import datetime
from typing import Any, Final

from hub.model.payouts import Payout, PayoutStatus, SettlementKind, SettlementLine
from mappings.shopify.payload import BalancePayload, PayoutPayload
from mappings.shopify.reading import Part, Reading, is_currency, shown

GATEWAY: Final = "shopify_payments"
"""What an order's own transactions call the gateway."""

STATUS: Final = {
    "scheduled": PayoutStatus.SCHEDULED,
    "in_transit": PayoutStatus.IN_TRANSIT,
    "paid": PayoutStatus.PAID,
    "failed": PayoutStatus.FAILED,
    "canceled": PayoutStatus.CANCELLED,
}

# Only words whose meaning Shopify's reference or a sample makes plain (GraphQL 2026-10, ShopifyPaymentsTransactionType;
# the short ones are REST's). Any other is no fault: its line is in quarantine until a person says what it is.
KINDS: Final = {
    **dict.fromkeys(("charge",), SettlementKind.CHARGE),
    **dict.fromkeys(("refund", "refund_failure"), SettlementKind.REFUND),
    **dict.fromkeys(
        (
            "stripe_fee",
            "application_fee_refund",
            "chargeback_fee",
            "chargeback_fee_refund",
            "ach_bank_failure_debit_fee",
            "ach_bank_failure_debit_reversal_fee",
            "marketplace_fee_credit",
            "marketplace_fee_credit_reversal",
            "referral_fee",
            "referral_fee_tax",
        ),
        SettlementKind.FEE,
    ),
    **dict.fromkeys(("dispute", "dispute_withdrawal", "chargeback_hold", "risk_withdrawal"), SettlementKind.DISPUTE),
    **dict.fromkeys(("dispute_reversal", "chargeback_hold_release", "risk_reversal"), SettlementKind.DISPUTE_REVERSAL),
    **dict.fromkeys(("reserve", "reserved_funds", "reserved_funds_withdrawal"), SettlementKind.RESERVE),
    **dict.fromkeys(("reserved_funds_reversal",), SettlementKind.RESERVE_RELEASE),
    **dict.fromkeys(
        (
            "adjustment",
            "credit",
            "debit",
            "charge_adjustment",
            "refund_adjustment",
            "anomaly_credit",
            "anomaly_credit_reversal",
            "anomaly_debit",
            "anomaly_debit_reversal",
            "merchant_goodwill_credit",
            "merchant_goodwill_credit_reversal",
        ),
        SettlementKind.ADJUSTMENT,
    ),
    **dict.fromkeys(
        (
            "shipping_label",
            "shipping_label_adjustment",
            "shipping_label_adjustment_base",
            "shipping_label_adjustment_surcharge",
            "shipping_other_carrier_charge_adjustment",
            "shipping_return_to_origin_adjustment",
        ),
        SettlementKind.SHIPPING_LABEL,
    ),
    **dict.fromkeys(
        (
            "advance",
            "advance_funding",
            *(
                f"lending_{what}{undone}"
                for what in ("credit", "debit", "capital_refund", "capital_remittance", "credit_refund")
                for undone in ("", "_reversal")
            ),
            "lending_credit_remittance",
            "lending_credit_remittance_reversal",
        ),
        SettlementKind.FINANCING,
    ),
    **dict.fromkeys(("payout", "transfer"), SettlementKind.PAYOUT),
    **dict.fromkeys(
        ("payout_failure", "payout_cancellation", "transfer_cancel", "transfer_failure", "transfer_refund"),
        SettlementKind.RETURNED,
    ),
}
TURNED: Final = {
    SettlementKind.DISPUTE: SettlementKind.DISPUTE_REVERSAL,
    SettlementKind.RESERVE: SettlementKind.RESERVE_RELEASE,
}
"""REST has one word for both directions: the sign tells."""


def payout(given: PayoutPayload, read: Reading) -> Payout:
    """A payout; its amount is negative where it is taken from the bank."""
    if is_currency(given.currency):
        read.currency = given.currency
    else:
        read.fault(f"not an ISO 4217 currency: {shown(given.currency)}", "currency")
    amount = read.money(given.amount, "amount")
    if given.withdrawal and amount > 0:
        amount = -amount
    return Payout(
        external_id=read.id(given.id, "id"),
        status=read.word(STATUS, given.status.lower(), "status"),
        on=_day(given.date, read, "date"),
        amount_minor=amount,
        currency=read.currency,
        method=GATEWAY,
        reference=given.trace_id or None,
    )


def settlement_line(given: BalancePayload, read: Reading) -> SettlementLine:
    """A transaction of the balance. What has an unknown word is one all the same."""
    if is_currency(given.currency):
        read.currency = given.currency
    else:
        read.fault(f"not an ISO 4217 currency: {shown(given.currency)}", "currency")
    amount, fee = read.money(given.amount, "amount"), read.money(given.fee, "fee")
    net = read.money(given.net, "net")
    word = given.type.lower()[:40]
    kind = KINDS.get(word, SettlementKind.UNKNOWN)
    return SettlementLine(
        external_id=read.id(given.id, "id"),
        kind=TURNED.get(kind, kind) if net > 0 else kind,
        word=word or "nothing",
        amount_minor=amount,
        fee_minor=fee,
        net_minor=net,
        currency=read.currency,
        method=GATEWAY,
        processed_at=_moment(given.processed_at, read, "processed_at"),
        payout=read.optional_id(given.payout_id, "payout_id"),
        order=read.optional_id(given.source_order_id, "source_order_id"),
        transaction=read.optional_id(given.source_order_transaction_id, "source_order_transaction_id"),
    )


def rest_payout(node: dict[str, Any]) -> dict[str, Any]:
    """The GraphQL payout in REST's words."""
    amount, currency = _money(node.get("net"))
    return {
        "id": node.get("id"),
        "status": node.get("status"),
        "date": node.get("issuedAt"),
        "amount": amount,
        "currency": currency,
        "trace_id": node.get("externalTraceId"),
        "withdrawal": node.get("transactionType") == "WITHDRAWAL",
    }


def rest_balance(node: dict[str, Any]) -> dict[str, Any]:
    """The GraphQL balance transaction in REST's words."""
    amount, currency = _money(node.get("amount"))
    found: dict[str, Any] = {
        "id": node.get("id"),
        "type": node.get("type"),
        "test": node.get("test"),
        "amount": amount,
        "currency": currency,
        "payout_id": _id(node.get("associatedPayout")),
        "source_order_id": _id(node.get("associatedOrder")),
        "source_order_transaction_id": node.get("sourceOrderTransactionId"),
        "processed_at": node.get("transactionDate"),
    }
    for name in ("fee", "net"):
        found[name], other = _money(node.get(name))
        if other != currency:
            found["currency"] = None
    return found


GRAPHQL_PATHS: Final = {
    "date": "issuedAt",
    "amount": "amount",
    "type": "type",
    "processed_at": "transactionDate",
    "payout_id": "associatedPayout.id",
    "source_order_id": "associatedOrder.id",
    "source_order_transaction_id": "sourceOrderTransactionId",
    "currency": "amount.currencyCode",
}


def _money(given: Any) -> tuple[Any, Any]:
    return (given.get("amount"), given.get("currencyCode")) if isinstance(given, dict) else (None, None)


def _id(given: Any) -> Any:
    return given.get("id") if isinstance(given, dict) else None


def _day(text: str, read: Reading, *path: Part) -> datetime.date:
    """The day as the channel writes it: a payout is of a banking day, not of a moment somewhere."""
    try:
        return datetime.datetime.fromisoformat(text).date()
    except ValueError:
        read.fault(f"not a day: {shown(text)}", *path)
        return datetime.date(1970, 1, 1)


def _moment(text: str, read: Reading, *path: Part) -> datetime.datetime:
    """The moment; of an old export's bare day, its midnight in UTC."""
    return read.moment(f"{text}T00:00:00+00:00" if len(text) == len("2026-11-01") else text, *path)
