"""Every GraphQL document that is sent is valid by the vendor's schema, and uses nothing that is deprecated."""

import pytest
from graphql import GraphQLSchema, NoDeprecatedCustomRule, parse, specified_rules, validate

from connectors.shopify.documents import ALL, Document

DEPRECATED = {
    "ReturnLineItemType.returnReason",  # its follower is a free definition of the shop's own, which may be none
    "Customer.email",  # still served; the plain address is what a mapping reads in both shapes
    "Customer.phone",
}


@pytest.mark.parametrize("document", ALL, ids=[document.name for document in ALL])
def test_a_document_is_valid_by_the_vendors_schema(shopify_schema: GraphQLSchema, document: Document) -> None:
    asked = parse(document.text)

    assert [error.message for error in validate(shopify_schema, asked, specified_rules)] == []
    assert [
        error.message
        for error in validate(shopify_schema, asked, (NoDeprecatedCustomRule,))
        if not any(f"field {name} is" in error.message for name in DEPRECATED)
    ] == []


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len({document.name for document in ALL}) == len(ALL)
