"""The hub, opened: its stores, plugins and reference data, as every step is handed them."""

import atexit
import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, make_url

from hub import registry
from hub.books.chart import Chart
from hub.books.policy import Billing, LateFacts, Policy, Recognise
from hub.errors import Misconfigured
from hub.flow.hold import HoldRules
from hub.flow.terms import Item
from hub.model.crosswalk import CrosswalkRow, Crosswalks
from hub.model.documents import DocumentKey
from hub.ports import ChannelConfig, EntityConfig, ErpConfig, Translates
from hub.settings import Channel, Entity, Settings, Ships, Store, read_yaml
from hub.steps.reference import Rates, read_items, read_rates, read_seeds
from hub.steps.vault import StoredVault
from hub.store import crosswalks
from hub.store.engine import connect
from hub.store.orders import ERP_TARGET

Clock = Callable[[], datetime]

COLLECT_AFTER_OBJECTS: Final = 400_000  # more than a batch holds at once


@dataclass(frozen=True)
class Hub:
    """Everything a step needs, made once by the door that opens it."""

    settings: Settings
    store: Engine
    inbox: Engine
    clock: Clock
    connect_erp: Callable[[ErpConfig], Any] | None = None  # None: the configured system's plugin; else a rehearsal's
    sleep: Callable[[float], None] = time.sleep  # how plugins wait
    connect_channel: Callable[[ChannelConfig], Any] | None = None  # as `connect_erp`

    def writing(self) -> Connection:
        """A connection whose transactions write: on SQLite they take the lock when they begin."""
        return self.store.connect().execution_options(writes=True)

    @cached_property
    def erp(self) -> Any:
        """The configured ERP's adapter; its abilities are found with isinstance against the ports."""
        if len({(e.chart, e.policies) for e in self.settings.entities}) > 1:
            raise Misconfigured("the entities of one ERP share one chart and one set of policies: name the same files")
        entities = tuple(EntityConfig(e.slug, e.currency, e.timezone) for e in self.settings.entities)
        first = self.settings.entities[0]
        erp = self.settings.erp
        config = ErpConfig(
            slug=erp.slug,
            database_url=_address(self.settings.stores.ledger),
            entities=entities,
            chart=read_data(first.chart),
            policies=read_data(first.policies),
            address=erp.address,
            options=erp.options,
            secrets=lambda name: self.settings.secret(erp, name),
            clock=self.clock,
            sleep=self.sleep,
            vault=StoredVault(self.store, erp.slug, self.settings.vault_key, self.clock, self.sleep),
        )
        connect_erp = self.connect_erp or registry.erp_adapter(self.settings.erp.system).connect
        return connect_erp(config)

    def connector(self, slug: str) -> Any:
        """The connector of a channel, or the ERP's adapter for the ERP's slug: what translates its records.

        Raises:
            Misconfigured: there is no such channel, or no plugin for its system, or the ERP translates nothing.
        """
        if slug in self._channels:
            return self._channels[slug].connector
        if slug == self.settings.erp.slug:
            if not isinstance(self.erp, Translates):
                raise Misconfigured(f"{slug}: the adapter of {self.settings.erp.system} translates no records")
            return self.erp
        return self._open_channel(slug).connector

    def channel(self, slug: str) -> "OpenChannel":
        """A channel with all that decisions on its orders need."""
        return self._channels[slug] if slug in self._channels else self._open_channel(slug)

    @cached_property
    def chart(self) -> Chart:
        """The one chart that the entities of an ERP share."""
        return Chart.parse(read_data(self.settings.entities[0].chart))

    @cached_property
    def rates(self) -> Rates:
        return read_rates(self.settings.files.rates)

    @cached_property
    def known_masters(self) -> set[DocumentKey]:
        """Customers and items whose intents are known to stand: a cache, for the store to be asked once."""
        return set()

    @cached_property
    def allocating(self) -> dict[str, tuple[str, ...]]:
        """The channels whose orders reserve stock, with the locations that they take from, in order."""
        return {one.slug: one.allocate.locations for one in self.settings.channels if one.allocate is not None}

    @cached_property
    def _channels(self) -> dict[str, "OpenChannel"]:
        return {}

    @cached_property
    def _seeds(self) -> list[CrosswalkRow]:
        return read_seeds(self.settings.files.crosswalks)

    def crosswalks(self, channel: str, connection: Connection, proposed: Sequence[CrosswalkRow] = ()) -> Crosswalks:
        """The rows in force for a channel: the configuration's seeds, what people set, then what is proposed."""
        return Crosswalks(channel, [*self._seeds, *crosswalks.rows(connection), *proposed])

    def _open_channel(self, slug: str) -> "OpenChannel":
        channel = self.settings.channel(slug)
        entity = self.settings.entity(channel.entity)
        config = ChannelConfig(
            slug=slug,
            entity=channel.entity,
            currency=channel.currency,
            timezone=entity.timezone,
            address=channel.address,
            options=channel.options,
            overlays=channel.overlays,
            is_told=channel.ships is Ships.ERP,
            secrets=lambda name: self.settings.secret(channel, name),
            clock=self.clock,
            sleep=self.sleep,
            vault=StoredVault(self.store, slug, self.settings.vault_key, self.clock, self.sleep),
        )
        connector = (self.connect_channel or registry.connector(channel.system).connect)(config)
        if not isinstance(connector, Translates):
            raise Misconfigured(f"channel {slug}: the connector of {channel.system} translates no records")
        own = channel.policies.model_dump(exclude_none=True)
        policy = Policy.parse({**read_data(entity.policies), **own})
        opened = OpenChannel(
            channel=channel,
            entity=entity,
            connector=connector,
            timezone=ZoneInfo(entity.timezone),
            chart=Chart.parse(read_data(entity.chart)),
            policy=policy,
            items=read_items(self.settings.files.items, entity.currency),
            rules=hold_rules(self.settings, policy),
            policy_version=policy.version,
            by_urgency=frozenset(
                name for name, slots in ((ERP_TARGET, self.settings.erp.slots), (slug, channel.slots)) if slots
            ),
        )
        self._channels[slug] = opened
        return opened


@dataclass(frozen=True)
class OpenChannel:
    channel: Channel
    entity: Entity
    connector: Any
    timezone: ZoneInfo  # of the entity: where accounting days are
    chart: Chart
    policy: Policy
    items: dict[str, Item]  # the price list, by item code
    rules: HoldRules
    policy_version: str
    by_urgency: frozenset[str]  # targets of its documents that take the most urgent first: those with slots

    @property
    def recognise_on_delivery(self) -> bool:
        return self.policy.recognise is Recognise.DELIVERY

    @property
    def cash_sales(self) -> bool:
        return self.policy.billing is Billing.CASH_SALE


def spare_the_collector() -> None:
    """Cycles are looked for between batches (`sweep_cycles`), not a dozen times in one; a door calls it at start.

    A batch makes some hundred thousand small objects that hold no cycles and go when the batch goes: walking them
    again and again cost a fifth of the time of an import (measured, 2026-11).
    """
    gc.freeze()
    atexit.register(gc.unfreeze)  # for libraries that look for their own leaks at the end
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 100)


def sweep_cycles() -> None:
    """What a batch left behind in cycles is gone; to be called when all else of the batch is.

    SQL expressions and the ledger's costings refer to themselves, about 1 kB an order: with the collector spared, a
    process grew by 190 MB over 200,000 orders (measured, 2026-11). Only the youngest objects are looked at, and all
    but these few are gone by then.
    """
    gc.collect(0)


def open_hub(
    settings: Settings,
    clock: Clock,
    connect_erp: Callable[[ErpConfig], Any] | None = None,
    connect_channel: Callable[[ChannelConfig], Any] | None = None,
) -> Hub:
    """The hub of this configuration, its tables made or brought up to date."""
    stores = settings.stores
    return Hub(
        settings=settings,
        store=connect(stores.hub.url.get_secret_value(), "hub", stores.hub.schema),
        inbox=connect(stores.inbox.url.get_secret_value(), "inbox", stores.inbox.schema),
        clock=clock,
        connect_erp=connect_erp,
        connect_channel=connect_channel,
    )


def _address(store: Store) -> str:
    """The URL of a store that a plugin opens itself: on PostgreSQL its schema is a part of it."""
    url = make_url(store.url.get_secret_value())
    if store.schema is not None:
        url = url.update_query_dict({"schema": store.schema})
    return url.render_as_string(hide_password=False)


def hold_rules(settings: Settings, policy: Policy) -> HoldRules:
    """The configured holds, as decisions take them."""
    configured = settings.holds
    return HoldRules(
        unmapped_item=configured.unmapped_item,
        missing_rate=configured.missing_rate,
        price=configured.price.on,
        price_tolerance_minor=configured.price.tolerance_minor,
        price_tolerance_percent=configured.price.tolerance_percent,
        require_capture=configured.require_capture.on,
        require_capture_b2b=configured.require_capture.b2b,
        edit_window_minutes=configured.edit_window_minutes,
        hold_late=policy.late_facts is LateFacts.HOLD,
    )


def read_data(path: Path) -> dict[str, Any]:
    """A configuration file as plain data.

    Raises:
        Misconfigured: it is no YAML, every fault named with file and line.
    """
    located = read_yaml(path)
    if located.faults:
        raise Misconfigured("\n".join(map(str, located.faults)))
    return located.tree if isinstance(located.tree, dict) else {}
