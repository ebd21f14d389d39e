"""advance: records become decisions once, whatever comes twice, late, broken or by another worker."""

import json
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event as event_api
from sqlalchemy import func, select, text, update
from sqlalchemy.event import listens_for

from hub.model.crosswalk import CrosswalkKind, CrosswalkRow
from hub.model.facts import Source
from hub.model.order import OrderKey, Snapshot
from hub.model.records import Record, Translation
from hub.steps.advance import advance, advance_all, reconsider
from hub.steps.capture import capture
from hub.steps.deciding import chained
from hub.steps.exceptions import reconsider_due, retry
from hub.steps.hub import Hub
from hub.steps.reference import SEEDED
from hub.steps.send import send_all
from hub.store import crosswalks, inbox, refetching
from hub.store import orders as stored
from hub.store.schema import event, exception, fact, intent, orders, party, stamp, step
from tests.conftest import Clock
from tests.hub.steps.conftest import Killed, OpenHub, plain_story, record, stories, take_in


def count(hub: Hub, table: Any) -> int:
    with hub.store.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def expected_balances(hub: Hub) -> dict[tuple[str, str], int]:
    """Minor units by account and currency, of all expected entries; zeros left out."""
    sums: dict[tuple[str, str], int] = {}
    with hub.store.connect() as connection:
        for entries in connection.execute(select(intent.c.reversal, intent.c.entry)):
            for posting in [posting for entry in entries if entry for posting in json.loads(entry)["postings"]]:
                at = (posting["account"], posting["currency"])
                sums[at] = sums.get(at, 0) + posting["amount_minor"]
    return {at: minor for at, minor in sums.items() if minor}


def test_an_order_becomes_facts_events_and_intents(hub: Hub) -> None:
    story = plain_story()

    take_in(hub, record(story.final, "one"))

    assert count(hub, orders) == 1
    with hub.store.connect() as connection:
        kinds = list(
            connection.execute(select(intent.c.kind).where(intent.c.order_id != "").order_by(intent.c.id)).scalars()
        )
    assert kinds == ["sales_order", "deposit", "fulfilment", "invoice", "deposit_application"]


def test_the_same_record_twice_is_one_row(hub: Hub) -> None:
    story = plain_story()

    first = capture(hub, [record(story.final, "one")])
    second = capture(hub, [record(story.final, "one")])

    assert (len(first), len(second)) == (1, 0)
    assert len(inbox.due(hub.inbox, 10)) == 1


def test_the_same_record_twice_in_one_call_is_one_row(hub: Hub) -> None:
    story = plain_story()

    new = capture(hub, [record(story.final, "one"), record(story.final, "one")])

    assert len(new) == 1
    assert len(inbox.due(hub.inbox, 10)) == 1


def test_a_redelivery_under_another_key_decides_nothing_new(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    before = (count(hub, intent), count(hub, event), count(hub, fact))

    take_in(hub, record(story.final, "two"))

    assert (count(hub, intent), count(hub, event), count(hub, fact)) == before


def test_any_order_of_arrival_gives_the_same_expected_balances(hub: Hub, open_one: OpenHub) -> None:
    told = [(s, d) for s in stories(40) for d in s.deliveries]
    deliveries = [record(d.body, d.webhook_id, d.topic) for _, d in told]
    finals = [record(s.final, f"final-{s.order_id}") for s in stories(40)]
    shuffled = deliveries + finals
    random.Random(3).shuffle(shuffled)

    for start in range(0, len(shuffled), 50):
        take_in(hub, *shuffled[start : start + 50])
        if start % 100 == 0:
            send_all(hub)
    piecemeal = expected_balances(hub)
    with hub.writing() as connection, connection.begin():
        for table in (fact, orders, event, exception, intent, step, party):
            connection.execute(table.delete())
    again = open_one()
    with again.inbox.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("UPDATE record SET outcome = NULL"))
    advance_all(again)

    assert piecemeal == expected_balances(again)
    assert piecemeal


def test_the_ledger_agrees_with_the_expected_books_to_the_unit(hub: Hub) -> None:
    deliveries = [record(d.body, d.webhook_id, d.topic) for s in stories(60, seed=11) for d in s.deliveries]
    random.Random(5).shuffle(deliveries)
    for start in range(0, len(deliveries), 60):
        take_in(hub, *deliveries[start : start + 60])
        send_all(hub)
    take_in(hub, *[record(s.final, f"final-{s.order_id}") for s in stories(60, seed=11)])

    send_all(hub)

    valued_by_the_ledger = ("1300", "5000")
    booked = {
        (row["account"], row["currency"]): row["balance_minor"]
        for row in hub.erp.trial_balance()
        if row["balance_minor"] and row["account"] not in valued_by_the_ledger
    }
    assert booked == expected_balances(hub)


def test_money_comes_back_from_the_store_as_it_went_in(hub: Hub) -> None:
    story = next(s for s in stories(200) if "foreign_presentment" in s.traits)
    take_in(hub, record(story.final, "one"))

    with hub.store.connect() as connection:
        known = stored.load(connection, [OrderKey("shopify", story.order_id)])
    one = record(story.final, "one")
    raw = Record(1, one.channel, one.topic, one.source, one.body, one.received_at)
    translated = hub.connector("shopify").translate(raw)

    read = {(f.kind, f.external_id): f.body for f in known[OrderKey("shopify", story.order_id)].facts}
    assert read == {(f.kind, f.external_id): f.body for f in translated.facts}


def test_an_unmapped_item_holds_its_order_and_a_crosswalk_row_heals_all(hub: Hub, utc: Clock) -> None:
    story = plain_story()
    raw = json.dumps(story.final).replace(f'"{story.final["line_items"][0]["sku"]}"', '"NEVER-SEEN"').encode()
    take_in(hub, record(raw, "one"))
    with hub.store.connect() as connection:
        held = connection.execute(select(exception.c.code, exception.c.remedy)).all()
    assert [tuple(row) for row in held] == [("unmapped_item", "orderhub crosswalk set item NEVER-SEEN ITEM")]

    with hub.writing() as connection, connection.begin():
        row = CrosswalkRow(CrosswalkKind.ITEM, "*", "NEVER-SEEN", story.final["line_items"][0]["sku"], SEEDED)
        crosswalks.put(connection, row, utc(), "anna")
    reconsider(hub, [OrderKey("shopify", story.order_id)])

    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.resolution)).scalar_one() == "cured"
        assert connection.execute(select(orders.c.holds)).scalar_one() == 0
    assert send_all(hub).rejected == 0


def test_a_record_that_does_not_translate_leaves_a_counted_stub(hub: Hub) -> None:
    story = plain_story()
    broken = story.final | {"line_items": [story.final["line_items"][0] | {"price": "N/A"}]}

    take_in(hub, record(broken, "one"), record(plain_story(seed=8).final, "two"))

    with hub.store.connect() as connection:
        stub = connection.execute(
            select(orders.c.posting, orders.c.claimed_minor).where(orders.c.order_id == story.order_id)
        ).one()
        message = connection.execute(select(exception.c.message)).scalar_one()
    assert stub.posting == "stub"
    assert stub.claimed_minor > 0
    assert "line_items[0].price" in message
    assert count(hub, orders) == 2


def test_a_webhook_of_a_channel_that_cannot_be_asked_asks_for_nothing(hub: Hub) -> None:
    take_in(hub, record(plain_story().final, "w1"))

    assert refetching.waiting(hub.inbox, "shopify", 10) == []


def test_a_webhook_asks_for_its_order_to_be_read_anew_even_where_it_does_not_translate(hub: Hub) -> None:
    live = hub.settings.channels[0].model_copy(update={"address": "http://127.0.0.1:9"})
    hub = replace(hub, settings=hub.settings.model_copy(update={"channels": (live,)}))
    good, broken, pulled = ({**story.final} for story in stories(3))
    broken["total_price"] = pulled["total_price"] = "N/A"

    take_in(hub, record(good, "w1"), record(broken, "w2"), record(pulled, "p1", source=Source.PULL))

    waiting = {one.order_id for one in refetching.waiting(hub.inbox, "shopify", 10)}
    hub.erp.close_connections()
    assert waiting == {str(good["id"]), str(broken["id"])}


def test_a_good_record_cures_the_one_that_did_not_translate(hub: Hub) -> None:
    story = plain_story()
    broken = story.final | {"line_items": [story.final["line_items"][0] | {"price": "N/A"}]}
    take_in(hub, record(broken, "one"))

    take_in(hub, record(story.final, "two"))

    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.resolution)).scalar_one() == "cured"
        assert connection.execute(select(orders.c.posting)).scalar_one() == "posted"


def test_an_order_that_this_program_cannot_handle_is_put_aside_and_the_rest_goes_on(open_one: OpenHub) -> None:
    hub = open_one()
    holds = hub.settings.holds.model_copy(update={"missing_rate": False})
    careless = replace(hub, settings=hub.settings.model_copy(update={"holds": holds}))
    first, second = plain_story(seed=7), plain_story(seed=8)
    kronor = json.dumps(first.final).replace('"USD"', '"SEK"').encode()

    take_in(careless, record(kronor, "one"), record(second.final, "two"))
    careless.erp.close_connections()

    with hub.store.connect() as connection:
        faulty = connection.execute(select(exception.c.order_id, exception.c.code)).one()
        decided = set(connection.execute(select(intent.c.order_id).where(intent.c.order_id != "")).scalars())
    assert tuple(faulty) == (first.order_id, "fault")
    assert decided == {second.order_id}


def test_facts_that_this_program_cannot_even_fold_hold_their_order_alone_until_better_ones_come(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connector that lets a time through of which New York has no day; the shop's own maps it well again."""
    connector = hub.connector("shopify")
    honest = connector.translate
    first, second = plain_story(seed=7), plain_story(seed=8)

    def careless(record: Record) -> Translation:
        translation: Translation = honest(record)
        if record.topic != "careless":
            return translation
        never = datetime(1, 1, 1, tzinfo=UTC)
        facts = (
            replace(fact, body=replace(fact.body, placed_at=never)) if isinstance(fact.body, Snapshot) else fact
            for fact in translation.facts
        )
        return replace(translation, facts=tuple(facts))

    monkeypatch.setattr(connector, "translate", careless)

    take_in(hub, record(first.final, "one", "careless"), record(second.final, "two"))

    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.order_id, exception.c.code)).one() == (first.order_id, "fault")
        held = connection.execute(select(orders.c.posting, orders.c.holds).where(orders.c.order_id == first.order_id))
        assert held.one() == ("posted", 1)
        decided = set(connection.execute(select(intent.c.order_id).where(intent.c.order_id != "")).scalars())
    assert decided == {second.order_id}

    retry(hub, "fault:OverflowError")
    take_in(hub, record(first.final | {"updated_at": "2026-11-02T11:00:00Z"}, "three"))

    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.resolution)).scalar_one() == "cured"
        decided = set(connection.execute(select(intent.c.order_id).where(intent.c.order_id != "")).scalars())
    assert decided == {first.order_id, second.order_id}


def test_a_record_that_its_connector_stumbles_over_is_put_aside_and_the_rest_goes_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = hub.connector("shopify")
    honest = connector.translate

    def stumbling(record: Record) -> Any:
        if record.body == b"{}":
            raise KeyError("line_items")
        return honest(record)

    monkeypatch.setattr(connector, "translate", stumbling)
    story = plain_story()

    take_in(hub, record({}, "one"), record(story.final, "two"))

    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.order_id, exception.c.code)).one() == (
            "record-1",
            "untranslatable",
        )
        assert connection.execute(select(orders.c.order_id)).scalar_one() == story.order_id


def test_what_is_left_of_a_channel_that_is_gone_waits_and_stops_no_other(hub: Hub, utc: Clock) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    capture(hub, [record(story.final | {"note": "later"}, "two")])
    with hub.writing() as connection, connection.begin():
        connection.execute(update(orders).values(recheck_at=stamp(utc.now)))
    other = hub.settings.channels[0].model_copy(update={"slug": "other"})
    gone = replace(hub, settings=hub.settings.model_copy(update={"channels": (other,)}), connect_erp=lambda _: hub.erp)
    capture(gone, [replace(record(plain_story(seed=8).final, "three"), channel="other")])

    reconsider_due(gone)
    done = advance_all(gone)

    assert done == 1
    assert [one.channel for one in inbox.due(hub.inbox, 10)] == ["shopify"]
    assert advance_all(hub) == 1


def test_a_record_that_is_edited_while_it_is_advanced_is_advanced_once_more(hub: Hub, open_one: OpenHub) -> None:
    story = plain_story()
    capture(hub, [record(story.final, "one")])
    other = open_one()
    edited = json.dumps(story.final | {"name": "#RIGHT"}).encode()

    @listens_for(hub.store, "commit")
    def edit(_connection: Any) -> None:
        if not edits:
            edits.append(inbox.put_edit(other.inbox, 1, edited, "ann", "a typing error", hub.clock()))

    edits: list[int] = []
    advance(hub)
    event_api.remove(hub.store, "commit", edit)
    advance_all(hub)

    with hub.store.connect() as connection:
        assert connection.execute(select(orders.c.name)).scalar_one() == "#RIGHT"


def test_a_worker_that_was_overtaken_decides_anew(hub: Hub, open_one: OpenHub) -> None:
    other = open_one()
    capture(hub, [record(plain_story().final, "one")])
    races: list[str] = []

    @listens_for(hub.store, "before_cursor_execute")
    def race(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not races and statement.startswith(
            "SELECT DISTINCT intent.document_key"
        ):  # the last thing read before deciding
            races.append(statement)
            thread = threading.Thread(target=advance, args=(other,))
            thread.start()
            thread.join()

    advance(hub)

    assert races
    assert count(hub, orders) == 1
    with hub.store.connect() as connection:
        keys = list(connection.execute(select(intent.c.document_key)).scalars())
    assert len(keys) == len(set(keys))


def test_a_kill_between_the_hub_and_the_inbox_repeats_and_changes_nothing(hub: Hub, open_one: OpenHub) -> None:
    capture(hub, [record(plain_story().final, "one")])

    @listens_for(hub.inbox, "before_cursor_execute")
    def kill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE record"):
            raise Killed

    with pytest.raises(Killed):
        advance(hub)
    before = (count(hub, intent), count(hub, event), count(hub, fact), count(hub, step))
    assert before[0] > 0

    advance_all(open_one())

    assert (count(hub, intent), count(hub, event), count(hub, fact), count(hub, step)) == before
    assert inbox.due(hub.inbox, 10) == []


def test_a_kill_before_the_commit_leaves_nothing_half_done(hub: Hub, open_one: OpenHub) -> None:
    capture(hub, [record(plain_story().final, "one")])

    @listens_for(hub.store, "before_cursor_execute")
    def kill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO step"):  # the last thing written
            raise Killed

    with pytest.raises(Killed):
        advance(hub)
    again = open_one()
    assert (count(again, fact), count(again, intent), count(again, event)) == (0, 0, 0)

    advance_all(again)

    assert count(again, intent) > 0


def test_test_orders_are_captured_and_never_posted(hub: Hub) -> None:
    story = next(s for s in stories(300) if "test" in s.traits)

    take_in(hub, record(story.final, "one"))

    assert count(hub, intent) == 0
    with hub.store.connect() as connection:
        assert connection.execute(select(orders.c.posting)).scalar_one() == "test"


def test_events_are_chained_to_the_last(hub: Hub) -> None:
    take_in(hub, *[record(d.body, d.webhook_id, d.topic) for d in plain_story().deliveries])

    with hub.store.connect() as connection:
        rows = connection.execute(select(event).order_by(event.c.seq)).mappings().all()
        chain = connection.execute(select(orders.c.chain)).scalar_one()
    link = "0" * 64
    for row in rows:
        link = chained(link, dict(row))
        assert row["hash"] == link
    assert link == chain


def test_a_late_refund_holds_where_the_policy_wants_a_person_and_nothing_else_does(open_one: OpenHub) -> None:
    hub = open_one()
    channel = hub.channel("shopify")
    vars(hub)["_channels"]["shopify"] = replace(channel, rules=replace(channel.rules, hold_late=True))
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    send_all(hub)
    hub.erp.close("main", "2026-10")

    take_in(hub, record(refunded_on(story.final, "2026-11-01T15:00:00+00:00"), "on time"))
    assert held_codes(hub) == set()
    hub.erp.close("main", "2026-11")
    take_in(hub, record(refunded_on(story.final, "2026-11-01T16:00:00+00:00", "2"), "late"))

    assert held_codes(hub) == {"closed_period"}


def refunded_on(final: dict[str, Any], when: str, number: str = "1") -> dict[str, Any]:
    """The order with one cent given back then, by an amount-only refund."""
    transaction = final["transactions"][0] | {
        "id": 990000 + int(number),
        "kind": "refund",
        "amount": "0.01",
        "processed_at": when,
        "created_at": when,
        "parent_id": final["transactions"][0]["id"],
    }
    refund = {
        "id": 880000 + int(number),
        "order_id": final["id"],
        "created_at": when,
        "processed_at": when,
        "refund_line_items": [],
        "order_adjustments": [
            {"id": 770000 + int(number), "kind": "refund_discrepancy", "amount": "-0.01", "tax_amount": "0.00"}
        ],
        "transactions": [transaction],
    }
    return final | {"refunds": [*final["refunds"], refund], "updated_at": when}


def held_codes(hub: Hub) -> set[str]:
    with hub.store.connect() as connection:
        return set(connection.execute(select(exception.c.code).where(exception.c.resolved_at.is_(None))).scalars())


def test_a_payment_passes_the_credit_it_frees_to_the_customers_next_order(open_one: OpenHub) -> None:
    hub = open_one()
    story = next(s for s in stories(300) if s.final.get("company") and not s.final["cancelled_at"])
    final = unpaid(story.final, "1")
    other = unpaid(story.final, "2")
    limit_credit(hub, final)
    take_in(hub, record(final, "one"))
    take_in(hub, record(other, "two"))
    assert held_codes(hub) == {"credit_limit"}

    take_in(hub, record(paid(final), "one paid"))

    assert held_codes(hub) == set()


def test_credit_that_an_order_took_is_not_taken_twice_where_the_limit_was_off_meanwhile(open_one: OpenHub) -> None:
    hub = open_one()
    story = next(s for s in stories(300) if s.final.get("company") and not s.final["cancelled_at"])
    final = unpaid(story.final, "1")
    limit_credit(hub, final)
    take_in(hub, record(final, "one"))
    limit_credit(hub, final, on=False)
    take_in(hub, record(final | {"note": "ring twice", "updated_at": "2026-11-01T10:00:00Z"}, "off"))

    limit_credit(hub, final)
    take_in(hub, record(final | {"note": "ring once", "updated_at": "2026-11-01T11:00:00Z"}, "on again"))

    assert held_codes(hub) == set()


def limit_credit(hub: Hub, final: dict[str, Any], *, on: bool = True) -> None:
    """Every customer may owe as much as this one order."""
    total = round(float(final["total_price"]) * 100)
    credit = hub.settings.holds.credit.model_copy(update={"on": on, "default_limit_minor": total})
    holds = hub.settings.holds.model_copy(update={"credit": credit})
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"holds": holds}))


def unpaid(final: dict[str, Any], number: str) -> dict[str, Any]:
    """The order as it was placed, under another number, with nothing paid, shipped or given back."""
    bare: dict[str, Any] = {"transactions": [], "fulfillments": [], "refunds": [], "fulfillment_status": None}
    lines = [line | {"current_quantity": line["quantity"]} for line in final["line_items"]]
    return final | bare | {"id": 6_000_000_000_000 + int(number), "financial_status": "pending", "line_items": lines}


def paid(final: dict[str, Any]) -> dict[str, Any]:
    when = "2026-11-01T10:00:00+00:00"
    sale = {
        "id": 550001,
        "order_id": final["id"],
        "kind": "sale",
        "status": "success",
        "gateway": "manual",
        "amount": final["total_price"],
        "currency": final["currency"],
        "created_at": when,
        "processed_at": when,
        "test": False,
        "parent_id": None,
    }
    return final | {"transactions": [sale], "financial_status": "paid", "updated_at": when}


def test_what_did_not_translate_is_no_exception_where_the_order_is_told_later_in_the_batch(hub: Hub) -> None:
    story = plain_story()
    broken = story.final | {"line_items": [story.final["line_items"][0] | {"price": "N/A"}]}

    take_in(hub, record(broken, "one"), record(story.final, "two"))

    assert held_codes(hub) == set()


def test_what_does_not_translate_after_the_order_was_told_stays_an_exception(hub: Hub) -> None:
    story = plain_story()
    broken = story.final | {"line_items": [story.final["line_items"][0] | {"price": "N/A"}]}

    take_in(hub, record(story.final, "one"), record(broken, "two"))

    assert held_codes(hub) == {"untranslatable"}
