"""One Shopify document → facts, or why there are none."""

from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hub.errors import Untranslatable
from hub.model.facts import Source
from hub.model.order import OrderKey
from hub.model.problems import Problem
from hub.model.records import Translation
from mappings.overlay import Overlay
from mappings.shopify import graphql, payouts
from mappings.shopify.fulfilment import fulfilment_fact
from mappings.shopify.kinds import ENVELOPES, OTHERS, Kind, kind_of
from mappings.shopify.notices import KINDS, notice_of
from mappings.shopify.order import order_facts
from mappings.shopify.payload import (
    BalancePayload,
    DeletionPayload,
    EditPayload,
    FulfilmentOrderPayload,
    FulfilmentPayload,
    OrderPayload,
    PayoutPayload,
    RefundPayload,
    ReturnPayload,
    TransactionPayload,
)
from mappings.shopify.promise import promise_fact
from mappings.shopify.reading import Reading, is_currency, shown
from mappings.shopify.refund import refund_facts
from mappings.shopify.returns import deletion_fact, edit_fact, return_fact
from mappings.shopify.tender import tender_fact

M = TypeVar("M", bound=BaseModel)

_NODES = {
    Kind.REFUND_NODE: (Kind.REFUND, graphql.rest_refund),
    Kind.FULFILMENT_NODE: (Kind.FULFILMENT, graphql.rest_fulfilment),
    Kind.TRANSACTION_NODE: (Kind.TRANSACTION, graphql.rest_transaction),
    Kind.RETURN_NODE: (Kind.RETURN, graphql.rest_return),
    Kind.FULFILMENT_ORDER_NODE: (Kind.FULFILMENT_ORDER, graphql.rest_fulfilment_order),
}
_ORDER_NODE_PARTS = ("refunds", "fulfillments", "transactions", "returns")
_PROMISE_KEYS = ("fulfillBy", "deliveryMethod")
_SNAPSHOT_KEYS = ("lineItems", "totalPriceSet", "currencyCode")


class _Faulty(Exception):
    """The record has faults; they stand in its Reading."""


def translate(
    channel: str,
    topic: str,
    document: object,
    source: Source,
    currency: str,
    received_at: datetime,
    overlay: Overlay | None = None,
) -> Translation:
    """The document as facts.

    Args:
        topic: the webhook's topic, the envelope's key where a file had one ("order", "refunds"), or "".
        document: as parsed from the literal text, fractions as Decimal.
        currency: the shop's, for a document that does not say it.
        received_at: dates what carries no time of its own (a deletion, the closing of a return).
        overlay: the merchant's own fields, looked for in the order as it came, without its envelope.

    Raises:
        Untranslatable: with every fault found, and the order's id, currency and claimed total where legible.
    """
    read = Reading(currency)
    if not isinstance(document, dict):
        read.fault(f"not an object: {shown(document)}")
        raise Untranslatable(tuple(read.faults))
    if errors := document.get("errors"):  # of a GraphQL answer, which may then be incomplete
        first = errors[0] if isinstance(errors, list) else errors
        said = first.get("message") if isinstance(first, dict) else first
        read.fault(f"the answer reports an error: {shown(said)}", "errors[0].message")
        raise Untranslatable(tuple(read.faults))
    if topic in KINDS and source is Source.WEBHOOK:  # from anywhere else nobody vouches for it
        notice = notice_of(topic, document, read)
        if read.faults:
            raise Untranslatable(tuple(read.faults))
        return Translation(notices=(notice,), ignored=f"notice {notice.kind.value}")
    whole = document
    topic, document = _unwrapped(topic, document)
    kind = kind_of(topic, document)
    if kind is None:
        keys = ", ".join(sorted(key[:20] for key in document)[:4]) or "none"
        read.fault(f"not a Shopify document that is known here; its keys: {keys}")
        raise Untranslatable(tuple(read.faults))
    if not isinstance(kind, Kind):
        return _hinted(Translation(ignored=kind), source, whole)
    try:
        found = _mapped(kind, channel, document, source, received_at, read)
    except _Faulty:
        found = Translation()
    if read.faults:
        raise _held(kind, document, read)
    if overlay is not None and kind in (Kind.ORDER, Kind.ORDER_NODE) and found.facts:
        facts, problems = overlay.laid_over(found.facts, document)
        found = replace(found, facts=facts, problems=(*found.problems, *problems))
    return _hinted(found, source, whole)


def _hinted(found: Translation, source: Source, document: dict[str, Any]) -> Translation:
    """A webhook is but a hint: it says which orders are to be read anew."""
    if source is not Source.WEBHOOK:
        return found
    orders = dict.fromkeys(fact.order.external_id for fact in found.facts)
    if not orders and (named := Reading("").optional_id(_order_id(document))):
        orders[named] = None
    return replace(found, refetch=tuple(orders))


def _order_id(document: dict[str, Any]) -> int | str | None:
    """The order that a document which says nothing of it names all the same: a return, a fulfilment order."""
    order = document.get("order")
    for given in (document.get("order_id"), order.get("id") if isinstance(order, dict) else None):
        if isinstance(given, int | str) and not isinstance(given, bool):
            return given
    return None


def _mapped(
    kind: Kind, channel: str, document: dict[str, Any], source: Source, received_at: datetime, read: Reading
) -> Translation:
    match kind:
        case Kind.ORDER:
            return _order(channel, document, source, read)
        case Kind.ORDER_NODE:
            return _order_node(channel, document, source, received_at, read)
        case Kind.EDIT:
            edit = _valid(EditPayload, document.get("order_edit", document), read)
            return Translation((edit_fact(edit, channel, source, received_at, read),))
        case Kind.DELETION:
            gone = _valid(DeletionPayload, document, read)
            return Translation((deletion_fact(gone, channel, source, received_at, read),))
        case Kind.PAYOUT | Kind.PAYOUT_NODE | Kind.BALANCE | Kind.BALANCE_NODE:
            return _settled(kind, document, read)
        case _:
            return _part(kind, channel, document, source, received_at, read)


def _settled(kind: Kind, document: dict[str, Any], read: Reading) -> Translation:
    if kind in (Kind.PAYOUT_NODE, Kind.BALANCE_NODE):
        document = payouts.rest_payout(document) if kind is Kind.PAYOUT_NODE else payouts.rest_balance(document)
        paths = payouts.GRAPHQL_PATHS | ({"amount": "net"} if kind is Kind.PAYOUT_NODE else {})
        read.rename = lambda path: paths.get(path, path)
    if kind in (Kind.PAYOUT, Kind.PAYOUT_NODE):
        return Translation(payouts=(payouts.payout(_valid(PayoutPayload, document, read), read),))
    given = _valid(BalancePayload, document, read)
    if given.test:
        return Translation(ignored="balance transaction of a test")
    return Translation(settlement_lines=(payouts.settlement_line(given, read),))


def _order(channel: str, document: dict[str, Any], source: Source, read: Reading) -> Translation:
    if is_currency(currency := document.get("currency")):
        read.currency = str(currency)
    elif "currency" in document:
        read.fault(f"not an ISO 4217 currency: {shown(currency)}", "currency")
    given = _valid(OrderPayload, document, read)
    if given.presentment_currency is not None and not is_currency(given.presentment_currency):
        read.fault(f"not an ISO 4217 currency: {shown(given.presentment_currency)}", "presentment_currency")
    if read.faults:
        raise _Faulty
    found = order_facts(given, channel, source, read)
    return Translation(tuple(found.facts), tuple(found.parties), tuple(found.problems))


def _order_node(
    channel: str, node: dict[str, Any], source: Source, received_at: datetime, read: Reading
) -> Translation:
    """A whole order, or only those parts of one that were asked for."""
    for path in graphql.cut_short(node):
        read.fault("more pages than this answer holds", path)
    if read.faults:
        raise _Faulty
    if node.get("id") is None:
        waiting = [item for item in graphql.listed(node.get("fulfillmentOrders")) if isinstance(item, dict)]
        told = any(key in item for item in waiting for key in _PROMISE_KEYS)
        if not told and not any(part in node for part in (*_ORDER_NODE_PARTS, *_SNAPSHOT_KEYS)):
            return Translation(ignored="GraphQL order without anything that is used here")
        read.fault("missing", "id")
        raise _Faulty
    whole = Translation()
    if any(key in node for key in _SNAPSHOT_KEYS):
        read.rename = graphql.graphql_path
        whole = _order(channel, graphql.rest_order(node), source, read)
    facts, problems = list(whole.facts), list(whole.problems)
    rest: list[tuple[Kind, Any]] = [(Kind.RETURN_NODE, item) for item in graphql.listed(node.get("returns"))]
    rest += [(Kind.FULFILMENT_ORDER_NODE, item) for item in graphql.listed(node.get("fulfillmentOrders"))]
    if not facts:
        rest += [(Kind.REFUND_NODE, item) for item in graphql.listed(node.get("refunds"))]
        rest += [(Kind.FULFILMENT_NODE, item) for item in graphql.listed(node.get("fulfillments"))]
        rest += [(Kind.TRANSACTION_NODE, item) for item in graphql.listed(node.get("transactions"))]
    for kind, item in rest:
        if not isinstance(item, dict):
            read.fault(f"not an object: {shown(item)}", kind.value)
            continue
        named = {**item, "order": {"id": node["id"]}}
        part = _part(kind, channel, named, source, received_at, read)
        facts += part.facts
        problems += part.problems
    if not facts and not read.faults:
        return Translation(ignored="GraphQL order without anything that is used here")
    return Translation(tuple(facts), whole.parties, tuple(problems))


def _part(
    kind: Kind, channel: str, document: dict[str, Any], source: Source, received_at: datetime, read: Reading
) -> Translation:
    """A refund, fulfilment, transaction or return that came without its order."""
    if kind in _NODES:
        kind, rewrite = _NODES[kind]
        document = rewrite(document)
        read.rename = graphql.graphql_path
    problems: list[Problem] = []
    match kind:
        case Kind.REFUND:
            if document.get("id") is None and _suggested(document):
                return Translation(ignored="calculation of a refund, not a refund")
            refund = _valid(RefundPayload, document, read)
            currency = _stated(refund.refund_line_items[0].subtotal_set if refund.refund_line_items else None)
            read.currency = currency or read.currency
            facts = refund_facts(refund, _key(channel, refund.order_id, read), source, read, included=None)
        case Kind.FULFILMENT:
            fulfilment = _valid(FulfilmentPayload, document, read)
            facts = [fulfilment_fact(fulfilment, _key(channel, fulfilment.order_id, read), source, read)]
        case Kind.TRANSACTION:
            transaction = _valid(TransactionPayload, document, read)
            read.currency = _stated(transaction.amount_set) or read.currency
            tender = tender_fact(transaction, _key(channel, transaction.order_id, read), source, read)
            facts = [tender] if tender is not None else []
        case Kind.FULFILMENT_ORDER:
            waiting = _valid(FulfilmentOrderPayload, document, read)
            promise = promise_fact(waiting, _key(channel, waiting.order_id, read), source, received_at, read)
            facts = [promise] if promise is not None else []
        case Kind.RETURN:
            returned = _valid(ReturnPayload, document, read)
            order = returned.order_id
            if order is None and isinstance(returned.order, dict):
                order = returned.order.get("id")
            if order is None:
                return Translation(ignored="return that names no order")
            key = _key(channel, order, read)
            facts = [return_fact(returned, key, source, received_at, read, problems)]
        case _:
            raise AssertionError(kind)
    return Translation(tuple(facts), problems=tuple(problems))


def _key(channel: str, order: int | str | None, read: Reading) -> OrderKey:
    if order is None:
        read.fault("missing", "order_id")
        return OrderKey(channel, "")
    return OrderKey(channel, read.id(order, "order_id"))


def _valid(model: type[M], document: object, read: Reading) -> M:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        read.invalid(error)
        raise _Faulty from None


def _suggested(document: dict[str, Any]) -> bool:
    transactions = document.get("transactions")
    kinds = (
        [item.get("kind") for item in transactions if isinstance(item, dict)] if isinstance(transactions, list) else []
    )
    return "suggested_refund" in kinds or ("shipping" in document and "created_at" not in document)


def _stated(money_set: Any) -> str | None:
    side = money_set.get("shop_money") if isinstance(money_set, dict) else None
    code = side.get("currency_code") if isinstance(side, dict) else None
    return code if isinstance(code, str) and is_currency(code) else None


def _unwrapped(topic: str, document: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The document without its envelope, however it came; lists of several are cut apart by who reads the file."""
    if isinstance(inner := document.get("body"), dict) and ("topic" in document or "headers" in document):
        given = document.get("topic")
        topic, document = given if isinstance(given, str) else topic, inner
    if isinstance(data := document.get("data"), dict):
        if isinstance(inner := data.get("order"), dict):
            return "order_node", inner
        if isinstance(inner := data.get("node"), dict) and "id" in inner:
            return "", inner
        if data and not any(key in ENVELOPES or key == "nodes" for key in data if isinstance(data[key], (dict, list))):
            return f"answer/{next(iter(data))[:40]}", {}
    if "id" not in document:
        for key, inner in document.items():
            if key in ENVELOPES and key != "order_edit" and isinstance(inner, dict):
                return topic or key, inner
            if key in OTHERS and isinstance(inner, (dict, list)):
                return key, {}
    return topic, document


def _held(kind: Kind, document: dict[str, Any], read: Reading) -> Untranslatable:
    """The error, with what is legible, so that a stub of the order is counted."""
    stated = document.get("currency", document.get("currencyCode"))
    currency = str(stated) if is_currency(stated) else read.currency if stated is None else None
    claimed: object = None
    if kind in (Kind.ORDER, Kind.ORDER_NODE, Kind.DELETION):
        given = document.get("id")
        claimed = document.get("total_price")
        if kind is Kind.ORDER_NODE:
            claimed = graphql.rest_order(document).get("total_price")
    else:
        inner = document.get("order_edit", document)
        inner = inner if isinstance(inner, dict) else document
        given = inner.get("order_id")
        if given is None and isinstance(whole := inner.get("order"), dict):
            given = whole.get("id")
    legible = Reading(currency or read.currency)
    order = legible.optional_id(given)
    total = None if claimed is None or currency is None else legible.money(claimed)
    return Untranslatable(
        tuple(read.faults),
        order=order or None,
        currency=currency if order else None,
        claimed_minor=total if order and not legible.faults else None,
    )
