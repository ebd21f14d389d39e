"""What the expected books are made of: every decision's entry and reversal, in one pass over the store."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, case, or_, select

from hub.model.adoption import ADOPTED
from hub.model.intents import StepState
from hub.store.orders import ERP_TARGET
from hub.store.schema import intent, step

ROWS_AT_ONCE: Final = 2_000


def intents(connection: Connection, until: date | None) -> Iterator[dict[str, Any]]:
    """Each decision that posts something and stands, its entries as JSON text, with what became of it; in no order.

    As things stand when this is called, however late the rows are read: an ERP that is read afterwards has all of it.

    Args:
        until: those dated later are left out, but for reversals, whose day stands in them alone; None: none is.
    """
    query = (
        select(
            intent.c.id,
            intent.c.document_key.label("document"),
            intent.c.kind,
            intent.c.channel,
            intent.c.order_id,
            step.c.state,
            step.c.code,
            case((step.c.name == ADOPTED, 1), else_=0).label("adopted"),
            step.c.ref,
            intent.c.total_minor,
            intent.c.tax_minor,
            step.c.readback_total_minor,
            step.c.readback_tax_minor,
            step.c.readback_version,
            intent.c.entry,
            intent.c.reversal,
        )
        .join(step, step.c.intent_id == intent.c.id)
        .where(
            step.c.target == ERP_TARGET,
            step.c.state != StepState.SUPERSEDED.value,
            or_(intent.c.entry.is_not(None), intent.c.reversal.is_not(None)),
        )
    )
    if until is not None:
        query = query.where(or_(intent.c.date <= until.isoformat(), intent.c.reversal.is_not(None)))
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query).mappings()
    return (dict(row) | {"adopted": bool(row["adopted"])} for row in rows)
