"""Tax as the account has it: taken from the caller only when told to override, else computed anew in its own way."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Final

from erp_adapters.netsuite.account.errors import invalid_value
from erp_adapters.netsuite.account.world import Rec, Row, World, cents, reference

NEXUS_CODES: Final = {"US": "State Tax", "CA": "GST", "GB": "VAT", "DE": "VAT", "FR": "VAT", "JP": "Consumption Tax"}


def taxed(world: World, rec: Rec, places: int) -> Decimal:
    """The record's tax, with its tax details as they are from now on.

    Raises:
        Refused: an override refers to no line, or to no tax code.
    """
    for index, row in enumerate(rec.rows("item")):
        if not row.get("taxDetailsReference"):
            row.fields["taxDetailsReference"] = f"{rec.type[:3].upper()}{rec.id}-{row.line}-{index}"
    if rec.get("taxDetailsOverride") and rec.rows("taxDetails"):
        return _overridden(rec, places)
    rec.sublists["taxDetails"] = []
    total = Decimal(0)
    for row in rec.rows("item"):
        total += _computed(world, rec, row, places)
    return total


def _overridden(rec: Rec, places: int) -> Decimal:
    lines = {str(row.get("taxDetailsReference")) for row in rec.rows("item")}
    total = Decimal(0)
    for index, detail in enumerate(rec.rows("taxDetails")):
        wanted = str(detail.get("taxDetailsReference"))
        if wanted not in lines:
            raise invalid_value(wanted, "taxDetailsReference", f"taxDetails.items[{index}].taxDetailsReference")
        if detail.ref("taxCode") is None:
            raise invalid_value("", "taxCode", f"taxDetails.items[{index}].taxCode")
        detail.fields["taxAmount"] = cents(detail.amount("taxAmount"), places)
        total += detail.fields["taxAmount"]
    return total


def _computed(world: World, rec: Rec, row: Row, places: int) -> Decimal:
    item = world.must(row.ref("item"))
    code = world.get(row.ref("taxCode"), "salesTaxItem")
    if code is None:
        if not item.get("isTaxable"):
            return Decimal(0)
        code = _nexus_code(world, rec)
    if code is None or row.get("isTaxable") is False:
        return Decimal(0)
    exact = row.amount("amount") * code.amount("rate") / 100
    how = ROUND_DOWN if world.switches.tax_rounding == "down_line" else ROUND_HALF_UP
    amount = exact.quantize(Decimal(1).scaleb(-places), how)
    rec.add_row(
        "taxDetails",
        {
            "taxDetailsReference": row.get("taxDetailsReference"),
            "taxCode": reference(code),
            "taxType": code.get("taxType"),
            "taxBasis": row.amount("amount"),
            "taxRate": code.amount("rate"),
            "taxAmount": amount,
        },
    )
    return amount


def _nexus_code(world: World, rec: Rec) -> Rec | None:
    """The code of where the goods go; without an address, of the company's own state."""
    address = rec.get("shippingAddress") or rec.get("billingAddress") or {}
    country = str((address.get("country") or {}).get("id") or "US")
    name = NEXUS_CODES.get(country)
    return world.named("salesTaxItem", "itemId", name) if name else None
