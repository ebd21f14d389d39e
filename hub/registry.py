"""Plugins, found by their entry points; nothing in the hub names one."""

from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from hub.errors import Misconfigured
from hub.ports import ConnectorPlugin, ErpPlugin
from hub.settings import CONNECTORS, ERP_ADAPTERS

SIMULATORS = "orderhub.simulators"


@cache
def connector(system: str) -> ConnectorPlugin:
    """The connector plugin of a system.

    Raises:
        Misconfigured: no installed package offers it.
    """
    plugin: ConnectorPlugin = _load(CONNECTORS, system)
    return plugin


@cache
def erp_adapter(system: str) -> ErpPlugin:
    """The ERP plugin of a system.

    Raises:
        Misconfigured: no installed package offers it.
    """
    plugin: ErpPlugin = _load(ERP_ADAPTERS, system)
    return plugin


@cache
def simulator(system: str) -> ModuleType:
    """The simulator module of a system; for rehearsals and tests only.

    Raises:
        Misconfigured: no installed package offers it.
    """
    module: ModuleType = _load(SIMULATORS, system)
    return module


def systems(group: str) -> list[str]:
    """The names that installed packages offer in an entry point group, sorted."""
    return sorted({point.name for point in entry_points(group=group)})


def _load(group: str, system: str) -> Any:
    for point in entry_points(group=group, name=system):
        return point.load()
    raise Misconfigured(f"no plugin {system!r} in {group}; installed: {', '.join(systems(group)) or 'none'}")
