"""Every property that the simulated account serves is one of the vendor's, as far as the specs beside us go."""

import json
from pathlib import Path
from typing import Final

import pytest

from erp_adapters.netsuite.account.records import KINDS, TRANSACTIONS
from erp_adapters.netsuite.account.transforms import TRANSFORMS

FOLDER: Final = Path(__file__).parents[3] / "shared" / "contracts" / "netsuite"
SPECS: Final = (
    "record-rest-2020.2-2021.1.derived.openapi.json",
    "record-rest-2026.1.subset.openapi.json",
    "customer-2020.metadata-catalog.openapi.json",
)
NO_SPEC: Final = {  # record types of which no file tells the properties
    *("inventoryAdjustment", "nonInventorySaleItem", "otherChargeSaleItem", "giftCertificateItem", "kitItem"),
    *("account", "accountingPeriod", "department", "classification", "taxType", "salesTaxItem", "paymentMethod"),
    *("customerCategory", "term"),
}
NO_ELEMENT: Final = {  # lists whose rows no file describes, because the derived spec lacks sublist elements
    *("invoice.item", "invoice.taxDetails", "cashSale.item", "cashSale.taxDetails", "creditMemo.item"),
    *("creditMemo.taxDetails", "creditMemo.apply", "cashRefund.item", "cashRefund.taxDetails"),
    *("returnAuthorization.item", "returnAuthorization.taxDetails", "itemReceipt.item", "depositApplication.apply"),
    *("customerPayment.apply", "customerRefund.apply", "customerRefund.deposit", "journalEntry.line"),
    *("inventoryAdjustment.inventory", "inventoryItem.locations", "kitItem.member"),
}

pytestmark = pytest.mark.usefixtures("shared_contracts")


def specs() -> list[dict[str, dict[str, object]]]:
    return [json.loads((FOLDER / name).read_text()) for name in SPECS]


def properties(name: str) -> set[str]:
    """Lower-case: the spelling changed over releases."""
    found: set[str] = set()
    for spec in specs():
        schemas = spec["components"]["schemas"]
        assert isinstance(schemas, dict)
        for schema, content in schemas.items():
            if schema.lower() == name.lower():
                found |= {known.lower() for known in content.get("properties", {})}
    return found


@pytest.mark.parametrize("name", sorted(set(KINDS) - NO_SPEC))
def test_a_record_has_only_the_vendors_properties(name: str) -> None:
    served = {known.lower() for known in KINDS[name].properties}

    assert served - properties(name) == set()


@pytest.mark.parametrize("name", sorted(NO_SPEC))
def test_what_is_said_to_have_no_spec_has_none(name: str) -> None:
    assert properties(name) == set()


def test_rows_have_only_the_vendors_properties() -> None:
    lacking = set()
    for kind in KINDS.values():
        for name, sublist in kind.sublists.items():
            known = properties(f"{kind.name}-{name}Element")
            if not known:
                lacking.add(f"{kind.name}.{name}")
            else:
                assert {one.lower() for one in sublist.properties} - known == set(), f"{kind.name}.{name}"

    assert lacking == NO_ELEMENT


def test_transforms_are_the_vendors() -> None:
    paths = {path for spec in specs() for path in spec["paths"]}

    missing = {pair for pair in TRANSFORMS if f"/{pair[0]}/{{id}}/!transform/{pair[1]}" not in paths}

    assert missing == set()
    assert {kind for pair in TRANSFORMS for kind in pair} <= {*TRANSACTIONS, "customer"}
