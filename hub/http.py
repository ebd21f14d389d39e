"""The one HTTP client of all plugins: bounded, retried where that is safe, its failures told by class.

What a request means decides what a lost answer means: a `READ` and a `KEYED` write (the far side keeps the key) are
tried again for some seconds; a `WRITE` is sent once, and without an answer it is in doubt.
"""

import json
import logging
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Final, NoReturn

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, RateLimited, Rejected, Retryable

log = logging.getLogger(__name__)
# They log whole addresses and headers, in which secrets stand.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

CONNECT_S: Final = 5.0
READ_S: Final = 30.0
CALL_S: Final = 60.0  # of one answer, to its last byte
ATTEMPTS: Final = 4
WAIT_S_MAX: Final = 10.0  # between two attempts; who asks for more is obeyed by giving up for now
RETRY_AFTER_S_MAX: Final = 3600.0
BODY_BYTES_MAX: Final = 32_000_000
DOWNLOAD_BYTES_MAX: Final = 4_000_000_000
DOWNLOAD_S: Final = 1800.0
LINE_BYTES_MAX: Final = 16_000_000
SAID_CHARS: Final = 200  # of a refusal, in its error
MEMORY_BYTES: Final = 8_000_000  # of a download, before it goes to disk
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class Safety(Enum):
    """What it means to send a request twice."""

    READ = "read"
    KEYED = "keyed"  # a write whose key the far side keeps: twice is once
    WRITE = "write"  # twice may be two


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was wanted; its body has no repr."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes = field(repr=False)
    document: Any = field(default=None, repr=False)  # the body parsed, fractions as Decimal, where JSON was asked for


Sign = Callable[[], Mapping[str, str]]
"""Headers of one attempt, made anew for each."""
Judge = Callable[[Answer], HubError | None]
"""What a refusal is, by what stands in it; None: by its status. Its document is None where its body is no JSON."""


class Http:
    """Calls to one far side, from any thread."""

    def __init__(
        self,
        base: str,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        who: str,
        attempts: int = ATTEMPTS,
        read_s: float = READ_S,
        transport: httpx.BaseTransport | None = None,
        request_id: str = "x-request-id",
    ) -> None:
        """
        Args:
            base: https, or http to this machine itself or a name under .test.
            who: names the far side in errors, like the slug of its channel.
            read_s: how long the far side may be silent over a request.
            transport: what carries requests in place of the network, in a rehearsal.
            request_id: the header of its answers, in lower case, by which its own people find a request.

        Raises:
            Misconfigured: the address is none that may be called.
        """
        self.base = checked_address(base, who)
        self.who = who
        self._clock = clock
        self._sleep = sleep
        self._attempts = attempts
        self._call_s = max(CALL_S, 2 * read_s)
        self._hidden: frozenset[str] = frozenset()
        self._request_id = request_id
        self._transport = transport
        self._client = httpx.Client(
            base_url=self.base,
            timeout=httpx.Timeout(read_s, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=self._by_proxy(self.base),
            transport=transport,
            headers={"user-agent": "orderhub"},
        )

    def __repr__(self) -> str:
        return f"Http({self.who})"

    def _by_proxy(self, address: str) -> bool:
        return self._transport is None and not _is_near(httpx.URL(address).host)

    def close(self) -> None:
        self._client.close()

    def hide(self, *secrets: str) -> None:
        """None of these texts will stand in an error or a log."""
        self._hidden |= {secret for secret in secrets if secret}  # replaced, never changed: other threads read it

    def call(
        self,
        method: str,
        path: str,
        *,
        safety: Safety,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        parse: bool = True,
        wanted: Collection[int] = (),
        attempts: int | None = None,
        sign: Sign | None = None,
        judge: Judge | None = None,
    ) -> Answer:
        """The answer to one request.

        Args:
            path: below the base address, or an address of its own.
            parse: the answer must be JSON; one that is not counts as none.
            wanted: statuses besides 2xx that are answers.
            attempts: 1: no retry here.
            sign: headers besides `headers`, asked for before each attempt.
            judge: asked of each refusal before its status decides; what it says is retried as its class allows.

        Raises:
            RateLimited, Retryable: not now; nothing was changed.
            AuthExpired: 401.
            Rejected: refused, and will be again.
            InDoubt: a write without an answer.
        """
        doubts = 0

        def once() -> Answer:
            nonlocal doubts
            try:
                signed = {**(headers or {}), **sign()} if sign is not None else headers
                return self._once(method, path, safety, signed, params, content, form, parse, wanted, judge)
            except InDoubt:
                doubts += 1
                raise

        try:
            return self._retrying(safety, attempts)(once)
        except Retryable as error:
            if doubts:  # an earlier attempt of this write got no answer, and may have happened
                doubt = InDoubt(str(error))
                doubt.summary = error.summary
                raise doubt from None
            raise

    @contextmanager
    def file(self, address: str) -> Iterator[Callable[[], Iterator[bytes]]]:
        """The lines of a large file, without their ends, as often as they are asked for; nothing of ours is sent along.

        It is fetched whole before the block runs, so that a broken connection never cuts it short.
        """
        checked_address(address, self.who)
        with tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES) as file:

            def once() -> None:
                file.seek(0)
                file.truncate()
                for chunk in self._streamed(address):
                    file.write(chunk)

            def lines() -> Iterator[bytes]:
                file.seek(0)
                while line := file.readline(LINE_BYTES_MAX + 1):
                    if len(line) > LINE_BYTES_MAX:
                        raise self._rejected("body_too_large", f"a line of more than {LINE_BYTES_MAX} bytes")
                    if stripped := line.strip():
                        yield stripped

            self._retrying(Safety.READ, None)(once)
            yield lines

    def clean(self, text: str, chars: int = SAID_CHARS) -> str:
        """The text without secrets and shortened, for an error."""
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return " ".join(text.split())[:chars]

    def retry_after_s(self, headers: Mapping[str, str]) -> float | None:
        """How long an answer asks to wait, by a number or a date; None: it does not say."""
        said = headers.get("retry-after")
        if said is None:
            return None
        try:
            seconds = float(said)
        except ValueError:
            try:
                at = parsedate_to_datetime(said)
            except ValueError:
                return None
            seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - self._clock()).total_seconds()
        return min(max(seconds, 0.0), RETRY_AFTER_S_MAX) if seconds == seconds else None

    # --- one attempt ------------------------------------------------------------------------------------------------

    def _once(
        self,
        method: str,
        path: str,
        safety: Safety,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        content: bytes | None,
        form: Mapping[str, str] | None,
        parse: bool,
        wanted: Collection[int],
        judge: Judge | None,
    ) -> Answer:
        what = f"{method} {httpx.URL(path).path}"
        begun = self._clock()
        try:
            with self._client.stream(
                method, path, headers=headers, params=params, content=content, data=form
            ) as response:
                status = response.status_code
                body = self._body(response, begun)
                said = {name.lower(): text for name, text in response.headers.items()}
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            fault = Retryable(f"{self.who}: {what}: no connection ({type(error).__name__})")
            fault.summary = str(fault)
            raise fault from None
        except (httpx.HTTPError, httpx.InvalidURL, _TooMuch) as error:
            reason = str(error) if isinstance(error, _TooMuch) else type(error).__name__
            self._unanswered(safety, f"{self.who}: {what}: no whole answer ({reason})")
        request = said.get(self._request_id)
        log.info("http.call", extra={"who": self.who, "what": what, "status": status, "request": request})
        if 200 <= status < 300 or status in wanted:
            return Answer(status, said, body, self._parsed(body, safety, what) if parse else None)
        if judge is not None and (judged := judge(Answer(status, said, body, _json(body)))) is not None:
            raise judged
        raise self._refusal(status, said, body, safety, what)

    def _body(self, response: httpx.Response, begun: datetime) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > BODY_BYTES_MAX:
                raise _TooMuch(f"a body of more than {BODY_BYTES_MAX} bytes")
            if (self._clock() - begun).total_seconds() > self._call_s:
                raise _TooMuch(f"not whole after {self._call_s:.0f} s")
            chunks.append(chunk)
        return b"".join(chunks)

    def _parsed(self, body: bytes, safety: Safety, what: str) -> Any:
        try:
            return json.loads(body.decode(), parse_float=Decimal)
        except (ValueError, RecursionError):
            self._unanswered(safety, f"{self.who}: {what}: the answer is not JSON")

    def _unanswered(self, safety: Safety, message: str) -> NoReturn:
        fault: HubError = Retryable(message) if safety is Safety.READ else InDoubt(message)
        fault.summary = message  # nothing of an answer stands in it
        raise fault from None

    def _refusal(self, status: int, headers: Mapping[str, str], body: bytes, safety: Safety, what: str) -> HubError:
        said = self.clean(body[:4000].decode("utf-8", "replace"))
        refusal = self._refused(status, headers, f"{self.who}: {what}: {status}: {said}", safety, what)
        refusal.summary = f"{self.who}: {what}: {status}"
        return refusal

    def _refused(self, status: int, headers: Mapping[str, str], message: str, safety: Safety, what: str) -> HubError:
        after_s = self.retry_after_s(headers)
        if status == 429:
            return RateLimited(message, after_s)
        if status == 401:
            return AuthExpired(f"{message}; check the credentials of {self.who}")
        if status >= 500 or status == 408:
            # 503 too: a proxy says so of a request that its backend may have taken.
            return Retryable(message, after_s) if safety is Safety.READ else InDoubt(message)
        if 300 <= status < 400:
            return self._rejected("redirected", f"{what}: {status}: redirects are not followed", "address")
        return Rejected(message, code=f"http_{status}", field="", remedy=_REMEDIES.get(status, "see what it says"))

    def _rejected(self, code: str, message: str, field_: str = "") -> Rejected:
        return Rejected(
            f"{self.who}: {message}", code=code, field=field_, remedy=f"check the address of {self.who} in hub.yaml"
        )

    def _streamed(self, address: str) -> Iterator[bytes]:
        begun, size = self._clock(), 0
        client = httpx.Client(
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=self._by_proxy(address),
            transport=self._transport,
        )
        try:
            with client, client.stream("GET", address) as response:
                if response.status_code != 200:
                    body = b"".join(_first(response.iter_bytes(), 4000))
                    raise self._refusal(response.status_code, response.headers, body, Safety.READ, "GET of a result")
                for chunk in response.iter_bytes():
                    size += len(chunk)
                    if size > DOWNLOAD_BYTES_MAX:
                        raise self._rejected("body_too_large", f"a file of more than {DOWNLOAD_BYTES_MAX} bytes")
                    if (self._clock() - begun).total_seconds() > DOWNLOAD_S:
                        raise Retryable(f"{self.who}: a file not whole after {DOWNLOAD_S:.0f} s")
                    yield chunk
        except httpx.HTTPError as error:
            raise Retryable(f"{self.who}: a file broke off ({type(error).__name__})") from None

    # --- retries ----------------------------------------------------------------------------------------------------

    def _retrying(self, safety: Safety, attempts: int | None) -> Retrying:
        return Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(attempts or self._attempts),
            wait=_wait,
            retry=retry_if_exception(lambda error: _may_repeat(error, safety)),
            reraise=True,
        )


class _TooMuch(Exception):
    """An answer beyond its bounds."""


_REMEDIES: Final = {
    402: "the account is frozen for a bill: settle it with the vendor",
    403: "grant the app the access that it lacks",
    404: "check the address in hub.yaml",
    413: "less at once",
}
_JITTERED: Final = wait_exponential_jitter(multiplier=0.5, max=WAIT_S_MAX, jitter=0.5)


def checked_address(address: str, who: str) -> str:
    """The address, which is https, or http to this machine itself or a name under .test.

    Raises:
        Misconfigured: it is none that may be called.
    """
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL("")
    safe = url.scheme == "https" or (url.scheme == "http" and _is_near(url.host))
    named = url.host in LOOPBACK or re.fullmatch(r"[a-z0-9][a-z0-9.-]*", url.host)
    if not safe or not named or url.userinfo:
        raise Misconfigured(f"{who}: not an address to call; expected https://HOST without a name or password in it")
    return address.rstrip("/")


def _is_near(host: str) -> bool:
    """This machine, or a name that is for tests alone and that no public name server answers for (RFC 6761, 6.2)."""
    return host in LOOPBACK or host.endswith(".test")


def _json(body: bytes) -> Any:
    """The body parsed; None where it is no JSON."""
    try:
        return json.loads(body.decode(), parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _may_repeat(error: BaseException, safety: Safety) -> bool:
    if isinstance(error, InDoubt):
        return safety is Safety.KEYED
    # Of a write a Retryable says that it was not taken: no connection, or turned away by the limit.
    return isinstance(error, Retryable) and (error.after_s or 0.0) <= WAIT_S_MAX


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.after_s if isinstance(error, Retryable) else None
    return max(asked or 0.0, _JITTERED(state))


def _first(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return
