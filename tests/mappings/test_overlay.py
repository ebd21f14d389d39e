"""A merchant's own fields: found in either shape, typed, and never money."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import Misconfigured
from hub.model.facts import Source
from hub.model.order import Snapshot
from hub.model.overlays import OverlayField
from hub.model.records import Translation
from mappings.overlay import Overlay, compiled
from mappings.shopify import translate
from tests.hub.steps.conftest import plain_story

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)
PO = ("note_attributes[?name=='PO'].value | [0]", "customAttributes[?key=='PO'].value | [0]")

STORY = plain_story()


def overlay(**expressions: str | tuple[str, ...]) -> Overlay:
    given = {OverlayField(name): (one,) if isinstance(one, str) else one for name, one in expressions.items()}
    made = compiled(given, "America/New_York")
    assert made is not None
    return made


def rest(*attributes: tuple[str, Any], **more: Any) -> dict[str, Any]:
    return STORY.final | {"note_attributes": [{"name": name, "value": value} for name, value in attributes]} | more


def told(document: Any, laid: Overlay | None, topic: str = "orders/updated") -> Translation:
    literal = json.loads(json.dumps(document), parse_float=Decimal)
    return translate("shop", topic, literal, Source.WEBHOOK, "USD", AT, laid)


def snapshot(found: Translation) -> Snapshot:
    (body,) = [fact.body for fact in found.facts if isinstance(fact.body, Snapshot)]
    return body


def test_a_field_is_found_in_either_shape_by_the_first_expression_that_finds_one() -> None:
    node = STORY.graphql | {"customAttributes": [{"key": "PO", "value": "4711"}]}
    laid = overlay(po_number=PO)

    by_rest = told(rest(("PO", "4711")), laid)
    by_node = told({"data": {"order": node}}, laid, "")

    assert (snapshot(by_rest).po_number, by_rest.problems) == ("4711", ())
    assert (snapshot(by_node).po_number, by_node.problems) == ("4711", ())


def test_an_envelope_does_not_stand_in_the_way() -> None:
    found = told({"topic": "orders/updated", "body": rest(("PO", 4711))}, overlay(po_number=PO), "")

    assert snapshot(found).po_number == "4711"


def test_what_is_not_there_changes_nothing() -> None:
    plain = told(rest(po_number="FROM-THE-FIELD"), None)

    laid = told(rest(po_number="FROM-THE-FIELD"), overlay(po_number=PO, business="nothing.here"))

    assert laid == plain
    assert snapshot(laid).po_number == "FROM-THE-FIELD"


@pytest.mark.parametrize(
    ("field", "expression", "value", "said"),
    [
        ("po_number", PO[0], ["a"], "expected text, found a list"),
        ("po_number", PO[0], "  ", "expected text, found empty text"),
        ("po_number", PO[0], True, "expected text, found 'True'"),
        ("po_number", PO[0], "x" * 201, "text of 201 characters; at most 200 are read"),
        ("business", PO[0], "yes", "expected true or false, found 'yes'"),
        ("promised_ship_by", PO[0], "soon", "expected a day like 2026-11-30 or a moment with its offset, found 'soon'"),
        ("promised_ship_by", PO[0], "2026-11-30T10:00:00", "expected a day like 2026-11-30"),
        ("source", "length(total_weight)", "x", "total_weight"),
    ],
)
def test_a_value_of_the_wrong_type_is_a_problem_and_the_order_stands(
    field: str, expression: str, value: Any, said: str
) -> None:
    document = rest(("PO", value), total_weight=3)

    found = told(document, overlay(**{field: expression}))

    (problem,) = found.problems
    assert (problem.path, problem.code) == (f"overlays.{field}[0]", "overlay")
    assert expression in problem.message
    assert said.partition("total_weight")[0] in problem.message
    assert snapshot(found) == snapshot(told(document, None))


def test_an_expression_that_fails_leaves_the_next_its_chance() -> None:
    laid = overlay(po_number=("length(id)", PO[0]))

    found = told(rest(("PO", "4711")), laid)

    assert snapshot(found).po_number == "4711"
    assert [problem.path for problem in found.problems] == ["overlays.po_number[0]"]


def test_every_field_has_its_type() -> None:
    laid = overlay(
        promised_ship_by="note_attributes[?name=='ship'].value | [0]",
        promised_delivery_by="note_attributes[?name=='arrive'].value | [0]",
        business="contains(tags, 'wholesale')",
        ship_method="note_attributes[?name=='how'].value | [0]",
        customer_class="note_attributes[?name=='class'].value | [0]",
        source="note_attributes[?name=='from'].value | [0]",
    )
    given = {"ship": "2026/11/30", "arrive": "2026-12-02T09:00:00+01:00", "how": "LTL", "class": "gold", "from": "pos"}

    found = told(rest(*given.items(), tags="vip, wholesale"), laid)

    order = snapshot(found)
    assert found.problems == ()
    assert order.promised_ship_by is not None
    assert order.promised_ship_by.astimezone(UTC) == datetime(2026, 12, 1, 4, 59, 59, tzinfo=UTC)
    assert order.promised_delivery_by == datetime(2026, 12, 2, 9, tzinfo=timezone(timedelta(hours=1)))
    assert (order.business, order.ship_method, order.customer_class, order.source) == (True, "LTL", "gold", "pos")


def test_no_field_of_an_overlay_is_money() -> None:
    fields = {field.value for field in OverlayField}

    assert fields <= {field for field in Snapshot.__dataclass_fields__ if not field.endswith("_minor")}
    assert not fields & {"currency", "lines", "shipping", "charges", "presentment", "methods", "unread_money"}


def test_nothing_configured_is_nothing_laid_over() -> None:
    assert compiled({}, "UTC") is None


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(Misconfigured, match="overlays"):
        compiled({OverlayField.PO_NUMBER: ("note[?",)}, "UTC")
