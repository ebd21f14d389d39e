"""What a query costs, and the bucket it is paid from.

The rule, from the vendor's documentation of rate limits and from answers seen: a scalar or enum 0, an object 1, an
interface or union the dearest of its branches, a mutation 10. A connection is 1, a pageInfo 1, and its size times a
node; the size is `first` or `last` at the root and the root of it, rounded up, below: a recorded answer for
`order { fulfillmentOrders(first: 10) { nodes { id } pageInfo { … } } }` is 7 asked and 4 spent, which this gives, and a
published 25 for a nested connection of 250 is less than this asks. Objects without an id of their own (money, tax
lines, attributes) come with their parent. What is spent counts what was returned, so it is never more than was asked.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

QUERY_MAX = 1000
MUTATION = 10
BUCKET_S = 20  # a bucket holds what is restored in so many seconds: recorded 4000 at 200, 2000 at 100


class Bucket:
    """The points of one app in one shop; they come back with virtual time."""

    def __init__(self, restore_per_s: int, now: datetime) -> None:
        self.restore_per_s = restore_per_s
        self.maximum = restore_per_s * BUCKET_S
        self.available = float(self.maximum)
        self._at = now

    def take(self, points: int, now: datetime) -> bool:
        """Whether the points were there; if so they are gone."""
        passed = max(0.0, (now - self._at).total_seconds())
        self._at = now
        self.available = min(float(self.maximum), self.available + passed * self.restore_per_s)
        if points > self.available:
            return False
        self.available -= points
        return True

    def give_back(self, points: int) -> None:
        self.available = min(float(self.maximum), self.available + points)

    def status(self) -> dict[str, Any]:
        return {
            "maximumAvailable": float(self.maximum),
            "currentlyAvailable": int(self.available),
            "restoreRate": float(self.restore_per_s),
        }


class Pricing:
    """The cost of one operation of one document, before it runs and after."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: dict[str, Any],
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.variables = variables
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.mutation = operation.operation.value == "mutation"
        self.defaults = {
            d.variable.name.value: int(d.default_value.value)
            for d in operation.variable_definitions or ()
            if isinstance(d.default_value, IntValueNode)
        }

    def requested(self) -> int:
        """The most that the operation can cost."""
        return math.ceil(self._set(self.operation.selection_set, self._root(), None, root=True))

    def actual(self, answer: dict[str, Any] | None) -> int:
        """What it cost, by what it returned."""
        return math.ceil(self._set(self.operation.selection_set, self._root(), answer or {}, root=True))

    def _root(self) -> GraphQLObjectType:
        root = self.schema.mutation_type if self.mutation else self.schema.query_type
        assert root is not None
        return root

    def _set(self, selections: SelectionSetNode | None, parent: GraphQLNamedType, found: Any, *, root: bool) -> float:
        """The children of one object; `found` is its answer, None before there is one."""
        cost, branches = 0.0, [0.0]
        abstract = isinstance(parent, GraphQLInterfaceType | GraphQLUnionType)
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                cost += self._field(selection, parent, found, root=root)
                continue
            inner: SelectionSetNode | None = None
            name: str | None = None
            if isinstance(selection, InlineFragmentNode):
                inner = selection.selection_set
                name = selection.type_condition.name.value if selection.type_condition else None
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments[selection.name.value]
                inner, name = fragment.selection_set, fragment.type_condition.name.value
            kind = self.schema.type_map[name] if name else parent
            part = self._set(inner, kind, found, root=root)
            if abstract:
                branches.append(part)
            else:
                cost += part
        return cost + max(branches)

    def _field(self, field: FieldNode, parent: GraphQLNamedType, found: Any, *, root: bool) -> float:
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) or field.name.value not in parent.fields:
            return 0.0
        declared = parent.fields[field.name.value].type
        kind = get_named_type(declared)
        if field.selection_set is None:
            return 0.0
        value = None
        if found is not None:
            value = found.get(field.alias.value if field.alias else field.name.value)
            if value is None:
                return float(MUTATION) if self.mutation and root else 0.0
        if self.mutation and root:
            return MUTATION + self._set(field.selection_set, kind, value, root=False)
        if kind.name.endswith("Connection"):
            return self._connection(field, kind, value, root=root)
        own = 1.0 if self._counts(kind) else 0.0
        if isinstance(get_nullable_type(declared), GraphQLList):
            return self._list(field, kind, own, value, declared)
        return own + self._set(field.selection_set, kind, value, root=False)

    def _list(
        self, field: FieldNode, kind: GraphQLNamedType, own: float, value: Any, declared: GraphQLOutputType
    ) -> float:
        size = self._size(field)
        wide = math.ceil(math.sqrt(size)) if size else 1
        if value is None:
            return wide * (own + self._set(field.selection_set, kind, None, root=False))
        each = [own + self._set(field.selection_set, kind, item, root=False) for item in value if item is not None]
        return _share(each, wide)

    def _connection(self, field: FieldNode, kind: GraphQLNamedType, value: Any, *, root: bool) -> float:
        size = self._size(field) or 0
        wide = size if root else math.ceil(math.sqrt(size))
        assert isinstance(kind, GraphQLObjectType)
        cost, nodes, each = 1.0, 0.0, 0
        for name, inner, alias in self._below(field.selection_set, kind):
            below = get_named_type(kind.fields[name].type)
            if name == "pageInfo":
                cost += 1
            elif name in ("nodes", "edges"):
                items = (value or {}).get(alias) if value is not None else None
                if items is None:
                    nodes += wide * self._node(inner, below, None)
                else:
                    costs = [self._node(inner, below, item) for item in items]
                    nodes += _share(costs, wide)
                each += 1
        return cost + nodes

    def _node(self, inner: SelectionSetNode | None, below: GraphQLNamedType, item: Any) -> float:
        if not below.name.endswith("Edge"):
            return 1 + self._set(inner, below, item, root=False)
        assert isinstance(below, GraphQLObjectType)
        cost = 0.0
        for name, selections, alias in self._below(inner, below):
            if name == "node":
                node = (item or {}).get(alias) if item is not None else None
                cost += 1 + self._set(selections, get_named_type(below.fields["node"].type), node, root=False)
        return cost

    def _below(
        self, selections: SelectionSetNode | None, kind: GraphQLObjectType
    ) -> list[tuple[str, SelectionSetNode | None, str]]:
        """The fields of a connection or edge, fragments opened."""
        found = []
        for selection in selections.selections if selections else ():
            if isinstance(selection, FieldNode):
                if selection.name.value in kind.fields:
                    name = selection.name.value
                    found.append((name, selection.selection_set, selection.alias.value if selection.alias else name))
            elif isinstance(selection, InlineFragmentNode):
                found += self._below(selection.selection_set, kind)
            elif isinstance(selection, FragmentSpreadNode):
                found += self._below(self.fragments[selection.name.value].selection_set, kind)
        return found

    def _counts(self, kind: GraphQLNamedType) -> bool:
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            return kind.name == "Node" or any(interface.name == "Node" for interface in kind.interfaces)
        return False

    def _size(self, field: FieldNode) -> int | None:
        for argument in field.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                if isinstance(value, IntValueNode):
                    return max(0, int(value.value))
                if isinstance(value, VariableNode):
                    name = value.name.value
                    given = self.variables.get(name, self.defaults.get(name))
                    if isinstance(given, int):
                        return max(0, given)
        return None


def _share(costs: list[float], wide: int) -> float:
    """The cost of so many nodes where no more than `wide` of them count."""
    return sum(costs) * min(wide, len(costs)) / len(costs) if costs else 0.0
