"""A line keeps its id for life; line ids and SKUs of the channel are dated references to it."""

from dataclasses import replace
from itertools import permutations

import pytest

from hub.flow.fold import fold, winners
from hub.model.documents import Component, Document
from hub.model.facts import Fact, FactKind, LineQuantity, Return, ReturnStatus, Source
from hub.model.order import Line, LineId, LineKind
from hub.model.state import OrderState, Reference, ReferenceKind
from hub.testing.builders import KEY, PLACED_AT, at, fact, given_back, line, refunded, shipped, snapshot, terms
from tests.hub.flow.bookkeeping import planned

ITEMS = {"MUG": "mug", "MUG-NEW": "mug-2", "TEE": "tee", "CAP": "cap"}


def sold(id: str, sku: str | None, product: str | None = None, title: str = "Article") -> Line:
    return replace(line(id, sku=sku), product=product, title=title)


def version(minutes: int, *lines: Line) -> Fact:
    return fact(snapshot(*lines, modified_at=at(minutes)), modified_at=at(minutes))


def folded(*facts: Fact) -> OrderState:
    return fold(KEY, winners(facts))


def named(state: OrderState) -> list[tuple[str, str | None]]:
    assert state.snapshot is not None
    return [(one.id, one.sku) for one in state.snapshot.lines]


def history(state: OrderState, kind: ReferenceKind) -> list[Reference]:
    return [one for one in state.references if one.kind is kind]


def items(made: list[Document]) -> set[str | None]:
    return {one.item for document in made for one in document.lines if one.component is Component.GOODS}


def test_a_renamed_sku_changes_no_document() -> None:
    before = [version(0, sold("1", "MUG", "v1")), shipped("f1", 60, l1=1)]

    renamed = planned([*before, version(90, sold("1", "MUG-NEW", "v1"))], terms(items=ITEMS))

    assert renamed == planned(before, terms(items=ITEMS))


def test_the_history_says_since_when_a_line_has_gone_by_which_sku() -> None:
    state = folded(version(0, sold("1", "MUG", "v1")), version(90, sold("1", "MUG-NEW", "v1")))

    assert history(state, ReferenceKind.SKU) == [
        Reference(LineId("1"), ReferenceKind.SKU, "MUG", PLACED_AT),
        Reference(LineId("1"), ReferenceKind.SKU, "MUG-NEW", at(90)),
    ]


def test_a_line_that_was_never_renamed_has_its_words_since_it_was_placed() -> None:
    state = folded(version(30, sold("1", "MUG")))
    assert state.snapshot is not None

    assert [(x.value, x.valid_from) for x in state.references_of(state.snapshot.lines[0])] == [
        ("1", PLACED_AT),
        ("MUG", PLACED_AT),
    ]


def test_what_the_erp_shipped_names_lines_by_their_ids_for_life() -> None:
    """The channel swapped its ids since; the ERP's sales order has those of the day the order was placed."""
    swapped = version(30, sold("2", "MUG", "v1"), sold("1", "TEE", "v2"))
    by_hand = replace(shipped("erp-ful-3", 60, l1=1), source=Source.ERP)

    state = folded(version(0, sold("1", "MUG", "v1"), sold("2", "TEE", "v2")), swapped, by_hand)

    assert {line: units.shipped for line, units in state.quantities.items()} == {"1": 1, "2": 0}


def test_another_article_in_a_line_is_another_item() -> None:
    state = folded(version(0, sold("1", "MUG", "v1")), version(90, sold("1", "TEE", "v2")))

    assert named(state) == [("1", "TEE")]


@pytest.mark.parametrize(("title", "counts"), [("Article", "MUG"), ("A shirt", "TEE")])
def test_without_a_variant_another_sku_and_title_are_another_article(title: str, counts: str) -> None:
    state = folded(version(0, sold("1", "MUG")), version(90, sold("1", "TEE", title=title)))

    assert named(state) == [("1", counts)]


def test_a_sku_that_was_missing_counts_once_it_is_given() -> None:
    state = folded(version(0, sold("1", None)), version(90, sold("1", "MUG")), version(95, sold("1", "MUG-NEW")))

    assert named(state) == [("1", "MUG")]


RENUMBERED = [
    version(0, sold("1", "MUG", title="A mug"), sold("2", "TEE", title="A shirt")),
    version(90, sold("1", "TEE", title="A shirt")),  # the mug was taken out, and the channel counts anew
]


def test_a_renumbered_line_keeps_its_id() -> None:
    state = folded(*RENUMBERED)

    assert named(state) == [("2", "TEE")]
    assert history(state, ReferenceKind.CHANNEL_LINE)[-1] == Reference(
        LineId("2"), ReferenceKind.CHANNEL_LINE, "1", at(90)
    )


def test_shipments_refunds_and_returns_mean_the_line_that_had_the_id_at_their_time() -> None:
    old = shipped("f1", 60, l2=1)
    new = refunded("r1", 120, given_back("1", 1, 1000))
    back = fact(Return(ReturnStatus.OPEN, (LineQuantity(LineId("1"), 1),)), "b1", modified_at=at(130))

    state = folded(*RENUMBERED, replace(old, modified_at=at(60)), replace(new, modified_at=at(120)), back)

    assert (state.quantities[LineId("2")].shipped, state.quantities[LineId("2")].credited) == (1, 1)
    assert state.returns[0].body.lines == (LineQuantity(LineId("2"), 1),)
    assert state.problems == ()


def test_a_new_line_under_an_id_that_was_taken_is_not_the_old_one() -> None:
    """The mug has moved to another number, and a shirt stands under the mug's."""
    state = folded(
        version(0, sold("1", "MUG", "v1")),
        version(60, sold("1", "TEE", "v2"), sold("2", "MUG", "v1")),
    )

    assert named(state) == [(f"1@{at(60):%Y%m%dT%H%M%S}", "TEE"), ("1", "MUG")]


def test_a_component_follows_its_kit_to_another_number() -> None:
    kit = replace(sold("1", "TEE"), kind=LineKind.KIT)
    part = replace(sold("2", "MUG"), kind=LineKind.COMPONENT, parent=LineId("1"))
    moved = replace(part, id=LineId("8"), external_id="8", parent=LineId("7"))

    state = folded(version(0, kit, part), version(60, replace(kit, id=LineId("7"), external_id="7"), moved))

    assert state.snapshot is not None
    assert [(x.id, x.parent) for x in state.snapshot.lines] == [("1", None), ("2", "1")]


def test_two_lines_of_one_article_stay_two() -> None:
    state = folded(version(0, sold("1", "MUG")), version(60, sold("1", "MUG"), sold("2", "MUG")))

    assert named(state) == [("1", "MUG"), ("2", "MUG")]


def test_any_order_of_arrival_gives_the_same_lines() -> None:
    facts = [
        version(0, sold("1", "MUG", "v1"), sold("2", "TEE", "v2")),
        version(60, sold("1", "TEE", "v2"), sold("2", "CAP", "v3")),
        version(90, sold("1", "TEE-X", "v2"), sold("2", "CAP", "v3"), sold("3", "MUG", "v1")),
        shipped("f1", 30, l1=1, l2=1),
    ]

    states = [folded(*told) for told in permutations([*facts, facts[0]])]

    assert named(states[0])[0] == ("2", "TEE")
    assert all(state == states[0] for state in states)


def test_the_versions_of_one_order_alone_are_read() -> None:
    won = winners([version(0, sold("1", "MUG")), version(60, sold("1", "MUG-NEW"))])

    assert [one.kind for one in won.overtaken] == [FactKind.SNAPSHOT]
