"""What integrations do that double documents: for proving that the rehearsal finds it, and for nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.model.documents import Document, DocumentKey, DocumentLine
from hub.model.intents import Action, Found, Outcome, Probe, ReadBack, Verdict, Write


@dataclass(slots=True)
class Names:
    """The counter, and what each document is called since; shared by all workers."""

    count: int = 0
    latest: dict[str, DocumentKey] = field(default_factory=dict)  # by the key that the hub decided; once answered
    decided: dict[str, str] = field(default_factory=dict)  # the hub's key, by the name in the ERP


class _Around:
    """An adapter with something changed; whatever is not changed is its own."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        for ability in dir(adapter):
            if not ability.startswith("_") and not hasattr(type(self), ability):
                setattr(self, ability, getattr(adapter, ability))

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        outcomes: list[Outcome] = self._adapter.put(writes)
        return outcomes

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        probes: list[Probe] = self._adapter.probe(writes)
        return probes

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        read: list[ReadBack | None] = self._adapter.read_back(documents)
        return read

    def close_connections(self) -> None:
        self._adapter.close_connections()


class CountedKeys(_Around):
    """Each create is named by a counter, as where the external id is made when the request is."""

    def __init__(self, adapter: Any, names: Names) -> None:
        super().__init__(adapter)
        self._names = names

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        names, named = self._names, []
        for write in writes:
            key = names.latest.get(write.document.key, write.document.key)
            if write.action is Action.CREATE:
                names.count += 1
                key = DocumentKey(f"n-{names.count}")
                names.decided[key] = write.document.key
            named.append(replace(write, document=self._called(write.document, key)))
        outcomes = super().put(named)
        for write, there, outcome in zip(writes, named, outcomes, strict=True):
            if outcome.verdict is Verdict.DONE:
                names.latest[write.document.key] = there.document.key
        return outcomes

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        return super().probe([replace(one, document=self._as_known(one.document)) for one in writes])

    def read_back(self, documents: Sequence[Document]) -> list[ReadBack | None]:
        return super().read_back([self._as_known(one) for one in documents])

    def _as_known(self, document: Document) -> Document:
        return self._called(document, self._names.latest.get(document.key, document.key))

    def _called(self, document: Document, key: DocumentKey) -> Document:
        latest = self._names.latest
        return replace(
            document,
            key=key,
            customer=latest.get(document.customer or "", document.customer),
            applies_to=latest.get(document.applies_to or "", document.applies_to),
            lines=tuple(self._line(line) for line in document.lines),
            settles=tuple(self._line(line) for line in document.settles),
        )

    def _line(self, line: DocumentLine) -> DocumentLine:
        return replace(line, detail=self._names.latest.get(line.detail, line.detail))


class BlindResend(_Around):
    """Nothing is ever found, and absence is believed at once: what is in doubt is sent again."""

    settle_s = 0

    def probe(self, writes: Sequence[Write]) -> list[Probe]:
        return [Probe(Found.ABSENT) for _ in writes]


class AnyKey(_Around):
    """Far side: an ERP without an external id of its own keeps what it is given, however often."""

    def __init__(self, adapter: Any, names: Names) -> None:
        super().__init__(adapter)
        self._names = names

    def put(self, writes: Sequence[Write]) -> list[Outcome]:
        held = self._adapter.held([one.document.key for one in writes])
        named = []
        for write in writes:
            key = write.document.key
            if write.action is Action.CREATE and key in held:
                self._names.count += 1
                key = DocumentKey(f"n-{self._names.count}")
                self._names.decided[key] = self._names.decided.get(write.document.key, write.document.key)
            named.append(replace(write, document=replace(write.document, key=key)))
        return super().put(named)
