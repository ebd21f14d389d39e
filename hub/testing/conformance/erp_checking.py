"""The walk through an ERP's set-up: nothing is wrong where all is well, and what is missing is named with a remedy."""

from dataclasses import replace
from typing import Any

import pytest

from hub.errors import AuthExpired
from hub.ports import ChecksSetup, InUse
from hub.testing.conformance.bench import Fault
from hub.testing.conformance.erp_bench import ErpBench, ErpFarSide
from hub.testing.conformance.erp_wiring import ErpWiring, said
from hub.testing.conformance.wiring import Connect, armed, needed


class TestCheckingSetup:
    abilities = (ChecksSetup,)
    rules = ("set_up_is_checked",)

    @pytest.fixture
    def adapter(self, connect: Connect) -> Any:
        adapter = connect()
        needed(adapter, *self.abilities)
        return adapter

    @pytest.fixture
    def used(self, far: ErpFarSide) -> InUse:
        company = far.company
        return InUse(
            items=frozenset({*company.items, company.gift_card}),
            locations=frozenset({company.location, company.elsewhere}),
            methods=frozenset({company.method}),
            currencies=frozenset({company.currency, *company.rates}),
            channels=("webshop",),
        )

    def test_nothing_is_wrong_where_all_is_set_up_and_nothing_is_written(
        self, adapter: Any, far: ErpFarSide, used: InUse
    ) -> None:
        before = said(far.held())

        looked = list(adapter.check_setup(used))

        assert looked
        assert [(one.what, one.problems) for one in looked if one.problems] == []
        assert said(far.held()) == before

    @pytest.mark.parametrize("name", ["items", "locations", "currencies"])
    def test_what_the_hub_names_and_the_erp_lacks_is_named(self, adapter: Any, used: InUse, name: str) -> None:
        lacking = "XTS" if name == "currencies" else "NO-SUCH-THING"
        asked = {
            "items": replace(used, items=used.items | {lacking}),
            "locations": replace(used, locations=used.locations | {lacking}),
            "currencies": replace(used, currencies=used.currencies | {lacking}),
        }

        problems = [one for looked in adapter.check_setup(asked[name]) for one in looked.problems]

        assert problems
        assert all(lacking in f"{one.path} {one.message}" for one in problems), problems

    @pytest.mark.parametrize("fault", [Fault.REVOKED, Fault.ACCESS_DENIED], ids=lambda fault: fault.value)
    def test_who_is_not_let_in_is_told_so(
        self, bench: ErpBench, wiring: ErpWiring, adapter: Any, far: ErpFarSide, used: InUse, fault: Fault
    ) -> None:
        armed(bench, far.fail(fault, None), fault)

        try:
            problems = [one for looked in wiring.connect().check_setup(used) for one in looked.problems]
        except AuthExpired as error:
            problems = [str(error)]

        assert problems
