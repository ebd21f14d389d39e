"""Subscriptions: everything accepted is delivered to the hub, and what went missing is registered again."""

from typing import Any

import pytest

from hub.errors import HubError, Misconfigured, Retryable
from hub.ports import KeepsSubscriptions
from hub.testing.conformance.bench import Bench, FarSide, Fault
from hub.testing.conformance.wiring import Connect, armed, needed

CALLBACK = "https://hub.example.com/webhooks/far-side"


class TestKeepingSubscriptions:
    abilities = (KeepsSubscriptions,)
    rules = ("subscriptions_are_kept",)

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        return connector

    def test_what_is_missing_is_registered_once_and_then_kept(self, connector: Any, connect: Connect) -> None:
        first = connector.subscriptions(CALLBACK)
        again = connect().subscriptions(CALLBACK)

        topics = {*first.registered, *(problem.path for problem in first.problems)}
        assert first.kept == ()
        assert first.registered
        assert set(again.kept) == set(first.registered)
        assert (again.registered, {problem.path for problem in again.problems}) == ((), topics - set(first.registered))

    def test_one_that_goes_elsewhere_is_not_taken_for_ours(self, connector: Any) -> None:
        first = connector.subscriptions(CALLBACK)

        other = connector.subscriptions(f"{CALLBACK}-of-another")

        assert other.kept == ()
        assert set(other.registered) == set(first.registered)

    @pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.FAILED_AFTER, Fault.SERVER_ERROR, Fault.REVOKED])
    def test_no_answer_has_its_class_and_the_next_time_all_are_there(
        self, bench: Bench, connector: Any, far: FarSide, fault: Fault
    ) -> None:
        armed(bench, far.fail(fault, None), fault)

        with pytest.raises(HubError) as caught:
            connector.subscriptions(CALLBACK)

        assert isinstance(caught.value, Retryable) or fault is Fault.REVOKED
        far.heal()

        found = connector.subscriptions(CALLBACK)

        assert len({*found.kept, *found.registered}) == len(found.kept) + len(found.registered) > 0

    @pytest.mark.parametrize("callback", ["http://hub.example.com/x", "nonsense", "https://user:word@hub.example.com/"])
    def test_an_address_that_nobody_should_call_is_refused(self, connector: Any, callback: str) -> None:
        with pytest.raises(Misconfigured):
            connector.subscriptions(callback)
