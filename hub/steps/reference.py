"""Reference data from the configuration's files: price list, rates, crosswalk seeds; every fault in them is named."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from hub.errors import Misconfigured
from hub.flow.terms import Item
from hub.model.crosswalk import CrosswalkKind, CrosswalkRow
from hub.model.documents import Rate
from hub.model.money import minor_of
from hub.settings import Fault, Located, read_yaml

RATE_AGE_DAYS_MAX: Final = 31
"""A rate older than this is no rate: the order is held rather than valued with it."""

SEEDED: Final = datetime.date(1, 1, 1)
"""Seeds hold from ever; a row set by a person holds from its own day and wins from then on."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Item(_Part):
    code: Annotated[str, Field(min_length=1, max_length=60)]
    name: str
    list_price: Annotated[Decimal, Field(ge=0)] | None = None
    cost: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    line: Annotated[str, Field(min_length=1, max_length=60)] | None = None


class _Rate(_Part):
    from_: Annotated[str, Field(alias="from")]
    to: str
    date: datetime.date
    rate: Annotated[Decimal, Field(gt=0)]
    source: str


ITEMS: Final = TypeAdapter(dict[str, list[_Item]])
RATES: Final = TypeAdapter(dict[str, list[_Rate]])
SEEDS: Final = TypeAdapter(dict[CrosswalkKind, dict[str, dict[str, str]]])


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates of exchange by pair and day."""

    known: dict[tuple[str, str], list[Rate]]  # by day

    def find(self, currency: str, functional: str, on: datetime.date) -> Rate | None:
        """The latest rate of that day or up to RATE_AGE_DAYS_MAX before it; None: there is none."""
        for rate in reversed(self.known.get((currency, functional), [])):
            if rate.on <= on:
                return rate if (on - rate.on).days <= RATE_AGE_DAYS_MAX else None
        return None


def read_items(path: Path, currency: str) -> dict[str, Item]:
    """The price list by item code, amounts in the entity's currency; empty where there is no such file.

    Raises:
        Misconfigured: naming every fault.
    """
    listed = _read(path, ITEMS).get("items", [])
    try:
        return _items(listed, currency)
    except ValueError as error:
        raise Misconfigured(f"{path.name}: {error}") from None


def _items(listed: list[_Item], currency: str) -> dict[str, Item]:
    return {
        item.code: Item(
            item.code,
            item.name,
            minor_of(item.list_price, currency) if item.list_price is not None else None,
            minor_of(item.cost, currency),
            item.line,
        )
        for item in listed
    }


def read_rates(path: Path) -> Rates:
    """All rates of the file.

    Raises:
        Misconfigured: naming every fault.
    """
    known: dict[tuple[str, str], list[Rate]] = {}
    for row in sorted(_read(path, RATES).get("rates", []), key=lambda row: row.date):
        known.setdefault((row.from_, row.to), []).append(Rate(row.rate, row.date, row.source))
    return Rates(known)


def read_seeds(path: Path) -> list[CrosswalkRow]:
    """The crosswalk rows that the configuration starts with.

    Raises:
        Misconfigured: naming every fault.
    """
    return list(_rows(_read(path, SEEDS)))


def _rows(seeds: dict[CrosswalkKind, dict[str, dict[str, str]]]) -> Iterator[CrosswalkRow]:
    for kind, channels in seeds.items():
        for channel, pairs in channels.items():
            for source, target in pairs.items():
                yield CrosswalkRow(kind, channel, source, target, SEEDED)


def _read(path: Path, adapter: TypeAdapter[Any]) -> Any:
    if not path.is_file():
        return {}
    located = read_yaml(path)
    found, faults = validated(located, adapter)
    if faults:
        raise Misconfigured("\n".join(map(str, faults)))
    return found


def validated(located: Located, adapter: TypeAdapter[Any]) -> tuple[Any, list[Fault]]:
    """What the file says and every fault of it with its line; nothing of a file that has any."""
    if located.faults:
        return {}, list(located.faults)
    try:
        return adapter.validate_python(located.tree or {}, strict=False), []
    except ValidationError as error:
        return {}, [
            located.fault(tuple(part for part in each["loc"] if part != "[key]"), _lower(each["msg"]))
            for each in error.errors(include_url=False)
        ]


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
