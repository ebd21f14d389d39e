"""What the environment may say of the hub, taken from a mapping that the door hands over."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from pydantic import SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from hub.errors import Misconfigured

SECRETS: Final = ("ORDERHUB_DATABASE_URL", "ORDERHUB_VAULT_KEY", "ORDERHUB_BROKER_URL")
SECRET_BYTES_MAX: Final = 65_536


def read_secret(file: Path, needed: str) -> SecretStr:
    """The file's content without the line end that editors leave.

    Args:
        needed: what the secret is for, as an error says it.

    Raises:
        Misconfigured: it cannot be read, or holds nothing.
    """
    try:
        content = file.read_text(encoding="utf-8") if file.stat().st_size <= SECRET_BYTES_MAX else ""
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{needed}: {file} cannot be read ({type(error).__name__})") from None
    if not (secret := content.strip("\r\n")):
        raise Misconfigured(f"{needed}: {file} is empty, or larger than {SECRET_BYTES_MAX} bytes")
    return SecretStr(secret)


class Environment(BaseSettings):
    """What the environment may say."""

    model_config = SettingsConfigDict(env_prefix="ORDERHUB_", frozen=True, extra="ignore")

    config: Path | None = None
    home: Path | None = None
    database_url: SecretStr | None = None
    """A PostgreSQL to keep all in; None: files under the home."""
    vault_key: SecretStr | None = None
    """Encrypts the tokens that channels hand out; None: connectors that are handed such refuse to start."""
    broker_url: SecretStr | None = None
    """A Redis or Valkey that carries rings between processes; None: all jobs are in one process."""

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
        """What these variables say; a secret may stand in a file that NAME_FILE names.

        Raises:
            Misconfigured: such a file cannot be read.
        """
        source = EnvSettingsSource(cls, env_ignore_empty=True)
        told = {name: text for name, text in environ.items() if text}
        for name in SECRETS:
            if name not in told and (file := told.get(f"{name}_FILE")):
                told[name] = read_secret(Path(file), name).get_secret_value()
        source.env_vars = {name.lower(): text for name, text in told.items()}
        return cls(**source())

    @property
    def postgresql(self) -> SecretStr | None:
        """The database's address with its driver named; None when none is given, or one of something else."""
        given = self.database_url.get_secret_value() if self.database_url else ""
        found = re.fullmatch(r"(?:postgres|postgresql|postgresql\+psycopg)(://.+)", given)
        return SecretStr(f"postgresql+psycopg{found[1]}") if found else None
