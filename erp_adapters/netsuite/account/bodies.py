"""What a request body says, in the account's own types: names found in any case, references resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from erp_adapters.netsuite.account.errors import Refused, invalid_value, malformed, unknown_property, user_error
from erp_adapters.netsuite.account.records import ADDRESSES, ITEMS, TRANSACTIONS, Kind, Sublist
from erp_adapters.netsuite.account.world import Rec, World, reference

REFS: Final[dict[str, tuple[str, ...]]] = {
    "entity": ("customer",),
    "customer": ("customer",),
    "item": ITEMS,
    "discountItem": ("discountItem",),
    "currency": ("currency",),
    "subsidiary": ("subsidiary",),
    "location": ("location",),
    "adjLocation": ("location",),
    "department": ("department",),
    "class": ("classification",),
    "account": ("account",),
    "arAcct": ("account",),
    "postingPeriod": ("accountingPeriod",),
    "taxCode": ("salesTaxItem",),
    "taxType": ("taxType",),
    "salesOrder": ("salesOrder",),
    "doc": TRANSACTIONS,
    "deposit": ("customerDeposit",),
    "shipMethod": ("shipItem",),
    "paymentMethod": ("paymentMethod",),
    "paymentOption": ("paymentMethod",),
    "terms": ("term",),
    "category": ("customerCategory",),
}
ENUMS: Final = {
    "orderStatus": {"A": "Pending Approval", "B": "Pending Fulfillment"},
    "shipStatus": {"A": "Picked", "B": "Packed", "C": "Shipped"},
    "commitInventory": {"1": "Available Qty", "2": "Complete Qty", "3": "Do Not Commit"},
    "createPo": {"DropShip": "Drop Ship", "SpecOrd": "Special Order"},
    "itemFulfillmentChoice": {"1": "Ship", "2": "Store Pickup"},
}
NUMBERS: Final = frozenset(
    "quantity amount grossAmt taxBasis taxRate taxAmount taxRate1 exchangeRate payment debit credit shippingCost"
    " handlingCost adjustQtyBy unitCost packageWeight unitCostOverride".split()
)
PERCENTS: Final = frozenset({"rate", "discountRate"})  # a number, or a text such as "-10.0%"
BOOLEANS: Final = frozenset(
    "isClosed taxDetailsOverride shipComplete shippingCostOverridden itemReceive restock apply undepFunds autoApply"
    " toBeEmailed isPerson isInactive approved isTaxable taxable defaultBilling defaultShipping isResidential".split()
)
DATES: Final = frozenset(
    {"tranDate", "dueDate", "shipDate", "applyDate", "expectedShipDate", "shippedDate", "reversalDate"}
)
INTEGERS: Final = frozenset({"line", "orderLine", "internalId"})
READ_ONLY: Final = frozenset(
    "id links refName createdDate lastModifiedDate dateCreated status subtotal taxTotal total discountTotal nexus"
    " amountPaid amountRemaining applied unapplied balance depositBalance unbilledOrders overdueBalance due"
    " createdFrom quantityCommitted quantityBackOrdered quantityFulfilled quantityBilled quantityReceived"
    " quantityPicked quantityPacked isOpen quantityRemaining createdPo itemType itemName lineName lineType"
    " calcDetail netAmount depositDate type refNum orderDoc tax1Amt closeDate disc estimatedTotalValue"
    " quantityOnHand".split()
)
LENGTHS: Final = {"memo": 999, "otherRefNum": 45, "companyName": 83, "firstName": 32, "lastName": 32, "email": 254}
LENGTH_MAX: Final = 4000
CUSTOM_LENGTH_MAX: Final = 300
EXTERNAL_ID: Final = re.compile(r"[\w\-]+")
CUSTOM: Final = {"transaction": ("body",), "entity": ("entity",), "item": ("item",), "other": ()}


@dataclass(slots=True)
class Draft:
    """A body that was understood."""

    fields: dict[str, Any] = field(default_factory=dict)
    sublists: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    external_id: str | None = None
    names_external_id: bool = False
    ignored: list[str] = field(default_factory=list)  # the paths of what was not understood


class Reader:
    """Reads bodies of one record type; `strict` names or values make an error of what is else only ignored."""

    def __init__(self, world: World, kind: Kind, *, strict_names: bool = False, strict_values: bool = False) -> None:
        self.world, self.kind = world, kind
        self.strict_names, self.strict_values = strict_names, strict_values

    def read(self, body: Any) -> Draft:
        """The body in the account's types.

        Raises:
            Refused: it cannot be understood, or names what is not there.
        """
        if not isinstance(body, dict):
            raise malformed()
        draft = Draft()
        wanted = CUSTOM[self.kind.group]
        for given, name, value in self._named(body, self.kind.properties, wanted, "", draft):
            if name == "externalId":
                draft.external_id, draft.names_external_id = self._external(value), True
            elif name in self.kind.sublists:
                draft.sublists[name] = self._rows(self.kind.sublists[name], name, value, draft)
            elif name in ADDRESSES:
                draft.fields[name] = self._address(name, value, given, draft)
            elif name not in READ_ONLY:
                self._take(draft.fields, name, value, given, draft)
        return draft

    def _named(
        self, body: dict[str, Any], known: frozenset[str], custom: tuple[str, ...], at: str, draft: Draft
    ) -> Iterator[tuple[str, str, Any]]:
        by_lower = _by_lower(known)
        for given, value in body.items():
            name = by_lower.get(given.lower())
            if name is None and self.world.custom_fields.get(given.lower()) in custom and custom:
                name = given.lower()
            if name in ("taxDetails", "taxDetailsOverride") and not self.world.switches.suite_tax:
                name = None  # the legacy tax engine has no such thing
            if name is None:
                if self.strict_names:
                    raise unknown_property(at + given)
                draft.ignored.append(at + given)
            else:
                yield at + given, name, value

    def _rows(self, sublist: Sublist, name: str, value: Any, draft: Draft) -> list[dict[str, Any]]:
        items = value.get("items") if isinstance(value, dict) else value
        if items is None:
            return []
        if not isinstance(items, list) or not all(isinstance(row, dict) for row in items):
            raise malformed()
        rows = []
        for index, row in enumerate(items):
            read: dict[str, Any] = {}
            at = f"{name}.items[{index}]."
            for given, known, cell in self._named(row, sublist.properties, ("line",), at, draft):
                if known in ADDRESSES:
                    read[known] = self._address(known, cell, given, draft)
                elif known not in READ_ONLY:
                    self._take(read, known, cell, given, draft)
            rows.append(read)
        return rows

    def _address(self, name: str, value: Any, at: str, draft: Draft) -> dict[str, Any] | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise malformed()
        read: dict[str, Any] = {}
        for given, known, cell in self._named(value, ADDRESSES[name], (), f"{at}.", draft):
            if known == "country" and cell is not None:
                code = str(cell.get("id") if isinstance(cell, dict) else cell)
                if not re.fullmatch("[A-Z]{2}", code):
                    raise invalid_value(code, "country", given)
                read[known] = {"id": code, "refName": code}
            elif known not in READ_ONLY:
                read[known] = cell
        return read

    def _take(self, into: dict[str, Any], name: str, value: Any, path: str, draft: Draft) -> None:
        try:
            into[name] = self._value(name, value, path)
        except ValueError:
            if self.strict_values:
                raise invalid_value(value, name, path) from None
            draft.ignored.append(path)

    def _value(self, name: str, value: Any, path: str) -> Any:
        if value is None:
            return None
        if name in REFS:
            return reference(self._referred(name, value, path))
        if name in ENUMS:
            code = str(value.get("id") if isinstance(value, dict) else value)
            if code not in ENUMS[name]:
                raise invalid_value(code, name, path)
            return {"id": code, "refName": ENUMS[name][code]}
        if name in NUMBERS or (name in PERCENTS and not str(value).endswith("%")):
            return _number(value)
        if name in BOOLEANS:
            if not isinstance(value, bool):
                raise ValueError(value)
            return value
        if name in DATES:
            return _day(value)
        if name in INTEGERS:
            return int(value)
        if isinstance(value, str):
            longest = LENGTHS.get(name, CUSTOM_LENGTH_MAX if name.startswith("cust") else LENGTH_MAX)
            if len(value) > longest:
                raise user_error(
                    f"The field {name} contained more than the maximum number ( {longest} ) of characters allowed."
                )
        return value

    def _referred(self, name: str, value: Any, path: str) -> Rec:
        types = REFS[name]
        given = value.get("id", value.get("externalId")) if isinstance(value, dict) else value
        by_key = isinstance(value, dict) and "id" not in value and "externalId" in value
        text = str(given)
        if by_key or text.startswith("eid:"):
            group = "transaction" if set(types) <= set(TRANSACTIONS) else "item" if set(types) <= set(ITEMS) else None
            group = group or ("entity" if types == ("customer",) else "other")
            found = self.world.external(group, text.removeprefix("eid:"))
        else:
            found = self.world.get(text)
        if found is None or found.type not in types:
            raise invalid_value(text, name, path)
        if found.fields.get("isInactive"):
            raise invalid_value(text, name, path)
        return found

    def _external(self, value: Any) -> str | None:
        if value is None:
            return None
        if not EXTERNAL_ID.fullmatch(str(value)):
            raise invalid_value(value, "externalId", "externalId")
        return str(value)


@cache
def _by_lower(names: frozenset[str]) -> dict[str, str]:
    return {name.lower(): name for name in names}


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal, float)):
        raise ValueError(value)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite():
        raise ValueError(value)
    return number


def _day(value: Any) -> str:
    parts = str(value).split("T")[0].split("-")
    if len(parts) != 3:
        raise ValueError(value)
    return date(*(int(part) for part in parts)).isoformat()


def draft_of(fields: dict[str, Any], sublists: dict[str, list[dict[str, Any]]] | None = None) -> Draft:
    """A draft that was not read from a body: what a person types in, or a transform proposes."""
    return Draft(fields=fields, sublists=sublists or {})


__all__ = ["EXTERNAL_ID", "Draft", "Reader", "Refused", "draft_of"]
