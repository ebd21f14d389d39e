"""The demo's home: the configuration that its commands find, and what an earlier demo left there."""

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from hub.errors import Misconfigured
from hub.settings import Settings

MARKER: Final = "demo.json"
CONFIG: Final = "hub.yaml"
"""The home's own configuration: every command that is run on it finds the rehearsed channel."""
CROSSWALKS: Final = "demo-crosswalks.yaml"
TRUTH: Final = "demo-shop.json"
"""Every order as the shop itself has it at the end: what a person who doubts the report compares it with."""
ACCIDENTS: Final = "demo-accidents.json"
"""What people did wrong in the ERP, for the same person."""
POLICIES: Final = "demo-policies.yaml"
LOGS: Final = ("demo-hub.log", "demo-erp.log", "demo-shop.log", "demo-shop-2.log")
OURS: Final = ("hub.db", "inbox.db", "ledger.db")
"""Files of a home that a second demo starts afresh; each with its companions (-wal, -shm)."""


def write_policies(settings: Settings, otherwise: dict[str, Any]) -> None:
    """The first entity's policies, as far as the ERP does not post otherwise."""
    written = _read(settings.entities[0].policies) | otherwise
    (settings.home / POLICIES).write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")


def write_config(
    settings: Settings, channels: Sequence[dict[str, Any]], public_url: str | None, erp: dict[str, Any] | None
) -> None:
    """The user's own configuration, with rehearsed shops in place of the channels, and one SKU unmapped.

    Args:
        channels: each like the user's first one but for what is said here.
        public_url: None: the shops are gone, and with them their secrets.
        erp: a rehearsed ERP in place of the user's, which posts by policies of its own; None: the user's.
    """
    written = _read(settings.config)
    first = written["channels"][0] | {"ships": "erp"}
    written["channels"] = [first | said for said in channels]
    if public_url is not None:
        written["public_url"] = public_url
    else:
        for one in written["channels"]:
            one.pop("secrets", None)
    for entity, said in zip(settings.entities, written["entities"], strict=True):
        said |= {"chart": str(entity.chart), "policies": str(entity.policies) if erp is None else POLICIES}
    if erp is not None:
        written["erp"] = erp
    written["files"] = {
        "rates": str(settings.files.rates),
        "crosswalks": CROSSWALKS,
        "items": str(settings.files.items),
    }
    (settings.home / CONFIG).write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")


def write_crosswalks(settings: Settings, chance: random.Random) -> None:
    """The crosswalks to start with, but for one SKU: nobody has told the hub what it is in the ERP."""
    crosswalks = _read(settings.files.crosswalks)
    items = crosswalks["item"]["*"]
    del items[chance.choice(sorted(items))]
    (settings.home / CROSSWALKS).write_text(yaml.safe_dump(crosswalks, sort_keys=False), encoding="utf-8")


def _read(file: Path) -> Any:
    """The file's words as they stand: `on` is a name here and no truth."""
    return yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506  it makes nothing but text


def start_afresh(home: Path, orders: int, seed: int) -> None:
    """The home is empty but for the demo's marker; what an earlier demo left in it is gone.

    Raises:
        Misconfigured: there is something in it that no demo made.
    """
    if home.exists() and any(home.iterdir()) and not (home / MARKER).is_file():
        raise Misconfigured(f"demo: {home} holds the state of something else; name another with --home")
    for name in (*OURS, *LOGS, CONFIG, CROSSWALKS, POLICIES, TRUTH, ACCIDENTS):
        for path in home.glob(f"{name}*"):
            path.unlink()
    shutil.rmtree(home / "runs", ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text(json.dumps({"orders": orders, "seed": seed}))
