"""crosswalk list|set|import|history: the channels' words and the ERP's."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from hub.cli.door import Door, cells, command, moment, say, table
from hub.cli.exceptions import As, NoSend, healing_words
from hub.cli.replaying import DryRun, show_preview
from hub.model.crosswalk import ANY_CHANNEL, REFUSED, CrosswalkKind, CrosswalkRow
from hub.steps import crosswalks as steps
from hub.steps.answers import set_answer
from hub.steps.crosswalks import SetOutcome, Wanted
from hub.steps.hub import Hub
from hub.steps.replaying import preview_orders
from hub.store.views import crosswalks

SUPPORTED: Final = [kind for kind in CrosswalkKind if kind not in REFUSED]
Kind = Annotated[CrosswalkKind, typer.Argument(help=f"What is mapped: {', '.join(SUPPORTED)}.")]
Unlisted = Annotated[
    bool, typer.Option("--unlisted", help="Take items that are not in the price list: the ERP knows them.")
]
EVER = date.min


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="A channel's words mapped to the ERP's, dated.", no_args_is_help=True)
    app.add_typer(group, name="crosswalk")

    @command(group, "list")
    def list_(door: Door, kind: Annotated[CrosswalkKind | None, typer.Argument(help="Only this kind.")] = None) -> None:
        """The rows in force today."""
        with door.hub() as hub:
            rows = steps.in_force(hub, kind)
        shown = table(None, "kind", "channel", "source", "target", "from", "set by")
        for row in rows:
            since = _since(row.valid_from)
            shown.add_row(*cells(row.kind, row.channel, row.source, row.target, since, row.set_by))
        door.show({"crosswalk": [asdict(row) for row in rows]}, shown)

    @command(group, "set")
    def set_(
        door: Door,
        kind: Kind,
        source: Annotated[str, typer.Argument(help="The channel's word, a SKU for instance.")],
        target: Annotated[str, typer.Argument(help="The ERP's word.")],
        channel: Annotated[str, typer.Option("--channel", help="Only for this channel.")] = ANY_CHANNEL,
        since: Annotated[
            datetime | None,
            typer.Option(
                "--from",
                formats=["%Y-%m-%d"],
                help="The first day. [ever for a new item, location or payment method, else today]",
            ),
        ] = None,
        by: As = "operator",
        unlisted: Unlisted = False,
        dry_run: DryRun = False,
        no_send: NoSend = False,
    ) -> None:
        """Maps a word; orders that this heals are decided anew and posted, in bulk."""
        wanted = Wanted(source, target, channel, since.date() if since else None)
        with door.hub() as hub:
            if dry_run:
                _preview(door, hub, kind, [steps.proposed_row(hub, kind, wanted, unlisted=unlisted)])
                return
            outcome = steps.set_row(hub, kind, wanted, by, unlisted=unlisted, then_send=not no_send)
        _show(door, outcome)

    @command(group, "import")
    def import_(
        door: Door,
        kind: Kind,
        file: Annotated[Path, typer.Argument(help="CSV with the columns source,target and optionally channel,from.")],
        by: As = "operator",
        unlisted: Unlisted = False,
        dry_run: DryRun = False,
        no_send: NoSend = False,
    ) -> None:
        """Maps all words of a CSV file or none; every bad row is named with its line."""
        with door.hub() as hub:
            if dry_run:
                _preview(door, hub, kind, steps.proposed(hub, kind, file, unlisted=unlisted))
                return
            outcome = steps.import_rows(hub, kind, file, by, unlisted=unlisted, then_send=not no_send)
        _show(door, outcome)

    @command(group, "history")
    def history(
        door: Door,
        kind: Annotated[CrosswalkKind | None, typer.Argument(help="Only this kind.")] = None,
        source: Annotated[str | None, typer.Argument(help="Only this word.")] = None,
        limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 200,
    ) -> None:
        """Every row that was ever set, by whom and when, the newest first."""
        with door.hub() as hub:
            rows = crosswalks.history(hub.store, kind, source, limit)
        shown = table(None, "set", "by", "kind", "channel", "source", "target", "from")
        for row in rows:
            since = _since(date.fromisoformat(row.valid_from))
            set_at = moment(row.set_at)
            shown.add_row(*cells(set_at, row.set_by, row.kind, row.channel, row.source, row.target, since))
        door.show({"history": [asdict(row) for row in rows]}, shown)


def _preview(door: Door, hub: Hub, kind: CrosswalkKind, rows: Sequence[CrosswalkRow]) -> None:
    """What the rows would heal; `orderhub replay --crosswalk` shows what they would change of all orders."""
    keys = steps.healed_by(hub, kind, rows)
    show_preview(door, preview_orders(hub, keys, rows).as_json())


def _since(day: date) -> str:
    return "ever" if day == EVER else day.isoformat()


def _show(door: Door, outcome: SetOutcome) -> None:
    shown = table(None, "kind", "channel", "source", "target", "from")
    for row in outcome.rows:
        shown.add_row(*cells(row.kind, row.channel, row.source, row.target, _since(row.valid_from)))
    door.show(set_answer(outcome), *([shown] if outcome.rows else []))
    unchanged = f", already so: {outcome.unchanged}" if outcome.unchanged else ""
    say(f"set: {len(outcome.rows)}{unchanged}; {healing_words(outcome.healing)}")
    if outcome.from_today:
        which = "the row holds" if len(outcome.rows) == 1 else f"{outcome.from_today} rows hold"
        say(f"{which} from today, for orders placed from today on: --from names an earlier day for earlier orders")
    if outcome.unlisted:
        say(f"not in the price list, taken all the same: {len(outcome.unlisted)}")
