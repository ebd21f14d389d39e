"""Proves that nothing in a hub's store was altered; imports nothing of the hub, so that it can be read by itself.

    python verifier.py DATABASE [--schema NAME] [--format json] [--printed manifest.json …]

DATABASE is a file of SQLite's or an SQLAlchemy URL; left out, the URL in ORDERHUB_DATABASE_URL. It needs Python 3.11
and SQLAlchemy, copied anywhere. Exit status: 0 nothing found, 1 something was altered, 2 it could not be read.

What is computed anew, from the rows alone:

- An event's hash: SHA-256 of "BEFORE|channel|order_id|seq|kind|fact_kind|fact_id|occurred_at|recorded_at|amount_minor
  |fact_hash" (no line break), BEFORE being the hash of the order's event before it, or 64 zeros.
- An order's number of events and the hash of the last of them.
- A day's root: SHA-256 of "BEFORE|day|orders|events|LEAVES", BEFORE being the root of the day before, or 64 zeros.
  LEAVES is the SHA-256 of a line for each order with an event recorded that day (UTC), in byte order of channel and
  order: the JSON list [channel, order_id, highest number among these events, its hash] without spaces, and a newline.
  From the first day with an event to the last closed one each day has a root.
- A fact's hash, of its content; that each event's fact is there; that each expected entry balances.
- The roots that were printed in reports, where they are given: a store that was rewritten with all its hashes agrees
  with itself, but not with those.

It reads one state of the store while others write to it, and holds one order in memory at a time.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

GENESIS: Final = "0" * 64
FAULTS_SHOWN: Final = 100
ROWS_AT_ONCE: Final = 5_000
REORDERED_MAX: Final = 500  # events of an order that are tried in another order, to say that they were swapped
BACKDATED_NAMED: Final = 5  # orders a day
CLOSED_DAY: Final = "closed_day"

Row = Any
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    where: str  # channel/order, a day, or a document
    what: str


@dataclass(slots=True)
class Report:
    """What was checked, and what is wrong."""

    orders: int = 0
    events: int = 0
    facts: int = 0
    entries: int = 0
    days: int = 0  # with a root
    printed: int = 0  # roots in reports that were compared
    unsealed: int = 0  # events of days that have no root yet
    last: dict[str, Any] | None = None  # the newest root: day, orders, events, root
    faults: list[Fault] = field(default_factory=list)  # the first of them
    faults_count: int = 0

    @property
    def clean(self) -> bool:
        return not self.faults_count

    def add(self, code: str, where: str, what: str) -> None:
        self.faults_count += 1
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(Fault(code, where, what))

    def as_json(self) -> dict[str, Any]:
        return {"clean": self.clean, **asdict(self)}

    def lines(self) -> Iterator[str]:
        """For people: what was checked, then a line a fault."""
        yield (
            f"checked {self.orders:,} orders, {self.events:,} events, {self.facts:,} facts, {self.entries:,} entries, "
            f"{self.days:,} daily roots, {self.printed:,} printed roots"
        )
        if self.last is not None:
            last = self.last
            yield f"last root {last['day']}: {last['orders']:,} orders, {last['events']:,} events, {last['root']}"
        if self.unsealed:
            yield f"{self.unsealed:,} events are younger than the last root"
        if self.clean:
            yield "nothing was altered"
            return
        for fault in self.faults:
            yield f"{fault.code}: {fault.where}: {fault.what}"
        if self.faults_count > len(self.faults):
            yield f"and {self.faults_count - len(self.faults):,} more"
        yield f"{self.faults_count:,} fault{'' if self.faults_count == 1 else 's'}"


class Unreadable(Exception):
    """The store or a report could not be read."""


@dataclass(slots=True)
class _Day:
    """What the event rows give for one day."""

    orders: int = 0
    events: int = 0
    leaves: Any = field(default_factory=sha256)
    backdated: list[str] = field(default_factory=list)

    def root(self, day: str, before: str) -> str:
        return _sha(f"{before}|{day}|{self.orders}|{self.events}|{self.leaves.hexdigest()}")


def verify(database: str, schema: str | None = None, printed: Sequence[Path] = ()) -> Report:
    """The store, checked from its rows alone; nothing is written.

    Args:
        database: a file of SQLite's, or a URL.
        schema: on PostgreSQL, the schema with the hub's tables.
        printed: manifests or JSON reports of reconciliations.

    Raises:
        Unreadable: there is no such store, its tables are not the hub's, or a report is no report.
    """
    witnesses = [_printed(path) for path in printed]
    try:
        engine = _engine(database, schema)
        try:
            with engine.connect() as connection:
                return _verify(_prepared(connection), witnesses)
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        words = " ".join(str(getattr(error, "orig", None) or error).split())
        raise Unreadable(f"the store cannot be read: {words}") from error


def _verify(connection: Connection, witnesses: Sequence[tuple[str, dict[str, Any] | None]]) -> Report:
    report = Report()
    roots = {row[0]: row for row in connection.execute(text("SELECT day, orders, events, root FROM root ORDER BY day"))}
    report.days = len(roots)
    if roots:
        report.last = dict(zip(("day", "orders", "events", "root"), roots[max(roots)], strict=True))
    days: dict[str, _Day] = {}
    first_root = min(roots, default="")
    for key, counted, rows in _orders(connection):
        _check_order(report, key, counted, rows, days, first_root)
    _check_roots(report, connection, roots, days)
    _check_printed(report, roots, witnesses)
    _check_facts(report, connection)
    _check_entries(report, connection)
    return report


def _orders(connection: Connection) -> Iterator[tuple[Key, tuple[int, str] | None, Iterable[Row]]]:
    """Each order with its count and last hash, and its events; None for events that belong to no order.

    Two streams in byte order of the key, merged.
    """
    channel, order_id = "channel", "order_id"
    if connection.dialect.name == "postgresql":
        channel, order_id = 'channel COLLATE "C"', 'order_id COLLATE "C"'
    counted = _stream(connection, f"SELECT channel, order_id, events, chain FROM orders ORDER BY {channel}, {order_id}")
    events = _stream(
        connection,
        "SELECT channel, order_id, seq, kind, fact_kind, fact_id, occurred_at, recorded_at, amount_minor, fact_hash, "
        f"hash FROM event ORDER BY {channel}, {order_id}, seq",
    )
    order = next(counted, None)
    for key, rows in groupby(events, itemgetter(0, 1)):
        while order is not None and (order[0], order[1]) < key:
            yield (order[0], order[1]), (order[2], order[3]), ()
            order = next(counted, None)
        if order is not None and (order[0], order[1]) == key:
            yield key, (order[2], order[3]), rows
            order = next(counted, None)
        else:
            yield key, None, rows
    while order is not None:
        yield (order[0], order[1]), (order[2], order[3]), ()
        order = next(counted, None)


def _check_order(
    report: Report,
    key: Key,
    counted: tuple[int, str] | None,
    rows: Iterable[Row],
    days: dict[str, _Day],
    first_root: str,
) -> None:
    name = "/".join(key)
    found: list[tuple[str, str]] = []
    kept: list[Row] = []
    of_days: dict[str, tuple[int, int, str]] = {}
    before: str | None = GENESIS
    expected, newest_day = 1, ""
    for row in rows:
        number, digest, on = row[2], row[10], str(row[7])[:10]
        report.events += 1
        if len(kept) <= REORDERED_MAX:
            kept.append(row)
        of_days[on] = (of_days[on][0] + 1 if on in of_days else 1, number, digest)
        if on < newest_day:
            _note_backdated(days, on, f"event {number} of {name}")
        newest_day = max(newest_day, on)
        if on < first_root:
            found.append(("older_than_roots", f"event {number} was recorded on {on}, the roots begin on {first_root}"))
        if counted is not None and not 1 <= number <= counted[0]:
            found.append(("event_inserted", f"event {number} is there, the order counts {counted[0]}"))
            continue
        if number > expected:
            found.append(("event_missing", _numbers(expected, number - 1)))
            before = None
        if before is not None and _event_hash(before, row) != digest:
            found.append(("event_altered", f"event {number} ({row[3]}) is not what its hash says"))
        before, expected = digest, number + 1
    if counted is None:
        found.append(("order_missing", "its events are there, the order is not"))
    else:
        report.orders += 1
        if expected <= counted[0]:
            found.append(("event_missing", _numbers(expected, counted[0])))
        elif before != counted[1]:
            found.append(("order_altered", "the last hash that the order keeps is not that of its last event"))
    for on, (events, number, digest) in of_days.items():
        _add_leaf(days.setdefault(on, _Day()), key, events, number, digest)
    if counted is not None and (swapped := _reordered(found, kept, counted[1])):
        found = [("event_reordered", f"its events stand in the order {swapped}")]
    for code, what in found:
        report.add(code, name, what)


def _event_hash(before: str, row: Row, number: int | None = None) -> str:
    said = [*row[:2], row[2] if number is None else number, *row[3:10]]
    return _sha("|".join([before, *map(str, said)]))


def _add_leaf(day: _Day, key: Key, events: int, number: int, digest: str) -> None:
    day.orders += 1
    day.events += events
    leaf = json.dumps([*key, number, digest], ensure_ascii=False, separators=(",", ":"))
    day.leaves.update(f"{leaf}\n".encode())


def _note_backdated(days: dict[str, _Day], on: str, what: str) -> None:
    backdated = days.setdefault(on, _Day()).backdated
    if len(backdated) < BACKDATED_NAMED:
        backdated.append(what)


def _numbers(first: int, last: int) -> str:
    return f"event {first} is gone" if first == last else f"events {first} to {last} are gone"


def _reordered(found: Sequence[tuple[str, str]], rows: list[Row], chain: str) -> str:
    """The original numbers in the order in which they stand, where nothing but the numbers was changed; else empty."""
    codes = {code for code, _ in found}
    if "event_altered" not in codes or codes - {"event_altered", "order_altered"} or len(rows) > REORDERED_MAX:
        return ""
    left, before, originally = list(range(len(rows))), GENESIS, [0] * len(rows)
    for number in range(1, len(rows) + 1):
        fits = next((at for at in left if _event_hash(before, rows[at], number) == rows[at][10]), None)
        if fits is None:
            return ""
        before = rows[fits][10]
        originally[fits] = number
        left.remove(fits)
    return ", ".join(map(str, originally)) if before == chain else ""


def _check_roots(report: Report, connection: Connection, roots: dict[str, Row], days: dict[str, _Day]) -> None:
    """Each day's root follows from its events and the root before it, and none is left out."""
    for on in [on for on in roots if not _is_day(on)]:
        report.add("root_altered", on, "that is no day")
        del roots[on]
    last = max([*roots, *_closed(connection)], default="")
    report.unsealed = sum(one.events for on, one in days.items() if on > last)
    first = min(roots, default=min((on for on in days if on <= last and _is_day(on)), default=""))
    if not first:
        return
    computed, stored = GENESIS, GENESIS
    for on in _calendar(first, last):
        day = days.get(on, _Day())
        expected, chained = day.root(on, computed), day.root(on, stored)
        row = roots.get(on)
        computed = expected
        if row is None:
            report.add("root_missing", on, f"the day has no root; its events give {expected}")
            stored = expected
            continue
        stored = row[3]
        # A wrong root is told once: the next day may follow from what stands there or from what should.
        if stored not in (expected, chained):
            backdated = (
                f"; recorded behind an event of a later day: {', '.join(day.backdated)}" if day.backdated else ""
            )
            report.add(
                "root_altered",
                on,
                f"the root covers {row[1]:,} orders and {row[2]:,} events; {day.orders:,} orders and {day.events:,} "
                f"events of that day and the root before give another{backdated}",
            )
        elif (row[1], row[2]) != (day.orders, day.events):
            report.add(
                "root_altered",
                on,
                f"it says {row[1]:,} orders and {row[2]:,} events, and was made of {day.orders:,} and {day.events:,}",
            )


def _closed(connection: Connection) -> Iterator[str]:
    """The last day that was closed for events, if any was: up to then each day must have its root."""
    found = connection.execute(text("SELECT value FROM counter WHERE name = :name"), {"name": CLOSED_DAY}).scalar()
    if found and date.min.toordinal() <= found <= date.max.toordinal():
        yield date.fromordinal(found).isoformat()


def _is_day(said: str) -> bool:
    try:
        return date.fromisoformat(said).isoformat() == said
    except ValueError:
        return False


def _calendar(first: str, last: str) -> Iterator[str]:
    start = date.fromisoformat(first)
    for number in range((date.fromisoformat(last) - start).days + 1):
        yield (start + timedelta(days=number)).isoformat()


def _check_printed(
    report: Report, roots: dict[str, Row], witnesses: Sequence[tuple[str, dict[str, Any] | None]]
) -> None:
    for name, said in witnesses:
        if said is None:
            continue
        report.printed += 1
        row = roots.get(said["day"])
        if row is None or row[3] != said["root"]:
            holds = f"the store holds {row[3]}" if row else "the store has none"
            report.add("printed_root", said["day"], f"{name} printed {said['root']}, {holds}")


def _check_facts(report: Report, connection: Connection) -> None:
    for channel, order, kind, name, digest, content in _stream(
        connection, "SELECT channel, order_id, kind, external_id, hash, content FROM fact"
    ):
        report.facts += 1
        if _sha(content)[:32] != digest:
            report.add("fact_altered", f"{channel}/{order}", f"{kind} {name} is not what its hash says")
    for channel, order, number, kind, name in _stream(
        connection,
        "SELECT channel, order_id, seq, fact_kind, fact_id FROM event WHERE NOT EXISTS (SELECT 1 FROM fact WHERE "
        "fact.channel = event.channel AND fact.order_id = event.order_id AND fact.kind = event.fact_kind AND "
        "fact.external_id = event.fact_id AND fact.hash = event.fact_hash)",
    ):
        report.add("fact_missing", f"{channel}/{order}", f"the {kind} {name} that event {number} came of is not there")


def _check_entries(report: Report, connection: Connection) -> None:
    for document, content in _stream(
        connection,
        "SELECT document_key, entry FROM intent WHERE entry IS NOT NULL UNION ALL "
        "SELECT document_key, reversal FROM intent WHERE reversal IS NOT NULL",
    ):
        report.entries += 1
        try:
            off = _imbalance(json.loads(content))
        except (ValueError, LookupError, TypeError):
            report.add("entry_altered", document, "the expected entry cannot be read")
            continue
        if off:
            report.add("entry_unbalanced", document, f"the expected entry is off by {off}")


def _imbalance(entry: Any) -> str:
    off: dict[str, int] = {}
    for posting in entry["postings"]:
        off[posting["currency"]] = off.get(posting["currency"], 0) + posting["amount_minor"]
        off["functional"] = off.get("functional", 0) + posting["functional_minor"]
    return ", ".join(f"{minor} {currency} (minor units)" for currency, minor in off.items() if minor)


def _printed(path: Path) -> tuple[str, dict[str, Any] | None]:
    """A report's name and the root in it; None where no day was complete by then."""
    try:
        report = json.loads(path.read_bytes())
        said = report.get("event_chain") if report["period"] else None
        name = f"{path.parent.name}/{path.name}"
        return name, None if said is None else {"day": str(said["day"]), "root": str(said["root"])}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path}: no manifest or JSON report of a reconciliation: {error}") from error


def _engine(database: str, schema: str | None) -> Engine:
    address = database if "://" in database else f"sqlite:///{database}"
    url = make_url(address)
    if url.get_backend_name() != "sqlite":
        return create_engine(url, connect_args={"options": f"-csearch_path={schema}"} if schema else {})
    if url.database and not Path(url.database).is_file():
        raise Unreadable(f"{url.database}: no such file")
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # else the driver begins no transaction for reading
        connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _prepared(connection: Connection) -> Connection:
    """The connection, seeing one state of the store to the end."""
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return connection.execution_options(yield_per=ROWS_AT_ONCE)


def _stream(connection: Connection, query: str) -> Iterator[Row]:
    return iter(connection.execute(text(query)))


def _sha(said: str) -> str:
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="verifier", description="Proves that nothing in a hub's store was altered.")
    parser.add_argument("database", nargs="?", help="a file of SQLite's or a URL; else ORDERHUB_DATABASE_URL")
    parser.add_argument("--schema", help="on PostgreSQL, the schema with the hub's tables")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--printed", nargs="+", type=Path, default=[], help="manifests or JSON reports of runs")
    given = parser.parse_args(arguments)
    database = given.database or os.environ.get("ORDERHUB_DATABASE_URL")
    if not database:
        parser.error("which database?")
    try:
        report = verify(database, given.schema, given.printed)
    except Unreadable as error:
        sys.stderr.write(f"verifier: {error}\n")
        return 2
    said = [json.dumps(report.as_json(), indent=2)] if given.format == "json" else report.lines()
    sys.stdout.write("".join(f"{line}\n" for line in said))
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())
