"""The packages of an item fulfilment, in whichever sublist the account's carriers keep them."""

from collections.abc import Iterator
from typing import Final

from mappings.netsuite.fields import Fields

PACKAGES: Final = {
    # sublist -> the field of its tracking number, and who carries it
    "package": ("packageTrackingNumber", None),
    "packageUps": ("packageTrackingNumberUps", "UPS"),
    "packageFedEx": ("packageTrackingNumberFedEx", "FedEx"),
    "packageUsps": ("packageTrackingNumberUsps", "USPS"),
}


def packages(record: Fields) -> Iterator[tuple[str | None, str]]:
    """Carrier, where the sublist is one carrier's, and tracking number of those that have one."""
    for sublist, (field, carrier) in PACKAGES.items():
        for row in record.rows(sublist):
            if (number := row.text(field)) is not None:
                yield carrier, number
