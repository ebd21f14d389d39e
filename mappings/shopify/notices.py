"""What a shop tells an app that is no fact of an order: it is gone, or someone's data is to be erased or told."""

from typing import Any, Final

from hub.model.records import Notice, NoticeKind
from mappings.shopify.reading import Reading

KINDS: Final = {
    "app/uninstalled": NoticeKind.UNINSTALLED,
    "customers/redact": NoticeKind.REDACT_CUSTOMER,
    "customers/data_request": NoticeKind.DATA_REQUEST,
    "shop/redact": NoticeKind.REDACT_SHOP,
}
_ORDERS: Final = {
    NoticeKind.REDACT_CUSTOMER: "orders_to_redact",
    NoticeKind.DATA_REQUEST: "orders_requested",
}


def notice_of(topic: str, document: dict[str, Any], read: Reading) -> Notice:
    """The notice of a topic in KINDS; what it should name and does not is a fault."""
    kind = KINDS[topic]
    if kind is NoticeKind.REDACT_SHOP and not isinstance(document.get("shop_domain"), str):
        # The topic stands in a header that the seal does not cover: another topic's body must not pass for this one.
        read.fault("names no shop", "shop_domain")
    if kind not in _ORDERS:
        return Notice(kind)
    customer = document.get("customer")
    named = customer.get("id") if isinstance(customer, dict) else None
    identity = _id(named, read, "customer", "id") if named is not None else None
    key = _ORDERS[kind]
    given = document.get(key)
    if not isinstance(given, list):
        if given is not None or identity is None:
            read.fault("not a list" if given is not None else "names neither a customer nor orders", key)
        given = []
    orders = tuple(_id(item, read, key, place) for place, item in enumerate(given))
    return Notice(kind, identity, orders)


def _id(value: Any, read: Reading, *path: str | int) -> str:
    if isinstance(value, int | str) and not isinstance(value, bool):
        return read.id(value, *path)
    read.fault("not an id", *path)
    return ""
