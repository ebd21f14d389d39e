"""`orderhub check erp` walks the ERP's set-up, over a real socket."""

import json

import pytest

from tests.hub.cli.netsuite import account, configured
from tests.hub.cli.shop import Orderhub


def test_the_guides_configuration_before_an_account_set_up_by_the_guide_has_no_fault(
    orderhub: Orderhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with account() as (app, address):
        answer = orderhub.json("check", "erp", "--config", configured(orderhub, address, app, monkeypatch))

    assert answer["faults"] == []
    assert "erp netsuite: permission Sales Order (salesOrder)" in answer["checked"]
    assert [note.partition(": not seen")[0] for note in answer["notes"]] == [
        "erp netsuite: feature Advanced Shipping",
        "erp netsuite: preference Invoice in Advance of Fulfillment",
        "erp netsuite: preferences Make Departments Mandatory, Make Classes Mandatory",
        "erp netsuite: permission Return Auth. Approval",
    ]


def test_what_is_missing_is_said_and_the_status_is_1(orderhub: Orderhub, monkeypatch: pytest.MonkeyPatch) -> None:
    with account(locations=("central",)) as (app, address):
        config = configured(orderhub, address, app, monkeypatch)
        app.auth.role.permissions["invoice"] = "view"
        crosswalks = orderhub.folder / "crosswalks.yaml"
        crosswalks.write_text(crosswalks.read_text().replace("MUG-ENAMEL-BLU: MUG-ENAMEL-BLU", "MUG: MUG-OLD"))

        ran = orderhub("check", "netsuite", "--config", config)
        as_json = orderhub("check", "netsuite", "--config", config, "--format", "json")

    said = [
        "erp netsuite: permission Invoice (invoice): permissions.invoice: the role lacks Invoice (Full): set it at",
        "erp netsuite: items: items.MUG-OLD: 'MUG-OLD' is not there: make it at Lists > Accounting > Items",
        "erp netsuite: locations: locations.main: 'main' is not there: make it at Setup > Company > Locations",
    ]
    assert (ran.status, as_json.status) == (1, 1)
    assert [words for words in said if words not in ran.err] == []
    faults = json.loads(as_json.out)["faults"]
    assert len(faults) == 3
    assert [fault.startswith(words) for fault, words in zip(faults, said, strict=True)] == [True] * 3


def test_the_reference_ledger_needs_nothing_to_be_set_up(orderhub: Orderhub) -> None:
    answer = orderhub.json("check", "erp")

    assert answer["faults"] == []
    assert "erp ledger: set-up" in answer["checked"]


def test_a_channel_named_otherwise_than_any_is_still_refused(orderhub: Orderhub) -> None:
    ran = orderhub("check", "nowhere")

    assert ran.status == 1
    assert "no channel nowhere" in ran.err or "nowhere" in ran.err
