"""When all is delivered and paid, the books come to what the order, its money and its refunds say."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.books.chart import Role
from hub.flow.terms import Terms
from hub.model.documents import Component, Document, DocumentKind, Rate
from hub.model.entries import Entry
from hub.model.facts import Adjustment, AdjustmentKind, Fact, Restock, TenderStatus
from hub.model.order import Collector
from hub.testing.builders import (
    PLACED_AT,
    History,
    called_off,
    captured,
    fact,
    given_back,
    histories,
    line,
    paid_out,
    refunded,
    shipped,
    shipping,
    snapshot,
    terms,
)
from tests.hub.flow.bookkeeping import CHART, Balances, balances, expected, on, planned


@dataclass(frozen=True, repr=False)
class Books:
    """A history with the books that it makes."""

    history: History
    documents: list[Document]
    entries: list[Entry]
    balances: Balances

    def __repr__(self) -> str:
        told = "\n".join(f"  {one.kind} {one.external_id}: {one.body}" for one in self.history.facts)
        return f"Books of\n{told}\nwith {self.balances}"


@st.composite
def books(
    draw: st.DrawFn, *, collector: Collector | None = None, currency: str | None = None, finished: bool = True
) -> Books:
    """The books of a finished order, recognised on shipment or on delivery, in the entity's currency or a foreign one.

    Args:
        finished: also of orders that were called off.
    """
    on_delivery = draw(st.booleans())
    told = histories(collector=collector, currency=currency, delivered=on_delivery)
    history = draw(st.one_of(told, told, told, called_off(collector=collector, currency=currency)))
    conditions = _terms(history, on_delivery, draw(st.sampled_from(["1.0831", "0.0067", "3.2502"])))
    documents = planned(history.facts, conditions)
    entries = expected(documents, conditions)
    return Books(history, documents, entries, balances(entries))


def _terms(history: History, on_delivery: bool, rate: str) -> Terms:
    made = terms(recognise_on_delivery=on_delivery)
    if history.snapshot.currency == made.functional:
        return made
    return replace(made, rate=Rate(Decimal(rate), PLACED_AT.date(), "by hand"))


@given(books())
def test_no_balance_with_the_customer_is_left(made: Books) -> None:
    left = {role: on(role, made.balances) for role in (Role.RECEIVABLE, Role.DEPOSITS, Role.REFUNDS_PAYABLE)}

    assert left == {Role.RECEIVABLE: 0, Role.DEPOSITS: 0, Role.REFUNDS_PAYABLE: 0}


@given(books())
def test_no_revenue_is_left_deferred(made: Books) -> None:
    assert on(Role.DEFERRED_REVENUE, made.balances) == 0


@given(books())
def test_clearing_is_captures_less_refunds_by_method(made: Books) -> None:
    currency = made.history.snapshot.currency
    came, went = made.history.captured_minor, made.history.paid_out_minor

    for method in ("shopify_payments", "paypal", "gift_card"):
        account = CHART.account(Role.PAYMENT_CLEARING, method)
        due = came.get(method, 0) - went.get(method, 0)
        if method == "gift_card":  # a liability that gift card lines also stand on
            due -= sum(
                x.amount_minor * (1 if document.kind is DocumentKind.INVOICE else -1)
                for document in made.documents
                for x in document.lines
                if x.component is Component.GIFT_CARD and document.kind is not DocumentKind.SALES_ORDER
            )
        assert made.balances.get((account, currency), (0, 0))[0] == due


@given(books(collector=Collector.SELLER))
def test_sales_tax_payable_is_the_sellers_tax_less_what_was_refunded(made: Books) -> None:
    told = made.history
    due = told.tax_minor - told.removed_tax_minor - told.refunded_tax_minor

    assert on(Role.SALES_TAX_PAYABLE, made.balances) == -due


@given(books(collector=Collector.MARKETPLACE))
def test_a_marketplaces_tax_is_never_a_payable(made: Books) -> None:
    assert on(Role.SALES_TAX_PAYABLE, made.balances) == 0


@given(books())
def test_income_and_liabilities_are_what_the_customer_finally_paid(made: Books) -> None:
    told = made.history
    earned = sum(
        on(role, made.balances)
        for role in (
            Role.REVENUE, Role.DISCOUNTS, Role.SALES_RETURNS, Role.SHIPPING_INCOME, Role.SALES_TAX_PAYABLE,
            Role.TIPS_PAYABLE, Role.DUTIES_PAYABLE, Role.FEES, Role.CASH_ROUNDING, Role.TAX_ROUNDING,
            Role.MARKETPLACE_CLEARING, Role.GIFT_CARD_LIABILITY,
        )
    )  # fmt: skip
    gift_cards = told.captured_minor.get("gift_card", 0) - told.paid_out_minor.get("gift_card", 0)

    assert earned - gift_cards == -(told.total_minor - told.refunded_minor)


@given(books())
def test_every_entry_balances_in_both_currencies(made: Books) -> None:
    assert [entry.imbalance() for entry in made.entries if entry.imbalance()] == []


@given(books())
def test_what_rounding_leaves_in_the_functional_currency_is_at_most_a_unit_a_posting(made: Books) -> None:
    """A foreign deposit applied in parts is converted part by part: the deposits account keeps the rounding."""
    for role in (Role.RECEIVABLE, Role.DEPOSITS, Role.REFUNDS_PAYABLE, Role.DEFERRED_REVENUE):
        account = CHART.account(role)
        postings = [x for entry in made.entries for x in entry.postings if x.account == account]

        assert abs(sum(x.functional_minor for x in postings)) <= len(postings)


@given(books())
def test_invoices_and_what_was_lowered_before_them_make_the_sales_order(made: Books) -> None:
    """An order never billed is lowered by its refunds alone."""
    told = made.history
    of = {kind: sum(x.total_minor for x in made.documents if x.kind is kind) for kind in DocumentKind}
    lowered = told.refunded_minor - of[DocumentKind.CREDIT_MEMO]  # given back before it was billed
    order = of[DocumentKind.SALES_ORDER]

    assert of[DocumentKind.INVOICE] + lowered == order
    assert order == told.total_minor


@given(books())
def test_each_document_has_a_key_of_its_own(made: Books) -> None:
    keys = [document.key for document in made.documents]

    assert len(set(keys)) == len(keys)


@given(books())
def test_a_document_stands_after_those_that_it_applies_to(made: Books) -> None:
    before: set[str] = set()
    for document in made.documents:
        assert document.applies_to is None or document.applies_to in before
        before.add(document.key)
