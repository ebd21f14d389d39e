"""exceptions list|show|retry|resolve|assign: grouped by cause, with the money held; one fix heals all of a cause."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Final

import typer

from hub.cli.door import Door, age, cells, command, moment, money, monies, say, table
from hub.cli.importing import sent_words
from hub.cli.replaying import DryRun, show_preview
from hub.errors import Misconfigured
from hub.steps import exceptions as steps
from hub.steps.answers import healing_answer
from hub.steps.exceptions import Healing
from hub.steps.replaying import preview_release
from hub.store.views import exceptions

CAUSES_NAMED: Final = 5  # in a line of words; JSON has them all

Fingerprint = Annotated[str, typer.Argument(help="The cause, as orderhub exceptions list names it.")]
As = Annotated[str, typer.Option("--as", help="Who decides this: it is kept.")]
NoSend = Annotated[bool, typer.Option("--no-send", help="Decide anew, post nothing.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What needs a person, grouped by cause, with the money held.", no_args_is_help=True)
    app.add_typer(group, name="exceptions")

    @command(group, "list")
    def list_(door: Door) -> None:
        """The open causes: how many orders, how much money, since when, and what to do."""
        with door.hub() as hub:
            found = exceptions.groups(hub.store)
        shown = table(None, "cause", "orders", "money held", "age", "what to do", right=("orders", "age"))
        for one in found:
            cause = f"{one.fingerprint} ({one.assignee})" if one.assignee else one.fingerprint
            shown.add_row(*cells(cause, one.orders, monies(one.held_minor), age(one.oldest), one.remedy))
        door.show({"exceptions": [asdict(one) for one in found]}, shown)

    @command(group, "show")
    def show(door: Door, fingerprint: Fingerprint) -> None:
        """The orders of one cause."""
        with door.hub() as hub:
            found = exceptions.opened(hub.store, fingerprint=fingerprint, limit=exceptions.ORDERS_MAX)
        if not found:
            raise Misconfigured(f"no exception {fingerprint!r} is open: see orderhub exceptions list")
        shown = table(None, "order", "name", "money held", "since", "message", right=("money held",))
        for one in found:
            held = money(one.amount_minor, one.currency)
            shown.add_row(*cells(f"{one.channel}/{one.order}", one.name, held, moment(one.opened_at), one.message))
        door.show({"exceptions": [asdict(one) for one in found]}, shown)

    @command(group, "resolve")
    def resolve(
        door: Door,
        fingerprint: Fingerprint,
        by: As,
        order: Annotated[str | None, typer.Option("--order", help="Only this order of the cause.")] = None,
        dry_run: DryRun = False,
        no_send: NoSend = False,
    ) -> None:
        """Releases the orders of a cause as they are; they are decided anew and posted."""
        with door.hub() as hub:
            if dry_run:
                show_preview(door, preview_release(hub, fingerprint, order).as_json())
                return
            healing = steps.resolve(hub, fingerprint, by, order, then_send=not no_send)
        show_healing(door, healing)

    @command(group, "retry")
    def retry(
        door: Door,
        fingerprint: Annotated[str | None, typer.Argument(help="The cause.")] = None,
        all_: Annotated[bool, typer.Option("--all", help="Every cause.")] = False,
        due: Annotated[bool, typer.Option("--due", help="Orders whose hold has run out by itself.")] = False,
        channel: Annotated[
            str | None,
            typer.Option("--standing", help="Every order of this channel, held or not, placed since --since."),
        ] = None,
        since: Annotated[
            datetime | None,
            typer.Option("--since", formats=["%Y-%m-%d"], help="The first day placed, with --standing."),
        ] = None,
        no_send: NoSend = False,
    ) -> None:
        """Decides held orders anew under the rules of now, and sends again what the ERP refused."""
        if (fingerprint is not None) + all_ + due + (channel is not None) != 1:
            raise typer.BadParameter("name one cause, or --all, or --due, or --standing CHANNEL")
        if (channel is None) != (since is None):
            raise typer.BadParameter("--standing and --since go together")
        with door.hub() as hub:
            if channel is not None and since is not None:
                healing = steps.redecide(hub, channel, since.date(), then_send=not no_send)
            elif due:
                healing = steps.retry_due(hub, then_send=not no_send)
            else:
                healing = steps.retry(hub, fingerprint, then_send=not no_send)
        show_healing(door, healing)

    @command(group, "assign")
    def assign(
        door: Door, fingerprint: Fingerprint, name: Annotated[str, typer.Argument(help="Who takes care of it.")]
    ) -> None:
        """Gives the open exceptions of a cause to a person."""
        with door.hub() as hub:
            count = steps.assign(hub, fingerprint, name)
        door.show({"fingerprint": fingerprint, "assignee": name, "exceptions": count})
        say(f"{count} exceptions are {name}'s")


def show_healing(door: Door, healing: Healing) -> None:
    """What a fix did: how many orders, how much money, what was posted."""
    door.show(healing_answer(healing))
    say(healing_words(healing))


def healing_words(healing: Healing) -> str:
    words = f"decided anew: {healing.orders}, healed: {healing.healed}"
    if healing.healed_minor:
        words += f" with {monies(healing.healed_minor)}"
    words += f", still held: {healing.still_held}"
    if healing.causes:
        named = [f"{cause} {orders}" for cause, orders in list(healing.causes.items())[:CAUSES_NAMED]]
        more = len(healing.causes) - CAUSES_NAMED
        words += f" ({', '.join([*named, *([f'and {more} more causes'] if more > 0 else [])])})"
    if healing.steps_again:
        words += f", refused documents tried again: {healing.steps_again}"
    return f"{words}; {sent_words(healing.sent)}" if healing.sent is not None else words
