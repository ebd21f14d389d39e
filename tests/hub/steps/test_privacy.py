"""Personal data lives apart: it is in one column of each store, goes when it is purged, and nothing else breaks."""

import copy
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, event, select, update

from hub.errors import Misconfigured
from hub.model.documents import DocumentKind
from hub.model.intents import Write
from hub.model.order import OrderKey
from hub.settings.parts import Retention
from hub.steps.advance import advance_all, reconsider
from hub.steps.capture import capture
from hub.steps.hub import Hub
from hub.steps.privacy import customer_data, purge, redact_channel, redact_customer, scrub_stores
from hub.steps.replaying import body_of, edit
from hub.steps.send import send_all
from hub.store import audit
from hub.store import schema as tables
from hub.store.views import records
from tests.conftest import Clock
from tests.hub.steps.conftest import Killed, plain_story, record, stories, take_in

MARK = "Zqxv"
"""In every planted datum, and nowhere else."""

CUSTOMER = 730_041_559
ADDRESS = {
    "first_name": f"{MARK}first",
    "last_name": f"{MARK}last",
    "name": f"{MARK}first {MARK}last",
    "company": None,
    "address1": f"{MARK}street 1",
    "address2": f"{MARK}floor",
    "city": f"{MARK}city",
    "zip": f"{MARK}zip",
    "province": f"{MARK}province",
    "country_code": "US",
    "phone": f"+1{MARK}phone",
}


def planted(document: dict[str, Any], customer: int | None = CUSTOMER) -> dict[str, Any]:
    """The order with recognisable personal data wherever Shopify sends any."""
    order = copy.deepcopy(document)
    person = {"email": f"{MARK}@example.com", "phone": f"+1{MARK}", "note": f"{MARK} rang twice", "tags": MARK}
    order |= {"email": f"{MARK}@example.com", "contact_email": f"{MARK}@example.com", "phone": f"+1{MARK}"}
    order |= {"note": f"{MARK}: leave it at the door", "note_attributes": [{"name": "gift", "value": f"for {MARK}"}]}
    order |= {"browser_ip": f"{MARK}-ip", "client_details": {"browser_ip": MARK}, "tags": MARK}
    order |= {
        "landing_site": f"/?email={MARK}",
        "billing_address": ADDRESS,
        "shipping_address": {**ADDRESS, "zip": MARK},
    }
    order["customer"] = None
    if customer is not None:
        order["customer"] = {"id": customer, "first_name": f"{MARK}first", "last_name": MARK, **person}
    for line in order["line_items"]:
        line["properties"] = [{"name": "Engraving", "value": f"love, {MARK}"}]
    for transaction in order.get("transactions") or ():
        transaction["payment_details"] = {"credit_card_name": f"{MARK} {MARK}"}
        transaction["receipt"] = {"email": MARK}
    return order


def columns_with(engine: Engine, mark: str = MARK) -> set[str]:
    """The columns, as table.column, in which the text stands."""
    found = set()
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    said = (
                        bytes(value).decode("utf-8", "replace")
                        if isinstance(value, (bytes, memoryview))
                        else str(value)
                    )
                    if mark in said:
                        found.add(f"{table.name}.{name}")
    return found


def everywhere(hub: Hub) -> set[str]:
    return columns_with(hub.store) | columns_with(hub.inbox) | columns_with(hub.erp.engine)


def files_with(hub: Hub, mark: str = MARK) -> list[str]:
    """The files of the stores whose bytes hold the text."""
    return sorted(
        one.name for one in hub.settings.home.rglob("*") if one.is_file() and mark.encode() in one.read_bytes()
    )


@pytest.fixture
def sold(hub: Hub) -> str:
    """An order with planted data, posted; its id."""
    story = plain_story()
    take_in(hub, record(planted(story.final), "one"))
    send_all(hub)
    return story.order_id


@pytest.fixture
def handed(hub: Hub) -> Iterator[list[Write]]:
    """Everything that the ERP is told from here on."""
    writes: list[Write] = []
    put = hub.erp.put

    def listening(told: list[Write]) -> Any:
        writes.extend(told)
        return put(told)

    hub.erp.put = listening
    yield writes
    del hub.erp.put


def test_what_a_person_made_of_a_record_goes_with_it(hub: Hub) -> None:
    order = planted(plain_story().final)
    take_in(hub, record(order, "one"))
    edited = json.dumps(order | {"name": "#RIGHT"}).encode()
    edit(hub, 1, edited, "ann", "a typing error")

    redact_channel(hub, "shopify", "ann")

    assert everywhere(hub) == set()
    with pytest.raises(Misconfigured, match="purged"):
        body_of(hub, 1)


def test_personal_data_stands_in_one_column_of_each_store(hub: Hub, sold: str) -> None:
    assert columns_with(hub.store) == {"party.body"}
    assert columns_with(hub.inbox) == {"body.body"}
    assert columns_with(hub.erp.engine) == {"customer.name"}


def test_the_erp_is_handed_whom_a_document_names(hub: Hub, handed: list[Write]) -> None:
    take_in(hub, record(planted(plain_story().final), "one"))

    send_all(hub)

    by_kind = {write.document.kind: write for write in handed}
    customer, order = by_kind[DocumentKind.CUSTOMER], by_kind[DocumentKind.SALES_ORDER]
    assert [(one.name, one.email) for one in customer.parties] == [("Zqxvfirst Zqxv", "Zqxv@example.com")]
    ship_to, bill_to = order.party(order.document.party), order.party(order.document.bill_to)
    assert ship_to is not None
    assert (ship_to.postcode, ship_to.address) == ("Zqxv", ("Zqxvstreet 1", "Zqxvfloor"))
    assert bill_to is not None
    assert bill_to.postcode == "Zqxvzip"
    assert by_kind[DocumentKind.INVOICE].parties == ()


def test_parties_of_a_batch_take_two_queries(hub: Hub) -> None:
    take_in(hub, *(record(planted(story.final, 7 + i), str(i)) for i, story in enumerate(stories(12))))
    asked: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM party" in statement:
            asked.append(statement)

    event.listen(hub.store, "before_cursor_execute", listen)
    send_all(hub)
    event.remove(hub.store, "before_cursor_execute", listen)

    assert 1 <= len(asked) <= 2


def test_the_account_of_all_guests_is_named_after_none(hub: Hub) -> None:
    take_in(hub, record(planted(plain_story().final, customer=None), "one"))

    send_all(hub)

    assert columns_with(hub.erp.engine) == set()


def test_after_a_redaction_the_data_is_nowhere(hub: Hub, sold: str) -> None:
    purged = redact_customer(hub, "shopify", str(CUSTOMER), [sold], "anna")

    assert everywhere(hub) == set()
    assert (purged.parties, purged.records, purged.erp_customers) == (3, 1, 1)


@pytest.mark.parametrize("open_one", ["sqlite"], indirect=True)  # a PostgreSQL server's files are its operator's
def test_after_a_purge_the_files_hold_none_of_it(hub: Hub, sold: str) -> None:
    assert files_with(hub)

    redact_customer(hub, "shopify", str(CUSTOMER), [], "anna")
    clean = scrub_stores(hub)

    assert clean
    assert files_with(hub) == []


def test_what_stands_on_facts_is_untouched_by_a_redaction(hub: Hub, sold: str) -> None:
    def standing() -> list[Any]:
        with hub.store.connect() as connection:
            of = (tables.event, tables.fact, tables.orders, tables.intent)
            found: list[Any] = [sorted(map(str, connection.execute(select(table)).all())) for table in of]
        with hub.inbox.connect() as connection:
            found.append(connection.execute(select(tables.record)).all())
        return found

    before = standing()

    redact_customer(hub, "shopify", str(CUSTOMER), [sold], "anna")
    advance_all(hub)

    assert standing() == before
    reconsider(hub, [OrderKey("shopify", sold)])
    assert send_all(hub).total == 0


def test_a_document_is_sent_after_a_redaction_without_the_data_and_else_the_same(hub: Hub, handed: list[Write]) -> None:
    story = plain_story()
    take_in(hub, record(planted(story.final), "one"))
    with hub.store.connect() as connection:
        revisions = dict(connection.execute(select(tables.intent.c.document_key, tables.intent.c.revision)).all())

    redact_customer(hub, "shopify", str(CUSTOMER), [], "anna")
    sent = send_all(hub)

    assert sent.rejected == sent.in_doubt == sent.differing == 0
    assert {write.document.key: write.revision for write in handed} == revisions
    assert {(one.name, one.address) for write in handed for one in write.parties} == {(None, ())}
    assert all(write.parties[0].ref == write.document.party for write in handed if write.document.party)
    assert columns_with(hub.erp.engine) == set()


def test_reading_an_old_record_again_does_not_bring_it_back(hub: Hub, sold: str) -> None:
    """The body is put back by hand: still the redaction stands, whatever the mapping says now."""
    body = json.dumps(planted(plain_story().final)).encode()
    redact_customer(hub, "shopify", str(CUSTOMER), [], "anna")
    with hub.store.begin() as connection:
        connection.execute(tables.party.delete())  # as if the mapping made other versions of it
    with hub.inbox.begin() as connection:
        connection.execute(update(tables.body).values(body=body, purged_at=None))
        connection.execute(update(tables.record).values(outcome=None))

    advance_all(hub)

    assert columns_with(hub.store) == set()
    purge(hub, ["shopify"], "anna")
    assert everywhere(hub) == set()


def test_a_customer_who_comes_back_is_known_again(hub: Hub, sold: str, utc: Clock) -> None:
    redact_customer(hub, "shopify", str(CUSTOMER), [sold], "anna")
    utc.pass_time(days=1)

    take_in(hub, replace(record(planted(plain_story().final), "two"), received_at=utc()))
    purge(hub, ["shopify"], "anna")

    assert columns_with(hub.store) == {"party.body"}
    assert columns_with(hub.inbox) == {"body.body"}


def test_retention_spares_what_is_young_and_what_waits(hub: Hub, sold: str, utc: Clock) -> None:
    held = planted(next(s.final for s in stories(60) if s.order_id != sold), CUSTOMER + 1)
    held["line_items"][0]["sku"] = "NOBODY-MAPS-THIS"
    take_in(hub, record(held, "held"))
    utc.pass_time(days=30)

    young = purge(hub, ["shopify"], "anna", older_than_days=31)
    old = purge(hub, ["shopify"], "anna", older_than_days=30)

    assert [(one.parties, one.records) for one in young] == [(0, 0)]
    assert [(one.records, one.spared) for one in old] == [(1, 3)]
    with hub.store.connect() as connection:
        left = set(
            connection.execute(select(tables.party.c.order_id).where(tables.party.c.body.is_not(None))).scalars()
        )
    assert str(held["id"]) in left
    assert sold not in left


def test_the_configured_retention_holds_by_kind(hub: Hub, sold: str, utc: Clock) -> None:
    hub.settings.channels[0].__dict__["retention"] = Retention(bodies_days=10)
    utc.pass_time(days=11)

    (done,) = purge(hub, ["shopify"], "anna")

    assert (done.parties, done.records) == (0, 1)
    assert everywhere(hub) == {"party.body", "customer.name"}


def test_a_dry_run_changes_nothing_and_says_the_same(hub: Hub, sold: str, utc: Clock) -> None:
    utc.pass_time(days=30)

    (would,) = purge(hub, ["shopify"], "anna", older_than_days=1, dry_run=True)
    before = everywhere(hub)
    (did,) = purge(hub, ["shopify"], "anna", older_than_days=1)

    assert before == {"party.body", "body.body", "customer.name"}
    assert (would.parties, would.records, would.size_bytes) == (did.parties, did.records, did.size_bytes)


def test_a_record_not_yet_advanced_is_left_alone_and_goes_with_the_next_purge(hub: Hub, utc: Clock) -> None:
    capture(hub, [record(planted(plain_story().final), "one")])
    asked = redact_customer(hub, "shopify", str(CUSTOMER), [str(plain_story().final["id"])], "anna")

    assert (asked.not_advanced, asked.records) == (1, 0)
    advance_all(hub)
    assert everywhere(hub) == {"body.body"}
    purge(hub, ["shopify"], "anna")
    assert everywhere(hub) == set()


def test_a_redaction_cut_short_is_carried_out_by_the_next_purge(hub: Hub, sold: str) -> None:
    def kill(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE body"):
            raise Killed

    event.listen(hub.inbox, "before_cursor_execute", kill)
    with pytest.raises(Killed):
        redact_customer(hub, "shopify", str(CUSTOMER), [], "anna")
    event.remove(hub.inbox, "before_cursor_execute", kill)
    assert everywhere(hub) == {"body.body", "customer.name"}

    purge(hub, ["shopify"], "anna")

    assert everywhere(hub) == set()


def test_a_customer_redacted_after_the_channel_came_back_takes_no_other_with_it(
    hub: Hub, sold: str, utc: Clock
) -> None:
    redact_channel(hub, "shopify", "anna")
    utc.pass_time(days=1)
    other = planted(next(s.final for s in stories(60) if s.order_id != sold), CUSTOMER + 1)
    take_in(hub, replace(record(other, "other"), received_at=utc()))
    utc.pass_time(days=1)
    redact_customer(hub, "shopify", str(CUSTOMER), [], "anna")

    purge(hub, ["shopify"], "anna")

    assert columns_with(hub.store) == {"party.body"}
    assert columns_with(hub.inbox) == {"body.body"}


def test_what_a_message_echoed_goes_too(hub: Hub) -> None:
    broken = planted(plain_story().final)
    broken["line_items"][0]["price"] = f"{MARK} dollars"
    take_in(hub, record(broken, "broken"))
    assert columns_with(hub.store) == {"exception.message", "exception.fingerprint"}
    assert columns_with(hub.inbox) == {"body.body", "record.result"}

    redact_customer(hub, "shopify", str(CUSTOMER), [], "anna")

    assert everywhere(hub) == set()


def test_a_fault_in_a_personal_field_names_the_path_and_not_the_value(hub: Hub) -> None:
    broken = planted(plain_story().final)
    broken["customer"]["email"] = [MARK]
    broken["shipping_address"]["city"] = {"name": MARK}
    broken["billing_address"] = MARK
    take_in(hub, record(broken, "broken"))

    assert columns_with(hub.store) == set()
    assert columns_with(hub.inbox) == {"body.body"}


def test_a_record_of_no_order_goes_with_the_customer_whom_it_names(hub: Hub, sold: str) -> None:
    customer = {"id": CUSTOMER, "email": f"{MARK}@example.com", "first_name": MARK}
    other = {"id": CUSTOMER * 10, "email": "other@example.com", "first_name": "Other"}
    take_in(
        hub,
        record({"customer": customer}, "c1", "customers/update"),
        record({"customer": other}, "c2", "customers/update"),
    )

    redact_customer(hub, "shopify", str(CUSTOMER), [sold], "anna")

    assert everywhere(hub) == set()
    assert columns_with(hub.inbox, "other@example.com") == {"body.body"}


def test_a_channel_redacted_leaves_nothing(hub: Hub, sold: str) -> None:
    take_in(hub, record(planted(next(s.final for s in stories(60) if s.order_id != sold), None), "guest"))
    send_all(hub)

    redact_channel(hub, "shopify", "anna")

    assert everywhere(hub) == set()


def test_a_purged_record_says_so_and_is_not_taken_in_twice(hub: Hub, sold: str) -> None:
    redact_customer(hub, "shopify", str(CUSTOMER), [], "anna")
    (row,) = records.listed(hub.inbox)

    take_in(hub, record(planted(plain_story().final), "one"))
    found = records.find(hub.inbox, row.id)

    assert found is not None
    assert (found.body, found.purged_at) == (b"", "2026-11-02T12:00:00.000000Z")
    assert len(found.digest) == 64
    assert everywhere(hub) == set()


def test_who_purged_what_by_which_rule_is_kept(hub: Hub, sold: str) -> None:
    redact_customer(hub, "shopify", str(CUSTOMER), [sold], "anna")

    erased, row = audit.listed(hub.store)

    assert (row.actor, row.action, row.subject) == ("anna", "redact", f"shopify/customer-{CUSTOMER}")
    assert row.at == "2026-11-02T12:00:00.000000Z"
    assert (row.detail["rule"], row.detail["parties"], row.detail["records"]) == (f"customer {CUSTOMER}", 3, 1)
    assert (erased.action, erased.detail) == ("erase", {"erp": "ledger", "customers": [f"cust-shopify-{CUSTOMER}"]})


def test_a_person_is_told_all_that_is_held_of_them(hub: Hub, sold: str) -> None:
    other = next(s.final for s in stories(60) if s.order_id != sold)
    take_in(hub, record(other, "other"))

    told = customer_data(hub, "shopify", str(CUSTOMER))

    assert told["orders"] == [sold]
    assert [one["name"] for one in told["parties"] if one["order"] is None] == ["Zqxvfirst Zqxv"]
    assert len(told["parties"]) == 3
    assert [json.loads(one["body"])["id"] for one in told["records"]] == [int(sold)]


def test_no_log_of_the_hub_or_its_libraries_names_anybody(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    received = record(planted(plain_story().final), "one")
    broken = planted(plain_story(8).final)
    broken["total_price"] = None
    for engine in (hub.store, hub.inbox, hub.erp.engine):
        engine.echo = "debug"
    with caplog.at_level(logging.DEBUG):
        take_in(hub, received, record(broken, "broken"))
        send_all(hub)
        logging.getLogger("test").debug("%r", received)

    assert "INSERT INTO" in caplog.text
    assert MARK not in caplog.text
    assert MARK not in repr(received)
