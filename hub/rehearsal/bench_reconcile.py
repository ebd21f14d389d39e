"""How long a reconciliation takes, beside the bare join that no reconciliation can do without.

The folder is composed in SQL from a seed: orders, most of which tie, and accidents of every kind among two in a
hundred. Composing is not timed. What was put in is counted and looked for in what came out.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import duckdb

from hub.model.reconciliation import Reconciliation
from hub.steps.parquet import THREADS
from hub.steps.reconcile import rerun, seal
from hub.steps.statement_files import COLUMNS, SIDES, TOTAL

PERIOD: Final = "2026-05"
RUNS: Final = 5
"""Of the join and of the reconciliation, turn by turn; the best of each counts: a busy machine hurts both alike."""

ACCIDENTS: Final = (
    "never_captured",
    "unbooked_refund",
    "channel_edit",
    "unknown_to_channel",
    "hand_edit",
    "erp_deleted",
    "erp_voided",
    "adopted",
    "rounding",
    "tax_base",
    "held_order",
    "rejected",
    "not_sent_yet",
    "in_doubt",
    "status",
    "entered_twice",
    "entered_in_erp_alone",
    "cut_off",
    "fx",
    "wrong_entity",
    "tax_recomputed",
    "unexplained",
)
"""One order in a thousand each, by order number."""

PER_MILLE: Final = len(ACCIDENTS)
"""Orders at variance in a thousand."""

EXPECTED: Final[dict[str, tuple[tuple[str, str | None], ...]]] = {
    "never_captured": (("missing_in_hub", "never_captured"),),
    "unbooked_refund": (("missing_in_hub", "unbooked_refund"),),
    "channel_edit": (("amount", "channel_edit"),),
    "unknown_to_channel": (("unknown_to_channel", None),),
    "hand_edit": (("amount", "hand_edit"),),
    "tax_recomputed": (("amount", "tax_recomputed"),),
    "erp_deleted": (("missing_in_erp", "erp_deleted"),),
    "erp_voided": (("missing_in_erp", "erp_deleted"),),
    "adopted": (("amount", "adopted"),),
    "rounding": (("amount", "rounding"),),
    "tax_base": (("amount", "tax_base"),),
    "held_order": (("missing_in_erp", "held_order"),),
    "rejected": (("missing_in_erp", "held_order"),),
    "not_sent_yet": (("missing_in_erp", "not_sent_yet"),),
    "in_doubt": (("missing_in_erp", "in_doubt"),),
    "status": (("status", "in_doubt"),),
    "entered_twice": (("duplicate_in_erp", "entered_twice"),),
    "entered_in_erp_alone": (("unknown_to_channel", "entered_in_erp_alone"),),
    "cut_off": (("period", "cut_off"),),
    "fx": (("currency", "fx"), ("currency", "fx")),
    "wrong_entity": (("entity", "wrong_entity"), ("entity", "wrong_entity")),
    "unexplained": (("amount", None),),
}
"""What each accident must be found as: a kind and a cause, once a variance; None is a residual."""


def bench(orders: int, seed: int, folder: Path | None = None) -> dict[str, Any]:
    """The times of the bare join and of the reconciliation of a folder composed from the seed, and their ratio.

    Raises:
        RuntimeError: what was put in is not what was found.
    """
    with tempfile.TemporaryDirectory() as passing:
        home = folder or Path(passing)
        compose(home, orders, seed)
        joins, reruns = [], []
        for _ in range(RUNS):
            joins.append(_timed_join(home))
            began = time.perf_counter()
            found = rerun(home)
            reruns.append(time.perf_counter() - began)
    check(found, orders)
    join_s, reconcile_s = min(joins), min(reruns)
    return {
        "orders": orders,
        "variances": len(found.sales.variances),
        "bare_join_s": round(join_s, 3),
        "reconcile_s": round(reconcile_s, 3),
        "ratio": round(reconcile_s / join_s, 2),
        "unexplained_minor": found.sales.unexplained_minor,
    }


def check(found: Reconciliation, orders: int) -> None:
    """Each accident put in was found as what it is, as often as it was put in.

    Raises:
        RuntimeError: another number.
    """
    wanted: Counter[tuple[str, str | None]] = Counter()
    for accident, count in accidents(orders).items():
        for outcome in EXPECTED[accident]:
            wanted[outcome] += count
    got: Counter[tuple[str, str | None]] = Counter()
    for variance in found.sales.variances:
        for cause in variance.causes:
            got[variance.kind.value, cause.code.value] += 1
        if variance.residual_minor:
            got[variance.kind.value, None] += 1
    if wanted != got:
        raise RuntimeError(f"put in and not found: {dict(wanted - got)}; found and not put in: {dict(got - wanted)}")


def accidents(orders: int) -> dict[str, int]:
    """How many orders meet with each accident."""
    return {name: len(range(index, orders, 1000)) for index, name in enumerate(ACCIDENTS)}


def compose(folder: Path, orders: int, seed: int) -> None:
    """The folder holds a sealed run of so many orders, shuffled on each side."""
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {THREADS}")
        connection.execute(_BASE, {"orders": orders, "seed": seed})
        for side, query in (("channel", _CHANNEL), ("hub", _HUB), ("erp", _ERP)):
            columns = ", ".join(f"{name}::{kind} AS {name}" for name, kind in COLUMNS[side].items())
            path = str(folder / f"{side}.parquet").replace("'", "''")
            connection.execute(
                f"COPY (SELECT {columns} FROM ({query}) ORDER BY hash(order_id, '{side}{seed}'))"
                f" TO '{path}' (FORMAT parquet)"
            )
    seal(folder, PERIOD, versions={"bench": str(seed)}, complete=True, channel_given=True)


_BASE = f"""
CREATE TABLE base AS
SELECT number, 'shop-' || (number % 7) AS channel, (5000000000000 + number * 7919)::VARCHAR AS order_id,
    'order' AS subject, order_id AS subject_id, '#' || number AS reference,
    CASE number % 7 WHEN 6 THEN 'ee' ELSE 'us' END AS entity,
    CASE number % 7 WHEN 6 THEN 'EUR' ELSE 'USD' END AS currency,
    DATE '2026-05-01' + (hash(number, $seed, 'd') % 31)::INTEGER AS date,
    (1000 + hash(number, $seed, 'g') % 50000)::BIGINT AS goods_minor,
    -(hash(number, $seed, 'r') % 900)::BIGINT AS discount_minor,
    (hash(number, $seed, 's') % 1500)::BIGINT AS shipping_minor, (goods_minor // 12)::BIGINT AS tax_minor,
    CASE hash(number, $seed, 't') % 10 WHEN 0 THEN 250 ELSE 0 END AS charges_minor,
    0 AS rounding_minor, 0 AS edited_minor, 0 AS cancelled_minor, 0 AS refund_minor, 0 AS payment_minor,
    {TOTAL} AS total_minor,
    strftime(date + INTERVAL (hash(number, $seed, 'm') % 864000) SECOND, '%Y-%m-%dT%H:%M:%SZ') AS modified_at,
    '#' || number AS name, 'so-' || channel || '-' || order_id AS document, (1 + number % 3)::BIGINT AS version,
    CASE WHEN number % 1000 < {PER_MILLE}
        THEN {list(ACCIDENTS)!r}[1 + (number % 1000)::INTEGER] ELSE '' END AS accident
FROM range($orders) AS numbers(number)
"""

_CHANNEL = """
SELECT * REPLACE (
    CASE accident WHEN 'channel_edit' THEN '2026-07-01T00:00:00Z' ELSE modified_at END AS modified_at,
    CASE accident WHEN 'channel_edit' THEN -300 ELSE 0 END AS edited_minor)
FROM base WHERE accident NOT IN ('unknown_to_channel', 'entered_in_erp_alone')
UNION ALL BY NAME
SELECT * REPLACE ('refund' AS subject, 'r' || order_id AS subject_id, 0 AS goods_minor, 0 AS discount_minor,
    0 AS shipping_minor, 0 AS tax_minor, 0 AS charges_minor, -777 AS refund_minor)
FROM base WHERE accident = 'unbooked_refund'
"""

_HUB = """
SELECT *,
    CASE accident WHEN 'held_order' THEN 'held' WHEN 'rejected' THEN 'rejected' WHEN 'not_sent_yet' THEN 'planned'
        WHEN 'in_doubt' THEN 'in_doubt' WHEN 'status' THEN 'in_doubt' ELSE 'done' END AS state,
    CASE accident WHEN 'held_order' THEN 'unmapped_item' WHEN 'rejected' THEN 'unknown_item'
        WHEN 'adopted' THEN 'adopted' ELSE '' END AS cause,
    NULL AS original_date,
    CASE WHEN accident IN ('held_order', 'rejected', 'not_sent_yet', 'in_doubt') THEN NULL
        WHEN accident = 'rounding' THEN total_minor + 1 WHEN accident = 'tax_base' THEN total_minor - 90
        WHEN accident = 'adopted' THEN total_minor - 40 ELSE total_minor END AS readback_minor,
    CASE WHEN accident = 'adopted' THEN tax_minor WHEN readback_minor IS NOT NULL
        THEN tax_minor + readback_minor - total_minor END AS readback_tax_minor,
    CASE WHEN readback_minor IS NOT NULL THEN date END AS readback_date,
    CASE WHEN readback_minor IS NOT NULL THEN version END AS readback_version,
    false AS readback_by_hand
FROM base WHERE accident NOT IN ('never_captured', 'entered_in_erp_alone')
"""

_ERP = """
SELECT * REPLACE (
    CASE accident WHEN 'hand_edit' THEN goods_minor - 500 ELSE goods_minor END AS goods_minor,
    CASE accident WHEN 'rounding' THEN tax_minor + 1 WHEN 'tax_base' THEN tax_minor - 90
        WHEN 'tax_recomputed' THEN tax_minor + 60 ELSE tax_minor END AS tax_minor,
    CASE accident WHEN 'unexplained' THEN shipping_minor + 13 WHEN 'adopted' THEN shipping_minor - 40
        ELSE shipping_minor END AS shipping_minor,
    CASE WHEN accident IN ('hand_edit', 'tax_recomputed') THEN version + 1 ELSE version END AS version,
    CASE accident WHEN 'cut_off' THEN DATE '2026-06-02' ELSE date END AS date,
    CASE accident WHEN 'wrong_entity' THEN 'uk' ELSE entity END AS entity,
    CASE accident WHEN 'fx' THEN 'CAD' ELSE currency END AS currency,
    CASE accident WHEN 'entered_in_erp_alone' THEN '' ELSE order_id END AS order_id),
    CASE accident WHEN 'entered_in_erp_alone' THEN '' ELSE document END AS key,
    'L' || number AS ref, accident = 'erp_voided' AS voided,
    accident IN ('hand_edit', 'tax_recomputed', 'entered_in_erp_alone') AS by_hand
FROM base WHERE accident NOT IN
    ('never_captured', 'erp_deleted', 'held_order', 'rejected', 'not_sent_yet', 'in_doubt')
UNION ALL BY NAME
SELECT *, '' AS key, 'H' || number AS ref, false AS voided, true AS by_hand FROM base WHERE accident = 'entered_twice'
"""


def _timed_join(folder: Path) -> float:
    """Seconds of the plain full join of the three files on the keys: every column a reconciliation reads is consumed.

    Consumed, not stored: the amounts are summed and the rest counted, because storing the joined rows, or comparing
    their texts, costs more than joining them and would flatter the ratio.
    """
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {THREADS}; SET preserve_insertion_order = false")
        for side in SIDES:
            path = str(folder / f"{side}.parquet").replace("'", "''")
            connection.execute(f"CREATE VIEW {side} AS FROM read_parquet('{path}')")
        began = time.perf_counter()
        connection.execute(_JOIN).fetchall()
        return time.perf_counter() - began


_JOIN = f"""
SELECT {
    ", ".join(
        f"{'sum' if kind == 'BIGINT' else 'count'}({side[0]}.{column})"
        for side, columns in COLUMNS.items()
        for column, kind in columns.items()
    )
}
FROM hub AS h
    FULL JOIN channel AS c ON c.order_id = h.order_id AND c.subject_id = h.subject_id AND c.subject = h.subject
        AND c.channel = h.channel
    FULL JOIN erp AS e ON e.key = h.document
"""
