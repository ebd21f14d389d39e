"""tokens: made, listed, revoked, and asked for who shows one. See docs/decisions on access."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from sqlalchemy.exc import DBAPIError

from hub.errors import Misconfigured, Missing, NoAccess
from hub.model.access import Role, Token
from hub.steps.hub import Hub
from hub.store import audit, tokens

PREFIX: Final = "orderhub"
ID_BYTES: Final = 6
SECRET_BYTES: Final = 32
DAYS: Final = 90
DAYS_MAX: Final = 730
NAME_CHARACTERS_MAX: Final = 100
USED_EVERY_S: Final = 300  # "last used" is written no oftener: reading must not write at every turn
_SHAPE: Final = re.compile(rf"{PREFIX}_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
_NOBODYS: Final = sha256(b"").hexdigest()

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Made:
    """A new token; `text` is what its holder shows, and is kept nowhere."""

    token: Token
    text: str = field(repr=False)


def create(
    hub: Hub, name: str, role: Role, by: str, entropy: Entropy, *, channel: str | None = None, days: int = DAYS
) -> Made:
    """The token is good until it expires or is revoked.

    Args:
        name: who it is for; it signs for what is done with it.
        entropy: so many bytes that nobody can guess.
        channel: its slug; None: every channel.

    Raises:
        Misconfigured: no such channel, or a name or a number of days that cannot be.
    """
    name = _name(name, "who the token is for")
    by = _name(by, "who makes it")
    if not 1 <= days <= DAYS_MAX:
        raise Misconfigured(f"tokens: a token lasts from 1 to {DAYS_MAX} days, not {days}")
    if channel is not None:
        hub.settings.channel(channel)
    now = hub.clock()
    id, secret = entropy(ID_BYTES).hex(), entropy(SECRET_BYTES)
    token = Token(id, name, role, channel, now, by, now + timedelta(days=days), None, None, None)
    with hub.writing() as connection, connection.begin():
        tokens.add(connection, token, sha256(secret).hexdigest())
        detail = {"name": name, "role": role.value, "channel": channel, "expires_at": token.expires_at}
        audit.note(connection, now, by, "tokens.create", id, detail)
    return Made(token, f"{PREFIX}_{id}_{secret.hex()}")


def listed(hub: Hub) -> list[Token]:
    """Every token that was ever made, the newest first."""
    return tokens.listed(hub.store)


def revoke(hub: Hub, id: str, by: str) -> None:
    """The token is good no more, from the next request on.

    Raises:
        Misconfigured: there is none of that id that is not revoked.
    """
    by, now = _name(by, "who revokes it"), hub.clock()
    with hub.writing() as connection, connection.begin():
        if not tokens.revoke(connection, id, now, by):
            raise Missing(f"no token {id!r} that is not revoked: see orderhub tokens list")
        audit.note(connection, now, by, "tokens.revoke", id, {})


def holder(hub: Hub, shown: str) -> Token:
    """The token that was shown, good now.

    Raises:
        NoAccess: it is none of ours, has expired, or was revoked. Only who knows the secret is told which.
    """
    read = _SHAPE.fullmatch(shown)
    found = tokens.find(hub.store, read[1]) if read is not None else None
    secret = bytes.fromhex(read[2]) if read is not None else b""
    same = compare_digest(sha256(secret).hexdigest(), found[1] if found is not None else _NOBODYS)
    if found is None or not same:
        raise NoAccess("no such token")
    token = found[0]
    if (state := token.state(hub.clock())) != "good":
        raise NoAccess(f"the token {token.id} is {state}: ask for a new one")
    return token


def note_use(hub: Hub, token: Token) -> None:
    """When the token was used last is on record, to some minutes; where the store is busy, the next use says it."""
    now = hub.clock()
    if token.used_at is not None and now - token.used_at < timedelta(seconds=USED_EVERY_S):
        return
    try:
        with hub.writing() as connection, connection.begin():
            tokens.used(connection, token.id, now)
    except DBAPIError:
        return


def _name(text: str, what: str) -> str:
    plain = text.strip()
    if not plain or len(plain) > NAME_CHARACTERS_MAX or not plain.isprintable():
        raise Misconfigured(f"tokens: say {what}, in at most {NAME_CHARACTERS_MAX} plain characters")
    return plain
