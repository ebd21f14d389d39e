"""What the shop serves is a true part of the vendor's schema, and every served field has an answer."""

from collections.abc import Iterator
from typing import Any

import graphql
import pytest

from connectors.shopify.shop.resolvers import SCHEMA_FILE
from tests.connectors.shopify.shop.caller import Caller


def strange(ours: graphql.GraphQLSchema, theirs: graphql.GraphQLSchema) -> Iterator[str]:
    """What the first schema has and the second has not, or has otherwise."""
    kind: Any
    for name, kind in ours.type_map.items():
        if name.startswith("__") or name in graphql.specified_scalar_types:
            continue
        other: Any = theirs.type_map.get(name)
        if type(other) is not type(kind):
            yield f"{name}: no such {type(kind).__name__}"
        elif isinstance(kind, graphql.GraphQLEnumType):
            yield from (f"{name}.{value}" for value in kind.values if value not in other.values)
        elif isinstance(kind, graphql.GraphQLUnionType):
            members = {each.name for each in other.types}
            yield from (f"{name} | {each.name}" for each in kind.types if each.name not in members)
        elif isinstance(kind, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType):
            interfaces = {each.name for each in other.interfaces}
            yield from (f"{name}: {each.name}" for each in kind.interfaces if each.name not in interfaces)
            for field, declared in kind.fields.items():
                yield from strange_field(f"{name}.{field}", declared, other.fields.get(field))
        elif isinstance(kind, graphql.GraphQLInputObjectType):
            yield from strange_inputs(name, kind.fields, other.fields)
    for directive in ours.directives:
        found = theirs.get_directive(directive.name)
        if found is None or set(directive.locations) != set(found.locations):
            yield f"@{directive.name}"
        else:
            yield from strange_inputs(f"@{directive.name}", directive.args, found.args)


def strange_field(path: str, ours: Any, theirs: Any) -> Iterator[str]:
    if theirs is None:
        yield f"{path}: no such field"
        return
    if str(ours.type) != str(theirs.type):
        yield f"{path}: {ours.type} is {theirs.type}"
    yield from strange_inputs(path, ours.args, theirs.args)


def strange_inputs(path: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    for name, declared in ours.items():
        if name not in theirs:
            yield f"{path}({name}): no such argument"
        elif str(declared.type) != str(theirs[name].type) or declared.default_value != theirs[name].default_value:
            yield f"{path}({name}): {declared.type} is {theirs[name].type}"
    for name, declared in theirs.items():
        if name not in ours and graphql.is_required_argument(declared):
            yield f"{path}({name}): left out, but it is required"


def test_the_served_schema_is_a_true_part_of_the_vendors(shopify_schema: graphql.GraphQLSchema) -> None:
    ours = graphql.build_schema(SCHEMA_FILE.read_text())

    assert list(strange(ours, shopify_schema)) == []
    assert graphql.validate_schema(ours) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  displayName: String!\n", "  displayNames: String!\n", "no such field"),
        ("  taxesIncluded: Boolean!\n", "  taxesIncluded: Boolean\n", "Boolean is Boolean!"),
        ("  PARTIALLY_REFUNDED\n", "  PARTLY_REFUNDED\n", "PARTLY_REFUNDED"),
        ("order(id: ID!): Order\n", "order(key: ID!): Order\n", "no such argument"),
    ],
)
def test_a_schema_that_strays_from_the_vendors_is_told(
    shopify_schema: graphql.GraphQLSchema, before: str, after: str, said: str
) -> None:
    text = SCHEMA_FILE.read_text()
    assert before in text

    strays = list(strange(graphql.build_schema(text.replace(before, after)), shopify_schema))

    assert any(said in stray for stray in strays)


def whole(kind: Any, schema: graphql.GraphQLSchema, above: tuple[str, ...], depth: int) -> str:
    """Every field of a type, down to where a type would hold itself."""
    if isinstance(kind, graphql.GraphQLUnionType | graphql.GraphQLInterfaceType):
        branches = [
            f"... on {each.name} {whole(each, schema, (*above, kind.name), depth)}"
            for each in schema.get_possible_types(kind)
            if each.name not in above
        ]
        return "{ __typename " + " ".join(branches) + " }"
    parts = []
    for name, field in kind.fields.items():
        inner = graphql.get_named_type(field.type)
        arguments = []
        if "first" in field.args:
            arguments.append("first: 2")
        if "names" in field.args:
            arguments.append('names: ["available", "on_hand"]')
        arguments += [
            f'{each}: "gid://shopify/X/1"' for each in ("locationId", "inventoryItemId") if each in field.args
        ]
        asked = f"{name}({', '.join(arguments)})" if arguments else name
        if graphql.is_leaf_type(inner):
            parts.append(asked)
        elif inner.name not in above and depth:
            parts.append(f"{asked} {whole(inner, schema, (*above, kind.name), depth - 1)}")
    return "{ __typename " + " ".join(parts) + " }"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("root", "kind", "depth"),
    [
        ("orders(first: 250)", "Order", 4),
        ("fulfillmentOrders(first: 250, includeClosed: true)", "FulfillmentOrder", 3),
        ("locations(first: 10)", "Location", 4),
        ("productVariants(first: 5)", "ProductVariant", 4),
        ("inventoryItems(first: 5)", "InventoryItem", 4),
    ],
)
def test_every_field_that_is_served_has_an_answer_the_vendor_could_give(
    caller: Caller, root: str, kind: str, depth: int
) -> None:
    """Asked of the executor alone: such a query is dearer than the door allows."""
    schema = graphql.build_schema(SCHEMA_FILE.read_text())
    document = graphql.parse(f"{{ {root} {{ nodes {whole(schema.type_map[kind], schema, (), depth)} }} }}")
    operation = graphql.get_operation_ast(document)
    assert operation is not None

    answer = caller.app.gateway.execute(document, operation, {})

    assert "errors" not in answer
    assert len(answer["data"][root.partition("(")[0]]["nodes"]) > 1
