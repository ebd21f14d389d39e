"""The accounting policies of an entity, read from configuration; worked examples stand in `config/examples/`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import sha256
from typing import Any, Self

from hub.books.chart import Role
from hub.books.faults import Faulty
from hub.model.problems import Problem


class Recognise(StrEnum):
    """When a sale becomes revenue."""

    SHIPMENT = "shipment"
    DELIVERY = "delivery"


class Billing(StrEnum):
    """How a shipment is billed that is paid in full on its day, by one payment."""

    INVOICE = "invoice"  # with the payment or deposit beside it
    CASH_SALE = "cash_sale"  # in one document with its payment


class LateFacts(StrEnum):
    """What becomes of a fact whose accounting date lies in a closed period."""

    NEXT_OPEN_PERIOD = "next_open_period"  # dated the first open day; the entry names the original date
    HOLD = "hold"  # a person decides


@dataclass(frozen=True, slots=True)
class Policy:
    """What is left to choose in posting; `version` names the content."""

    recognise: Recognise = Recognise.SHIPMENT
    billing: Billing = Billing.INVOICE
    late_facts: LateFacts = LateFacts.NEXT_OPEN_PERIOD
    returned_goods: Role = Role.SALES_RETURNS
    refunded_shipping: Role = Role.SHIPPING_INCOME
    allowance: Role = Role.SALES_RETURNS  # money back without goods
    fee_kept: Role = Role.FEES  # a restocking fee, kept out of a refund

    @property
    def version(self) -> str:
        """12 hex digits of the SHA-256 of every choice, defaults included."""
        content = "\n".join(f"{x.name}={getattr(self, x.name)}" for x in fields(self))
        return sha256(content.encode()).hexdigest()[:12]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """The policy of a configuration; what it leaves out has the default.

        Raises:
            Faulty: with every fault found.
        """
        problems: list[Problem] = []
        chosen: dict[str, Any] = {}
        kinds: dict[str, type[StrEnum]] = {x.name: type(getattr(cls(), x.name)) for x in fields(cls)}
        for name, value in raw.items():
            kind = kinds.get(name)
            if kind is None:
                problems.append(Problem(f"$.{name}", f"no such policy; there are {', '.join(kinds)}"))
                continue
            try:
                chosen[name] = kind(value)
            except ValueError:
                problems.append(Problem(f"$.{name}", f"{value!r} is none of {', '.join(kind)}"))
        if problems:
            raise Faulty(tuple(problems))
        return cls(**chosen)
