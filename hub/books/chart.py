"""The chart of accounts: which account plays which role, read from configuration."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Self, TypeVar

from hub.books.faults import Faulty
from hub.model.problems import Problem

DETAIL_CHARS_MAX: Final = 60
REMEMBERED_MAX: Final = 4096  # sub-accounts kept in memory; their number is the channels', not ours

_BREAKS = re.compile(r"[:\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+")
_NUMBER = re.compile(r"[0-9][0-9A-Za-z-]*")

_E = TypeVar("_E", bound=StrEnum)


class Role(StrEnum):
    """What an account is for; postings name roles, the chart says which account that is."""

    RECEIVABLE = "receivable"
    DEPOSITS = "deposits"
    DEFERRED_REVENUE = "deferred_revenue"
    REVENUE = "revenue"
    SHIPPING_INCOME = "shipping_income"
    DISCOUNTS = "discounts"
    SALES_RETURNS = "sales_returns"
    REFUNDS_PAYABLE = "refunds_payable"
    SALES_TAX_PAYABLE = "sales_tax_payable"
    MARKETPLACE_CLEARING = "marketplace_clearing"
    PAYMENT_CLEARING = "payment_clearing"
    BANK = "bank"
    GIFT_CARD_LIABILITY = "gift_card_liability"
    STORE_CREDIT = "store_credit"
    TIPS_PAYABLE = "tips_payable"
    DUTIES_PAYABLE = "duties_payable"
    CASH_ROUNDING = "cash_rounding"
    TAX_ROUNDING = "tax_rounding"
    FEES = "fees"
    INVENTORY = "inventory"
    INVENTORY_IN_TRANSIT = "inventory_in_transit"
    COST_OF_GOODS_SOLD = "cost_of_goods_sold"
    WRITE_OFF = "write_off"
    FX_GAIN_LOSS = "fx_gain_loss"
    FX_CLEARING = "fx_clearing"
    OPENING_EQUITY = "opening_equity"
    CHARGEBACKS = "chargebacks"
    PAYMENT_RESERVES = "payment_reserves"
    PAYOUTS_RETURNED = "payouts_returned"
    SETTLEMENT_QUARANTINE = "settlement_quarantine"
    PROVIDER_ADJUSTMENTS = "provider_adjustments"
    SHIPPING_LABELS = "shipping_labels"
    MERCHANT_FINANCING = "merchant_financing"


MAPPABLE: Final = frozenset(
    {
        Role.REVENUE,
        Role.SHIPPING_INCOME,
        Role.DISCOUNTS,
        Role.SALES_RETURNS,
        Role.CASH_ROUNDING,
        Role.TAX_ROUNDING,
        Role.FEES,
        Role.CHARGEBACKS,
        Role.PROVIDER_ADJUSTMENTS,
        Role.SHIPPING_LABELS,
        Role.COST_OF_GOODS_SOLD,
    }
)
"""Roles whose account may differ by channel: income and expense. A balance that documents settle stays in one."""


class AccountType(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class By(StrEnum):
    """What an account is divided by: one sub-account each, opened when it is first posted to."""

    JURISDICTION = "jurisdiction"
    METHOD = "method"
    CHANNEL = "channel"
    KIND = "kind"  # what a payment provider calls it


@dataclass(frozen=True, slots=True)
class Account:
    number: str
    name: str
    type: AccountType
    role: Role
    by: By | None = None  # None: one account
    alternative: bool = False  # posted to only where a document names it for its role


@dataclass(frozen=True, slots=True)
class Chart:
    """Every role has exactly one usual account, and alternatives that documents may name; made by `parse`."""

    accounts: tuple[Account, ...]
    methods: Mapping[str, Role]  # payment methods that are a liability of ours, not money under way
    version: str  # digest of the content
    _by_role: dict[Role, Account] = field(repr=False, compare=False)
    _by_number: dict[str, Account] = field(repr=False, compare=False)
    _known: dict[tuple[Role, str], str] = field(default_factory=dict, repr=False, compare=False)
    _chosen: dict[tuple[tuple[str, str], ...], Self] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """The chart of a configuration: `accounts`, a list of {number, name, type, role, by?}, and `methods`.

        Raises:
            Faulty: with every fault found.
        """
        problems: list[Problem] = []
        accounts = tuple(_accounts(raw.get("accounts"), problems))
        methods = dict(_methods(raw.get("methods"), problems))
        problems.extend(
            Problem(f"$.{key}", "not a part of a chart; it has accounts and methods")
            for key in raw
            if key not in ("accounts", "methods")
        )
        roles = {account.role for account in accounts if not account.alternative}
        problems.extend(
            Problem("$.accounts", f"no account has the role {role}", "missing") for role in Role if role not in roles
        )
        if problems:
            raise Faulty(tuple(problems))
        content = repr((sorted(accounts, key=lambda x: x.number), sorted(methods.items())))
        return cls(
            accounts,
            methods,
            sha256(content.encode()).hexdigest()[:12],
            {account.role: account for account in accounts if not account.alternative},
            {account.number: account for account in accounts},
        )

    def choosing(self, accounts: tuple[tuple[str, str], ...]) -> Self:
        """The chart with other accounts of their roles in use, by role.

        Raises:
            LookupError: naming a role or account that is not of this chart.
        """
        known = self._chosen.get(accounts)
        if known is None:
            by_role = dict(self._by_role)
            for word, number in accounts:
                found = self._by_number.get(number)
                if found is None or found.role != word:
                    raise LookupError(f"the chart has no account {number} of the role {word}")
                by_role[found.role] = found
            known = replace(self, _by_role=by_role, _known={}, _chosen={})
            if len(self._chosen) < REMEMBERED_MAX:
                self._chosen[accounts] = known
        return known

    def account(self, role: Role, detail: str = "") -> str:
        """The account that plays a role: its number, or `number:detail` where the chart divides it.

        A payment method that the chart calls a liability (gift card, store credit) gives that liability's account.
        """
        known = self._known.get((role, detail))
        if known is None:
            known = self._resolve(role, detail)
            if len(self._known) < REMEMBERED_MAX:
                self._known[(role, detail)] = known
        return known

    def find(self, account: str) -> Account | None:
        """What an account string that `account` gave belongs to; None: not of this chart."""
        return self._by_number.get(account.partition(":")[0])

    def name(self, account: str) -> str:
        """The account for people: `Sales tax payable: State Tax`; the string itself where the chart lacks it."""
        found = self.find(account)
        if found is None:
            return account
        detail = account.partition(":")[2]
        return f"{found.name}: {detail}" if detail else found.name

    def _resolve(self, role: Role, detail: str) -> str:
        if role is Role.PAYMENT_CLEARING and detail in self.methods:
            return self._resolve(self.methods[detail], "")
        account = self._by_role[role]
        if account.by is None or not detail:
            return account.number
        return f"{account.number}:{sub_account(detail)}"


def sub_account(detail: str) -> str:
    """A channel's word as the name of a sub-account: on one line, no colon, bounded.

    A word that had to be changed by more than its white space ends in 6 hex digits of its SHA-256, so that two
    words never share an account.
    """
    plain = _BREAKS.sub(" ", detail).strip()
    if plain == " ".join(detail.split()) and 0 < len(plain) <= DETAIL_CHARS_MAX:
        return plain
    return f"{plain[: DETAIL_CHARS_MAX - 7].rstrip()}-{sha256(detail.encode(errors='replace')).hexdigest()[:6]}"


def _accounts(raw: Any, problems: list[Problem]) -> list[Account]:
    if not isinstance(raw, list):
        problems.append(Problem("$.accounts", "missing, or not a list", "missing"))
        return []
    found: list[Account] = []
    for i, item in enumerate(raw):
        path = f"$.accounts[{i}]"
        if not isinstance(item, Mapping):
            problems.append(Problem(path, "not an account: number, name, type and role are needed"))
            continue
        before = len(problems)
        problems.extend(
            Problem(f"{path}.{key}", "an account has number, name, type, role, by and alternative")
            for key in item
            if key not in ("number", "name", "type", "role", "by", "alternative")
        )
        alternative = item.get("alternative", False)
        if not isinstance(alternative, bool):
            problems.append(Problem(f"{path}.alternative", f"not true or false: {alternative!r}"))
        number, name = item.get("number"), item.get("name")
        if not isinstance(number, str) or not _NUMBER.fullmatch(number):
            problems.append(Problem(f"{path}.number", f'not an account number in quotes, like "1100": {number!r}'))
        elif any(number == other.number for other in found):
            problems.append(Problem(f"{path}.number", f"{number} is taken by another account"))
        if not isinstance(name, str) or not name.strip():
            problems.append(Problem(f"{path}.name", "missing"))
        kind = _member(AccountType, item.get("type"), f"{path}.type", problems)
        role = _member(Role, item.get("role"), f"{path}.role", problems)
        by = None if item.get("by") is None else _member(By, item["by"], f"{path}.by", problems)
        same = [other for other in found if other.role is role]
        if alternative is not True and any(not other.alternative for other in same):
            problems.append(
                Problem(f"{path}.role", f"{role} is played by another account; a second one is `alternative: true`")
            )
        if same and kind is not None and same[0].type is not kind:
            problems.append(
                Problem(f"{path}.type", f"{same[0].number} has the same role and is of type {same[0].type}")
            )
        if len(problems) == before and kind is not None and role is not None:
            found.append(Account(str(number), str(name).strip(), kind, role, by, bool(alternative)))
    return found


def _methods(raw: Any, problems: list[Problem]) -> list[tuple[str, Role]]:
    if raw is None:
        return []
    if not isinstance(raw, Mapping):
        problems.append(Problem("$.methods", "not a mapping of payment method to role"))
        return []
    named = [(str(method), _member(Role, role, f"$.methods.{method}", problems)) for method, role in raw.items()]
    return [(method, role) for method, role in named if role is not None]


def _member(kind: type[_E], raw: Any, path: str, problems: list[Problem]) -> _E | None:
    try:
        return kind(raw)
    except ValueError:
        problems.append(Problem(path, f"{raw!r} is none of {', '.join(kind)}"))
        return None
