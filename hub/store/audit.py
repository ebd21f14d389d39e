"""The audit trail: who did what to what, when; rows are added and never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from hub.store.bulk import reserve
from hub.store.schema import audit, counter, stamp


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: str
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


def note(
    connection: Connection, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Any]
) -> None:
    """The trail says that it was done, in the same transaction as the deed.

    Args:
        actor: a person's name, or the door or system that did it by itself.
        action: a verb, dotted where it belongs to a command: "purge", "records.edit".
        subject: what it was done to: "shopify", "shopify/1001", "shopify/customer-7".
        detail: JSON-ready; never personal data.
    """
    row = {
        "id": reserve(connection, counter, "audit", 1),
        "at": stamp(at),
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": json.dumps(detail, default=str, sort_keys=True),
    }
    connection.execute(insert(audit), row)


def listed(store: Engine, *, action: str | None = None, limit: int = 100) -> list[AuditRow]:
    """What was done last, the newest first."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if action is not None:
        query = query.where(audit.c.action == action)
    with store.connect() as connection:
        return [
            AuditRow(row.id, row.at, row.actor, row.action, row.subject, json.loads(row.detail))
            for row in connection.execute(query)
        ]
