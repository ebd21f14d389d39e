"""How fast orders are imported and posted, beside the floor that no import in this language can pass.

The floor is fixed, whatever the hub writes: the same payloads through the same JSON parser, one pydantic validation
each, and 30 rows of 8 columns an order inserted by SQLAlchemy Core, 500 orders a transaction.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Engine, Integer, MetaData, String, Table, create_engine, event, insert

from hub import registry
from hub.model.facts import Source
from hub.model.records import Received
from hub.settings import Settings
from hub.steps.advance import advance_all
from hub.steps.capture import capture
from hub.steps.hub import Hub, open_hub, spare_the_collector
from hub.steps.send import send_all
from hub.store.views.figures import rows

CHUNK_ORDERS: Final = 2_500
"""Hub and floor take turns at so many orders, so that a machine's mood is shared between them."""

TRANSACTION_ORDERS: Final = 500
FLOOR_ROWS: Final = 30
STARTS: Final = datetime(2026, 10, 1, tzinfo=UTC)
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)

_floor = Table(
    "floor",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("order_id", String(40), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", String(27), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("note", String(60), nullable=False),
)


@dataclass(slots=True)
class _Times:
    import_s: float = 0.0
    floor_s: float = 0.0
    send_s: float = 0.0
    documents: int = 0


def bench(settings: Settings, orders: int, seed: int, *, send: bool = True) -> dict[str, Any]:
    """Orders a second through capture → decide, and into the ledger, as ratios of the floor measured beside them."""
    spare_the_collector()
    with tempfile.TemporaryDirectory(prefix="orderhub-bench-") as folder:
        home = Path(folder)
        hub = open_hub(settings.model_copy(update={"home": home, "database_url": None}), lambda: NOW)
        floor = _open_floor(home / "floor.db")
        _floor.metadata.create_all(floor)
        times = _run(hub, floor, orders, seed, send=send)
        stored = rows(hub.store, hub.inbox)
    per_s = orders / times.import_s
    floor_per_s = orders / times.floor_s
    result: dict[str, Any] = {
        "orders": orders,
        "orders_per_s": round(per_s, 1),
        "floor_orders_per_s": round(floor_per_s, 1),
        "ratio": round(per_s / floor_per_s, 3),
        "us_per_order": round(times.import_s / orders * 1e6, 1),
        "rows_per_order": round(stored / orders, 1),
        "peak_rss_mb": round(_peak_rss_mb(), 1),
    }
    if send:
        posted_per_s = orders / times.send_s
        result["posted_orders_per_s"] = round(posted_per_s, 1)
        result["documents_per_order"] = round(times.documents / orders, 2)
        result["ledger_ratio"] = round(posted_per_s / floor_per_s, 3)
    return result


def _run(hub: Hub, floor: Engine, orders: int, seed: int, *, send: bool) -> _Times:
    slug = hub.settings.channels[0].slug
    simulator = registry.simulator(hub.settings.channels[0].system)
    stories = simulator.compose(seed, orders, start=STARTS, days=31)
    times = _Times()
    done = 0
    while bodies := _bodies(stories, min(CHUNK_ORDERS, orders - done)):
        began = time.perf_counter()
        for start in range(0, len(bodies), TRANSACTION_ORDERS):
            part = bodies[start : start + TRANSACTION_ORDERS]
            capture(hub, [_received(slug, done + start + i, body) for i, body in enumerate(part)])
        advance_all(hub)
        times.import_s += time.perf_counter() - began
        began = time.perf_counter()
        for start in range(0, len(bodies), TRANSACTION_ORDERS):
            _pass_floor(floor, simulator, bodies[start : start + TRANSACTION_ORDERS], done + start)
        times.floor_s += time.perf_counter() - began
        if send:
            began = time.perf_counter()
            sent = send_all(hub)
            times.send_s += time.perf_counter() - began
            times.documents += sent.done
            if sent.rejected or sent.differing:
                raise RuntimeError(f"bench: {sent.rejected} documents refused, {sent.differing} read back otherwise")
        done += len(bodies)
    return times


def _open_floor(path: Path) -> Engine:
    """An SQLite file set up as the hub's own is."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _bodies(stories: Iterator[Any], count: int) -> list[bytes]:
    return [json.dumps(next(stories).final, separators=(",", ":")).encode() for _ in range(count)]


def _received(slug: str, number: int, body: bytes) -> Received:
    return Received(slug, f"bench-{number}", "orders/updated", Source.WEBHOOK, body, NOW)


def _pass_floor(engine: Engine, simulator: Any, bodies: list[bytes], first: int) -> None:
    for body in bodies:
        simulator.read_once(body)
    inserted = [
        {
            "channel": "floor",
            "order_id": str(5_000_000_000_000 + first + number),
            "kind": "row",
            "at": "2026-11-23T12:00:00.000000Z",
            "amount_minor": number * FLOOR_ROWS + row,
            "currency": "USD",
            "note": "a row of eight columns",
        }
        for number in range(len(bodies))
        for row in range(FLOOR_ROWS)
    ]
    with engine.begin() as connection:
        connection.execute(insert(_floor), inserted)


def _peak_rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
