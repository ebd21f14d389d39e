"""The wire: NetSuite's records and queries over HTTP, every request proven, every refusal told by class.

A create answers 204 without a body: the new id is the last part of its Location, and an answer without one leaves the
write in doubt. A write is sent once; what got no whole answer is looked for by its key.
"""

import json
import logging
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from erp_adapters.netsuite.auth import Credentials, Nonce, credentials_of
from erp_adapters.netsuite.errors import NotFound, error_of
from erp_adapters.netsuite.options import Options
from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, RateLimited, Rejected, Retryable
from hub.http import Answer, Http, Safety
from hub.ports import ErpConfig
from mappings.netsuite.fields import Fields

log = logging.getLogger(__name__)

RECORDS: Final = "/services/rest/record/v1"
QUERIES: Final = "/services/rest/query/v1/suiteql"
ANSWER_S: Final = 120.0  # of silence: a save runs the account's own scripts. The vendor's limit is 15 minutes
SLOT_S: Final = 60.0  # waited for one of this process's own requests to end
PAGE_ROWS: Final = 1000  # of a query, at most (vendor)
QUERY_ROWS_MAX: Final = 100_000  # reachable by pages of one query (vendor)
WALK_ROWS_MAX: Final = 20_000_000
WRITTEN: Final = (200, 201, 204)

# Unknown properties are else left out in silence, and named in a header of the answer alone (vendor).
STRICT: Final = {"x-netsuite-propertynamevalidation": "Error", "x-netsuite-propertyvaluevalidation": "Error"}
WARNINGS: Final = ("x-netsuite-propertyvalidation", "x-netsuite-warning")

_RECORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII).fullmatch
_ID: Final = re.compile(r"-?\d+|eid:[\w-]+").fullmatch
_NAMES: Final = re.compile(r"\w+", re.ASCII).fullmatch
_CREATED: Final = re.compile(r"/record/v1/(?P<record>[^/]+)/(?P<id>\d+)/?", re.ASCII | re.IGNORECASE).search


def eid(key: str) -> str:
    """A record's id by its external id, for any method here that takes one.

    Raises:
        ValueError: NetSuite takes letters, digits, `_` and `-`.
    """
    found = f"eid:{key}"
    if not _ID(found):
        raise ValueError(f"not an external id: {key!r}")
    return found


class Client:
    """One NetSuite account, from any thread."""

    def __init__(self, config: ErpConfig, options: Options, nonce: Nonce) -> None:
        """
        Args:
            nonce: 6 to 64 letters and digits, new each time.

        Raises:
            Misconfigured: no address, or none that may be called.
        """
        if config.address is None:
            raise Misconfigured(
                f"{config.slug} has no address: set address: https://ACCOUNT.suitetalk.api.netsuite.com in hub.yaml, "
                "as NetSuite shows it (Setup > Company > Company Information > Company URLs)"
            )
        self.slug = config.slug
        self._http = Http(
            config.address,
            clock=config.clock,
            sleep=config.sleep,
            who=config.slug,
            read_s=ANSWER_S,
            transport=config.transport,
            request_id="x-n-operationid",
        )
        self._credentials: Credentials = credentials_of(config, options, self._http, nonce)
        self._requests = options.requests
        self._slots = threading.BoundedSemaphore(options.requests)

    def __repr__(self) -> str:
        return f"Client({self.slug})"

    def close(self) -> None:
        """No connection is open any more."""
        self._http.close()

    # --- writes: each sent once -------------------------------------------------------------------------------------

    def post(self, record: str, body: Mapping[str, Any]) -> str:
        """The internal id of a new record.

        Raises:
            InDoubt: no whole answer: look for its externalId.
            AlreadyExists: look for its externalId, adopt it.
            Rejected: refused, with field and remedy.
            RateLimited, Retryable, AuthExpired: nothing was written.
        """
        return self._created("POST", self._path(record), body, record)

    def transform(self, source: str, id: str, target: str, body: Mapping[str, Any]) -> str:
        """The internal id of a new record that was made from another; the body says what differs from its defaults.

        Raises:
            NotFound: there is no such source.
            As `post`.
        """
        _checked(_RECORD, target)
        return self._created("POST", f"{self._path(source, id)}/!transform/{target}", body, target)

    def patch(self, record: str, id: str, body: Mapping[str, Any], *, replace: Sequence[str] = ()) -> None:
        """The named fields are so; null empties one. A row with its `line` is merged into it, one without is appended.

        Args:
            replace: sublists that the body gives whole: the rows that stand go.

        Raises:
            NotFound, and as `post`.
        """
        params = {"replace": ",".join(_checked(_NAMES, name) for name in replace)} if replace else {}
        self._written("PATCH", self._path(record, id), body, params)

    def put_eid(self, record: str, key: str, body: Mapping[str, Any]) -> str:
        """The internal id of the record that has this external id; made where there was none.

        For records without rows alone: a repeat appends the rows anew.

        Raises:
            As `post`.
        """
        return self._created("PUT", self._path(record, eid(key)), body, record)

    def delete(self, record: str, id: str) -> bool:
        """The record is gone; False: there was none.

        Raises:
            As `post`.
        """
        try:
            self._written("DELETE", self._path(record, id), None, {})
        except NotFound:
            return False
        return True

    # --- reads ------------------------------------------------------------------------------------------------------

    def get(self, record: str, id: str, *, expand: bool = False) -> Fields | None:
        """A record; None: there is none of this type and id.

        Args:
            id: internal, or `eid(key)`.
            expand: with the rows of its sublists and its subrecords, which are links else.

        Raises:
            Rejected: the record type is unknown here, or the role may not read it.
            RateLimited, Retryable, AuthExpired.
        """
        params = {"expandSubResources": "true"} if expand else {}
        try:
            answer = self._called("GET", self._path(record, id), Safety.READ, params=params)
        except NotFound:
            return None
        return Fields(self._object(answer, f"GET {record}"), f"{record}({id})")

    def properties(self, record: str) -> dict[str, frozenset[str]]:
        """The properties of a record type as this role sees it, and of what it is made of: `salesorder`,
        `salesorder-itemelement`; names in lower case, whose spelling differs by release.

        Raises:
            Rejected: the record type is unknown here, or the role may not read it.
            RateLimited, Retryable, AuthExpired.
        """
        answer = self._called(
            "GET",
            f"{RECORDS}/metadata-catalog",
            Safety.READ,
            params={"select": _checked(_RECORD, record)},
            headers={"accept": "application/swagger+json"},
        )
        schemas = (self._object(answer, "metadata").get("components") or {}).get("schemas") or {}
        return {
            str(name).lower(): frozenset(str(one).lower() for one in (schema.get("properties") or {}))
            for name, schema in schemas.items()
        }

    def suiteql(self, query: str, params: Sequence[str | int] = ()) -> Iterator[Fields]:
        """The rows of a query, page by page; what is null in a row is absent.

        Args:
            query: values as `?`; with an ORDER BY that no two rows share, for the pages to neither lose nor double.

        Raises:
            Rejected: `too_many_rows`, before the first is given: more than a query can reach; see `walk`.
            Rejected, RateLimited, Retryable, AuthExpired.
            ValueError: the query has no order.
        """
        if " order by " not in " ".join(query.lower().split()):
            raise ValueError(f"a query without ORDER BY: {query[:80]}")
        offset = 0
        while True:
            rows, more, total = self._page(query, params, offset)
            if total is not None and total > QUERY_ROWS_MAX:
                raise self._too_many(total)
            yield from rows
            offset += len(rows)
            if not more:
                return
            if offset >= QUERY_ROWS_MAX:
                raise self._too_many(offset)

    def walk(
        self, query: str, params: Sequence[str | int] = (), *, key: str = "id", after: str | int = 0
    ) -> Iterator[Fields]:
        """All rows of a query however many, read by windows of its key: no large offset is asked for.

        Args:
            query: its last `?` is the key's lower bound, and it is ordered by the key:
                `… WHERE t.type = ? AND t.id > ? ORDER BY t.id`.
            params: all but that last one.
            key: the column that holds the key, a number that no two rows share.
            after: where to begin.

        Raises:
            As `suiteql`. ValueError: the rows are not in the order of their key.
        """
        last, given = int(after), 0
        while given < WALK_ROWS_MAX:
            rows, more, _ = self._page(query, (*params, str(last)), 0)
            for row in rows:
                at = row.whole(key)
                if at is None or at <= last:
                    raise ValueError(f"rows that are not in the order of {key}: {at} after {last}")
                last = at
                yield row
            given += len(rows)
            if not more:
                return
        raise self._too_many(given)

    def _page(self, query: str, params: Sequence[str | int], offset: int) -> tuple[list[Fields], bool, int | None]:
        """The rows of a page, whether more follow, and how many there are in all, where told."""
        said = {"q": query, "params": [str(value) for value in params]} if params else {"q": query}
        answer = self._called(
            "POST",
            QUERIES,
            Safety.READ,
            params={"limit": str(PAGE_ROWS), "offset": str(offset)},
            content=json.dumps(said).encode(),
            headers={"prefer": "transient"},
        )
        page = Fields(self._object(answer, "SuiteQL"), "suiteql")
        listed = answer.document.get("items")
        if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
            raise Retryable(f"{self.slug}: SuiteQL: an answer without rows")
        more, total = page.flag("hasMore"), page.whole("totalResults")
        if more is None:  # older servers tell the total alone
            more = total is not None and offset + len(listed) < total
        if more and not listed:
            raise Retryable(f"{self.slug}: SuiteQL: an empty page, and more to follow")
        rows = [Fields(row, f"suiteql[{offset + index}]") for index, row in enumerate(listed)]
        return rows, more, total

    def _too_many(self, rows: int) -> Rejected:
        return Rejected(
            f"{self.slug}: SuiteQL: {rows} rows; a query reaches {QUERY_ROWS_MAX}",
            code="too_many_rows",
            field="q",
            remedy="ask for a shorter period",
        )

    # --- one request ------------------------------------------------------------------------------------------------

    def _created(self, method: str, path: str, body: Mapping[str, Any], record: str) -> str:
        answer = self._written(method, path, body, {})
        location = answer.headers.get("location", "")
        found = _CREATED(urlsplit(location).path)
        if found is None or found["record"].lower() != record.lower():
            raise InDoubt(f"{self.slug}: {method} {record}: {answer.status}, and no id in its Location")
        return found["id"]

    def _written(self, method: str, path: str, body: Mapping[str, Any] | None, params: Mapping[str, str]) -> Answer:
        content = None if body is None else encoded(body)
        answer = self._called(method, path, Safety.WRITE, params=params, content=content, headers=STRICT, parse=False)
        if answer.status not in WRITTEN:
            raise InDoubt(f"{self.slug}: {method}: {answer.status} is no answer to a write")
        if answer.body.strip() and not _is_object(answer.body):
            raise InDoubt(f"{self.slug}: {method}: {answer.status} with a body that is no record")
        for name in WARNINGS:
            if name in answer.headers:
                operation = answer.headers.get("x-n-operationid")
                said = {"method": method, "path": path, "header": name, "operation": operation}
                log.warning("netsuite.warned", extra=said)
        return answer

    def _called(
        self,
        method: str,
        path: str,
        safety: Safety,
        *,
        params: Mapping[str, str],
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        parse: bool = True,
    ) -> Answer:
        address = self._http.base + path
        what = f"{method} {path.removeprefix('/services/rest')}"
        sent = ""

        def sign() -> Mapping[str, str]:
            nonlocal sent
            sent = self._credentials.sign(method, address, params)
            return {"authorization": sent}

        def judge(answer: Answer) -> HubError | None:
            error = error_of(answer, what=what, safety=safety, http=self._http)
            if isinstance(error, Rejected):
                self._credentials.accepted()
            return error

        def once() -> Answer:
            answer = self._http.call(
                method,
                path,
                safety=safety,
                headers={"accept": "application/json", "content-type": "application/json", **(headers or {})},
                params=params or None,
                content=content,
                parse=parse,
                sign=sign,
                judge=judge,
            )
            self._credentials.accepted()
            return answer

        with self._slot():
            try:
                return once()
            except AuthExpired:
                if not sent:  # no token was to be had: nothing was asked
                    raise
                self._credentials.refused(sent)
                sent = ""
            try:
                return once()
            except AuthExpired as error:
                if not sent:
                    raise
                self._credentials.refused(sent)
                raise self._credentials.refusal(error) from None

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """One of the requests that this process may have under way."""
        if not self._slots.acquire(timeout=SLOT_S):
            raise RateLimited(f"{self.slug}: {self._requests} requests were under way for {SLOT_S:.0f} s")
        try:
            yield
        finally:
            self._slots.release()

    def _path(self, record: str, id: str | None = None) -> str:
        _checked(_RECORD, record)
        return f"{RECORDS}/{record}" if id is None else f"{RECORDS}/{record}/{_checked(_ID, id)}"

    def _object(self, answer: Answer, what: str) -> dict[str, Any]:
        if not isinstance(answer.document, dict):
            raise Retryable(f"{self.slug}: {what}: an answer that is no object")
        return answer.document


def encoded(body: Mapping[str, Any]) -> bytes:
    """The body as JSON: a Decimal with the digits it has, a date as NetSuite writes one.

    A line end in a text is escaped twice, else it is refused (vendor).
    """
    return _json(body).encode()


def _json(value: Any) -> str:
    match value:
        case None | bool() | int():
            return json.dumps(value)
        case str():
            return json.dumps(value.replace("\r\n", "\n").replace("\n", "\\n"))
        case Decimal() if value.is_finite():
            return format(value, "f")
        case datetime() | date():
            return json.dumps(value.isoformat())
        case Mapping():
            return "{" + ",".join(f"{json.dumps(str(name))}:{_json(part)}" for name, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(_json(part) for part in value) + "]"
    raise TypeError(f"{type(value).__name__} is nothing that NetSuite is told")


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _checked(pattern: Any, text: str) -> str:
    if not pattern(text):
        raise ValueError(f"not a part of an address: {text!r}")
    return text
