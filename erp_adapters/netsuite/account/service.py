"""The record service: what each method on each path does, for a caller who was let in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from erp_adapters.netsuite.account import rendering, saving, transforms
from erp_adapters.netsuite.account.auth import Role
from erp_adapters.netsuite.account.bodies import CUSTOM, EXTERNAL_ID, Draft, Reader
from erp_adapters.netsuite.account.errors import Refused, malformed, not_there, unknown_type, user_error
from erp_adapters.netsuite.account.records import ADDRESSES, KINDS, TRANSACTIONS, Kind, kind_in
from erp_adapters.netsuite.account.world import Rec, World

PAGE_ROWS: Final = 1000
SUITE_TAX: Final = frozenset({"taxDetails", "taxDetailsOverride"})
"""Properties that an account without the feature has not."""
ONLY_BY_TRANSFORM: Final = ("itemFulfillment", "itemReceipt", "depositApplication")
RECORD: Final = "application/vnd.oracle.resource+json; type=singular; charset=UTF-8"
COLLECTION: Final = "application/vnd.oracle.resource+json; type=collection; charset=UTF-8"


@dataclass(slots=True)
class Asked:
    """One request to the record service; header names in lower case, the path without /record/v1."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    role: Role
    base: str
    drift: bool = False


@dataclass(slots=True)
class Response:
    """An answer. `cut_at`: the connection ends after so many bytes of the body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None


def json_response(
    status: int, document: Any, content: str = RECORD, headers: Mapping[str, str] | None = None
) -> Response:
    body = json.dumps(rendering.plain(document), separators=(",", ":")).encode()
    return Response(status, {"Content-Type": content, **(headers or {})}, body)


class Records:
    """The record service of one account."""

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, asked: Asked) -> Response:
        """What the request gets.

        Raises:
            Refused: it is not done.
        """
        parts = asked.path.strip("/").split("/")
        if parts == ["metadata-catalog"] and asked.method == "GET":
            return self._catalogue(asked)
        kind = kind_in(parts[0])
        if kind is None:
            raise unknown_type(parts[0])
        match asked.method, len(parts):
            case "GET", 1:
                return self._list(asked, kind)
            case "POST", 1:
                return self._post(asked, kind)
            case "GET", 2:
                return self._get(asked, kind, parts[1])
            case ("GET", 3) | ("GET", 4):
                return self._part(asked, kind, parts)
            case "PATCH" | "PUT", 2:
                return self._change(asked, kind, parts[1])
            case "DELETE", 2:
                return self._delete(asked, kind, parts[1])
            case "POST", 4 if parts[2] == "!transform":
                return self._transform(asked, kind, parts[1], parts[3])
        raise Refused(405, "INVALID_METHOD", "The method is not allowed for this resource.")

    # --- reading --------------------------------------------------------------------------------------------------

    def _list(self, asked: Asked, kind: Kind) -> Response:
        asked.role.check(kind.name, "view")
        if "q" in asked.query:
            raise Refused(
                400, "INVALID_PARAMETER", "This account answers no q: use SuiteQL.", where={"errorQueryParam": "q"}
            )
        limit, offset = _page(asked.query)
        found = [rec.id for rec in self.world.every(kind.name)]
        path = f"/record/v1/{kind.name.lower()}"
        rows = [
            {"links": [{"rel": "self", "href": f"{asked.base}{path}/{id}"}], "id": str(id)}
            for id in found[offset : offset + limit]
        ]
        return json_response(200, rendering.collection(asked.base, path, rows, len(found), limit, offset), COLLECTION)

    def _get(self, asked: Asked, kind: Kind, id: str) -> Response:
        rec = self._read(asked, kind, id)
        return json_response(200, rendering.shown(self.world, rec, self._shape(asked)))

    def _part(self, asked: Asked, kind: Kind, parts: list[str]) -> Response:
        """A sublist, one of its rows, or an address."""
        rec = self._read(asked, kind, parts[1])
        address = next((name for name in ADDRESSES if name.lower() == parts[2].lower() and rec.get(name)), None)
        if address is not None and len(parts) == 3:
            return json_response(
                200, rendering.shown(self.world, rec, replace(self._shape(asked), expand=True))[address]
            )
        name = next((name for name in kind.sublists if name.lower() == parts[2].lower()), None)
        if name is None:
            raise not_there(transaction=False)
        rows = [] if name in rendering.HIDDEN.get(rec.type, ()) else rec.rows(name)
        shape = self._shape(asked)
        path = f"/record/v1/{rec.type.lower()}/{rec.id}/{name}"
        if len(parts) == 4:
            found = rec.row(name, int(parts[3])) if parts[3].isdigit() else None
            if found is None:
                raise not_there(transaction=False)
            return json_response(200, rendering.shown_row(self.world, rec, name, found, shape))
        limit, offset = _page(asked.query)
        shown = [rendering.shown_row(self.world, rec, name, row, shape) for row in rows[offset : offset + limit]]
        if not shape.expand:
            shown = [{"links": row["links"]} for row in shown]
        return json_response(200, rendering.collection(asked.base, path, shown, len(rows), limit, offset), COLLECTION)

    def _read(self, asked: Asked, kind: Kind, id: str) -> Rec:
        # A GET loads the record as if for editing.
        asked.role.check(kind.name, "edit" if kind.writable else "view")
        return self._found(kind, id)

    def _shape(self, asked: Asked) -> rendering.Shape:
        return rendering.Shape(
            asked.base,
            expand=asked.query.get("expandSubResources", "").lower() == "true",
            fields=frozenset(name.lower() for name in rendering.flags(asked.query.get("fields"))),
            flat_enums=asked.query.get("simpleEnumFormat", "").lower() == "true",
            drift=asked.drift,
        )

    def _catalogue(self, asked: Asked) -> Response:
        """What record types and properties this role sees."""
        wanted = {name.lower() for name in rendering.flags(asked.query.get("select"))}
        schemas: dict[str, Any] = {}
        for kind in KINDS.values():
            if (wanted and kind.name.lower() not in wanted) or asked.role.permissions.get(kind.name, "none") == "none":
                continue
            mine = [name for name, where in self.world.custom_fields.items() if where in CUSTOM[kind.group]]
            columns = [name for name, where in self.world.custom_fields.items() if where == "line"]
            shown = kind.properties if self.world.switches.suite_tax else kind.properties - SUITE_TAX
            schemas[kind.name] = {"type": "object", "properties": {name: {} for name in sorted(shown) + mine}}
            for name, sublist in kind.sublists.items():
                properties: dict[str, Any] = {
                    known: {} for known in sorted(sublist.properties) + (columns if kind.transaction else [])
                }
                schemas[f"{kind.name}-{name}Element"] = {"type": "object", "properties": properties}
        if wanted and not schemas:
            raise unknown_type(",".join(sorted(wanted)))
        document = {
            "openapi": "3.0.1",
            "info": {"title": "NetSuite REST Record API", "version": "v1"},
            "paths": {},
            "components": {"schemas": schemas},
        }
        return json_response(200, document, "application/swagger+json")

    # --- writing --------------------------------------------------------------------------------------------------

    def _post(self, asked: Asked, kind: Kind) -> Response:
        asked.role.check(kind.name, "create")
        if not kind.writable:
            raise user_error(f"This account does not take a new {kind.name} from an integration.")
        if kind.name in ONLY_BY_TRANSFORM:
            raise user_error(f"You can not create a {kind.label} other than from another transaction.")
        draft = self._draft(asked, kind)
        rec = saving.create(self.world, kind.name, draft)
        return self._made(asked, kind, rec, draft)

    def _change(self, asked: Asked, kind: Kind, id: str) -> Response:
        if not kind.writable:
            raise user_error(f"This account does not take a changed {kind.name} from an integration.")
        rec = self._maybe(kind, id)
        if rec is None and asked.method == "PUT" and id.startswith("eid:") and kind.name not in ONLY_BY_TRANSFORM:
            asked.role.check(kind.name, "create")
            draft = self._draft(asked, kind)
            draft.external_id, draft.names_external_id = id.removeprefix("eid:"), True
            if not EXTERNAL_ID.fullmatch(draft.external_id):
                raise malformed()
            return self._made(asked, kind, saving.create(self.world, kind.name, draft), draft)
        asked.role.check(kind.name, "edit")
        if rec is None:
            raise not_there(kind.transaction)
        draft = self._draft(asked, kind)
        if asked.query.get("replaceSelectedFields", "").lower() == "true":
            for name in rendering.flags(asked.query.get("replace")):
                if name not in kind.sublists:
                    draft.fields.setdefault(name, None)
        saving.update(self.world, rec, draft, replace=rendering.flags(asked.query.get("replace")))
        return self._made(asked, kind, rec, draft)

    def _delete(self, asked: Asked, kind: Kind, id: str) -> Response:
        asked.role.check(kind.name, "full")
        rec = self._found(kind, id)
        saving.delete(self.world, rec)
        return Response(204)

    def _transform(self, asked: Asked, kind: Kind, id: str, to: str) -> Response:
        target = kind_in(to)
        if target is None:
            raise unknown_type(to)
        asked.role.check(target.name, "create")
        asked.role.check(kind.name, "view")
        source = self._found(kind, id)
        draft = self._draft(asked, target, empty=True)
        rec = transforms.transform(self.world, source, target.name, draft)
        return self._made(asked, target, rec, draft)

    def _draft(self, asked: Asked, kind: Kind, *, empty: bool = False) -> Draft:
        reader = Reader(
            self.world,
            kind,
            strict_names=asked.headers.get("x-netsuite-propertynamevalidation", "").lower() == "error",
            strict_values=asked.headers.get("x-netsuite-propertyvaluevalidation", "").lower() == "error",
        )
        if empty and not asked.body.strip():
            return Draft()
        draft = reader.read(parse(asked.body))
        approved = (draft.fields.get("orderStatus") or {}).get("id") == "B"
        if kind.name == "returnAuthorization" and approved and not asked.role.approve_returns:
            raise Refused(
                403, "INSUFFICIENT_PERMISSION", "Permission Violation: You need the 'Return Auth. Approval' permission."
            )
        return draft

    def _made(self, asked: Asked, kind: Kind, rec: Rec, draft: Draft) -> Response:
        """204 without a body: where the record is stands in a header, and so does what was ignored."""
        headers = {"Location": f"{asked.base}/record/v1/{kind.name}/{rec.id}"}
        if draft.ignored:
            headers["X-NetSuite-PropertyValidation"] = ", ".join(draft.ignored)
            headers["X-NetSuite-Warning"] = f"Properties were ignored: {', '.join(draft.ignored)}"
        return Response(204, headers)

    # --- finding --------------------------------------------------------------------------------------------------

    def _maybe(self, kind: Kind, id: str) -> Rec | None:
        if id.startswith("eid:"):
            rec = self.world.external(kind.group, id.removeprefix("eid:"))
        else:
            rec = self.world.get(id)
        return rec if rec is not None and rec.type == kind.name else None

    def _found(self, kind: Kind, id: str) -> Rec:
        rec = self._maybe(kind, id)
        if rec is None:
            raise not_there(kind.name in TRANSACTIONS)
        return rec


def parse(body: bytes) -> Any:
    """The JSON of a body, with its numbers exact.

    Raises:
        Refused: it is none.
    """
    try:
        return json.loads(body, parse_float=Decimal)
    except ValueError:
        raise malformed() from None


def _page(query: Mapping[str, str]) -> tuple[int, int]:
    try:
        limit, offset = int(query.get("limit", PAGE_ROWS)), int(query.get("offset", 0))
    except ValueError:
        raise malformed() from None
    if not 1 <= limit <= PAGE_ROWS or offset < 0:
        raise malformed()
    return limit, offset


__all__ = ["Asked", "Records", "Response", "json_response", "parse"]
