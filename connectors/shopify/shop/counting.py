"""Mutations of stock: only under an idempotency key, and set only from the quantity that the caller saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLResolveInfo, StringValueNode, VariableNode

from connectors.shopify.shop.resolvers import Root
from connectors.shopify.shop.stamps import drawn_uuid, gid, number_of
from connectors.shopify.shop.stock import LOCATIONS, Level
from connectors.shopify.shop.webhooks import Outbox
from connectors.shopify.shop.world import Shop

QUANTITY_MAX = 1_000_000_000
REASONS = frozenset(
    "correction cycle_count_available damaged movement_canceled movement_created movement_received movement_updated"
    " other promotion quality_control received reservation_created reservation_deleted reservation_updated restock"
    " safety_stock shrinkage".split()
)
Asked = dict[str, Any]


class Counting:
    """Sets and adjusts what is on the shelves."""

    def __init__(self, shop: Shop, outbox: Outbox) -> None:
        self.shop = shop
        self.outbox = outbox
        self.keys: dict[str, tuple[str, Asked]] = {}  # key -> (what was asked with it, what was answered)
        self.groups = 0

    def mutations(self) -> Root:
        return {"inventorySetQuantities": self._keyed(self.set), "inventoryAdjustQuantities": self._keyed(self.adjust)}

    def _keyed(self, run: Callable[[Asked], Asked]) -> Callable[..., Asked]:
        """The mutation runs once a key: again with the same input it gives the first answer."""

        def keyed(info: GraphQLResolveInfo[Any], **given: Asked) -> Asked:
            key, input_ = _key(info), given["input"]
            asked = json.dumps([info.field_name, input_], sort_keys=True)
            if key in self.keys:
                before, answer = self.keys[key]
                if before == asked:
                    return answer
                return _refused(
                    [], "The same idempotency key was used with other parameters.", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
                )
            answer = run(input_)
            self.keys[key] = asked, answer
            return answer

        keyed.wants_info = True  # type: ignore[attr-defined]
        return keyed

    def set(self, input_: Asked) -> Asked:
        if input_["name"] not in ("available", "on_hand"):
            return _refused(["input", "name"], "The name must be either 'available' or 'on_hand'.", "INVALID_NAME")
        wanted = []
        for at, each in enumerate(input_["quantities"]):
            path = ["input", "quantities", str(at)]
            level, refusal = self._level(each, path)
            if level is None:
                return refusal
            now_there = level.quantity(input_["name"]) or 0
            if (refused := _stale(each, now_there, path)) is not None:
                return refused
            if each["quantity"] < 0:
                return _refused([*path, "quantity"], "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE")
            if each["quantity"] > QUANTITY_MAX:
                return _refused([*path, "quantity"], "The quantity is too high.", "INVALID_QUANTITY_TOO_HIGH")
            wanted.append((level, each["quantity"] - now_there))
        if len({level.id for level, _ in wanted}) < len(wanted):
            return _refused(
                ["input", "quantities"],
                "The combination of inventoryItemId and locationId must be unique.",
                "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
            )
        if input_["reason"] not in REASONS:
            return _refused(["input", "reason"], "The specified reason is invalid.", "INVALID_REASON")
        return self._done(input_, wanted)

    def adjust(self, input_: Asked) -> Asked:
        if input_["name"] != "available":
            return _refused(["input", "name"], "The specified quantity name is invalid.", "INVALID_QUANTITY_NAME")
        if input_["reason"] not in REASONS:
            return _refused(["input", "reason"], "The specified reason is invalid.", "INVALID_REASON")
        wanted = []
        for at, each in enumerate(input_["changes"]):
            path = ["input", "changes", str(at)]
            level, refusal = self._level(each, path)
            if level is None:
                return refusal
            if (refused := _stale(each, level.available, path)) is not None:
                return refused
            wanted.append((level, int(each["delta"])))
        return self._done(input_, wanted)

    def _level(self, each: Asked, path: list[str]) -> tuple[Level | None, Asked]:
        location = number_of(each["locationId"])
        if location not in LOCATIONS:
            refusal = "The specified location could not be found."
            return None, _refused([*path, "locationId"], refusal, "INVALID_LOCATION")
        level = self.shop.stock.levels.get((number_of(each["inventoryItemId"]), location))
        if level is None:
            refusal = "The specified inventory item could not be found."
            return None, _refused([*path, "inventoryItemId"], refusal, "INVALID_INVENTORY_ITEM")
        return level, {}

    def _done(self, input_: Asked, wanted: list[tuple[Level, int]]) -> Asked:
        shop, now = self.shop, self.shop.stamp()
        self.groups += 1
        changes = []
        for level, delta in wanted:
            level.available += delta
            level.updated_at = now
            names = ["available", "on_hand"]
            for name in names:
                changes.append(
                    {
                        "delta": delta,
                        "item": shop.stock.item(level.item),
                        "location": shop.stock.location(level.location),
                        "ledgerDocumentUri": None,
                        "name": name,
                        "quantityAfterChange": None,
                    }
                )
            body = {
                "inventory_item_id": level.item,
                "location_id": level.location,
                "available": level.available,
                "updated_at": now.isoformat(),
                "admin_graphql_api_id": shop.stock.level(level)["id"],
            }
            event = drawn_uuid(shop.setup.seed, "counted", self.groups, level.id)
            self.outbox.announce("inventory_levels/update", body, now, event)
        group = {
            "__typename": "InventoryAdjustmentGroup",
            "id": gid("InventoryAdjustmentGroup", self.groups),
            "createdAt": now,
            "reason": input_["reason"],
            "referenceDocumentUri": input_.get("referenceDocumentUri"),
            "changes": lambda **_: changes,
        }
        return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _stale(each: Asked, there: int, path: list[str]) -> Asked | None:
    """None: the caller saw what is there, or says by a null that it does not care; it has to say either.

    Raises:
        GraphQLError: it says nothing.
    """
    if "changeFromQuantity" not in each:
        raise GraphQLError(
            "The changeFromQuantity argument is required for this mutation but was not provided.",
            extensions={"code": "BAD_REQUEST"},
        )
    seen = each["changeFromQuantity"]
    if seen is None or seen == there:
        return None
    message = "The specified compare quantity does not match the current quantity."
    return _refused([*path, "changeFromQuantity"], message, "CHANGE_FROM_QUANTITY_STALE")


def _refused(path: list[str], message: str, code: str) -> Asked:
    return {"inventoryAdjustmentGroup": None, "userErrors": [{"field": path, "message": message, "code": code}]}


def _key(info: GraphQLResolveInfo[Any]) -> str:
    """The key of `@idempotent` on the field; the vendor refuses the mutation without one."""
    for node in info.field_nodes:
        assert isinstance(node, FieldNode)
        for directive in node.directives or ():
            if directive.name.value != "idempotent":
                continue
            value = directive.arguments[0].value if directive.arguments else None
            if isinstance(value, StringValueNode):
                return value.value
            if isinstance(value, VariableNode):
                return str(info.variable_values.coerced[value.name.value])
    raise GraphQLError(
        "The @idempotent directive is required for this mutation but was not provided.",
        extensions={"code": "BAD_REQUEST"},
    )
