"""Access tokens of a shop: one that stands, one for a day, or one of an hour with a refresh token that rotates.

static              secret `token`: of a custom app, or an offline token that does not expire
client_credentials  secrets `client_id`, `client_secret`: a token of 24 h, asked for again before it ends
expiring            also `refresh_token`, the first: a token of an hour; each renewal hands out a new pair, which is in
                    the vault before either is used. The old refresh token stays good until the new one is used
                    (vendor, 2026-08-28), so that a renewal whose answer was lost is asked for again.
"""

import hashlib
import json
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import SecretStr

from connectors.shopify.options import Options
from hub.errors import AuthExpired, Misconfigured, Rejected
from hub.http import Http, Safety
from hub.ports import ChannelConfig

PATH: Final = "/admin/oauth/access_token"
MARGIN_S: Final = 300.0  # a token is renewed so long before it ends
KEPT_AS: Final = "tokens"


class Tokens(Protocol):
    def get(self) -> SecretStr:
        """A token to call with.

        Raises:
            AuthExpired: none is to be had.
        """

    def renew(self, refused: SecretStr) -> bool:
        """Whether there is another token than the one that was refused."""


def tokens_of(config: ChannelConfig, options: Options, http: Http) -> Tokens:
    """The channel's way to its tokens."""
    match options.token:
        case "static":
            return _Static(config)
        case "client_credentials":
            return _Daily(config, http)
        case "expiring":
            return _Rotating(config, http)


class _Static:
    def __init__(self, config: ChannelConfig) -> None:
        self._config = config

    def get(self) -> SecretStr:
        return self._config.secrets("token")

    def renew(self, refused: SecretStr) -> bool:
        return self.get() != refused  # a mounted file may hold another by now


class _Daily:
    def __init__(self, config: ChannelConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._lock = threading.Lock()
        self._token: SecretStr | None = None
        self._until: datetime | None = None

    def get(self) -> SecretStr:
        with self._lock:
            if self._token is None or self._until is None or self._config.clock() >= self._until:
                now = self._config.clock()
                given = _ask(self._config, self._http, Safety.READ, grant_type="client_credentials")
                self._token = SecretStr(given["access_token"])
                self._until = _until(now, given)
            return self._token

    def renew(self, refused: SecretStr) -> bool:
        with self._lock:
            if self._token == refused:
                self._token = None
        return True


@dataclass(frozen=True, slots=True)
class _Pair:
    """What the vault holds."""

    access: SecretStr
    refresh: SecretStr
    until: datetime  # of the access token, the margin taken off
    origin: str  # digest of the configured refresh token that this descends from

    def sealed(self) -> SecretStr:
        return SecretStr(
            json.dumps(
                {
                    "access": self.access.get_secret_value(),
                    "refresh": self.refresh.get_secret_value(),
                    "until": self.until.isoformat(),
                    "origin": self.origin,
                }
            )
        )


class _Rotating:
    def __init__(self, config: ChannelConfig, http: Http) -> None:
        if config.vault is None:
            raise Misconfigured(f"channel {config.slug}: expiring tokens need a vault to be kept in")
        self._config = config
        self._http = http
        self._vault = config.vault
        self._lock = threading.Lock()
        self._pair: _Pair | None = None

    def get(self) -> SecretStr:
        return self._renewed(None).access

    def renew(self, refused: SecretStr) -> bool:
        return self._renewed(refused).access != refused

    def _renewed(self, refused: SecretStr | None) -> _Pair:
        with self._lock:
            if self._pair is not None and self._good(self._pair, refused):
                return self._pair
            with self._vault.turn(KEPT_AS):
                configured = self._config.secrets("refresh_token")
                origin = hashlib.sha256(configured.get_secret_value().encode()).hexdigest()
                kept = self._kept()
                if kept is not None and kept.origin != origin:
                    kept = None  # the app was installed anew, and another token configured
                if kept is None or not self._good(kept, refused):
                    kept = self._rotated(kept.refresh if kept is not None else configured, origin)
                self._pair = kept
            return self._pair

    def _good(self, pair: _Pair, refused: SecretStr | None) -> bool:
        return pair.access != refused and self._config.clock() < pair.until

    def _rotated(self, refresh: SecretStr, origin: str) -> _Pair:
        now = self._config.clock()
        self._http.hide(refresh.get_secret_value())
        given = _ask(
            self._config,
            self._http,
            Safety.KEYED,
            grant_type="refresh_token",
            refresh_token=refresh.get_secret_value(),
        )
        following = given.get("refresh_token")
        pair = _Pair(
            SecretStr(given["access_token"]),
            SecretStr(following) if isinstance(following, str) and following else refresh,
            _until(now, given),
            origin,
        )
        self._http.hide(pair.access.get_secret_value(), pair.refresh.get_secret_value())
        self._vault.put(KEPT_AS, pair.sealed())  # on disk before the first use
        return pair

    def _kept(self) -> _Pair | None:
        content = self._vault.get(KEPT_AS)
        if content is None:
            return None
        held = json.loads(content.get_secret_value())
        self._http.hide(held["access"], held["refresh"])
        until = datetime.fromisoformat(held["until"])
        return _Pair(SecretStr(held["access"]), SecretStr(held["refresh"]), until, held["origin"])


def _ask(config: ChannelConfig, http: Http, safety: Safety, **form: str) -> dict[str, Any]:
    secret = config.secrets("client_secret").get_secret_value()
    http.hide(secret)
    form = {"client_id": config.secrets("client_id").get_secret_value(), "client_secret": secret, **form}
    try:
        answer = http.call(
            "POST", PATH, safety=safety, form=form, headers={"accept": "application/json"}, attempts=None
        )
    except (Rejected, AuthExpired) as error:
        raise AuthExpired(
            f"{config.slug}: the shop gives no token for these credentials ({error}); "
            "check that the app is installed, and its client id, secret and refresh token"
        ) from None
    given = answer.document
    if not isinstance(given, dict) or not isinstance(given.get("access_token"), str) or not given["access_token"]:
        raise AuthExpired(f"{config.slug}: the shop's answer holds no token; check that the app is installed")
    http.hide(given["access_token"])
    return given


def _until(now: datetime, given: dict[str, Any]) -> datetime:
    """When to ask again. A short-lived token is used for half of its time at least."""
    lasts_s = given.get("expires_in")
    seconds = float(lasts_s) if isinstance(lasts_s, int) and not isinstance(lasts_s, bool) else 3600.0
    return now + timedelta(seconds=max(seconds - MARGIN_S, seconds / 2))
