"""The vault: what it keeps is kept encrypted, and one at a time renews it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from hub.errors import Misconfigured, Retryable
from hub.steps.hub import Hub
from hub.steps.vault import StoredVault
from hub.store.schema import sealed

KEY = SecretStr("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
OTHER_KEY = SecretStr("ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Time:
    def __init__(self) -> None:
        self.now = NOON

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def vault(hub: Hub, key: SecretStr | None = KEY, owner: str = "shop", time: Time | None = None) -> StoredVault:
    time = time or Time()
    return StoredVault(hub.store, owner, key, time.clock, time.sleep)


def test_what_was_put_last_is_had_again_and_another_owner_has_nothing(hub: Hub) -> None:
    vault(hub).put("token", SecretStr("first"))
    vault(hub).put("token", SecretStr("second"))

    kept = vault(hub).get("token")

    assert kept is not None
    assert kept.get_secret_value() == "second"
    assert vault(hub, owner="other").get("token") is None
    assert vault(hub).get("refresh") is None


def test_the_store_holds_nothing_in_the_clear(hub: Hub) -> None:
    vault(hub).put("token", SecretStr("shpat_planted"))

    with hub.store.connect() as connection:
        [content] = connection.execute(select(sealed.c.content)).scalars()

    assert b"shpat_planted" not in content


def test_a_new_key_before_the_old_one_opens_both_and_keeps_under_the_new(hub: Hub) -> None:
    both = SecretStr(f"{OTHER_KEY.get_secret_value()},{KEY.get_secret_value()}")
    vault(hub).put("old", SecretStr("x"))
    vault(hub, both).put("new", SecretStr("y"))

    old, new = vault(hub, both).get("old"), vault(hub, OTHER_KEY).get("new")

    assert old is not None
    assert new is not None
    assert (old.get_secret_value(), new.get_secret_value()) == ("x", "y")
    with pytest.raises(Misconfigured):
        vault(hub, OTHER_KEY).get("old")


def test_without_its_key_it_says_what_to_set(hub: Hub) -> None:
    vault(hub).put("token", SecretStr("x"))

    with pytest.raises(Misconfigured, match="set ORDERHUB_VAULT_KEY"):
        vault(hub, key=None).get("token")
    with pytest.raises(Misconfigured, match="ORDERHUB_VAULT_KEY does not open token"):
        vault(hub, key=OTHER_KEY).get("token")
    with pytest.raises(Misconfigured, match="is no key"):
        vault(hub, key=SecretStr("short")).put("token", SecretStr("x"))


def test_one_at_a_time_has_its_turn(hub: Hub) -> None:
    time = Time()

    with vault(hub, time=time).turn("token"), vault(hub, time=time).turn("another"):
        begun = time.now
        with vault(hub, time=time).turn("token"):
            waited_s = (time.now - begun).total_seconds()

    assert waited_s >= 120  # the first turn counted as abandoned; it was not shared before


def test_a_turn_that_ended_is_free_at_once(hub: Hub) -> None:
    time = Time()

    with vault(hub, time=time).turn("token"):
        pass
    with vault(hub, time=time).turn("token"):
        pass

    assert time.now == NOON


def test_who_waits_too_long_tries_later(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.steps.vault.WAITS_MAX", 3)
    time = Time()

    with (
        vault(hub, time=time).turn("token"),
        pytest.raises(Retryable, match="another process is renewing token"),
        vault(hub, time=time).turn("token"),
    ):
        pass


def test_a_channel_is_handed_its_vault_clock_and_options(hub: Hub) -> None:
    slug = hub.settings.channels[0].slug
    channel = hub.settings.channels[0].model_copy(
        update={"address": "https://shop.example", "options": {"version": "2026-10"}}
    )
    settings = hub.settings.model_copy(update={"channels": (channel,), "vault_key": KEY})

    config = replace(hub, settings=settings).connector(slug).config

    assert config.address == "https://shop.example"
    assert config.options == {"version": "2026-10"}
    assert config.clock() == hub.clock()
    config.vault.put("token", SecretStr("x"))
    assert config.vault.get("token").get_secret_value() == "x"
    with pytest.raises(Misconfigured):
        config.secrets("webhook")
