"""What was drawn for an order follows what an integration really shipped."""

from datetime import UTC, datetime

from connectors.shopify.rehearsal.hand import give_way
from connectors.shopify.rehearsal.life import Life, Line, Shipment
from connectors.shopify.simulator import App, Setup

START = datetime(2026, 10, 1, 12, tzinfo=UTC)
SHIPPED = datetime(2026, 10, 6, 12, tzinfo=UTC)


def returned_after_one_parcel() -> Life:
    """An order of three lines in one drawn parcel, of which one comes back."""
    app = App(Setup(seed=99, orders=60, start=START, days=29, ships="erp", wide=False))
    return app.shop.orders[14990000009800].life


def parcel(number: int, *parts: tuple[int, Line, int]) -> Shipment:
    return Shipment(number, 1, "manual", SHIPPED, list(parts), "UPS", ["1Z"], None)


def test_what_comes_back_comes_back_of_the_parcel_that_really_left() -> None:
    """The drawn parcel leaves as two; the line that comes back was in the first of them."""
    life = returned_after_one_parcel()
    (_, back, one), *others = life.shipments[0].parts

    give_way(life, parcel(501, (601, back, one)), SHIPPED)
    give_way(life, parcel(502, *((700 + place, line, units) for place, (_, line, units) in enumerate(others))), SHIPPED)

    assert [(part, line.id) for opened in life.returns for _, part, line, _, _ in opened.lines] == [(601, back.id)]
