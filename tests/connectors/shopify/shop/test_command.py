"""The shop as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[4]


def test_the_shop_runs_as_a_process_of_its_own_and_says_where() -> None:
    arguments = "--port 0 --seed 3 --orders 5 --now 2026-10-05T00:00:00Z --faults none --secret-env SECRET".split()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SECRET": "sesame"}
    with subprocess.Popen(
        [sys.executable, "-m", "connectors.shopify.simulator", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            asked = {"client_id": "orderhub", "client_secret": "sesame", "grant_type": "client_credentials"}
            token = httpx.post(f"{url}/admin/oauth/access_token", json=asked).json()["access_token"]
            answer = httpx.post(
                f"{url}/admin/api/2026-10/graphql.json",
                json={"query": "{ ordersCount(limit: null) { count } }"},
                headers={"X-Shopify-Access-Token": token},
            )
            state = httpx.get(f"{url}/_control/state").json()
        finally:
            process.terminate()

    assert answer.json()["data"] == {"ordersCount": {"count": 6}}
    assert state["now"] == "2026-10-05T00:00:00Z"
