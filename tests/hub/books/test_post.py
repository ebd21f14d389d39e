"""Every document posts to an entry that balances, or is refused with a reason."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.books import Policy, Unpostable, post
from hub.model.documents import Document, Rate
from tests.hub.books.documents import DAY, document, documents, line
from tests.hub.books.test_examples import CHART


@given(documents(CHART), st.sampled_from(["shipment", "delivery"]))
def test_every_document_posts_to_a_balanced_entry(drawn: Document, recognise: str) -> None:
    entry = post(drawn, CHART, Policy.parse({"recognise": recognise}), "USD")

    if entry is not None:
        assert entry.imbalance() == {}
        assert entry.reversed(DAY).imbalance() == {}
        assert all(posting.amount_minor or posting.functional_minor for posting in entry.postings)


@given(documents(CHART))
def test_an_account_is_posted_to_once_a_currency(drawn: Document) -> None:
    entry = post(drawn, CHART, Policy(), "USD")

    places = [
        (posting.account, posting.currency) for posting in (entry.postings if entry else ()) if posting.amount_minor
    ]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("kind", ["sales_order", "customer", "item"])
def test_an_order_a_customer_and_an_item_post_nothing(kind: str) -> None:
    assert post(document(kind, line("goods", 100)), CHART, Policy(), "USD") is None


def test_a_foreign_document_without_a_rate_is_refused() -> None:
    with pytest.raises(Unpostable) as caught:
        post(document("invoice", line("goods", 100), currency="EUR"), CHART, Policy(), "USD")

    assert (caught.value.code, caught.value.field) == ("missing_rate", "rate")


def test_a_credit_memo_that_credits_another_amount_is_refused() -> None:
    memo = document("credit_memo", line("goods", 100), settles=(line("receivable", 99),))

    with pytest.raises(Unpostable) as caught:
        post(memo, CHART, Policy(), "USD")

    assert (caught.value.code, caught.value.field) == ("unbalanced", "settles")


def test_a_journal_entry_that_does_not_sum_to_zero_is_refused() -> None:
    lopsided = document("journal_entry", line("account", 100, "bank"), line("account", -99, "revenue"))

    with pytest.raises(Unpostable) as caught:
        post(lopsided, CHART, Policy(), "USD")

    assert (caught.value.code, caught.value.field) == ("unbalanced", "lines")


def test_a_journal_line_of_no_role_is_refused() -> None:
    with pytest.raises(Unpostable) as caught:
        post(document("journal_entry", line("account", 0, "slush_fund")), CHART, Policy(), "USD")

    assert caught.value.code == "unknown_account"


def test_money_of_no_method_is_refused() -> None:
    with pytest.raises(Unpostable) as caught:
        post(document("payment", line("receivable", 100)), CHART, Policy(), "USD")

    assert (caught.value.code, caught.value.field) == ("unknown_method", "method")


def test_a_line_that_its_kind_does_not_have_is_refused() -> None:
    with pytest.raises(Unpostable) as caught:
        post(document("deposit", line("goods", 100), method="paypal"), CHART, Policy(), "USD")

    assert caught.value.code == "unknown_component"


def test_the_rounding_of_the_parts_goes_to_fx_gain_or_loss_without_a_foreign_amount() -> None:
    rate = Rate(Decimal("1.5"), DAY, "by hand")
    entry = post(
        document("invoice", line("goods", 1), line("tip", 1), currency="EUR", rate=rate), CHART, Policy(), "USD"
    )

    assert entry is not None
    left = entry.postings[-1]
    assert (left.account, left.amount_minor, left.currency, left.functional_minor) == ("4900", 0, "EUR", 1)
