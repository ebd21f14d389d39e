"""Door, workers, scheduler, PostgreSQL, Valkey, a shop and an ERP as processes, while all of it fails.

`make soak` does the same for as long as it is told.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.rehearsal.chaos import ERP_RATES, run
from hub.settings import load_settings
from tests.postgres_server import client_programs, running_postgres
from tests.valkey_server import running_valkey

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


SEEDS_MAX = 3
LOSING = {"lost_after": 400}  # of a thousand answers


def chaos(
    folder: Path,
    *,
    orders: int,
    minutes: float,
    seed: int = 7,
    blind: bool = False,
    loss: bool = False,
    erp_rates: Mapping[str, int] = ERP_RATES,
) -> dict[str, Any]:
    """On an ERP that keeps no key unique: nothing but the hub prevents a double."""
    with running_postgres() as database_url, running_valkey() as broker:
        return run(
            load_settings(None, folder, {}),
            folder / "home",
            database_url,
            broker,
            orders=orders,
            minutes=minutes,
            seed=seed,
            settle_s=5,
            late_s=3,
            pause_s=(0.5, 2.0),
            blind=blind,
            any_key=True,
            erp_rates=erp_rates,
            programs=client_programs() if loss else None,
        )


def test_nothing_is_lost_or_twice_while_everything_fails(tmp_path: Path) -> None:
    """In the middle all processes and stores are lost, and put back as they were a while before."""
    found = chaos(tmp_path, orders=60, minutes=0.5, loss=True)

    assert found["violations"] == []
    assert (found["lost"], found["twice"], found["unexplained_minor"], found["in_doubt"]) == (0, 0, 0, 0)
    assert found["posted"] > 50
    assert found["kills"] >= 3
    assert found["restored"]["deliveries_lost"] > 0
    assert found["restored"]["orders_lost"] > 0
    assert found["restored"]["steps_lost"] > 0
    assert {"lost_after", "late_commit"} <= found["faults"]["erp"].keys()


def test_a_worker_that_resends_blindly_is_found(tmp_path: Path) -> None:
    """Within a few seeds: how much is written while answers get lost is the machine's matter."""
    for seed in range(7, 7 + SEEDS_MAX):
        found = chaos(tmp_path / str(seed), orders=20, minutes=0.4, seed=seed, blind=True, erp_rates=LOSING)
        if found["twice"]:
            break

    assert found["twice"] > 0
    assert any("documents have the key" in one for one in found["violations"])
