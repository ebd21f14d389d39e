"""The app in the shop: what is wrong with its access, and whether its webhooks still come."""

from collections.abc import Iterator
from typing import Any, Final

from connectors.shopify.accept import TOPICS
from connectors.shopify.client import Shop
from connectors.shopify.documents import ONE_ORDER, SELF, SUBSCRIBE, SUBSCRIBE_ANEW, SUBSCRIPTIONS
from connectors.shopify.options import VERSION
from connectors.shopify.orders import next_cursor
from hub.errors import HubError, Misconfigured, Rejected
from hub.http import checked_address
from hub.model.problems import Problem
from hub.ports import Subscriptions

PAGES_MAX: Final = 100
SCOPES: Final = {
    "read_orders": "no order can be read",
    "read_all_orders": "orders older than 60 days are hidden: they cannot be read, nor told from deleted ones",
    "read_returns": "returns cannot be read",
    "read_customers": "buyers cannot be read",
    "read_merchant_managed_fulfillment_orders": "fulfilment orders cannot be read, so no shipment can be told",
    "read_shopify_payments_payouts": "payouts cannot be read",
}
"""What is missing without it. A write scope brings its read scope."""
TOLD_SCOPES: Final = {
    "write_merchant_managed_fulfillment_orders": "no shipment of the ERP's can be told",
    "write_orders": "an order that was cancelled in the ERP cannot be called off",
    "write_order_edits": "what was taken out of an order in the ERP cannot be taken out here",
}
"""And where the shop is told what the ERP does."""


def problems(shop: Shop) -> Iterator[Problem]:
    """What is wrong with credentials, scopes, access and version, each with what to do."""
    try:
        said = shop.query(SELF)
    except HubError as error:
        yield Problem("credentials", str(error), "credentials")
        return
    about = said["shop"]
    domain = str(about["myshopifyDomain"]).lower()
    if domain != shop.domain:
        yield Problem(
            "options.domain",
            f"this is {domain}, and webhooks are let in from {shop.domain} alone: set options.domain: {domain}",
            "domain",
        )
    if about["currencyCode"] != shop.config.currency:
        yield Problem(
            "currency",
            f"the shop has {about['currencyCode']}, the channel {shop.config.currency}: correct hub.yaml",
            "currency",
        )
    granted = {scope["handle"] for scope in said["currentAppInstallation"]["accessScopes"]}
    held = granted | {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}
    for scope, missing in (SCOPES | TOLD_SCOPES if shop.config.is_told else SCOPES).items():
        if scope not in held:
            yield Problem("scopes", f"the app lacks {scope}: {missing}; grant it and install the app again", "scope")
    try:
        shop.query(ONE_ORDER)
    except HubError as error:
        code = error.code if isinstance(error, Rejected) else "orders"
        yield Problem("access", str(error), code)
    yield from _version(shop)


def _version(shop: Shop) -> Iterator[Problem]:
    asked, served = shop.options.version, shop.served_version
    if served is not None and served != asked:
        yield Problem(
            "options.version",
            f"version {asked} is no longer served, the shop answers with {served}: "
            f"set options.version to one that is supported; this connector is tested with {VERSION}",
            "version",
        )


def subscribed(shop: Shop, callback: str) -> Subscriptions:
    """Every topic that is accepted is delivered to the callback, whole; what is missing is registered again.

    Shopify drops a subscription whose address failed eight times in a row, and says so to nobody.

    Raises:
        Misconfigured: the callback is none that a shop can call.
    """
    checked_address(callback, shop.config.slug)
    held: dict[str, list[dict[str, Any]]] = {}
    after: str | None = None
    for _ in range(PAGES_MAX):
        connection = shop.query(SUBSCRIPTIONS, after=after)["webhookSubscriptions"]
        for node in connection["nodes"]:
            held.setdefault(node["topic"], []).append(node)
        after = next_cursor(connection)
        if after is None:
            break
    else:
        raise Misconfigured(f"{shop.config.slug}: more webhook subscriptions than {PAGES_MAX} pages")
    kept, registered, refused = [], [], []
    to = {"uri": callback, "format": "JSON"}
    for topic in TOPICS:
        word = topic.replace("/", "_").upper()
        ours = [node for node in held.get(word, ()) if node["uri"] == callback]
        # A filter lets changes pass unseen, and chosen fields leave a document without what it needs.
        if any(node["format"] == "JSON" and not node["filter"] and not node["includeFields"] for node in ours):
            kept.append(topic)
            continue
        try:
            if ours:
                whole = {**to, "filter": "", "includeFields": []}
                shop.mutate(SUBSCRIBE_ANEW, keyed=True, id=ours[0]["id"], to=whole)
            else:
                shop.mutate(SUBSCRIBE, topic=word, to=to)
            registered.append(topic)
        except Rejected as error:
            refused.append(Problem(topic, str(error), error.code))
    return Subscriptions(tuple(kept), tuple(registered), tuple(refused))
