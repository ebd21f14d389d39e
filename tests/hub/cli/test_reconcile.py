"""orderhub reconcile and demo: what the person and the script get of a run."""

from pathlib import Path

import pytest

from tests.hub.cli.shop import Orderhub, order


def statements(*files: str) -> list[str]:
    return [word for file in files for word in ("--channel-statement", file)]


@pytest.fixture
def closing(orderhub: Orderhub) -> Orderhub:
    """March: one order posted, one held for an unmapped SKU."""
    orders = [order(1001), order(1002, sku="LAMP-X", price="10.00")]
    orderhub.json("import", "shopify", orderhub.file(orders, "shop.json"))
    return orderhub


def test_a_held_order_is_the_only_variance_and_is_explained(closing: Orderhub) -> None:
    statement = str(closing.folder / "shop.json")

    answer = closing.json("reconcile", "2026-03", "--channel-statement", statement)

    assert [(one["pair"], one["order"], one["delta_minor"]) for one in answer["variances"]] == [
        ("hub-erp", "1002", -1000)
    ]
    assert [cause["code"] for cause in answer["variances"][0]["causes"]] == ["held_order"]
    assert (answer["unexplained_minor"], answer["complete"]) == ({"USD": 0}, True)


def test_an_earlier_run_gives_the_same_digest(closing: Orderhub) -> None:
    statement = str(closing.folder / "shop.json")
    first = closing.json("reconcile", "2026-03", "--channel-statement", statement)

    again = closing.json("reconcile", "2026-03", "--from", str(closing.home / "runs" / first["run"]))

    assert again["digest"] == first["digest"]
    assert Path(closing.json("status")["reconciliation"]).name == first["run"]


def test_the_table_shows_the_sides_and_why_they_differ(closing: Orderhub) -> None:
    ran = closing("reconcile", "2026-03", "--channel-statement", str(closing.folder / "shop.json"))

    assert ran.status == 0
    assert "held_order (unmapped_item)" in " ".join(ran.out.split())
    assert "-10.00 USD" in ran.out
    assert max(len(line.rstrip()) for line in ran.out.splitlines()) <= 100


def test_the_books_are_summed_up_below_the_sides(closing: Orderhub) -> None:
    ran = closing("reconcile", "2026-03")

    said = " ".join(ran.out.split())
    assert "Books, expected and in the ERP" in said
    assert "2 of 2 accounts tie, 1 of 1 documents" in said


def test_held_orders_alike_are_one_line_of_the_table_with_their_sum(orderhub: Orderhub) -> None:
    waiting = [order(2000 + n, sku="LANTERN", price="10.00") for n in range(4)]
    orderhub("import", "shopify", orderhub.file(waiting), "--no-send")

    ran = orderhub("reconcile", "2026-03")

    lines = [" ".join(line.split()) for line in ran.out.splitlines() if "hub-erp" in line]
    assert "hub-erp 4 of them missing_in_erp -40.00 USD held_order (unmapped_item)" in lines[0]
    assert "#2000" not in ran.out


def test_three_held_orders_have_a_line_each(orderhub: Orderhub) -> None:
    waiting = [order(2000 + n, sku="LANTERN", price="10.00") for n in range(3)]
    orderhub("import", "shopify", orderhub.file(waiting), "--no-send")

    ran = orderhub("reconcile", "2026-03")

    assert all(name in ran.out for name in ("#2000", "#2001", "#2002"))


def test_without_a_statement_it_says_what_was_not_compared(closing: Orderhub) -> None:
    ran = closing("reconcile", "2026-03")

    assert ran.status == 0
    assert "not complete: no channel statement was given" in ran.err


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "$: not JSON: begins with "),
        (b"", "$: the file is empty"),
        (b'{"orders": [{"id": 1001, "line_items"', ""),
    ],
)
def test_a_statement_of_which_nothing_reads_is_refused_and_leaves_no_run(
    closing: Orderhub, content: bytes, why: str
) -> None:
    file = closing.file(content, "statement.pdf")

    ran = closing("reconcile", "2026-03", "--channel-statement", file)

    assert (ran.status, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert lines[0] == "orderhub: reconcile: nothing of the channel's statement could be read"
    assert lines[1].startswith(f"orderhub: {file}: {why}")
    assert not (closing.home / "runs").exists()


def test_a_statement_that_reads_in_part_is_compared_and_said_to_be_incomplete(closing: Orderhub) -> None:
    broken = closing.file(b"\n".join(b"not an order" for _ in range(2)) + b'\n{"id": 7}', "broken.jsonl")
    shop = str(closing.folder / "shop.json")

    ran = closing("reconcile", "2026-03", *statements(shop, broken), "--format", "json")

    assert ran.status == 1
    assert (ran.json["complete"], ran.json["matched"]) == (False, 1)
    assert ran.err.startswith(f"orderhub: {broken}: ")
    assert "not complete: the channel's statement could not be read whole" in ran.err


def test_of_many_parts_that_do_not_read_twenty_are_named(closing: Orderhub) -> None:
    bad = [order(2000 + number) | {"total_price": "N/A"} for number in range(23)]
    broken = closing.file(bad, "broken.json")

    ran = closing("reconcile", "2026-03", *statements(str(closing.folder / "shop.json"), broken))

    assert ran.err.count(f"orderhub: {broken}: ") == 20
    assert "orderhub: and 3 more that could not be read" in ran.err


def test_a_statement_of_no_orders_is_a_statement(closing: Orderhub) -> None:
    ran = closing("reconcile", "2026-03", *statements(closing.file({"orders": []}, "none.json")), "--format", "json")

    assert (ran.status, ran.json["complete"]) == (0, True)


@pytest.mark.parametrize("period", ["2026-13", "March", "2026-3", "0000-01"])
def test_a_period_that_is_none_is_a_wrong_command_line(orderhub: Orderhub, period: str) -> None:
    assert orderhub("reconcile", period).status == 2


def test_a_folder_that_is_no_run_is_said_so(orderhub: Orderhub) -> None:
    ran = orderhub("reconcile", "2026-03", "--from", str(orderhub.folder))

    assert (ran.status, ran.out) == (1, "")
    assert "is not the folder of a run" in ran.err


def test_the_demo_never_touches_a_home_that_is_none_of_its_own(closing: Orderhub) -> None:
    ran = closing("demo", "--orders", "60", "--no-serve")

    assert ran.status == 1
    assert "holds the state of something else" in ran.err
    assert closing.json("orders", "show", "1001")["row"]["claimed_minor"] == 24900


def test_cutoff_says_what_the_month_leaves_one_sided(closing: Orderhub) -> None:
    answer = closing.json("cutoff", "2026-03")
    ran = closing("cutoff", "2026-03", "--channel", "shopify")

    assert [(one["list"], one["order"], one["amount_minor"], one["age_days"]) for one in answer["rows"]] == [
        ("unsettled_clearing", "1001", 24900, 29)
    ]
    assert (ran.status, "unsettled clearing" in ran.out, "249.00 USD" in ran.out) == (0, True, True)
    assert closing("cutoff", "March").status == 2


def test_metrics_says_how_the_month_went_and_that_the_margin_ties(closing: Orderhub) -> None:
    answer = closing.json("metrics", "2026-03")
    ran = closing("metrics", "2026-03")

    assert (answer["orders"], answer["channels"][0]["fill"]["rate"]) == (2, None)
    assert answer["margin"]["ties"] is True
    assert (ran.status, "Gross margin" in ran.out, "0 on time" in ran.out) == (0, True, True)
    assert max(len(text.rstrip()) for text in ran.out.splitlines()) <= 100
