"""Records as the service shows them: links, references, the enum form of the release, no empty fields."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account.bodies import CUSTOM
from erp_adapters.netsuite.account.records import ADDRESSES, ITEMS, kind_of
from erp_adapters.netsuite.account.world import Rec, Row, World

ENUM_NAMES: Final = frozenset(
    "status orderStatus shipStatus commitInventory createPo itemFulfillmentChoice country acctType".split()
)
HIDDEN: Final = {"customerRefund": ("deposit",)}  # empty when read back
SUBSIDIARY_PARTS: Final = ("shippingAddress", "billingAddress")


@dataclass(frozen=True, slots=True)
class Shape:
    """How a caller wants records."""

    base: str  # the service's address, up to /services/rest
    expand: bool = False
    fields: frozenset[str] = frozenset()  # lower-case; none: all
    flat_enums: bool = False
    drift: bool = False


def shown(world: World, rec: Rec, shape: Shape) -> dict[str, Any]:
    """The record as GET answers it."""
    kind = kind_of(rec.type)
    href = f"{shape.base}/record/v1/{rec.type.lower()}/{rec.id}"
    whole: dict[str, Any] = {"links": _self(href), "id": str(rec.id)}
    if rec.external_id is not None:
        whole["externalId"] = rec.external_id
    for name, at in (
        ("createdDate", rec.created_at),
        ("dateCreated", rec.created_at),
        ("lastModifiedDate", rec.modified_at),
    ):
        if name in kind.properties:
            whole[name] = stamp(at)
    for name in kind.sublists:
        whole[name] = {"links": _self(f"{href}/{name}")}
        if shape.expand:
            rows = [] if name in HIDDEN.get(rec.type, ()) else rec.rows(name)
            whole[name]["items"] = [shown_row(world, rec, name, row, shape) for row in rows]
            whole[name]["totalResults"] = len(rows)
    for name, value in rec.fields.items():
        if name in kind.properties or world.custom_fields.get(name) in CUSTOM[kind.group]:
            if name in SUBSIDIARY_PARTS and not shape.expand:
                whole[name] = {"links": _self(f"{href}/{name}")}
            elif name in ADDRESSES:
                whole[name] = {"links": _self(f"{href}/{name}"), **_address(world, rec, value, shape)}
            elif value is not None and value != "":
                whole[name] = _shown(world, rec, name, value, shape)
    if rec.type in ITEMS:
        whole |= _levels(rec)
    if shape.drift:
        whole["custbody_new_in_this_release"] = {"links": [], "id": "NEW", "refName": "New"}
    if shape.fields:
        return {name: value for name, value in whole.items() if name == "links" or name.lower() in shape.fields}
    return whole


def shown_row(world: World, rec: Rec, sublist: str, row: Row, shape: Shape) -> dict[str, Any]:
    """One row as an expanded answer has it."""
    spec = kind_of(rec.type).sublists[sublist]
    href = f"{shape.base}/record/v1/{rec.type.lower()}/{rec.id}/{sublist}/{row.line}"
    whole: dict[str, Any] = {"links": _self(href)}
    if spec.numbered and "line" in spec.properties:
        whole["line"] = row.line
    for name, value in row.fields.items():
        known = name in spec.properties or world.custom_fields.get(name) == "line"
        if known and value is not None and value != "":
            whole[name] = (
                _address(world, rec, value, shape) if name in ADDRESSES else _shown(world, rec, name, value, shape)
            )
    return whole


def stamp(at: datetime) -> str:
    """A moment as recorded answers have it: to the minute."""
    return f"{at:%Y-%m-%dT%H:%M:00Z}"


def collection(
    base: str, path: str, items: list[dict[str, Any]], total: int, limit: int, offset: int
) -> dict[str, Any]:
    """One page, with the links to those around it."""
    links = [{"rel": "self", "href": f"{base}{path}?limit={limit}&offset={offset}"}]
    more = offset + len(items) < total
    if more:
        links.insert(0, {"rel": "next", "href": f"{base}{path}?limit={limit}&offset={offset + limit}"})
    if offset:
        links.insert(0, {"rel": "previous", "href": f"{base}{path}?limit={limit}&offset={max(0, offset - limit)}"})
    return {
        "links": links,
        "count": len(items),
        "hasMore": more,
        "items": items,
        "offset": offset,
        "totalResults": total,
    }


def plain(value: Any) -> Any:
    """What JSON can hold; a number's shortest text is the amount's own, so nothing is lost by the float."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


def _shown(world: World, rec: Rec, name: str, value: Any, shape: Shape) -> Any:
    if isinstance(value, dict) and "id" in value:
        if name in ENUM_NAMES:
            return _enum(world, rec, name, value, shape)
        other = world.records.get(int(value["id"])) if str(value["id"]).lstrip("-").isdigit() else None
        links = _self(f"{shape.base}/record/v1/{other.type.lower()}/{other.id}") if other is not None else []
        return {"links": links, "id": str(value["id"]), "refName": value.get("refName")}
    return value


def _enum(world: World, rec: Rec, name: str, value: dict[str, str], shape: Shape) -> Any:
    if shape.flat_enums:
        return value["id"]
    if world.switches.enum_form == "2020":
        order = rec.type in ("salesOrder", "returnAuthorization") or name != "status"
        return value["id"] if order else value["refName"]
    return {"links": [], "id": value["id"], "refName": value["refName"]}


def _levels(item: Rec) -> dict[str, str]:
    names = ("quantityOnHand", "quantityAvailable", "quantityCommitted", "quantityBackOrdered")
    if item.type != "inventoryItem":
        return {}
    return {name: str(sum((row.amount(name) for row in item.rows("locations")), Decimal(0))) for name in names}


def _address(world: World, rec: Rec, value: dict[str, Any], shape: Shape) -> dict[str, Any]:
    return {name: _shown(world, rec, name, part, shape) for name, part in value.items() if part not in (None, "")}


def _self(href: str) -> list[dict[str, str]]:
    return [{"rel": "self", "href": href}]


def flags(value: str | None) -> Collection[str]:
    """A comma list of a query's parameter."""
    return [part.strip() for part in (value or "").split(",") if part.strip()]
