"""One process on files needs no Redis: not the server, and not the package."""

import subprocess
import sys
from pathlib import Path

BLOCKED = """
import sys
sys.modules["redis"] = None
from datetime import UTC, datetime
from pathlib import Path
from fastapi.testclient import TestClient
from hub.api.app import create_app
from hub.settings import load_settings
from hub.steps.hub import open_hub
from hub.worker.jobs import Jobs
hub = open_hub(load_settings(None, Path(sys.argv[1]), {}), lambda: datetime.now(UTC))
with TestClient(create_app(hub, Jobs(hub))) as web:
    print(web.get("/readyz").status_code)
"""


def test_serve_runs_where_redis_cannot_be_imported(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(tmp_path / "home")], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ran.stdout.strip(), ran.returncode) == ("200", 0), ran.stderr[-2000:]


def test_a_worker_names_what_is_missing_where_redis_is_not_installed(tmp_path: Path) -> None:
    code = "import sys; sys.modules['redis'] = None; from hub.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "worker", "--home", str(tmp_path / "home")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"ORDERHUB_BROKER_URL": "redis://127.0.0.1:1", "PYTHONPATH": ":".join(sys.path)},
    )

    assert ran.returncode == 1
    assert "the package redis is not installed" in ran.stderr
