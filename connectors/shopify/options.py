"""What a channel of this system may be told under `options` in hub.yaml."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.errors import Misconfigured
from hub.ports import ChannelConfig

VERSION: Final = "2026-10"  # of the Admin API: what the documents here are validated against


class Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: Annotated[str, Field(pattern=r"^20\d\d-(01|04|07|10)$")] = VERSION
    domain: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")] | None = None
    """The shop's domain as webhooks name it, SHOP.myshopify.com; None: the host of the channel's address."""
    token: Literal["static", "client_credentials", "expiring"] = "static"  # noqa: S105 - the kind of token, not one
    notify_customer: bool = True
    """Whether the shop mails the buyer about a shipment that the hub tells it of."""


def options_of(config: ChannelConfig) -> Options:
    """The channel's options.

    Raises:
        Misconfigured: with every fault.
    """
    try:
        return Options.model_validate(dict(config.options))
    except ValidationError as error:
        faults = "; ".join(
            f"options.{'.'.join(str(part) for part in found['loc'])}: {_said(found)}"
            for found in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise Misconfigured(f"channel {config.slug}: {faults}") from None


def _said(found: Any) -> str:
    return "no such option" if found["type"] == "extra_forbidden" else found["msg"][:1].lower() + found["msg"][1:]
