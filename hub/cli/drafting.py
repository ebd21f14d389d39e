"""A dry run for people: each document with the requests that would tell it, and the entry that the books expect."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from hub.cli.door import Door, cells, clean, money, say, table, write
from hub.steps.drafting import Drafted, as_json, dry_run
from hub.steps.hub import Hub

INDENT: Final = "    "
AMOUNT_CHARS: Final = 20


def show(door: Door, hub: Hub, channel: str | None, since: datetime | None, limit: int) -> int:
    """What a sync would do is shown; nothing is written. 1 where a document could not be told.

    Args:
        channel: None: nothing is pulled, and what waits of all channels is shown.
    """
    found = dry_run(hub, channel, limit, since)
    answer = as_json(hub, found)
    documents, refused = answer["documents"], answer["refused"]
    shown = table(None, "what", "how many", right=("how many",))
    for name in ("pages", "records", "new", "untranslatable"):
        shown.add_row(name.replace("_", " "), str(answer[name]))
    for fingerprint, count in sorted(found.held.items()):
        shown.add_row(*cells(f"held: {fingerprint}", count))
    shown.add_row("documents", str(len(documents) + found.more))
    door.show(answer, shown)
    if not door.json_wanted:
        for one, written in zip(found.documents, documents, strict=True):
            write("\n".join(["", *_lines(hub, one, written)]) + "\n")
    if found.more:
        say(f"{found.more} more; --limit shows more of them")
    say("nothing was written, not here and not in the ERP; names and addresses are shown as …")
    return 1 if refused else 0


def _lines(hub: Hub, one: Drafted, written: dict[str, Any]) -> Iterator[str]:
    document, draft = one.write.document, one.draft
    said = [document.key, f"{document.kind} {one.write.action}"]
    if one.order is not None:  # master data is of no day and no amount
        total = money(document.total_minor, document.currency)
        said += [str(document.date), total, f"{one.channel} {clean(document.reference or one.order)}"]
    yield "  ".join(said)
    if draft is None:
        yield f"{INDENT}the ERP's adapter shows no requests"
    elif not draft.requests and draft.problem is None:
        yield f"{INDENT}nothing is sent: it is looked up, and is there"
    for request in draft.requests if draft else ():
        yield f"{INDENT}{request.method} {clean(request.path)}"
        if request.body is not None:
            yield from (f"{INDENT}{clean(line)}" for line in laid_out(request.body))
        if request.note is not None:
            yield f"{INDENT}note: {clean(request.note)}"
    if written["problem"] is not None:
        problem = written["problem"]
        yield f"{INDENT}REFUSED {problem['code']} in {problem['field']}: {clean(problem['remedy'])}"
    for entry in written["entries"]:
        yield f"{INDENT}books {entry['date']}  {clean(entry['memo'])}"
        for posting in entry["postings"]:
            minor = posting["amount_minor"]
            side = "" if minor >= 0 else " " * AMOUNT_CHARS
            amount = money(abs(minor), posting["currency"]).rjust(AMOUNT_CHARS)
            yield f"{INDENT}  {side}{amount}  {clean(posting['account'])} {clean(posting['name'])}"


class _Number(str):
    """A number as it stands in the text."""

    __slots__ = ()


def laid_out(body: str) -> list[str]:
    """The body over several lines, each value with the very characters that it has."""
    return _part(json.loads(body, parse_float=_Number, parse_int=_Number), "").splitlines()


def _part(value: Any, indent: str) -> str:
    within = indent + "  "
    match value:
        case _Number():
            return str(value)
        case dict() if value:
            rows = [f"{within}{_plain(name)}: {_part(one, within)}" for name, one in value.items()]
            return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
        case list() if value:
            return "[\n" + ",\n".join(f"{within}{_part(one, within)}" for one in value) + f"\n{indent}]"
    return _plain(value)


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
