"""serve and sync: the hub as a service, and a pull by hand."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from hub.cli.door import Door, command, log_to_stderr, now, say, table
from hub.errors import Misconfigured

HOST = "127.0.0.1"
PORT = 8080
_REMEDY = "end what listens there, or name another --host or --port"


def register(app: typer.Typer) -> None:
    @command(app, "serve")
    def serve(
        door: Door,
        host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = HOST,
        port: Annotated[int, typer.Option("--port", min=0, max=65_535)] = PORT,
        no_login: Annotated[
            bool, typer.Option("--no-login", help="Let who is at this machine read without a token.")
        ] = False,
    ) -> None:
        """Takes webhooks, pulls on a schedule, decides, sends: until it is told to stop."""
        from hub.api.app import bound, create_app, run
        from hub.api.guard import LOOPBACK
        from hub.worker.jobs import Jobs

        if no_login and host not in LOOPBACK:
            raise typer.BadParameter(f"--no-login is for this machine alone, and {host} is reached by others")
        log_to_stderr(service=True)
        with door.hub() as hub:
            web = create_app(hub, Jobs(hub), no_login=no_login)
            try:
                listens = bound(host, port)
            except OSError as fault:
                raise Misconfigured(f"serve: {host}:{port}: {fault.strerror}; {_REMEDY}") from fault
            say(f"serving on http://{host}:{listens.getsockname()[1]}; stop it with Ctrl-C")
            run(web, listens)
        say("stopped: what was taken in is kept, and nothing is sent twice")

    @command(app, "sync")
    def sync(
        door: Door,
        channel: Annotated[str, typer.Argument(help="The slug of a channel, or of the ERP.")],
        since: Annotated[
            datetime | None, typer.Option("--since", help="Begin there, not where the last pull ended. UTC.")
        ] = None,
        backfill: Annotated[
            bool, typer.Option("--backfill", help="With --since: by the channel's way for much at once.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Only show what a pull would bring, and what the ERP would be told.")
        ] = False,
        limit: Annotated[int, typer.Option("--limit", min=1, help="How many documents a dry run shows.")] = 20,
        no_send: Annotated[bool, typer.Option("--no-send", help="Capture and decide, send nothing.")] = False,
    ) -> int | None:
        """Pulls what the channel, or the ERP, has new, decides on the orders and sends what follows."""
        from hub.cli import drafting
        from hub.steps import syncing
        from hub.steps.erp_changes import synced_erp
        from hub.steps.syncing import synced

        if backfill and (since is None or dry_run):
            raise typer.BadParameter("--backfill wants --since, and no --dry-run")
        begin = since.replace(tzinfo=UTC) if since and since.tzinfo is None else since
        with door.hub() as hub:
            of_erp = channel == hub.settings.erp.slug
            if of_erp and since:
                raise Misconfigured(f"{channel}: an ERP is read on from where the last pull ended, and kept")
            if not of_erp and channel not in syncing.channels_live(hub):
                hub.settings.channel(channel)
                raise Misconfigured(f"channel {channel}: nothing to pull; set its address, or use orderhub import")
            answer: dict[str, Any]
            if dry_run:
                return drafting.show(door, hub, None if of_erp else channel, begin, limit)
            if of_erp:
                answer = {"dry_run": False, **synced_erp(hub, send=not no_send)}
            else:
                answer = {"dry_run": False, **synced(hub, channel, begin, send=not no_send, at_once=backfill)}
        shown = table(None, "what", "how many", right=("how many",))
        for name, value in answer.items():
            shown.add_row(name.replace("_", " "), str(value))
        door.show(answer, shown)
        say(f"synced at {now():%Y-%m-%d %H:%M:%SZ}")
        return None
