"""Which fields of an order a merchant may keep in an unusual place; money is none of them."""

from collections.abc import Mapping
from enum import StrEnum


class OverlayField(StrEnum):
    PO_NUMBER = "po_number"
    PROMISED_SHIP_BY = "promised_ship_by"
    PROMISED_DELIVERY_BY = "promised_delivery_by"
    BUSINESS = "business"  # a B2B buyer on terms: true or false
    SHIP_METHOD = "ship_method"  # what the crosswalk ship_method is asked for, in place of the shipping line's code
    CUSTOMER_CLASS = "customer_class"  # what the crosswalk customer_class is asked for first
    SOURCE = "source"


Overlays = Mapping[OverlayField, tuple[str, ...]]
"""JMESPath expressions over the raw document by field; the first that gives something counts."""
