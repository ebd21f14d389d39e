"""Webhooks: which are subscribed to, and how a delivery is let in.

The seal covers the body alone: header names and values are hints, and what they name is read anew from the shop.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors.shopify.options import options_of
from hub.errors import Forged, Misconfigured
from hub.model.facts import Source
from hub.model.records import Received
from hub.ports import ChannelConfig, Delivery

TOPICS: Final = (
    "orders/create",
    "orders/updated",
    "orders/edited",
    "orders/cancelled",
    "orders/paid",
    "orders/fulfilled",
    "orders/partially_fulfilled",
    "orders/delete",
    "fulfillments/create",
    "fulfillments/update",
    "refunds/create",
    "order_transactions/create",
    "returns/request",
    "returns/approve",
    "returns/decline",
    "returns/cancel",
    "returns/close",
    "returns/reopen",
    "returns/update",
    "returns/process",
    "app/uninstalled",
)
"""Subscribed to through the API. The privacy topics (customers/redact, customers/data_request, shop/redact) are not
in its list of topics: the app's own configuration names their address."""

KEY_CHARS_MAX: Final = 180  # of a delivery's id; with a digest behind it the inbox has room for 200
TOPIC_CHARS_MAX: Final = 100
HEADER_CHARS_MAX: Final = 200
KEPT: Final = (
    "x-shopify-topic",
    "x-shopify-shop-domain",
    "x-shopify-api-version",
    "x-shopify-webhook-id",
    "x-shopify-event-id",
    "x-shopify-triggered-at",
    "x-shopify-test",
)


class Door:
    """Lets the deliveries of one shop in."""

    def __init__(self, config: ChannelConfig) -> None:
        self._config = config
        self._domain = options_of(config).domain or urlsplit(config.address or "").hostname

    def __repr__(self) -> str:
        return f"Door({self._config.slug})"

    def accept(self, delivery: Delivery) -> Received:
        """The delivery as a record, its seal checked on the raw body first; nothing is parsed.

        Raises:
            Forged: the seal is missing or wrong, or it is another shop's.
        """
        headers = delivery.headers
        if not sealed(delivery.body, headers.get("x-shopify-hmac-sha256", ""), self._secrets()):
            raise Forged(f"{self._config.slug}: a delivery without a good seal: dropped")
        domain = headers.get("x-shopify-shop-domain", "").lower()
        if self._domain is not None and domain != self._domain:
            raise Forged(f"{self._config.slug}: a delivery that another shop's name is on: dropped")
        digest = hashlib.sha256(delivery.body).hexdigest()
        topic = headers.get("x-shopify-topic", "")[:TOPIC_CHARS_MAX]
        # A retry carries the same id and the same body; another body under one id is another record.
        named = headers.get("x-shopify-webhook-id", "")[:KEY_CHARS_MAX] or f"{topic}:{domain}"[:KEY_CHARS_MAX]
        return Received(
            self._config.slug,
            f"{named}:{digest[:16]}",
            topic,
            Source.WEBHOOK,
            delivery.body,
            delivery.received_at,
            {name: headers[name][:HEADER_CHARS_MAX] for name in KEPT if name in headers},
            digest,
        )

    def _secrets(self) -> list[SecretStr]:
        """The secret in force, and the one before it while a rotation lasts (up to an hour on the shop's side)."""
        return [self._config.secrets("webhook"), *_given(self._config.secrets, "webhook_previous")]


def sealed(body: bytes, seal: str, secrets: Sequence[SecretStr]) -> bool:
    """Whether the seal is the body's under one of the secrets; takes as long whichever it is."""
    given = seal.encode("utf-8", "replace")
    good = False
    for secret in secrets:
        computed = hmac.digest(secret.get_secret_value().encode(), body, "sha256")
        good |= hmac.compare_digest(base64.b64encode(computed), given)
    return good


def _given(secrets: Callable[[str], SecretStr], name: str) -> list[SecretStr]:
    try:
        return [secrets(name)]
    except Misconfigured:
        return []
