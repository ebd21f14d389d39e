"""What is pulled is whole, each once, and its cursor is the shop's own; a bulk file is put together again."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from connectors.shopify.orders import written
from hub.errors import HubError, Misconfigured, Rejected, Retryable
from hub.model.facts import FactKind, Source
from hub.model.order import Snapshot
from hub.model.records import Received, Record
from hub.ports import Page
from tests.connectors.shopify.wired import (
    ADDRESS,
    GRAPHQL,
    LAST,
    NO_MORE,
    Time,
    answered,
    connected,
    failed,
    line,
    order_node,
    stamp,
)

SCOPES = {
    "shop": {"name": "x", "myshopifyDomain": "x", "currencyCode": "USD", "ianaTimezone": "UTC"},
    "currentAppInstallation": {"accessScopes": [{"handle": "read_orders"}, {"handle": "read_all_orders"}]},
}


@pytest.fixture
def time() -> Time:
    return Time()


class Script:
    """Answers each operation by its name, in turn; the last answer of a name is given again and again."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {name: list(given) if isinstance(given, list) else [given] for name, given in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        respx.post(GRAPHQL).mock(side_effect=self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        name = body["query"].split("(")[0].split("{")[0].split()[1]
        self.asked.append((name, body["variables"]))
        waiting = self.answers[name]
        given = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return given if isinstance(given, httpx.Response) else answered(given)

    def of(self, name: str) -> list[dict[str, Any]]:
        return [variables for asked, variables in self.asked if asked == name]


def stamps(*nodes: dict[str, Any], after: str | None = None) -> dict[str, Any]:
    return {"orders": {"nodes": list(nodes), "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}}


def facts(connector: Any, received: Received) -> Any:
    record = Record(1, received.channel, received.topic, received.source, received.body, received.received_at)
    return connector.translate(record).facts


def reached(page: Page) -> str:
    """From when the next pull asks."""
    return str(json.loads(page.cursor)["from"])


# --- orders ---------------------------------------------------------------------------------------------------------


@respx.mock
def test_a_pull_asks_by_quoted_stamp_and_walks_its_pages(time: Time) -> None:
    script = Script(
        OrderStamps=[stamps(stamp(1), after="c1"), stamps(stamp(2, "2026-11-01T11:00:00Z"))],
        OrdersById=[{"nodes": [order_node(1, line(1))]}, {"nodes": [order_node(2, line(2))]}],
    )

    pages = list(connected(time).fetch("orders", "2026-11-01T09:30:00+00:00"))

    assert script.of("OrderStamps") == [
        {"query": "updated_at:>='2026-11-01T09:30:00Z'", "after": None, "size": 100, "by": "UPDATED_AT"},
        {"query": "updated_at:>='2026-11-01T09:30:00Z'", "after": "c1", "size": 100, "by": "UPDATED_AT"},
    ]
    assert [(len(page.received), reached(page), page.more) for page in pages] == [
        (1, "2026-11-01T09:55:00+00:00", True),
        (1, "2026-11-01T10:55:00+00:00", False),
    ]


@respx.mock
def test_a_cursor_never_goes_back_nor_ahead_of_what_was_seen(time: Time) -> None:
    Script(OrderStamps=stamps(stamp(1, "2026-11-01T09:31:00Z")), OrdersById={"nodes": [order_node(1, line(1))]})

    [page] = connected(time).fetch("orders", "2026-11-01T09:30:00+00:00")

    assert reached(page) == "2026-11-01T09:30:00+00:00"


@respx.mock
def test_a_shop_without_orders_leaves_the_cursor_where_it_was(time: Time) -> None:
    script = Script(OrderStamps=stamps())
    live = connected(time)

    assert list(live.fetch("orders", None)) == [Page((), "", more=False)]
    assert list(live.fetch("orders", "", datetime(2026, 9, 1, tzinfo=UTC))) == [
        Page((), "2026-09-01T00:00:00+00:00", more=False)
    ]
    assert [asked["query"] for asked in script.of("OrderStamps")] == ["", "updated_at:>='2026-09-01T00:00:00Z'"]


@respx.mock
def test_what_the_overlap_finds_again_is_read_again_only_if_its_stamp_moved(time: Time) -> None:
    script = Script(
        OrderStamps=[stamps(stamp(1), stamp(2)), stamps(stamp(1), stamp(2, "2026-11-01T10:01:00Z"))],
        OrdersById=[
            {"nodes": [order_node(1, line(1)), order_node(2, line(2))]},
            {"nodes": [order_node(2, line(2), updated="2026-11-01T10:01:00Z")]},
        ],
    )
    live = connected(time)

    [first] = live.fetch("orders", None)
    [second] = live.fetch("orders", first.cursor)

    assert script.of("OrdersById")[1]["ids"] == ["gid://shopify/Order/2"]
    assert len(second.received) == 1


@respx.mock
def test_an_order_that_the_shop_fails_to_give_is_named_and_stops_no_page(time: Time) -> None:
    broken = answered(errors=failed("INTERNAL_SERVER_ERROR"))
    Script(OrderStamps=stamps(stamp(1), stamp(2)), OrdersById=[broken, broken, {"nodes": [order_node(2, line(2))]}])

    [page] = connected(time).fetch("orders", None)

    assert [json.loads(one.body)["name"] for one in page.received] == ["#2"]
    assert page.unread == ("1",)


@respx.mock
def test_a_shop_that_gives_no_order_at_all_stops_the_pull(time: Time) -> None:
    many = [stamp(number) for number in range(1, 8)]
    Script(OrderStamps=stamps(*many), OrdersById=answered(errors=failed("ACCESS_DENIED")))

    with pytest.raises(Rejected):
        list(connected(time).fetch("orders", None))


@respx.mock
def test_an_order_read_within_the_second_of_its_stamp_is_read_again_until_that_second_is_over(time: Time) -> None:
    """Stamps are whole seconds: a second change within one leaves the stamp as it is."""
    second = "2026-11-01T10:00:00Z"
    script = Script(OrderStamps=stamps(stamp(1, second)), OrdersById={"nodes": [order_node(1, line(1))]})
    time.now = datetime(2026, 11, 1, 10, 0, 0, 400_000, tzinfo=UTC)
    live = connected(time)

    [first] = live.fetch("orders", None)
    time.now += timedelta(minutes=2)
    [again] = live.fetch("orders", first.cursor)
    [third] = live.fetch("orders", again.cursor)

    assert [len(page.received) for page in (first, again, third)] == [1, 1, 0]
    assert len(script.of("OrdersById")) == 2


@respx.mock
def test_a_backfill_that_is_to_begin_earlier_than_the_one_broken_off_begins_anew(time: Time) -> None:
    respx.get(RESULT).respond(content=jsonl(bulk_order(1, "2026-10-09T10:00:00Z"), bulk_line(1, 1)))
    script = Script(BulkRun=STARTED, BulkState=state("COMPLETED", RESULT))
    first = next(iter(connected(time).backfill(datetime(2026, 10, 1, tzinfo=UTC), None)))

    list(connected(time).backfill(datetime(2026, 1, 1, tzinfo=UTC), first.cursor))

    assert len(script.of("BulkRun")) == 2


@respx.mock
def test_what_was_read_and_not_kept_is_read_again(time: Time) -> None:
    """A rehearsal of a pull reads to the end and commits nothing: the cursor alone says what was kept."""
    script = Script(
        OrderStamps=[stamps(stamp(1), after="c1"), stamps(stamp(2))], OrdersById={"nodes": [order_node(1, line(1))]}
    )
    live = connected(time)
    cursor = "2026-11-01T09:58:00+00:00"  # so late that the pull leaves it where it is

    dry = list(live.fetch("orders", cursor))
    script.answers["OrderStamps"] = [stamps(stamp(1), stamp(2))]
    [again] = live.fetch("orders", cursor)

    assert reached(dry[-1]) == cursor
    assert script.of("OrdersById")[2]["ids"] == ["gid://shopify/Order/1", "gid://shopify/Order/2"]
    assert again.cursor == dry[-1].cursor


@respx.mock
def test_another_process_knows_what_was_kept_and_a_new_beginning_reads_all(time: Time) -> None:
    script = Script(OrderStamps=stamps(stamp(1)), OrdersById={"nodes": [order_node(1, line(1))]})

    [first] = connected(time).fetch("orders", None)
    [second] = connected(time).fetch("orders", first.cursor)
    [anew] = connected(time).fetch("orders", None, datetime(2026, 11, 1, tzinfo=UTC))

    assert (len(first.received), second.received, len(anew.received)) == (1, (), 1)
    assert second.cursor == first.cursor
    assert len(script.of("OrdersById")) == 2


@respx.mock
def test_the_same_bytes_have_the_same_key_and_a_change_without_a_stamp_has_another(time: Time) -> None:
    Script(
        OrdersById=[
            {"nodes": [order_node(1, line(1))]},
            {"nodes": [order_node(1, line(1))]},
            {"nodes": [order_node(1, line(1), displayFinancialStatus="PAID")]},
        ]
    )
    live = connected(time)

    [first], [second], [third] = (list(live.fetch_orders(["1"])) for _ in range(3))

    assert first.key == second.key
    assert first.key.startswith("order_node:1:2026-11-01T10:00:00Z:")
    assert third.key != first.key
    assert (first.topic, first.source) == ("order_node", Source.PULL)


@respx.mock
def test_an_order_of_three_hundred_lines_loses_none(time: Time) -> None:
    lines = [line(number) for number in range(1, 301)]
    node = order_node(1, *lines)
    node["lineItems"] = {"nodes": lines[:25], "pageInfo": {"hasNextPage": True, "endCursor": "l25"}}

    def page(start: int, stop: int) -> dict[str, Any]:
        more = {"hasNextPage": stop < 300, "endCursor": f"l{stop}"}
        return {"node": {"lineItems": {"nodes": lines[start:stop], "pageInfo": more}}}

    script = Script(
        OrdersById={"nodes": [node]},
        OrderLineItems=[page(25, 125), page(125, 225), page(225, 300)],
        Stamps={"nodes": [stamp(1)]},
    )
    live = connected(time)

    [received] = live.fetch_orders(["1"])

    snapshot = next(fact.body for fact in facts(live, received) if fact.kind is FactKind.SNAPSHOT)
    assert isinstance(snapshot, Snapshot)
    assert [kept.id for kept in snapshot.lines] == [str(number) for number in range(1, 301)]
    assert [asked["after"] for asked in script.of("OrderLineItems")] == ["l25", "l125", "l225"]


@respx.mock
def test_the_lines_of_a_refund_are_read_to_their_end(time: Time) -> None:
    def refunded(number: int) -> dict[str, Any]:
        return {
            "quantity": 1,
            "restockType": "RETURN",
            "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
            "location": None,
            "subtotalSet": {"shopMoney": {"amount": "2.0", "currencyCode": "USD"}},
            "totalTaxSet": {"shopMoney": {"amount": "0.0", "currencyCode": "USD"}},
        }

    refund: dict[str, Any] = {
        "id": "gid://shopify/Refund/9",
        "createdAt": "2026-11-01T09:30:00Z",
        "processedAt": "2026-11-01T09:30:00Z",
        "return": None,
        "duties": [],
        "refundLineItems": {"nodes": [refunded(1)], "pageInfo": {"hasNextPage": True, "endCursor": "r1"}},
        "refundShippingLines": NO_MORE,
        "orderAdjustments": NO_MORE,
        "transactions": NO_MORE,
    }
    Script(
        OrdersById={"nodes": [order_node(1, line(1), line(2), refunds=[refund])]},
        RefundRefundLineItems={"node": {"refundLineItems": {"nodes": [refunded(2)], "pageInfo": LAST}}},
        Stamps={"nodes": [stamp(1)]},
    )
    live = connected(time)

    [received] = live.fetch_orders(["1"])

    refunds = [fact.body for fact in facts(live, received) if fact.kind is FactKind.REFUND]
    assert [kept.line for kept in refunds[0].lines] == ["1", "2"]


@respx.mock
def test_an_order_that_changed_while_it_was_read_is_read_anew(time: Time) -> None:
    old = order_node(1, line(1))
    old["lineItems"]["pageInfo"] = {"hasNextPage": True, "endCursor": "l1"}
    new = order_node(1, line(1), updated="2026-11-01T10:00:01Z")
    Script(
        OrdersById=[{"nodes": [old]}, {"nodes": [new]}],
        OrderLineItems={"node": {"lineItems": {"nodes": [line(2)], "pageInfo": LAST}}},
        Stamps={"nodes": [stamp(1, "2026-11-01T10:00:01Z")]},
    )

    [received] = connected(time).fetch_orders(["1"])

    assert json.loads(received.body)["updatedAt"] == "2026-11-01T10:00:01Z"
    assert len(json.loads(received.body)["lineItems"]["nodes"]) == 1


@respx.mock
def test_too_dear_a_query_is_asked_in_smaller_parts(time: Time) -> None:
    ids = [str(number) for number in range(1, 9)]
    script = Script(
        OrdersById=[
            answered(errors=failed("MAX_COST_EXCEEDED")),
            answered(errors=failed("MAX_COST_EXCEEDED")),
            answered({"nodes": [order_node(1, line(1)), order_node(2, line(2))]}, asked=700),
            *(answered({"nodes": [order_node(n, line(n)), order_node(n + 1, line(n))]}, asked=700) for n in (3, 5, 7)),
        ]
    )

    received = list(connected(time).fetch_orders(ids))

    assert [json.loads(one.body)["name"] for one in received] == [f"#{number}" for number in ids]
    assert [len(asked["ids"]) for asked in script.of("OrdersById")] == [8, 4, 2, 2, 2, 2]


@respx.mock
def test_an_unknown_order_is_a_deletion_only_where_nothing_is_hidden_from_the_app(time: Time) -> None:
    hidden = {**SCOPES, "currentAppInstallation": {"accessScopes": [{"handle": "read_orders"}]}}
    Script(OrdersById={"nodes": [None]}, Self=[SCOPES, hidden])
    live = connected(time)

    [deletion] = live.fetch_orders(["77"])
    nothing = list(live.fetch_orders(["77"]))  # the scope was taken away meanwhile

    assert (deletion.topic, deletion.body, deletion.key) == ("orders/delete", b'{"id": 77}', "orders/delete:77")
    assert nothing == []


@respx.mock
def test_a_literal_amount_survives_to_the_record(time: Time) -> None:
    body = answered({"nodes": [order_node(1, line(1))]}).content.replace(
        b'"taxLines":[],"transactions"',
        b'"taxLines":[{"title":"T","rate":0.0600,"channelLiable":false}],"transactions"',
    )
    respx.post(GRAPHQL).respond(content=body)

    [received] = connected(time).fetch_orders(["1"])

    assert b'"rate":0.0600' in received.body


def test_what_is_written_reads_back_the_same() -> None:
    value = {"a": [1, True, None, 'é"\n\u2028'], "b": {"c": {}}}

    assert json.loads(written(value)) == value


@respx.mock
def test_a_cursor_that_does_not_move_is_no_endless_loop(time: Time) -> None:
    Script(OrderStamps=stamps(after="same"))

    with pytest.raises(Retryable, match="do not go on"):
        list(connected(time).fetch("orders", None))


def test_an_unknown_stream_is_refused(time: Time) -> None:
    with pytest.raises(Misconfigured, match="no stream 'order'"):
        list(connected(time).fetch("order", None))


# --- fulfilment orders and payouts ----------------------------------------------------------------------------------


@respx.mock
def test_a_changed_fulfilment_order_has_its_order_read_anew_once(time: Time) -> None:
    changed = [
        {"id": f"gid://shopify/FulfillmentOrder/{n}", "updatedAt": at, "orderId": "gid://shopify/Order/1"}
        for n, at in ((5, "2026-11-01T08:00:00Z"), (6, "2026-11-01T08:30:00Z"))
    ]
    script = Script(
        FulfilmentOrderStamps={"fulfillmentOrders": {"nodes": changed, "pageInfo": LAST}},
        OrdersById={"nodes": [order_node(1, line(1))]},
    )

    [page] = connected(time).fetch("fulfillment_orders", "2026-11-01T00:00:00+00:00")

    assert [received.topic for received in page.received] == ["order_node"]
    assert reached(page) == "2026-11-01T08:25:00+00:00"
    assert script.of("OrdersById")[0]["ids"] == ["gid://shopify/Order/1"]


@respx.mock
def test_a_fulfilment_order_that_the_overlap_finds_again_has_its_order_read_only_if_it_moved(time: Time) -> None:
    def changed(number: int, at: str) -> dict[str, Any]:
        order = f"gid://shopify/Order/{number}"
        return {"id": f"gid://shopify/FulfillmentOrder/{number}", "updatedAt": at, "orderId": order}

    def found(*nodes: dict[str, Any]) -> dict[str, Any]:
        return {"fulfillmentOrders": {"nodes": list(nodes), "pageInfo": LAST}}

    script = Script(
        FulfilmentOrderStamps=[
            found(changed(1, "2026-11-01T08:00:00Z"), changed(2, "2026-11-01T08:00:00Z")),
            found(changed(1, "2026-11-01T08:00:00Z"), changed(2, "2026-11-01T08:01:00Z")),
        ],
        OrdersById=[{"nodes": [order_node(1, line(1)), order_node(2, line(2))]}, {"nodes": [order_node(2, line(2))]}],
    )
    live = connected(time)

    [first] = live.fetch("fulfillment_orders", None)
    [second] = live.fetch("fulfillment_orders", first.cursor)

    assert script.of("OrdersById")[1]["ids"] == ["gid://shopify/Order/2"]
    assert len(second.received) == 1


@respx.mock
def test_a_payout_comes_with_all_that_is_in_it(time: Time) -> None:
    def transaction(number: int, payout: int | None) -> dict[str, Any]:
        of = {"id": f"gid://shopify/ShopifyPaymentsPayout/{payout}", "status": "PAID"}
        return {
            "__typename": "ShopifyPaymentsBalanceTransaction",
            "id": f"gid://shopify/ShopifyPaymentsBalanceTransaction/{number}",
            "transactionDate": "2026-10-20T10:00:00Z",
            "associatedPayout": of if payout else {"id": None, "status": "PENDING"},
        }

    def balance(*nodes: dict[str, Any], more: str | None = None) -> dict[str, Any]:
        page = {"hasNextPage": more is not None, "endCursor": more}
        return {"shopifyPaymentsAccount": {"balanceTransactions": {"nodes": list(nodes), "pageInfo": page}}}

    payout = {
        "__typename": "ShopifyPaymentsPayout",
        "id": "gid://shopify/ShopifyPaymentsPayout/3",
        "issuedAt": "2026-10-21T00:00:00Z",
        "status": "PAID",
    }
    script = Script(
        Balance=[balance(transaction(8, None)), balance(transaction(6, 3), more="b6"), balance(transaction(7, 3))],
        Payouts={"shopifyPaymentsAccount": {"payouts": {"nodes": [payout], "pageInfo": LAST}}},
    )

    pages = list(connected(time).fetch("payouts", None))

    assert [[received.key[:30] for received in page.received] for page in pages] == [
        ["balance_transactions:8:PENDING"],
        [
            "balance_transactions:6:PAID:" + pages[1].received[0].key[28:30],
            "balance_transactions:7:PAID:" + pages[1].received[1].key[28:30],
            "payouts:3:PAID:" + pages[1].received[2].key[15:30],
        ],
    ]
    assert [asked["query"] for asked in script.of("Balance")] == [
        "",
        "payments_transfer_id:3",
        "payments_transfer_id:3",
    ]
    assert [page.more for page in pages] == [True, False]
    assert json.loads(pages[-1].cursor) == {
        "balance": "2026-10-18T10:00:00+00:00",
        "payouts": "2026-09-16T00:00:00+00:00",
    }


@respx.mock
def test_what_is_in_a_payout_is_read_until_it_makes_up_the_payout_and_again_when_the_payout_moved(time: Time) -> None:
    def transaction(number: int, net: str, kind: str = "CHARGE") -> dict[str, Any]:
        return {
            "__typename": "ShopifyPaymentsBalanceTransaction",
            "id": f"gid://shopify/ShopifyPaymentsBalanceTransaction/{number}",
            "transactionDate": "2026-10-20T10:00:00Z",
            "sourceType": kind,
            "net": {"amount": net, "currencyCode": "USD"},
            "associatedPayout": {"id": "gid://shopify/ShopifyPaymentsPayout/3", "status": "IN_TRANSIT"},
        }

    def balance(*nodes: dict[str, Any]) -> dict[str, Any]:
        return {"shopifyPaymentsAccount": {"balanceTransactions": {"nodes": list(nodes), "pageInfo": LAST}}}

    def payout(status: str) -> dict[str, Any]:
        node = {
            "__typename": "ShopifyPaymentsPayout",
            "id": "gid://shopify/ShopifyPaymentsPayout/3",
            "issuedAt": "2026-10-21T00:00:00Z",
            "status": status,
            "net": {"amount": "30.00", "currencyCode": "USD"},
        }
        return {"shopifyPaymentsAccount": {"payouts": {"nodes": [node], "pageInfo": LAST}}}

    half = balance(transaction(6, "10.00"))
    whole = balance(transaction(6, "10.00"), transaction(7, "20.0"), transaction(8, "-30.00", "TRANSFER"))
    none = balance()
    script = Script(
        Balance=[none, half, none, whole, none, none, whole],
        Payouts=[payout("IN_TRANSIT"), payout("IN_TRANSIT"), payout("IN_TRANSIT"), payout("PAID")],
    )
    live = connected(time)

    given: list[int] = []
    cursor = None
    for _ in range(4):
        *_, last = live.fetch("payouts", cursor)
        cursor = last.cursor
        given.append(len(last.received))

    assert given == [2, 4, 0, 4]
    assert [asked["query"] for asked in script.of("Balance")].count("payments_transfer_id:3") == 3


@respx.mock
def test_a_shop_without_its_own_payments_has_no_payouts(time: Time) -> None:
    Script(Balance={"shopifyPaymentsAccount": None}, Payouts={"shopifyPaymentsAccount": None})

    pages = list(connected(time).fetch("payouts", None))

    assert [page.received for page in pages] == [(), ()]
    assert pages[-1].more is False


# --- a backfill -----------------------------------------------------------------------------------------------------


def bulk_order(number: int, updated: str, **more: Any) -> dict[str, Any]:
    whole = order_node(number, line(number), updated=updated, **more)
    for place in ("lineItems", "shippingLines", "discountApplications", "returns", "fulfillmentOrders"):
        whole.pop(place)
    return {"__typename": "Order", "returnStatus": "NO_RETURN", **whole}


def bulk_line(number: int, order: int) -> dict[str, Any]:
    return {"__typename": "LineItem", **line(number), "__parentId": f"gid://shopify/Order/{order}"}


def jsonl(*rows: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(row).encode() for row in rows) + b"\n"


RESULT = "https://storage.example/result.jsonl"
STARTED = {"bulkOperationRunQuery": {"bulkOperation": {"id": "gid://shopify/BulkOperation/4"}, "userErrors": []}}


def state(status: str, url: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"bulkOperation": {"id": "gid://shopify/BulkOperation/4", "status": status, "url": url, "errorCode": code}}


@respx.mock
def test_a_bulk_file_is_put_together_again_and_its_watermark_is_its_latest_change(time: Time) -> None:
    """Rows are not in the order of their stamps; what a bulk operation cannot tell is read by its id."""
    respx.get(RESULT).respond(
        content=jsonl(
            bulk_order(1, "2026-10-09T10:00:00Z"),
            bulk_line(1, 1),
            {
                "__typename": "ShippingLine",
                "id": "gid://shopify/ShippingLine/8",
                "title": "Air",
                "code": "A",
                "isRemoved": False,
                "originalPriceSet": None,
                "discountedPriceSet": None,
                "discountAllocations": [],
                "taxLines": [],
                "__parentId": "gid://shopify/Order/1",
            },
            bulk_order(2, "2026-10-07T10:00:00Z", refunds=[{"id": "gid://shopify/Refund/9"}]),
            bulk_line(2, 2),
            bulk_order(3, "2026-10-08T10:00:00Z"),
            bulk_line(3, 3),
        )
    )
    script = Script(
        BulkRun=STARTED,
        BulkState=[state("CREATED"), state("RUNNING"), state("COMPLETED", RESULT)],
        OrdersById={"nodes": [order_node(2, line(2))]},
    )
    live = connected(time)

    started, pages = None, []
    for page in live.backfill(datetime(2026, 10, 1, tzinfo=UTC), None):
        started = started or page
        pages.append(page)

    assert started is not None
    assert json.loads(started.cursor)["operation"] == "gid://shopify/BulkOperation/4"
    assert [json.loads(received.body)["name"] for received in pages[-1].received] == ["#1", "#3", "#2"]
    assert (pages[-1].cursor, pages[-1].more) == ("2026-10-09T09:55:00+00:00", False)
    assert "updated_at:>='2026-10-01T00:00:00Z'" in script.of("BulkRun")[0]["query"]
    whole = json.loads(pages[-1].received[0].body)
    assert [item["id"] for item in whole["lineItems"]["nodes"]] == ["gid://shopify/LineItem/1"]
    assert [item["title"] for item in whole["shippingLines"]["nodes"]] == ["Air"]
    assert [fact.kind for fact in facts(live, pages[-1].received[1])] == [FactKind.SNAPSHOT]


@respx.mock
def test_an_order_whose_rows_are_apart_is_read_by_its_id_and_never_half(time: Time) -> None:
    respx.get(RESULT).respond(
        content=jsonl(
            bulk_order(1, "2026-10-09T10:00:00Z"),
            bulk_order(2, "2026-10-09T11:00:00Z"),
            bulk_line(2, 2),
            bulk_line(1, 1),
        )
    )
    Script(
        BulkRun=STARTED,
        BulkState=state("COMPLETED", RESULT),
        OrdersById={"nodes": [order_node(1, line(1), line(11))]},
    )

    *_, last = connected(time).backfill(datetime(2026, 10, 1, tzinfo=UTC), None)

    assert [
        (json.loads(one.body)["name"], len(json.loads(one.body)["lineItems"]["nodes"])) for one in last.received
    ] == [
        ("#2", 1),
        ("#1", 2),
    ]


@respx.mock
def test_a_backfill_that_was_broken_off_waits_for_its_operation_and_starts_no_other(time: Time) -> None:
    respx.get(RESULT).respond(content=jsonl(bulk_order(1, "2026-10-09T10:00:00Z"), bulk_line(1, 1)))
    script = Script(BulkRun=STARTED, BulkState=state("COMPLETED", RESULT))
    since = datetime(2026, 10, 1, tzinfo=UTC)

    first = next(iter(connected(time).backfill(since, None)))
    [page] = connected(time).backfill(since, first.cursor)

    assert len(page.received) == 1
    assert len(script.of("BulkRun")) == 1


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ({"BulkRun": STARTED, "BulkState": state("FAILED", code="TIMEOUT")}, Rejected, "ended as FAILED (timeout)"),
        ({"BulkRun": STARTED, "BulkState": state("RUNNING")}, Retryable, "still runs"),
        (
            {
                "BulkRun": {
                    "bulkOperationRunQuery": {
                        "bulkOperation": None,
                        "userErrors": [{"field": None, "message": "already", "code": "OPERATION_IN_PROGRESS"}],
                    }
                }
            },
            Retryable,
            "already",
        ),
        ({"BulkRun": httpx.Response(502)}, Retryable, "502"),
    ],
)
@respx.mock
def test_a_bulk_operation_that_does_not_end_well_has_its_class(
    time: Time, answers: dict[str, Any], error: type[HubError], words: str
) -> None:
    Script(**answers)

    with pytest.raises(error) as caught:
        list(connected(time).backfill(datetime(2026, 10, 1, tzinfo=UTC), None))

    assert words in str(caught.value)


@respx.mock
def test_an_empty_bulk_file_is_a_backfill_of_nothing(time: Time) -> None:
    Script(BulkRun=STARTED, BulkState=state("COMPLETED"))

    *_, last = connected(time).backfill(datetime(2026, 10, 1, tzinfo=UTC), None)

    assert last == Page((), "2026-10-01T00:00:00+00:00", more=False)


# --- the statement, and the subscriptions ---------------------------------------------------------------------------


@respx.mock
def test_a_months_days_are_the_entitys_and_its_count_is_the_shops_own(time: Time) -> None:
    """In New York November 2026 begins at four and, daylight saving over, ends at five in UTC."""
    script = Script(OrdersCount=[{"ordersCount": {"count": 12, "precision": p}} for p in ("EXACT", "AT_LEAST")])
    live = connected(time)

    exact, at_least = (live.count(date(2026, 11, 1), date(2026, 11, 30)) for _ in range(2))

    assert (exact.orders, exact.exact, at_least.exact) == (12, True, False)
    assert script.of("OrdersCount")[0]["query"] == (
        "processed_at:>='2026-11-01T04:00:00Z' AND processed_at:<'2026-12-01T05:00:00Z' AND test:false"
    )


@respx.mock
def test_a_statement_holds_what_is_dated_in_the_period_and_each_order_once(time: Time) -> None:
    paid = {
        "id": "gid://shopify/OrderTransaction/5",
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "bank",
        "test": False,
        "createdAt": "2026-11-03T10:00:00Z",
        "processedAt": "2026-11-03T10:00:00Z",
        "amountSet": order_node(1, line(1))["totalPriceSet"],
        "parentTransaction": None,
    }
    before = order_node(1, line(1), processedAt="2026-10-30T10:00:00Z", transactions=[paid])
    within = order_node(2, line(2), processedAt="2026-11-02T10:00:00Z")
    Script(
        OrderStamps=[stamps(stamp(2)), stamps(stamp(1), stamp(2))],
        OrdersById=[{"nodes": [within]}, {"nodes": [before]}],
    )

    rows = list(connected(time).statement(date(2026, 11, 1), date(2026, 11, 30)))

    assert [(r.row.order, r.row.subject, r.row.total_minor) for r in rows if hasattr(r, "row")] == [
        ("2", "order", 200),
        ("1", "payment", 200),
    ]


@respx.mock
def test_lost_narrowed_and_moved_subscriptions_are_registered_again(time: Time) -> None:
    callback = "https://hub.example/webhooks/shopify-us"

    def held(topic: str, number: int, uri: str = callback, filter: str | None = None) -> dict[str, Any]:  # noqa: A002
        gid = f"gid://shopify/WebhookSubscription/{number}"
        return {"id": gid, "topic": topic, "uri": uri, "format": "JSON", "filter": filter, "includeFields": []}

    nodes = [
        held("ORDERS_CREATE", 1),
        held("ORDERS_UPDATED", 2, filter="total_price:>100"),
        held("ORDERS_PAID", 3, uri="https://old.example/hook"),
    ]
    script = Script(
        Subscriptions={"webhookSubscriptions": {"nodes": nodes, "pageInfo": LAST}},
        Subscribe=[
            {"webhookSubscriptionCreate": {"userErrors": [{"field": ["topic"], "message": "scope is missing"}]}},
            {"webhookSubscriptionCreate": {"webhookSubscription": {"id": "x"}, "userErrors": []}},
        ],
        SubscribeAnew={"webhookSubscriptionUpdate": {"webhookSubscription": {"id": "x"}, "userErrors": []}},
    )

    found = connected(time).subscriptions(callback)

    assert found.kept == ("orders/create",)
    assert found.registered[0] == "orders/updated"
    assert "orders/paid" in found.registered
    assert [problem.path for problem in found.problems] == ["orders/edited"]
    assert script.of("SubscribeAnew") == [
        {
            "id": "gid://shopify/WebhookSubscription/2",
            "to": {"uri": callback, "format": "JSON", "filter": "", "includeFields": []},
        }
    ]
    assert script.of("Subscribe")[1] == {"topic": "ORDERS_CANCELLED", "to": {"uri": callback, "format": "JSON"}}


@pytest.mark.parametrize("callback", ["http://hub.example/webhooks/x", "hub.example"])
def test_a_callback_that_no_shop_can_call_is_refused(time: Time, callback: str) -> None:
    with pytest.raises(Misconfigured):
        connected(time).subscriptions(callback)


def test_a_channel_without_an_address_cannot_be_pulled(time: Time) -> None:
    live = connected(time)
    files_only = type(live).__mro__[1](live.config)

    assert hasattr(live, "fetch")
    assert not hasattr(files_only, "fetch")
    assert live.shop.http.base == ADDRESS
