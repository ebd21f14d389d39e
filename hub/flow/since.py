"""Since the sign-off: what each side says now that it did not say when a period was signed, order by order, and why.

Handed is a DuckDB connection with the relations of both runs, `was_channel`, `channel`, `was_hub`, `hub`, `was_erp`,
`erp`, in the columns of `hub.flow.match`. A subject is matched by its key; in the ERP, by the ERP's own reference.
"""

import datetime
from collections.abc import Collection
from typing import Final

from duckdb import DuckDBPyConnection

from hub.flow.match import SIDES, TOTAL
from hub.model.reconciliation import Change, ChangeCode

_ORDERED: Final = ("channel", "order_id", "subject", "subject_id")

_KEY: Final = {"channel": _ORDERED, "hub": _ORDERED, "erp": ("ref",)}
_STANDS: Final = {"channel": "true", "hub": "true", "erp": "NOT voided"}
_NAME: Final = {"channel": "name", "hub": "name", "erp": "reference"}

_WHY: Final = {
    "channel": f"""CASE
        WHEN NOT was_here THEN '{ChangeCode.NEW_IN_CHANNEL}'
        WHEN NOT is_here THEN '{ChangeCode.GONE_FROM_CHANNEL}'
        WHEN is_modified_at > was_modified_at THEN '{ChangeCode.CHANGED_IN_CHANNEL}'
        ELSE '{ChangeCode.RESTATED}' END""",
    "hub": f"""CASE
        WHEN NOT was_here AND is_original_date IS NOT NULL THEN '{ChangeCode.LATE_FACT}'
        WHEN NOT was_here THEN '{ChangeCode.CAPTURED_SINCE}'
        WHEN NOT is_here THEN '{ChangeCode.MOVED_OUT}'
        WHEN is_modified_at > was_modified_at THEN '{ChangeCode.CHANGED_IN_CHANNEL}'
        WHEN was_state = 'held' AND is_state <> 'held' THEN '{ChangeCode.RELEASED}'
        ELSE '{ChangeCode.RESTATED}' END""",
    "erp": f"""CASE
        WHEN NOT was_here AND is_key = '' THEN '{ChangeCode.TYPED_IN}'
        WHEN NOT was_here THEN '{ChangeCode.POSTED_SINCE}'
        WHEN NOT is_here THEN '{ChangeCode.VOIDED}'
        WHEN is_by_hand AND is_version > was_version THEN '{ChangeCode.EDITED_BY_HAND}'
        WHEN is_version > was_version THEN '{ChangeCode.AMENDED_BY_HUB}'
        ELSE '{ChangeCode.RESTATED}' END""",
}
_EVIDENCE: Final = {
    "channel": ("modified_at",),
    "hub": ("modified_at", "state", "original_date"),
    "erp": ("version", "by_hand", "key"),
}


def changes(
    connection: DuckDBPyConnection, first: datetime.date, last: datetime.date, sides: Collection[str] = SIDES
) -> tuple[Change, ...]:
    """What changed between the two runs in the days from first to last, by side, then order.

    A subject whose day moved out of the period is gone from it, one whose day moved in is new.

    Args:
        sides: those that both runs read.
    """
    found: list[Change] = []
    for side, key in _KEY.items():
        if side not in sides:
            continue
        columns = ", ".join(
            f"{end}.{name} AS {end}_{name}" for end in ("was", "is") for name in (*_EVIDENCE[side], "total", "currency")
        )
        same = " AND ".join(f'was.{name} = "is".{name}' for name in key)
        columns = columns.replace("is.", '"is".')
        rows = connection.execute(
            f"""
            WITH was AS ({_standing(f"was_{side}", side)}), "is" AS ({_standing(side, side)}),
            met AS (
                SELECT {columns}, was.order_id IS NOT NULL AS was_here, "is".order_id IS NOT NULL AS is_here,
                    {
                ", ".join(
                    f'coalesce("is".{name}, was.{name}) AS {name}'
                    for name in ("entity", "channel", "order_id", "subject", "subject_id", _NAME[side])
                )
            }
                FROM was FULL OUTER JOIN "is" ON {same}
            )
            SELECT {_WHY[side]}, entity, channel, order_id, {_NAME[side]}, subject, subject_id,
                coalesce(is_currency, was_currency), was_currency, was_total, is_currency, is_total
            FROM met
            WHERE was_here <> is_here OR was_total <> is_total OR was_currency <> is_currency
            ORDER BY channel, order_id, subject, subject_id
            """,
            [first, last, first, last],
        ).fetchall()
        found += [_change(side, row) for row in rows]
    return tuple(found)


def _standing(relation: str, side: str) -> str:
    return f"SELECT *, {TOTAL} AS total FROM {relation} WHERE date BETWEEN ? AND ? AND {_STANDS[side]}"


def _change(side: str, row: tuple[object, ...]) -> Change:
    code, entity, channel, order, name, subject, subject_id, currency, was_currency, was, is_currency, now = row
    return Change(
        side=side,
        code=ChangeCode(str(code)),
        entity=str(entity),
        channel=str(channel),
        order=str(order or ""),
        name=str(name or ""),
        subject=str(subject),
        subject_id=str(subject_id),
        currency=str(currency),
        before_minor=int(str(was)) if was is not None and was_currency == currency else None,
        after_minor=int(str(now)) if now is not None and is_currency == currency else None,
    )
