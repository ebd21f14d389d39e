"""A company in an empty account: what an implementer would have set up before the first order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import yaml

from erp_adapters.netsuite.account.world import BASE_CURRENCY, Rec, World, reference

UNDEPOSITED: Final = "1199"
CONFIG: Final = Path(__file__).resolve().parents[3] / "config"

CURRENCIES: Final = (
    # symbol, name, places, base units for one
    ("USD", "US Dollar", 2, "1"),
    ("EUR", "Euro", 2, "1.08"),
    ("GBP", "British pound", 2, "1.27"),
    ("CAD", "Canadian Dollar", 2, "0.73"),
    ("JPY", "Japanese Yen", 0, "0.0067"),
    ("KWD", "Kuwaiti Dinar", 3, "3.25"),
)
ACCOUNT_TYPES: Final = {
    "asset": "OthCurrAsset",
    "liability": "OthCurrLiab",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expense",
}
ACCOUNT_TYPE_BY_NUMBER: Final = {"1000": "Bank", "1100": "AcctRec", "5000": "COGS"}
CHARGES: Final = {
    # item -> account that it is sold to
    "SHIPPING": "4100",
    "TIP": "2500",
    "DUTY": "2550",
    "FEE": "5200",
    "FEE-KEPT": "5200",
    "CASH-ROUNDING": "4800",
    "TAX-ROUNDING": "4810",
    "ALLOWANCE": "4300",
    "MARKETPLACE-TAX": "1250",
    "SALES-RETURN": "4300",
}
TAXED: Final = frozenset({"SHIPPING", "DISCOUNT"})
KITS: Final[Mapping[str, tuple[tuple[str, int], ...]]] = {
    "KIT-CAMP-2": (("TENT-2P-GRN", 1), ("PAD-AIR-R", 2)),
    "KIT-COOK": (("STOVE-MINI", 1), ("FUEL-230", 2), ("POT-SET-2", 1)),
}
TAX_CODES: Final = (
    # name, rate, tax type
    ("Kentucky State Tax", "6", "US Sales Tax"),
    ("State Tax", "6.25", "US Sales Tax"),
    ("County Tax", "1.5", "US Sales Tax"),
    ("City Tax", "1", "US Sales Tax"),
    ("GST", "5", "GST"),
    ("PST", "7", "PST"),
    ("VAT", "20", "VAT"),
    ("VAT 5", "5", "VAT"),
    ("Consumption Tax", "10", "VAT"),
    ("CHANNEL-TAX", "0", "US Sales Tax"),
    ("NOT-TAXABLE", "0", "US Sales Tax"),
)
OPTIONS: Final[dict[str, Any]] = {
    "account": "1234567_SB1",
    "accounts": {"2400": "1100"},  # what is to be paid back is what the customer has open
    "items": {
        "shipping": "SHIPPING",
        "tip": "TIP",
        "duty": "DUTY",
        "fee": "FEE",
        "cash_rounding": "CASH-ROUNDING",
        "tax_rounding": "TAX-ROUNDING",
        "allowance": "ALLOWANCE",
        "fee_kept": "FEE-KEPT",
        "marketplace_tax": "MARKETPLACE-TAX",
        "discount": "DISCOUNT",
        "gift_card": "GIFT-CARD",
        "custom": "GOODS-CREDITED",
        "credited_goods": "GOODS-CREDITED",
    },
    "tax_codes": {
        "*": {"code": "CHANNEL-TAX", "type": "US Sales Tax"},
        "State Tax": {"code": "State Tax", "type": "US Sales Tax"},
        "County Tax": {"code": "County Tax", "type": "US Sales Tax"},
        "none": {"code": "NOT-TAXABLE", "type": "US Sales Tax"},
    },
    "order_location": "main",
}
"""How a hub is told of the company that `company` makes."""
CUSTOM_FIELDS: Final = {
    "custcol_orderhub_line": "line",
    "custbody_orderhub_channel": "body",
    "custbody_orderhub_order": "body",
    "custbody_orderhub_date": "body",
    "custbody_orderhub_subject": "body",
    "custbody_orderhub_revision": "body",
    "custbody_orderhub_cancelled": "body",
    "custentity_orderhub_party": "entity",
}


def company(
    world: World,
    *,
    config: Path = CONFIG,
    locations: Iterable[str] = ("main", "east"),
    on_hand: int = 100_000,
    first: date = date(2025, 1, 1),
    months: int = 36,
) -> None:
    """One subsidiary with chart, items, tax codes, locations and open months.

    Args:
        config: the folder with chart.yaml and items.yaml, whose account numbers and item codes it takes.
        on_hand: of every inventory item at the first location.
        first: the first open month's first day.
    """
    world.custom_fields.update(CUSTOM_FIELDS)
    _currencies(world)
    subsidiary = _put(
        world,
        "subsidiary",
        name="Main Street Trading, Inc.",
        legalName="Main Street Trading, Inc.",
        currency=_ref(world, "currency", "symbol", BASE_CURRENCY),
        country={"id": "US", "refName": "United States"},
        isInactive=False,
    )
    for number, name, kind in _chart(config):
        account(world, number, name, kind)
    account(world, UNDEPOSITED, "Undeposited Funds", "OthCurrAsset")
    for name in locations:
        _put(world, "location", name=name, isInactive=False, subsidiary=reference(subsidiary))
    _taxes(world)
    _items(world, config, on_hand)
    _periods(world, first, months)
    for name in ("Web", "Marketplace"):
        _put(world, "classification", name=name, isInactive=False)
    for name in ("Standard", "Express"):
        _put(world, "shipItem", itemId=name, account=world.account_ref("4100"), isInactive=False)
    _put(world, "department", name="Sales", isInactive=False)
    _put(world, "term", name="Net 30", daysUntilNetDue=30, isInactive=False)
    for name in ("Cash", "shopify_payments", "paypal", "gift_card"):
        _put(world, "paymentMethod", name=name, account=world.account_ref("1200"), isInactive=False)


def account(world: World, number: str, name: str, kind: str) -> Rec:
    """One more account in the chart. `kind`: the vendor's word, such as OthCurrAsset."""
    return _put(
        world, "account", acctNumber=number, acctName=name, acctType={"id": kind, "refName": kind}, isInactive=False
    )


def inventory_item(world: World, code: str, name: str, cost: Decimal, price: Decimal, on_hand: int = 0) -> Rec:
    """One more item with stock, all of it at the first location."""
    item = world.new(
        "inventoryItem",
        {
            "itemId": code,
            "displayName": name,
            "rate": price,
            "cost": cost,
            "averageCost": cost,
            "incomeAccount": world.account_ref("4000"),
            "assetAccount": world.account_ref("1300"),
            "cogsAccount": world.account_ref("5000"),
            "isTaxable": True,
            "isInactive": False,
        },
    )
    for index, place in enumerate(world.every("location")):
        item.add_row(
            "locations",
            {
                "location": reference(place),
                "quantityOnHand": Decimal(on_hand if index == 0 else 0),
                "quantityCommitted": Decimal(0),
                "quantityAvailable": Decimal(on_hand if index == 0 else 0),
                "quantityBackOrdered": Decimal(0),
                "averageCost": cost,
            },
        )
    return world.keep(item)


def charge_item(world: World, code: str, number: str, kind: str = "otherChargeSaleItem") -> Rec:
    """One more item without stock, sold to this account."""
    target = world.account_ref(number)
    name = (
        "account"
        if kind == "discountItem"
        else "liabilityAccount"
        if kind == "giftCertificateItem"
        else "incomeAccount"
    )
    return _put(world, kind, itemId=code, displayName=code, isTaxable=code in TAXED, isInactive=False, **{name: target})


def tax_code(world: World, name: str, rate: str, kind: str = "US Sales Tax", number: str = "2200") -> Rec:
    """One more tax code of a tax type that is there or is made."""
    tax_type = world.named("taxType", "name", kind) or _put(
        world,
        "taxType",
        name=kind,
        country={"id": "US", "refName": "United States"},
        payablesAccount=world.account_ref(number),
    )
    return _put(
        world,
        "salesTaxItem",
        itemId=name,
        rate=Decimal(rate),
        taxType=reference(tax_type),
        taxAccount=world.account_ref(number),
        isInactive=False,
    )


def _put(world: World, kind: str, **fields: Any) -> Rec:
    return world.keep(world.new(kind, fields))


def _ref(world: World, kind: str, name: str, value: str) -> dict[str, str]:
    found = world.named(kind, name, value)
    if found is None:
        raise LookupError(f"no {kind} {value}")
    return reference(found)


def _currencies(world: World) -> None:
    for symbol, name, places, rate in CURRENCIES:
        _put(
            world,
            "currency",
            name=name,
            symbol=symbol,
            currencyPrecision=places,
            exchangeRate=Decimal(rate),
            isBaseCurrency=symbol == BASE_CURRENCY,
            isInactive=False,
        )


def _chart(config: Path) -> Iterable[tuple[str, str, str]]:
    read = yaml.safe_load((config / "chart.yaml").read_text())
    for entry in read["accounts"]:
        number = entry["number"]
        yield number, entry["name"], ACCOUNT_TYPE_BY_NUMBER.get(number, ACCOUNT_TYPES[entry["type"]])


def _taxes(world: World) -> None:
    for name, rate, kind in TAX_CODES:
        tax_code(world, name, rate, kind)


def _items(world: World, config: Path, on_hand: int) -> None:
    listed = yaml.safe_load((config / "items.yaml").read_text())["items"]
    for entry in listed:
        code = entry["code"]
        if code.startswith("GIFT-"):
            charge_item(world, code, "2300", "giftCertificateItem")
        elif code not in KITS:
            cost, price = Decimal(entry["cost"]), Decimal(entry["list_price"])
            inventory_item(world, code, entry["name"], cost, price, on_hand)
    for entry in listed:
        if (members := KITS.get(entry["code"])) is not None:
            kit = world.new(
                "kitItem",
                {
                    "itemId": entry["code"],
                    "displayName": entry["name"],
                    "rate": Decimal(entry["list_price"]),
                    "incomeAccount": world.account_ref("4000"),
                    "isTaxable": True,
                    "isInactive": False,
                },
            )
            for code, quantity in members:
                kit.add_row("member", {"item": _ref(world, "inventoryItem", "itemId", code), "quantity": quantity})
            world.keep(kit)
    for code, number in CHARGES.items():
        charge_item(world, code, number)
    charge_item(world, "GIFT-CARD", "2300")
    charge_item(world, "DISCOUNT", "4200", "discountItem")


def _periods(world: World, first: date, months: int) -> None:
    start = first.replace(day=1)
    for _ in range(months):
        after = (start + timedelta(days=32)).replace(day=1)
        _put(
            world,
            "accountingPeriod",
            periodName=f"{start:%b %Y}",
            startDate=start.isoformat(),
            endDate=(after - timedelta(days=1)).isoformat(),
            closed=False,
            arLocked=False,
            allLocked=False,
            isQuarter=False,
            isYear=False,
            isAdjust=False,
        )
        start = after
