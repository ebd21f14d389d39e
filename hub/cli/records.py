"""records list|show|edit|replay: the raw rows of the inbox."""

import json
from dataclasses import asdict
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.door import Door, cells, clean, command, moment, say, table, write
from hub.cli.importing import sent_words
from hub.errors import Misconfigured
from hub.steps import replaying
from hub.steps.answers import record_answer
from hub.steps.editing import with_values
from hub.steps.send import send_all
from hub.store.views import records
from hub.store.views.records import RecordDetail


class Outcome(StrEnum):
    ORDER = "order"
    HELD = "held"
    FACTS = "facts"
    STOCK = "stock"
    PAYOUT = "payout"
    NOT_AN_ORDER = "not_an_order"
    WAITING = "waiting"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The raw records as they were received.", no_args_is_help=True)
    app.add_typer(group, name="records")

    @command(group, "list")
    def list_(
        door: Door,
        outcome: Annotated[Outcome | None, typer.Option("--outcome", help="Only records that came to this.")] = None,
        channel: Annotated[str | None, typer.Option("--channel", help="Only this channel's.")] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    ) -> None:
        """The records received last, the newest first."""
        with door.hub() as hub:
            if channel is not None:
                hub.settings.channel(channel)
            rows = records.listed(hub.inbox, outcome=outcome, channel=channel, limit=limit)
        shown = table(
            None, "id", "received", "channel", "topic", "by", "bytes", "outcome", "order", right=("id", "bytes")
        )
        for row in rows:
            came_to = row.outcome or "waiting"
            received = moment(row.received_at)
            size = f"{row.size_bytes:,}"
            shown.add_row(*cells(row.id, received, row.channel, row.topic, row.source, size, came_to, row.order))
        door.show({"records": [asdict(row) for row in rows]}, shown)

    @command(group, "show")
    def show(door: Door, id: Annotated[int, typer.Argument(metavar="ID", help="The record's number.")]) -> None:
        """One record: where it came from, what it came to, its problems, its body."""
        with door.hub() as hub:
            found = records.find(hub.inbox, id)
        if found is None:
            raise Misconfigured(f"no record {id}: see orderhub records list")
        head = table(f"record {found.row.id}", "", "")
        head.show_header = False
        for name, value in _facts(found).items():
            if value is None:
                continue
            head.add_row(*cells(name, value))
        body = found.body.decode("utf-8", "backslashreplace")
        door.show(record_answer(found), head)
        if found.purged_at:
            say(f"the body of record {id} was purged: only its digest is left, to tell another copy by")
        elif not door.json_wanted:
            write("\n" + "\n".join(clean(line) for line in _pretty(body).splitlines()) + "\n")

    @command(group, "edit")
    def edit(
        door: Door,
        id: Annotated[int, typer.Argument(metavar="ID", help="The record's number.")],
        by: Annotated[str, typer.Option("--as", help="Who edits it.")],
        reason: Annotated[str, typer.Option("--reason", help="Why: it stands in the audit trail.")],
        values: Annotated[
            list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Like line_items[2].price=12.00.")
        ] = None,
        file: Annotated[Path | None, typer.Option("--file", help="The whole new body.")] = None,
    ) -> None:
        """Reads a record again with another body; the original is kept, and who changed what is written down."""
        if (file is None) == (not values):
            raise typer.BadParameter("give --set PATH=VALUE, or --file, and not both")
        with door.hub() as hub:
            if file is not None:
                content = file.read_bytes()
            else:
                content = with_values(replaying.body_of(hub, id), dict(_assignment(one) for one in values or ()))
            replaying.edit(hub, id, content, by, reason)
            sent = send_all(hub)
            found = records.find(hub.inbox, id)
        _outcome(door, found, sent_words(sent))

    @command(group, "replay")
    def replay(
        door: Door,
        ids: Annotated[list[int], typer.Argument(metavar="ID…", help="Records' numbers.")],
        by: Annotated[str, typer.Option("--as", help="Who asks for it.")] = "operator",
    ) -> None:
        """Reads records again by today's mappings, and decides on their orders anew."""
        with door.hub() as hub:
            count = replaying.read_again(hub, ids, by)
            sent = send_all(hub)
        door.show({"records": count, "sent": asdict(sent)})
        say(f"records read again: {count}; {sent_words(sent)}")


def _assignment(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write PATH=VALUE")
    return path.strip(), value


def _outcome(door: Door, found: RecordDetail | None, sent: str) -> None:
    if found is None:
        return
    shown = table(None, "record", "outcome", "order", "problems")
    problems = "; ".join(f"{one['path']}: {one['message']}" for one in (found.result or {}).get("problems", ()))
    shown.add_row(*cells(found.row.id, found.row.outcome, found.row.order, problems))
    door.show({"record": asdict(found.row), "result": found.result}, shown)
    say(f"read again: {found.row.outcome}; {sent}")


def _facts(found: RecordDetail) -> dict[str, str | None]:
    row = found.row
    problems = found.result["problems"] if found.result else []
    return {
        "channel": row.channel,
        "received": f"{moment(row.received_at)} by {row.source}",
        "key": row.key,
        "topic": row.topic or None,
        "outcome": row.outcome or "not yet advanced",
        "order": row.order,
        "problems": "; ".join(f"{one['path']}: {one['message']}" for one in problems) or None,
        "sha-256": found.digest,
        "purged": moment(found.purged_at) or None,
        **{f"header {name}": value for name, value in sorted(found.headers.items())},
    }


def _pretty(body: str) -> str:
    """JSON indented, its numbers as they were written; anything else as it stands."""
    try:
        return json.dumps(json.loads(body, parse_float=_literal, parse_int=_literal), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _literal(text: str) -> Any:
    return int(text) if len(text) < 19 and text.lstrip("-").isdigit() else str(Decimal(text))
