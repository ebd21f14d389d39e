"""orderhub exceptions and crosswalk: grouped by cause, with the money held; one fix heals all of a cause."""

import shutil
from pathlib import Path

import pytest

from hub.settings import SHIPPED
from tests.hub.cli.shop import Orderhub, order

UNMAPPED = "unmapped_item:LAMP-X"


@pytest.fixture
def holding(orderhub: Orderhub) -> Orderhub:
    """Two orders held for one unmapped SKU, 30.00 USD in all, one unpaid, one that goes on."""
    orders = [
        order(1001, sku="LAMP-X", price="10.00"),
        order(1002, sku="LAMP-X", price="20.00"),
        order(1003, paid=False),
        order(1004),
    ]
    orderhub.json("import", "shopify", orderhub.file(orders))
    return orderhub


def test_held_orders_are_grouped_by_cause_with_their_money_and_remedy(holding: Orderhub) -> None:
    groups = {group["fingerprint"]: group for group in holding.json("exceptions", "list")["exceptions"]}

    assert set(groups) == {UNMAPPED, "payment_not_captured:pending"}
    assert groups[UNMAPPED]["orders"] == 2
    assert groups[UNMAPPED]["held_minor"] == {"USD": 3000}
    assert groups[UNMAPPED]["remedy"] == "orderhub crosswalk set item LAMP-X ITEM"


def test_the_orders_of_a_cause_are_shown_each_with_its_reason(holding: Orderhub) -> None:
    shown = holding.json("exceptions", "show", UNMAPPED)["exceptions"]

    assert [(one["order"], one["amount_minor"]) for one in shown] == [("1001", 1000), ("1002", 2000)]
    assert shown[0]["message"] == "SKU LAMP-X (Ridge Tent) has no item in the ERP"


def test_a_crosswalk_row_heals_every_order_of_its_cause_and_posts_them(holding: Orderhub) -> None:
    ran = holding("crosswalk", "set", "item", "LAMP-X", "LAMP-ERP", "--unlisted", "--as", "ann", "--format", "json")

    assert (ran.json["healed"], ran.json["healed_minor"], ran.json["still_held"]) == (2, {"USD": 3000}, 0)
    assert ran.json["sent"]["rejected"] == 0
    assert "healed: 2 with 30.00 USD" in ran.err
    assert holding.json("orders", "show", "1002")["documents"][0]["document"] == "so-shopify-1002"
    assert holding.json("orders", "list", "--held")["orders"][0]["order"] == "1003"


def test_a_row_for_another_channel_does_not_exist(holding: Orderhub) -> None:
    ran = holding("crosswalk", "set", "item", "LAMP-X", "LAMP-ERP", "--unlisted", "--channel", "amazon")

    assert ran.status == 1
    assert "no such channel: 'amazon'; there is shopify" in ran.err


def test_a_released_cause_lets_all_its_orders_go_on_and_keeps_who_did_it(holding: Orderhub) -> None:
    answer = holding.json("exceptions", "resolve", "payment_not_captured:pending", "--as", "ann")

    assert (answer["healed"], answer["healed_minor"]) == (1, {"USD": 24900})
    shown = holding.json("orders", "show", "1003")
    assert [(one["code"], one["released_by"]) for one in shown["releases"]] == [("payment_not_captured", "ann")]
    assert shown["documents"][0]["state"] == "done"


def test_one_order_of_a_cause_can_be_released_alone(holding: Orderhub) -> None:
    answer = holding.json("exceptions", "resolve", UNMAPPED, "--order", "1002", "--as", "ann", "--no-send")

    assert answer["healed_minor"] == {"USD": 2000}
    assert [one["order"] for one in holding.json("exceptions", "show", UNMAPPED)["exceptions"]] == ["1001"]


def test_an_order_that_is_not_of_the_cause_is_said_so(holding: Orderhub) -> None:
    ran = holding("exceptions", "resolve", UNMAPPED, "--order", "1004", "--as", "ann")

    assert ran.status == 1
    assert ran.err == f"orderhub: no order '1004' is held by {UNMAPPED}: see orderhub exceptions show {UNMAPPED}\n"


def test_what_does_not_translate_is_no_hold_to_release(orderhub: Orderhub) -> None:
    broken = order()
    broken["line_items"][0]["price"] = "N/A"
    orderhub("import", "shopify", orderhub.file(broken))
    (group,) = orderhub.json("exceptions", "list")["exceptions"]

    ran = orderhub("exceptions", "resolve", group["fingerprint"], "--as", "ann")

    assert ran.status == 1
    assert "correct the record in the channel and import it again" in ran.err
    assert orderhub.json("status")["orders"]["held"] == 1


def test_a_corrected_record_heals_the_order_that_did_not_translate(orderhub: Orderhub) -> None:
    broken = order()
    broken["line_items"][0]["price"] = "N/A"
    orderhub("import", "shopify", orderhub.file(broken))

    orderhub.json("import", "shopify", orderhub.file(order()))

    assert orderhub.json("exceptions", "list")["exceptions"] == []
    assert orderhub.json("status")["orders"]["held"] == 0


def test_a_retry_without_a_cure_leaves_the_orders_held(holding: Orderhub) -> None:
    answer = holding.json("exceptions", "retry", "--all")

    assert (answer["orders"], answer["healed"], answer["still_held"]) == (3, 0, 3)


def test_a_retry_wants_to_know_of_what(holding: Orderhub) -> None:
    assert holding("exceptions", "retry").status == 2
    assert holding("exceptions", "retry", UNMAPPED, "--all").status == 2


def test_a_cause_is_given_to_a_person(holding: Orderhub) -> None:
    answer = holding.json("exceptions", "assign", UNMAPPED, "ann")

    assert answer["exceptions"] == 2
    assert f"{UNMAPPED} (ann)" in holding("exceptions", "list").out.replace("\n", "")


def test_a_crosswalk_file_is_taken_as_a_whole(holding: Orderhub) -> None:
    file = holding.file(b"source,target,from\nLAMP-X,LAMP-ERP,\nLAMP-Y,LAMP-HEAD-350,2026-03-01\n", "items.csv")

    answer = holding.json("crosswalk", "import", "item", file, "--unlisted", "--as", "ann")

    assert [(row["source"], row["valid_from"]) for row in answer["set"]] == [
        ("LAMP-X", "0001-01-01"),
        ("LAMP-Y", "2026-03-01"),
    ]
    assert answer["healed"] == 2


def test_a_crosswalk_file_with_bad_rows_sets_nothing_and_names_each_with_its_line(holding: Orderhub) -> None:
    rows = b"source,target,from\nLAMP-X,LAMP-ERP,\n,LAMP-HEAD-350,\nLAMP-Z,LAMP-HEAD-350,tomorrow\nLAMP-X,OTHER,\n"

    ran = holding("crosswalk", "import", "item", holding.file(rows, "items.csv"), "--unlisted")

    assert ran.status == 1
    assert [line.rpartition("items.csv:")[2] for line in ran.err.splitlines()] == [
        "3: source: empty",
        "4: from: expected a day like 2026-01-31: 'tomorrow'",
        "5: 'LAMP-X' stands on line 2 already",
        "orderhub: nothing was set",
    ]
    assert holding.json("crosswalk", "history")["history"] == []


def test_history_keeps_every_row_with_who_set_it(holding: Orderhub) -> None:
    holding.json("crosswalk", "set", "item", "LAMP-X", "LAMP-ERP", "--unlisted", "--as", "ann")
    holding.json("crosswalk", "set", "item", "LAMP-X", "MUG-ENAMEL-BLU", "--from", "2026-04-01", "--as", "bob")

    history = holding.json("crosswalk", "history", "item", "LAMP-X")["history"]

    assert [(row["target"], row["valid_from"], row["set_by"]) for row in history] == [
        ("MUG-ENAMEL-BLU", "2026-04-01", "bob"),
        ("LAMP-ERP", "0001-01-01", "ann"),
    ]


def test_the_list_has_the_rows_in_force_with_where_they_come_from(holding: Orderhub) -> None:
    holding.json("crosswalk", "set", "item", "LAMP-X", "LAMP-ERP", "--unlisted", "--as", "ann")

    rows = {row["source"]: row for row in holding.json("crosswalk", "list", "item")["crosswalk"]}

    assert (rows["LAMP-X"]["target"], rows["LAMP-X"]["set_by"]) == ("LAMP-ERP", "ann")
    assert rows["TENT-2P-GRN"]["set_by"] == "configuration"


def test_a_wrong_item_is_corrected_by_setting_the_right_one(holding: Orderhub) -> None:
    """The mistake moved the order on to another cause; the correction heals that one too."""
    wrong = holding("crosswalk", "set", "item", "LAMP-X", "TENT-2P-GRN", "--format", "json")
    today = holding("crosswalk", "set", "item", "LAMP-X", "LAMP-ERP", "--unlisted", "--format", "json")
    earlier = holding(
        *("crosswalk", "set", "item", "LAMP-X", "LAMP-ERP", "--unlisted", "--from", "2026-01-01", "--format", "json")
    )

    assert wrong.json["causes"] == {"price_off_list:LAMP-X": 2}
    assert (today.json["orders"], today.json["healed"]) == (2, 0)
    assert "still held: 2 (price_off_list:LAMP-X 2)" in today.err
    assert (
        "orderhub: the row holds from today, for orders placed from today on: --from names an earlier day "
        "for earlier orders\n" in today.err
    )
    assert (earlier.json["orders"], earlier.json["healed"]) == (2, 2)
    assert "from today" not in wrong.err + earlier.err


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_an_item_of_no_price_list_is_refused_and_nothing_is_posted(holding: Orderhub, dry: tuple[str, ...]) -> None:
    ran = holding("crosswalk", "set", "item", "LAMP-X", "NOPE", *dry)

    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        "orderhub: crosswalk: target: item 'NOPE' is not in the price list; if the ERP knows it, --unlisted takes it\n"
    )
    assert holding.json("crosswalk", "history")["history"] == []
    assert holding.json("orders", "show", "1001")["documents"] == []


def test_an_item_of_no_price_list_that_a_person_vouches_for_is_set(holding: Orderhub) -> None:
    ran = holding("crosswalk", "set", "item", "LAMP-X", "NOPE", "--unlisted", "--format", "json")

    assert ran.status == 0
    assert (ran.json["healed"], ran.json["unlisted"]) == (2, ["NOPE"])
    assert "orderhub: not in the price list, taken all the same: 1\n" in ran.err


def test_the_rows_of_a_file_that_name_no_listed_item_are_all_named(holding: Orderhub) -> None:
    rows = holding.file(b"source,target\nLAMP-X,NOPE\nLAMP-Y,LAMP-HEAD-350\nLAMP-Z,NADA\n", "items.csv")

    ran = holding("crosswalk", "import", "item", rows)

    assert ran.status == 1
    assert [line.rpartition("items.csv:")[2] for line in ran.err.splitlines()] == [
        "2: target: item 'NOPE' is not in the price list; if the ERP knows it, --unlisted takes it",
        "4: target: item 'NADA' is not in the price list; if the ERP knows it, --unlisted takes it",
        "orderhub: nothing was set",
    ]
    assert holding.json("crosswalk", "history")["history"] == []
    assert holding.json("crosswalk", "import", "item", rows, "--unlisted")["unlisted"] == ["NOPE", "NADA"]


def test_an_item_of_the_price_list_needs_no_word_for_it(holding: Orderhub) -> None:
    ran = holding("crosswalk", "set", "item", "LAMP-X", "TENT-2P-GRN", "--no-send", "--format", "json")

    assert (ran.status, ran.json["unlisted"], "price list" in ran.err) == (0, [], False)


def test_without_a_price_list_every_item_is_taken(holding: Orderhub, tmp_path: Path) -> None:
    config = Path(shutil.copytree(SHIPPED.parent, tmp_path / "config"))
    (config / "items.yaml").write_text("items: []\n")
    of_file = ("--config", str(config / SHIPPED.name))

    ran = holding("crosswalk", "set", "item", "LAMP-X", "NOPE", "--no-send", "--format", "json", *of_file)

    assert (ran.status, ran.json["healed"], ran.json["unlisted"]) == (0, 2, [])
