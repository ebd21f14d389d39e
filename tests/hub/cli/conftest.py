"""The command line on a home of its own."""

import shutil
from pathlib import Path

import pytest

from tests.hub.cli.shop import Orderhub

VARIABLES = ("ORDERHUB_HOME", "ORDERHUB_CONFIG", "ORDERHUB_DATABASE_URL", "COLUMNS")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with empty stores, made once: the migrations are most of a short test's time."""
    orderhub = Orderhub(tmp_path_factory.mktemp("migrated"))
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.delenv(variable, raising=False)
        orderhub.json("migrate")
    return orderhub.home


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Orderhub:
    """The command with a home that is not there yet."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return Orderhub(tmp_path)


@pytest.fixture
def orderhub(homeless: Orderhub, migrated: Path) -> Orderhub:
    """The command with a home of empty stores."""
    shutil.copytree(migrated, homeless.home)
    return homeless
