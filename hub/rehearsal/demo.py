"""The demo: a month of a rehearsed shop, with accidents, captured, posted, reconciled and reported.

What goes wrong on the way, once each: an order that the hub never got, one edited and one deleted by hand in the
ledger, one typed in twice, one in the ledger that no channel knows, one booked into the wrong period, a refund not
booked, an unmapped SKU. Beside them deliveries come twice and out of order, and the ledger loses answers. What finds
and explains them knows nothing of this file.
"""

import json
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from hub import registry
from hub.errors import Misconfigured
from hub.model.documents import (
    DOCUMENT,
    Component,
    Document,
    DocumentKey,
    DocumentKind,
    DocumentLine,
    document_key,
    revision_of,
)
from hub.model.facts import Source
from hub.model.intents import Action, Verdict, Write
from hub.model.records import Received
from hub.ports import ErpConfig
from hub.settings import Settings
from hub.steps.advance import advance_all
from hub.steps.capture import capture
from hub.steps.closing import reconcile
from hub.steps.deciding import item_document
from hub.steps.hub import Hub, open_hub, spare_the_collector
from hub.steps.reconcile import REPORT_HTML, as_json
from hub.steps.send import send_all
from hub.store.views.figures import figures

PERIOD: Final = "2026-10"
STARTS: Final = datetime(2026, 10, 1, 12, tzinfo=UTC)
DAYS: Final = 29
OPENING: Final = date(2026, 9, 30)
WRONG_DAY: Final = date(2026, 11, 3)
STOCKED: Final = 5_000  # units of each item at the opening
HAND_EDIT_MINOR: Final = 1_250
LOST_ANSWERS: Final = 3
BATCH: Final = 500

MARKER: Final = "demo.json"
STATEMENT: Final = "channel-statement.json"
OURS: Final = ("hub.db", "inbox.db", "ledger.db")
"""Files of a home that a second demo starts afresh; each with its companions (-wal, -shm)."""

NEW_SKU: Final = "LANTERN-NEW"
PLAIN: Final = "plain"


@dataclass(frozen=True, slots=True)
class Accidents:
    """The stories that accidents happen to, by what happens."""

    never_captured: Any
    unbooked_refund: Any
    unmapped_sku: Any
    edited: Any
    deleted: Any
    typed_twice: Any
    wrong_period: Any


def run(settings: Settings, orders: int, seed: int) -> dict[str, Any]:
    """The figures of the whole story; its state stays in the home, where every other command finds it.

    Raises:
        Misconfigured: the home is somebody's and no demo's, or too few orders for the accidents.
    """
    began = time.monotonic()
    spare_the_collector()
    settings = settings.model_copy(update={"database_url": None})
    shop = registry.simulator(settings.channels[0].system)
    stories = list(shop.compose(seed, orders, start=STARTS, days=DAYS, currency=settings.channels[0].currency))
    accidents = _cast(stories, random.Random(seed))  # noqa: S311  a rehearsal
    _start_afresh(settings.home, orders, seed)
    clock = _clock
    system = settings.erp.system

    def connect(config: ErpConfig) -> Any:
        return registry.simulator(system).LedgerSimulator(config, clock)

    hub = open_hub(settings, clock, connect)
    try:
        _open_books(hub)
        _play(hub, stories, accidents, random.Random(seed))  # noqa: S311
        _meddle(hub, accidents)
        statement = settings.home / STATEMENT
        statement.write_text(json.dumps({"orders": [_final(story, accidents) for story in stories]}))
        found = reconcile(hub, PERIOD, [statement])
        report = settings.home / "runs" / found.run / REPORT_HTML
        return {
            **asdict(figures(hub.store, hub.inbox)),
            "trial_balance": _trial_balance(hub),
            "reconciliation": as_json(found),
            "report": str(report),
            "elapsed_s": round(time.monotonic() - began, 2),
        }
    finally:
        hub.erp.close_connections()
        hub.store.dispose()
        hub.inbox.dispose()


def _clock() -> datetime:
    return datetime.now(UTC)


def _start_afresh(home: Path, orders: int, seed: int) -> None:
    """The home is empty but for the demo's marker; what an earlier demo left in it is gone.

    Raises:
        Misconfigured: there is something in it that no demo made.
    """
    if home.exists() and any(home.iterdir()) and not (home / MARKER).is_file():
        raise Misconfigured(f"demo: {home} holds the state of something else; name another with --home")
    for name in OURS:
        for path in home.glob(f"{name}*"):
            path.unlink()
    shutil.rmtree(home / "runs", ignore_errors=True)
    (home / STATEMENT).unlink(missing_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text(json.dumps({"orders": orders, "seed": seed}))


def _cast(stories: Sequence[Any], chance: random.Random) -> Accidents:
    """Which orders the accidents happen to: shipped and plain ones, and one with a refund.

    Raises:
        Misconfigured: there are too few orders.
    """
    plain = [s for s in stories if PLAIN in s.traits and s.final["fulfillments"] and _in_period(s)]
    single = [s for s in plain if len(s.final["line_items"]) == 1]  # one item then heals it
    refunded = [s for s in stories if _refund_stands_alone(s)]
    if len(plain) < 6 or not single or not refunded:
        raise Misconfigured(f"demo: {len(stories)} orders are too few for its accidents; take 100 or more")
    unmapped = chance.choice(single)
    chosen = chance.sample([s for s in plain if s is not unmapped], 5)
    return Accidents(
        never_captured=chosen[0],
        unbooked_refund=chance.choice(refunded),
        unmapped_sku=unmapped,
        edited=chosen[1],
        deleted=chosen[2],
        typed_twice=chosen[3],
        wrong_period=chosen[4],
    )


def _in_period(story: Any) -> bool:
    placed = datetime.fromisoformat(story.final["processed_at"])
    return placed.strftime("%Y-%m") == PERIOD


def _refund_stands_alone(story: Any) -> bool:
    """One refund, paid within the period, of an order that was not otherwise changed."""
    final = story.final
    refunds = final["refunds"]
    if (
        len(refunds) != 1
        or final["cancelled_at"]
        or final["test"]
        or final["presentment_currency"] != final["currency"]
    ):
        return False
    paid = [t for t in final["transactions"] if t["kind"] == "refund" and t["status"] == "success"]
    days = [datetime.fromisoformat(t["processed_at"]).strftime("%Y-%m-%d") for t in paid]
    edited = any(delivery.topic == "orders/edited" for delivery in story.deliveries)
    return len(paid) == 1 and not edited and f"{PERIOD}-02" < days[0] < f"{PERIOD}-30" and _in_period(story)


def _open_books(hub: Hub) -> None:
    """The ledger knows the price list and has stock of it at its standard cost."""
    channel = hub.channel(hub.settings.channels[0].slug)
    entity, functional = channel.entity.slug, channel.entity.currency
    writes: list[Write] = []
    for item in channel.items.values():
        writes.append(_write(item_document(item, entity, functional)))
    for item in channel.items.values():
        if item.cost_minor:
            cost = item.cost_minor * STOCKED
            line = DocumentLine(Component.STOCK, cost, item=item.code, quantity=STOCKED)
            receipt = Document(
                key=document_key(DocumentKind.STOCK_RECEIPT, "opening", item.code),
                kind=DocumentKind.STOCK_RECEIPT,
                entity=entity,
                currency=functional,
                date=OPENING,
                lines=(line,),
                location="main",
            )
            writes.append(_write(receipt))
    for outcome in hub.erp.put(writes):
        if outcome.verdict is not Verdict.DONE:
            raise RuntimeError(f"demo: the ledger refused its opening: {outcome}")


def _write(document: Document) -> Write:
    return Write(Action.CREATE, document, revision_of(DOCUMENT.dump_json(document, exclude_defaults=True)))


def _play(hub: Hub, stories: Sequence[Any], accidents: Accidents, chance: random.Random) -> None:
    """The month as it comes in: webhooks twice and out of order, then what a pull brings; posted in between."""
    received = list(_webhooks(hub, stories, accidents))
    chance.shuffle(received)
    received += chance.sample(received, len(received) // 20)
    half = len(received) // 2
    _take_in(hub, received[:half])
    hub.erp.fail_next(*[registry.simulator(hub.settings.erp.system).Fault.LOST_AFTER] * LOST_ANSWERS)
    send_all(hub)
    _take_in(hub, received[half:] + list(_pulled(hub, stories, accidents)))
    send_all(hub)


def _take_in(hub: Hub, received: Sequence[Received]) -> None:
    for start in range(0, len(received), BATCH):
        capture(hub, received[start : start + BATCH])
    advance_all(hub)


def _webhooks(hub: Hub, stories: Sequence[Any], accidents: Accidents) -> Iterator[Received]:
    slug, now = hub.settings.channels[0].slug, hub.clock()
    for story in stories:
        if story is accidents.never_captured:
            continue
        for delivery in story.deliveries:
            if story is accidents.unbooked_refund and _tells_of_refund(delivery):
                break
            body = _renamed(delivery.body, story, accidents)
            yield Received(slug, delivery.webhook_id, delivery.topic, Source.WEBHOOK, json.dumps(body).encode(), now)


def _pulled(hub: Hub, stories: Sequence[Any], accidents: Accidents) -> Iterator[Received]:
    slug, now = hub.settings.channels[0].slug, hub.clock()
    for story in stories:
        if story is accidents.never_captured or story is accidents.unbooked_refund:
            continue
        final = _final(story, accidents)
        key = f"order:{final['id']}:{final['updated_at']}"
        yield Received(slug, key, "orders/updated", Source.PULL, json.dumps(final).encode(), now)


def _tells_of_refund(delivery: Any) -> bool:
    body = delivery.body
    if delivery.topic.startswith("refunds/") or delivery.topic.startswith("returns/"):
        return True
    return bool(body.get("refunds")) or body.get("kind") == "refund"


def _final(story: Any, accidents: Accidents) -> dict[str, Any]:
    final: dict[str, Any] = _renamed(story.final, story, accidents)
    return final


def _renamed(body: Any, story: Any, accidents: Accidents) -> Any:
    """The payload, its SKUs unknown to the ERP where that is this order's accident."""
    if story is not accidents.unmapped_sku:
        return body
    if isinstance(body, dict):
        return {
            name: NEW_SKU if name == "sku" and value else _renamed(value, story, accidents)
            for name, value in body.items()
        }
    if isinstance(body, list):
        return [_renamed(part, story, accidents) for part in body]
    return body


def _meddle(hub: Hub, accidents: Accidents) -> None:
    """What people do by hand in the ledger."""
    erp, channel = hub.erp, hub.settings.channels[0]
    erp.edit_amount(erp.ref(_order_key(channel.slug, accidents.edited)), HAND_EDIT_MINOR, Component.GOODS)
    erp.void(erp.ref(_order_key(channel.slug, accidents.deleted)))
    erp.copy(erp.ref(_order_key(channel.slug, accidents.typed_twice)))
    erp.move(erp.ref(_order_key(channel.slug, accidents.wrong_period)), WRONG_DAY)
    erp.type_in(
        Document(
            key=DocumentKey(""),
            kind=DocumentKind.SALES_ORDER,
            entity=channel.entity,
            currency=channel.currency,
            date=date(2026, 10, 20),
            lines=(DocumentLine(Component.GOODS, 18_900, detail="by telephone"),),
            reference="PHONE-17",
            customer=erp.document(erp.ref(_order_key(channel.slug, accidents.edited))).customer,
        )
    )


def _order_key(slug: str, story: Any) -> DocumentKey:
    return document_key(DocumentKind.SALES_ORDER, slug, story.order_id)


def _trial_balance(hub: Hub) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for row in hub.erp.trial_balance():
        of = sums.setdefault(row["currency"], {"debit_minor": 0, "credit_minor": 0})
        of["debit_minor"] += row["debit_minor"]
        of["credit_minor"] += row["credit_minor"]
    return sums
