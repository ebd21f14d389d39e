"""The account's service as one function from request to answer."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from erp_adapters.netsuite.account import rendering, suiteql
from erp_adapters.netsuite.account.auth import Auth, Credentials, Role, integration_role
from erp_adapters.netsuite.account.errors import (
    Refused,
    bad_login,
    malformed,
    no_permission,
    not_there,
    server_fault,
    too_many,
)
from erp_adapters.netsuite.account.faults import ConnectionLost, Faults
from erp_adapters.netsuite.account.governance import Governance, PoolFull
from erp_adapters.netsuite.account.jobs import Jobs
from erp_adapters.netsuite.account.service import COLLECTION, Asked, Records, Response, json_response, parse
from erp_adapters.netsuite.account.world import World
from hub.testing.conformance.bench import Fault

ROOT: Final = "/services/rest"
TOKEN: Final = "/auth/oauth2/v1/token"  # noqa: S105  a path
SUITEQL: Final = "/query/v1/suiteql"
CALL_S: Final = 0.6

Pause = Callable[[float], None]


class App:
    """One account's REST services; requests are executed one after another, though several may be under way."""

    def __init__(
        self,
        world: World,
        *,
        credentials: Credentials | None = None,
        role: Role | None = None,
        base_url: str | None = None,
        pause: Pause | None = None,
    ) -> None:
        """The account answers.

        Args:
            base_url: where it is reached; its own domain when not said. Links and signatures go by it.
            pause: what a request waits with while it is under way, `CALL_S` each; none: it does not wait.
        """
        host = world.account.lower().replace("_", "-")
        self.world = world
        self.base_url = base_url or f"https://{host}.suitetalk.api.netsuite.com"
        seed = world.chance.getrandbits(64)
        self.auth = Auth(world.account, credentials or Credentials(), role or integration_role(), _chance(seed, "auth"))
        self.faults = Faults(_chance(seed, "faults"))
        self.governance = Governance(world.switches)
        self.jobs = Jobs()
        self.records = Records(world)
        self.call_s = CALL_S
        self.requests = 0
        self.calls: list[tuple[str, str]] = []  # method and path of each request, for who counts them
        self._pause, self._ids = pause, _chance(seed, "ids")
        self._late: list[tuple[datetime, Callable[[], Any]]] = []
        self.lock = threading.RLock()  # whoever has it sees and changes the account alone

    # --- the door -------------------------------------------------------------------------------------------------

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """The answer to one request. `path` and `query` as they stand in the request line.

        Raises:
            ConnectionLost: there is none.
        """
        known = {name.lower(): value for name, value in headers.items()}
        with self.lock:
            self.tick()
            self.requests += 1
            self.calls.append((method, path))
            fault = self.faults.draw(write=self._writes(method, path))
        try:
            with self.governance.slot():
                if self._pause is not None:
                    self._pause(self.call_s)
                with self.lock:
                    answer = self._met(fault, method, path, query, known, body)
        except PoolFull as full:
            if self._pause is not None and self.world.switches.concurrency_form == "401":
                self._pause(self.world.switches.concurrency_wait_s)
            answer = _said(full)
        except Refused as refused:
            answer = _said(refused)
        return self._stamped(answer)

    def tick(self) -> None:
        """What was to happen by now has happened: late commits, jobs."""
        with self.lock:
            now = self.world.now()
            due = sorted((entry for entry in self._late if entry[0] <= now), key=lambda entry: entry[0])
            self._late = [entry for entry in self._late if entry[0] > now]
            for at, run in due:
                self._at(at, run)
            self.jobs.work(now)

    @property
    def late(self) -> int:
        """How many requests are still to be executed though nobody waits for them."""
        return len(self._late)

    # --- faults ---------------------------------------------------------------------------------------------------

    def _met(
        self, fault: Fault | None, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        self.auth.revoked = Fault.REVOKED in self.faults.standing

        def run() -> Response:
            return self._safe(method, path, query, headers, body)

        match fault:
            case Fault.RATE_LIMITED:
                raise too_many(self.world.switches.concurrency_form)
            case Fault.THROTTLED:
                raise too_many("400" if self.world.switches.concurrency_form == "429" else "429")
            case Fault.SERVER_ERROR:
                raise self._server_fault()
            case Fault.LOST_BEFORE:
                raise ConnectionLost
            case Fault.ECHO:
                said = {**headers, "body": body.decode(errors="replace"), "query": query}
                raise Refused(400, "USER_ERROR", f"Error while accessing a resource. {json.dumps(said)}")
            case Fault.TOKEN_EXPIRED:
                self.auth.expire_all(self.world.now())
                if "bearer" not in headers.get("authorization", "").lower():
                    return run()
                raise bad_login()
            case Fault.LATE_COMMIT:
                if self._writes(method, path):
                    # Who calls is checked when the request comes in, not when it is done.
                    role = self._admit(method, path, query, headers)
                    at = self.world.now() + timedelta(seconds=self.faults.late())
                    self._late.append((at, lambda: self._safe(method, path, query, headers, body, role)))
                raise ConnectionLost
        answer = run()
        match fault:
            case Fault.FAILED_AFTER:
                raise self._server_fault()
            case Fault.LOST_AFTER:
                raise ConnectionLost
            case Fault.BROKEN_ANSWER:
                half = answer.body[: len(answer.body) // 2]
                return Response(200, {"Content-Type": "application/json"}, half + b"<!-- upstream -->")
            case Fault.CUT_SHORT:
                if not answer.body:
                    raise ConnectionLost
                answer.cut_at = len(answer.body) // 2
        return answer

    def _server_fault(self) -> Refused:
        return server_fault(f"{self._ids.getrandbits(64):016x}")

    def _writes(self, method: str, path: str) -> bool:
        return method != "GET" and not path.endswith((TOKEN, SUITEQL))

    def _at(self, moment: datetime, run: Callable[[], Any]) -> None:
        """It is done as if it were that moment."""
        clock = self.world.clock
        self.world.clock = lambda: moment
        try:
            run()
        finally:
            self.world.clock = clock

    # --- routes ---------------------------------------------------------------------------------------------------

    def _safe(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        role: Role | None = None,
    ) -> Response:
        try:
            return self._route(method, path, query, headers, body, role)
        except Refused as refused:
            return _said(refused)

    def _route(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, role: Role | None
    ) -> Response:
        if not path.startswith(ROOT):
            raise not_there(transaction=False)
        below = unquote(path.removeprefix(ROOT))
        if below == TOKEN and method == "POST":
            return self._grant(body)
        role = role or self._admit(method, path, query, headers)
        base = self.base_url + ROOT
        asked = dict(parse_qsl(query, keep_blank_values=True))
        if below == SUITEQL:
            return self._query(method, asked, headers, body, role)
        if below.startswith("/async/v1/"):
            return self.jobs.answer(below.removeprefix("/async/v1/"), base)
        if not below.startswith("/record/v1/"):
            raise not_there(transaction=False)
        if Fault.ACCESS_DENIED in self.faults.standing:
            raise no_permission("REST Web Services", "Full")
        drift = Fault.DRIFT in self.faults.standing
        request = Asked(method, below.removeprefix("/record/v1/"), asked, headers, body, role, base, drift)
        if method == "GET" or "respond-async" not in headers.get("prefer", ""):
            return self.records.answer(request)
        if "type=collection" in headers.get("content-type", ""):
            raise Refused(400, "INVALID_REQUEST", "This account takes no batches.")
        key = headers.get("x-netsuite-idempotency-key")
        return self.jobs.accept(key, lambda: self._asked(request), self.world.now())

    def _asked(self, request: Asked) -> Response:
        try:
            return self.records.answer(request)
        except Refused as refused:
            return _said(refused)

    def _admit(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Role:
        pairs = parse_qsl(query, keep_blank_values=True)
        return self.auth.admit(
            method, self.base_url + unquote(path), pairs, headers.get("authorization", ""), self.world.now()
        )

    def _grant(self, body: bytes) -> Response:
        form = dict(parse_qsl(body.decode(errors="replace")))
        status, document = self.auth.grant(form, self.base_url + ROOT + TOKEN, self.world.now())
        return json_response(status, document, "application/json")

    def _query(
        self, method: str, asked: Mapping[str, str], headers: Mapping[str, str], body: bytes, role: Role
    ) -> Response:
        if method != "POST":
            raise Refused(405, "INVALID_METHOD", "The method is not allowed for this resource.")
        if not role.suiteql or Fault.ACCESS_DENIED in self.faults.standing:
            raise no_permission("SuiteAnalytics Workbook", "Edit")
        if "transient" not in headers.get("prefer", "").lower():
            raise Refused(
                400,
                "INVALID_HEADER",
                "The required request header 'Prefer' is missing or not valid. Use 'Prefer: transient'.",
                where={"errorHeader": "Prefer"},
            )
        sent = parse(body)
        if not isinstance(sent, dict) or not isinstance(sent.get("q"), str):
            raise malformed()
        try:
            limit, offset = int(asked.get("limit", 1000)), int(asked.get("offset", 0))
        except ValueError:
            raise malformed() from None
        try:
            rows, total = suiteql.run(self.world, sent["q"], sent.get("params") or [], limit, offset)
        except suiteql.QueryError as error:
            raise Refused(error.status, error.code, error.detail) from None
        if Fault.DRIFT in self.faults.standing:
            rows = [{**row, "new_in_this_release": "T"} for row in rows]
        page = rendering.collection(self.base_url + ROOT, SUITEQL, rows, total, limit, offset)
        return json_response(200, page, COLLECTION)

    def _stamped(self, answer: Response) -> Response:
        with self.lock:
            answer.headers.setdefault("Date", format_datetime(self.world.now(), usegmt=True))
            answer.headers["x-n-operationid"] = str(uuid.UUID(int=self._ids.getrandbits(128)))
            answer.headers["x-netsuite-jobid"] = str(uuid.UUID(int=self._ids.getrandbits(128)))
        return answer


def _said(refused: Refused) -> Response:
    content = "application/vnd.oracle.resource+json; type=error; charset=UTF-8"
    return json_response(refused.status, refused.body(), content, refused.headers)


def _chance(seed: int, name: str) -> random.Random:
    return random.Random(f"{seed}/{name}")
