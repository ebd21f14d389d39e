"""The hub as a company runs it: workers and schedulers as processes, one PostgreSQL, one broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import create_engine, text

from hub.rehearsal.processes import ShopProcess

WAITS_S: Final = 90
LOOKS_S: Final = 0.1
ORDERHUB: Final = (sys.executable, "-c", "from hub.cli import main; main()")
CHANNEL: Final = "shopify"
SECRETS: Final = {"SHOP_TOKEN": "shpat_machines", "SHOP_WEBHOOK": "hush-hush"}


class Machines:
    """A home with its configuration, and the processes that were started on it."""

    def __init__(self, home: Path, database_url: str, broker_url: str) -> None:
        self.home = home
        self.database_url = database_url
        secrets = home / "secrets"
        secrets.mkdir(parents=True)
        (secrets / "database_url").write_text(database_url.replace("+psycopg", "") + "\n")
        (secrets / "broker_url").write_text(broker_url + "\n")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ORDERHUB_")},
            **SECRETS,
            "ORDERHUB_HOME": str(home),
            "ORDERHUB_CONFIG": str(home / "hub.yaml"),
            "ORDERHUB_DATABASE_URL_FILE": str(secrets / "database_url"),
            "ORDERHUB_BROKER_URL_FILE": str(secrets / "broker_url"),
        }
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def configure(self, shop: str | None, every: Any = 1) -> None:
        """One channel, fed from the shop at that address, posted to the ledger."""
        shipped = Path(__file__).parents[1] / "config"
        said = yaml.load((shipped / "hub.yaml").read_text(), yaml.BaseLoader)
        channel = said["channels"][0] | {"slug": CHANNEL, "secrets": {"token": "SHOP_TOKEN", "webhook": "SHOP_WEBHOOK"}}
        if shop is not None:
            from connectors.shopify.simulator import DOMAIN

            channel |= {"address": shop, "options": {"domain": DOMAIN}, "every": dict.fromkeys(("orders",), every)}
        said["channels"] = [channel]
        for entity in said["entities"]:
            entity |= {name: str(shipped / entity[name]) for name in ("chart", "policies")}
        said["files"] = {name: str(shipped / file) for name, file in said["files"].items()}
        (self.home / "hub.yaml").write_text(yaml.safe_dump(said))
        subprocess.run([*ORDERHUB, "migrate"], check=True, env=self.environment, capture_output=True, timeout=WAITS_S)

    def start(self, name: str, *words: str) -> None:
        """`orderhub` with these words is a process of that name."""
        with self.log_file(name).open("ab") as log:
            self.children[name] = subprocess.Popen(
                [*ORDERHUB, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment
            )

    def end(self, name: str, sign: signal.Signals = signal.SIGTERM) -> int:
        child = self.children.pop(name)
        child.send_signal(sign)
        return child.wait(WAITS_S)

    def log_file(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def said(self, name: str) -> str:
        return self.log_file(name).read_text(errors="replace")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the hub's store, or of the inbox and the ledger by their schemas."""
        engine = create_engine(self.database_url)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def wait_for(self, ready: Callable[[], bool], what: str, seconds: float = WAITS_S) -> None:
        until = time.monotonic() + seconds
        while True:
            for name, child in self.children.items():
                assert child.poll() is None, f"{name} ended: {self.said(name)[-2000:]}"
            if ready():
                return
            assert time.monotonic() < until, f"{what} not in {seconds:.0f} s: " + " | ".join(
                f"{name}: {self.said(name)[-500:]}" for name in self.children
            )
            time.sleep(LOOKS_S)

    def close(self) -> None:
        for child in self.children.values():
            child.kill()
            child.wait(WAITS_S)


@contextmanager
def machines(home: Path, database_url: str, broker_url: str) -> Iterator[Machines]:
    made = Machines(home, database_url, broker_url)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def rehearsed_shop(folder: Path, orders: int, seed: int = 7) -> Iterator[ShopProcess]:
    """A shop on a socket in whose past these orders were placed."""
    arguments = [
        *("--seed", str(seed), "--orders", str(orders), "--start", "2026-10-01T12:00:00+00:00", "--days", "20"),
        *("--now", "2026-11-01T12:00:00+00:00", "--secret-env", "SHOP_WEBHOOK", "--token-env", "SHOP_TOKEN"),
        *("--restore-per-s", "2000"),
    ]
    with ShopProcess("connectors.shopify.simulator", arguments, folder / "shop.log", SECRETS) as shop:
        shop.start()
        yield shop
