"""A target with slots: several orders at once and never more calls than it bears, whoever makes them."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from connectors.shopify.simulator import Story
from erp_adapters.ledger.simulator import Fault, LedgerSimulator
from hub.errors import AuthExpired, RateLimited
from hub.model.documents import Document, DocumentKind
from hub.model.intents import Action, Outcome, Probe, ReadBack, Verdict, Write
from hub.model.overlays import OverlayField
from hub.ports import ErpConfig
from hub.steps import slots as by_slots
from hub.steps.hub import Hub
from hub.steps.send import probe, read_back_due, send, send_all
from hub.store import sending, targets
from hub.store.orders import ERP_TARGET
from hub.store.schema import exception, intent, step
from hub.store.targets import Look, Pause
from tests.conftest import Clock
from tests.hub.conftest import ConnectErp
from tests.hub.steps.conftest import OpenHub, plain_story, record, stories, take_in
from tests.hub.steps.test_send import POSTED, documents_of, states

SLOTS = 3


@dataclass
class Watched:
    """What all workers' calls came to, together; `during` is what a call waits for before it answers."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    running: int = 0
    most: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    read: list[int] = field(default_factory=list)
    during: Callable[[list[Write]], None] = lambda _: None


class WatchedLedger(LedgerSimulator):
    call_s_max = 200

    def __init__(self, config: ErpConfig, now: Clock, watched: Watched) -> None:
        super().__init__(config, now)
        self.watched = watched

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        assert len(writes) == 1
        self._enter("put")
        try:
            self.watched.during(list(writes))
            return super().put(writes)
        finally:
            self._leave()

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        self._enter("probe")
        try:
            return super().probe(writes)
        finally:
            self._leave()

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        self._enter("read_back")
        self.watched.read.append(len(documents))
        try:
            return super().read_back(documents)
        finally:
            self._leave()

    def _enter(self, name: str) -> None:
        with self.watched.guard:
            self.watched.calls[name] += 1
            self.watched.running += 1
            self.watched.most = max(self.watched.most, self.watched.running)

    def _leave(self) -> None:
        with self.watched.guard:
            self.watched.running -= 1


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def connect_erp(utc: Clock, watched: Watched) -> ConnectErp:
    return lambda config: WatchedLedger(config, utc, watched)


@pytest.fixture
def erp_settings() -> dict[str, Any]:
    return {"slots": SLOTS}


@pytest.fixture
def orders(hub: Hub) -> list[str]:
    """Eight orders of all kinds, decided and not yet sent."""
    chosen = stories(8)
    take_in(hub, *[record(s.final, s.order_id) for s in chosen])
    return [story.order_id for story in chosen]


def matches(hub: Hub) -> set[Any]:
    with hub.store.connect() as connection:
        return set(connection.execute(select(step.c.matches)).scalars())


def due(hub: Hub) -> int:
    with hub.store.connect() as connection:
        return connection.execute(select(func.count()).where(step.c.read_back_due.is_not(None))).scalar_one()


def test_all_slots_are_used_and_no_more(hub: Hub, orders: list[str], watched: Watched) -> None:
    together = threading.Barrier(SLOTS, timeout=20)

    def wait(_: list[Write]) -> None:
        if watched.calls["put"] <= SLOTS:
            together.wait()

    watched.during = wait

    sent = send_all(hub)

    assert watched.most == SLOTS
    assert (sent.rejected, sent.in_doubt, sent.differing) == (0, 0, 0)
    assert set(states(hub)) == {"done"}


def test_documents_of_an_order_keep_their_order(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))

    send_all(hub)

    assert documents_of(hub, story.order_id) == POSTED


def test_two_workers_share_the_slots(hub: Hub, open_one: OpenHub, orders: list[str], watched: Watched) -> None:
    workers = [hub, open_one()]
    threads = [threading.Thread(target=send_all, args=(one,)) for one in workers]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send_all(hub)

    assert watched.most <= SLOTS
    with hub.store.connect() as connection:
        decided = connection.execute(select(func.count()).select_from(intent)).scalar_one()
        attempts = set(connection.execute(select(step.c.attempts)).scalars())
    assert states(hub) == {"done": decided}
    assert attempts == {1}
    assert watched.calls["put"] == decided


def test_steps_of_a_worker_that_is_gone_hold_their_slots_until_their_leases_run_out(
    hub: Hub, orders: list[str], utc: Clock
) -> None:
    with hub.writing() as connection, connection.begin():
        gone = sending.claim(connection, ERP_TARGET, 9, utc.now, slots=SLOTS, lease_s=230)
        more = sending.claim(connection, ERP_TARGET, 9, utc.now, slots=SLOTS, lease_s=230)
    utc.pass_time(seconds=229)
    early = send_all(hub).total
    utc.pass_time(seconds=2)

    send_all(hub)

    assert (len(gone), len(more), early) == (SLOTS, 0, 0)
    assert set(states(hub)) == {"done"}


def test_a_lease_outlasts_the_longest_call_that_the_adapter_makes(hub: Hub, orders: list[str], utc: Clock) -> None:
    left: list[str | None] = []

    def look(_: list[Write]) -> None:
        with hub.store.connect() as connection:
            left.extend(connection.execute(select(step.c.leased_until).where(step.c.state == "sent")).scalars())

    hub.erp.watched.during = look

    send(hub, limit=1)

    assert left == ["2026-11-02T12:03:50.000000Z"]  # 200 s and 30


@pytest.mark.parametrize("fault", list(Fault))
def test_lost_answers_end_in_one_document_each(hub: Hub, orders: list[str], utc: Clock, fault: Fault) -> None:
    hub.erp.fail_next(*[fault] * 4)

    for _ in range(6):
        send_all(hub)
        utc.pass_time(seconds=61)

    assert set(states(hub)) == {"done"}
    assert matches(hub) == {True}
    with hub.store.connect() as connection:
        decided = sorted(connection.execute(select(intent.c.document_key).distinct()).scalars())
    assert sorted(hub.erp.held(decided)) == decided


def test_an_order_in_doubt_waits_and_the_others_go_on(hub: Hub, orders: list[str], utc: Clock) -> None:
    erp = hub.settings.erp.model_copy(update={"settle_s": 900})
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"erp": erp}))
    lost: list[str] = []

    def lose(writes: list[Write]) -> None:
        order = writes[0].document.order
        if not lost and order is not None and writes[0].document.kind is DocumentKind.SALES_ORDER:
            lost.append(order.external_id)
            hub.erp.fail_next(Fault.LOST_BEFORE)

    hub.erp.watched.during = lose

    send_all(hub)

    assert states(hub)["in_doubt"] == 1
    assert documents_of(hub, lost[0]) == []
    with hub.store.connect() as connection:
        waiting = select(step.c.order_id).where(step.c.state == "planned").distinct()
        assert set(connection.execute(waiting).scalars()) == {lost[0]}
    utc.pass_time(seconds=901)
    send_all(hub)
    assert set(states(hub)) == {"done"}


def test_a_customer_in_doubt_holds_its_own_orders_alone(hub: Hub, orders: list[str], utc: Clock) -> None:
    erp = hub.settings.erp.model_copy(update={"settle_s": 900})
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"erp": erp}))
    lost: list[str] = []

    def lose(writes: list[Write]) -> None:
        if not lost and writes[0].document.kind is DocumentKind.CUSTOMER:
            lost.append(writes[0].document.key)
            hub.erp.fail_next(Fault.LOST_BEFORE)

    hub.erp.watched.during = lose

    send_all(hub)

    with hub.store.connect() as connection:
        query = select(intent.c.content).join(step, step.c.intent_id == intent.c.id).where(step.c.state == "planned")
        held = list(connection.execute(query).scalars())
    assert held
    assert all(f'"{lost[0]}"' in content for content in held)
    assert states(hub)["done"] > len(held)
    utc.pass_time(seconds=901)
    send_all(hub)
    assert set(states(hub)) == {"done"}


def test_a_pause_that_one_call_was_asked_for_stops_all(hub: Hub, orders: list[str], utc: Clock) -> None:
    asked: list[int] = []

    def limit(_: list[Write]) -> None:
        if not asked:
            asked.append(1)
            raise RateLimited("slow down", 30)

    hub.erp.watched.during = limit
    send_all(hub)
    during = hub.erp.watched.calls["put"]

    utc.pass_time(seconds=31)
    send_all(hub)

    assert during <= 2 * SLOTS
    assert set(states(hub)) == {"done"}


def test_credentials_that_expire_open_one_exception_whoever_notices(hub: Hub, orders: list[str], utc: Clock) -> None:
    together = threading.Barrier(SLOTS, timeout=20)

    def expire(_: list[Write]) -> None:
        if hub.erp.watched.calls["put"] <= SLOTS:
            together.wait()
            raise AuthExpired("the token is no longer good")

    hub.erp.watched.during = expire
    send_all(hub)
    with hub.store.connect() as connection:
        opened = connection.execute(select(exception.c.fingerprint)).scalars().all()
        stands = targets.standing(connection, ERP_TARGET, utc.now)
    utc.pass_time(seconds=301)

    send_all(hub)

    assert opened == ["paused:erp"]
    assert stands.pause is Pause.CREDENTIALS
    assert set(states(hub)) == {"done"}


class Bug(Exception):
    """Something that nobody thought of."""


def test_a_fault_of_the_program_in_one_call_leaves_it_in_doubt_and_settles_the_others(
    hub: Hub, orders: list[str], utc: Clock
) -> None:
    together = threading.Barrier(SLOTS, timeout=20)
    raised: list[int] = []

    def fail(_: list[Write]) -> None:
        if hub.erp.watched.calls["put"] <= SLOTS:
            together.wait()
            with hub.erp.watched.guard:
                first = not raised
                raised.append(1)
            if first:
                raise Bug

    hub.erp.watched.during = fail

    with pytest.raises(Bug):
        send_all(hub)

    assert (states(hub)["sent"], states(hub)["done"]) == (1, SLOTS - 1)
    utc.pass_time(seconds=231)
    send_all(hub)
    assert set(states(hub)) == {"done"}


# --- read-backs ----------------------------------------------------------------------------------------------------


def test_documents_are_read_back_many_in_one_call(
    hub: Hub, orders: list[str], watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_slots, "READ_BACKS_AT_ONCE", 20)

    send_all(hub)

    puts = watched.calls["put"]
    assert watched.calls["read_back"] <= puts // 20 + 1
    assert sum(watched.read) == puts
    assert matches(hub) == {True}
    assert due(hub) == 0


def test_successors_do_not_wait_for_the_read_back(hub: Hub) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    masters = states(hub)["planned"] - len(POSTED)

    send(hub, limit=masters + 2)

    assert documents_of(hub, story.order_id) == POSTED[:2]


def test_a_reader_that_is_gone_holds_its_slot_until_its_lease_runs_out(hub: Hub, orders: list[str], utc: Clock) -> None:
    send(hub, limit=4)
    with hub.writing() as connection, connection.begin():
        connection.execute(
            update(step).where(step.c.state == "done").values(read_back_due="2026-11-02T12:00:00.000000Z")
        )
        targets.lease(connection, ERP_TARGET, Look.READ_BACK, utc.now + timedelta(seconds=230))
        free = sending.free_slots(connection, ERP_TARGET, SLOTS, utc.now)

    early = read_back_due(hub)
    utc.pass_time(seconds=231)

    assert (free, early, read_back_due(hub)) == (SLOTS - 1, 0, 4)


def test_what_differs_is_an_exception_when_it_is_read(hub: Hub, orders: list[str], utc: Clock) -> None:
    def alter(writes: list[Write]) -> None:
        document = writes[0].document
        if document.kind is DocumentKind.INVOICE:
            hub.erp.watched.during = lambda _: None
            hub.erp.altered = document.key

    hub.erp.watched.during = alter
    read_back = hub.erp.read_back

    def edited(documents: Sequence[Document]) -> list[ReadBack | None]:
        if (key := getattr(hub.erp, "altered", None)) in {one.key for one in documents}:
            hub.erp.edit_amount(hub.erp.ref(key), 100)
        return list(read_back(documents))

    hub.erp.read_back = edited

    sent = send_all(hub)

    assert sent.differing == 1
    with hub.store.connect() as connection:
        assert connection.execute(select(exception.c.fingerprint)).scalars().all() == ["read_back:invoice"]


def test_a_document_that_is_not_to_be_seen_yet_is_read_again(hub: Hub, orders: list[str], utc: Clock) -> None:
    erp = hub.settings.erp.model_copy(update={"settle_s": 900})
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"erp": erp}))
    read_back = hub.erp.read_back
    hub.erp.read_back = lambda documents: [None] * len(documents)
    send_all(hub)
    assert matches(hub) == {None}
    hub.erp.read_back = read_back
    assert read_back_due(hub) == 0

    utc.pass_time(seconds=61)
    send_all(hub)

    assert matches(hub) == {True}
    assert due(hub) == 0


def test_a_document_written_again_meanwhile_is_read_back_for_its_last_write_alone(hub: Hub, utc: Clock) -> None:
    story = plain_story()
    take_in(hub, record(story.final, "one"))
    masters = states(hub)["planned"] - len(POSTED)
    send(hub, limit=masters + 1)
    with hub.writing() as connection, connection.begin():
        connection.execute(
            update(step).where(step.c.state == "done").values(read_back_due="2026-11-02T12:00:00.000000Z", matches=None)
        )
    changed = story.final | {"updated_at": "2026-11-01T09:00:00+00:00", "name": "#1001-B"}

    take_in(hub, record(changed, "changed"))
    send_all(hub)

    with hub.store.connect() as connection:
        query = (
            select(intent.c.action, step.c.matches)
            .join(step, step.c.intent_id == intent.c.id)
            .where(intent.c.kind == "sales_order")
            .order_by(step.c.id)
        )
        rows: Any = connection.execute(query).all()
    assert [tuple(row) for row in rows] == [(Action.CREATE.value, None), (Action.AMEND.value, True)]
    assert due(hub) == 0


def test_a_probe_is_made_by_one_worker_at_a_time(hub: Hub, orders: list[str], utc: Clock) -> None:
    hub.erp.fail_next(Fault.LOST_AFTER)
    with hub.writing() as connection, connection.begin():
        claimed = sending.claim(connection, ERP_TARGET, 1, utc.now, slots=SLOTS)
        sending.settle_in_doubt(connection, claimed, utc.now)
        mine = sending.claim_doubtful(connection, ERP_TARGET, 9, utc.now, slots=SLOTS, lease_s=120)

    other = probe(hub)
    utc.pass_time(seconds=121)

    assert (len(mine), other.total) == (1, 0)
    assert probe(hub).again == 1


def test_a_write_that_was_not_made_is_no_verdict_on_the_order(hub: Hub, orders: list[str], utc: Clock) -> None:
    """A record that somebody has open: the step waits a little, the other orders go on."""
    unsent: list[str] = []
    put = LedgerSimulator.put

    def busy(writes: Sequence[Write]) -> list[Outcome]:
        if not unsent and writes[0].document.kind is DocumentKind.SALES_ORDER:
            unsent.append(writes[0].document.key)
            return [Outcome(Verdict.UNSENT)]
        return put(hub.erp, writes)

    hub.erp.put = busy
    send_all(hub)
    before = states(hub)
    utc.pass_time(seconds=6)

    send_all(hub)

    assert before["planned"] > 0
    assert set(states(hub)) == {"done"}


# --- urgency -------------------------------------------------------------------------------------------------------

OCTOBER_ENDS = "2026-11-01T04:00:00.000000Z"  # in New York


def urgencies(hub: Hub) -> dict[str, set[str | None]]:
    with hub.store.connect() as connection:
        query = select(step.c.order_id, step.c.urgent_by).where(step.c.order_id != "", step.c.state != "superseded")
        found: dict[str, set[str | None]] = {}
        for order_id, urgent in connection.execute(query):
            found.setdefault(order_id, set()).add(urgent)
    return found


def promised(story: Story, by: str | None, minute: int = 0) -> dict[str, Any]:
    """The order, unshipped, with a day on which it is to be shipped."""
    attributes = [{"name": "ship by", "value": by}] if by else []
    unshipped: dict[str, Any] = {
        "fulfillments": [],
        "fulfillment_status": None,
        "updated_at": f"2026-10-30T09:{minute:02}:00+00:00",
    }
    return story.final | unshipped | {"note_attributes": attributes}


@pytest.fixture
def waiting(hub: Hub) -> list[Story]:
    """Three orders of October whose customers and items stand; the merchant keeps ship-by days in an attribute."""
    (channel,) = hub.settings.channels
    overlays = {OverlayField.PROMISED_SHIP_BY: ("note_attributes[?name=='ship by'].value | [0]",)}
    told = channel.model_copy(update={"overlays": overlays})
    object.__setattr__(hub, "settings", hub.settings.model_copy(update={"channels": (told,)}))
    three = [s for s in stories(60) if "plain" in s.traits and s.final["fulfillments"]][:3]
    days = (None, "2026-10-20T12:00:00Z", "2026-10-10T12:00:00Z")
    take_in(hub, *[record(promised(s, day), s.order_id) for s, day in zip(three, days, strict=True)])
    with hub.store.connect() as connection:
        masters = connection.execute(select(func.count()).where(step.c.order_id == "")).scalar_one()
    send(hub, limit=masters)
    return three


def claimed(hub: Hub, limit: int) -> list[str]:
    """The orders whose steps would be sent next; nothing is."""
    with hub.writing() as connection, connection.begin() as transaction:
        found = sending.claim(connection, ERP_TARGET, limit, hub.clock(), slots=SLOTS)
        transaction.rollback()
    return [one.order_id for one in found]


def test_what_is_late_first_is_sent_first(hub: Hub, waiting: list[Story]) -> None:
    plain, later, sooner = [story.order_id for story in waiting]

    assert urgencies(hub) == {
        plain: {OCTOBER_ENDS},
        later: {"2026-10-20T12:00:00.000000Z"},
        sooner: {"2026-10-10T12:00:00.000000Z"},
    }
    assert claimed(hub, 1) == [sooner]
    assert claimed(hub, 3) == [sooner, later, plain]


def test_what_stands_before_a_step_that_is_more_urgent_is_as_urgent(hub: Hub, waiting: list[Story]) -> None:
    plain = waiting[0]
    shorter = promised(plain, "2026-10-02T12:00:00Z", minute=1) | {"name": "#1001-B"}
    with hub.writing() as connection, connection.begin():
        (begun,) = sending.claim(connection, ERP_TARGET, 1, hub.clock(), slots=1)
        sending.plan_again(connection, [(begun, None)])
        first = update(step).where(step.c.order_id == plain.order_id, step.c.state == "planned")
        connection.execute(first.values(part="order"))  # it is begun, so a later decision does not take its place

    take_in(hub, record(shorter, "shorter"))

    assert urgencies(hub)[plain.order_id] == {"2026-10-02T12:00:00.000000Z"}
    assert claimed(hub, 1) == [plain.order_id]


def test_steps_decided_before_there_were_slots_are_sent_by_their_age(hub: Hub, waiting: list[Story]) -> None:
    with hub.writing() as connection, connection.begin():
        connection.execute(update(step).values(urgent_by=None))

    assert claimed(hub, 3) == [story.order_id for story in waiting]
