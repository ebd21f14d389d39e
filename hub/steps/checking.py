"""checking: the data files of a configuration, each read whole, every fault with file, line and path."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from hub.books.chart import Chart
from hub.books.faults import Faulty
from hub.books.policy import Policy
from hub.model.crosswalk import ANY_CHANNEL
from hub.model.money import EXPONENTS, minor_of
from hub.settings import Fault, Located, Named, read_yaml
from hub.steps.crosswalks import word_fault
from hub.steps.reference import ITEMS, RATES, SEEDS, validated

_PART: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def data_faults(named: Named) -> list[Fault]:
    """Every fault in charts, policies, price list, rates and crosswalks; a file that is missing has none here."""
    found: list[Fault] = []
    charts: dict[str, Chart] = {}
    for slug, (_, chart_file, policies_file) in named.entities.items():
        chart = _parsed(chart_file, Chart.parse, found)
        if chart is not None:
            charts[slug] = chart
        _parsed(policies_file, Policy.parse, found)
    for file, adapter in ((named.rates, RATES), (named.items, ITEMS), (named.crosswalks, SEEDS)):
        if file.is_file():
            located = read_yaml(file)
            data, faults = validated(located, adapter)
            found += faults
            if not faults and file == named.items:
                used = {named.entities[of][0] for of in named.channels.values() if of in named.entities}
                found += _price_faults(located, data, used & EXPONENTS.keys())
            if not faults and file == named.crosswalks:
                found += _row_faults(located, data, named, charts)
    return list(dict.fromkeys(found))


def _parsed(file: Path, parse: Any, found: list[Fault]) -> Any:
    """What the file says; None where it has faults, which are now among those found, or is missing."""
    if not file.is_file():
        return None
    located = read_yaml(file)
    if located.faults:
        found += located.faults
        return None
    if not isinstance(located.tree or {}, dict):
        found.append(located.fault((), "expected a mapping"))
        return None
    try:
        return parse(located.tree or {})
    except Faulty as error:
        found += [located.fault(_path(problem.path), problem.message) for problem in error.problems]
        return None


def _path(text: str) -> tuple[str | int, ...]:
    """`$.accounts[0].number` as its parts."""
    return tuple(int(index) if index else name for index, name in _PART.findall(text.removeprefix("$")))


def _price_faults(located: Located, data: Mapping[str, Any], currencies: set[str]) -> Iterator[Fault]:
    for index, item in enumerate(data.get("items", ())):
        for name in ("list_price", "cost"):
            amount = getattr(item, name)
            for currency in sorted(currencies):
                try:
                    if amount is not None:
                        minor_of(amount, currency)
                except ValueError as error:
                    yield located.fault(("items", index, name), str(error))


def _row_faults(
    located: Located, data: Mapping[Any, Any], named: Named, charts: Mapping[str, Chart]
) -> Iterator[Fault]:
    for kind, channels in data.items():
        for channel, pairs in channels.items():
            if channel != ANY_CHANNEL and channel not in named.channels:
                known = ", ".join(named.channels)
                yield located.fault((kind.value, channel), f"no such channel: {channel!r}; there is {known}")
                continue
            entities = {of for slug, of in named.channels.items() if channel in (slug, ANY_CHANNEL)}
            posted_by = {slug: chart for slug, chart in charts.items() if slug in entities}
            for source, target in pairs.items():
                if fault := word_fault(kind, source, target, posted_by):
                    yield located.fault((kind.value, channel, source), fault)
