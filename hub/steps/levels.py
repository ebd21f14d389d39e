"""Stock levels told to channels: decided in the transaction that keeps the level, only the latest unsent one stands."""

import logging
from collections.abc import Iterable

from sqlalchemy import Connection

from hub.flow.decide import decide
from hub.flow.tell import level_notice
from hub.flow.terms import Terms
from hub.model.allocation import Place
from hub.model.crosswalk import CrosswalkKind
from hub.model.documents import Document
from hub.model.order import OrderKey
from hub.settings import Stock
from hub.steps.deciding import add_intent
from hub.steps.hub import Hub
from hub.store import orders, stock
from hub.store.orders import Changes
from hub.store.schema import stamp

log = logging.getLogger(__name__)


def tell_levels(hub: Hub, writing: Connection, places: Iterable[Place]) -> None:
    """Each channel that is told levels will be told these, in its own words; what it has no words for it is not told.

    The places' rows are locked by the transaction: of two workers the one with the newer level comes last. A notice
    is the one of its kind, item and location: its key stands where others have their order, so that it waits for none
    but its own.

    Raises:
        Overtaken: an older notice was sent meanwhile.
    """
    told = [one for one in hub.settings.channels if one.stock is Stock.PUSH]
    if not told:
        return
    levels = stock.levels(writing, places)
    changes = Changes()
    for channel in told:
        _tell(hub, writing, channel.slug, levels, changes)
    orders.record(writing, changes)


def _tell(hub: Hub, writing: Connection, slug: str, levels: dict[Place, tuple[int, int]], changes: Changes) -> None:
    channel, now = hub.channel(slug), hub.clock()
    crosswalks = hub.crosswalks(slug, writing)
    terms = Terms(
        entity=channel.entity.slug,
        functional=channel.entity.currency,
        timezone=channel.timezone,
        recognise_on_delivery=channel.recognise_on_delivery,
        policy=f"{channel.policy_version}.{crosswalks.version}",
        crosswalks=crosswalks,
    )
    on = terms.day(now)
    notices: dict[OrderKey, Document] = {}
    for place, (on_hand, as_of) in sorted(levels.items()):
        if place.entity != terms.entity:
            continue
        location = terms.channel_location(place.location, on)
        skus = crosswalks.sources(CrosswalkKind.ITEM, place.item, on)
        if location is None:
            if skus:
                log.warning("levels.no_location", extra={"channel": slug, "location": place.location})
            continue
        for sku in skus:
            notice = level_notice(slug, place, sku, location, on_hand, as_of, on, terms.functional)
            notices[OrderKey(slug, notice.key)] = notice
    known = orders.load_told(writing, list(notices))
    for key, notice in notices.items():
        decision = decide([notice], known[key].told, terms, channel.chart, channel.policy)
        changes.superseded.extend(known[key].unsent[one] for one in decision.superseded)
        for intent in decision.intents:
            add_intent(changes, slug, key.external_id, intent, stamp(now), slug)
