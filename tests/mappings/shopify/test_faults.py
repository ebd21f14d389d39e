"""A record that does not translate is named, fault by fault, with the path it has in the record; never a traceback."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import connectors.shopify
from hub.errors import Untranslatable
from hub.model.facts import Source
from hub.model.records import Translation
from mappings.shopify import translate

SAMPLES: Final = Path(connectors.shopify.__file__).parent / "samples"
AT: Final = datetime(2026, 10, 1, tzinfo=UTC)


def loaded(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SAMPLES / f"{name}.in.json").read_text(), parse_float=Decimal)
    return document


def order(name: str = "edited") -> dict[str, Any]:
    return loaded(name)


def faults(document: object) -> list[tuple[str, str]]:
    with pytest.raises(Untranslatable) as held:
        translate("shop", "", document, Source.FILE, "USD", AT)
    return [(problem.path, problem.message) for problem in held.value.problems]


def places(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield (*path, key)
            yield from places(value, (*path, key))
    elif isinstance(document, list):
        for i, value in enumerate(document):
            yield (*path, i)
            yield from places(value, (*path, i))


def changed(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    document = copy.deepcopy(document)
    at = document
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    return document


def tolerated_or_named(document: object) -> Translation | Untranslatable:
    try:
        return translate("shop", "", document, Source.FILE, "USD", AT)
    except Untranslatable as error:
        held = error
    assert held.problems
    for problem in held.problems:
        assert problem.path
        assert problem.message
        assert len(problem.message) < 300
    return held


def test_a_price_that_is_no_decimal_is_named() -> None:
    document = order()
    document["line_items"][1]["price"] = "N/A"

    assert faults(document) == [("line_items[1].price", "not a decimal: 'N/A'")]


@pytest.mark.parametrize("none", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59Z"])
def test_a_time_that_other_programs_write_for_none_is_named(none: str) -> None:
    document = order() | {"processed_at": none}

    assert ("processed_at", f"not a time with an offset: {none!r}") in faults(document)


def test_all_faults_of_a_record_come_at_once() -> None:
    document = order()
    document["line_items"][0]["quantity"] = "2"
    document["total_price"] = 75
    document["transactions"][2]["kind"] = None

    assert faults(document) == [
        ("total_price", "not a text: 75"),
        ("line_items[0].quantity", "not a whole number: '2'"),
        ("transactions[2].kind", "not a text: None"),
    ]


def test_a_fault_in_the_graphql_shape_has_its_graphql_path() -> None:
    document = loaded("cancelled-shipping-refunded.graphql")
    document["data"]["order"]["lineItems"]["nodes"][0]["originalUnitPriceSet"]["shopMoney"]["amount"] = "N/A"
    document["data"]["order"]["displayFinancialStatus"] = "PAYED"

    assert faults(document) == [
        ("lineItems[0].originalUnitPriceSet", "not a decimal: 'N/A'"),
        ("displayFinancialStatus", "unknown word: 'payed'"),
    ]


def test_a_graphql_answer_with_more_pages_is_held() -> None:
    document = loaded("cancelled-shipping-refunded.graphql")
    document["data"]["order"]["lineItems"]["pageInfo"] = {"hasNextPage": True}

    assert faults(document) == [("lineItems.pageInfo.hasNextPage", "more pages than this answer holds")]


@pytest.mark.parametrize(
    ("place", "word"),
    [
        (("financial_status",), "payed"),
        (("transactions", 0, "kind"), "chargeback"),
        (("transactions", 0, "status"), "maybe"),
        (("fulfillments", 0, "status"), "flying"),
        (("fulfillments", 0, "shipment_status"), "teleported"),
        (("refunds", 0, "refund_line_items", 0, "restock_type"), "burnt"),
    ],
)
def test_an_unknown_word_parks_the_record(place: tuple[str | int, ...], word: str) -> None:
    document = changed(order("exchange"), place, word)

    [(path, message)] = faults(document)

    assert message == f"unknown word: {word!r}"
    assert path.replace("[", ".").replace("]", "").split(".") == [str(part) for part in place]


def test_what_is_legible_of_a_held_order_is_kept_for_its_stub() -> None:
    document = order()
    document["line_items"] = []

    with pytest.raises(Untranslatable) as held:
        translate("shop", "", document, Source.FILE, "USD", AT)

    assert str(held.value) == "line_items: none"
    assert (held.value.order, held.value.currency, held.value.claimed_minor) == ("7000000002006", "USD", 7500)


def test_two_lines_with_one_id_are_held() -> None:
    document = order()
    document["line_items"][1]["id"] = 17

    assert faults(document) == [("line_items[1].id", "a second line with the id 17")]


def test_an_amount_finer_than_its_currency_is_named() -> None:
    document = order("yen-amount-refund-pending")
    document["total_price"] = "23600.50"

    assert ("total_price", "finer than JPY allows: 23600.50") in faults(document)


def test_a_foreign_transaction_alone_does_not_translate() -> None:
    transaction = order("foreign-presentment")["transactions"][0]

    assert faults(transaction) == [("currency", "in EUR, and nothing says it in USD")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_json_anywhere_in_an_order_is_tolerated_or_named(data: st.DataObject) -> None:
    document = loaded(data.draw(st.sampled_from(["exchange", "cancelled-shipping-refunded.graphql"])))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(places(document))))
        document = changed(document, place, data.draw(JSON))

    tolerated_or_named(document)


def test_a_field_that_money_depends_on_is_never_tolerated_when_absurd() -> None:
    """The other side of tolerance: what would change an amount silently must be named."""
    document = order("exchange")
    needed: list[tuple[str | int, ...]] = [
        ("total_price",),
        ("currency",),
        ("taxes_included",),
        ("line_items", 0, "price"),
        ("line_items", 0, "quantity"),
        ("line_items", 0, "tax_lines", 0, "price"),
        ("refunds", 0, "refund_line_items", 0, "subtotal"),
        ("refunds", 0, "refund_line_items", 0, "quantity"),
        ("transactions", 0, "amount"),
        ("transactions", 0, "kind"),
        ("fulfillments", 0, "line_items", 0, "quantity"),
    ]

    for place in needed:
        absurd: list[Any] = ["N/A", [], {}, None]
        for value in absurd:
            assert isinstance(tolerated_or_named(changed(document, place, value)), Untranslatable), (place, value)
