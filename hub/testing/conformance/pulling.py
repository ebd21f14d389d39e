"""Pulls: every order once, whole, whatever stands at a page's edge and wherever the pull was broken off."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any, Final

import pytest

from hub.errors import AuthExpired, Rejected, Retryable, Untranslatable
from hub.model.facts import FactKind
from hub.model.order import Snapshot
from hub.model.records import Received
from hub.ports import Backfills, Fetches, FetchesOrders, Translates
from hub.testing.conformance.bench import Bench, FarSide, Fault
from hub.testing.conformance.wiring import Connect, Wiring, armed, needed, record, served, walked

LINES_OF_THE_WIDEST: Final = 300
PULLS_MAX: Final = 60  # of one stream, each from where the one before was broken off
WEATHER: Final = (
    Fault.RATE_LIMITED,
    Fault.THROTTLED,
    Fault.SERVER_ERROR,
    Fault.FAILED_AFTER,
    Fault.BROKEN_ANSWER,
    Fault.CUT_SHORT,
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
)


def orders_of(connector: Any, received: list[Received]) -> list[str]:
    """The orders that the records are snapshots of, in their order."""
    return [
        fact.order.external_id
        for one in received
        for fact in connector.translate(record(one)).facts
        if fact.kind is FactKind.SNAPSHOT
    ]


def present(far: FarSide) -> set[str]:
    return {order.id for order in far.truth() if not order.deleted}


class TestFetching:
    abilities = (Fetches, Translates)
    rules = ("pulls_neither_lose_nor_double",)

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        return connector

    def test_every_order_comes_once_and_whole(self, connector: Any, far: FarSide) -> None:
        truth = {order.id: order for order in far.truth()}

        received = walked(connector.fetch(main(connector), None))

        found = [
            (fact.order.external_id, fact.body)
            for one in received
            for fact in connector.translate(record(one)).facts
            if isinstance(fact.body, Snapshot)
        ]
        assert sorted(order for order, _ in found) == sorted(present(far))
        assert len({one.key for one in received}) == len(received)
        for order, body in found:
            said = truth[order]
            assert (body.currency, body.claimed_total_minor, len(body.lines), body.test) == (
                said.currency,
                said.claimed_minor,
                said.lines,
                said.test,
            ), order
        assert max(len(body.lines) for _, body in found) == LINES_OF_THE_WIDEST

    def test_the_last_page_says_so_and_every_page_before_it_that_more_come(self, connector: Any) -> None:
        for stream in connector.streams:
            pages = list(connector.fetch(stream.name, None))

            assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False], stream.name

    def test_every_record_of_every_stream_translates_the_same_each_time(self, connector: Any, connect: Connect) -> None:
        another = connect()
        parked = []

        for stream in connector.streams:
            for one in walked(connector.fetch(stream.name, None)):
                try:
                    found = connector.translate(record(one))
                except Untranslatable as error:
                    parked.append(f"{stream.name}: {error}")
                else:
                    assert found == connector.translate(record(one)) == another.translate(record(one))

        assert parked == []

    def test_what_is_pulled_again_has_the_same_keys(self, connector: Any, connect: Connect, far: FarSide) -> None:
        first = list(connector.fetch(main(connector), None))

        far.pass_time(3600)
        whole, since = (walked(connect().fetch(main(connector), cursor)) for cursor in (None, first[-1].cursor))

        assert {one.key for one in whole} == {one.key for one in walked(first)}
        assert {one.key for one in since} <= {one.key for one in whole}

    def test_a_cursor_never_passes_over_what_changed_after_it(self, connector: Any, far: FarSide) -> None:
        pages = list(connector.fetch(main(connector), None))
        one, *_, other = sorted(present(far))

        far.touch([one, other])
        again = walked(connector.fetch(main(connector), pages[-1].cursor))

        assert set(orders_of(connector, again)) >= {one, other}

    def test_it_begins_where_it_is_told_to(self, connector: Any, far: FarSide) -> None:
        one = sorted(present(far))[0]
        far.pass_time(86_400)
        since = far.now()
        far.pass_time(60)
        far.touch([one])

        assert orders_of(connector, walked(connector.fetch(main(connector), None, since))) == [one]

    def test_a_pull_through_bad_weather_that_is_broken_off_and_resumed_loses_nothing(
        self, connector: Any, connect: Connect, far: FarSide
    ) -> None:
        """Nearly a third of all requests fail; whoever pulls keeps the last cursor, and another process goes on."""
        for fault in WEATHER:
            far.fail_in(fault, 45)
        received: list[Received] = []
        cursor, broken = None, 0

        for _ in range(PULLS_MAX):
            try:
                for page in connector.fetch(main(connector), cursor):
                    received += page.received
                    cursor = page.cursor
                break
            except Retryable:
                broken += 1
                far.pass_time(60)
                connector = connect()
        else:
            pytest.fail(f"broken off {broken} times, and never came to its end")

        assert set(orders_of(connector, received)) == present(far)


class TestFetchingMany:
    """With more orders than a page holds."""

    abilities = (Fetches, Translates)
    rules = ("pulls_neither_lose_nor_double",)

    @pytest.fixture(scope="class")
    @classmethod
    def many(cls, bench: Bench, system: str) -> Iterator[Wiring]:
        with bench.open(bench.page_orders + bench.page_orders // 5) as far, closing(Wiring(system, far)) as wiring:
            needed(wiring.connect(), *cls.abilities)
            yield wiring

    def test_no_order_is_lost_or_doubled_at_a_page_edge_among_equals(self, many: Wiring) -> None:
        """All of them changed in one and the same moment, and another process goes on from the first page."""
        far, connector = many.far, many.connect()
        far.touch(sorted(present(far)))

        walk = connector.fetch(main(connector), None)
        first = next(walk)
        rest = walked(walk)
        after = walked(many.connect().fetch(main(connector), first.cursor))

        assert first.more, "bench.page_orders is more than a page holds"
        assert sorted(orders_of(connector, [*first.received, *rest])) == sorted(present(far))
        assert {one.key for one in (*first.received, *after)} == {one.key for one in (*first.received, *rest)}

    def test_what_changes_while_it_is_pulled_is_known_as_it_is_in_the_end(self, many: Wiring) -> None:
        """Orders of a page that was read, and of pages to come, change between two pages: they leave their place."""
        far, connector = many.far, many.connect()
        pages = connector.fetch(main(connector), None)
        received = list((first := next(pages)).received)
        read = orders_of(connector, received)
        unread = sorted(present(far) - set(read))

        far.pass_time(60)
        far.touch([*read[:3], *read[-3:], *unread[:3], *unread[-3:]])
        cursor = first.cursor
        for page in pages:
            received += page.received
            cursor = page.cursor
        received += walked(connector.fetch(main(connector), cursor))

        known: dict[str, datetime] = {}
        for one in received:
            for fact in connector.translate(record(one)).facts:
                if fact.kind is FactKind.SNAPSHOT:
                    order = fact.order.external_id
                    known[order] = max(fact.modified_at, known.get(order, fact.modified_at))
        assert known == {order.id: order.modified_at for order in far.truth()}


class TestFetchingOrders:
    abilities = (FetchesOrders, Translates)
    rules = ("orders_are_read_by_id",)

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        return connector

    def test_orders_come_by_id_whole_and_each_once(self, connector: Any, far: FarSide) -> None:
        ids = sorted(present(far))

        received = list(connector.fetch_orders([*ids, ids[0]]))

        assert sorted(orders_of(connector, received)) == ids

    def test_what_is_read_by_id_is_what_is_pulled(self, connector: Any, connect: Connect, far: FarSide) -> None:
        needed(connector, Fetches)

        received = {one.key for one in connector.fetch_orders(sorted(present(far)))}

        assert received == {one.key for one in walked(connect().fetch(main(connector), None))}

    def test_an_order_that_is_gone_comes_as_its_deletion_with_the_same_key_each_time(
        self, connector: Any, connect: Connect, far: FarSide
    ) -> None:
        gone, stays, *_ = sorted(present(far))
        far.delete(gone)

        received = list(connector.fetch_orders([gone, stays]))
        far.pass_time(60)
        again = list(connect().fetch_orders([gone, stays]))

        assert [one.key for one in received] == [one.key for one in again]
        deleted = [
            fact.order.external_id
            for one in received
            for fact in connector.translate(record(one)).facts
            if fact.kind is FactKind.DELETION
        ]
        assert deleted == [gone]
        assert orders_of(connector, received) == [stays]

    def test_access_denied_is_no_deletion(self, bench: Bench, connector: Any, far: FarSide) -> None:
        ids = sorted(present(far))[:2]
        armed(bench, far.fail(Fault.ACCESS_DENIED), Fault.ACCESS_DENIED)

        with pytest.raises((Rejected, AuthExpired)):
            list(connector.fetch_orders(ids))


class TestBackfilling:
    abilities = (Backfills, Translates)
    rules = ("backfills_neither_lose_nor_double",)

    @pytest.fixture
    def connector(self, connect: Connect, bench: Bench) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        served(bench, Backfills)
        return connector

    def test_everything_since_a_moment_comes_and_its_cursor_is_one_to_pull_from(
        self, connector: Any, connect: Connect, far: FarSide
    ) -> None:
        pages = list(connector.backfill(min(order.placed_at for order in far.truth()), None))

        assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
        assert sorted(orders_of(connector, walked(pages))) == sorted(present(far))
        needed(connector, Fetches)
        assert len(walked(connect().fetch(main(connector), pages[-1].cursor))) < len(present(far))

    def test_broken_off_after_any_page_it_goes_on_and_loses_nothing(
        self, connector: Any, connect: Connect, far: FarSide
    ) -> None:
        since = min(order.placed_at for order in far.truth())
        received: list[Received] = []
        cursor, more = None, True

        for _ in range(PULLS_MAX):
            page = next(iter(connect().backfill(since, cursor)))
            received += page.received
            cursor, more = page.cursor, page.more
            if not more:
                break

        assert not more
        assert set(orders_of(connector, received)) == present(far)


def main(connector: Any) -> str:
    """The stream of orders: a connector names it first."""
    name: str = connector.streams[0].name
    return name
