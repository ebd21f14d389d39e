"""A document's key is the same for the same cause, different for different ones, and fits every ERP."""

import re
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.model.documents import DOCUMENT, Component, Document, DocumentKey, DocumentKind, DocumentLine, document_key

ids = st.text(min_size=1, max_size=60) | st.text("1-", min_size=1, max_size=3) | st.text("9-", min_size=30, max_size=50)
slugs = st.sampled_from(["a", "a-1", "a-1-1", "shopify", "shopify-us"])
kinds = st.sampled_from(DocumentKind)
causes = st.tuples(slugs, ids, ids)


@pytest.mark.parametrize(
    ("kind", "parts", "key"),
    [
        (DocumentKind.SALES_ORDER, ("shopify", "1001"), "so-shopify-1001"),
        (DocumentKind.SALES_ORDER, ("shopify-us", "450789469"), "so-shopify-us-450789469"),
        (DocumentKind.INVOICE, ("shopify", "1001", "7"), "inv-shopify-1001-7"),
        (DocumentKind.CUSTOMER, ("shopify", "guest"), "cust-shopify-guest"),
        (DocumentKind.ITEM, ("mug-blue",), "item-mug-blue"),
        (DocumentKind.REFUND, ("shopify", "5123456789012", "890123456789"), "ref-shopify-5123456789012-890123456789"),
    ],
)
def test_a_plain_key_can_be_read(kind: DocumentKind, parts: tuple[str, ...], key: str) -> None:
    assert document_key(kind, *parts) == key


@pytest.mark.parametrize(
    ("kind", "parts", "key"),
    [
        (DocumentKind.ITEM, ("Mug Blue",), "item-mug-blue-0c84c328c116"),
        (
            DocumentKind.DEPOSIT_APPLICATION,
            ("shopify", "5123456789012", "4567890123456"),
            "depapp-shopify-512345678901-aa7bac854f2d",
        ),
        (DocumentKind.SALES_ORDER, ("amazon-us", "114-1234567-1234567"), "so-amazon-us-114-1234567-12-88bbfdafc8d9"),
        (DocumentKind.SALES_ORDER, ("shopify", "注文"), "so-shopify-a67fcfb31d70"),
        (DocumentKind.SALES_ORDER, ("shopify", "\ud800"), "so-shopify-b24bbcd24f81"),
    ],
)
def test_a_key_that_is_long_foreign_or_ambiguous_ends_in_a_digest(
    kind: DocumentKind, parts: tuple[str, ...], key: str
) -> None:
    assert document_key(kind, *parts) == key


@given(kinds, causes)
def test_a_key_fits_the_alphabet_and_the_length(kind: DocumentKind, parts: tuple[str, str, str]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", document_key(kind, *parts))
    assert len(document_key(kind, *parts)) <= 40


@given(kinds, causes)
def test_the_same_cause_has_the_same_key(kind: DocumentKind, parts: tuple[str, str, str]) -> None:
    assert document_key(kind, *parts) == document_key(kind, *parts)


@given(kinds, causes, causes)
def test_two_causes_have_two_keys(kind: DocumentKind, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    assume(one != other)

    assert document_key(kind, *one) != document_key(kind, *other)


@given(causes)
def test_two_kinds_of_one_cause_have_two_keys(parts: tuple[str, str, str]) -> None:
    assert len({document_key(kind, *parts) for kind in DocumentKind}) == len(DocumentKind)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("shopify", "us-1"), ("shopify-us", "1")),
        (("shopify", "1", "2-3"), ("shopify", "1-2", "3")),
        (("shopify", "A1"), ("shopify", "a1")),
        (("shopify", "#1"), ("shopify", "1")),
        (("shopify", "1"), ("shopify", "1 ")),
        (("shopify", "ß"), ("shopify", "ss")),
        (("shopify", "注文"), ("shopify", "領収")),
        (("shopify", "9" * 39 + "1"), ("shopify", "9" * 39 + "2")),
        (("shopify", "1", "2"), ("shopify", "12", "")),
    ],
)
def test_ids_that_look_alike_have_keys_of_their_own(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert document_key(DocumentKind.FULFILMENT, *one) != document_key(DocumentKind.FULFILMENT, *other)


def document(*lines: DocumentLine) -> Document:
    return Document(DocumentKey("inv-1"), DocumentKind.INVOICE, "main", "USD", date(2026, 3, 2), lines)


def test_a_documents_total_is_the_sum_of_its_signed_lines() -> None:
    made = document(DocumentLine(Component.GOODS, 1000), DocumentLine(Component.DISCOUNT, -250))

    assert made.total_minor == 750


def test_a_documents_tax_is_the_sellers_and_the_marketplaces() -> None:
    made = document(
        DocumentLine(Component.GOODS, 1000), DocumentLine(Component.TAX, 70), DocumentLine(Component.MARKETPLACE_TAX, 5)
    )

    assert made.tax_minor == 75


def test_a_document_survives_the_way_through_json() -> None:
    made = document(DocumentLine(Component.GOODS, 1000, item="mug", quantity=2))

    assert DOCUMENT.validate_json(DOCUMENT.dump_json(made, exclude_defaults=True)) == made
