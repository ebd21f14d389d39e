"""Bulk operations: a query without pages, run in the background, its result a file of JSON lines.

Each object of a connection is a line; one of a nested connection names its parent in `__parentId`. The lines are in no
useful order: parents come before their children, and that is all, unless the caller asked to group objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    get_nullable_type,
    get_operation_ast,
    parse,
    validate,
    visit,
)

from connectors.shopify.shop import search
from connectors.shopify.shop.gateway import Gateway
from connectors.shopify.shop.paging import Listing, Row
from connectors.shopify.shop.resolvers import BULK, Root, listing, schema, sortable, sorts
from connectors.shopify.shop.stamps import drawn, drawn_uuid, gid, number_of
from connectors.shopify.shop.webhooks import Outbox
from connectors.shopify.shop.world import Shop

CONNECTIONS_MAX = 5
NESTING_MAX = 2
RUNNING_MAX = 5
RUNS_S = (2, 6)
FILE_HELD = timedelta(days=7)


@dataclass(slots=True)
class Operation:
    number: int
    query: str
    grouped: bool
    created_at: datetime
    status: str = "CREATED"
    completed_at: datetime | None = None
    lines: bytes | None = None
    objects: int = 0
    roots: int = 0


class Bulk:
    """The operations of one app in one shop."""

    def __init__(self, shop: Shop, outbox: Outbox, gateway: Gateway) -> None:
        self.shop = shop
        self.outbox = outbox
        self.gateway = gateway
        self.base_url = ""
        self.operations: dict[int, Operation] = {}

    def roots(self) -> Root:
        return {
            "bulkOperation": lambda id: self.node("BulkOperation", number_of(id)),
            "bulkOperations": self._listed,
            "currentBulkOperation": lambda **_: self._last(),
        }

    def mutations(self) -> Root:
        return {"bulkOperationRunQuery": self.run, "bulkOperationCancel": self.cancel}

    def run(self, query: str, groupObjects: bool) -> dict[str, Any]:
        if (fault := _unfit(query)) is not None:
            return _refused(fault, "INVALID")
        if sum(each.status in ("CREATED", "RUNNING") for each in self.operations.values()) >= RUNNING_MAX:
            return _refused("A bulk query operation for this app and shop is already in progress.", "LIMIT_REACHED")
        number = 5_500_000_000_000 + len(self.operations) + 1
        operation = Operation(number, query, groupObjects, self.shop.stamp())
        self.operations[number] = operation
        seconds = drawn(*RUNS_S, self.shop.setup.seed, "bulk", number)
        self.shop.later(self.shop.now + timedelta(seconds=1), lambda: self._started(operation))
        self.shop.later(self.shop.now + timedelta(seconds=seconds), lambda: self._finished(operation))
        return {"bulkOperation": self.node("BulkOperation", number), "userErrors": []}

    def cancel(self, id: str) -> dict[str, Any]:
        operation = self.operations.get(number_of(id))
        if operation is None:
            return _refused("Bulk operation does not exist", "INVALID")
        if operation.status in ("CREATED", "RUNNING"):
            operation.status = "CANCELED"
        return {"bulkOperation": self.node("BulkOperation", operation.number), "userErrors": []}

    def _started(self, operation: Operation) -> None:
        if operation.status == "CREATED":
            operation.status = "RUNNING"

    def _finished(self, operation: Operation) -> None:
        if operation.status != "RUNNING":
            return
        now = self.shop.stamp()
        document = parse(operation.query)
        root = get_operation_ast(document)
        assert root is not None
        answer = self.gateway.execute(document, root, {}, BULK)
        operation.completed_at = now
        if answer.get("errors"):
            operation.status = "FAILED"
        else:
            tops = [list(_lines(node, None)) for node in _connection(next(iter(answer["data"].values())))]
            tops.sort(key=lambda lines: drawn(0, 1 << 60, operation.number, str(lines[0].get("id"))))
            if operation.grouped:
                lines = [line for each in tops for line in each]
            else:
                lines = [each[0] for each in tops] + [line for each in tops for line in each[1:]]
            operation.objects, operation.roots = len(lines), len(tops)
            operation.lines = b"".join(
                json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for line in lines
            )
            operation.status = "COMPLETED"
        body = {
            "admin_graphql_api_id": gid("BulkOperation", operation.number),
            "completed_at": now.isoformat(),
            "created_at": operation.created_at.isoformat(),
            "error_code": "internal_server_error" if operation.status == "FAILED" else None,
            "status": operation.status.lower(),
            "type": "query",
        }
        event = drawn_uuid(self.shop.setup.seed, "bulk", operation.number)
        self.outbox.announce("bulk_operations/finish", body, now, event)

    def file(self, name: str) -> bytes | None:
        """The result under its address, for a week."""
        operation = self.operations.get(int(name.partition(".")[0])) if name.partition(".")[0].isdigit() else None
        if operation is None or operation.completed_at is None or self.shop.now > operation.completed_at + FILE_HELD:
            return None
        return operation.lines

    def node(self, kind: str, number: int) -> dict[str, Any] | None:
        """The operation as it stands."""
        each = self.operations.get(number)
        if each is None:
            return None
        filled = each.status == "COMPLETED" and bool(each.lines)
        return {
            "__typename": kind,
            "id": gid("BulkOperation", number),
            "status": each.status,
            "type": "QUERY",
            "errorCode": "INTERNAL_SERVER_ERROR" if each.status == "FAILED" else None,
            "createdAt": each.created_at,
            "completedAt": each.completed_at,
            "objectCount": str(each.objects),
            "rootObjectCount": str(each.roots),
            "fileSize": str(len(each.lines)) if filled and each.lines else None,
            "url": f"{self.base_url}/bulk/{number}.jsonl" if filled else None,  # none where nothing was found
            "partialDataUrl": None,
            "query": each.query,
        }

    def _shown(self, number: int) -> dict[str, Any]:
        return self.node("BulkOperation", number) or {}

    def _last(self) -> dict[str, Any] | None:
        return self.node("BulkOperation", max(self.operations)) if self.operations else None

    @sorts
    def _listed(self, query: str | None = None, reverse: bool = False, **_: Any) -> Listing:
        found = search.parse(query, frozenset(("id", "status", "created_at", "operation_type")))
        rows = []
        for number, each in self.operations.items():
            row = {"id": number, "status": each.status, "created_at": each.created_at, "operation_type": "query"}
            if found.matches(row):
                rows.append(Row(sortable(number), number, partial(self._shown, number)))
        return listing(rows, reverse)


def _connection(value: Any) -> list[Any]:
    if "nodes" in value:
        return list(value["nodes"])
    return [edge["node"] for edge in value.get("edges", ())]


def _lines(node: dict[str, Any], parent: str | None) -> Iterator[dict[str, Any]]:
    """The object's own line, then those of its connections, at any depth."""
    line = {name: value for name, value in node.items() if not _is_connection(value)}
    if parent is not None:
        line["__parentId"] = parent
    yield line
    for value in node.values():
        if _is_connection(value):
            for each in _connection(value):
                yield from _lines(each, node.get("id"))


def _is_connection(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and set(value) <= {"edges", "nodes", "pageInfo"}


class _Shape(Visitor):
    """Counts connections and how deep they lie in each other, and sees one that lies in a list."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.connections = 0
        self.depth = self.deepest = 0
        self.lists: list[str] = []  # the plain lists that the field lies in
        self.in_list: str | None = None  # the connection that does, and in which list

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if self._at_connection():
            self.connections += 1
            self.depth += 1
            self.deepest = max(self.deepest, self.depth)
            if self.lists:
                self.in_list = f"'{node.name.value}' within '{self.lists[-1]}'"
        elif self._at_list():
            self.lists.append(node.name.value)

    def leave_field(self, node: FieldNode, *_: Any) -> None:
        if self._at_connection():
            self.depth -= 1
        elif self._at_list():
            self.lists.pop()

    def _at_list(self) -> bool:
        """A list of the object's own: a connection's edges and nodes are pages of it."""
        kind, parent = self.info.get_type(), self.info.get_parent_type()
        paged = parent is not None and parent.name.endswith("Connection")
        return isinstance(get_nullable_type(kind), GraphQLList) and not paged if kind is not None else False

    def _at_connection(self) -> bool:
        kind = self.info.get_type()
        named = get_named_type(kind) if kind is not None else None
        return isinstance(named, GraphQLObjectType) and named.name.endswith("Connection")


def _unfit(query: str) -> str | None:
    """What the vendor has against the query; None: nothing."""
    try:
        document = parse(query)
    except GraphQLSyntaxError as error:
        return f"Invalid bulk query: {error.message}"
    if faults := validate(schema(), document):
        return f"Invalid bulk query: {faults[0].message}"
    operation = get_operation_ast(document)
    if operation is None or operation.operation.value != "query" or len(operation.selection_set.selections) != 1:
        return "Bulk queries must contain a single top-level field that is a connection."
    return _misshapen(document, operation)


def _misshapen(document: DocumentNode, operation: OperationDefinitionNode) -> str | None:
    info = TypeInfo(schema())
    shape = _Shape(info)
    visit(document, TypeInfoVisitor(info, shape))
    if any(isinstance(each, FragmentDefinitionNode) for each in document.definitions):
        return "Bulk queries cannot contain fragment definitions."
    if not shape.connections:
        return "Bulk queries must contain at least one connection."
    if shape.in_list is not None:
        return f"Queries that contain a connection field within a list field are not supported: {shape.in_list}."
    if shape.connections > CONNECTIONS_MAX:
        return f"Bulk queries cannot contain more than {CONNECTIONS_MAX} connections."
    if shape.deepest > NESTING_MAX + 1:
        return f"Bulk queries cannot contain connections with a nesting depth greater than {NESTING_MAX}."
    return None


def _refused(message: str, code: str) -> dict[str, Any]:
    return {"bulkOperation": None, "userErrors": [{"field": ["query"], "message": message, "code": code}]}
