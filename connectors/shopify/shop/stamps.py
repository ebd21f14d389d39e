"""Stamps, ids and chance of the rehearsed shop: whole seconds, in UTC, drawn from the seed and a name."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

DOMAIN = "rehearsal.myshopify.com"


def whole(at: datetime) -> datetime:
    """The second that the moment lies in: the vendor's stamps have no fractions."""
    return at.replace(microsecond=0)


def utc(at: datetime | str) -> str:
    """The stamp as GraphQL writes it, wherever the shop is."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return whole(moment).astimezone(UTC).isoformat().replace("+00:00", "Z")


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def number_of(gid: str) -> int:
    """The number at the end of an id, 0 where there is none."""
    tail = gid.rpartition("/")[2].partition("?")[0]
    return int(tail) if tail.isdigit() else 0


def kind_of(gid: str) -> str:
    parts = gid.split("/")
    return parts[3] if len(parts) > 4 and gid.startswith("gid://shopify/") else ""


def drawn(low: int, high: int, *names: object) -> int:
    """A number from low to high that follows from the names alone."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return low + int.from_bytes(digest[:8]) % (high - low + 1)


def drawn_uuid(*names: object) -> str:
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
