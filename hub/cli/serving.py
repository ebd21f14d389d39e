"""serve and sync: the hub as a service, and a pull by hand."""

import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from hub.cli.door import Door, command, log_to_stderr, now, say, table
from hub.errors import Misconfigured
from hub.settings import Settings

HOST = "127.0.0.1"
PORT = 8080
_REMEDY = "end what listens there, or name another --host or --port"

AliveOption = Annotated[
    Path | None, typer.Option("--alive", help="A file that is touched every few seconds while the stores answer.")
]


def register(app: typer.Typer) -> None:
    @command(app, "serve")
    def serve(
        door: Door,
        host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = HOST,
        port: Annotated[int, typer.Option("--port", min=0, max=65_535)] = PORT,
        no_login: Annotated[
            bool, typer.Option("--no-login", help="Let who is at this machine read without a token.")
        ] = False,
        no_jobs: Annotated[
            bool, typer.Option("--no-jobs", help="The web door alone: orderhub worker and scheduler do the jobs.")
        ] = False,
    ) -> None:
        """Takes webhooks, pulls on a schedule, decides, sends: until it is told to stop."""
        from hub.api.app import bound, create_app, run
        from hub.api.guard import LOOPBACK
        from hub.worker.broker import Broker
        from hub.worker.jobs import Jobs, Rings, is_far

        if no_login and host not in LOOPBACK:
            raise typer.BadParameter(f"--no-login is for this machine alone, and {host} is reached by others")
        log_to_stderr(service=True)
        with door.hub() as hub:
            jobs: Jobs | Rings
            if no_jobs:
                jobs = Rings(hub, Broker(_broker_url(hub.settings), is_far))
            else:
                jobs = Jobs(hub)
            web = create_app(hub, jobs, no_login=no_login)
            try:
                listens = bound(host, port)
            except OSError as fault:
                raise Misconfigured(f"serve: {host}:{port}: {fault.strerror}; {_REMEDY}") from fault
            at = f"http://{host}:{listens.getsockname()[1]}"
            run(web, listens, lambda: say(f"serving on {at}; stop it with Ctrl-C"))
        say("stopped: what was taken in is kept, and nothing is sent twice")

    @command(app, "worker")
    def worker(
        door: Door,
        threads: Annotated[
            int, typer.Option("--threads", min=1, max=64, help="Calls of a target at once, and pulls at once.")
        ] = 8,
        alive: AliveOption = None,
    ) -> None:
        """Does what is rung through the broker, and what is due: any number may run, until they are told to stop."""
        from hub.worker.broker import Broker
        from hub.worker.jobs import Jobs, is_far

        log_to_stderr(service=True)
        with door.hub() as hub:
            jobs = Jobs(hub, Broker(_broker_url(hub.settings), is_far), threads, _touching(alive))
            jobs.start()
            try:
                say("working; stop it with Ctrl-C")
                _until_told()
            finally:
                jobs.stop()
        say("stopped: what was begun is finished, what waits is another worker's")

    @command(app, "scheduler")
    def scheduler(door: Door, alive: AliveOption = None) -> None:
        """Rings jobs when they are due: any number may run, one has its turn, until they are told to stop."""
        from hub.worker.broker import Broker
        from hub.worker.jobs import holder, is_far, plan
        from hub.worker.schedule import Scheduler

        log_to_stderr(service=True)
        with door.hub() as hub:
            broker = Broker(_broker_url(hub.settings), is_far)
            made = Scheduler(hub, holder(), plan(hub), broker.ring, _touching(alive))
            broker.start()
            made.start()
            try:
                say("scheduling; stop it with Ctrl-C")
                _until_told()
            finally:
                made.stop()
                broker.stop()
        say("stopped: what is due stands in the store")

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


def _broker_url(settings: Settings) -> SecretStr:
    """
    Raises:
        Misconfigured: none is given.
    """
    if settings.broker_url is None:
        raise Misconfigured(
            "several processes ring each other through a Redis or Valkey: set ORDERHUB_BROKER_URL to redis://HOST, or "
            "ORDERHUB_BROKER_URL_FILE to the name of a file that holds it; orderhub serve needs none"
        )
    return settings.broker_url


def _touching(alive: Path | None) -> Callable[[], None]:
    return alive.touch if alive is not None else lambda: None


def _until_told() -> None:
    """Returns on SIGTERM; on SIGINT too."""
    told = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: told.set())
    told.wait()
