"""What the routes share: words as they may be sent, pages and their cursors."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from hub.errors import Retryable

LIMIT: Final = 50
LIMIT_MAX: Final = 500
OFFSET_MAX: Final = 10_000_000

Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
MONTH: Final = r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$"
Month = Annotated[str, StringConstraints(pattern=MONTH)]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=1_000, description="`next` of the answer before.")]
Channel = Annotated[Word | None, Query(description="Only this channel's.")]
Send = Annotated[bool, Query(description="Post what follows from it.")]

ALONE_S: Final = 30
"""When to ask again for what is done once at a time."""

Row = TypeVar("Row")


class Asked(BaseModel):
    """A body: a name that is none of its fields is refused."""

    model_config = ConfigDict(extra="forbid")


async def _body(request: Request) -> bytes:
    return await request.body()


Content = Annotated[bytes, Depends(_body)]
"""The body as it came; the guard bounds it."""


def takes(media_type: str, example: str) -> dict[str, Any]:
    """What OpenAPI says of a route whose body is a file's content."""
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


@contextmanager
def alone(lock: Lock, what: str) -> Iterator[None]:
    """Nobody else does this in this process while the block runs.

    Raises:
        Retryable: somebody does.
    """
    if not lock.acquire(blocking=False):
        raise Retryable(f"another {what} runs", ALONE_S)
    try:
        yield
    finally:
        lock.release()


def cursor_of(*place: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place_of(cursor: str, *kinds: type) -> Any:
    """What `cursor_of` was given.

    Raises:
        HTTPException: it is none that we gave.
    """
    try:
        place = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds) or "\\u0000" in json.dumps(place):
        raise HTTPException(422, "cursor: none that an answer gave")
    return place


def offset_of(cursor: str | None) -> int:
    """Where a page begins.

    Raises:
        HTTPException: the cursor is none that we gave.
    """
    offset: int = place_of(cursor, int)[0] if cursor is not None else 0
    if not 0 <= offset <= OFFSET_MAX:
        raise HTTPException(422, "cursor: none that an answer gave")
    return offset


def page(rows: Sequence[Row], offset: int, limit: int) -> tuple[list[Row], str | None]:
    """That many of the rows from there on, and the cursor of what follows; None: nothing does."""
    more = len(rows) > offset + limit
    return list(rows[offset : offset + limit]), cursor_of(offset + limit) if more else None
