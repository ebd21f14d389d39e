"""What the environment may say of the hub, taken from a mapping that the door hands over."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict


class Environment(BaseSettings):
    """What the environment may say."""

    model_config = SettingsConfigDict(env_prefix="ORDERHUB_", frozen=True, extra="ignore")

    config: Path | None = None
    home: Path | None = None
    database_url: SecretStr | None = None
    """A PostgreSQL to keep all in; None: files under the home."""
    vault_key: SecretStr | None = None
    """Encrypts the tokens that channels hand out; None: connectors that are handed such refuse to start."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: the process's own environment is the door's to hand over."""
        return (init_settings,)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Self:
        source = EnvSettingsSource(cls, env_ignore_empty=True)
        source.env_vars = {name.lower(): text for name, text in environ.items() if text}
        return cls(**source())

    @property
    def postgresql(self) -> SecretStr | None:
        """The database's address with its driver named; None when none is given, or one of something else."""
        given = self.database_url.get_secret_value() if self.database_url else ""
        found = re.fullmatch(r"(?:postgres|postgresql|postgresql\+psycopg)(://.+)", given)
        return SecretStr(f"postgresql+psycopg{found[1]}") if found else None
