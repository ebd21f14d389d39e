"""Journal entries: what has no record of its own in NetSuite, and what a payment provider paid out."""

from typing import Final

from hub.errors import Rejected
from hub.model.documents import Component, Document, DocumentLine
from hub.model.payouts import SettlementKind
from mappings.netsuite.words import Body, Directory, amount, header, own, segments_body

CLEARING: Final = "payment_clearing"
BANK: Final = "bank"
RECEIVABLES: Final = ("refunds_payable", "receivable")
"""Roles whose account in NetSuite is of a customer: the line names it."""

SETTLEMENTS: Final = {
    SettlementKind.CHARGE: CLEARING,
    SettlementKind.REFUND: CLEARING,
    SettlementKind.FEE: "fees",
    SettlementKind.DISPUTE: "chargebacks",
    SettlementKind.DISPUTE_REVERSAL: "chargebacks",
    SettlementKind.RESERVE: "payment_reserves",
    SettlementKind.RESERVE_RELEASE: "payment_reserves",
    SettlementKind.ADJUSTMENT: "provider_adjustments",
    SettlementKind.SHIPPING_LABEL: "shipping_labels",
    SettlementKind.FINANCING: "merchant_financing",
    SettlementKind.RETURNED: "payouts_returned",
    SettlementKind.CARRIED: "payouts_returned",
    SettlementKind.UNKNOWN: "settlement_quarantine",
}
"""The role of the account that a line of a payout is of; the books have the same table."""

Sums = dict[tuple[str, bool], int]
"""Minor units by account, a debit positive; whether the line names the customer."""


def journal_entry(document: Document, revision: str, directory: Directory) -> Body:
    """The document's own lines, by account."""
    sums: Sums = {}
    for line in document.lines:
        if line.component is Component.ACCOUNT:
            role, _, detail = line.detail.partition(":")
            if role == "deferred_revenue":
                raise Rejected(
                    f"{document.key} recognises deferred revenue",
                    code="deferred_revenue",
                    field="lines.detail",
                    remedy="NetSuite recognises revenue by its own schedules: set recognise: shipment for this entity",
                )
            _add(sums, directory.account(document, role, detail), line.amount_minor, of_customer=role in RECEIVABLES)
        elif line.amount_minor:
            raise Rejected(
                f"{document.key}: a journal entry has no {line.component} line",
                code="unsupported",
                field="lines",
                remedy="NetSuite keeps the cost of goods itself: enter it there",
            )
    return _entry(document, revision, directory, sums)


def payout(document: Document, revision: str, directory: Directory) -> Body:
    """What the payout is made of leaves where it stood; what is left of it came to the bank."""
    method = document.method or ""
    sums: Sums = {}
    for line in document.lines:
        kind, _, word = line.detail.partition(":")
        _add(sums, _settled(document, line, kind, word or method, directory), -line.amount_minor)
    _add(sums, directory.account(document, BANK, method), document.total_minor)
    return _entry(document, revision, directory, sums)


def refund_of_nothing(document: Document, revision: str, directory: Directory, minor: int, key: str) -> Body:
    """Money back that no credit and no deposit holds: the customer owes it until somebody explains it."""
    sums: Sums = {}
    _add(sums, directory.account(document, "refunds_payable"), minor, of_customer=True)
    _add(sums, directory.clearing(document), -minor)
    return _entry(document, revision, directory, sums) | {"externalId": key}


def _settled(document: Document, line: DocumentLine, kind: str, detail: str, directory: Directory) -> str:
    try:
        role = SETTLEMENTS[SettlementKind(kind)]
    except (KeyError, ValueError):
        raise Rejected(
            f"{document.key}: no line of a payout is {kind!r}",
            code="unsupported",
            field="lines.detail",
            remedy="a fault of the hub: report it",
        ) from None
    return directory.clearing(document) if role == CLEARING else directory.account(document, role, detail)


def _entry(document: Document, revision: str, directory: Directory, sums: Sums) -> Body:
    body = header(document, revision, directory, "journalEntry") | own(document, directory)
    segments = segments_body(directory.segments(document))
    rows: list[Body] = []
    for (account, of_customer), minor in sums.items():
        if minor:
            row: Body = {"account": {"id": account}, "debit" if minor > 0 else "credit": amount(abs(minor), document)}
            row |= segments
            if of_customer and document.customer is not None:
                row["entity"] = directory.customer(document)
            rows.append(row)
    return body | {"line": {"items": rows}}


def _add(sums: Sums, account: str, minor: int, *, of_customer: bool = False) -> None:
    sums[account, of_customer] = sums.get((account, of_customer), 0) + minor
