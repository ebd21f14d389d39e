"""Deliveries: a good seal is let in, anything else is kept out, and nothing is read before that is known."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import pytest

from hub.errors import Forged, Untranslatable
from hub.model.records import Received
from hub.ports import Accepts, Delivery, Translates
from hub.testing.conformance.bench import FarSide, Seals, Sent
from hub.testing.conformance.wiring import Connect, Wiring, needed, record

BODY: Final = b'{"id": 1, "total_price": "1.0"}'
KEY_CHARS_MAX: Final = 200  # that the inbox has room for
PARKED_PER_CENT_MAX: Final = 2  # of what is told: a part may say too little without its order
HOSTILE: Final = (b"", b"{", b"\xff\xfe\x00", b"NaN", b"[" * 200_000, b'{"a":' * 50_000, b'{"a": 1e999999999}')


def delivered(sent: Sent, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Delivery:
    """The delivery as it comes in at the door."""
    return Delivery(sent.headers if headers is None else headers, sent.body if body is None else body, sent.at)


class TestAccepting:
    abilities = (Accepts,)
    rules = (
        "webhook_seal",
        "webhook_secret_rotation",
        "redelivery_has_the_same_key",
    )

    @pytest.fixture
    def connector(self, connect: Connect) -> Any:
        connector = connect()
        needed(connector, *self.abilities)
        return connector

    @pytest.fixture
    def seals(self, far: FarSide, connector: Any) -> Seals:
        assert isinstance(far, Seals), "the connector accepts, so what its bench opens must be Seals"
        return far

    def test_a_good_seal_is_let_in_with_its_bytes_as_they_came(self, connector: Any, seals: Seals) -> None:
        received = connector.accept(delivered(seals.sealed(BODY)))

        assert isinstance(received, Received)
        assert (received.body, received.source) == (BODY, "webhook")

    def test_one_byte_changed_is_kept_out(self, connector: Any, seals: Seals) -> None:
        good = seals.sealed(BODY)

        for place in range(len(BODY)):
            for flip in (1, 0x80):
                with pytest.raises(Forged):
                    connector.accept(
                        delivered(good, body=BODY[:place] + bytes([BODY[place] ^ flip]) + BODY[place + 1 :])
                    )
        for body in (b"", BODY + b" ", BODY[:-1]):
            with pytest.raises(Forged):
                connector.accept(delivered(good, body=body))

    def test_without_its_seal_a_delivery_is_kept_out(self, connector: Any, seals: Seals) -> None:
        good = seals.sealed(BODY)

        with pytest.raises(Forged):
            connector.accept(delivered(good, headers={}))
        for name in seals.seal_headers:
            for text in (None, "", " ", "é\u202e", "=" * 5_000, good.headers[name] + "A", good.headers[name].lower()):
                changed = {key: value for key, value in good.headers.items() if key != name}
                with pytest.raises(Forged):
                    connector.accept(delivered(good, headers=changed if text is None else {**changed, name: text}))

    def test_a_header_that_is_missing_or_hostile_is_kept_out_or_hurts_nothing(
        self, connector: Any, seals: Seals
    ) -> None:
        good = seals.sealed(BODY)

        for name in good.headers:
            for text in (None, "", "é\u202e", "\r\nx: y", "x" * 100_000):
                changed = {key: value for key, value in good.headers.items() if key != name}
                try:
                    received = connector.accept(
                        delivered(good, headers=changed if text is None else {**changed, name: text})
                    )
                except Forged:
                    continue
                assert received.body == BODY
                assert 0 < len(received.key) <= KEY_CHARS_MAX

    def test_a_revoked_secret_is_kept_out_and_a_rotated_one_is_let_in(
        self, connector: Any, connect: Connect, seals: Seals
    ) -> None:
        old, new = seals.sealed(BODY, "the old one"), seals.sealed(BODY, "the new one")
        rotating = connect(secrets=seals.configured("the new one", "the old one"))
        rotated = connect(secrets=seals.configured("the new one"))

        assert rotating.accept(delivered(old)).body == BODY
        assert rotating.accept(delivered(new)).body == BODY
        assert rotated.accept(delivered(new)).body == BODY
        with pytest.raises(Forged):
            rotated.accept(delivered(old))
        with pytest.raises(Forged):
            connector.accept(delivered(old))

    def test_nothing_is_parsed_before_the_seal_is_checked_nor_while_it_is(
        self, connector: Any, seals: Seals, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent = [(seals.sealed(body), body) for body in HOSTILE]

        def parsed(*_: Any, **__: Any) -> Any:
            raise AssertionError("a body was parsed at the door")

        with monkeypatch.context() as patch:
            patch.setattr(json, "loads", parsed)
            patch.setattr(json.JSONDecoder, "raw_decode", parsed)
            for good, body in sent:
                assert connector.accept(delivered(good)).body == body
                with pytest.raises(Forged):
                    connector.accept(delivered(good, body=body + b"x"))

    def test_what_is_kept_out_tells_nobody_the_secret_or_the_body(self, wiring: Wiring, seals: Seals) -> None:
        connector = wiring.connect(secrets=seals.configured("wholly-hush", "formerly-hush"))

        with pytest.raises(Forged) as caught:
            connector.accept(delivered(seals.sealed(BODY, "a guess")))

        for secret in ("wholly-hush", "formerly-hush", "total_price"):
            assert secret not in str(caught.value) + repr(connector) + repr(vars(connector))

    def test_everything_that_is_told_is_let_in_and_a_redelivery_has_the_same_key(
        self, connector: Any, connect: Connect, seals: Seals
    ) -> None:
        keys: dict[str, set[str]] = {}
        another = connect()
        told = seals.told()

        for sent in told:
            first = connector.accept(delivered(sent))
            again = another.accept(replace(delivered(sent), received_at=sent.at + timedelta(hours=4)))
            keys.setdefault(sent.id, set()).update((first.key, again.key))

        assert len(told) > len(keys) > 20
        assert {len(found) for found in keys.values()} == {1}
        assert len({key for found in keys.values() for key in found}) == len(keys)

    def test_everything_that_is_told_translates_the_same_each_time(
        self, connector: Any, connect: Connect, seals: Seals
    ) -> None:
        needed(connector, Translates)
        another = connect()
        told = seals.told()
        parked: list[Untranslatable] = []
        spoken: set[str] = set()

        for sent in told:
            received = record(connector.accept(delivered(sent)))
            try:
                found = connector.translate(received)
            except Untranslatable as error:
                parked.append(error)
                continue
            assert found == connector.translate(received) == another.translate(received)
            assert found.facts or found.levels or found.notices or found.refetch or found.ignored, received.topic
            spoken.update(fact.kind for fact in found.facts)

        assert "snapshot" in spoken
        assert len(parked) <= len(told) * PARKED_PER_CENT_MAX / 100, [str(error) for error in parked[:5]]
        assert all(error.order and error.problems for error in parked), "an order that is parked is read anew by its id"
