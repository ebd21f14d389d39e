"""POST /webhooks/{channel}: checked, stored, then answered; the answer follows the commit."""

import logging
from collections.abc import Callable
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from hub.errors import Forged, Misconfigured, Retryable
from hub.steps.hub import Hub
from hub.steps.receiving import DELIVERY_BYTES_MAX, receive

log = logging.getLogger(__name__)

ADVANCE_JOB: Final = "advance"
RETRY_AFTER_S: Final = 5


def router(hub: Hub, ring: Callable[[str], None]) -> APIRouter:
    made = APIRouter()
    slugs = {channel.slug for channel in hub.settings.channels}

    @made.post("/webhooks/{channel}")
    async def webhook(channel: str, request: Request) -> Response:
        """Takes a delivery of a channel; 200 once it is on disk, a duplicate as well."""
        if channel not in slugs:
            return _said(404, "no such channel")
        body = await _body(request)
        if body is None:
            return _said(413, f"more than {DELIVERY_BYTES_MAX} bytes")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            new = await run_in_threadpool(receive, hub, channel, headers, body)
        except Forged:
            log.warning("webhook.forged", extra={"channel": channel})
            return _said(401, "no good seal")
        except Misconfigured as fault:
            log.error("webhook.refused", extra={"channel": channel, "fault": fault})
            return _said(503, "this channel takes no webhooks now", RETRY_AFTER_S)
        except Retryable as fault:
            log.warning("webhook.busy", extra={"channel": channel, "fault": fault})
            return _said(503, "not stored: send it again", fault.after_s or RETRY_AFTER_S)
        if new:
            ring(ADVANCE_JOB)
        return _said(200, "stored" if new else "stored before")

    return made


async def _body(request: Request) -> bytes | None:
    """The raw body; None: it is larger than any delivery."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > DELIVERY_BYTES_MAX:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > DELIVERY_BYTES_MAX:
            return None
    return bytes(body)


def _said(status: int, words: str, retry_after_s: float | None = None) -> Response:
    headers = {} if retry_after_s is None else {"Retry-After": str(int(retry_after_s))}
    return Response(f"{words}\n", status_code=status, media_type="text/plain", headers=headers)
