"""Shipments and stock told to the rehearsed shop over a socket: once, whatever becomes of the answers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.shopify.fulfil import FulfilmentOrder, Held, fulfilment_orders, fulfilments
from connectors.shopify.live import LiveShop
from connectors.shopify.shop.gateway import Answer
from connectors.shopify.shop.stock import LOCATIONS
from connectors.shopify.simulator import App, Server, Setup
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.model.facts import Parcel
from hub.model.intents import Action, Found, Outcome, Verdict, Write
from hub.model.order import LineId, OrderKey
from hub.ports import ProbesDocuments, PutsDocuments
from tests.connectors.shopify.wired import Time, connected

SECRETS = {"token": "shpat_x", "client_id": "orderhub", "client_secret": "hush", "webhook": "hush"}
BEFORE_THE_MUTATION = ["none", "none"]  # what stands is read, and what can be fulfilled


class Restless(App):
    """A shop whose levels move between a look and the set that follows it, so many times."""

    moves = 0

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer | None:
        if self.moves and b"mutation SetStock" in body:
            self.moves -= 1
            for held in self.shop.stock.levels.values():
                held.available += 1
        return super().answer(method, target, headers, body)


@pytest.fixture
def app() -> Restless:
    """A shop whose parcels leave when an integration says so."""
    app = Restless(
        Setup(seed=7, orders=40, start=datetime(2026, 9, 1, 4, tzinfo=UTC), ships="erp", token="shpat_x", wide=False)
    )
    app.shop.move_to(datetime(2026, 9, 20, tzinfo=UTC))
    return app


@pytest.fixture
def live(app: App) -> Iterator[LiveShop]:
    with Server(app) as server:
        live = connected(Time(), address=server.url, domain="rehearsal.myshopify.com", secrets=SECRETS)
        yield live
        live.close()


Waiting = dict[str, dict[str, int]]
"""Units that can be fulfilled, by order and line."""


@pytest.fixture
def waiting(app: App, live: LiveShop) -> Waiting:
    found: Waiting = {}
    for order in app.shop.present():
        units: dict[str, int] = {}
        for one in groups(live, str(order.life.id)):
            for part in one.parts if one.fulfillable else ():
                if part.remaining:
                    units[part.line] = units.get(part.line, 0) + part.remaining
        if units:
            found[str(order.life.id)] = units
    return found


def groups(live: LiveShop, order: str) -> list[FulfilmentOrder]:
    return fulfilment_orders(live.shop, live.orders, order)


def some(waiting: Waiting, units: int = 1) -> tuple[str, dict[str, int]]:
    """An order with at least so many units waiting."""
    return next((order, lines) for order, lines in waiting.items() if sum(lines.values()) >= units)


def notice(order: str, units: dict[str, int], *numbers: str, location: str | None = None) -> Write:
    document = Document(
        key=DocumentKey("ship-shopify-1"),
        kind=DocumentKind.SHIPMENT_NOTICE,
        entity="main",
        currency="USD",
        date=date(2026, 9, 20),
        lines=tuple(DocumentLine(Component.STOCK, 0, LineId(line), quantity=count) for line, count in units.items()),
        order=OrderKey("shopify-us", order),
        location=location,
        memo="erp-ff-1",
        parcels=tuple(Parcel("UPS", number, None) for number in numbers),
    )
    return Write(Action.CREATE, document, "0" * 12)


def standing(live: LiveShop, order: str) -> list[Held]:
    return [one for one in fulfilments(live.shop, live.orders, order) if one.stands]


def put(live: LiveShop, write: Write) -> Outcome:
    (outcome,) = live.put([write])
    return outcome


def probed(live: LiveShop, write: Write) -> Found:
    (probe,) = live.probe([write])
    return probe.found


def test_it_can_be_told_and_asked(live: LiveShop) -> None:
    assert isinstance(live, PutsDocuments)
    assert isinstance(live, ProbesDocuments)


def test_a_shipment_is_told_with_its_tracking_and_known_by_its_id(live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting)

    outcome = put(live, notice(order, units, "1Z1"))

    (made,) = standing(live, order)
    assert (outcome.verdict, outcome.ref) == (Verdict.DONE, made.id)
    assert (dict(made.units), made.numbers) == (units, ("1Z1",))


def test_telling_it_twice_makes_one(live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting)

    first, again = put(live, notice(order, units, "1Z1")), put(live, notice(order, units, "1Z1"))

    assert first == again
    assert len(standing(live, order)) == 1


def test_telling_it_twice_without_a_number_makes_one(live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting)

    first, again = put(live, notice(order, units)), put(live, notice(order, units))

    assert first == again
    assert len(standing(live, order)) == 1


def test_an_equal_parcel_of_another_shipment_is_another(live: LiveShop, waiting: Waiting) -> None:
    order, units = next((o, u) for o, u in waiting.items() if max(u.values()) >= 2)
    line = max(units, key=lambda line: units[line])
    first = put(live, notice(order, {line: 1}))

    second = put(live, replace(notice(order, {line: 1}), taken=frozenset({first.ref or ""})))

    assert second.verdict is Verdict.DONE
    assert second.ref != first.ref
    assert len(standing(live, order)) == 2


@pytest.mark.parametrize(
    "fault", ["lost_before", "lost_after", "broken_json", "cut_short", "server_error", "failed_after"]
)
def test_a_lost_answer_is_in_doubt_and_ends_in_one(app: App, live: LiveShop, waiting: Waiting, fault: str) -> None:
    order, units = some(waiting)
    write = notice(order, units, "1Z1")
    app.faults.set({"next": [*BEFORE_THE_MUTATION, fault]})

    outcome = put(live, write)

    assert outcome.verdict is Verdict.IN_DOUBT
    if probed(live, write) is Found.ABSENT:
        assert put(live, write).verdict is Verdict.DONE
    assert probed(live, write) is Found.DONE
    assert len(standing(live, order)) == 1


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "late_commit", "failed_after"])
def test_a_shipment_from_two_places_ends_whole_and_once_though_its_first_answer_is_lost(
    app: App, live: LiveShop, waiting: Waiting, fault: str
) -> None:
    """What happens late has happened when the shop's clock has gone on for an hour."""
    order = next(
        order for order in waiting if len({one.location for one in groups(live, order) if one.fulfillable}) > 1
    )
    write = notice(order, waiting[order], "1Z1")
    app.faults.set({"next": [*BEFORE_THE_MUTATION, fault]})

    assert put(live, write).verdict is Verdict.IN_DOUBT
    app.shop.move_to(app.shop.now + timedelta(hours=1))
    probed(live, write)
    if probed(live, write) is Found.ABSENT:
        assert put(live, write).verdict is Verdict.DONE

    units: Counter[str] = Counter()
    for one in standing(live, order):
        units.update(one.units)
    assert units == waiting[order]
    assert probed(live, write) is Found.DONE


def test_units_in_several_places_are_several_fulfilments_of_one_shipment(live: LiveShop, waiting: Waiting) -> None:
    order = next(
        order for order in waiting if len({one.location for one in groups(live, order) if one.fulfillable}) > 1
    )

    outcome = put(live, notice(order, waiting[order], "1Z1"))

    made = standing(live, order)
    assert len(made) == len({one.location for one in made}) > 1
    assert sorted((outcome.ref or "").split(",")) == sorted(one.id for one in made)
    assert probed(live, notice(order, waiting[order], "1Z1")) is Found.DONE


def test_a_part_that_stands_is_not_told_again(app: App, live: LiveShop, waiting: Waiting) -> None:
    """The second of two calls got no answer and did not happen."""
    order = next(
        order for order in waiting if len({one.location for one in groups(live, order) if one.fulfillable}) > 1
    )
    write = notice(order, waiting[order], "1Z1")
    app.faults.set({"next": [*BEFORE_THE_MUTATION, "none", "lost_before"]})
    assert put(live, write).verdict is Verdict.IN_DOUBT
    assert len(standing(live, order)) == 1
    assert probed(live, write) is Found.ABSENT

    outcome = put(live, write)

    assert outcome.verdict is Verdict.DONE
    told: dict[str, int] = {}
    for one in standing(live, order):
        for line, count in one.units.items():
            told[line] = told.get(line, 0) + count
    assert told == waiting[order]


def test_a_changed_number_is_told_to_the_same_fulfilment(live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting)
    ref = put(live, notice(order, units, "1Z1")).ref or ""
    amended = replace(notice(order, units, "1Z2"), action=Action.AMEND, held=(ref,))
    assert probed(live, amended) is Found.ABSENT

    outcome = put(live, amended)

    assert outcome.ref == ref
    assert [one.numbers for one in standing(live, order)] == [("1Z2",)]
    assert probed(live, amended) is Found.DONE


def test_a_shipment_of_fewer_units_is_cancelled_and_told_anew(live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting, units=2)
    line = next(iter(units))
    ref = put(live, notice(order, units, "1Z1")).ref or ""

    outcome = put(live, replace(notice(order, {line: 1}, "1Z1"), action=Action.AMEND, held=(ref,)))

    assert outcome.ref not in (None, ref)
    assert [dict(one.units) for one in standing(live, order)] == [{line: 1}]


def test_a_shipment_taken_back_is_cancelled_once(live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting)
    ref = put(live, notice(order, units, "1Z1")).ref or ""
    void = replace(notice(order, units, "1Z1"), action=Action.VOID, held=(ref,))
    assert probed(live, void) is Found.ABSENT

    outcomes = [put(live, void), put(live, void)]

    assert [one.verdict for one in outcomes] == [Verdict.DONE, Verdict.DONE]
    assert standing(live, order) == []
    assert probed(live, void) is Found.DONE


def test_more_than_is_left_is_refused_by_name_and_hurts_no_other(live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting)
    other = next(one for one in waiting if one != order)
    line = next(iter(units))

    refused, told = live.put([notice(order, {line: 99}, "1Z1"), notice(other, waiting[other], "1Z2")])

    assert (refused.verdict, refused.code, refused.field) == (Verdict.REJECTED, "not_fulfillable", "lines")
    assert told.verdict is Verdict.DONE
    assert standing(live, order) == []


def level(app: App, quantity: int) -> Write:
    sku = next(product.sku for product in app.shop.stock.products.values() if product.kind == "product")
    document = Document(
        key=DocumentKey("level-shopify-1"),
        kind=DocumentKind.STOCK_NOTICE,
        entity="main",
        currency="USD",
        date=date(2026, 9, 20),
        lines=(DocumentLine(Component.STOCK, 0, item=sku, quantity=quantity),),
        location=str(LOCATIONS[0]),
        memo="17",
    )
    return Write(Action.CREATE, document, "0" * 12)


def test_a_level_is_set_and_setting_it_again_changes_nothing(app: App, live: LiveShop) -> None:
    write = level(app, 123)
    assert probed(live, write) is Found.ABSENT

    outcomes = [put(live, write), put(live, write)]

    assert [one.verdict for one in outcomes] == [Verdict.DONE, Verdict.DONE]
    assert probed(live, write) is Found.DONE


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "failed_after"])
def test_a_level_whose_answer_was_lost_is_set(app: App, live: LiveShop, fault: str) -> None:
    write = level(app, 123)
    app.faults.set({"next": ["none", fault]})

    outcome = put(live, write)

    assert outcome.verdict is Verdict.DONE  # the key lets it be sent again
    assert probed(live, write) is Found.DONE


def test_a_level_that_moved_meanwhile_is_read_anew_and_set(app: Restless, live: LiveShop) -> None:
    write = level(app, 123)
    app.moves = 2

    outcome = put(live, write)

    assert (outcome.verdict, app.moves) == (Verdict.DONE, 0)
    assert probed(live, write) is Found.DONE


def test_a_level_that_never_rests_is_refused_in_the_end(app: Restless, live: LiveShop) -> None:
    app.moves = 100

    outcome = put(live, level(app, 123))

    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "change_from_quantity_stale")


def called_off(order: str, units: dict[str, int], *, whole: bool = False, action: Action = Action.CREATE) -> Write:
    shipment = notice(order, units).document
    document = replace(
        shipment,
        key=DocumentKey("cancel-shopify-1"),
        kind=DocumentKind.CANCELLATION_NOTICE,
        location=None,
        memo="whole" if whole else "",
    )
    return Write(action, document, "0" * 12)


def test_an_order_cancelled_in_the_erp_is_cancelled_in_the_shop_and_no_money_is_given_back(
    app: App, live: LiveShop, waiting: Waiting
) -> None:
    now = app.shop.now
    lives = {order: app.shop.orders[int(order)].life for order in waiting}
    order = next(x for x, life in lives.items() if not any(one.at <= now for one in life.shipments))
    life = app.shop.orders[int(order)].life
    refunds = len([refund for refund in life.refunds if refund.at <= app.shop.now])
    write = called_off(order, {str(line.id): 0 for line in life.lines}, whole=True)

    assert put(live, write).verdict is Verdict.IN_DOUBT  # the shop does it a moment later
    app.shop.move_to(app.shop.now + timedelta(seconds=5))

    assert probed(live, write) is Found.DONE
    assert put(live, write).verdict is Verdict.DONE
    assert life.cancelled_at is not None
    assert life.cancelled_at <= app.shop.now
    assert len(life.refunds) == refunds


def test_units_cancelled_in_the_erp_are_edited_out_once(app: App, live: LiveShop, waiting: Waiting) -> None:
    order, units = some(waiting)
    line = next(iter(units))
    life = app.shop.orders[int(order)].life
    left = next(one.quantity - life.gone_at(app.shop.now, one) for one in life.lines if str(one.id) == line) - 1
    write = called_off(order, {line: left})

    assert probed(live, write) is Found.ABSENT
    assert put(live, write).verdict is Verdict.DONE
    assert put(live, write).verdict is Verdict.DONE

    assert len([edit for edit in life.edits if edit.at <= app.shop.now and edit.removed]) == 1
    assert probed(live, write) is Found.DONE
    assert put(live, called_off(order, {line: left}, action=Action.VOID)).code == "cancellation_is_final"
