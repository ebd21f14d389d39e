"""notices: what a channel tells the hub that is no fact of an order is done, or becomes a task for a person."""

from typing import Final, assert_never

from hub.errors import HubError
from hub.model.records import Notice, NoticeKind
from hub.steps.hub import Hub
from hub.steps.privacy import redact_channel, redact_customer
from hub.store import orders
from hub.store.schema import stamp

BY: Final = "the channel"


def heed(hub: Hub, channel: str, notice: Notice) -> None:
    """What the notice asks for is done; repeating it changes nothing."""
    match notice.kind:
        case NoticeKind.REDACT_CUSTOMER | NoticeKind.REDACT_SHOP:
            _redact(hub, channel, notice)
        case NoticeKind.DATA_REQUEST:
            _task(
                hub,
                channel,
                f"customer-{notice.customer}",
                "data_request",
                "a customer asks what is kept of them",
                f"orderhub personal-data {channel} {notice.customer}; hand it over, then resolve this",
            )
        case NoticeKind.UNINSTALLED:
            _task(
                hub,
                channel,
                "channel",
                "uninstalled",
                "the shop removed the app: nothing comes from it any more, and its credentials are void",
                f"install the app again and renew the credentials, then run orderhub check {channel}; or take the "
                "channel out of config/hub.yaml",
            )
        case _:
            assert_never(notice.kind)


def _redact(hub: Hub, channel: str, notice: Notice) -> None:
    """What the hub holds is gone. Where the ERP cannot be reached, a person is told; the rule stands all the same."""
    try:
        if notice.kind is NoticeKind.REDACT_SHOP:
            redact_channel(hub, channel, BY)
        elif notice.customer is not None:
            redact_customer(hub, channel, notice.customer, notice.orders, BY)
    except HubError as fault:
        about = "channel" if notice.kind is NoticeKind.REDACT_SHOP else f"customer-{notice.customer}"
        message = f"personal data was to be erased, and not all of it could be: {fault}"
        _task(hub, channel, about, "redaction", message, f"orderhub purge --channel {channel}, then resolve this")


def _task(hub: Hub, channel: str, about: str, code: str, message: str, remedy: str) -> None:
    row = {
        "channel": channel,
        "order_id": about[:100],
        "fingerprint": f"{code}:{channel}"[:200],
        "code": code,
        "message": message,
        "remedy": remedy,
        "currency": None,
        "amount_minor": None,
        "opened_at": stamp(hub.clock()),
    }
    with hub.writing() as connection, connection.begin():
        orders.open_exceptions(connection, [row])
