"""How the account refuses: the vendor's error bodies, in the words that were recorded where any were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_TITLES: Final = {
    400: ("Bad Request", "15.5.1"),
    401: ("Unauthorized", "15.5.2"),
    403: ("Forbidden", "15.5.4"),
    404: ("Not Found", "15.5.5"),
    405: ("Method Not Allowed", "15.5.6"),
    429: ("Bad Request", "15.5.1"),  # so the vendor's page prints it
    500: ("Internal Server Error", "15.6.1"),
    503: ("Service Unavailable", "15.6.4"),
}
_FULL: Final = "Concurrent request limit exceeded. Request blocked."
_WHERE: Final = (
    " Verify your concurrency limits at Setup > Integration > Integration Management > Integration Governance."
)


class Refused(Exception):
    """The account does not do what was asked."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        top: Mapping[str, Any] | None = None,
        where: Mapping[str, str] | None = None,
    ) -> None:
        """`where`: further members of the error's detail, without their `o:`; `top`: members beside the details."""
        super().__init__(f"{status} {code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.title, self.headers, self.top, self.where = title, dict(headers or {}), dict(top or {}), dict(where or {})

    def body(self) -> dict[str, Any]:
        title, section = _TITLES.get(self.status, ("Error", "15"))
        detail = {"detail": self.detail, **{f"o:{name}": value for name, value in self.where.items()}}
        return {
            "type": f"https://www.rfc-editor.org/rfc/rfc9110.html#section-{section}",
            "title": self.title or title,
            "status": self.status,
            **self.top,
            "o:errorDetails": [{**detail, "o:errorCode": self.code}],
        }


def user_error(text: str, *, at: str | None = None) -> Refused:
    """A business rule, a form or a script says no, in words only, perhaps with the path in the body."""
    where = {} if at is None else {"errorPath": at}
    return Refused(400, "USER_ERROR", f"Error while accessing a resource. {text}", where=where)


def invalid_value(value: object, name: str, path: str) -> Refused:
    return Refused(
        400,
        "INVALID_CONTENT",
        f"Error while accessing resource: You have entered an Invalid Field Value {value} for the following field:"
        f" {name}",
        where={"errorPath": path},
    )


def unknown_property(path: str) -> Refused:
    return Refused(
        400,
        "INVALID_CONTENT",
        f"Error while accessing a resource. Unknown property name: {path.rsplit('.', 1)[-1]}",
        where={"errorPath": path},
    )


def not_there(transaction: bool) -> Refused:
    """A record of this id is not there, in the two forms that were recorded."""
    if transaction:
        return user_error("Transaction type specified is incorrect.")
    return Refused(404, "NONEXISTENT_ID", "The record instance does not exist. Provide a valid record instance ID.")


def unknown_type(name: str) -> Refused:
    return Refused(
        404,
        "NONEXISTENT_ID",
        f"Record type '{name}' does not exist.",
        where={"errorUrl": f"/services/rest/record/v1/{name}"},
    )


def malformed() -> Refused:
    return Refused(400, "INVALID_REQUEST", "The request could not be understood by the server due to malformed syntax.")


def bad_login() -> Refused:
    return Refused(
        401,
        "INVALID_LOGIN",
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > Users/Roles"
        " > User Management > View Login Audit Trail.",
    )


def no_permission(what: str, level: str) -> Refused:
    return Refused(
        403,
        "INSUFFICIENT_PERMISSION",
        f"Permission Violation: You need the '{what}' permission ({level}) to access this page."
        " Please contact your account administrator.",
    )


def too_many(form: str) -> Refused:
    """More requests at once than the account takes: `form` 429 as documented, 400 and 401 as others met it."""
    match form:
        case "400":
            return Refused(400, "CONCURRENCY_LIMIT_EXCEEDED", _FULL + _WHERE)
        case "401":
            return bad_login()
    return Refused(429, "CONCURRENCY_LIMIT_EXCEEDED", _FULL, top={"o:errorCode": "USER_ERROR"})


def server_fault(name: str) -> Refused:
    return Refused(500, "UNEXPECTED_ERROR", f"An unexpected error occurred. Error ID: {name}")
