"""The runbook works as it is written: its blocks are typed into a shell, chapter by chapter, on a rehearsed shop."""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from connectors.shopify.simulator import DOMAIN, App, Server, Setup, signed
from erp_adapters.ledger.simulator import Fault, LedgerSimulator
from hub.rehearsal.bench_webhooks import STARTS
from hub.rehearsal.processes import free_port
from hub.settings import load_settings
from hub.steps.advance import advance_all
from hub.steps.hub import open_hub
from hub.steps.send import send
from hub.steps.syncing import synced
from hub.store.targets import BREAKER_FAILURES
from tests.conftest import ROOT, Clock

RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
CHAPTER: Final = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK: Final = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHAPTERS: Final = {title: BLOCK.findall(body) for title, body in CHAPTER.findall(RUNBOOK)}
SECRET: Final = "hush-planted"
ORDERHUB: Final = (sys.executable, "-c", "from hub.cli import main; main()")
STARTS_S: Final = 60
BLOCK_S: Final = 120
MONTH: Final = datetime(2026, 9, 1, 4, tzinfo=UTC)


class Desk:
    """A shell with the variables that the runbook names, on a home of its own, a rehearsed shop behind it."""

    def __init__(self, folder: Path, app: App, address: str) -> None:
        self.app, self.folder, self.home = app, folder, folder / "home"
        self.home.mkdir()
        (folder / "backups").mkdir()
        for file in (ROOT / "config").rglob("*"):
            if file.is_file():
                shutil.copy2(file, self.home / file.name)
        told = _read(ROOT / "config" / "hub.yaml")
        channel = told["channels"][0]
        channel |= {"address": address, "options": {"domain": DOMAIN}}
        channel["secrets"] = {"token": "SHOP_TOKEN", "webhook": "SHOP_WEBHOOK"}
        (self.home / "hub.yaml").write_text(yaml.safe_dump(told, sort_keys=False))
        programs = folder / "programs"
        programs.mkdir()
        for name, words in (("orderhub", ORDERHUB), ("python", (sys.executable,))):
            quoted = " ".join(f"'{word}'" for word in words)
            (programs / name).write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
            (programs / name).chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")}
        self.environ = {
            **kept,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "ORDERHUB_HOME": str(self.home),
            "BACKUPS": str(folder / "backups"),
            "COLUMNS": "400",
            "SHOP_TOKEN": "shpat_x",
            "SHOP_WEBHOOK": SECRET,
        }

    def types(self, block: str) -> str:
        """What the block printed; each of its lines ended well."""
        ran = subprocess.run(  # noqa: PLW1510
            ["bash", "-euo", "pipefail", "-c", block],
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=BLOCK_S,
        )
        assert ran.returncode == 0, f"{block}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def works_through(self, chapter: str) -> str:
        assert CHAPTERS[chapter]
        return "\n".join(self.types(block) for block in CHAPTERS[chapter])

    @contextmanager
    def serving(self, file_bytes_max: int | None = None) -> Iterator[httpx.Client]:
        """`orderhub serve`, as a process of its own.

        Args:
            file_bytes_max: no file grows beyond that: the disk is full.
        """
        port = free_port()

        def small() -> None:
            if file_bytes_max is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

        server = subprocess.Popen(
            [*ORDERHUB, "serve", "--port", str(port)],
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=small,  # noqa: PLW1509  no thread of ours holds a lock
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=STARTS_S) as client:
                until = time.monotonic() + STARTS_S
                while not _answers(client):
                    assert server.poll() is None
                    assert time.monotonic() < until
                    time.sleep(0.05)
                self.environ["HUB"] = str(client.base_url)
                yield client
        finally:
            server.terminate()
            server.wait(STARTS_S)


def _read(file: Path) -> Any:
    """The file's words as they stand: `on` is a name here and no truth."""
    return yaml.load(file.read_text(), yaml.BaseLoader)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    app = App(Setup(seed=7, orders=12, start=MONTH, days=20, token="shpat_x", wide=False))
    app.shop.move_to(datetime(2026, 10, 1, 12, tzinfo=UTC))
    with Server(app) as server:
        yield Desk(tmp_path, app, server.url)


def test_every_chapter_is_there() -> None:
    assert list(CHAPTERS) == [
        "Install", "Upgrade", "Backup and restore", "Rotate a secret", "A channel is silent", "The ERP is down",
        "A period is closed", "The disk is full",
    ]  # fmt: skip
    assert all(CHAPTERS.values())


def test_install(desk: Desk) -> None:
    desk.types("orderhub migrate")
    with desk.serving():
        said = desk.works_through("Install")

    assert "operations" in said


def test_upgrade(desk: Desk) -> None:
    desk.types("orderhub sync shopify")

    said = desk.works_through("Upgrade")

    assert "done" in said
    assert (desk.folder / "backups" / "before-the-upgrade" / "manifest.json").is_file()


def test_backup_and_restore(desk: Desk) -> None:
    """Taken while the service runs; put back, the same orders and books stand there."""
    desk.types("orderhub sync shopify")
    books = desk.types("orderhub ledger trial-balance --format json")
    backup, *rest = CHAPTERS["Backup and restore"]
    with desk.serving():
        desk.types(backup)
    for block in rest:
        desk.types(block)

    assert desk.types("orderhub ledger trial-balance --format json") == books
    assert json.loads(books)


def test_rotate_a_secret(desk: Desk) -> None:
    made = json.loads(desk.types("orderhub tokens create metrics --role viewer --format json"))
    desk.environ["OLD_TOKEN"] = made["id"]

    desk.works_through("Rotate a secret")

    with desk.serving() as client:
        old = {"authorization": f"Bearer {made['token']}"}
        new = json.loads((desk.folder / "backups" / "token.json").read_text())["token"]
        assert client.get("/metrics", headers=old).status_code == 401
        assert client.get("/metrics", headers={"authorization": f"Bearer {new}"}).status_code == 200


def test_rotate_the_webhook_secret(desk: Desk) -> None:
    """Both secrets are good with the lines of the runbook in the configuration, and a third is not."""
    lines = re.search(r"^```yaml\n(.*?)^```$", dict(CHAPTER.findall(RUNBOOK))["Rotate a secret"], re.M | re.S)
    assert lines is not None
    told = _read(desk.home / "hub.yaml")
    told["channels"][0]["secrets"] |= yaml.safe_load(lines[1])["secrets"]
    (desk.home / "hub.yaml").write_text(yaml.safe_dump(told))
    desk.environ |= {"SHOPIFY_WEBHOOK_SECRET": "new", "SHOPIFY_WEBHOOK_SECRET_OLD": "old"}

    with desk.serving() as client:
        answers = {secret: _deliver(client, secret, 1)[0] for secret in ("new", "old", "neither")}

    assert answers == {"new": 200, "old": 200, "neither": 401}


def test_the_erp_is_down(desk: Desk) -> None:
    """It gives no answer until its breaker opens; then the runbook's commands say so, and it heals by itself."""
    environ = {name: desk.environ[name] for name in ("SHOP_TOKEN", "SHOP_WEBHOOK")}
    settings, clock = load_settings(None, desk.home, environ), Clock(datetime.now(UTC))
    hub = open_hub(settings, clock, lambda config: LedgerSimulator(config, clock))
    synced(hub, "shopify", send=False)
    advance_all(hub)
    for _ in range(BREAKER_FAILURES):
        hub.erp.fail_next(Fault.LOST_BEFORE)
        send(hub, 1)
        clock.pass_time(seconds=700)
    hub.connector("shopify").close()
    hub.erp.close_connections()
    hub.store.dispose()
    hub.inbox.dispose()

    said = desk.works_through("The ERP is down")

    assert "paused until" in said
    assert "breaker" in said


def test_a_period_is_closed(desk: Desk) -> None:
    desk.types("orderhub sync shopify")

    desk.works_through("A period is closed")


def _deliver(client: httpx.Client, secret: str, count: int) -> list[int]:
    return [status for _, status, _ in _delivered(client, secret, count)]


def _delivered(client: httpx.Client, secret: str, count: int) -> Iterator[tuple[str, int, int]]:
    """The id of each delivery, its answer, and after how many seconds it is to be tried again."""
    for headers, body in signed(secret, count, 7, STARTS):
        answer = client.post("/webhooks/shopify", content=body, headers=headers)
        yield headers["X-Shopify-Webhook-Id"], answer.status_code, int(answer.headers.get("retry-after", 0))
