"""tokens create|list|revoke: who may ask the web door, and what."""

import getpass
import secrets
from typing import Annotated, Any

import typer

from hub.cli.door import Door, cells, command, moment, now, say, table, write
from hub.model.access import Role
from hub.steps import access
from hub.steps.answers import as_json

By = Annotated[str | None, typer.Option("--as", help="Who decides this: it is kept. [the user]")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Tokens for the API and the pages.", no_args_is_help=True)
    app.add_typer(group, name="tokens")

    @command(group, "create")
    def create(
        door: Door,
        name: Annotated[str, typer.Argument(help="Who it is for: it signs for what is done with it.")],
        role: Annotated[Role, typer.Option("--role", help="What its holder may do.")],
        channel: Annotated[str | None, typer.Option("--channel", help="Only this channel's orders. [all]")] = None,
        days: Annotated[
            int, typer.Option("--days", min=1, max=access.DAYS_MAX, help="How long it is good.")
        ] = access.DAYS,
        by: By = None,
    ) -> None:
        """Makes a token and shows it, this once: only a digest of it is kept."""
        with door.hub() as hub:
            made = access.create(
                hub, name, role, by or getpass.getuser(), secrets.token_bytes, channel=channel, days=days
            )
        shown = table(None, "id", "for", "role", "channel", "expires")
        token = made.token
        expires = moment(token.expires_at)
        shown.add_row(*cells(token.id, token.name, token.role, token.channel or "all", expires))
        door.show({**as_json(token), "token": made.text}, shown)
        if not door.json_wanted:
            write(f"\n{made.text}\n")
        say("it is shown this once: keep it where secrets are kept; Authorization: Bearer TOKEN, or a page's password")

    @command(group, "list")
    def list_(door: Door) -> None:
        """Every token that was ever made, without its secret, the newest first."""
        with door.hub() as hub:
            found = access.listed(hub)
        at = now()
        shown = table(None, "id", "for", "role", "channel", "state", "made", "by", "expires", "last used")
        rows: list[dict[str, Any]] = []
        for one in found:
            when = [moment(x)[:16] for x in (one.created_at, one.expires_at, one.used_at)]
            of = (one.id, one.name, one.role, one.channel or "all", one.state(at), when[0], one.created_by)
            shown.add_row(*cells(*of, when[1], when[2] or "never"))
            rows.append({**as_json(one), "state": one.state(at)})
        door.show({"tokens": rows}, shown)

    @command(group, "revoke")
    def revoke(
        door: Door,
        id: Annotated[str, typer.Argument(metavar="ID", help="As orderhub tokens list names it.")],
        by: By = None,
    ) -> None:
        """Takes a token back: it is good no more, from the next request on."""
        with door.hub() as hub:
            access.revoke(hub, id, by or getpass.getuser())
        door.show({"id": id, "revoked": True})
        say(f"{id} is good no more")
