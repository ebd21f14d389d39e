"""in_use: every word that the hub would name when it tells the ERP something, for the ERP's set-up to be checked by."""

from hub.books.policy import Policy
from hub.books.post import SALE_ROLES
from hub.flow.terms import MAIN
from hub.model.crosswalk import CrosswalkKind
from hub.model.documents import Component
from hub.ports import InUse
from hub.steps.crosswalks import Listed, in_force
from hub.steps.hub import Hub, read_data


def in_use(hub: Hub) -> InUse:
    """What the configuration, the price list and the crosswalks of today name.

    A word that a channel uses and nobody has mapped is in none of them: the ERP is told it as it is, and says so.
    """
    rows = in_force(hub)
    items = _targets(rows, CrosswalkKind.ITEM)
    locations = _targets(rows, CrosswalkKind.LOCATION) | {MAIN}
    currencies: set[str] = set()
    on_delivery: list[str] = []
    for channel in hub.settings.channels:
        opened = hub.channel(channel.slug)
        items |= set(opened.items)
        currencies |= {channel.currency, opened.entity.currency}
        locations |= set(channel.allocate.locations) if channel.allocate else set()
        if opened.recognise_on_delivery:
            on_delivery.append(channel.slug)
    return InUse(
        items=frozenset(items),
        locations=frozenset(locations),
        methods=frozenset(_targets(rows, CrosswalkKind.PAYMENT_METHOD)),
        ship_methods=frozenset(_targets(rows, CrosswalkKind.SHIP_METHOD)),
        tax_codes=frozenset(_targets(rows, CrosswalkKind.TAX_CODE)),
        customer_classes=frozenset(_targets(rows, CrosswalkKind.CUSTOMER_CLASS)),
        currencies=frozenset(currencies),
        accounts=frozenset(_targets(rows, CrosswalkKind.GL_ACCOUNT)),
        channels=tuple(channel.slug for channel in hub.settings.channels),
        on_delivery=tuple(on_delivery),
        sold_to=_sold_to(hub),
    )


def _targets(rows: list[Listed], kind: CrosswalkKind) -> set[str]:
    return {row.target for row in rows if row.kind == kind.value}


def _sold_to(hub: Hub) -> dict[str, str]:
    """Which account of the books each part of a sale goes to, that of a sub-account's head where it is divided."""
    policy = Policy.parse(read_data(hub.settings.entities[0].policies))
    roles = {component.value: role for component, role in SALE_ROLES.items() if component is not Component.TAX}
    roles |= {"allowance": policy.allowance, "fee_kept": policy.fee_kept, "credited_goods": policy.returned_goods}
    roles |= {"custom": SALE_ROLES[Component.GOODS]}
    return {name: hub.chart.account(role).partition(":")[0] for name, role in roles.items()}
