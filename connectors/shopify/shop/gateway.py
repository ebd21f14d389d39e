"""The GraphQL route: version, token, cost and throttling, then the vendor's answer, errors in the vendor's words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    execute,
    get_operation_ast,
    parse,
    validate,
)

from connectors.shopify.shop.auth import SCOPES, Tokens
from connectors.shopify.shop.cost import QUERY_MAX, Bucket, Pricing
from connectors.shopify.shop.orders import Order
from connectors.shopify.shop.resolvers import Root, kind_resolver, resolve, schema
from connectors.shopify.shop.stamps import gid
from connectors.shopify.shop.world import Shop

VERSIONS = ("2025-10", "2026-01", "2026-04", "2026-07", "2026-10")  # the oldest first
QUERY_BYTES_MAX = 50_000
DEPTH_MAX = 20
_DOCS = "https://shopify.dev/api/usage/rate-limits"
_UNKNOWN_FIELD = re.compile(r"^Cannot query field '(\w+)' on type '(\w+)'")
_UNKNOWN_ARGUMENT = re.compile(r"^Unknown argument '(\w+)' on field '(\w+)\.(\w+)'")
_CUSTOMER_DATA = "https://shopify.dev/docs/apps/launch/protected-customer-data"

RECENT = timedelta(days=60)  # what read_orders alone shows
_PERSONAL = ("customer", "email", "phone", "billingAddress", "shippingAddress", "purchasingEntity")
_DENIED_ROOTS = {
    "Order": ("order", "orders", "ordersCount", "node", "nodes", "refund", "fulfillment", "return"),
    "FulfillmentOrder": ("fulfillmentOrder", "fulfillmentOrders"),
    "ShopifyPaymentsAccount": ("shopifyPaymentsAccount", "dispute", "disputes"),
}


@dataclass(slots=True)
class Answer:
    """An HTTP answer; the last two say how its bytes go wrong."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None  # so many bytes of the body leave, then the connection ends


@dataclass(slots=True)
class Execution:
    """One operation, priced and allowed, not yet run."""

    run: Callable[[], dict[str, Any]]
    mutation: bool
    requested: int


class Gateway:
    """Answers one parsed request body of one app."""

    def __init__(self, shop: Shop, tokens: Tokens) -> None:
        self.shop = shop
        self.tokens = tokens
        self.bucket = Bucket(shop.setup.restore_per_s, shop.now)
        self.roots: list[Callable[[], Root]] = [self._own_roots]
        self.mutations: list[Callable[[], Root]] = []
        self.denied: set[str] = set()  # of _DENIED_ROOTS, CustomerData, or AllOrders
        shop.additions.append(self._protect)
        self.warnings: list[dict[str, Any]] = []
        self.wall: Callable[[], float] | None = None  # what a client in another process waits by, in seconds
        self._owed_s, self._owed_since = 0.0, 0.0

    def warn(self, warnings: list[dict[str, str]], root: str) -> None:
        """What the search language made of a query, for `extensions.search`."""
        self.warnings.append({"path": [root], "query": "", "warnings": warnings})

    def served(self, version: str) -> str | None:
        """The version that answers: an expired one falls forward to the oldest supported; None: no such version."""
        if version in VERSIONS or version == "unstable":
            return version
        if not re.fullmatch(r"20\d\d-(01|04|07|10)", version) or version > VERSIONS[-1]:
            return None
        return VERSIONS[0]

    def admit(self, body: bytes) -> dict[str, Any] | Execution:
        """The refusal as an answer's body, or what is to be run."""
        try:
            asked = json.loads(body)
            query, variables = asked["query"], asked.get("variables") or {}
            if not isinstance(query, str) or not isinstance(variables, dict):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return {
                "errors": [{"message": "Required parameter missing or invalid", "extensions": {"code": "BAD_REQUEST"}}]
            }
        if len(query.encode()) > QUERY_BYTES_MAX:
            return _error("Query is too large", "MAX_QUERY_SIZE_EXCEEDED")
        try:
            document, faults = _read(query)
        except GraphQLSyntaxError as error:
            return {
                "errors": [
                    {"message": error.message, "locations": _locations(error), "extensions": {"code": "PARSE_ERROR"}}
                ]
            }
        if faults:
            return {"errors": [_said(fault) for fault in faults]}
        operation = get_operation_ast(document, asked.get("operationName"))
        if operation is None:
            return _error("An operation name is required", "BAD_REQUEST")
        if _depth(operation) > DEPTH_MAX:
            return _error(f"Query has depth of more than {DEPTH_MAX}, which exceeds max depth", "MAX_DEPTH_EXCEEDED")
        return self._priced(document, operation, variables)

    def _priced(
        self, document: DocumentNode, operation: OperationDefinitionNode, variables: dict[str, Any]
    ) -> dict[str, Any] | Execution:
        pricing = Pricing(schema(), document, operation, variables)
        requested = pricing.requested()
        if requested > QUERY_MAX:
            return {
                "errors": [
                    {
                        "message": f"Query cost is {requested}, "
                        f"which exceeds the single query max cost limit ({QUERY_MAX}).",
                        "extensions": {
                            "code": "MAX_COST_EXCEEDED",
                            "cost": requested,
                            "maxCost": QUERY_MAX,
                            "documentation": _DOCS,
                        },
                    }
                ]
            }
        if not self.bucket.take(requested, self.shop.now):
            return self.throttled(requested)
        return Execution(
            lambda: self._run(document, operation, variables, pricing, requested), pricing.mutation, requested
        )

    def throttled(self, requested: int) -> dict[str, Any]:
        """The refusal that comes as a 200, without a Retry-After."""
        self._owed_s = max(0.0, (requested - self.bucket.available) / self.bucket.restore_per_s)
        self._owed_since = self.wall() if self.wall is not None else 0.0
        cost = {"requestedQueryCost": requested, "actualQueryCost": None, "throttleStatus": self.bucket.status()}
        return {
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": _DOCS}}],
            "extensions": {"cost": cost},
        }

    def waited_s(self) -> float:
        """How long whoever was throttled has waited since; the shop's clock is moved by it, once.

        Never more than it was told to wait. 0.0 without a wall clock: whoever shares the shop's clock moves it by
        waiting.
        """
        if self.wall is None:
            return 0.0
        waited_s = min(self.wall() - self._owed_since, self._owed_s)
        self._owed_s -= waited_s
        self._owed_since += waited_s
        return waited_s

    def _run(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: dict[str, Any],
        pricing: Pricing,
        requested: int,
    ) -> dict[str, Any]:
        self.warnings.clear()
        answer = self.execute(document, operation, variables)
        actual = min(requested, pricing.actual(answer.get("data")))
        self.bucket.give_back(requested - actual)
        extensions: dict[str, Any] = {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": self.bucket.status(),
            }
        }
        if self.warnings:
            extensions["search"] = list(self.warnings)
        return {**answer, "extensions": extensions}

    def execute(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: dict[str, Any],
        context: object = None,
    ) -> dict[str, Any]:
        """data and errors, without regard to cost."""
        root: Root = {}
        for part in self.mutations if operation.operation.value == "mutation" else self.roots:
            root |= part()
        for kind in sorted(self.denied):
            root |= {name: _denier(kind) for name in _DENIED_ROOTS.get(kind, ())}
        result = execute(
            schema(),
            document,
            root_value=root,
            context_value=context,
            variable_values=variables,
            operation_name=operation.name.value if operation.name else None,
            field_resolver=resolve,
            type_resolver=kind_resolver,
        )
        assert not hasattr(result, "__await__")
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            unforeseen = [
                e for e in result.errors if e.original_error and not isinstance(e.original_error, GraphQLError)
            ]
            if unforeseen:
                raise unforeseen[0].original_error or unforeseen[0]
            answer["errors"] = [_said(error) for error in result.errors]
        return answer

    def deny(self, what: str) -> None:
        """The app may not see it any more, whatever its scopes say.

        Raises:
            ValueError: nothing of that name can be denied.
        """
        if what not in (*_DENIED_ROOTS, "CustomerData", "AllOrders"):
            raise ValueError(f"nothing to deny: {what}")
        self.denied.add(what)
        self._look_back()

    def allow(self, what: str) -> None:
        self.denied.discard(what)
        self._look_back()

    def _look_back(self) -> None:
        self.shop.recent_only = RECENT if "AllOrders" in self.denied else None
        self.shop.forget()

    def _protect(self, order: Order, node: dict[str, Any]) -> None:
        """Who bought is refused field by field; the rest of the order is answered beside the errors."""
        if "CustomerData" in self.denied:
            node |= {name: _denier("Customer") for name in _PERSONAL}

    def _own_roots(self) -> Root:
        granted = [each for each in SCOPES.split(",") if each != "read_all_orders" or "AllOrders" not in self.denied]
        scopes = [{"handle": scope, "description": scope.replace("_", " ")} for scope in granted]
        app = {"__typename": "App", "id": gid("App", 1), "title": "orderhub", "handle": "orderhub"}
        return {
            "currentAppInstallation": lambda: {"id": gid("AppInstallation", 1), "accessScopes": scopes, "app": app},
            "publicApiVersions": lambda: [
                {"handle": version, "displayName": version, "supported": True} for version in VERSIONS
            ],
        }


def _denier(kind: str) -> Callable[..., Any]:
    def denied(**_: Any) -> Any:
        raise GraphQLError(
            f"This app is not approved to access the {kind} object. See {_CUSTOMER_DATA} for more details.",
            extensions={"code": "ACCESS_DENIED", "documentation": "https://shopify.dev/api/usage/access-scopes"},
        )

    return denied


@lru_cache(maxsize=100)  # an integration asks the same few documents again and again
def _read(query: str) -> tuple[DocumentNode, list[GraphQLError]]:
    document = parse(query)
    return document, validate(schema(), document)


def _error(message: str, code: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": code}}]}


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    return [{"line": each.line, "column": each.column} for each in error.locations or ()]


def _said(error: GraphQLError) -> dict[str, Any]:
    """The error as the vendor words it."""
    said: dict[str, Any] = {"message": error.message, "locations": _locations(error)}
    if error.path:
        said["path"] = list(error.path)
    if error.extensions:
        said["extensions"] = dict(error.extensions)
    if found := _UNKNOWN_FIELD.match(error.message):
        said["message"] = f"Field '{found[1]}' doesn't exist on type '{found[2]}'"
        said["extensions"] = {"code": "undefinedField", "typeName": found[2], "fieldName": found[1]}
    elif found := _UNKNOWN_ARGUMENT.match(error.message):
        said["message"] = f"Field '{found[3]}' doesn't accept argument '{found[1]}'"
        said["extensions"] = {
            "code": "argumentNotAccepted",
            "name": found[3],
            "typeName": "Field",
            "argumentName": found[1],
        }
    return said


def _depth(operation: OperationDefinitionNode) -> int:
    deepest, stack = 0, [(operation.selection_set, 1)]
    while stack:
        selections, depth = stack.pop()
        deepest = max(deepest, depth)
        for each in selections.selections:
            if (inner := getattr(each, "selection_set", None)) is not None:
                stack.append((inner, depth + 1))
    return deepest
