"""A server that is killed in the midst of a load: whatever it acknowledged is in the store."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine, text

from connectors.shopify.simulator import signed
from hub.rehearsal.bench_webhooks import STARTS
from hub.rehearsal.bench_webhooks import request as as_request
from hub.rehearsal.processes import free_port

SECRET: Final = "hush-planted"
CONNECTIONS: Final = 16
ACKNOWLEDGED_MIN: Final = 200
STARTS_S: Final = 60


def deliver(port: int, requests: list[tuple[str, bytes]], acknowledged: list[str]) -> None:
    """Until the server is gone; a 200 is noted once its first line is here."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=STARTS_S) as connection:
            for name, sent in requests:
                connection.sendall(sent)
                answer = b""
                while not answer.endswith(b"\n") or b"\r\n\r\n" not in answer:
                    if not (more := connection.recv(4096)):
                        return
                    answer += more
                if answer.startswith(b"HTTP/1.1 200"):
                    acknowledged.append(name)
    except OSError:
        return


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_whatever_was_acknowledged_before_a_kill_is_in_the_store(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    address = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    environment = {**os.environ, "SHOPIFY_WEBHOOK_SECRET": SECRET}
    if address is not None:
        environment["ORDERHUB_DATABASE_URL"] = address
    port = free_port()
    words = ["serve", "--home", str(tmp_path / "home"), "--port", str(port)]
    loads = list(signed(SECRET, 20_000, 7, STARTS))
    sent = [
        (headers["X-Shopify-Webhook-Id"], as_request("/webhooks/shopify", headers, body)) for headers, body in loads
    ]
    acknowledged: list[str] = []

    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", "from hub.cli import main; main()", *words], stdout=log, stderr=log, env=environment
        )
    try:
        wait_until(lambda: listens(port), server)
        threads = [
            threading.Thread(target=deliver, args=(port, sent[n::CONNECTIONS], acknowledged))
            for n in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(acknowledged) >= ACKNOWLEDGED_MIN, server)
    finally:
        server.kill()
        server.wait()
    for thread in threads:
        thread.join(STARTS_S)

    engine = create_engine(address or f"sqlite:///{tmp_path / 'home' / 'inbox.db'}")
    table = "inbox.record" if address is not None else "record"
    with engine.connect() as connection:
        stored = {key.partition(":")[0] for key in connection.execute(text(f"SELECT key FROM {table}")).scalars()}
    engine.dispose()
    assert ACKNOWLEDGED_MIN <= len(acknowledged) < len(sent)  # it was killed within the load
    assert set(acknowledged) <= stored


def wait_until(ready: Callable[[], bool], server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STARTS_S
    while not ready():
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < until, "not in time"
        time.sleep(0.02)


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
