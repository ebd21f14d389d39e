"""The wire: one GraphQL call, its limits kept and its failures told by class.

Shopify answers 200 to nearly everything: THROTTLED, ACCESS_DENIED and an inner fault stand in `errors`, what a mutation
refuses in its `userErrors`. A query is paid from a bucket of points that refills by the second.
"""

import json
import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors.shopify.documents import SELF, Document
from connectors.shopify.options import Options
from connectors.shopify.tokens import Tokens, tokens_of
from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, RateLimited, Rejected, Retryable
from hub.http import Answer, Http, Safety
from hub.ports import ChannelConfig

log = logging.getLogger(__name__)

QUERY_POINTS_MAX: Final = 1000
FIRST_GUESS_POINTS: Final = 100  # of a document that was not asked before
THROTTLED_MAX: Final = 8  # times one call is turned away before it gives up for now
WAIT_S_MAX: Final = 60.0  # of one call, for points
TURNED_AWAY_S: Final = 2.0  # waited at least, once turned away: others draw on the bucket too


class Shop:
    """One shop's Admin API, from any thread."""

    def __init__(self, config: ChannelConfig, options: Options) -> None:
        if config.address is None:
            raise Misconfigured(
                f"channel {config.slug} has no address: set address: https://SHOP.myshopify.com in hub.yaml"
            )
        self.config = config
        self.options = options
        self.http = Http(
            config.address, clock=config.clock, sleep=config.sleep, who=config.slug, transport=config.transport
        )
        self.served_version: str | None = None  # as the last answer said
        self._tokens: Tokens = tokens_of(config, options, self.http)
        self._points = Points()
        self._path = f"/admin/api/{options.version}/graphql.json"

    def __repr__(self) -> str:
        return f"Shop({self.config.slug})"

    @property
    def domain(self) -> str:
        return self.options.domain or urlsplit(self.http.base).hostname or ""

    def scopes(self) -> frozenset[str]:
        """What the app may do in this shop now."""
        granted = self.query(SELF)["currentAppInstallation"]["accessScopes"]
        return frozenset(scope["handle"] for scope in granted)

    def query(self, document: Document, **variables: Any) -> dict[str, Any]:
        """The answer's data.

        Raises:
            RateLimited, Retryable, AuthExpired, Misconfigured.
            Rejected: access denied, too dear, or not understood.
        """
        return self._called(document, variables, Safety.READ)

    def mutate(self, document: Document, *, keyed: bool = False, **variables: Any) -> dict[str, Any]:
        """The payload of the document's one mutation.

        Args:
            keyed: the shop keeps the document's idempotency key, so that sending it again is safe.

        Raises:
            InDoubt: no answer; it may have happened.
            Rejected: also what it says in userErrors.
        """
        data = self._called(document, variables, Safety.KEYED if keyed else Safety.WRITE)
        payload = data.get(document.field)
        if not isinstance(payload, dict):
            raise InDoubt(f"{self.config.slug}: {document.name}: the answer has no {document.field}")
        if errors := payload.get("userErrors"):
            raise self._refused(document, errors)
        return payload

    def cost(self, document: Document) -> int | None:
        """What the document was said to cost when it was asked last; None: it never was."""
        return self._points.known(document.name)

    # --- one call ---------------------------------------------------------------------------------------------------

    def _called(self, document: Document, variables: Mapping[str, Any], safety: Safety) -> dict[str, Any]:
        content = json.dumps({"query": document.text, "variables": dict(variables)}).encode()
        waited_s = 0.0
        for _ in range(THROTTLED_MAX):
            wait_s = self._points.wait_s(document.name, self.config.clock())
            while wait_s > 0:
                if waited_s + wait_s > WAIT_S_MAX:
                    raise RateLimited(f"{self.config.slug}: {document.name}: out of points", wait_s)
                self.config.sleep(wait_s)
                waited_s += wait_s
                wait_s = self._points.wait_s(document.name, self.config.clock())
            said = self._answered(content, safety)
            throttled = _codes(said) == {"THROTTLED"}
            self._points.told(document.name, said.get("extensions"), self.config.clock(), throttled=throttled)
            if not throttled:
                return self._data(document, said, safety)
        raise RateLimited(f"{self.config.slug}: {document.name}: turned away {THROTTLED_MAX} times", WAIT_S_MAX)

    def _answered(self, content: bytes, safety: Safety) -> dict[str, Any]:
        token = self._tokens.get()
        try:
            answer = self._sent(content, safety, token)
        except AuthExpired:
            if not self._tokens.renew(token):
                raise
            answer = self._sent(content, safety, self._tokens.get())
        served = answer.headers.get("x-shopify-api-version")
        if served and served != self.served_version:
            if served != self.options.version:
                log.warning("shopify.version", extra={"asked": self.options.version, "served": served})
            self.served_version = served
        if not isinstance(answer.document, dict):
            raise self._unanswered("an answer that is no object", safety)
        return answer.document

    def _sent(self, content: bytes, safety: Safety, token: SecretStr) -> Answer:
        self.http.hide(token.get_secret_value())
        headers = {
            "x-shopify-access-token": token.get_secret_value(),
            "content-type": "application/json",
            "accept": "application/json",
        }
        try:
            return self.http.call("POST", self._path, safety=safety, headers=headers, content=content)
        except Rejected as error:
            match error.code:
                case "http_404":
                    raise Misconfigured(f"{error}; check address and options.version of the channel") from None
                case "http_402" | "http_403" | "http_423":
                    raise AuthExpired(f"{error}; {_SHOP_REMEDIES[error.code]}") from None
            raise

    def _data(self, document: Document, said: dict[str, Any], safety: Safety) -> dict[str, Any]:
        errors = said.get("errors")
        if errors:
            raise self._failure(document, errors, safety)
        data = said.get("data")
        if not isinstance(data, dict):
            raise self._unanswered(f"{document.name}: an answer without data", safety)
        return data

    def _failure(self, document: Document, errors: Any, safety: Safety) -> HubError:
        """What stands in `errors`. What an answer holds beside it is not used: something is missing from it."""
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {"message": errors}
        codes = _codes({"errors": errors})
        words = self.http.clean(str(first.get("message")))
        message = f"{self.config.slug}: {document.name}: {words}"
        path = ".".join(str(part) for part in first.get("path") or ())
        if "ACCESS_DENIED" in codes:
            return Rejected(
                f"{message}; {ACCESS_REMEDY}", code="access_denied", field=path or document.name, remedy=ACCESS_REMEDY
            )
        if "MAX_COST_EXCEEDED" in codes:
            return Rejected(message, code="max_cost_exceeded", field=document.name, remedy="ask for less at once")
        if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT", "THROTTLED", "SERVICE_UNAVAILABLE"}:
            return self._unanswered(f"{document.name}: {words}", safety)
        code = next(iter(sorted(codes)), "query_refused").lower()
        remedy = f"the shop may have left version {self.options.version} behind: see options.version"
        return Rejected(message, code=code, field=path or document.name, remedy=remedy)

    def _refused(self, document: Document, errors: Any) -> HubError:
        """What stands in `userErrors`."""
        first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {"message": str(errors)}
        field = first.get("field")
        at = ".".join(str(part) for part in field) if isinstance(field, list) else ""
        code = str(first.get("code") or "user_error").lower()
        words = self.http.clean("; ".join(str(e.get("message")) for e in errors if isinstance(e, dict)) or str(errors))
        if code in ("operation_in_progress", "limit_reached", "idempotency_concurrent_request"):
            return Retryable(f"{self.config.slug}: {document.name}: {words}", 60.0)
        return Rejected(
            f"{self.config.slug}: {document.name}: {at + ': ' if at else ''}{words}",
            code=code,
            field=at,
            remedy=f"the shop says: {words}",
        )

    def _unanswered(self, message: str, safety: Safety) -> HubError:
        message = f"{self.config.slug}: {message}"
        return Retryable(message, 5.0) if safety is Safety.READ else InDoubt(message)


class Points:
    """The bucket as the last answer told it, refilled by the clock since; and what each document costs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._available = float("inf")
        self._maximum = float("inf")
        self._restored_per_s = 100.0
        self._at: datetime | None = None
        self._costs: dict[str, int] = {}
        self._not_before_s = 0.0

    def known(self, name: str) -> int | None:
        return self._costs.get(name)

    def wait_s(self, name: str, now: datetime) -> float:
        """How long until the document can be paid; where it can, its points are set aside at once."""
        with self._lock:
            need = min(float(self._costs.get(name, FIRST_GUESS_POINTS)), self._maximum)
            passed_s = max((now - self._at).total_seconds(), 0.0) if self._at is not None else 0.0
            have = min(self._available + passed_s * self._restored_per_s, self._maximum)
            pause_s = self._not_before_s - passed_s
            if have < need or pause_s > 0:
                return max((need - have) / self._restored_per_s, pause_s, 0.05)
            self._available, self._at, self._not_before_s = have - need, now, 0.0
            return 0.0

    def told(self, name: str, extensions: Any, now: datetime, *, throttled: bool) -> None:
        cost = extensions.get("cost") if isinstance(extensions, dict) else None
        status = cost.get("throttleStatus") if isinstance(cost, dict) else None
        with self._lock:
            if (asked := _number(cost, "requestedQueryCost")) is not None:
                self._costs[name] = int(asked)
            if (available := _number(status, "currentlyAvailable")) is not None:
                self._available = available
            if maximum := _number(status, "maximumAvailable"):
                self._maximum = maximum
            if restored := _number(status, "restoreRate"):
                self._restored_per_s = restored
            self._at = now
            if throttled:
                self._not_before_s = TURNED_AWAY_S if not isinstance(status, dict) else 0.2


def _codes(said: Mapping[str, Any]) -> set[str]:
    errors = said.get("errors")
    found = set()
    for error in errors if isinstance(errors, list) else ():
        extensions = error.get("extensions") if isinstance(error, dict) else None
        code = extensions.get("code") if isinstance(extensions, dict) else None
        if isinstance(code, str):
            found.add(code)
    return found


def _number(given: Any, key: str) -> float | None:
    """A number that is not negative; None for anything else."""
    value = given.get(key) if isinstance(given, dict) else None
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and value >= 0:
        return float(value)
    return None


ACCESS_REMEDY: Final = (
    "grant the app the scope, and have its access to protected customer data approved "
    "(Partner Dashboard, API access): a granted scope alone is not enough"
)
_SHOP_REMEDIES: Final = {
    "http_402": "the shop is frozen until its bill is paid",
    "http_403": "grant the app its scopes; a public app needs options.token: expiring",
    "http_423": "the shop is locked: ask its owner",
}
