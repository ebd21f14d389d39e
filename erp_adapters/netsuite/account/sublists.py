"""What becomes of rows: with their number or key they merge, without they are added."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from erp_adapters.netsuite.account.bodies import Draft
from erp_adapters.netsuite.account.errors import invalid_value, user_error
from erp_adapters.netsuite.account.records import Sublist, kind_of
from erp_adapters.netsuite.account.world import Rec, Row, id_in


def merge(rec: Rec, draft: Draft, replace: Collection[str] = (), *, new: bool = False) -> None:
    """The draft's rows are in the record.

    Raises:
        Refused: a row names one that is not there, or a list may not be replaced any more.
    """
    known = kind_of(rec.type).sublists
    wanted = {name.lower() for name in replace}
    for name in known:
        if name.lower() in wanted:
            _check_replaceable(rec, name)
            rec.sublists[name] = []
    for name, rows in draft.sublists.items():
        for index, row in enumerate(rows):
            found = None if new else _found(rec, name, known[name], row, index)
            fields = {key: value for key, value in row.items() if key != "line"}
            if found is None:
                rec.add_row(name, {key: value for key, value in fields.items() if value is not None})
            else:
                found.fields["_given"] = frozenset(fields)
                _lay_over(found.fields, fields)
        if known[name].key == "doc":
            rec.sublists[name] = [row for row in rec.rows(name) if row.get("apply")]


def lay_over(rec: Rec, draft: Draft) -> None:
    """The draft's header is in the record: null empties."""
    _lay_over(rec.fields, draft.fields)
    if draft.names_external_id:
        rec.external_id = draft.external_id


def _lay_over(fields: dict[str, Any], given: dict[str, Any]) -> None:
    for key, value in given.items():
        if value is None:
            fields.pop(key, None)
        else:
            fields[key] = value


def _found(rec: Rec, name: str, sublist: Sublist, row: dict[str, Any], index: int) -> Row | None:
    if sublist.key == "doc":
        doc = id_in(row.get("doc"))
        return next((old for old in rec.rows(name) if old.ref("doc") == doc), None)
    if sublist.key is not None and sublist.numbered:
        wanted = row.get(sublist.key)
        if sublist.key == "internalId":
            return rec.row(name, int(wanted)) if wanted is not None else None
        return next((old for old in rec.rows(name) if wanted is not None and old.get(sublist.key) == wanted), None)
    if not sublist.numbered or row.get("line") is None:
        return None  # added, however like another it is
    found = rec.row(name, int(row["line"]))
    if found is None:
        raise invalid_value(row["line"], "line", f"{name}.items[{index}].line")
    return found


def _check_replaceable(rec: Rec, name: str) -> None:
    if name == "item" and rec.type == "salesOrder":
        for row in rec.rows("item"):
            if row.amount("quantityFulfilled") or row.amount("quantityBilled") or row.amount("quantityPicked"):
                raise user_error("You cannot delete a line that has been fulfilled or billed.")
