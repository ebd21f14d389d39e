"""Executes GraphQL over the shop: the roots of queries, and one resolver that walks objects and pages lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    get_nullable_type,
)

from connectors.shopify.shop import orders, search
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.paging import Listing, Row, page, whole
from connectors.shopify.shop.stamps import gid, kind_of, number_of, utc
from connectors.shopify.shop.stock import LOCATIONS
from connectors.shopify.shop.world import Shop

SCHEMA_FILE = Path(__file__).parent / "schema.graphql"
_PAGING = ("first", "last", "after", "before", "reverse")
COUNT_MAX = 10_000
_NODES_MAX = 250
BULK = object()  # the context of a query that knows no pages

Root = dict[str, Callable[..., Any]]
Warn = Callable[[list[dict[str, str]], str], None]


@cache
def schema() -> GraphQLSchema:
    """The served part of the vendor's schema, with stamps written as the vendor writes them."""
    built = build_schema(SCHEMA_FILE.read_text())
    for kind in built.type_map.values():
        if isinstance(kind, GraphQLScalarType) and kind.name == "DateTime":
            kind.coerce_output_value = _stamp
        elif isinstance(kind, GraphQLEnumType) and not kind.name.startswith("__"):
            kind.coerce_output_value = str  # type: ignore[method-assign, assignment]  # a word newer than the schema goes out too
    # A vendor whose schema drifted answers null where it promised none.
    lines = built.type_map["LineItem"]
    assert isinstance(lines, GraphQLObjectType)
    lines.fields["originalUnitPriceSet"].type = get_nullable_type(lines.fields["originalUnitPriceSet"].type)
    return built


def _stamp(value: Any) -> str:
    assert isinstance(value, str | datetime)
    return utc(value)


def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """A field of a composed object; a list becomes a page where the schema has a connection."""
    value = source.get(info.field_name) if isinstance(source, dict) else None
    declared = get_nullable_type(info.return_type)
    connection = get_named_type(declared).name.endswith("Connection")
    if callable(value) and getattr(value, "wants_info", False):
        return value(info, **arguments)
    if callable(value):
        asked = {name: given for name, given in arguments.items() if name not in _PAGING} if connection else arguments
        if connection and "reverse" in arguments and getattr(value, "sorts", False):
            asked["reverse"] = arguments["reverse"]
        value = value(**asked)
    if connection and value is not None:
        nodes = value["nodes"] if isinstance(value, dict) else value
        return whole(nodes) if info.context is BULK else page(nodes, arguments)
    if isinstance(declared, GraphQLList) and isinstance(value, list) and arguments.get("first") is not None:
        return value[: arguments["first"]]
    return value


def kind_resolver(value: Any, *_: Any) -> str:
    """The concrete type of a node, by what it says or by its id."""
    return str(value.get("__typename") or kind_of(value["id"]))


def sorts(resolver: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a root that sorts its own list, and so wants to know of `reverse`."""
    resolver.sorts = True  # type: ignore[attr-defined]
    return resolver


class Queries:
    """The roots over orders, fulfilment and stock."""

    def __init__(self, shop: Shop, warn: Warn) -> None:
        self.shop = shop
        self.warn = warn
        self.others: dict[str, Callable[[str, int], Any]] = {}  # finders of nodes by kind and number

    def root(self) -> Root:
        return {
            "order": lambda id: self.node(id, "Order"),
            "orders": self.orders,
            "ordersCount": self.orders_count,
            "node": self.node,
            "nodes": self.nodes,
            "fulfillmentOrder": lambda id: self.node(id, "FulfillmentOrder"),
            "fulfillmentOrders": self.fulfilment_orders,
            "fulfillment": lambda id: self.node(id, "Fulfillment"),
            "refund": lambda id: self.node(id, "Refund"),
            "return": lambda id: self.node(id, "Return"),
            "locations": lambda **_: [self.shop.stock.location(number) for number in LOCATIONS],
            "location": lambda id=None: self.shop.stock.location(number_of(id) if id else LOCATIONS[0]),
            "productVariant": lambda id: self.shop.stock.variant(number_of(id)),
            "productVariants": self.variants,
            "inventoryItem": lambda id: self.shop.stock.item(number_of(id)),
            "inventoryItems": self.items,
            "inventoryLevel": lambda id: self.node(id, "InventoryLevel"),
            "shop": self.about,
        }

    def about(self) -> dict[str, Any]:
        setup = self.shop.setup
        offset = setup.start.strftime("%z")
        return {
            "id": gid("Shop", 548_380_009),
            "name": "Ridgeline",
            "email": "owner@example.com",
            "myshopifyDomain": setup.domain,
            "url": f"https://{setup.domain}",
            "currencyCode": setup.currency,
            "ianaTimezone": "Etc/UTC" if offset in ("+0000", "") else "America/Kentucky/Louisville",
            "timezoneOffset": offset,
            "timezoneAbbreviation": setup.start.strftime("%Z"),
            "taxesIncluded": setup.currency != "USD",
            "plan": {"shopifyPlus": False, "partnerDevelopment": False, "displayName": "Basic"},
        }

    def searched(self, query: str | None, root: str) -> list[tuple[Order, dict[str, Any]]]:
        found = search.parse(query, orders.SEARCHABLE)
        if found.warnings:
            self.warn(found.warnings, root)
        return [(order, row) for order, row in self.shop.index() if found.matches(row)]

    @sorts
    def orders(
        self,
        query: str | None = None,
        sortKey: str = "PROCESSED_AT",
        reverse: bool = False,
        **_: Any,
    ) -> Listing:
        key = {
            "CREATED_AT": "created_at",
            "UPDATED_AT": "updated_at",
            "PROCESSED_AT": "processed_at",
            "ID": "id",
            "ORDER_NUMBER": "name",
            "TOTAL_PRICE": "total",
        }.get(sortKey, "id")
        rows = [
            Row(sortable(row[key]), order.id, lambda order=order: self.shop.node(order))  # type: ignore[misc]
            for order, row in self.searched(query, "orders")
        ]
        return listing(rows, reverse)

    def orders_count(self, query: str | None = None, limit: int | None = COUNT_MAX) -> dict[str, Any]:
        count = len(self.searched(query, "ordersCount"))
        capped = limit is not None and count > limit
        return {"count": limit if capped else count, "precision": "AT_LEAST" if capped else "EXACT"}

    @sorts
    def fulfilment_orders(
        self,
        query: str | None = None,
        sortKey: str = "ID",
        reverse: bool = False,
        includeClosed: bool = False,
    ) -> Listing:
        fields = frozenset(("id", "status", "updated_at", "assigned_location_id"))
        found = search.parse(query, fields)
        if found.warnings:
            self.warn(found.warnings, "fulfillmentOrders")
        rows = []
        for order in self.shop.present():
            if (at := self.shop.indexed_at(order)) is None:
                continue
            hold = order.hold()
            at = max([at, *(stamp for stamp in hold or () if stamp <= self.shop.now)])
            for group in order.fulfilment_orders(at):
                status = order.fulfilment_order_status(group, at)
                if status in ("CLOSED", "CANCELLED") and not includeClosed:
                    continue
                stamp = order.fulfilment_order_stamp(group, at)
                row = {
                    "id": group.id,
                    "status": status,
                    "updated_at": stamp,
                    "assigned_location_id": group.location,
                }
                if found.matches(row):
                    load = lambda order=order, number=group.id: self._group(order, number)  # noqa: E731
                    rows.append(Row(sortable(stamp if sortKey == "UPDATED_AT" else group.id), group.id, load))
        return listing(rows, reverse)

    def _group(self, order: Order, number: int) -> dict[str, Any]:
        wanted = gid("FulfillmentOrder", number)
        found: dict[str, Any] = next(
            each for each in self.shop.node(order)["fulfillmentOrders"] if each["id"] == wanted
        )
        return found

    @sorts
    def variants(self, query: str | None = None, reverse: bool = False, **_: Any) -> Listing:
        stock = self.shop.stock
        rows = {number: {"id": number, "sku": product.sku} for number, product in stock.products.items()}
        return self._by_id(rows, query, "productVariants", stock.variant, reverse)

    @sorts
    def items(self, query: str | None = None, reverse: bool = False, **_: Any) -> Listing:
        stock = self.shop.stock
        rows = {
            stock.item_of(product): {"id": stock.item_of(product), "sku": product.sku}
            for product in stock.products.values()
        }
        return self._by_id(rows, query, "inventoryItems", stock.item, reverse)

    def _by_id(
        self,
        rows: dict[int, dict[str, Any]],
        query: str | None,
        root: str,
        load: Callable[[int], dict[str, Any] | None],
        reverse: bool,
    ) -> Listing:
        found = search.parse(query, frozenset(("id", "sku")))
        if found.warnings:
            self.warn(found.warnings, root)
        chosen = [number for number, row in rows.items() if found.matches(row)]
        return listing([Row(sortable(n), n, lambda n=n: load(n) or {}) for n in chosen], reverse)  # type: ignore[misc]

    def nodes(self, ids: list[str]) -> list[Any]:
        if len(ids) > _NODES_MAX:
            raise GraphQLError(
                f"The input array size of {len(ids)} is greater than the maximum allowed of {_NODES_MAX}.",
                extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"},
            )
        return [self.node(each) for each in ids]

    def node(self, id: str, kind: str | None = None) -> Any:
        """The object of that id, read from the shop itself and not from the index; None where there is none."""
        named = kind_of(id)
        if not named:
            raise GraphQLError(f"Invalid global id '{id}'", extensions={"code": "argumentLiteralsIncompatible"})
        if kind is not None and named != kind:
            return None
        number, stock = number_of(id), self.shop.stock
        match named:
            case "Order":
                order = self.shop.find(number)
                return self.shop.node(order) if order else None
            case "Location":
                return stock.location(number)
            case "ProductVariant":
                return stock.variant(number)
            case "Product":
                return stock.product(number)
            case "InventoryItem":
                return stock.item(number)
            case "InventoryLevel":
                return next(
                    (stock.level(level) for level in stock.levels.values() if stock.level(level)["id"] == id), None
                )
            case "Fulfillment" | "Refund" | "Return" | "FulfillmentOrder" | "OrderTransaction" | "LineItem":
                return self._within(named, id, number)
        return self.others[named](named, number) if named in self.others else None

    def _within(self, kind: str, id: str, number: int) -> Any:
        """What belongs to an order: its number lies in the range of the order's own."""
        order = self.shop.owner(number)
        if order is None:
            return None
        found = self.shop.node(order)
        lists: dict[str, Iterable[Any]] = {
            "Fulfillment": found["fulfillments"],
            "Refund": found["refunds"],
            "Return": found["returns"]["nodes"],
            "FulfillmentOrder": found["fulfillmentOrders"],
            "OrderTransaction": found["transactions"],
            "LineItem": found["lineItems"]["nodes"],
        }
        return next((each for each in lists[kind] if each["id"] == id), None)


def listing(rows: list[Row], reverse: bool) -> Listing:
    """The rows in the order of a root list."""
    return Listing(sorted(rows, key=lambda row: (row.value, row.number), reverse=reverse), reverse)


def sortable(value: Any) -> str:
    """Text that sorts as its value does."""
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, int):
        return f"{value + 10**20:021d}"  # so that what is below zero sorts below
    if isinstance(value, Decimal):
        return f"{value:020.3f}"
    return str(value)
