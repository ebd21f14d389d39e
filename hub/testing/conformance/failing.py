"""Failures: each has its class, a remedy where a person is needed, and no secret in it."""

import logging
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import pytest

from hub.errors import AuthExpired, HubError, RateLimited, Rejected, Retryable
from hub.ports import Checks, Fetches
from hub.testing.conformance.bench import Bench, FarSide, Fault
from hub.testing.conformance.pulling import main, present
from hub.testing.conformance.wiring import Connect, Wiring, armed, needed, walked

REQUESTS_MAX: Final = 12  # of one read that is turned away for ever
WAITED_S_MAX: Final = 120.0
SHORT: Final = (
    Fault.RATE_LIMITED,
    Fault.THROTTLED,
    Fault.SERVER_ERROR,
    Fault.FAILED_AFTER,
    Fault.BROKEN_ANSWER,
    Fault.CUT_SHORT,
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
)
"""What passes: a read that meets it once is asked again."""


class TestFailing:
    abilities = (Fetches,)
    rules = (
        "rate_limits_are_obeyed",
        "failures_have_their_class",
        "tokens_are_renewed",
        "no_secret_is_told",
    )

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, Fetches)
        return connector

    @pytest.mark.parametrize("fault", SHORT)
    def test_what_passes_reaches_nobody(self, bench: Bench, connector: Any, wiring: Wiring, fault: Fault) -> None:
        """Once, and then twice on end: a pull is whole all the same."""
        for times in (1, 2):
            armed(bench, wiring.far.fail(fault, times), fault)

            list(wiring.connect().fetch(main(connector), None, wiring.far.now()))

        assert sum(wiring.waits) > 0
        assert sum(wiring.waits) < WAITED_S_MAX

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault.RATE_LIMITED, RateLimited),
            (Fault.THROTTLED, RateLimited),
            (Fault.SERVER_ERROR, Retryable),
            (Fault.FAILED_AFTER, Retryable),
            (Fault.BROKEN_ANSWER, Retryable),
            (Fault.CUT_SHORT, Retryable),
            (Fault.LOST_BEFORE, Retryable),
            (Fault.LOST_AFTER, Retryable),
        ],
    )
    def test_what_does_not_pass_has_its_class_within_bounds(
        self, bench: Bench, connector: Any, wiring: Wiring, fault: Fault, kind: type[HubError]
    ) -> None:
        armed(bench, wiring.far.fail(fault, None), fault)
        before = wiring.far.requests

        with pytest.raises(kind) as caught:
            walked(connector.fetch(main(connector), None))

        assert type(caught.value) in (kind, RateLimited)
        if kind is RateLimited:
            assert isinstance(caught.value, RateLimited)
            assert caught.value.after_s is not None
            assert caught.value.after_s > 0
        assert wiring.far.requests - before <= REQUESTS_MAX
        assert sum(wiring.waits) <= WAITED_S_MAX

    def test_nobody_there_is_to_be_tried_again(self, wiring: Wiring) -> None:
        connector = wiring.connect()
        needed(connector, Fetches)
        wiring.far.leave()

        with pytest.raises(Retryable):
            walked(connector.fetch(main(connector), None))

    def test_throttling_is_obeyed_so_that_it_is_hardly_met(self, connector: Any, wiring: Wiring) -> None:
        """Pulling all there is, several times over, waits as long as it takes, and nobody hears of it."""
        for _ in range(3):
            walked(wiring.connect().fetch(main(connector), None))

        assert wiring.far.turned_away <= wiring.far.requests / 10

    def test_an_expired_token_is_renewed_or_halts(self, bench: Bench, wiring: Wiring) -> None:
        far, vault = wiring.far, wiring.vault
        needed(wiring.connect(), Fetches)
        for name, login in far.logins().items():
            vault.held.clear()
            connector = wiring.connect(login)
            walked(connector.fetch(main(connector), None, far.now()))
            armed(bench, far.fail(Fault.TOKEN_EXPIRED), Fault.TOKEN_EXPIRED)

            halted = None
            try:
                walked(connector.fetch(main(connector), None, far.now()))
            except AuthExpired as error:
                halted = error
            assert halted is None or names_a_remedy(halted), name
            far.heal()
            walked(wiring.connect(login).fetch(main(connector), None, far.now()))  # another process goes on

    def test_a_token_is_good_for_as_long_as_a_channel_lives(self, wiring: Wiring) -> None:
        """Day after day, with one process and then another: it is renewed before it ends, or when it has."""
        far = wiring.far
        needed(wiring.connect(), Fetches)
        for login in far.logins().values():
            wiring.vault.held.clear()
            connector = wiring.connect(login)
            for _ in range(4):
                walked(connector.fetch(main(connector), None, far.now()))
                far.pass_time(20 * 3600)
            connector = wiring.connect(login)
            walked(connector.fetch(main(connector), None, far.now()))

    def test_credentials_that_are_revoked_halt_with_a_remedy(self, bench: Bench, wiring: Wiring) -> None:
        armed(bench, wiring.far.fail(Fault.REVOKED), Fault.REVOKED)
        for name, login in wiring.far.logins().items():
            wiring.vault.held.clear()
            connector = wiring.connect(login)
            needed(connector, Fetches)

            with pytest.raises(AuthExpired) as caught:
                walked(connector.fetch(main(connector), None))

            assert names_a_remedy(caught.value), name

    def test_access_denied_is_refused_with_a_remedy(self, bench: Bench, connector: Any, far: FarSide) -> None:
        armed(bench, far.fail(Fault.ACCESS_DENIED), Fault.ACCESS_DENIED)

        with pytest.raises((Rejected, AuthExpired)) as caught:
            walked(connector.fetch(main(connector), None))

        assert names_a_remedy(caught.value)
        far.heal()
        assert len(walked(connector.fetch(main(connector), None))) >= len(present(far))

    def test_no_secret_is_in_a_repr_an_error_or_a_log(self, wiring: Wiring, caplog: pytest.LogCaptureFixture) -> None:
        """Not even where the far side says back all that it was sent."""
        caplog.set_level(logging.DEBUG)
        far = wiring.far
        for login in far.logins().values():
            for fault, warm in ((Fault.ECHO, False), (None, False), *product(Fault, (False, True))):
                connector = wiring.connect(login)
                needed(connector, Fetches)
                if warm:  # logged in already
                    walked(connector.fetch(main(connector), None, far.now()))
                if fault is not None and not far.fail(fault, None):
                    continue
                said = [*shown(connector), *tried(connector, far)]
                far.heal()
                secrets = {*login.secrets.values(), *far.tokens()}
                said += [
                    text for one in caplog.records for text in (one.getMessage(), str(one.args), str(one.exc_text))
                ]
                caplog.clear()
                for text in said:
                    assert not [secret[:4] for secret in secrets if secret in text], (fault, text[:200])


class TestChecking:
    abilities = (Checks,)
    rules = ("set_up_is_checked",)

    def test_all_is_well(self, wiring: Wiring) -> None:
        connector = wiring.connect()
        needed(connector, *self.abilities)

        assert list(connector.check()) == []

    @pytest.mark.parametrize("fault", [Fault.ACCESS_DENIED, Fault.REVOKED, Fault.SERVER_ERROR])
    def test_what_is_wrong_is_named_until_it_is_mended(self, bench: Bench, wiring: Wiring, fault: Fault) -> None:
        needed(wiring.connect(), *self.abilities)
        armed(bench, wiring.far.fail(fault, None), fault)

        problems = list(wiring.connect().check())

        assert problems
        assert all(problem.path and problem.message for problem in problems)
        wiring.far.heal()
        assert list(wiring.connect().check()) == []


def tried(connector: Any, far: FarSide) -> Iterator[str]:
    """What is said in the course of a pull and a check."""
    try:
        for page in connector.fetch(main(connector), None, far.now()):
            yield repr(page)
    except HubError as error:
        yield from chain(error)
    if isinstance(connector, Checks):
        for problem in connector.check():
            yield repr(problem)


def chain(error: BaseException | None) -> Iterator[str]:
    """The error and what it came of, as a traceback prints them."""
    while error is not None:
        yield f"{error!r} {error} {error.args}"
        error = None if error.__suppress_context__ and error.__cause__ is None else error.__cause__ or error.__context__


def shown(connector: Any) -> Iterator[str]:
    yield repr(connector)
    for value in vars(connector).values():
        yield repr(value)


def names_a_remedy(error: HubError) -> bool:
    """What to do is in the error: as a field of its own, or after the last semicolon."""
    return bool(error.remedy) if isinstance(error, Rejected) else ";" in str(error)
