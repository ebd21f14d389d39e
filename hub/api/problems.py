"""Every refusal as a problem (RFC 9457): what is wrong, what happens next, what to do."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hub.errors import (
    Altered,
    AuthExpired,
    Forged,
    HubError,
    InDoubt,
    Misconfigured,
    Missing,
    NoAccess,
    Rejected,
    Retryable,
    Untranslatable,
)
from hub.steps.bank_files import BadStatement
from hub.steps.crosswalks import BadRows

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5
NAMED_MAX: Final = 50  # faults of a request that are named
STATUS: Final[dict[type[HubError], int]] = {
    Missing: 404,
    Misconfigured: 409,
    NoAccess: 401,
    Forged: 401,
    Rejected: 409,
    Untranslatable: 422,
    Altered: 409,
    InDoubt: 503,
    Retryable: 503,
    AuthExpired: 503,
    BadRows: 422,
    BadStatement: 422,
    HubError: 409,
}


class Named(BaseModel):
    """One fault of a request, and where in it."""

    path: str
    message: str


class Problem(BaseModel):
    """What was refused, and why; fields that are not given do not apply."""

    type: str
    title: str
    status: int
    detail: str | None = None
    next: str | None = None
    """The hub's verdict: retry, probe, park, halt, drop."""
    code: str | None = None
    field: str | None = None
    remedy: str | None = None
    retry_after_s: int | None = None
    problems: list[Named] | None = None


def add_to(app: FastAPI) -> None:
    """The application answers every refusal so."""

    @app.exception_handler(HubError)
    async def of_the_hub(_request: Request, fault: HubError) -> Response:
        return _answer(of(fault))

    @app.exception_handler(HTTPException)
    async def of_the_door(_request: Request, fault: HTTPException) -> Response:
        detail = fault.detail if fault.detail != HTTPStatus(fault.status_code).phrase else None
        return _answer(_problem(fault.status_code, detail=detail, retry_after_s=_after(fault.headers)), fault.headers)

    @app.exception_handler(RequestValidationError)
    async def of_the_request(_request: Request, fault: RequestValidationError) -> Response:
        """Where it is wrong and how; never what was sent."""
        named = [Named(path=_path(one["loc"]), message=str(one["msg"])) for one in fault.errors()[:NAMED_MAX]]
        return _answer(_problem(422, detail="the request is not what this route takes", problems=named))


def of(fault: HubError) -> Problem:
    """The hub's error, its fields and remedy kept."""
    status = next(STATUS[kind] for kind in type(fault).__mro__ if kind in STATUS)
    more: dict[str, Any] = {"next": fault.next.value}
    if isinstance(fault, Rejected):
        more |= {"code": fault.code, "field": fault.field, "remedy": fault.remedy}
    if isinstance(fault, Untranslatable):
        more |= {"problems": [Named(path=one.path, message=one.message) for one in fault.problems[:NAMED_MAX]]}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        after_s = fault.after_s if isinstance(fault, Retryable) else None
        more |= {"retry_after_s": max(1, round(after_s or RETRY_AFTER_S))}
    return _problem(status, kind=type(fault).__name__, detail=str(fault) or None, **more)


def _problem(status: int, kind: str | None = None, **more: Any) -> Problem:
    phrase = HTTPStatus(status).phrase
    name = kind or phrase.title().replace(" ", "")
    return Problem(type=f"urn:orderhub:problem:{name}", title=phrase, status=status, **more)


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    plain = dict(headers or {})
    if problem.retry_after_s is not None:
        plain["Retry-After"] = str(problem.retry_after_s)
    content = problem.model_dump_json(exclude_none=True).encode("utf-8", "backslashreplace")
    return Response(content, status_code=problem.status, media_type=MEDIA_TYPE, headers=plain)


def _after(headers: Mapping[str, str] | None) -> int | None:
    return int(headers["Retry-After"]) if headers and "Retry-After" in headers else None


def _path(loc: tuple[int | str, ...]) -> str:
    """`body.rows[2].source`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")[:200]
