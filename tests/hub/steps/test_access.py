"""Tokens: shown once, kept as a digest, good until they expire or are revoked."""

import pytest
from sqlalchemy import text

from hub.errors import Misconfigured, Missing, NoAccess
from hub.model.access import Role
from hub.steps import access
from hub.steps.hub import Hub
from hub.store import audit
from tests.conftest import Clock

SECRET = "ab" * 32


def entropy(count: int) -> bytes:
    return b"\xab" * count


def test_a_token_is_known_again_by_its_secret(hub: Hub) -> None:
    made = access.create(hub, "dashboard", Role.VIEWER, "ann", entropy, channel="shopify", days=30)

    found = access.holder(hub, made.text)

    assert made.text == "orderhub_abababababab_" + SECRET
    assert (found.name, found.role, found.channel, found.created_by) == ("dashboard", Role.VIEWER, "shopify", "ann")


def test_the_store_has_no_secret_and_its_repr_has_none(hub: Hub) -> None:
    made = access.create(hub, "dashboard", Role.VIEWER, "ann", entropy)

    with hub.store.connect() as connection:
        kept = [str(tuple(row)) for row in connection.execute(text("SELECT * FROM api_token"))]
        kept += [str(tuple(row)) for row in connection.execute(text("SELECT * FROM audit"))]

    assert SECRET not in "".join(kept)
    assert SECRET not in repr(made)


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "orderhub_abababababab_" + "ac" * 32,
        "orderhub_abababababac_" + SECRET,
        "orderhub_abababababab_" + SECRET + "\n",
        "orderhub_ABABABABABAB_" + SECRET,
        "orderhub_abababababab_",
        "Orderhub_abababababab_" + SECRET,
    ],
)
def test_what_is_not_the_token_is_none(hub: Hub, shown: str) -> None:
    access.create(hub, "dashboard", Role.VIEWER, "ann", entropy)

    with pytest.raises(NoAccess, match="no such token"):
        access.holder(hub, shown)


def test_a_token_is_good_to_its_last_moment_and_not_after(hub: Hub, utc: Clock) -> None:
    made = access.create(hub, "dashboard", Role.VIEWER, "ann", entropy, days=1)

    utc.pass_time(hours=23, minutes=59)
    access.holder(hub, made.text)
    utc.pass_time(minutes=1)

    with pytest.raises(NoAccess, match="expired"):
        access.holder(hub, made.text)


def test_a_revoked_token_is_good_no_more(hub: Hub) -> None:
    made = access.create(hub, "dashboard", Role.VIEWER, "ann", entropy)

    access.revoke(hub, "abababababab", "bob")

    with pytest.raises(NoAccess, match="revoked"):
        access.holder(hub, made.text)
    with pytest.raises(Missing):
        access.revoke(hub, "abababababab", "bob")


def test_making_and_revoking_stand_in_the_audit_trail(hub: Hub) -> None:
    access.create(hub, "dashboard", Role.FINANCE, "ann", entropy)
    access.revoke(hub, "abababababab", "bob")

    trail = [(row.actor, row.action, row.subject) for row in audit.listed(hub.store)]

    assert trail == [("bob", "tokens.revoke", "abababababab"), ("ann", "tokens.create", "abababababab")]


def test_the_last_use_is_noted_but_not_at_every_turn(hub: Hub, utc: Clock) -> None:
    made = access.create(hub, "dashboard", Role.VIEWER, "ann", entropy)
    first = utc.pass_time(minutes=1)

    access.note_use(hub, access.holder(hub, made.text))
    utc.pass_time(minutes=4)
    access.note_use(hub, access.holder(hub, made.text))

    assert access.listed(hub)[0].used_at == first
    later = utc.pass_time(minutes=1)
    access.note_use(hub, access.holder(hub, made.text))
    assert access.listed(hub)[0].used_at == later


@pytest.mark.parametrize(
    ("name", "channel", "days"),
    [("", None, 1), ("a\x00b", None, 1), ("a" * 101, None, 1), ("a", "nope", 1), ("a", None, 0)],
)
def test_a_token_that_cannot_be_is_not_made(hub: Hub, name: str, channel: str | None, days: int) -> None:
    with pytest.raises(Misconfigured):
        access.create(hub, name, Role.VIEWER, "ann", entropy, channel=channel, days=days)

    assert access.listed(hub) == []
