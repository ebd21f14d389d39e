"""Reads Shopify's words into the model's, and remembers every fault with its path."""

import re
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from hub.model.money import AMOUNT_MINOR_MAX, EXPONENTS, minor_of
from hub.model.problems import Problem

Part = str | int
T = TypeVar("T")

SHOWN_CHARS_MAX: Final = 80
FAULTS_MAX: Final = 100  # of one record; more say no more
EPOCH: Final = datetime.fromisoformat(
    "1970-01-01T00:00:00+00:00"
)  # stands in for a faulty time until the fault is raised

PERSONAL: Final = frozenset(
    {"customer", "billing_address", "shipping_address", "email", "contact_email", "phone", "company", "note"}
)
"""Parts of a path below which a person is described: faults there are named, their values are not repeated."""

_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)
_NUMERIC_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_GID = re.compile(r"gid://shopify/[A-Za-z]+/([0-9]{1,20})(\?.*)?", re.ASCII)
_SHAPES = {"int", "str", "decimal", "constrained-str", "constrained-int"}
_EXPECTED = {
    "missing": "missing",
    "int_type": "not a whole number: {}",
    "string_type": "not a text: {}",
    "bool_type": "not true or false: {}",
    "list_type": "not a list: {}",
    "dict_type": "not an object: {}",
    "model_type": "not an object: {}",
    "model_attributes_type": "not an object: {}",
    "greater_than_equal": "less than zero: {}",
    "less_than_equal": "beyond any order: {}",
    "string_too_long": "too long: {}",
    "too_long": "too many: {}",
}


class Reading:
    """One record being read: faults collect here, so that all are named at once."""

    __slots__ = ("currency", "faults", "rename")

    def __init__(self, currency: str, rename: Callable[[str], str] | None = None) -> None:
        self.currency = currency  # that amounts are in
        self.faults: list[Problem] = []
        self.rename = rename

    def fault(self, message: str, *path: Part) -> None:
        """The record does not translate: what is at `path` is at fault. The value is not shown where it is personal."""
        if len(self.faults) < FAULTS_MAX:
            if not PERSONAL.isdisjoint(path):
                message = message.partition(": ")[0]
            text = path_text(path)
            self.faults.append(Problem(text if self.rename is None else self.rename(text), message, "untranslatable"))

    def money(self, amount: object, *path: Part) -> int:
        """Minor units of the record's currency; 0 and a fault where it is none."""
        if type(amount) is str:
            try:
                return _minor(amount, self.currency)
            except ValueError as reason:
                self.fault(str(reason), *path)
                return 0
        return self._number(amount, *path)

    def optional(self, amount: str | None, *path: Part) -> int:
        """As `money`; 0 where the channel gives none."""
        return 0 if amount is None else self.money(amount, *path)

    def _number(self, amount: object, *path: Part) -> int:
        if isinstance(amount, (int, Decimal)) and not isinstance(amount, bool):
            return self.money(str(amount), *path)
        self.fault(f"not a decimal: {shown(amount)}", *path)
        return 0

    def price(self, amount: str, *path: Part) -> Decimal:
        """A unit price, which may be finer than the currency; in one form, so that "43.0" and "43.00" are one."""
        if _DECIMAL.fullmatch(amount):
            return _price(amount, self.currency)
        self.fault(f"not a decimal: {shown(amount)}", *path)
        return Decimal(0)

    def rate(self, rate: object, *path: Part) -> Decimal | None:
        """A tax rate in one normal form, so that 0.06 and 0.060 are one; None where the channel gives none."""
        if rate is None:
            return None
        try:
            value = Decimal(rate) if isinstance(rate, (int, Decimal, str)) else None
        except InvalidOperation:
            value = None
        if value is None or not value.is_finite() or abs(value) > 100 or len(value.as_tuple().digits) > 28:
            self.fault(f"not a rate: {shown(rate)}", *path)
            return None
        return _plain(value)

    def moment(self, text: str | None, *path: Part) -> datetime:
        """A time, in UTC: REST gives the shop's offset and GraphQL Z, and both mean one moment."""
        if text is not None:
            try:
                return _moment(text)
            except (ValueError, OverflowError):
                pass
            self.fault(f"not a time with an offset: {shown(text)}", *path)
        else:
            self.fault("missing", *path)
        return EPOCH

    def optional_moment(self, text: str | None, *path: Part) -> datetime | None:
        """As `moment`; None where the channel gives none."""
        return None if text is None else self.moment(text, *path)

    def id(self, value: int | str, *path: Part) -> str:
        """An id as text; of a GraphQL gid its number, which is what REST says."""
        if type(value) is int and value >= 0:
            return str(value)
        if type(value) is str:
            if _NUMERIC_ID.fullmatch(value):
                return value
            if gid := _GID.fullmatch(value):
                return gid[1]
        self.fault(f"not an id: {shown(value)}", *path)
        return ""

    def optional_id(self, value: int | str | None, *path: Part) -> str | None:
        """As `id`; None where the channel gives none."""
        return None if value is None else self.id(value, *path)

    def word(self, words: Mapping[str, T], value: str, *path: Part) -> T:
        """What the channel's word means; an unknown one is a fault, never a guess."""
        known = words.get(value)
        if known is not None:
            return known
        self.fault(f"unknown word: {shown(value)}", *path)
        return next(iter(words.values()))

    def bag(self, money_set: Any, side: str, currency: str, *path: Part) -> int:
        """Minor units of one side of a `*_set`, which must be in that currency."""
        money = money_set.get(side) if isinstance(money_set, dict) else None
        if not isinstance(money, dict):
            self.fault(
                f"missing {side}" if money_set is None or isinstance(money_set, dict) else "not a money set", *path
            )
            return 0
        stated = money.get("currency_code", money.get("currency"))
        if stated != currency:
            self.fault(f"not in {currency}: {shown(stated)}", *path, side)
            return 0
        amount = money.get("amount")
        try:
            return _minor(amount, currency) if type(amount) is str else self._number(amount, *path, side, "amount")
        except ValueError as reason:
            self.fault(str(reason), *path, side, "amount")
            return 0

    def invalid(self, error: ValidationError) -> None:
        """Every fault that validation found."""
        seen: set[tuple[Part, ...]] = set()
        for found in error.errors(include_url=False, include_context=False):
            path = tuple(part for part in found["loc"] if part not in _SHAPES)
            if path in seen:
                continue
            seen.add(path)
            value = found["input"]
            message = _EXPECTED.get(found["type"], found["msg"] + ": {}")
            if len(path) != len(found["loc"]) and value is not None:
                message = "neither a number nor a text: {}"
            self.fault(message.format(shown(value)), *path)


def shown(value: object) -> str:
    """A value as an error shows it: short, and never a whole object."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Decimal):
        return str(value)[:SHOWN_CHARS_MAX]
    if isinstance(value, int) and abs(value) > AMOUNT_MINOR_MAX:
        return "a huge number"
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]}…"


def path_text(path: tuple[Part, ...]) -> str:
    """`("line_items", 2, "price")` as `line_items[2].price`; the record itself is `$`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "$"


@lru_cache(maxsize=16_384)
def _minor(text: str, currency: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a decimal: {shown(text)}")
    return minor_of(Decimal(text), currency)


@lru_cache(maxsize=4_096)
def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    at = at.astimezone(UTC)
    if not MINYEAR < at.year < MAXYEAR:  # another program's word for none: not every time zone has a day for it
        raise ValueError(text)
    return at


@lru_cache(maxsize=16_384)
def _price(text: str, currency: str) -> Decimal:
    value = Decimal(text)
    whole = value.quantize(Decimal(1).scaleb(-EXPONENTS[currency])) if value.adjusted() < 18 else value
    return whole if whole == value else _plain(value)


@lru_cache(maxsize=1_024)
def _plain(value: Decimal) -> Decimal:
    return Decimal(format(value.normalize(), "f"))


def is_currency(text: object) -> bool:
    """Whether it is an ISO 4217 code whose decimals are known."""
    return isinstance(text, str) and text in EXPONENTS


def text(value: str | None) -> str | None:
    """The text, None where it is empty: REST sends both for "not given"."""
    return value or None
