"""Access tokens: client credentials for a day, or expiring ones whose refresh tokens rotate."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.shopify.shop.stamps import drawn_uuid
from connectors.shopify.shop.world import Setup

CLIENT_CREDENTIALS_S = 86_399
EXPIRING_S = 3_600
REFRESH_S = 90 * 86_400
SCOPES = (
    "read_orders,read_all_orders,read_returns,read_customers,read_products,read_locations,read_inventory,"
    "write_inventory,write_orders,write_order_edits,"
    "read_merchant_managed_fulfillment_orders,write_merchant_managed_fulfillment_orders,"
    "read_shopify_payments_payouts,read_shopify_payments_disputes"
)


@dataclass(slots=True)
class Tokens:
    """What was given out and how long it holds."""

    setup: Setup
    access: dict[str, datetime] = field(default_factory=dict)  # until when
    refresh: dict[str, datetime] = field(default_factory=dict)
    retired_by: dict[str, str] = field(default_factory=dict)  # new refresh token -> the one that it replaces
    count: int = 0
    revoked: bool = False

    def admits(self, token: str | None, now: datetime) -> bool:
        if self.revoked or token is None:
            return False
        if self.setup.token is not None and hmac.compare_digest(token, self.setup.token):
            return True
        until = self.access.get(token)
        return until is not None and now < until

    def expire_all(self, now: datetime) -> None:
        """Every access token given out so far is over; refresh tokens stay."""
        self.access = dict.fromkeys(self.access, now)

    def grant(self, asked: dict[str, Any], now: datetime) -> tuple[int, dict[str, Any]]:
        """The answer of the token route: its status and its body."""
        setup = self.setup
        if str(asked.get("client_id")) != setup.client_id or not hmac.compare_digest(
            str(asked.get("client_secret", "")), setup.client_secret
        ):
            return 401, {"error": "invalid_client", "error_description": "Client authentication failed"}
        match asked.get("grant_type"):
            case "client_credentials":
                token = self._access(now, CLIENT_CREDENTIALS_S)
                return 200, {"access_token": token, "scope": SCOPES, "expires_in": CLIENT_CREDENTIALS_S}
            case "refresh_token":
                return self._refreshed(str(asked.get("refresh_token", "")), now)
            case "authorization_code" | None if asked.get("code"):
                return 200, self._pair(now)
            case _:
                return 400, {"error": "unsupported_grant_type", "error_description": "The grant type is not supported"}

    def _refreshed(self, used: str, now: datetime) -> tuple[int, dict[str, Any]]:
        until = self.refresh.get(used)
        if until is None or now >= until:
            return 400, {
                "error": "invalid_request",
                "error_description": "This request requires an active refresh_token",
            }
        # The one before stays good until its successor is used: an answer that got lost costs nothing.
        if (older := self.retired_by.pop(used, None)) is not None:
            self.refresh.pop(older, None)
        answer = self._pair(now)
        self.retired_by[answer["refresh_token"]] = used
        return 200, answer

    def _pair(self, now: datetime) -> dict[str, Any]:
        token = self._access(now, EXPIRING_S)
        refresh = f"shprt_{self._secret('refresh')}"
        self.refresh[refresh] = now + timedelta(seconds=REFRESH_S)
        return {
            "access_token": token,
            "scope": SCOPES,
            "expires_in": EXPIRING_S,
            "refresh_token": refresh,
            "refresh_token_expires_in": REFRESH_S,
        }

    def _access(self, now: datetime, seconds: int) -> str:
        token = f"shpat_{self._secret('access')}"
        self.access[token] = now + timedelta(seconds=seconds)
        return token

    def _secret(self, kind: str) -> str:
        self.count += 1
        return drawn_uuid(self.setup.seed, kind, self.count).replace("-", "")
