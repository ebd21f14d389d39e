"""The guard before each route: who asks, whether the table lets them, how often they may be wrong."""

import base64
import binascii
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import Message, Receive

from hub.api.permissions import MATRIX, OPEN, Reach, Rule
from hub.errors import HubError, NoAccess
from hub.model.access import Role, Token
from hub.steps.access import holder, note_use
from hub.steps.hub import Hub
from hub.steps.opening import store_fault

log = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 1024 * 1024
FAILURES_MAX: Final = 10  # of one address within FAILURES_S
FAILURES_S: Final = 60
ADDRESSES_MAX: Final = 10_000  # that are remembered; the one that failed longest ago is forgotten first
LATELY_S: Final = 300
LATELY_MAX: Final = 1_000
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_TOO_LONG: Final = f"the body is longer than {BODY_BYTES_MAX} bytes"
SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, let in by the guard."""

    name: str
    role: Role
    channel: str | None  # None: every channel
    token: Token | None  # None: nobody logs in here

    def only(self, asked: str | None) -> str | None:
        """The channel that the answer is of: theirs, else the one asked for; None: every one."""
        return self.channel or asked


class Failures:
    """How often each address was wrong lately."""

    def __init__(self) -> None:
        self._since: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def wait_s(self, address: str, now: datetime) -> int:
        """How long that address is not listened to; 0: it is."""
        since, count = self._since.get(address, (now, 0))
        left = (since + timedelta(seconds=FAILURES_S) - now).total_seconds()
        return max(1, round(left)) if count >= FAILURES_MAX and left > 0 else 0

    def add(self, address: str, now: datetime) -> None:
        """It was wrong once more."""
        since, count = self._since.pop(address, (now, 0))
        if now - since >= timedelta(seconds=FAILURES_S):
            since, count = now, 0
        self._since[address] = (since, count + 1)
        while len(self._since) > ADDRESSES_MAX:
            self._since.popitem(last=False)

    def __len__(self) -> int:
        return len(self._since)


class Guard:
    """Lets requests in by the table of permissions.

    Args:
        no_login: who asks from this machine without a token reads as a viewer.
    """

    def __init__(self, hub: Hub, *, no_login: bool = False) -> None:
        self.hub = hub
        self.no_login = no_login
        self.failures = Failures()
        self._lately: OrderedDict[bytes, tuple[datetime, Token]] = OrderedDict()

    async def admit(self, request: Request, rule: Rule) -> Caller:
        """Who asks, whom the rule lets.

        Raises:
            HTTPException: 401 no good token, 403 it does not allow this, 413 the body is too long, 429 too many bad
                tokens.
        """
        caller = await self._caller(request)
        if caller.role not in rule.roles:
            raise HTTPException(403, f"a token of role {caller.role} may not do this: {_named(rule)} may")
        if caller.channel is not None and _other(request, rule, caller.channel):
            raise HTTPException(403, f"a token of channel {caller.channel} may not do this")
        if any("\x00" in text for text in request.path_params.values()):
            raise HTTPException(404, "nothing here is named so")
        if any("\x00" in text for text in request.query_params.values()):
            raise HTTPException(422, "a character that nothing here is named with")
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            raise HTTPException(413, _TOO_LONG)
        return caller

    async def _caller(self, request: Request) -> Caller:
        shown = _shown(request)
        if shown is None:
            if self.no_login and _is_local(request):
                return Caller("loopback", Role.VIEWER, None, None)
            raise HTTPException(401, "show a token: Authorization: Bearer TOKEN", _challenge(request))
        now, address = self.hub.clock(), _address(request)
        if wait_s := self.failures.wait_s(address, now):
            raise HTTPException(429, "too many bad tokens from this address", {"Retry-After": str(wait_s)})
        try:
            token = await run_in_threadpool(self._holder, shown)
        except NoAccess as fault:
            self.failures.add(address, now)
            log.warning("access.refused", extra={"address": address, "path": _template(request)})
            raise HTTPException(401, str(fault), _challenge(request)) from None
        return Caller(token.name, token.role, token.channel, token)

    def _holder(self, shown: str) -> Token:
        """The token's row as it stands; while the store does not answer, as it stood some minutes ago.

        So that figures of a store that is down can still be read.
        """
        now, digest = self.hub.clock(), sha256(shown.encode("utf-8", "replace")).digest()
        try:
            token = holder(self.hub, shown)
        except Exception as fault:
            at, before = self._lately.get(digest, (now, None))
            recent = before is not None and now - at < timedelta(seconds=LATELY_S) and before.state(now) == "good"
            if before is None or not recent or store_fault(fault) is None:
                raise
            return before
        self._lately[digest] = (now, token)
        self._lately.move_to_end(digest)
        while len(self._lately) > LATELY_MAX:
            self._lately.popitem(last=False)
        return token


class Guarded(APIRoute):
    """A route that is reached only by whom the table lets; nothing of the body is read before that."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            rule = MATRIX[(request.method, self.path)]
            caller: Caller | None = None
            try:
                if rule is not OPEN:
                    caller = request.state.caller = await guard.admit(request, rule)
                answer = await inner(Request(request.scope, _bounded(request.receive)))
            except (HubError, HTTPException, RequestValidationError):
                raise
            except Exception as fault:  # noqa: BLE001 - the web door's rim: nothing of a fault may reach who asks
                raise _told(request, fault) from None
            if caller is not None and caller.token is not None:
                answer.background = BackgroundTask(note_use, guard.hub, caller.token)
            return answer

        return handle


class NoRow(Exception):
    """A route and the table of permissions do not agree: the door does not open."""


def agree(routes: Iterable[BaseRoute]) -> None:
    """Every route has its row, every row its route, and what is not open has the guard before it.

    Raises:
        NoRow: naming what does not.
    """
    found: set[tuple[str, str]] = set()
    for one in iter_route_contexts(list(routes)):
        for method in one.methods or {"*"}:
            at = (method, one.path or "")
            found.add(at)
            if at not in MATRIX:
                raise NoRow(f"{method} {one.path} has no row in the table of permissions")
            if MATRIX[at] is not OPEN and not isinstance(one.original_route, Guarded):
                raise NoRow(f"{method} {one.path} has no guard before it")
    if left := sorted(set(MATRIX) - found):
        raise NoRow(f"rows without a route: {left}")


def _bounded(receive: Receive) -> Receive:
    """Passes the body on until it is longer than any may be."""
    got = 0

    async def bounded() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > BODY_BYTES_MAX:
            raise HTTPException(413, _TOO_LONG)
        return message

    return bounded


def _told(request: Request, fault: Exception) -> HubError | HTTPException:
    """A fault that nobody foresaw: in the log by its kind and place alone, for its words may hold what is secret."""
    if (known := store_fault(fault)) is not None:
        log.warning("api.store", extra={"path": _template(request), "fault": fault})
        return known
    log.error("api.fault", extra={"path": _template(request), "fault": fault})
    return HTTPException(500, "a fault of the hub's own: its log says where")


async def _the_caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


CallerOf = Annotated[Caller, Depends(_the_caller)]


def _shown(request: Request) -> str | None:
    """The token as it was shown; None: none was. A browser shows it as a password, which counts for reading alone."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic" and request.method in SAFE:
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def _challenge(request: Request) -> dict[str, str]:
    scheme = "Bearer" if request.url.path.startswith("/api/") else "Basic"
    return {"WWW-Authenticate": f'{scheme} realm="orderhub"'}


def _other(request: Request, rule: Rule, channel: str) -> bool:
    """Whether this is of another channel, or of more than that one."""
    match rule.reach:
        case Reach.CHANNEL:
            return request.path_params.get("channel") != channel
        case Reach.OWN:
            return any(asked != channel for asked in request.query_params.getlist("channel"))
        case Reach.ALL:
            return True


def _named(rule: Rule) -> str:
    return " or ".join(sorted(rule.roles))


def _template(request: Request) -> str:
    """The route, without what was filled in."""
    return str(getattr(request.scope.get("route"), "path", ""))


def _address(request: Request) -> str:
    """Who is counted: an address, of version 6 the network of one customer."""
    host = request.client.host if request.client is not None else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else host


def _is_local(request: Request) -> bool:
    """Asked from this machine, of this machine by name, and passed on by nobody."""
    passed_on = any(name == "forwarded" or name.startswith("x-forwarded") for name in request.headers)
    client = request.client.host if request.client is not None else ""
    return client in LOOPBACK and request.url.hostname in LOOPBACK and not passed_on
