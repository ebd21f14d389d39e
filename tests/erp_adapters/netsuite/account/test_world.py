"""What the account holds, and what searches see of it."""

from typing import Any

from erp_adapters.netsuite.account.world import World


def test_the_company_has_what_an_implementer_sets_up(world: World) -> None:
    numbers = {rec.fields["acctNumber"] for rec in world.every("account")}

    assert {"1100", "1200", "1300", "2100", "2200", "2300", "4000", "4100", "5000"} <= numbers
    assert world.named("inventoryItem", "itemId", "TENT-2P-GRN") is not None
    assert world.named("discountItem", "itemId", "DISCOUNT") is not None
    assert [
        row.fields["quantity"] for row in (world.named("kitItem", "itemId", "KIT-COOK") or missing()).rows("member")
    ] == [
        1,
        2,
        1,
    ]


def test_line_numbers_have_gaps_and_never_come_back(world: World) -> None:
    order = world.new("salesOrder")
    first = [order.add_row("item", {}).line for _ in range(3)]
    order.sublists["item"].clear()

    again = order.add_row("item", {}).line

    assert first[:2] == [1, 4]
    assert again > first[-1]


def test_searches_see_a_change_only_after_the_lag(world: World, time: Any) -> None:
    world.lag(30)
    customer = world.keep(world.new("customer", {"entityId": "Ada"}, "cust-1"))
    customer.fields["entityId"] = "Ada L."
    time.passes(29)
    before = [rec for rec in world.visible() if rec.type == "customer"]
    time.passes(1)

    after = [rec.fields["entityId"] for rec in world.visible() if rec.type == "customer"]

    assert before == []
    assert after == ["Ada"]
    assert world.external("entity", "CUST-1") is customer


def missing() -> Any:
    raise AssertionError
