"""What hub.yaml may say of a NetSuite account: every fault named, and a remedy for what a document misses."""

from collections.abc import Callable
from typing import Any

import pytest

from erp_adapters.netsuite.options import Options, TaxCode, options_of
from hub.errors import Misconfigured, Rejected
from hub.model.documents import Component
from tests.erp_adapters.netsuite.wired import Time, configured


def options(**given: Any) -> Options:
    return options_of(configured(Time(), **given))


def test_an_account_is_all_that_is_needed() -> None:
    assert options() == Options(account="1234567_SB1")


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(Misconfigured) as raised:
        options(
            account="12 34",
            auth="password",
            scope_form="xml",
            token_url="http://elsewhere.example/token",
            requests=0,
            guests="some",
            items={"shiping": "SHIPPING"},
            tax_codes={"VAT": {"code": "S-GB"}},
            line_field="line",
            forms={"salesOrder": "my form"},
            date_format="DD/MM/YYYY",
        )

    told = str(raised.value)
    for fault in (
        "options.account: ",
        "options.auth: ",
        "options.scope_form: ",
        "options.token_url: expected https://HOST/PATH",
        "options.requests: ",
        "options.guests: ",
        "options.items.shiping: no such option",
        "options.tax_codes.VAT.type: field required",
        "options.line_field: ",
        "options.forms.salesOrder: ",
        "options.date_format: no such option",
    ):
        assert fault in told
    assert told.startswith("books: ")
    assert "12 34" not in told


def test_every_entity_has_its_subsidiary_or_none_has() -> None:
    with pytest.raises(Misconfigured) as raised:
        options(subsidiaries={"mian": 3})

    assert str(raised.value) == (
        "books: options.subsidiaries.mian: no such entity; there is main; options.subsidiaries: entity main is missing"
    )


@pytest.mark.parametrize(
    ("account", "realm"), [("1234567", "1234567"), ("1234567-sb1", "1234567_SB1"), ("tstdrv12", "TSTDRV12")]
)
def test_the_realm_is_the_account_as_signatures_spell_it(account: str, realm: str) -> None:
    assert options(account=account).realm == realm


def test_what_is_set_is_read() -> None:
    said = options(
        subsidiaries={"main": 3},
        accounts={"2400": 1100},
        items={"shipping": "SHIPPING", "allowance": "ALLOWANCE", "fee_kept": "FEE-KEPT"},
        tax_codes={"State Tax": {"code": "KY", "type": "US Sales Tax"}, "*": {"code": "ANY", "type": "Other"}},
        locations={"main": "Main Warehouse"},
        guests="one",
        customers={"shopify": 42},
        forms={"salesOrder": 68},
    )

    assert said.subsidiary("main") == "3"
    assert (said.account_number("2400"), said.account_number("4000")) == ("1100", "4000")
    assert said.item(Component.SHIPPING) == "SHIPPING"
    assert (said.item(Component.ADJUSTMENT), said.item(Component.ADJUSTMENT, kept=True)) == ("ALLOWANCE", "FEE-KEPT")
    assert said.tax_code("State Tax") == TaxCode(code="KY", type="US Sales Tax")
    assert said.tax_code("Elsewhere") == TaxCode(code="ANY", type="Other")
    assert (said.location("main"), said.location("east")) == ("Main Warehouse", "east")
    assert said.customer("shopify") == "42"
    assert (said.form("salesOrder"), said.form("invoice")) == ("68", None)


def test_a_class_is_the_items_else_the_channels_else_that_of_any() -> None:
    said = options(classes={"pos": "Shop", "*": "Web"}, item_classes={"MUG": "Kitchen"}, departments={"pos": "Street"})

    assert [said.class_of("pos"), said.class_of("shopify"), said.class_of(None)] == ["Shop", "Web", "Web"]
    assert [said.class_of("pos", "MUG"), said.class_of("pos", "TEE")] == ["Kitchen", "Shop"]
    assert [said.department("pos"), said.department(None)] == ["Street", None]


def test_what_is_not_set_has_its_default() -> None:
    said = options()

    assert said.subsidiary("main") is None
    assert said.customer("shopify") is None
    assert said.line_field == "custcol_orderhub_line"


@pytest.mark.parametrize(
    ("given", "need", "code", "field"),
    [
        ({}, lambda o: o.item(Component.TIP), "unknown_item", "items.tip"),
        ({}, lambda o: o.item(Component.ADJUSTMENT, kept=True), "unknown_item", "items.fee_kept"),
        ({}, lambda o: o.tax_code("VAT"), "unknown_tax_code", "tax_codes.VAT"),
        ({"guests": "one"}, lambda o: o.customer("shopify"), "unknown_customer", "customers.shopify"),
        ({"classes": {"pos": "Shop"}}, lambda o: o.class_of("shopify"), "unknown_class", "classes.shopify"),
        (
            {"departments": {"pos": "Shop"}},
            lambda o: o.department("shopify"),
            "unknown_department",
            "departments.shopify",
        ),
        ({"subsidiaries": {"main": 3}}, lambda o: o.subsidiary("uk"), "unknown_entity", "subsidiaries.uk"),
    ],
)
def test_what_a_document_misses_is_refused_with_the_option_to_set(
    given: dict[str, Any], need: Callable[[Options], object], code: str, field: str
) -> None:
    said = options(**given)

    with pytest.raises(Rejected) as raised:
        need(said)

    assert (raised.value.code, raised.value.field) == (code, field)
    assert f"set options.{field} of the ERP in hub.yaml" in raised.value.remedy


@pytest.mark.parametrize(
    "component",
    [
        Component.SHIPPING,
        Component.TIP,
        Component.DUTY,
        Component.FEE,
        Component.CASH_ROUNDING,
        Component.TAX_ROUNDING,
        Component.MARKETPLACE_TAX,
        Component.DISCOUNT,
        Component.GIFT_CARD,
    ],
)
def test_each_charge_has_an_item_of_its_own(component: Component) -> None:
    assert options(items={component.value: "CODE"}).item(component) == "CODE"
