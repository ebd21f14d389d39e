"""Documents for tests: read from a worked example, or drawn at random."""

import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from hub.books import Chart, Role
from hub.model.documents import Component, Document, DocumentKey, DocumentKind, DocumentLine, Rate
from hub.model.order import OrderKey
from hub.model.payouts import SettlementKind

DAY = datetime.date(2026, 10, 5)


def document(
    kind: DocumentKind | str,
    *lines: DocumentLine,
    key: str = "",
    currency: str = "USD",
    date: datetime.date = DAY,
    entity: str = "main",
    **rest: Any,
) -> Document:
    """A document with lines, the rest plausible."""
    return Document(DocumentKey(key or f"{kind}-1"), DocumentKind(kind), entity, currency, date, lines, **rest)


def line(
    component: str, amount_minor: int, detail: str = "", item: str | None = None, quantity: int = 0
) -> DocumentLine:
    return DocumentLine(Component(component), amount_minor, None, item, quantity, detail)


def read(raw: dict[str, Any], number: int) -> Document:
    """A document of a worked example."""
    rest: dict[str, Any] = {name: raw[name] for name in ("method", "deferred", "original_date") if name in raw}
    date = raw.get("date", DAY)
    if "rate" in raw:
        rest["rate"] = Rate(Decimal(raw["rate"]), date, "by hand")
    return document(
        raw["kind"],
        *(line(*x) for x in raw["lines"]),
        key=f"{raw['kind']}-{number}",
        currency=raw["currency"],
        date=date,
        order=OrderKey(raw.get("channel", "shopify"), "1001"),
        settles=tuple(line(*x) for x in raw.get("settles", ())),
        rounding=tuple(line(*x) for x in raw.get("rounding", ())),
        **rest,
    )


_amounts = st.integers(-(10**7), 10**7)
_positive = st.integers(0, 10**7)
_details = st.text(max_size=12)
_rates = st.decimals("0.0001", "400", places=4)
_sales = [
    Component.GOODS,
    Component.GIFT_CARD,
    Component.SHIPPING,
    Component.TAX,
    Component.MARKETPLACE_TAX,
    Component.DUTY,
    Component.TIP,
    Component.FEE,
    Component.CASH_ROUNDING,
    Component.TAX_ROUNDING,
]
_balances = [Component.DEPOSITS, Component.RECEIVABLE, Component.REFUNDS_PAYABLE]


def _lines(components: list[Component], amounts: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[DocumentLine, ...]]:
    one = st.builds(DocumentLine, st.sampled_from(components), amounts, detail=_details)
    return st.lists(one, max_size=6).map(tuple)


def _discounts() -> st.SearchStrategy[tuple[DocumentLine, ...]]:
    funders = st.sampled_from(["seller", "marketplace", ""])
    one = st.builds(DocumentLine, st.just(Component.DISCOUNT), _positive.map(lambda x: -x), detail=funders)
    return st.lists(one, max_size=2).map(tuple)


def _roundings(roles: list[Role]) -> st.SearchStrategy[tuple[DocumentLine, ...]]:
    one = st.builds(DocumentLine, st.just(Component.ACCOUNT), st.integers(-1, 1), detail=st.sampled_from(roles))
    return st.lists(one, max_size=3).map(tuple)


@st.composite
def documents(draw: st.DrawFn, chart: Chart, functional: str = "USD") -> Document:
    """Any document that can be posted, of every kind."""
    kind = draw(st.sampled_from(DocumentKind))
    currency = draw(st.sampled_from([functional, "EUR", "JPY", "KWD"]))
    lines: tuple[DocumentLine, ...] = ()
    settles: tuple[DocumentLine, ...] = ()
    match kind:
        case DocumentKind.INVOICE | DocumentKind.CASH_SALE | DocumentKind.SALES_ORDER:
            lines = draw(_lines([*_sales, Component.ADJUSTMENT], _amounts)) + draw(_discounts())
        case DocumentKind.CREDIT_MEMO | DocumentKind.CASH_REFUND:
            lines = draw(_lines([*_sales, Component.ADJUSTMENT], _amounts)) + draw(_discounts())
            total = sum(x.amount_minor for x in lines)
            owed = draw(_amounts)
            settles = (
                DocumentLine(Component.RECEIVABLE, owed),
                DocumentLine(Component.REFUNDS_PAYABLE, total - owed),
            )
        case DocumentKind.PAYMENT | DocumentKind.DEPOSIT | DocumentKind.REFUND | DocumentKind.DEPOSIT_APPLICATION:
            lines = draw(_lines(_balances, _amounts))
        case DocumentKind.JOURNAL_ENTRY:
            roles = [account.role for account in chart.accounts]
            amounts = draw(st.lists(_amounts, min_size=1, max_size=4))
            amounts.append(-sum(amounts))
            lines = tuple(
                DocumentLine(Component.ACCOUNT, minor, detail=draw(st.sampled_from(roles))) for minor in amounts
            )
        case DocumentKind.PAYOUT:
            kinds = [kind for kind in SettlementKind if kind is not SettlementKind.PAYOUT]
            details = st.builds(
                "{}{}".format, st.sampled_from(kinds), st.sampled_from(["", ":tax_adjustment", ":Ü: ?"])
            )
            one = st.builds(DocumentLine, st.just(Component.SETTLEMENT), _amounts, detail=details)
            lines = tuple(draw(st.lists(one, max_size=6)))
        case DocumentKind.CUSTOMER | DocumentKind.ITEM:
            lines = ()
        case _:
            one = st.builds(
                DocumentLine, st.just(Component.STOCK), _positive, item=st.just("mug"), quantity=st.integers(1, 9)
            )
            lines = tuple(draw(st.lists(one, max_size=4)))
    return Document(
        DocumentKey(f"{kind}-1"),
        kind,
        "main",
        currency,
        DAY,
        lines,
        order=OrderKey("shopify", "1"),
        method=draw(st.sampled_from(["gift_card", "paypal", "Bogus: gateway\n"])),
        settles=settles,
        deferred=draw(st.booleans()),
        rate=Rate(draw(_rates), DAY, "drawn"),
        rounding=draw(_roundings([account.role for account in chart.accounts])),
    )
