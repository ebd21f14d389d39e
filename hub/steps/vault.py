"""What far sides hand out and change (tokens), kept in the hub's store, encrypted with a key that is not in it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr
from sqlalchemy import Engine

from hub.errors import Misconfigured, Retryable
from hub.store import sealed

TURN_S: Final = 120.0  # a turn that is not ended counts as abandoned after this
WAIT_S: Final = 0.2
WAITS_MAX: Final = 1000


class StoredVault:
    """The vault of one channel or ERP."""

    def __init__(
        self,
        store: Engine,
        owner: str,
        key: SecretStr | None,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._store = store
        self._owner = owner
        self._key = key
        self._clock = clock
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"StoredVault({self._owner})"

    def get(self, name: str) -> SecretStr | None:
        """What was put last; None: nothing was.

        Raises:
            Misconfigured: there is no key, or it is not the one that it was put with.
        """
        content = sealed.read(self._store, self._owner, name)
        if content is None:
            return None
        try:
            return SecretStr(self._fernet().decrypt(content).decode())
        except InvalidToken:
            raise Misconfigured(
                f"{self._owner}: ORDERHUB_VAULT_KEY does not open {name}: set the key that it was kept with"
            ) from None

    def put(self, name: str, content: SecretStr) -> None:
        """The content is on disk, encrypted."""
        sealed.write(self._store, self._owner, name, self._fernet().encrypt(content.get_secret_value().encode()))

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """While the block runs, no other thread or process has its turn with this name.

        Raises:
            Retryable: another has had its turn for too long.
        """
        who = secrets.token_hex(8)  # names a holder, for one turn; nothing that is kept depends on it
        for _ in range(WAITS_MAX):
            now = self._clock()
            if sealed.take_turn(self._store, self._owner, name, who, now, now + timedelta(seconds=TURN_S)):
                break
            self._sleep(WAIT_S)
        else:
            raise Retryable(f"{self._owner}: another process is renewing {name}")
        try:
            yield
        finally:
            sealed.end_turn(self._store, self._owner, name, who)

    def _fernet(self) -> MultiFernet:
        """Encrypts with the first of the keys, opens with any."""
        if self._key is None:
            raise Misconfigured(
                f"{self._owner} is handed tokens that must be kept: set ORDERHUB_VAULT_KEY to a key made with "
                '`python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`'
            )
        try:
            return MultiFernet([Fernet(key.strip()) for key in self._key.get_secret_value().split(",")])
        except ValueError:
            raise Misconfigured("ORDERHUB_VAULT_KEY is no key: expected 32 bytes in url-safe base64") from None
