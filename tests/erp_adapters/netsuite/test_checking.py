"""`check_setup` before a simulated account: each thing that is missing is named, with the place where it is set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import respx
from pydantic import SecretStr

from erp_adapters.netsuite.account import seed
from erp_adapters.netsuite.account.auth import Role, integration_role
from erp_adapters.netsuite.account.world import Switches
from erp_adapters.netsuite.adapter import NetSuiteAdapter
from erp_adapters.netsuite.needs import FIELDS, LINE, PERMISSIONS, Level
from erp_adapters.netsuite.simulator import Transport, opened
from hub.ports import InUse, Looked
from hub.testing.builders import captured, fact, given_back, line, paid_out, refunded, shipped, snapshot
from mappings.netsuite.words import CUSTOM_FIELDS, RECORDS
from tests.erp_adapters.netsuite.desk import Clock, Desk

OPTIONS = seed.OPTIONS
USED = InUse(
    items=frozenset({"TENT-2P-GRN", "GIFT-50"}),
    locations=frozenset({"main"}),
    methods=frozenset({"shopify_payments"}),
    currencies=frozenset({"USD", "EUR"}),
    channels=("shopify",),
    sold_to={"goods": "4000", "gift_card": "2300", "shipping": "4100", "tip": "2500"},
)


@contextmanager
def desk(switches: Switches | None = None) -> Iterator[Desk]:
    """As the other desk, without a socket: a walk is sixty requests."""
    clock = Clock()
    app = opened(clock.now, switches=switches)
    seed.charge_item(app.world, "GOODS-CREDITED", "4000")
    with respx.mock(assert_all_called=False) as wire:
        wire.route().mock(side_effect=Transport(app).handle_request)
        made = Desk(app, clock, app.base_url, OPTIONS)
        try:
            yield made
        finally:
            made.adapter.close_connections()


def walked(one: Desk, used: InUse = USED) -> list[Looked]:
    return list(one.adapter.check_setup(used))


def faults(one: Desk, used: InUse = USED) -> dict[str, str]:
    return told(walked(one, used))


def notes(one: Desk, what: str, used: InUse = USED) -> str | None:
    return next(looked.note for looked in walked(one, used) if looked.what == what)


@pytest.fixture
def account() -> Iterator[Desk]:
    """An account that nothing is missing in."""
    with desk() as one:
        yield one


def asked(one: Desk, used: InUse = USED, **changed: Any) -> list[Looked]:
    """What an adapter of another configuration finds in the account."""
    adapter = NetSuiteAdapter(replace(one.adapter._config, **changed), nonce=lambda: uuid4().hex)
    try:
        return list(adapter.check_setup(used))
    finally:
        adapter.close_connections()


def told(found: list[Looked]) -> dict[str, str]:
    return {problem.path: problem.message for looked in found for problem in looked.problems}


def faults_with(one: Desk, used: InUse = USED, **options: Any) -> dict[str, str]:
    return told(asked(one, used, options={**OPTIONS, **options}))


# --- nothing is missing -----------------------------------------------------------------------------------------------


def test_an_account_that_is_set_up_has_no_fault_and_nothing_is_written(account: Desk) -> None:
    before = account.world.version

    found = walked(account)

    assert [problem for looked in found for problem in looked.problems] == []
    assert account.world.version == before
    assert {looked.what for looked in found if looked.note} == {
        "feature Advanced Shipping",
        "preference Invoice in Advance of Fulfillment",
        "preferences Make Departments Mandatory, Make Classes Mandatory",
        "permission Return Auth. Approval",
    }


# --- departments and classes ------------------------------------------------------------------------------------------


def test_departments_and_classes_that_are_not_there_are_named_with_the_place_to_make_them(account: Desk) -> None:
    found = faults_with(
        account,
        departments={"*": "Sails"},
        classes={"shopify": "Web", "*": "Wbe"},
        item_classes={"TENT-2P-GRN": "Tents", "TENT-2P-GNR": "Web", "shipping": "Web"},
    )

    assert set(found) == {
        "departments.Sails",
        "classes.Tents",
        "classes.Wbe",
        "options.item_classes.TENT-2P-GNR",
    }
    assert "Setup > Company > Departments" in found["departments.Sails"]
    assert "Setup > Company > Classes" in found["classes.Tents"]
    assert "for TENT-2P-GRN" in found["classes.Tents"]


def test_a_channel_without_a_class_where_others_have_one_is_named(account: Desk) -> None:
    found = faults_with(account, classes={"pos": "Web"}, departments={"shopify": "Sales"})

    assert set(found) == {"options.classes.shopify"}
    assert "*" in found["options.classes.shopify"]


# --- who we are -------------------------------------------------------------------------------------------------------


def test_where_nobody_is_let_in_that_is_the_one_fault(account: Desk) -> None:
    given = account.adapter._config.secrets
    secrets = lambda name: SecretStr("another") if name == "client_id" else given(name)  # noqa: E731

    found = asked(account, secrets=secrets)

    assert [looked.what for looked in found] == ["way in"]
    assert "OAuth 2.0 Client Credentials Setup" in found[0].problems[0].message


def test_a_refused_token_names_both_that_it_is_wrong_and_that_the_account_is_overloaded(account: Desk) -> None:
    options = {**OPTIONS, "auth": "token"}

    (way_in,) = asked(account, options=options, secrets=lambda name: SecretStr("planted"))

    assert "Login Audit Trail" in way_in.problems[0].message
    assert "when the account is overloaded" in way_in.problems[0].message
    assert "the four secrets" in way_in.problems[0].message
    assert "planted" not in way_in.problems[0].message


def test_a_role_without_rest_web_services_is_told_where_it_is_set() -> None:
    with desk() as one:
        one.app.auth.role.rest = False

        found = faults(one)

    assert "REST Web Services (Full): set it at Setup > Users/Roles > Manage Roles" in found["permissions.rest"]


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("need", [one for one in PERMISSIONS if not one.only_for], ids=lambda need: need.record)
def test_each_permission_that_the_role_lacks_is_named_with_its_place(account: Desk, need: Any) -> None:
    below = {Level.FULL: "edit", Level.EDIT: "create", Level.VIEW: "none"}[need.level]
    lacking = integration_role()
    lacking.permissions[need.record] = below
    account.app.auth.role = lacking

    found = faults(account)

    assert list(found) == [f"permissions.{need.record}"]
    assert f"{need.name} ({need.level}): set it at Setup > Users/Roles" in found[f"permissions.{need.record}"]
    assert f"> {need.tab}; NetSuite says" in found[f"permissions.{need.record}"]


def test_a_permission_for_what_not_every_company_does_is_no_fault(account: Desk) -> None:
    lacking = integration_role()
    lacking.permissions["inventoryAdjustment"] = "none"
    account.app.auth.role = lacking

    found, note = faults(account), notes(account, "permission Adjust Inventory (inventoryAdjustment)")

    assert found == {}
    assert note is not None
    assert note.startswith("only needed for stock that the hub tells")


def test_a_role_without_suiteql_is_told_so_and_the_rest_is_not_guessed() -> None:
    with desk() as one:
        one.app.auth.role.suiteql = False

        found = walked(one)

    assert [problem.path for looked in found for problem in looked.problems] == ["permissions.suiteql"]
    assert "items" not in {looked.what for looked in found}


def test_the_permissions_named_are_all_that_a_sale_and_its_return_need() -> None:
    """The role has exactly these, at exactly these levels."""
    level = {Level.FULL: "full", Level.EDIT: "edit", Level.VIEW: "view"}
    with desk() as one:
        one.app.auth.role = Role("exactly", {need.record: level[need.level] for need in PERMISSIONS})

        sale = (fact(snapshot(line("1", 2, 1250))), captured("t1", 1, 2500))
        one.tell(*sale)
        one.tell(*sale, shipped("f1", 60, l1=2))
        one.tell(
            *sale,
            shipped("f1", 60, l1=2),
            refunded("r1", 120, given_back("1", 1, 1250)),
            paid_out("o1", 121, 1250, "r1"),
        )
        one.tell(*sale)  # undone: what was made is deleted

        assert {rec.type for rec in one.world.every("invoice", "itemFulfillment", "creditMemo")} == set()
        assert faults(one) == {}


def test_every_record_that_documents_are_kept_in_has_its_permission() -> None:
    assert {*RECORDS.values(), "returnAuthorization"} <= {need.record for need in PERMISSIONS}


# --- features and fields ----------------------------------------------------------------------------------------------


def test_an_account_without_suitetax_is_told_so() -> None:
    with desk(Switches(suite_tax=False)) as one:
        found = faults(one)

    assert list(found) == ["features.suitetax"]
    assert "enable SuiteTax at Setup > Company > Enable Features > Tax" in found["features.suitetax"]


@pytest.mark.parametrize("field", [one.name for one in FIELDS])
def test_each_custom_field_that_is_missing_is_named(account: Desk, field: str) -> None:
    del account.world.custom_fields[field]

    found = faults(account)

    assert list(found) == [f"fields.{field}"]
    assert f"no field {field}: make it at Customization > Lists, Records, & Fields >" in found[f"fields.{field}"]


def test_every_custom_field_of_the_mappings_is_in_the_table() -> None:
    assert {one.name for one in FIELDS} == {LINE, *CUSTOM_FIELDS}


def test_a_field_that_the_configuration_fills_is_looked_for_too(account: Desk) -> None:
    found = faults_with(account, fields={"invoice": {"custbody_shop": "order.channel"}})

    assert list(found) == ["fields.custbody_shop"]
    assert "invoice has no field custbody_shop" in found["fields.custbody_shop"]


def test_a_line_field_of_another_name_is_the_one_that_is_looked_for(account: Desk) -> None:
    found = faults_with(account, line_field="custcol_acme_line")

    assert list(found) == ["fields.custcol_acme_line"]


# --- what the configuration names -------------------------------------------------------------------------------------


def test_every_item_that_is_missing_or_inactive_is_listed(account: Desk) -> None:
    mug = account.world.named("inventoryItem", "itemId", "MUG-ENAMEL-BLU")
    assert mug is not None
    mug.fields["isInactive"] = True
    account.world.touch(mug)

    found = faults(account, replace(USED, items=frozenset({"TENT-2P-GRN", "NO-SUCH", "MUG-ENAMEL-BLU"})))

    assert list(found) == ["items.MUG-ENAMEL-BLU", "items.NO-SUCH"]
    assert "'NO-SUCH' is not there: make it at Lists > Accounting > Items" in found["items.NO-SUCH"]
    assert "is inactive" in found["items.MUG-ENAMEL-BLU"]


def test_of_very_many_missing_items_fifty_are_listed_and_the_rest_counted(account: Desk) -> None:
    found = faults(account, replace(USED, items=frozenset(f"NO-{n:03}" for n in range(60))))

    assert len(found) == 51
    assert found["items"] == "and 10 more"


def test_an_item_of_a_charge_that_is_missing_or_sold_elsewhere_than_the_books_say_is_named(account: Desk) -> None:
    found = faults_with(account, items={**OPTIONS["items"], "tip": "TIPS", "shipping": "DUTY"})

    assert set(found) == {"options.items.tip", "options.items.shipping"}
    assert "'TIPS' is not there" in found["options.items.tip"]
    assert "item DUTY is sold to account 2550, the books post it to 4100" in found["options.items.shipping"]


def test_a_charge_without_an_item_is_a_note(account: Desk) -> None:
    items = {name: code for name, code in OPTIONS["items"].items() if name != "tip"}
    found = {looked.what: looked for looked in asked(account, options={**OPTIONS, "items": items})}

    assert found["set-up in options"].problems == ()
    assert found["set-up in options"].note == "options.items names none for tip: what has one is refused"


def test_goods_sold_to_another_account_than_the_books_say_are_a_note(account: Desk) -> None:
    note = notes(account, "items", replace(USED, sold_to={"goods": "4300"}))

    assert note is not None
    assert note.startswith("sold to accounts 2300, 4000, the books say 4300: GIFT-50, TENT-2P-GRN")


def test_an_account_of_the_chart_that_is_missing_is_named_by_both_numbers(account: Desk) -> None:
    found = faults_with(account, accounts={"2400": "1100", "4000": "40000", "9999": "1000"})

    assert set(found) == {"accounts.40000", "options.accounts.9999"}
    assert "'40000' (for 4000) is not there: make it at Lists > Accounting > Accounts" in found["accounts.40000"]


def test_an_account_that_a_crosswalk_or_a_payment_method_chooses_is_looked_for(account: Desk) -> None:
    found = faults_with(
        account,
        replace(USED, accounts=frozenset({"4050"})),
        accounts={"2400": "1100", "1200:shopify_payments": "1205"},
    )

    assert set(found) == {"accounts.4050", "accounts.1205"}


def test_refunds_payable_that_is_no_receivable_of_netsuite_is_named(account: Desk) -> None:
    found = faults_with(account, accounts={})

    assert set(found) == {"options.accounts.2400"}
    assert "is account 2400 in NetSuite, of type OthCurrLiab" in found["options.accounts.2400"]


def test_a_location_a_currency_and_a_tax_code_that_are_missing_are_named(account: Desk) -> None:
    used = replace(USED, locations=frozenset({"main", "north"}), currencies=frozenset({"USD", "SEK"}))
    found = faults_with(account, used, tax_codes={"*": {"code": "NO-CODE", "type": "No Type"}})

    assert set(found) == {"locations.north", "currencies.SEK", "tax_codes.NO-CODE", "tax_types.No Type"}
    assert "Setup > Company > Locations" in found["locations.north"]
    assert "Lists > Accounting > Currencies" in found["currencies.SEK"]
    assert "Setup > Tax" in found["tax_codes.NO-CODE"]


def test_no_tax_codes_at_all_are_a_fault_and_an_unlisted_crosswalk_word_too(account: Desk) -> None:
    assert list(faults_with(account, tax_codes={})) == ["options.tax_codes"]
    state = {"State Tax": {"code": "State Tax", "type": "US Sales Tax"}}
    assert list(faults_with(account, replace(USED, tax_codes=frozenset({"CA"})), tax_codes=state)) == [
        "options.tax_codes.CA"
    ]


def test_a_currency_of_other_decimals_would_round(account: Desk) -> None:
    euro = account.world.named("currency", "symbol", "EUR")
    assert euro is not None
    euro.fields["currencyPrecision"] = 0
    account.world.touch(euro)

    found = faults(account)

    assert "keeps EUR with 0 decimal places, the channel has 2" in found["currencies.EUR"]


def test_subsidiaries_have_to_be_named_where_there_are_several_and_be_there() -> None:
    with desk() as one:
        first = next(one.world.every("subsidiary"))
        euro = one.world.named("currency", "symbol", "EUR")
        assert euro is not None
        second = one.world.new("subsidiary", {"name": "Europe", "currency": {"id": str(euro.id)}, "isInactive": False})
        one.world.keep(second)

        unnamed = faults(one)
        gone = faults_with(one, subsidiaries={"main": "999999"})
        other = faults_with(one, subsidiaries={"main": str(second.id)})
        well = faults_with(one, subsidiaries={"main": str(first.id)})

    assert "the account has 2 subsidiaries" in unnamed["options.subsidiaries"]
    assert "no active subsidiary with the internal id 999999" in gone["options.subsidiaries.main"]
    assert "keeps its books in EUR, the entity in USD" in other["options.subsidiaries.main"]
    assert well == {}


def test_ids_in_options_that_are_of_nothing_are_named(account: Desk) -> None:
    found = faults_with(
        account,
        replace(USED, ship_methods=frozenset({"express"})),
        guests="one",
        customers={"other": "5"},
        ship_methods={"ground": "999998"},
    )

    assert set(found) == {
        "options.customers.shopify",
        "options.ship_methods.express",
        "options.ship_methods.ground",
    }


def test_what_netsuite_cannot_do_is_named_among_the_policies(account: Desk) -> None:
    used = replace(USED, on_delivery=("shopify",))

    found = told(asked(account, used, policies={"returned_goods": "sales_returns"}))

    assert set(found) == {"policies.recognise", "policies.returned_goods"}
    assert "set recognise: shipment" in found["policies.recognise"]


# --- time -------------------------------------------------------------------------------------------------------------


def test_a_closed_or_missing_period_of_today_is_a_fault_and_an_earlier_one_a_note() -> None:
    with desk() as one:
        periods = {rec.fields["periodName"]: rec for rec in one.world.every("accountingPeriod")}
        periods["Feb 2026"].fields["closed"] = True
        one.world.touch(periods["Feb 2026"])
        note, well = notes(one, "accounting periods"), faults(one)
        periods["Mar 2026"].fields["arLocked"] = True
        one.world.touch(periods["Mar 2026"])
        locked = faults(one)
        one.world.drop(periods["Mar 2026"])
        gone = faults(one)

    assert well == {}
    assert note == "the period of 2026-02 is closed: what is late moves on by late_facts"
    assert "the period of 2026-03-10 is locked" in locked["periods.today"]
    assert "the period of 2026-03-10 is not set up" in gone["periods.today"]
    assert "Setup > Accounting > Manage Accounting Periods" in gone["periods.today"]


def test_the_day_of_the_period_is_that_of_the_entity(account: Desk) -> None:
    """At half past midnight in UTC on the first of the month it is still the month before in New York."""
    entity = replace(account.adapter._config.entities[0], timezone="America/New_York")
    at = account.clock.at.replace(month=4, day=1, hour=0, minute=30)
    march = next(rec for rec in account.world.every("accountingPeriod") if rec.fields["periodName"] == "Mar 2026")
    march.fields["closed"] = True
    account.world.touch(march)
    account.clock.at = at

    found = told(asked(account, entities=(entity,)))

    assert found["periods.today"].startswith("the period of 2026-03-31 is closed")


def test_a_clock_that_is_off_and_the_time_zone_of_the_user_are_told() -> None:
    with desk(Switches(time_zone="America/Los_Angeles")) as one:
        zone = notes(one, "clock and time zone")
        found = told(asked(one, clock=lambda: one.clock.at - timedelta(seconds=200)))

    assert zone is not None
    assert zone.startswith("the integration's user lives at UTC-7 h")
    assert found == {
        "clock": "this machine's clock and NetSuite's differ by 200 s: set it by a time server; from five minutes on, "
        "logins are refused"
    }


def test_an_external_id_that_two_transactions_have_is_named() -> None:
    with desk(Switches(unique_external_ids=False)) as one:
        for _ in range(2):
            rec = one.world.new("journalEntry", {"tranDate": date(2026, 3, 1).isoformat()}, external_id="so-shop-1")
            one.world.keep(rec)

        found = faults(one)

    assert found["external_ids"].startswith("2 transactions have the external id so-shop-1")
