"""How well an ERP's slots are used, and how many calls a document takes: a served ERP that takes its time over each.

The account is a process of its own on a loopback socket. What is measured is seen at the wire: every request of the
hub, from its first byte to the end of its answer, and the document that it was made for.
"""

import json
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from pydantic import SecretStr

from hub import registry
from hub.errors import Misconfigured
from hub.model.documents import Document
from hub.model.facts import Source
from hub.model.intents import Outcome, Probe, ReadBack, Write
from hub.model.records import Received
from hub.ports import ErpConfig
from hub.rehearsal.processes import ErpProcess
from hub.settings import ERP_ADAPTERS, Settings
from hub.settings.parts import Erp
from hub.steps.advance import advance_all
from hub.steps.capture import capture
from hub.steps.hub import Hub, open_hub, read_data
from hub.steps.send import send_all
from hub.store.views import exceptions
from hub.store.views.figures import figures, through_at

STARTS: Final = datetime(2026, 10, 1, tzinfo=UTC)
CAPTURED_AT_ONCE: Final = 500
SHOWN_MOST: Final = 5  # refusals in an error
READ_BACK: Final = "read back"
LOOKED_FOR: Final = "looked for"
OTHER: Final = "other"


class Wire(httpx.BaseTransport):
    """The network, watched: when each request was under way, and what it was made for."""

    def __init__(self) -> None:
        self._network = httpx.HTTPTransport()
        self._lock = threading.Lock()
        self._now = threading.local()
        self.under_way: list[tuple[float, float]] = []
        self.calls: Counter[str] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        began = time.time()
        answer = self._network.handle_request(request)
        answer.read()
        with self._lock:
            self.under_way.append((began, time.time()))
            self.calls[getattr(self._now, "purpose", OTHER)] += 1
        return answer

    def close(self) -> None:
        self._network.close()

    def purposed(self, purpose: str) -> None:
        """What this thread's requests are made for from now on."""
        self._now.purpose = purpose


class Watched:
    """An ERP's adapter whose requests are told apart by what they are made for."""

    def __init__(self, adapter: Any, wire: Wire) -> None:
        self._adapter = adapter
        self._wire = wire
        self.settle_s: int = adapter.settle_s
        self.call_s_max: int = adapter.call_s_max
        self.close_connections: Callable[[], None] = adapter.close_connections

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        self._wire.purposed(str(writes[0].document.kind))
        outcomes: list[Outcome] = self._adapter.put(writes)
        return outcomes

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        self._wire.purposed(LOOKED_FOR)
        probes: list[Probe] = self._adapter.probe(writes)
        return probes

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        self._wire.purposed(READ_BACK)
        reads: list[ReadBack | None] = self._adapter.read_back(documents)
        return reads


def bench(
    settings: Settings, system: str | None, orders: int, seed: int, *, slots: int, call_ms: int
) -> dict[str, Any]:
    """The share of the slots that had a call under way while there was work for all of them, and calls an order.

    Args:
        system: None: the first one whose simulator can be served.

    Raises:
        Misconfigured: the system has no simulator that can be served.
    """
    served = [one for one in registry.systems(registry.SIMULATORS) if _is_served_erp(one)]
    if not served or (system is not None and system not in served):
        raise Misconfigured(f"bench: no such ERP can be served: {system}; there is {', '.join(served) or 'none'}")
    system = system or served[0]
    simulator = registry.simulator(system)
    said = simulator.rehearsed(seed)
    with tempfile.TemporaryDirectory(prefix="orderhub-bench-") as folder:
        home = Path(folder)
        arguments = [*said["arguments"], "--call-ms", str(call_ms)]
        with ErpProcess(simulator.__name__, arguments, home / "erp.log", {}) as erp:
            erp.start()
            configured = _configured(settings, home, said | {"erp": {**said["erp"], "slots": slots}}, erp.address)
            wire = Wire()
            plugin = registry.erp_adapter(system)

            def connect(config: ErpConfig) -> Watched:
                return Watched(plugin.connect(replace(config, transport=wire)), wire)

            hub = open_hub(configured, lambda: datetime.now(UTC), connect)
            try:
                return _measured(hub, wire, orders, seed, slots, call_ms)
            finally:
                hub.erp.close_connections()
                hub.store.dispose()
                hub.inbox.dispose()


def _is_served_erp(system: str) -> bool:
    return system in registry.systems(ERP_ADAPTERS) and hasattr(registry.simulator(system), "rehearsed")


def _measured(hub: Hub, wire: Wire, orders: int, seed: int, slots: int, call_ms: int) -> dict[str, Any]:
    slug = hub.settings.channels[0].slug
    stories = registry.simulator(hub.settings.channels[0].system).compose(seed, orders, start=STARTS, days=31)
    bodies = [json.dumps(story.final).encode() for story in stories]
    received = [
        Received(slug, f"bench-{number}", "orders/updated", Source.WEBHOOK, body, hub.clock())
        for number, body in enumerate(bodies)
    ]
    for start in range(0, len(received), CAPTURED_AT_ONCE):
        capture(hub, received[start : start + CAPTURED_AT_ONCE])
    advance_all(hub)
    sent = send_all(hub)
    if sent.rejected or sent.differing or sent.in_doubt:
        said = "; ".join(f"{one.fingerprint}: {one.remedy}" for one in exceptions.groups(hub.store)[:SHOWN_MOST])
        raise RuntimeError(
            f"bench: {sent.rejected} documents refused, {sent.differing} read back otherwise, {sent.in_doubt} in doubt"
            f"; {said}"
        )
    whole = (min(began for began, _ in wire.under_way), max(ended for _, ended in wire.under_way))
    ended = through_at(hub.store)
    posted = len(ended)
    if posted <= slots:
        raise Misconfigured(f"bench: {posted} orders are too few for {slots} slots; take more")
    worked = (whole[0], ended[-slots].timestamp())  # then fewer orders than slots are left: some slot must stand idle
    calls = sum(wire.calls.values())
    return {
        "orders": posted,
        "slots": slots,
        "call_ms": call_ms,
        "documents": sum(figures(hub.store, hub.inbox).documents.values()),
        "calls": calls,
        "elapsed_s": round(whole[1] - whole[0], 2),
        "calls_per_s": round(calls / (whole[1] - whole[0]), 1),
        "slot_use": round(_use(wire, slots, worked), 3),
        "slot_use_to_the_end": round(_use(wire, slots, whole), 3),
        "calls_per_order": {
            "all": round(calls / posted, 2),
            **{purpose: round(count / posted, 3) for purpose, count in sorted(wire.calls.items())},
        },
    }


def _use(wire: Wire, slots: int, window: tuple[float, float]) -> float:
    """The share of the slots' time within a window in which a request was under way."""
    first, last = window
    busy = sum(max(0.0, min(ended, last) - max(began, first)) for began, ended in wire.under_way)
    return busy / (slots * (last - first))


def _configured(settings: Settings, home: Path, said: dict[str, Any], address: str) -> Settings:
    """The user's own configuration with this ERP in place of his, in a home of its own."""
    first = settings.entities[0]
    policies = home / "policies.yaml"
    policies.write_text(yaml.safe_dump(read_data(first.policies) | said["policies"]), encoding="utf-8")
    erp = Erp.model_validate({**said["erp"], "address": address})
    return settings.model_copy(
        update={
            "home": home,
            "database_url": None,
            "entities": tuple(one.model_copy(update={"policies": policies}) for one in settings.entities),
            "erp": erp,
            "secret_values": {name: SecretStr(text) for name, text in said["environment"].items()},
        }
    )
