"""The abilities of a Shopify channel, gathered: each is told in full by the module that it comes from."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.shopify.accept import Door
from connectors.shopify.files import RECORD_BYTES_MAX, cut
from connectors.shopify.statement import Export
from hub.errors import Untranslatable
from hub.model.problems import Problem
from hub.model.records import Received, Record, Translation
from hub.model.statement import ChannelRow
from hub.ports import ChannelConfig, Delivery, Unreadable
from mappings.shopify import compiled, translate
from mappings.shopify.payload import OrderPayload

_HOSTILE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ShopifyConnector:
    """One Shopify shop."""

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        self.timezone = ZoneInfo(config.timezone)
        self._door = Door(config)
        self._overlay = compiled(config.overlays, config.timezone)

    def __repr__(self) -> str:
        return f"ShopifyConnector({self.config.slug})"

    def translate(self, record: Record) -> Translation:
        """The record as facts.

        Raises:
            Untranslatable: with every fault found.
        """
        document = parse(record.body)
        return translate(
            record.channel,
            record.topic,
            document,
            record.source,
            self.config.currency,
            record.received_at,
            self._overlay,
        )

    def accept(self, delivery: Delivery) -> Received:
        """The delivery as a record, its seal checked on the raw body first; nothing is parsed.

        Raises:
            Forged: the seal is missing or wrong, or it is another shop's.
        """
        return self._door.accept(delivery)

    def read_file(self, content: bytes, received_at: datetime) -> Iterator[Received | Unreadable]:
        """The records of one file, in its order; a fault in one does not stop the next."""
        return cut(self.config.slug, content, received_at)

    def statement_from_file(self, content: bytes) -> Iterator[ChannelRow | Unreadable]:
        """What the shop's own export says, one row a subject; what does not translate is named and counts nothing."""
        export = Export()
        for item in cut(self.config.slug, content, EPOCH):
            if isinstance(item, Unreadable):
                yield item
                continue
            try:
                record = Record(0, item.channel, item.topic, item.source, item.body, item.received_at)
                export.add(self.translate(record).facts)
            except Untranslatable as error:
                for problem in error.problems:
                    path = f"{error.order}: {problem.path}" if error.order else problem.path
                    yield Unreadable(Problem(path, problem.message, problem.code))
        yield from export.rows(self.config.entity, self.timezone)


def read_once(body: bytes) -> object:
    """One parse and one validation of an order: the least that any import does, for benchmarks to stand on."""
    return OrderPayload.model_validate(parse(body))


def parse(body: bytes) -> Any:
    """The document, fractions as Decimal of their literal text.

    Raises:
        Untranslatable: not JSON in UTF-8, or with text that no store keeps.
    """
    if len(body) > RECORD_BYTES_MAX:
        raise _unfit("$", f"a record of {len(body)} bytes; at most {RECORD_BYTES_MAX} are read")
    try:
        document = json.loads(body.decode(), parse_float=Decimal, parse_constant=_reject)
    except UnicodeDecodeError as error:
        raise _unfit("$", f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _unfit("$", f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _unfit("$", "nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise _unfit("$", str(error)[:200]) from None
    if _HOSTILE.search(body):
        _check_text(document)
    return document


def _reject(word: str) -> Any:
    raise ValueError(f"not JSON: {word}")


def _check_text(document: Any) -> None:
    """Lone surrogates and NUL are legal JSON, but no database and no UTF-8 holds them."""
    problems = []
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                stack.append((f"{path}.{key}" if path else key, item))
                stack.append((path, key))
        elif isinstance(value, list):
            stack += [(f"{path}[{i}]", item) for i, item in enumerate(value)]
        elif isinstance(value, str):
            if "\x00" in value:
                problems.append(Problem(_printable(path), "holds a NUL character", "untranslatable"))
            elif any("\ud800" <= sign <= "\udfff" for sign in value):
                problems.append(Problem(_printable(path), "holds half of a character", "untranslatable"))
    if problems:
        raise Untranslatable(tuple(problems[:100]))


def _printable(path: str) -> str:
    return path.encode("ascii", "backslashreplace").decode().replace("\x00", "\\x00") or "$"


def _unfit(path: str, message: str) -> Untranslatable:
    return Untranslatable((Problem(path, message, "untranslatable"),))
