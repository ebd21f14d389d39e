"""An adapter opened on a far side, and writes carried through as the hub would: part by part, probed, sent again."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
from pydantic import SecretStr

from hub import registry
from hub.errors import HubError, InDoubt, Misconfigured, Retryable
from hub.model.documents import MASTER_KINDS, Component, Document
from hub.model.intents import REFS, Found, Outcome, Probe, ReadBack, Verdict, Write
from hub.ports import EntityConfig, ErpConfig
from hub.testing.conformance.bench import Login
from hub.testing.conformance.erp_bench import ErpBench, ErpFarSide, Held, Need
from hub.testing.conformance.erp_stories import Clerk, Story
from hub.testing.conformance.wiring import MemoryVault

SLUG: Final = "books"
TRIES_MAX: Final = 40  # of one write
AGAIN_S: Final = 60.0  # until what did not work is tried again, where nobody says how long


@dataclass
class ErpWiring:
    """Opens adapters of one system on one far side, and closes them."""

    system: str
    far: ErpFarSide
    bench: ErpBench
    vault: MemoryVault = field(default_factory=MemoryVault)
    waits: list[float] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)

    def connect(self, login: Login | None = None, *, far: ErpFarSide | None = None) -> Any:
        """The adapter, as another process would open it.

        Args:
            login: None: the usual one.
            far: another far side than the test's own, with a vault of its own.
        """
        far = far or self.far
        login = login or next(iter(far.logins().values()))
        held = {**login.public, **login.secrets}

        def secret(name: str) -> SecretStr:
            if name not in held:
                raise Misconfigured(f"{SLUG}: no secret {name}")
            return SecretStr(held[name])

        config = ErpConfig(
            slug=SLUG,
            database_url=far.database_url,
            entities=(EntityConfig(far.company.entity, far.company.currency, far.company.timezone),),
            chart=dict(far.company.chart),
            policies=dict(far.company.policies),
            address=far.address,
            options=dict(login.options),
            secrets=secret,
            clock=far.now,
            sleep=self._slept(far),
            vault=self.vault if far is self.far else MemoryVault(),
        )
        adapter = far.connect(registry.erp_adapter(self.system).connect, config)
        self.opened.append(adapter)
        return adapter

    def _slept(self, far: ErpFarSide) -> Callable[[float], None]:
        def sleep(seconds: float) -> None:
            self.waits.append(seconds)
            far.pass_time(seconds)

        return sleep

    def close(self) -> None:
        for adapter in self.opened:
            if callable(close := getattr(adapter, "close_connections", None)):
                close()


def bench_of(system: str) -> ErpBench:
    """The system's bench; a system without one fails, it is not skipped."""
    bench: ErpBench = registry.simulator(system).BENCH
    return bench


def wanted(bench: ErpBench, *needs: Need | None) -> None:
    """The test goes on where the ERP has what it needs."""
    for need in needs:
        if need is not None and (reason := bench.lacks.get(need.value)) is not None:
            pytest.skip(f"this system has no {need.value}: {reason}")


# --- carried through -----------------------------------------------------------------------------------------------


@dataclass
class Carried:
    """What became of one write, and what was met on the way."""

    outcome: Outcome
    met: list[HubError | Verdict | Found] = field(default_factory=list)


def carried(adapter: Any, far: ErpFarSide, write: Write) -> Carried:
    """The write is done or rejected: told part by part, looked for where no answer came, sent again where it is absent.

    Raises:
        AuthExpired: nobody is let in.
    """
    met: list[HubError | Verdict | Found] = []
    for _ in range(TRIES_MAX):
        try:
            (outcome,) = adapter.put([write])
        except InDoubt as error:
            met.append(error)
            outcome = Outcome(Verdict.IN_DOUBT)
        except Retryable as error:
            met.append(error)
            far.pass_time(AGAIN_S if error.after_s is None else error.after_s)
            continue
        if outcome.verdict is Verdict.UNSENT:
            met.append(Verdict.UNSENT)
            far.pass_time(AGAIN_S)
            continue
        if outcome.verdict is Verdict.IN_DOUBT:
            met.append(Verdict.IN_DOUBT)
            probe = looked_for(adapter, far, write, met)
            if probe.found is Found.ABSENT:
                continue
            assert probe.found is Found.DONE, probe
            outcome = Outcome(Verdict.DONE, probe.ref, then=probe.then)
        if outcome.verdict is Verdict.REJECTED or outcome.then is None:
            return Carried(outcome, met)
        write = replace(write, part=outcome.then, held=tuple((outcome.ref or "").split(REFS)) if outcome.ref else ())
    raise AssertionError(f"{write.document.key} came to no end: {met}")


def looked_for(adapter: Any, far: ErpFarSide, write: Write, met: list[HubError | Verdict | Found]) -> Probe:
    """What a look finds at once, where that is done already; else after the settling time."""
    for settled in (False, True):
        probe = _probe(adapter, far, write, met)
        met.append(probe.found)
        if probe.found is Found.DONE or settled:
            return probe
        far.pass_time(adapter.settle_s + 1)
    raise AssertionError("unreachable")


def _probe(adapter: Any, far: ErpFarSide, write: Write, met: list[HubError | Verdict | Found]) -> Probe:
    for _ in range(TRIES_MAX):
        try:
            (probe,) = adapter.probe([write])
        except Retryable as error:
            met.append(error)
            far.pass_time(AGAIN_S if error.after_s is None else error.after_s)
        else:
            found: Probe = probe
            return found
    raise AssertionError(f"{write.document.key} could not be looked for: {met}")


def done(adapter: Any, far: ErpFarSide, writes: Iterable[Write]) -> list[Outcome]:
    """Each write is done, one after another."""
    outcomes = []
    for write in writes:
        carried_ = carried(adapter, far, write)
        outcome = carried_.outcome
        assert outcome.verdict is Verdict.DONE, (write.action, write.document.key, outcome, carried_.met)
        outcomes.append(outcome)
    return outcomes


def told(story: Story, adapter: Any, far: ErpFarSide, clerk: Clerk | None = None) -> Clerk:
    """The ERP was told the whole story; the clerk who told it."""
    clerk = clerk or story.clerk(far.company)
    for writes in story.told(clerk):
        done(adapter, far, writes)
    return clerk


def by_key(held: Sequence[Held]) -> Mapping[str, Held]:
    """What stands, by our key; nothing of ours stands twice, and all of it is ours."""
    found: dict[str, Held] = {}
    for one in held:
        if not one.voided:
            assert one.key, f"{one.ref} has no key"
            assert one.key not in found, f"{one.key} is there twice: {one.ref} and {found[one.key].ref}"
            found[one.key] = one
    return found


def said(held: Sequence[Held]) -> list[tuple[Any, ...]]:
    """All that the ERP has, but for its own numbers and what is void."""
    return sorted((one.said for one in held if not one.voided), key=repr)


# --- read back -----------------------------------------------------------------------------------------------------


def faults_of_reading(document: Document, read: ReadBack | None) -> Iterator[str]:
    """What the ERP has otherwise than it was told."""
    if read is None:
        yield f"{document.key}: the ERP has none"
        return
    pairs: dict[str, tuple[object, object]] = {
        "key": (document.key, read.key),
        "currency": (document.currency, read.currency),
        "lines": (len(document.lines), read.lines),
        "voided": (False, read.voided),
    }
    if document.kind not in MASTER_KINDS:
        pairs["date"] = (document.date, read.date)
    if not any(line.component is Component.STOCK for line in document.lines):  # whose cost is the ERP's own matter
        pairs["total"] = (document.total_minor, read.total_minor)
        pairs["tax"] = (document.tax_minor, read.tax_minor)
    for name, (sent, found) in pairs.items():
        if sent != found:
            yield f"{document.key}: {name} was told as {sent} and stands as {found}"


def assert_reads_as_told(adapter: Any, documents: Sequence[Document]) -> None:
    reads = adapter.read_back(documents)
    assert len(reads) == len(documents)
    faults = [fault for one, read in zip(documents, reads, strict=True) for fault in faults_of_reading(one, read)]
    assert not faults, faults
