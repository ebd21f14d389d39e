"""What a write would be: the adapter's own way of writing over a client that reads the account and keeps the writes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from erp_adapters.netsuite.client import Client, eid, encoded
from erp_adapters.netsuite.writing import PARTS_MAX, Writes
from hub.http import Answer
from hub.model.intents import REFS, Verdict, Write
from hub.model.problems import Problem
from hub.ports import Draft, Request
from mappings.netsuite.fields import Fields

MADE: Final = 204


class DraftClient(Client):
    """A client that sends no write: each is kept as it would be sent, and is as if it were done.

    A record that is not in the account yet is known by its key: `eid:` stands for the id that NetSuite gives it, and
    its rows are numbered from 1, which NetSuite does otherwise.
    """

    _drafted: dict[tuple[str, str], Mapping[str, Any]]
    _kept: list[Request]
    _assumed: list[str]

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._drafted = {}
        self._kept = []
        self._assumed = []

    def taken(self) -> tuple[Request, ...]:
        """The requests since this was asked last."""
        taken, self._kept, self._assumed = tuple(self._kept), [], []
        return taken

    def get(self, record: str, id: str, *, expand: bool = False) -> Fields | None:
        """The record as the account holds it, else as it was drafted."""
        held = super().get(record, id, expand=expand)
        drafted = self._drafted.get((record.lower(), id))
        if held is not None or drafted is None:
            return held
        self._assumed.append(f"{record} {id.removeprefix('eid:')}")
        return Fields(drafted, f"{record}({id})")

    def _created(self, method: str, path: str, body: Mapping[str, Any], record: str) -> str:
        self._written(method, path, body, {})
        key = body.get("externalId") or urlsplit(path).path.rpartition("eid:")[2]
        id = eid(str(key))
        self._drafted[record.lower(), id] = _as_held(body, id)
        return id

    def _written(self, method: str, path: str, body: Mapping[str, Any] | None, params: Mapping[str, str]) -> Answer:
        whole = f"{path}?{urlencode(params)}" if params else path
        content = None if body is None else encoded(body).decode()
        if method == "DELETE":
            *_, record, id = path.split("/")
            self._drafted.pop((record.lower(), id), None)
        self._kept.append(Request(method, whole, content, self._note()))
        return Answer(MADE, {}, b"")

    def _note(self) -> str | None:
        assumed, self._assumed = list(dict.fromkeys(self._assumed)), []
        if not assumed:
            return None
        return (
            f"{', '.join(assumed)} is not in NetSuite yet: eid: stands for the internal id, and its rows are taken to "
            "be numbered 1, 2, 3 …; once it is there, its own id and line numbers are read and sent"
        )


def drafts(client: DraftClient, put: Writes, writes: Sequence[Write]) -> list[Draft]:
    """A draft a write, each as if those before it were done."""
    return [_draft(client, put, write) for write in writes]


def _draft(client: DraftClient, put: Writes, write: Write) -> Draft:
    part: str | None = write.part
    held = write.held
    for _ in range(PARTS_MAX):
        if part is None:
            break
        (outcome,) = put.put([replace(write, part=part, held=held)])
        if outcome.verdict is not Verdict.DONE:
            return Draft(client.taken(), Problem(outcome.field, outcome.remedy, outcome.code))
        part, held = outcome.then, tuple((outcome.ref or "").split(REFS))
    return Draft(client.taken())


def _as_held(body: Mapping[str, Any], id: str) -> dict[str, Any]:
    """A record as it would be read after it was made of this body."""
    read: dict[str, Any] = json.loads(encoded(body), parse_float=str)
    for rows in read.values():
        if isinstance(rows, dict) and isinstance(rows.get("items"), list):
            rows["items"] = [{"line": number, **row} for number, row in enumerate(rows["items"], start=1)]
    return {**read, "id": id}
