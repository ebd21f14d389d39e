"""GET /metrics for Prometheus: how the hub stands by its stores, and how this process answers requests.

Every figure about the hub comes from the stores, so any process that is asked says the same. Labels are of what is
configured, of codes and of routes: never an order, a customer or a path that somebody sent.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.guard import Guarded
from hub.steps.alerting import OF_INBOX, OF_STORE
from hub.steps.hub import Hub
from hub.steps.measuring import Measures, measured

FRESH_S: Final = 2.0
"""Asked again within so long, the answer is the same: many watchers cost as much as one."""
LATENCIES_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
UNKNOWN: Final = "unknown"
WEBHOOKS: Final = "/webhooks/{channel}"
OUTCOMES: Final = {200: "stored", 401: "forged", 404: "no_channel", 413: "too_large", 503: "busy"}


class Figures:
    """All figures of one process; `watch` wraps its application so that requests are among them."""

    def __init__(self, hub: Hub, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(Standing(hub, monotonic))
        ProcessCollector(registry=self.registry)
        self._channels = frozenset(channel.slug for channel in hub.settings.channels)
        self._monotonic = monotonic
        self._latency = Histogram(
            "orderhub_http_request_seconds",
            "How long requests took, by route.",
            ("method", "route", "status"),
            buckets=LATENCIES_S,
            registry=self.registry,
        )
        self._guard = threading.Lock()
        self._deliveries: dict[tuple[str, str], int] = {}
        self.registry.register(_Counted(self._counted))

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def watch(self, app: ASGIApp) -> ASGIApp:
        """The application, each of its requests counted and timed."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            status = 500
            begun = self._monotonic()

            async def sent(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, sent)
            finally:
                self._answered(scope, status, self._monotonic() - begun)

        return watched

    def _answered(self, scope: Scope, status: int, seconds: float) -> None:
        route = str(getattr(scope.get("route"), "path", UNKNOWN))
        method = scope["method"] if scope["method"] in _METHODS else UNKNOWN
        self._latency.labels(method, route, str(status)).observe(seconds)
        if route == WEBHOOKS and method == "POST":
            named = scope.get("path_params", {}).get("channel")
            counted = (named if named in self._channels else UNKNOWN, OUTCOMES.get(status, "refused"))
            with self._guard:
                self._deliveries[counted] = self._deliveries.get(counted, 0) + 1

    def _counted(self) -> CounterMetricFamily:
        family = CounterMetricFamily(
            "orderhub_webhook_deliveries", "Deliveries that came to this process.", labels=("channel", "outcome")
        )
        with self._guard:
            counted = dict(self._deliveries)
        for channel in sorted(self._channels):  # present from the start: a rate of what never was is no answer
            for outcome in ("stored", "forged"):
                counted.setdefault((channel, outcome), 0)
        for labels, count in sorted(counted.items()):
            family.add_metric(labels, count)
        return family


class Standing(Collector):
    """The hub's own figures, read from the stores when they are asked for."""

    def __init__(self, hub: Hub, monotonic: Callable[[], float]) -> None:
        self._hub = hub
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._read: tuple[float, Measures] | None = None

    def collect(self) -> Iterator[Metric]:
        with self._guard:
            now = self._monotonic()
            if self._read is None or now - self._read[0] >= FRESH_S:
                self._read = (now, measured(self._hub))
            found = self._read[1]
        yield from families(found)


class _Counted(Collector):
    def __init__(self, count: Callable[[], Metric]) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        yield self._count()


def families(found: Measures) -> Iterator[Metric]:
    """The measures as Prometheus has them; what could not be read is left out, and `orderhub_up` says why."""
    up = _gauge("up", "1: this store answers; 0: it does not, and its figures are missing.", "dependency")
    up.add_metric(["hub store"], float(found.hub is not None))
    up.add_metric(["inbox"], float(found.inbox is not None))
    yield up
    if found.disk_free_bytes is not None:
        free = _gauge("disk_free_bytes", "Room left where the hub keeps its files.")
        free.add_metric([], found.disk_free_bytes)
        yield free
    yield from _of_inbox(found)
    yield from _of_sending(found)
    yield from _of_orders(found)
    yield from _of_losses(found)
    yield from _of_checks(found)


def router(figures: Figures) -> APIRouter:
    made = APIRouter(route_class=Guarded)

    @made.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(await run_in_threadpool(figures.text), media_type=CONTENT_TYPE_LATEST)

    return made


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _of_inbox(found: Measures) -> Iterator[Metric]:
    inbox = found.inbox
    if inbox is None:
        return
    waiting = _gauge("records_waiting", "Records captured and not yet advanced.")
    waiting.add_metric([], inbox.waiting)
    yield waiting
    oldest = _gauge("oldest_record_seconds", "How long the oldest record waits to be advanced; 0: none does.")
    oldest.add_metric([], _age_s(inbox.oldest_waiting, found.at))
    yield oldest
    heard = _gauge(
        "last_record_seconds", "How long ago a channel was heard of last, by webhook, pull or file.", "channel"
    )
    for channel, received in sorted(inbox.last_received.items()):
        heard.add_metric([channel], _age_s(received, found.at))
    yield heard
    lag = _gauge(
        "cursor_lag_seconds",
        "How long ago a stream, of a channel or the ERP, was read last; never: was to be.",
        "channel",
        "stream",
    )
    beat = _gauge("cursor_beat_seconds", "How often a stream is to be read.", "channel", "stream")
    for one in inbox.cursors:
        lag.add_metric([one.channel, one.stream], _age_s(one.moved_at, found.at))
    for (channel, stream), since in sorted(found.never_read.items()):
        lag.add_metric([channel, stream], max(0.0, (found.at - since).total_seconds()))
    for (channel, stream), every_s in sorted(found.beats_s.items()):
        beat.add_metric([channel, stream], every_s)
    yield lag
    yield beat
    anew = _gauge("orders_to_be_read_anew", "Orders that wait to be read again by id.", "channel")
    for channel, count in sorted(inbox.to_be_read_anew.items()):
        anew.add_metric([channel], count)
    yield anew


def _of_sending(found: Measures) -> Iterator[Metric]:
    if found.hub is None:
        return
    steps = _gauge("steps", "Steps that wait, are under way, or are in doubt.", "target", "state")
    waits = _gauge(
        "oldest_step_seconds", "How long ago the oldest step that waits was decided; 0: none waits.", "target"
    )
    doubt = _gauge("oldest_in_doubt_seconds", "How long ago the oldest step in doubt was sent; 0: none is.", "target")
    slots = _gauge("slots", "Calls that a target bears at once.", "target")
    used = _gauge("slots_in_use", "Calls that are under way.", "target")
    paused = _gauge("target_paused", "1: nothing is sent to the target now.", "target", "why")
    for one in found.hub.targets:
        for state, count in (("planned", one.planned), ("sent", one.under_way), ("in_doubt", one.in_doubt)):
            steps.add_metric([one.target, state], count)
        waits.add_metric([one.target], _age_s(one.oldest_planned, found.at))
        doubt.add_metric([one.target], _age_s(one.oldest_in_doubt, found.at))
        used.add_metric([one.target], one.slots_in_use)
        if one.slots is not None:
            slots.add_metric([one.target], one.slots)
        for why in PAUSES:
            paused.add_metric([one.target, why], float(one.paused == why))
    yield from (steps, waits, doubt, slots, used, paused)


PAUSES: Final = ("asked", "breaker", "credentials", "configuration")


def _of_orders(found: Measures) -> Iterator[Metric]:
    if found.hub is None:
        return
    money = _gauge("money_held_minor", "Money of orders with an open exception, in minor units.", "currency")
    for currency, minor in sorted(found.hub.held_minor.items()):
        money.add_metric([currency], minor)
    open_ = _gauge("exceptions_open", "Exceptions that wait for a person, by code.", "code")
    for code, count in sorted(found.hub.exceptions.items()):
        open_.add_metric([code], count)
    oldest = _gauge("oldest_exception_seconds", "How long the oldest exception is open; 0: none is.")
    oldest.add_metric([], _age_s(found.hub.oldest_exception, found.at))
    held = _gauge("orders_held", "Orders with a hold.")
    held.add_metric([], found.hub.held_orders)
    back = _gauge("orders_backordered", "Orders that wait for stock.")
    back.add_metric([], found.hub.backordered_orders)
    alerts = _gauge("alerts_open", "Conditions that somebody was told of and that are not over.", "kind")
    for kind in (*OF_STORE, *OF_INBOX):
        alerts.add_metric([kind], found.hub.alerts.get(kind, 0))
    yield from (money, open_, oldest, held, back, alerts)


def _of_losses(found: Measures) -> Iterator[Metric]:
    if found.losses is None:
        return
    expected = _gauge("webhooks_expected", "Orders of the last hour that a webhook was to tell of.", "channel")
    missed = _gauge("webhooks_missed", "Of these, found by a pull: their webhook never came.", "channel")
    rate = _gauge("webhook_loss_ratio", "The share of webhooks that never came.", "channel")
    for channel, loss in sorted(found.losses.items()):
        expected.add_metric([channel], loss.expected)
        missed.add_metric([channel], len(loss.missed))
        rate.add_metric([channel], len(loss.missed) / loss.expected if loss.expected else 0.0)
    yield from (expected, missed, rate)


def _of_checks(found: Measures) -> Iterator[Metric]:
    missing = _gauge("missing_orders", "Orders that hub or ERP lacked when completeness was checked last.", "channel")
    late = _gauge("late_orders", "Orders that came late, of the days that were checked last.", "channel")
    untold = _gauge("untold_orders", "Orders of which no webhook told, of the days that were checked last.", "channel")
    age = _gauge("completeness_age_seconds", "How long ago completeness was checked.", "channel")
    for one in found.checks:
        missing.add_metric([one.channel], one.missing)
        late.add_metric([one.channel], one.late)
        untold.add_metric([one.channel], one.untold)
        age.add_metric([one.channel], _age_s(one.checked_at, found.at))
    yield from (missing, late, untold, age)


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"orderhub_{name}", words, labels=labels)


def _age_s(at: str | None, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(at)).total_seconds()) if at is not None else 0.0
