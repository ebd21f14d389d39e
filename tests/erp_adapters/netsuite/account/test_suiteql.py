"""What a search of the simulated account answers, shows and refuses."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from erp_adapters.netsuite.account.suiteql import QueryError, run
from erp_adapters.netsuite.account.world import GlLine, Rec, World, reference

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(world: World) -> Ask:
    """The rows of a query without their `links`."""

    def asked(q: str, *params: Any) -> list[dict[str, Any]]:
        rows, total = run(world, q, params, 1000, 0)
        assert total == len(rows)
        assert all(row.pop("links") == [] for row in rows)
        return rows

    return asked


@pytest.fixture
def order(world: World) -> Rec:
    """Two jackets at 10.00, 1.20 tax."""
    customer = world.keep(world.new("customer", {"entityId": "CUST1", "companyName": "Acme"}, "customer-1"))
    rec = world.new(
        "salesOrder",
        {
            "entity": reference(customer),
            "tranDate": "2026-03-05",
            "tranId": "SO1",
            "total": Decimal("21.20"),
            "status": {"id": "B", "refName": "Pending Fulfillment"},
            "memo": "",
        },
        "sales-order-web-1",
    )
    item = next(world.every("inventoryItem"))
    fields = {"item": reference(item), "quantity": 2, "rate": Decimal("10.00"), "amount": Decimal("20.00")}
    rec.add_row("item", fields | {"custcol_orderhub_line": "line-1", "quantityFulfilled": 1})
    rec.add_row("taxDetails", {"taxDetailsReference": "1", "taxAmount": Decimal("1.20")})
    return world.keep(rec)


@pytest.fixture
def invoice(world: World, order: Rec) -> Rec:
    """The order, billed."""
    rec = world.new(
        "invoice",
        {
            "entity": order.fields["entity"],
            "tranDate": "2026-03-06",
            "tranId": "INV1",
            "total": Decimal("21.20"),
            "amountPaid": Decimal("5.00"),
            "amountRemaining": Decimal("16.20"),
            "exchangeRate": Decimal("1.5"),
            "status": {"id": "A", "refName": "Open"},
        },
        "invoice-web-1",
    )
    rec.created_from = order.id
    rec.add_row(
        "item",
        {"item": order.rows()[0].fields["item"], "quantity": 2, "rate": 10, "amount": Decimal("20.00"), "orderLine": 1},
    )
    rec.gl = [
        GlLine(0, "1100", Decimal("21.20"), Decimal("31.80")),
        GlLine(1, "4000", Decimal("-20.00"), Decimal("-30.00")),
        GlLine(100_000, "2200", Decimal("-1.20"), Decimal("-1.80")),
    ]
    return world.keep(rec)


def refused(world: World, q: str, *params: Any) -> str:
    """Every way in which the account refuses the query, a server fault as its code."""
    said = set()
    for _ in range(40):
        with pytest.raises(QueryError) as caught:
            run(world, q, params, 1000, 0)
        said.add(caught.value.code if caught.value.status == 500 else caught.value.detail.rpartition("occurred: ")[2])
    return " | ".join(sorted(said))


# --- rows -------------------------------------------------------------------------------------------------------------


def test_rows_are_texts_under_lower_case_names_and_leave_the_empty_out(world: World, order: Rec) -> None:
    rows, total = run(world, "SELECT Id, TRANID AS Number, Memo, Posting FROM Transaction", [], 10, 0)

    assert total == 1
    assert rows == [{"links": [], "id": str(order.id), "number": "SO1", "posting": "F"}]


def test_lines_carry_the_ledgers_sign_and_headers_are_positive(ask: Ask, order: Rec) -> None:
    lines = ask("SELECT id, mainline, taxline, quantity, foreignamount FROM transactionline ORDER BY id")
    headers = ask("SELECT foreigntotal FROM transaction")

    assert lines == [
        {"id": "0", "mainline": "T", "taxline": "F", "foreignamount": "21.2"},
        {"id": "1", "mainline": "F", "taxline": "F", "quantity": "-2", "foreignamount": "-20"},
        {"id": "100000", "mainline": "F", "taxline": "T", "foreignamount": "-1.2"},
    ]
    assert headers == [{"foreigntotal": "21.2"}]


def test_accounting_lines_are_in_the_base_currency_and_say_whether_they_post(ask: Ask, invoice: Rec) -> None:
    posted = ask(
        "SELECT a.acctnumber, tal.debit, tal.credit, tal.amount FROM transactionaccountingline tal"
        " JOIN account a ON a.id = tal.account WHERE tal.transaction = ? AND tal.posting = 'T'"
        " ORDER BY tal.transactionline",
        str(invoice.id),
    )

    assert posted == [
        {"acctnumber": "1100", "debit": "31.8", "amount": "31.8"},
        {"acctnumber": "4000", "credit": "30", "amount": "-30"},
        {"acctnumber": "2200", "credit": "1.8", "amount": "-1.8"},
    ]


def test_an_order_has_accounting_lines_that_do_not_post(ask: Ask, order: Rec) -> None:
    assert ask("SELECT DISTINCT posting FROM transactionaccountingline") == [{"posting": "F"}]


def test_links_lead_from_the_order_line_to_the_invoice_line(ask: Ask, order: Rec, invoice: Rec) -> None:
    expected = {
        "previousdoc": str(order.id),
        "previousline": "1",
        "previoustype": "SalesOrd",
        "nextdoc": str(invoice.id),
        "nextline": "1",
        "nexttype": "CustInvc",
        "linktype": "OrdBill",
        "foreignamount": "20",
    }

    assert ask("SELECT * FROM PreviousTransactionLineLink") == [expected]
    assert ask("SELECT * FROM NextTransactionLineLink") == [expected]


def test_a_deposit_says_how_much_of_it_is_used(world: World, ask: Ask, invoice: Rec) -> None:
    deposit = world.keep(world.new("customerDeposit", {"payment": Decimal("30.00"), "tranDate": "2026-03-01"}))
    used = world.new(
        "depositApplication",
        {"deposit": reference(deposit), "applied": Decimal("12.10"), "tranDate": "2026-03-06"},
    )
    used.created_from = deposit.id
    used.add_row("apply", {"doc": reference(invoice), "apply": True, "amount": Decimal("12.10")})
    world.keep(used)

    deposits = ask(
        "SELECT foreignpaymentamountused AS used, foreignpaymentamountunused AS unused FROM transaction"
        " WHERE type = 'CustDep'"
    )
    links = ask(
        "SELECT previoustype, linktype, foreignamount FROM previoustransactionlinelink WHERE nextdoc = ?"
        " ORDER BY linktype",
        used.id,
    )

    assert deposits == [{"used": "12.1", "unused": "17.9"}]
    assert links == [
        {"previoustype": "CustDep", "linktype": "DepAppl", "foreignamount": "12.1"},
        {"previoustype": "CustInvc", "linktype": "Payment", "foreignamount": "12.1"},
    ]


def test_the_main_line_of_a_payment_is_where_the_money_goes(world: World, ask: Ask, invoice: Rec) -> None:
    payment = world.new("customerPayment", {"payment": Decimal("16.20"), "applied": Decimal("16.20"), "unapplied": 0})
    payment.add_row("apply", {"doc": reference(invoice), "apply": True, "amount": Decimal("16.20")})
    payment.gl = [
        GlLine(300_000, "1200", Decimal("16.20"), Decimal("16.20")),
        GlLine(1, "1100", Decimal("-16.20"), Decimal("-16.20")),
    ]
    world.keep(payment)

    rows = ask(
        "SELECT l.id, l.mainline, l.iscogs, l.foreignamount, p.debit, p.credit FROM transactionline l"
        " JOIN transactionaccountingline p ON p.transaction = l.transaction AND p.transactionline = l.id"
        " WHERE l.transaction = ? ORDER BY l.id",
        payment.id,
    )

    assert rows == [
        {"id": "0", "mainline": "T", "iscogs": "F", "foreignamount": "16.2", "debit": "16.2"},
        {"id": "1", "mainline": "F", "iscogs": "F", "foreignamount": "-16.2", "credit": "16.2"},
    ]


def test_a_credit_memo_is_used_by_what_it_pays_and_by_what_is_refunded_of_it(
    world: World, ask: Ask, invoice: Rec
) -> None:
    memo = world.new(
        "creditMemo", {"total": Decimal("10.00"), "applied": Decimal("4.00"), "unapplied": Decimal("6.00")}
    )
    memo.add_row("apply", {"doc": reference(invoice), "apply": True, "amount": Decimal("4.00")})
    world.keep(memo)
    query = (
        "SELECT foreignpaymentamountused AS used, foreignpaymentamountunused AS unused FROM transaction WHERE id = ?"
    )
    before = ask(query, memo.id)

    refund = world.new("customerRefund", {"total": Decimal("5.00")})
    refund.add_row("apply", {"doc": reference(memo), "apply": True, "amount": Decimal("5.00")})
    world.keep(refund)
    after = ask(query, memo.id)
    world.drop(refund)

    assert before == [{"used": "4", "unused": "6"}]
    assert after == [{"used": "9", "unused": "1"}]
    assert ask(query, memo.id) == before


def test_an_open_invoice_shows_what_is_unpaid(ask: Ask, invoice: Rec) -> None:
    assert ask("SELECT foreignamountpaid, foreignamountunpaid FROM transaction WHERE type = 'CustInvc'") == [
        {"foreignamountpaid": "5", "foreignamountunpaid": "16.2"}
    ]


def test_stock_is_by_item_and_location(world: World, ask: Ask) -> None:
    item = next(world.every("inventoryItem"))
    item.rows("locations")[0].fields["quantityOnHand"] = Decimal(7)
    world.touch(item)

    rows = ask(
        "SELECT l.name, s.quantityonhand FROM inventoryitemlocations s JOIN location l ON l.id = s.location"
        " WHERE s.item = ? ORDER BY l.id",
        item.id,
    )

    assert rows == [{"name": "main", "quantityonhand": "7"}, {"name": "east", "quantityonhand": "0"}]


def test_a_custom_field_is_a_column_even_where_no_record_has_it(ask: Ask, order: Rec) -> None:
    assert ask("SELECT custcol_orderhub_line FROM transactionline WHERE mainline = 'F' AND taxline = 'F'") == [
        {"custcol_orderhub_line": "line-1"}
    ]
    assert ask("SELECT custbody_orderhub_channel FROM transaction") == [{}]


# --- in step with the account -----------------------------------------------------------------------------------------


def test_a_change_and_a_deletion_are_seen_by_the_next_search(world: World, ask: Ask, order: Rec) -> None:
    first = ask("SELECT memo FROM transaction")
    order.fields["memo"] = "call before delivery"
    world.touch(order)
    second = ask("SELECT memo FROM transaction")
    world.drop(order)

    assert first == [{}]
    assert second == [{"memo": "call before delivery"}]
    assert ask("SELECT id FROM transaction") == []
    assert ask("SELECT id FROM transactionline") == []
    assert ask("SELECT recordid, type FROM deletedrecord") == [{"recordid": str(order.id), "type": "SalesOrd"}]


def test_a_search_that_lags_shows_yesterdays_record_until_its_time_is_over(
    world: World, time: Any, ask: Ask, order: Rec
) -> None:
    world.lag(60)
    order.fields["memo"] = "new"
    world.touch(order)

    before = ask("SELECT memo FROM transaction")
    time.passes(61)

    assert before == [{}]
    assert ask("SELECT memo FROM transaction") == [{"memo": "new"}]


# --- dates ------------------------------------------------------------------------------------------------------------


def test_a_bare_date_is_shown_as_the_account_writes_it_and_a_moment_loses_its_time(ask: Ask, order: Rec) -> None:
    assert ask("SELECT trandate, lastmodifieddate FROM transaction") == [
        {"trandate": "3/5/2026", "lastmodifieddate": "3/10/2026"}
    ]


def test_to_char_shows_the_moment_in_the_users_time_zone(world: World, ask: Ask, order: Rec) -> None:
    query = """SELECT TO_CHAR(lastmodifieddate, 'YYYY-MM-DD"T"HH24:MI:SS') AS moved FROM transaction"""
    world.switches.time_zone = "America/Los_Angeles"

    assert ask(query) == [{"moved": "2026-03-10T05:00:00"}]


@pytest.mark.parametrize(("since", "found"), [("2026-03-10 12:00:00", 1), ("2026-03-10 12:00:01", 0)])
def test_a_change_feed_compares_to_the_second(ask: Ask, order: Rec, since: str, found: int) -> None:
    rows = ask(
        "SELECT id FROM transaction WHERE type = ? AND lastmodifieddate >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS')"
        " ORDER BY lastmodifieddate, id",
        "SalesOrd",
        since,
    )

    assert len(rows) == found


def test_a_date_without_to_date_must_be_written_as_the_account_does(world: World, ask: Ask, order: Rec) -> None:
    assert len(ask("SELECT id FROM transaction WHERE trandate >= '3/5/2026'")) == 1
    assert ask("SELECT id FROM transaction WHERE trandate > ?", "03/05/2026") == []
    assert "Invalid date" in refused(world, "SELECT id FROM transaction WHERE trandate >= '2026-03-05'")


# --- words ------------------------------------------------------------------------------------------------------------


def test_display_values_name_what_an_id_or_a_code_stands_for(ask: Ask, order: Rec) -> None:
    rows = ask(
        "SELECT BUILTIN.DF(t.entity) AS who, BUILTIN.DF(status) AS status, BUILTIN.DF(t.type) FROM transaction t"
    )

    assert rows == [{"who": "CUST1", "status": "Sales Order : Pending Fulfillment", "expr1": "Sales Order"}]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM transaction LIMIT 5",
        "SELECT id FROM transaction ORDER BY id FETCH FIRST 5 ROWS",
        "DELETE FROM transaction",
        "UPDATE transaction SET memo = 'x'",
        "SELECT id FROM transaction; SELECT id FROM item",
        "SELECT id FROM transaction WHERE type IN (SELECT type FROM transaction) COLLATE NOCASE",
        "SELECT load_extension('x') FROM transaction",
        "SELECT FROM",
        "",
    ],
)
def test_what_is_not_suiteql_is_refused_without_a_reason(world: World, query: str) -> None:
    assert refused(world, query) == "Invalid or unsupported search | UNEXPECTED_ERROR"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("SELECT internalid FROM transaction", "Field 'internalid'"),
        ("SELECT t.total FROM transaction t", "Field 'total'"),
        ("SELECT t.createdfrom FROM transaction t", "Field 'createdfrom'"),
        ("SELECT subsidiary FROM customer", "Field 'subsidiary'"),
        ('SELECT id FROM transaction WHERE type = "SalesOrd"', "Field 'salesord'"),
        ("SELECT id FROM transactions", "Record 'transactions'"),
        ("SELECT t.id FROM transaction t JOIN orders o ON o.id = t.id", "Record 'orders'"),
        ("SELECT name FROM sqlite_master", "Record 'sqlite_master'"),
        ("SELECT previousdoc FROM link", "Record 'link'"),
    ],
)
def test_an_unknown_column_or_record_is_named_or_is_a_server_fault(world: World, query: str, named: str) -> None:
    said = refused(world, query)

    assert said.startswith(named)
    assert said.endswith("| UNEXPECTED_ERROR")


def test_a_status_with_its_type_matches_nothing(ask: Ask, order: Rec) -> None:
    assert ask("SELECT id FROM transaction WHERE status = 'SalesOrd:B'") == []
    assert len(ask("SELECT id FROM transaction WHERE status = 'B'")) == 1


def test_each_mark_takes_one_parameter(world: World) -> None:
    assert "2 parameters, 1 were given" in refused(world, "SELECT id FROM item WHERE id BETWEEN ? AND ?", "1")


def test_a_mark_is_bound_and_never_read_as_sql(ask: Ask, order: Rec) -> None:
    assert ask("SELECT id FROM transaction WHERE externalid = ?", "x' OR '1'='1") == []


def test_numbers_may_be_bound_as_texts(ask: Ask) -> None:
    assert len(ask("SELECT * FROM currency WHERE id BETWEEN ? AND ?", "1", "2")) == 2


def test_groups_subqueries_and_joins_of_the_comma_kind_are_served(ask: Ask, invoice: Rec) -> None:
    rows = ask(
        "SELECT c.companyName, x.n FROM customer c, (SELECT entity, COUNT(*) AS n FROM transaction GROUP BY entity) x"
        " WHERE x.entity = c.id"
    )

    assert rows == [{"companyname": "Acme", "n": "2"}]


# --- pages ------------------------------------------------------------------------------------------------------------


def test_pages_of_an_ordered_query_make_the_whole(world: World) -> None:
    q = "SELECT id FROM item ORDER BY id"

    whole, total = run(world, q, [], 1000, 0)
    pages = [row for offset in range(0, total, 10) for row in run(world, q, [], 10, offset)[0]]

    assert total > 30
    assert pages == whole


def test_pages_of_an_unordered_query_do_not(world: World) -> None:
    whole, total = run(world, "SELECT id FROM item", [], 1000, 0)
    pages = [
        row["id"] for offset in range(0, total, 10) for row in run(world, "SELECT id FROM item", [], 10, offset)[0]
    ]

    assert len(pages) == total
    assert set(pages) < {row["id"] for row in whole}


def test_rows_beyond_the_hundred_thousandth_cannot_be_reached(world: World) -> None:
    run(world, "SELECT id FROM item", [], 1000, 99_000)

    with pytest.raises(QueryError, match="100000"):
        run(world, "SELECT id FROM item", [], 1000, 100_000)


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1001, 0), (10, 5), (10, -10)])
def test_a_page_of_an_odd_size_or_place_is_refused(world: World, limit: int, offset: int) -> None:
    with pytest.raises(QueryError) as caught:
        run(world, "SELECT id FROM item", [], limit, offset)

    assert caught.value.status == 400
