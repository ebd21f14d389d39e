"""purge, personal-data: what is held of people is taken away, or told."""

import getpass
from dataclasses import asdict
from typing import Annotated

import typer

from hub.cli.door import Door, cells, command, say, table
from hub.errors import Misconfigured
from hub.steps import privacy
from hub.steps.privacy import Purged

Channel = Annotated[str | None, typer.Option("--channel", help="Only this channel's.")]


def register(app: typer.Typer) -> None:
    @command(app, "purge")
    def purge(
        door: Door,
        channel: Channel = None,
        older_than: Annotated[
            int | None,
            typer.Option("--older-than", min=0, metavar="DAYS", help="In place of the configured retention."),
        ] = None,
        customer: Annotated[
            str | None, typer.Option("--customer", metavar="ID", help="All of one customer, by the channel's id.")
        ] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would go.")] = False,
        by: Annotated[str | None, typer.Option("--as", help="Who decides this: it is kept. [the user]")] = None,
    ) -> int:
        """Takes away names, addresses and raw records: older than the retention of their channel, or of one customer.

        Orders, documents and the books stay as they are. Orders that still wait for something keep theirs.
        """
        if customer is not None and older_than is not None:
            raise typer.BadParameter("--customer takes all of one customer, whatever its age: leave out --older-than")
        clean: bool | None = None
        with door.hub() as hub:
            slugs = [hub.settings.channel(channel).slug] if channel else [one.slug for one in hub.settings.channels]
            if customer is not None and len(slugs) > 1:
                raise Misconfigured(f"--customer is one channel's: name one of {', '.join(slugs)} with --channel")
            by = by or getpass.getuser()

            def run(*, dry: bool) -> list[Purged]:
                if customer is not None:
                    return [privacy.redact_customer(hub, slugs[0], customer, (), by, dry_run=dry)]
                return privacy.purge(hub, slugs, by, older_than_days=older_than, dry_run=dry)

            done = run(dry=True)
            for one in done:
                say(
                    f"{one.channel}, {one.rule}: {one.parties} parties, {one.records} records, {one.size_bytes:,} bytes"
                )
            if not done:
                say("no retention is configured and nothing was redacted: all is kept (hub.yaml: retention)")
            elif not dry_run:
                done = run(dry=False)
                clean = privacy.scrub_stores(hub) if any(one.anything for one in done) else True
        shown = table(None, "channel", "rule", "parties", "records", "bytes", "kept", "waiting", right=("parties",))
        for one in done:
            size = f"{one.size_bytes:,}"
            row = (one.channel, one.rule, one.parties, one.records, size, one.spared, one.not_advanced)
            shown.add_row(*cells(*row))
        door.show({"dry_run": dry_run, "purged": [asdict(one) for one in done], "scrubbed": clean}, shown)
        if clean is False:
            say("a database file is in use and may still hold what was purged: run orderhub purge again when it is not")
            return 1
        return 0

    @command(app, "personal-data")
    def personal_data(
        door: Door,
        channel: Annotated[str, typer.Argument(help="The slug of a configured channel.")],
        customer: Annotated[str, typer.Argument(help="The channel's id of the customer.")],
    ) -> None:
        """What the hub holds of one customer, for a request of theirs: parties, orders, raw records (--format json)."""
        with door.hub() as hub:
            found = privacy.customer_data(hub, hub.settings.channel(channel).slug, customer)
        shown = table(None, "held", "how many", right=("how many",))
        for name in ("orders", "parties", "records"):
            shown.add_row(name, str(len(found[name])))
        door.show(found, shown)
