"""The shop on a socket: one request at a time, over real HTTP, so that an answer can be cut, lost or late."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.shopify.shop.auth import Tokens
from connectors.shopify.shop.bulk import Bulk
from connectors.shopify.shop.cancelling import Cancelling
from connectors.shopify.shop.control import Control
from connectors.shopify.shop.counting import Counting
from connectors.shopify.shop.faults import Faults
from connectors.shopify.shop.fulfilling import Fulfilling
from connectors.shopify.shop.gateway import Answer, Gateway
from connectors.shopify.shop.payments import Payments
from connectors.shopify.shop.resolvers import Queries
from connectors.shopify.shop.stamps import drawn, drawn_uuid
from connectors.shopify.shop.webhooks import Outbox
from connectors.shopify.shop.world import REQUEST_S, Setup, Shop

LATE_COMMIT_S = (30, 600)
_BEFORE = ("rate_limited", "server_error", "lost_before")
REQUEST_BYTES_MAX = 1_000_000
_UNAUTHORIZED = b'{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}'


class App:
    """Routes requests to the parts of the shop; every call holds one lock, so requests have an order."""

    def __init__(self, setup: Setup) -> None:
        self.shop = Shop(setup)
        self.tokens = Tokens(setup)
        self.gateway = Gateway(self.shop, self.tokens)
        queries = Queries(self.shop, self.gateway.warn)
        self.faults = Faults(setup.seed)
        self.shop.faults = self.faults
        self.outbox = Outbox(self.shop, self.faults)
        self.control = Control(self)
        self.payments = Payments(self.shop, self.outbox, self.gateway.warn)
        self.bulk = Bulk(self.shop, self.outbox, self.gateway)
        self.gateway.roots += [queries.root, self.outbox.roots, self.payments.roots, self.bulk.roots]
        for kind in ("ShopifyPaymentsPayout", "ShopifyPaymentsBalanceTransaction", "ShopifyPaymentsDispute"):
            queries.others[kind] = self.payments.node
        queries.others["BulkOperation"] = self.bulk.node
        queries.others["WebhookSubscription"] = self.outbox.found
        self.gateway.mutations += [
            self.outbox.mutations,
            self.bulk.mutations,
            Fulfilling(self.shop).mutations,
            Cancelling(self.shop).mutations,
            Counting(self.shop, self.outbox).mutations,
        ]
        self.lock = threading.RLock()
        self.requests = 0

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer | None:
        """What one request gets; None: the connection ends without a word. Header names come in lower case."""
        path = urlsplit(target).path
        if path.startswith("/_control/"):
            return said(*self.control.answer(method, path.removeprefix("/_control/"), body))
        with self.lock:
            self.requests += 1
            self.shop.move_to(self.shop.now + timedelta(seconds=REQUEST_S + self.gateway.waited_s()))
            if path == "/admin/oauth/access_token" and method == "POST":
                return self._met(self.faults.of_the_wire(), self._grant(headers, body))
            parts = path.strip("/").split("/")
            if len(parts) == 4 and parts[:2] == ["admin", "api"] and parts[3] == "graphql.json":
                return self._graphql(method, parts[2], headers, body)
            if path.startswith("/bulk/") and method == "GET":
                found = self.bulk.file(path.removeprefix("/bulk/"))
                if found is not None:
                    return self._met(
                        self.faults.of_the_wire(), Answer(200, found, {"Content-Type": "application/jsonl"})
                    )
            return said(404, {"errors": "Not Found"})

    def _grant(self, headers: dict[str, str], body: bytes) -> Answer:
        try:
            if "json" in headers.get("content-type", ""):
                asked = json.loads(body)
            else:
                asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if not isinstance(asked, dict):
                raise TypeError
        except (ValueError, TypeError):
            return said(400, {"error": "invalid_request", "error_description": "The body cannot be read"})
        return said(*self.tokens.grant(asked, self.shop.now))

    def _graphql(self, method: str, version: str, headers: dict[str, str], body: bytes) -> Answer | None:
        served = self.gateway.served(version)
        if served is None or method != "POST":
            return said(404, {"errors": "Not Found"})
        if not self.tokens.admits(headers.get("x-shopify-access-token"), self.shop.now):
            return Answer(401, _UNAUTHORIZED, {"Content-Type": "application/json; charset=utf-8"})
        if "json" not in headers.get("content-type", ""):
            return said(400, {"errors": {"query": "Required parameter missing or invalid"}})
        fault = self.faults.of_the_wire()
        if fault == "token_expired":
            self.tokens.expire_all(self.shop.now)
            return Answer(401, _UNAUTHORIZED, {"Content-Type": "application/json; charset=utf-8"})
        if fault in _BEFORE:
            return self._met(fault, said(200, {}))
        version_said = {"X-Shopify-API-Version": served}
        found = self.gateway.admit(body)
        if isinstance(found, dict):
            return said(200, found, version_said)
        if fault == "throttled":
            return said(200, self.gateway.throttled(found.requested), version_said)
        if fault == "late_commit":
            if found.mutation:
                late_s = drawn(*LATE_COMMIT_S, self.shop.setup.seed, "late commit", self.requests)
                self.shop.later(self.shop.now + timedelta(seconds=late_s), found.run)
            return None
        return self._met(fault, said(200, found.run(), version_said))

    def _met(self, fault: str | None, answer: Answer) -> Answer | None:
        """The answer as the fault leaves it; None: no answer at all."""
        match fault:
            case "rate_limited":
                return said(429, {"errors": "Exceeded 2 calls per second for api client."}, {"Retry-After": "2.0"})
            case "server_error" | "failed_after":
                status = drawn(502, 503, self.shop.setup.seed, "error", self.requests)
                return Answer(status, b"<html><body>Bad gateway</body></html>", {"Content-Type": "text/html"})
            case "broken_json":
                half = answer.body[: len(answer.body) // 2]
                return Answer(answer.status, half + b"<!-- upstream -->", answer.headers)
            case "cut_short":
                return Answer(answer.status, answer.body, answer.headers, cut_at=len(answer.body) // 2)
            case "lost_before" | "lost_after":
                return None
        return answer

    def stamped(self, answer: Answer) -> dict[str, str]:
        """The headers of the answer, by the shop's clock."""
        with self.lock:
            return {
                **answer.headers,
                "Date": format_datetime(self.shop.now + timedelta(seconds=self.faults.skew_s)),
                "X-Request-Id": drawn_uuid(self.shop.setup.seed, "request", self.requests),
            }


def said(status: int, document: Any, headers: dict[str, str] | None = None) -> Answer:
    """A JSON answer."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer leaves whole
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > REQUEST_BYTES_MAX:
            self._write(said(413, {"errors": "Payload Too Large"}))
            self.close_connection = True
            return
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.app.answer(self.command, self.path, headers, body)
        if answer is None:
            self.close_connection = True
            return
        self._write(answer)

    def _write(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in self.server.app.stamped(answer).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: answer.cut_at])
        if answer.cut_at is not None:
            self.close_connection = True

    do_GET = do_POST = do_DELETE = do_PUT = _serve  # noqa: N815 - the names of http.server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing: a body or a token must not land in a log."""


class Server(ThreadingHTTPServer):
    """The app on a port of this machine, on the loopback interface unless another is named; port 0 takes a free one."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, app: App, port: int = 0, host: str = "127.0.0.1", url: str | None = None) -> None:
        """
        Args:
            url: where others reach it, if not at that address.
        """
        self.app = app
        super().__init__((host, port), _Handler)
        self.url = url or f"http://{host}:{self.server_address[1]}"
        app.bulk.base_url = self.url

    def __enter__(self) -> Server:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
