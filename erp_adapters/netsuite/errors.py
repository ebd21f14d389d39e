"""What NetSuite's refusals mean: by their code first, by their status second, by their words where these are all.

    {"status": 400, "o:errorDetails": [{"detail": …, "o:errorCode": …, "o:errorPath": …}]}      since about 2020
    {"status": 400, "detail": …, "o:errorCode": …}                                              before
    {"error": {"code": …, "message": …}}                                                        a RESTlet's

A business rule, a script or a form refuses with USER_ERROR and a sentence. Known sentences get a code, a field and a
remedy; any other is handed to the operator as it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.errors import AuthExpired, HubError, InDoubt, RateLimited, Rejected, Retryable
from hub.http import Answer, Http, Safety

SAID_CHARS: Final = 1000  # of what it says, for the operator
CHANGED_AFTER_S: Final = 2.0  # somebody else saved the record meanwhile

OVER_LIMIT: Final = frozenset({"CONCURRENCY_LIMIT_EXCEEDED", "SSS_REQUEST_LIMIT_EXCEEDED"})
BAD_LOGIN: Final = frozenset({"INVALID_LOGIN", "INVALID_LOGIN_ATTEMPT"})
MISSING: Final = frozenset({"NONEXISTENT_ID", "RCRD_DSNT_EXIST"})
TAKEN: Final = frozenset({"DUP_RCRD"})
CHANGED: Final = frozenset({"RCRD_HAS_BEEN_CHANGED"})
FORBIDDEN: Final = frozenset({"INSUFFICIENT_PERMISSION"})


class NotFound(Rejected):
    """No record has this id; or a transaction of another type has it (recorded 2026-03)."""


class AlreadyExists(Rejected):
    """A record with this external id, or with a name that must be unique, is there: look it up by our key, adopt it.

    The sentence is recorded for an entity only (2026-03); what a transaction says is not verified. Where our key finds
    nothing it was a name that is taken, and this is what a person must read.
    """


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of a refusal."""

    code: str
    text: str
    path: str


def details_of(document: Any) -> list[Detail]:
    """The entries of an error's body, the telling ones first; none where it is no error of NetSuite's."""
    if not isinstance(document, Mapping):
        return []
    listed = document.get("o:errorDetails")
    found = [_detail(entry) for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    if "o:errorCode" in document or ("detail" in document and not found):
        found.append(_detail(document))
    restlet = document.get("error")
    if isinstance(restlet, Mapping) and isinstance(restlet.get("code"), str):
        found.append(Detail(restlet["code"], str(restlet.get("message") or ""), ""))
    return [detail for detail in found if detail.code or detail.text]


def error_of(answer: Answer, *, what: str, safety: Safety, http: Http) -> HubError | None:
    """What a refusal means; None: it is none of NetSuite's own, its status decides.

    Args:
        what: the request, for people.
        http: hides secrets.
    """
    details = details_of(answer.document)
    if not details:
        return None
    codes = {detail.code for detail in details}
    said = http.clean("; ".join(dict.fromkeys(detail.text or detail.code for detail in details)), SAID_CHARS)
    support = answer.headers.get("x-n-operationid")
    message = f"{http.who}: {what}: {answer.status}: {said}" + (f" (operation {support})" if support else "")
    first = next((detail for detail in details if detail.text), details[0])
    if codes & OVER_LIMIT or answer.status == 429:
        return RateLimited(message, http.retry_after_s(answer.headers))
    if codes & BAD_LOGIN or answer.status == 401:
        return AuthExpired(f"{message}; {LOGIN_REMEDY}")
    if "IDEMPOTENCY_ERROR" in codes:
        return InDoubt(f"{message}; its first request is still under way, or done")
    if codes & CHANGED or CHANGED_WORDS(said):
        return Retryable(message, CHANGED_AFTER_S)
    if answer.status >= 500 or answer.status == 408 or ("UNEXPECTED_ERROR" in codes and safety is not Safety.READ):
        # Of a write too: a fault in a script that runs after the save is told so.
        return Retryable(message) if safety is Safety.READ else InDoubt(message)
    return _rejected(first, codes, message, said, answer.status)


def _rejected(first: Detail, codes: set[str], message: str, said: str, status: int) -> Rejected:
    if found := UNKNOWN_RECORD(said):
        remedy = (
            f"NetSuite knows no record type {found['type']}: enable its feature (Setup > Company > Enable Features)"
        )
        return Rejected(message, code="unknown_record_type", field=first.path, remedy=remedy)
    if codes & MISSING or NOT_FOUND_WORDS(said):
        remedy = "look whether it was deleted in NetSuite, or is a record of another type"
        return NotFound(message, code="not_found", field=first.path or "id", remedy=remedy)
    if codes & TAKEN or TAKEN_WORDS(said):
        remedy = f"look in NetSuite for the record that has this external id or name: {said}"
        return AlreadyExists(message, code="already_exists", field=first.path or "externalId", remedy=remedy)
    if codes & FORBIDDEN or status == 403:
        return Rejected(message, code="insufficient_permission", field=first.path, remedy=f"{ROLE_REMEDY}: {said}")
    for rule in RULES:
        if found := rule.words(said):
            named = found.groupdict()
            field = first.path or (named.get("field") or "").strip() or rule.field
            return Rejected(message, code=rule.code, field=field, remedy=f"{rule.remedy} (NetSuite says: {said})")
    if INVALID_REFERENCE(said) or first.code in ("INVALID_KEY_OR_REF", "INVALID_CONTENT"):
        field = first.path or next((named for named in _fields_named(said)), "")
        code, remedy = _reference(field)
        return Rejected(message, code=code, field=field, remedy=f"{remedy} (NetSuite says: {said})")
    code = first.code.lower() or f"http_{status}"
    return Rejected(message, code=code, field=first.path, remedy=f"NetSuite says: {said}")


def _detail(entry: Mapping[str, Any]) -> Detail:
    """One entry; of where it points to, the path in the body, else the query parameter or header."""
    where = next((entry[name] for name in PLACES if isinstance(entry.get(name), str) and entry[name]), "")
    return Detail(str(entry.get("o:errorCode") or ""), str(entry.get("detail") or ""), where)


def _reference(path: str) -> tuple[str, str]:
    """What kind of thing the field refers to."""
    name = path.rsplit(".", 1)[-1].lower()
    return REFERENCES.get(name, ("invalid_value", f"correct {path or 'the value'}"))


def _fields_named(said: str) -> Iterator[str]:
    for pattern in FIELD_NAMED:
        if found := pattern(said):
            yield found["field"].strip(". ").lower()


@dataclass(frozen=True, slots=True)
class Rule:
    words: Any  # a compiled pattern's search
    code: str
    remedy: str
    field: str = ""


def _search(pattern: str) -> Any:
    return re.compile(pattern, re.IGNORECASE).search


PLACES: Final = ("o:errorPath", "o:errorQueryParam", "o:errorHeader")
UNKNOWN_RECORD: Final = _search(r"record type ['\"](?P<type>[^'\"]{1,60})['\"] does not exist")
NOT_FOUND_WORDS: Final = _search(r"transaction type specified is incorrect|record (instance )?does not exist")
TAKEN_WORDS: Final = _search(r"\balready exists\b|external ?id\b.{0,60}\b(in use|taken|unique)\b")
CHANGED_WORDS: Final = _search(r"record has been changed")
INVALID_REFERENCE: Final = _search(r"invalid (field value|\w+ reference key|value)\b")
FIELD_NAMED: Final = (
    _search(r"for the following field: *(?P<field>[\w ]+)"),
    _search(r"invalid (?P<field>\w+) reference key"),
)
FIELD_REMEDY: Final = (
    "make the field in NetSuite (Customization > Lists, Records, & Fields), put it on the form and grant it to the "
    "role, or correct its name in options"
)
RULES: Final = (
    Rule(
        _search(r"\bperiod\b.{0,80}\b(closed|locked)\b|\b(closed|locked)\b.{0,80}\bperiod\b|range of your accounting"),
        "closed_period",
        "open the period in NetSuite (Setup > Accounting > Manage Accounting Periods), or set late_facts: "
        "next_open_period in policies.yaml",
        "tranDate",
    ),
    Rule(
        _search(r"(field (?P<field>[\w.]+) .{0,40})?(maximum (number|length)\b|too long|exceeds? the maximum)"),
        "too_long",
        "shorten the value, or lengthen the field in NetSuite where it is a custom one",
    ),
    Rule(
        _search(r"(unknown|invalid|no such) (property|reference or field|field(?! value))( name)?\W*(?P<field>\w+)?"),
        "unknown_field",
        FIELD_REMEDY,
    ),
    Rule(
        _search(
            r"(property|field) ['\"]?(?P<field>[\w.]+)['\"]? (does not exist|is not (valid|supported|recognized|known))"
        ),
        "unknown_field",
        FIELD_REMEDY,
    ),
    Rule(
        _search(r"please enter value\(?s?\)? for:? *(?P<field>department|class)\b"),
        "missing_segment",
        "the account makes it mandatory: name the channel's, or that of *, in options.departments or options.classes, "
        "then retry",
    ),
    Rule(
        _search(r"please enter value\(?s?\)? for:? *(?P<field>[\w ]+)|(missing|mandatory|required) .{0,30}field"),
        "missing_field",
        "the form of this record wants a field that is not sent: make it optional, or choose another form in "
        "options.forms",
    ),
    Rule(
        _search(r"at least one valid line item"),
        "no_valid_line",
        "the lines cannot be fulfilled: look at stock committed, lots and the location of the order's lines",
        "item",
    ),
)
ITEM_REMEDY: Final = "make the item in NetSuite, or map the SKU to one in crosswalks.yaml"
CUSTOMER_REMEDY: Final = "look whether the customer was deleted, or is inactive or of another subsidiary, in NetSuite"
LOCATION_REMEDY: Final = "name the location in options.locations as NetSuite does (Setup > Company > Locations)"
DEPARTMENT_REMEDY: Final = (
    "name the department in options.departments by its full name in NetSuite (Setup > Company > Departments)"
)
CLASS_REMEDY: Final = (
    "name the class in options.classes or options.item_classes by its full name in NetSuite (Setup > Company > Classes)"
)
ACCOUNT_REMEDY: Final = "name the account in options.accounts by NetSuite's number (Lists > Accounting > Accounts)"
TAX_REMEDY: Final = "name the tax code and type in options.tax_codes as NetSuite does (Setup > Tax)"
REFERENCES: Final[Mapping[str, tuple[str, str]]] = {
    "item": ("unknown_item", ITEM_REMEDY),
    "entity": ("unknown_customer", CUSTOMER_REMEDY),
    "customer": ("unknown_customer", CUSTOMER_REMEDY),
    "location": ("unknown_location", LOCATION_REMEDY),
    "inventorylocation": ("unknown_location", LOCATION_REMEDY),
    "department": ("unknown_department", DEPARTMENT_REMEDY),
    "class": ("unknown_class", CLASS_REMEDY),
    "account": ("unknown_account", ACCOUNT_REMEDY),
    "taxcode": ("unknown_tax_code", TAX_REMEDY),
    "taxtype": ("unknown_tax_code", TAX_REMEDY),
    "subsidiary": ("unknown_entity", "correct options.subsidiaries (Setup > Company > Subsidiaries)"),
    "currency": ("unknown_currency", "allow the currency on the customer in NetSuite"),
    "customform": ("unknown_form", "correct options.forms (Customization > Forms > Transaction Forms)"),
    "trandate": ("bad_date", "correct the date, or open its period"),
}
LOGIN_REMEDY: Final = (
    "see the Login Audit Trail in NetSuite (Setup > Users/Roles > User Management), and check the integration, its "
    "certificate or token, and its role"
)
ROLE_REMEDY: Final = "grant the permission to the integration's role in NetSuite (Setup > Users/Roles > Manage Roles)"
