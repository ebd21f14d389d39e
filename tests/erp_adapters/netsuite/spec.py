"""Is this a request that the vendor's specs know? Method, path, query names, and the names and types in the body.

Three specs are asked, the newest first; each is a part of the truth (their own notes say which), so a record is known
by all of them together, and what none of them holds is `not_covered`, never silently right. Names are compared without
their case, as the vendor's own samples write them (`isclosed`, `Description`); a name in another case than every spec's
is `respelt`, for those who want to be strict.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

FILES: Final = (
    "record-rest-2026.1.subset.openapi.json",
    "record-rest-2020.2-2021.1.derived.openapi.json",
    "customer-2020.metadata-catalog.openapi.json",
)
_CUSTOM: Final = re.compile(r"cust(body|col|entity|item|record|event)_?[a-z0-9_]+|cseg[a-z0-9_]+", re.IGNORECASE)
_ID: Final = re.compile(r"\d+|eid:[\w-]+")  # [\p{L}0-9_\-]+ in the vendor's spelling
_RECORD_PATH: Final = re.compile(
    r"(?:/services/rest)?/record/v1/(?P<record>\w+)(?:/(?P<id>[^/]+)(?:/!transform/(?P<target>\w+))?(?P<rest>/.*)?)?"
)
_DAY: Final = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_NO_BODY: Final = frozenset({"GET", "DELETE"})

Schema = Mapping[str, Any]


@dataclass(slots=True)
class Report:
    """What is wrong with one request, and what nobody could say."""

    faults: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)
    respelt: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


@dataclass(frozen=True, slots=True)
class _Place:
    """A schema with the document that its references are resolved in."""

    document: Schema
    schema: Schema

    def resolved(self) -> "_Place | None":
        """Without `$ref`, `allOf` and `oneOf`; None: it leads to what this document does not hold."""
        place = self
        while True:
            schema = place.schema
            if isinstance(schema.get("$ref"), str):
                name = schema["$ref"].removeprefix("#/components/schemas/")
                found = place.document["components"]["schemas"].get(name)
                if found is None:
                    return None
                place = _Place(place.document, found)
                continue
            parts: list[Schema] = schema.get("allOf") or schema.get("oneOf") or []
            if len(parts) != 1:
                return place
            place = _Place(place.document, parts[0])

    @property
    def target(self) -> str:
        """The name of the schema that this is a reference to, such as nsResource."""
        parts = self.schema.get("allOf") or self.schema.get("oneOf") or (self.schema,)
        return str(parts[0].get("$ref", "")).rpartition("/")[2]

    def property(self, name: str) -> "tuple[str, _Place] | None":
        """The property of this name, in whatever case, with its own spelling."""
        for spelt, schema in self.schema.get("properties", {}).items():
            if spelt.lower() == name.lower():
                return spelt, _Place(self.document, schema)
        return None


class Spec:
    """The vendor's specs of the record service."""

    def __init__(self, folder: Path) -> None:
        """Read from `contracts/netsuite`; the files are not a part of this project."""
        self._documents: list[Schema] = [json.loads((folder / name).read_text()) for name in FILES]

    def check(self, method: str, url: str, body: Any = None, query: Mapping[str, str] | None = None) -> Report:
        """What the specs say about this request.

        Args:
            url: a path from `/record/v1` or `/services/rest/record/v1` on, with or without its query.
            body: the JSON sent, parsed; None: there is none.
            query: names and values that are not in the url already.
        """
        report = Report()
        path, _, after = url.partition("?")
        names = [*(name for name, _ in parse_qsl(after, keep_blank_values=True)), *(query or {})]
        match = _RECORD_PATH.fullmatch(unquote(path))
        if match is None or match["rest"]:
            report.not_covered.append(f"path {path}")
            return report
        templates = self._templates(match, report)
        if templates is None:
            return report
        operations = [(doc, item[method.lower()]) for doc, item in templates if method.lower() in item]
        if not operations:
            report.faults.append(f"{method} is not an operation of {path}")
            return report
        self._check_query(operations, names, report)
        self._check_body(method, match, body, report)
        return report

    # --- the request ----------------------------------------------------------------------------------------------

    def _templates(self, match: re.Match[str], report: Report) -> list[tuple[Schema, Schema]] | None:
        """The path items that describe this path; None: it is said in the report why there are none."""
        record, target = match["record"], match["target"]
        if match["id"] is not None and not _ID.fullmatch(match["id"]):
            report.faults.append(f"id {match['id']}: neither a number nor eid: with letters, digits, _ and -")
        wanted = f"/{record}" + ("/{id}" if match["id"] else "") + (f"/!transform/{target}" if target else "")
        known = [
            (doc, path, item)
            for doc in self._documents
            for path, item in doc["paths"].items()
            if path.lower() == wanted.lower()
        ]
        if known:
            if all(path != wanted for _, path, _ in known):
                report.respelt.append(f"{wanted}: {known[0][1]}")
            return [(doc, item) for doc, _, item in known]
        sources = {path.split("/")[1].lower() for doc in self._documents for path in doc["paths"]}
        if record.lower() not in sources:
            report.not_covered.append(f"record {record}")
        else:
            report.faults.append(f"no spec has {wanted}")
        return None

    def _check_query(self, operations: list[tuple[Schema, Schema]], names: list[str], report: Report) -> None:
        known: set[str] = set()
        for doc, operation in operations:
            for said in operation.get("parameters", ()):
                name = said.get("$ref", "").rpartition("/")[2]
                parameter = doc["components"]["parameters"][name] if name else said
                if parameter.get("in") == "query":
                    known.add(parameter["name"])
        report.faults.extend(f"query {name}: unknown" for name in names if name not in known)

    def _check_body(self, method: str, match: re.Match[str], body: Any, report: Report) -> None:
        if method in _NO_BODY:
            if body is not None:
                report.faults.append(f"{method} has a body")
            return
        record = match["target"] or match["record"]
        places = self._record(record)
        if not places:
            report.not_covered.append(f"body of {record}")
            return
        if not isinstance(body, dict):
            report.faults.append(f"$: an object is expected, not {_kind(body)}")
            return
        if match["id"] is None and set(body) == {"items"} and isinstance(body["items"], list):
            for index, one in enumerate(body["items"]):
                self._check_object(one, places, f"items[{index}]", report)
            return
        self._check_object(body, places, self._spelt(record), report)

    def _spelt(self, record: str) -> str:
        names = (name for doc in self._documents for name in doc["components"]["schemas"])
        return next((name for name in names if name.lower() == record.lower()), record)

    def _record(self, name: str) -> list[_Place]:
        """The record's schema in each document that has one."""
        return [
            _Place(doc, schema)
            for doc in self._documents
            for known, schema in doc["components"]["schemas"].items()
            if known.lower() == name.lower() and schema.get("properties")
        ]

    # --- the body -------------------------------------------------------------------------------------------------

    def _check_object(self, value: Any, places: list[_Place], path: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.faults.append(f"{path}: an object is expected, not {_kind(value)}")
            return
        seen: set[str] = set()
        for name, inner in value.items():
            here = f"{path}.{name}"
            if name.lower() in seen:
                report.faults.append(f"{here}: given twice")
            seen.add(name.lower())
            if _CUSTOM.fullmatch(name):
                continue
            found = [known for place in places if (known := place.property(name)) is not None]
            if not found:
                report.faults.append(f"{here}: unknown property")
                continue
            if all(spelt != name for spelt, _ in found):
                report.respelt.append(f"{here}: {found[0][0]}")
            self._check_value(inner, _telling([place for _, place in found]), here, report)

    def _check_value(self, value: Any, place: _Place, path: str, report: Report) -> None:
        if value is None:  # PATCH empties a field so
            return
        if place.target == "nsCollection":
            self._check_rows(value, None, path, report)
            return
        schema = place.resolved()
        if schema is None:
            report.not_covered.append(path)
            return
        properties = schema.schema.get("properties", {})
        if schema.schema.get("type") == "object" and not properties:
            report.not_covered.append(path)
        elif place.target == "nsResource" or set(properties) == {"id", "refName"}:
            self._check_reference(value, schema, path, report)
        elif properties.get("items", {}).get("type") == "array":
            self._check_rows(value, _Place(schema.document, properties["items"]["items"]), path, report)
        elif properties:
            self._check_object(value, [schema], path, report)
        else:
            report.faults.extend(_plain_faults(value, schema.schema, path))

    def _check_rows(self, value: Any, element: _Place | None, path: str, report: Report) -> None:
        """A sublist: `{"items": [...]}`. `element`: what a row is; None: no spec says."""
        if not isinstance(value, dict):
            report.faults.append(f"{path}: {{items: [...]}} is expected, not {_kind(value)}")
            return
        report.faults.extend(f"{path}.{name}: unknown property" for name in value if name not in _COLLECTION)
        rows = value.get("items")
        if not isinstance(rows, list):
            report.faults.append(f"{path}.items: a list is expected, not {_kind(rows)}")
            return
        known = element.resolved() if element is not None else None
        if known is None or not known.schema.get("properties"):
            report.not_covered.append(f"{path}.items[]")
        for index, row in enumerate(rows):
            if known is not None and known.schema.get("properties"):
                self._check_object(row, [known], f"{path}.items[{index}]", report)
            elif not isinstance(row, dict):
                report.faults.append(f"{path}.items[{index}]: an object is expected, not {_kind(row)}")

    def _check_reference(self, value: Any, schema: _Place, path: str, report: Report) -> None:
        """A record or a choice: an object with an id or an external id; samples write the bare id as well."""
        allowed = schema.schema.get("properties", {}).get("id", {}).get("enum")
        if isinstance(value, dict):
            report.faults.extend(
                f"{path}.{name}: unknown property"
                for name in value
                if name not in ("id", "externalId", "refName", "links")
            )
            id = value.get("id", value.get("externalId"))
        else:
            id = value
        if isinstance(id, bool) or not isinstance(id, str | int) or id == "":
            report.faults.append(f"{path}: an id is expected, not {_kind(value)}")
        elif allowed is not None and str(id) not in allowed:
            report.faults.append(f"{path}: {id} is not one of {', '.join(allowed)}")


_COLLECTION: Final = frozenset({"items", "links", "count", "hasMore", "offset", "totalResults"})


def _telling(places: list[_Place]) -> _Place:
    """The newest of these that says what is inside: the derived spec knows a list, not what its rows are."""
    return next((place for place in places if place.target != "nsCollection"), places[0])


def _plain_faults(value: Any, schema: Schema, path: str) -> Iterator[str]:
    match schema.get("type"):
        case "boolean":
            right = isinstance(value, bool)
        case "integer":
            right = isinstance(value, int) and not isinstance(value, bool)
        case "number":
            right = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        case "string" if schema.get("format") == "date":
            right = isinstance(value, str) and _DAY.fullmatch(value) is not None
        case "string":
            right = isinstance(value, str)
        case "array":
            right = isinstance(value, list)
        case _:
            right = True
    if not right:
        yield f"{path}: {schema.get('format', schema['type'])} is expected, not {_kind(value)}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value} is not one of the known values"


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {json.dumps(value, default=str)[:60]}"
