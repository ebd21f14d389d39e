"""The ledger as the suite for ERP adapters wants it: a file of its own, faults between it and its adapter, people."""

from __future__ import annotations

import datetime
import random
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import yaml
from sqlalchemy import Engine, event, select

from erp_adapters.ledger import schema
from erp_adapters.ledger.documents import document_of, ref_of
from hub.model.documents import MASTER_KINDS, Component, Document, DocumentKey, DocumentKind, DocumentLine
from hub.ports import EntityConfig, ErpConfig
from hub.testing.conformance.bench import Fault, Login
from hub.testing.conformance.erp_bench import Company, Held, Need

if TYPE_CHECKING:
    from erp_adapters.ledger.simulator import LedgerSimulator

CONFIG: Final = Path(__file__).resolve().parents[2] / "config"
START: Final = datetime.datetime(2026, 3, 10, 15, tzinfo=datetime.UTC)
FOUNDED: Final = datetime.datetime(2026, 1, 9, 15, tzinfo=datetime.UTC)
ON_HAND: Final = 1000
STOCK_ACCOUNTS: Final = ("1300", "1350", "5000")
KINDS_LEFT_OUT: Final = (*MASTER_KINDS, DocumentKind.STOCK_RECEIPT, DocumentKind.STOCK_ADJUSTMENT)
MET: Final = (Fault.SERVER_ERROR, Fault.LOST_BEFORE, Fault.LOST_AFTER)
"""What can happen between an adapter and a database."""

COMPANY: Final = Company(
    entity="main",
    currency="USD",
    timezone="America/New_York",
    items={"MUG-ENAMEL-BLU": 377, "SOCK-HIKE-2": 506},
    gift_card="GIFT-50",
    location="main",
    elsewhere="east",
    method="shopify_payments",
    jurisdictions=("State Tax", "County Tax"),
    rates={"EUR": "1.0931", "JPY": "0.00671", "KWD": "3.2517"},
    chart=yaml.safe_load((CONFIG / "chart.yaml").read_text()),
    policies=yaml.safe_load((CONFIG / "policies.yaml").read_text()),
)


class OpensLedger(Protocol):
    def __call__(
        self, config: ErpConfig, now: Callable[[], datetime.datetime], faults: deque[Any] | None = None
    ) -> LedgerSimulator: ...


class Rig:
    """One ledger; hub.testing.conformance.erp_bench says what is asked of it."""

    address = None
    company = COMPANY

    def __init__(self, database: Path, opens: OpensLedger, late: Any) -> None:
        """
        Args:
            database: the file; one that is not there is set up with the company.
        """
        new = not database.exists()
        self.database_url = f"sqlite:///{database}"
        self._opens, self._late = opens, late
        self._now = START
        self._opened: list[LedgerSimulator] = []
        self._next: deque[Fault | None] = deque()
        self._next_write: deque[Fault] = deque()
        self._late_next: deque[Any] = deque()
        self._always: Fault | None = None
        self._rates: dict[Fault, int] = {}
        self._chance = random.Random(11)  # noqa: S311  a simulator's faults
        self._met = threading.local()
        self._gone = False
        entities = (EntityConfig(COMPANY.entity, COMPANY.currency, COMPANY.timezone),)
        config = ErpConfig(
            "people", self.database_url, entities, dict(COMPANY.chart), dict(COMPANY.policies), clock=self.now
        )
        self._people = opens(config, self.now)
        _hurry(self._people.engine)
        if new:
            self._now = FOUNDED
            self._found()
            self._now = START

    def _found(self) -> None:
        for code, cost in {**COMPANY.items, COMPANY.gift_card: 0}.items():
            line = DocumentLine(Component.STOCK, cost, item=code, quantity=1)
            self._people.type_in(
                Document(
                    DocumentKey(""),
                    DocumentKind.ITEM,
                    COMPANY.entity,
                    COMPANY.currency,
                    START.date(),
                    (line,),
                    memo=code,
                )
            )
        for code, cost in COMPANY.items.items():
            self._people.receive(code, ON_HAND, cost * ON_HAND)

    def close(self) -> None:
        for one in (*self._opened, self._people):
            one.close_connections()

    # --- the adapter's side -------------------------------------------------------------------------------------------

    def connect(self, plugin: Callable[[Any], Any], config: Any) -> Any:
        """The ledger's adapter with faults between it and its database; the plugin's own differs in its clock alone."""
        adapter = self._opens(config, self.now, self._late_next)
        _hurry(adapter.engine)
        self._come_between(adapter.engine)
        self._opened.append(adapter)
        return adapter

    def tokens(self) -> Sequence[str]:
        return ()

    def logins(self) -> Mapping[str, Login]:
        return {"database": Login({}, {})}

    def leave(self) -> None:
        self._gone = True

    def now(self) -> datetime.datetime:
        return self._now

    def pass_time(self, seconds: float) -> None:
        self._now += datetime.timedelta(seconds=seconds)
        for one in self._opened:
            one.settle()

    # --- faults -------------------------------------------------------------------------------------------------------

    def fail(self, fault: Fault, times: int | None = 1, *, after: int = 0) -> bool:
        if fault is Fault.LATE_COMMIT:
            self._late_next.extend([self._late] * (times or 1))
            return True
        if fault not in MET:
            return False
        if times is None:
            self._always = fault
        else:
            self._next.extend([None] * after + [fault] * times)
        return True

    def fail_write(self, fault: Fault) -> bool:
        if fault not in MET:
            return self.fail(fault)
        self._next_write.append(fault)
        return True

    def fail_in(self, fault: Fault, per_mille: int) -> bool:
        if fault not in MET:
            return False
        self._rates[fault] = per_mille
        return True

    def heal(self) -> None:
        self._next.clear()
        self._next_write.clear()
        self._late_next.clear()
        self._rates.clear()
        self._always = None
        self._gone = False

    def lag(self, seconds: int) -> None:
        raise NotImplementedError(BENCH_LACKS[Need.SEARCH_LAG])

    def _drawn(self, *, writes: bool) -> Fault | None:
        if self._gone:
            return Fault.SERVER_ERROR
        if writes and self._next_write:
            return self._next_write.popleft()
        if self._next:
            return self._next.popleft()
        at = self._chance.randrange(1000) if self._rates else 0
        for fault, rate in self._rates.items():
            at -= rate
            if at < 0:
                return fault
        return self._always

    def _come_between(self, engine: Engine) -> None:
        """Each transaction of the engine may meet a fault: at its beginning, or at its commit."""
        dialect: Any = engine.dialect
        execute, commit, rollback = dialect.do_execute, dialect.do_commit, dialect.do_rollback
        error = dialect.loaded_dbapi.OperationalError

        def do_execute(cursor: Any, statement: str, parameters: Any, context: Any = None) -> Any:
            if statement.startswith("BEGIN"):
                writes = statement == "BEGIN IMMEDIATE"
                self._met.fault = self._drawn(writes=writes)
                if self._met.fault is Fault.SERVER_ERROR or (self._met.fault is not None and not writes):
                    raise error("database is locked")
            return execute(cursor, statement, parameters, context)

        def do_commit(connection: Any) -> None:
            fault, self._met.fault = getattr(self._met, "fault", None), None
            if fault is Fault.LOST_BEFORE:
                rollback(connection)
                raise error("server closed the connection unexpectedly")
            commit(connection)
            if fault is Fault.LOST_AFTER:
                raise error("server closed the connection unexpectedly")

        dialect.do_execute, dialect.do_commit = do_execute, do_commit

    # --- the truth ----------------------------------------------------------------------------------------------------

    def held(self) -> Sequence[Held]:
        document, entry, posting = schema.document.c, schema.entry.c, schema.posting.c
        sums: dict[int, dict[str, int]] = {}
        with self._people.engine.connect() as connection:
            moved = (
                select(entry.document, posting.account, posting.amount_minor)
                .select_from(schema.entry.join(schema.posting, entry.id == posting.entry))
                .where(posting.account.not_in(STOCK_ACCOUNTS))
            )
            for id, account, minor in connection.execute(moved):
                of = sums.setdefault(id, {})
                of[account] = of.get(account, 0) + minor
            return [
                Held(
                    x.key or "",
                    ref_of(x.kind, x.id),
                    x.kind,
                    x.currency,
                    x.date,
                    x.lines,
                    tuple(sorted((account, minor) for account, minor in sums.get(x.id, {}).items() if minor)),
                    x.voided,
                    tuple(parcel.tracking_number or "" for parcel in document_of(x.body).parcels),
                )
                for x in connection.execute(select(schema.document).where(document.kind.not_in(KINDS_LEFT_OUT)))
            ]

    # --- people -------------------------------------------------------------------------------------------------------

    def edit(self, key: str, delta_minor: int) -> None:
        self._people.edit_amount(self._people.ref(key), delta_minor)

    def delete(self, key: str) -> None:
        self._people.void(self._people.ref(key))

    def copy(self, key: str) -> str:
        return self._people.copy(self._people.ref(key))

    def move(self, key: str, on: datetime.date) -> None:
        self._people.move(self._people.ref(key), on)

    def ship(self, order: str, units: Mapping[str, int], *, carrier: str, tracking_number: str) -> str:
        return self._people.fulfil(
            order, units, location=COMPANY.location, carrier=carrier, tracking_number=tracking_number
        )

    def unship(self, ref: str) -> None:
        self._people.void(ref)

    def count(self, item: str, delta: int) -> int:
        self._people.adjust(item, delta, location=COMPANY.location)
        return self._people.on_hand(item, location=COMPANY.location)

    def close_period(self, on: datetime.date) -> None:
        self._people.close(COMPANY.entity, f"{on:%Y-%m}")

    def open_period(self, on: datetime.date) -> None:
        self._people.open(COMPANY.entity, f"{on:%Y-%m}")

    def take_key(self, key: str) -> None:
        raise NotImplementedError(BENCH_LACKS[Need.TAKEN_KEYS])

    def double(self, key: str) -> None:
        raise NotImplementedError(BENCH_LACKS[Need.DOUBLE_KEYS])


_NO_SERVICE: Final = "a database has no service before it that could do so"
BENCH_LACKS: Final[Mapping[str, str]] = {
    Fault.RATE_LIMITED: "a database sets no limit of calls",
    Fault.THROTTLED: "a database sets no limit of calls",
    Fault.FAILED_AFTER: "a database that says that it failed has undone what was asked",
    Fault.BROKEN_ANSWER: _NO_SERVICE,
    Fault.CUT_SHORT: _NO_SERVICE,
    Fault.TOKEN_EXPIRED: _NO_SERVICE,
    Fault.ECHO: _NO_SERVICE,
    Fault.ACCESS_DENIED: _NO_SERVICE,
    Fault.REVOKED: _NO_SERVICE,
    Fault.DRIFT: _NO_SERVICE,
    Need.CREDENTIALS: "who may write is the database's matter",
    Need.LOCATIONS: "a location is a word there, and any will do",
    Need.FIELD_LENGTHS: "its texts have no bound",
    Need.TAKEN_KEYS: "people have no way to give a document a key",
    Need.DOUBLE_KEYS: "the key is unique by constraint",
    Need.SEARCH_LAG: "it is searched where it is written",
}


class LedgerBench:
    home = Path(__file__).parent
    lacks = BENCH_LACKS
    too_long = 0

    def __init__(self, opens: OpensLedger, late: Any) -> None:
        """
        Args:
            opens: the ledger behind its fault harness.
            late: the harness's word for a commit that comes late.
        """
        self._opens, self._late = opens, late
        self._founded: bytes | None = None  # the file of a company without documents

    @contextmanager
    def open(self) -> Iterator[Rig]:
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "ledger.db"
            if self._founded is None:
                Rig(database, self._opens, self._late).close()
                self._founded = database.read_bytes()
            database.write_bytes(self._founded)
            rig = Rig(database, self._opens, self._late)
            try:
                yield rig
            finally:
                rig.close()


def _hurry(engine: Engine) -> None:
    """The file need not outlive a loss of power."""
    engine.dispose()

    @event.listens_for(engine, "connect")
    def _on_connect(raw: Any, _record: Any) -> None:
        raw.execute("PRAGMA synchronous = OFF")
