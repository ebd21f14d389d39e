"""The account's own fields: filled from the document by expressions that the configuration gives."""

import json
from collections.abc import Mapping

from hub.errors import Rejected
from hub.model.documents import Document, content_of
from mappings.netsuite.words import Body
from mappings.overlay import found_in, is_expression


def expression(text: str) -> str:
    """The text, which is an expression.

    Raises:
        ValueError: it is none.
    """
    if not is_expression(text):
        raise ValueError("expected a JMESPath expression")
    return text


def own_fields(expressions: Mapping[str, str], document: Document) -> Body:
    """Each field with what its expression finds in the document as JSON; one that finds nothing is left out.

    A document holds no personal data, so none can come into a field.

    Raises:
        Rejected: an expression finds something that no field holds.
    """
    if not expressions:
        return {}
    content = json.loads(content_of(document))
    body: Body = {}
    for field, searched in expressions.items():
        try:
            found = found_in(content, searched)
        except ValueError as fault:
            raise _unfit(field, document, str(fault)[:200]) from None
        if isinstance(found, str | bool | int):
            body[field] = found
        elif found is not None:
            raise _unfit(
                field, document, f"it finds a {type(found).__name__}, expected text, a whole number or a truth"
            )
    return body


def _unfit(field: str, document: Document, why: str) -> Rejected:
    return Rejected(
        f"{document.key}: {field}: {why}",
        code="invalid_value",
        field=field,
        remedy=f"correct the expression of {field} under options.fields of the ERP in hub.yaml ({why}), then retry",
    )
