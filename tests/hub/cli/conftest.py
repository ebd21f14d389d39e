"""The command line on an empty home."""

from pathlib import Path

import pytest

from tests.hub.cli.shop import Orderhub


@pytest.fixture
def orderhub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Orderhub:
    for variable in ("ORDERHUB_HOME", "ORDERHUB_CONFIG", "ORDERHUB_DATABASE_URL", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    return Orderhub(tmp_path)
