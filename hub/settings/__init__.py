"""The configuration: one file, config/hub.yaml unless another is named, read whole and checked whole.

    --config FILE  over  ORDERHUB_CONFIG  over  hub.yaml in the home  over  the checkout's config/hub.yaml
    --home DIR     over  ORDERHUB_HOME    over  ./.orderhub

Secrets stand in the environment alone, or in a file that the environment names (`NAME_FILE`); hub.yaml holds the names
of their variables.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import Field, SecretStr

from hub.errors import Misconfigured
from hub.settings.check import CONNECTORS, ERP_ADAPTERS, Named, named_files, read
from hub.settings.environment import Environment, read_secret
from hub.settings.file import Fault, Located, read_yaml
from hub.settings.parts import (
    SHIPPED,
    Alerts,
    BankColumns,
    Called,
    Channel,
    Entity,
    Erp,
    Files,
    Holds,
    HubFile,
    Mail,
    SettlementColumns,
    Ships,
    Stock,
    longest_wait_s,
)

__all__ = [
    "CONNECTORS",
    "ERP_ADAPTERS",
    "SHIPPED",
    "Alerts",
    "BankColumns",
    "Called",
    "Channel",
    "ConfigurationFaults",
    "Entity",
    "Erp",
    "Fault",
    "Files",
    "Holds",
    "Located",
    "Mail",
    "Named",
    "Settings",
    "SettlementColumns",
    "Ships",
    "Stock",
    "Store",
    "Stores",
    "data_files",
    "faults",
    "load_settings",
    "longest_wait_s",
    "read_yaml",
]

HOME: Final = Path(".orderhub")
OF_HOME: Final = "hub.yaml"
"""A home may bring its own configuration."""

_Named = TypeVar("_Named", Entity, Channel)


class ConfigurationFaults(Misconfigured):
    """The configuration has faults; all of them are here, each with file and line."""

    def __init__(self, found: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in found))
        self.faults = found


@dataclass(frozen=True, slots=True)
class Store:
    """A database: a file of its own, or a schema of a shared PostgreSQL."""

    url: SecretStr
    schema: str | None
    """None: the database's own default."""


@dataclass(frozen=True, slots=True)
class Stores:
    hub: Store
    inbox: Store
    ledger: Store


class Settings(HubFile):
    """All that is configured, checked; secrets have no repr and are in no dump."""

    config: Path
    home: Path
    database_url: SecretStr | None = Field(default=None, exclude=True)
    vault_key: SecretStr | None = Field(default=None, exclude=True)
    broker_url: SecretStr | None = Field(default=None, exclude=True)
    secret_values: dict[str, SecretStr] = Field(default={}, exclude=True, repr=False)
    secret_files: dict[str, Path] = Field(default={}, exclude=True, repr=False)
    """By variable: the mounted file that holds the secret, read anew each time it is asked for."""

    @property
    def stores(self) -> Stores:
        return Stores(self._store("hub"), self._store("inbox"), self._store("ledger"))

    def channel(self, slug: str) -> Channel:
        """The channel of that slug.

        Raises:
            Misconfigured: there is none.
        """
        return self._named(self.channels, "channels", slug)

    def entity(self, slug: str) -> Entity:
        """The entity of that slug.

        Raises:
            Misconfigured: there is none.
        """
        return self._named(self.entities, "entities", slug)

    def slots(self) -> dict[str, int]:
        """The targets that bear so many calls at once and no more: "erp", and channels by slug."""
        given = {"erp": self.erp.slots, **{one.slug: one.slots for one in self.channels}}
        return {name: slots for name, slots in given.items() if slots is not None}

    def secret(self, owner: Channel | Erp, name: str) -> SecretStr:
        """The secret that a plugin needs for an ability.

        Raises:
            Misconfigured: no variable is named for it, or the variable is not set.
        """
        variable = owner.secrets.get(name)
        if variable is None:
            raise Misconfigured(f"{owner.slug} has no {name} secret: name its variable under secrets in {self.config}")
        return self.variable(variable, f"{owner.slug} needs its {name} secret")

    def variable(self, variable: str, needed: str) -> SecretStr:
        """What that environment variable holds, or the file that it names.

        Args:
            needed: who needs which secret, for the error.

        Raises:
            Misconfigured: the variable is not set.
        """
        if variable in self.secret_values:
            return self.secret_values[variable]
        if variable not in self.secret_files:
            raise Misconfigured(
                f"{needed}: set the environment variable {variable}, "
                f"or {variable}_FILE to the name of a file that holds it"
            )
        return read_secret(self.secret_files[variable], needed)

    def _store(self, name: str) -> Store:
        if self.database_url is not None:
            return Store(self.database_url, name)
        return Store(SecretStr(f"sqlite:///{self.home / f'{name}.db'}"), None)

    def _named(self, parts: tuple[_Named, ...], kind: str, slug: str) -> _Named:
        for part in parts:
            if part.slug == slug:
                return part
        slugs = ", ".join(part.slug for part in parts)
        raise Misconfigured(f"no {slug!r} among the {kind} of {self.config}: {slugs}")


def load_settings(
    config: Path | None, home: Path | None, environ: Mapping[str, str], *, of_home: bool = True
) -> Settings:
    """The configuration as a whole; None for what no option named.

    Args:
        of_home: the home's own configuration counts, where it has one.

    Raises:
        ConfigurationFaults: with every fault at once.
    """
    environment = Environment.of(environ)
    place = home or environment.home or HOME
    file = _file(config or (None if of_home else environment.config or SHIPPED), place, environment)
    hub_file, found = read(file, environ, {})
    if hub_file is None or found:
        raise ConfigurationFaults(tuple(found))
    owners: tuple[Channel | Erp, ...] = (*hub_file.channels, hub_file.erp)
    variables = {name for owner in owners for name in owner.secrets.values()} | _of_alerts(hub_file.alerts)
    return Settings.model_construct(
        **{name: getattr(hub_file, name) for name in HubFile.model_fields},
        config=file,
        home=place.resolve(),
        database_url=environment.postgresql,
        vault_key=environment.vault_key,
        broker_url=environment.broker_url,
        secret_values={name: SecretStr(environ[name]) for name in sorted(variables) if environ.get(name)},
        secret_files={name: Path(environ[f"{name}_FILE"]) for name in sorted(variables) if environ.get(f"{name}_FILE")},
    )


def _of_alerts(alerts: Alerts) -> set[str]:
    named = {alerts.mail.password if alerts.mail else None, alerts.webhook.secret if alerts.webhook else None}
    return {name for name in named if name is not None}


def _file(config: Path | None, home: Path, environment: Environment) -> Path:
    own = home / OF_HOME
    return (config or environment.config or (own if own.is_file() else SHIPPED)).resolve()


def faults(
    config: Path | None,
    environ: Mapping[str, str],
    needed: Mapping[str, Collection[str]] | None = None,
    home: Path | None = None,
) -> list[Fault]:
    """Every fault of the configuration, by file and line; empty when it is good.

    Args:
        needed: names of secrets that abilities in use need, by slug of channel or ERP; what is not needed may be unset.
    """
    environment = Environment.of(environ)
    file = _file(config, home or environment.home or HOME, environment)
    return read(file, environ, needed or {})[1]


def data_files(config: Path | None, environ: Mapping[str, str], home: Path | None = None) -> Named:
    """The data files that the configuration names, even where it has faults of its own."""
    environment = Environment.of(environ)
    return named_files(_file(config, home or environment.home or HOME, environment))
