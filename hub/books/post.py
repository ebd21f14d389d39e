"""`post`: what a document does to the books, as one balanced entry."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from hub.books.chart import Chart, Role
from hub.books.faults import Unpostable
from hub.books.policy import Policy
from hub.model.documents import CREDITS, DEFERRED, Component, Document, DocumentKind, DocumentLine
from hub.model.entries import Entry, Posting
from hub.model.money import decimal_of, rounded_minor
from hub.model.payouts import SettlementKind

MARKETPLACE: Final = "marketplace"  # the `detail` of a discount that a marketplace pays for

SALE_ROLES: Final = {
    Component.GOODS: Role.REVENUE,
    Component.GIFT_CARD: Role.GIFT_CARD_LIABILITY,
    Component.DISCOUNT: Role.DISCOUNTS,
    Component.SHIPPING: Role.SHIPPING_INCOME,
    Component.TAX: Role.SALES_TAX_PAYABLE,
    Component.MARKETPLACE_TAX: Role.MARKETPLACE_CLEARING,
    Component.DUTY: Role.DUTIES_PAYABLE,
    Component.TIP: Role.TIPS_PAYABLE,
    Component.FEE: Role.FEES,
    Component.CASH_ROUNDING: Role.CASH_ROUNDING,
    Component.TAX_ROUNDING: Role.TAX_ROUNDING,
}
DEFERRABLE: Final = frozenset({Component.GOODS, Component.DISCOUNT, Component.SHIPPING})
BALANCE_ROLES: Final = {
    Component.DEPOSITS: Role.DEPOSITS,
    Component.RECEIVABLE: Role.RECEIVABLE,
    Component.REFUNDS_PAYABLE: Role.REFUNDS_PAYABLE,
}

SETTLEMENT_ROLES: Final = {
    SettlementKind.CHARGE: Role.PAYMENT_CLEARING,
    SettlementKind.REFUND: Role.PAYMENT_CLEARING,
    SettlementKind.FEE: Role.FEES,
    SettlementKind.DISPUTE: Role.CHARGEBACKS,
    SettlementKind.DISPUTE_REVERSAL: Role.CHARGEBACKS,
    SettlementKind.RESERVE: Role.PAYMENT_RESERVES,
    SettlementKind.RESERVE_RELEASE: Role.PAYMENT_RESERVES,
    SettlementKind.ADJUSTMENT: Role.PROVIDER_ADJUSTMENTS,
    SettlementKind.SHIPPING_LABEL: Role.SHIPPING_LABELS,
    SettlementKind.FINANCING: Role.MERCHANT_FINANCING,
    SettlementKind.RETURNED: Role.PAYOUTS_RETURNED,
    SettlementKind.CARRIED: Role.PAYOUTS_RETURNED,
    SettlementKind.UNKNOWN: Role.SETTLEMENT_QUARANTINE,
}
"""Where a line of a payout is posted to, by its kind."""

Sums = dict[str, int]
"""Account → minor units; debits are positive."""


def post(document: Document, chart: Chart, policy: Policy, functional: str) -> Entry | None:
    """The entry of a document, one posting an account; None where it posts nothing.

    Amounts are in the document's currency, but the cost of stock is in the functional one. A foreign amount is
    converted at the document's rate, halves away from zero, give or take the document's own `rounding`; what the
    rounding of the parts leaves goes to FX gain/loss as a posting of no transaction amount.

    Raises:
        Unpostable: the document contradicts itself or lacks what posting needs.
    """
    rule = RULES.get(document.kind)
    if rule is None:
        return None
    if document.accounts:
        try:
            chart = chart.choosing(document.accounts)
        except LookupError as error:
            raise Unpostable("unknown_account", "accounts", str(error.args[0])) from None
    sums: Sums = {}
    rule(document, chart, policy, sums)
    costs: Sums = {}
    _add_costs(document, chart, costs)
    if off := sum(sums.values()):
        raise Unpostable("unbalanced", "lines", f"the entry is off by {off} {document.currency}")
    postings = [*_converted(sums, document, chart, functional)]
    postings += [Posting(account, minor, functional, minor) for account, minor in costs.items() if minor]
    if not postings:
        return None
    return Entry(
        document.key,
        document.entity,
        document.date,
        f"{document.kind.replace('_', ' ')} {document.reference or document.key}",
        functional,
        tuple(postings),
        document.original_date,
    )


def _invoice(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    total = 0
    for line in document.lines:
        total += line.amount_minor
        _add(sums, _sale_account(document, line, chart, policy), -line.amount_minor)
    _add(sums, chart.account(Role.RECEIVABLE), total)


def _credit_memo(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    for line in document.lines:
        _add(sums, _sale_account(document, line, chart, policy), line.amount_minor)
    settled = sum(line.amount_minor for line in document.settles)
    if settled != document.total_minor:
        message = f"credits {settled} of the credit memo's {document.total_minor} {document.currency}"
        raise Unpostable("unbalanced", "settles", message)
    for line in document.settles:
        _add(sums, chart.account(_balance_role(line)), -line.amount_minor)


def _cash_sale(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    for line in document.lines:
        _add(sums, _sale_account(document, line, chart, policy), -line.amount_minor)
    _add(sums, _clearing(document, chart), document.total_minor)


def _cash_refund(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    for line in document.lines:
        _add(sums, _sale_account(document, line, chart, policy), line.amount_minor)
    _add(sums, _clearing(document, chart), -document.total_minor)


def _money_in(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    for line in document.lines:
        _add(sums, chart.account(_balance_role(line)), -line.amount_minor)
        _add(sums, _clearing(document, chart), line.amount_minor)


def _money_out(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    for line in document.lines:
        _add(sums, chart.account(_balance_role(line)), line.amount_minor)
        _add(sums, _clearing(document, chart), -line.amount_minor)


def _application(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    for line in document.lines:
        _add(sums, chart.account(_balance_role(line)), line.amount_minor)
        _add(sums, chart.account(Role.RECEIVABLE), -line.amount_minor)


def _journal(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    for line in document.lines:
        if line.component is Component.ACCOUNT:
            role, _, detail = line.detail.partition(":")
            _add(sums, chart.account(_role(role), detail), line.amount_minor)
        elif line.component is not Component.STOCK:
            raise Unpostable("unknown_component", "lines", f"a journal entry has no {line.component} line")


def _payout(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    """What the payout is made of leaves where it stood; what is left of it came to the bank."""
    method = document.method or ""
    for line in document.lines:
        if line.component is not Component.SETTLEMENT:
            raise Unpostable("unknown_component", "lines", f"a payout has no {line.component} line")
        kind, _, word = line.detail.partition(":")
        try:
            role = SETTLEMENT_ROLES[SettlementKind(kind)]
        except (KeyError, ValueError):
            raise Unpostable("unknown_component", "lines.detail", f"no line of a payout is {kind!r}") from None
        account = _clearing(document, chart) if role is Role.PAYMENT_CLEARING else chart.account(role, word or method)
        _add(sums, account, -line.amount_minor)
    _add(sums, chart.account(Role.BANK, method), document.total_minor)


def _stock(document: Document, chart: Chart, policy: Policy, sums: Sums) -> None:
    """Stock moves at cost alone, which `_add_costs` posts."""
    for line in document.lines:
        if line.component is not Component.STOCK:
            raise Unpostable("unknown_component", "lines", f"a {document.kind} has no {line.component} line")


RULES: Final[dict[DocumentKind, Callable[[Document, Chart, Policy, Sums], None]]] = {
    DocumentKind.INVOICE: _invoice,
    DocumentKind.CASH_SALE: _cash_sale,
    DocumentKind.CREDIT_MEMO: _credit_memo,
    DocumentKind.CASH_REFUND: _cash_refund,
    DocumentKind.PAYMENT: _money_in,
    DocumentKind.DEPOSIT: _money_in,
    DocumentKind.DEPOSIT_APPLICATION: _application,
    DocumentKind.REFUND: _money_out,
    DocumentKind.JOURNAL_ENTRY: _journal,
    DocumentKind.PAYOUT: _payout,
    DocumentKind.STOCK_RECEIPT: _stock,
    DocumentKind.STOCK_ADJUSTMENT: _stock,
    DocumentKind.FULFILMENT: _stock,
    DocumentKind.RETURN_RECEIPT: _stock,
}


_COST_ROLES: Final = {
    DocumentKind.FULFILMENT: Role.COST_OF_GOODS_SOLD,
    DocumentKind.RETURN_RECEIPT: Role.COST_OF_GOODS_SOLD,
    DocumentKind.STOCK_RECEIPT: Role.OPENING_EQUITY,
    DocumentKind.STOCK_ADJUSTMENT: Role.WRITE_OFF,
    DocumentKind.JOURNAL_ENTRY: Role.COST_OF_GOODS_SOLD,
}


def _add_costs(document: Document, chart: Chart, costs: Sums) -> None:
    """Stock at cost: what leaves goes to cost of goods sold, or is in transit while its revenue is deferred.

    A line's `detail` names another role to stand against inventory.
    """
    kind = document.kind
    for line in document.lines:
        cost = line.amount_minor
        if line.component is not Component.STOCK or not cost:
            continue
        usual = _COST_ROLES.get(kind)
        if usual is None:
            raise Unpostable("unknown_component", "lines", f"a {kind} has no {line.component} line")
        if line.detail:
            other = _role(line.detail)
        elif document.deferred and usual is Role.COST_OF_GOODS_SOLD:
            other = Role.INVENTORY_IN_TRANSIT
        else:
            other = usual
        if kind is DocumentKind.JOURNAL_ENTRY:  # revenue is recognised, and cost follows it
            debit, credit = other, Role.INVENTORY_IN_TRANSIT
        elif kind is DocumentKind.FULFILMENT:
            debit, credit = other, Role.INVENTORY
        else:
            debit, credit = Role.INVENTORY, other
        _add(costs, chart.account(debit), cost)
        _add(costs, chart.account(credit), -cost)


def _converted(sums: Sums, document: Document, chart: Chart, functional: str) -> list[Posting]:
    currency = document.currency
    if currency == functional:
        return [Posting(account, minor, currency, minor) for account, minor in sums.items() if minor]
    if document.rate is None:
        if any(sums.values()):
            raise Unpostable("missing_rate", "rate", f"no rate from {currency} to {functional}")
        return []
    rate = document.rate.value
    worth = {account: converted(minor, currency, rate, functional) for account, minor in sums.items()}
    for line in document.rounding:
        _add(worth, chart.account(_role(line.detail)), line.amount_minor)
    postings = [
        Posting(account, sums.get(account, 0), currency, minor)
        for account, minor in worth.items()
        if minor or sums.get(account)
    ]
    if left := sum(worth.values()):
        postings.append(Posting(chart.account(Role.FX_GAIN_LOSS), 0, currency, -left))
    return postings


def converted(minor: int, currency: str, rate: Decimal, functional: str) -> int:
    """An amount in the functional currency's minor units, halves away from zero."""
    return rounded_minor(decimal_of(minor, currency) * rate, functional)


def _sale_account(document: Document, line: DocumentLine, chart: Chart, policy: Policy) -> str:
    component = line.component
    deferred = document.deferred or (document.kind in CREDITS and line.detail == DEFERRED)
    if deferred and component in DEFERRABLE and line.detail != MARKETPLACE:
        return chart.account(Role.DEFERRED_REVENUE)
    role = SALE_ROLES.get(component)
    if component is Component.ADJUSTMENT:
        given = line.amount_minor if document.kind in CREDITS else -line.amount_minor
        role = policy.allowance if given >= 0 else policy.fee_kept
    elif document.kind in CREDITS:
        if component is Component.GOODS:
            role = policy.returned_goods
        elif component is Component.SHIPPING:
            role = policy.refunded_shipping
    if component is Component.DISCOUNT and line.detail == MARKETPLACE:
        role = Role.MARKETPLACE_CLEARING
    if role is None:
        raise Unpostable("unknown_component", "lines", f"a {document.kind} has no {component} line")
    if role is Role.MARKETPLACE_CLEARING:
        return chart.account(role, document.order.channel if document.order else "")
    return chart.account(role, line.detail)


def _clearing(document: Document, chart: Chart) -> str:
    if not document.method:
        raise Unpostable("unknown_method", "method", "the payment method is not given")
    return chart.account(Role.PAYMENT_CLEARING, document.method)


def _balance_role(line: DocumentLine) -> Role:
    try:
        return BALANCE_ROLES[line.component]
    except KeyError:
        raise Unpostable("unknown_component", "lines", f"{line.component} is not a balance of a customer") from None


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        raise Unpostable("unknown_account", "lines.detail", f"no account has the role {name!r}") from None


def _add(sums: Sums, account: str, minor: int) -> None:
    sums[account] = sums.get(account, 0) + minor
