"""The broker between processes: Redis or Valkey, by dramatiq. It carries names of jobs and nothing else.

Nothing depends on it: what is rung through it is due by the stores as well. While it is away whoever rings goes on and
the rings are dropped; the beats of the workers, and what the stores say was rung and not begun, take their place.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import dramatiq
from dramatiq.middleware import CurrentMessage
from pydantic import SecretStr

from hub.errors import Misconfigured

if TYPE_CHECKING:
    from dramatiq.brokers.redis import RedisBroker

log = logging.getLogger(__name__)

NAMESPACE: Final = "orderhub"
NEAR: Final = "near"  # jobs of the stores and of what is sent: never behind a pull that takes hours
FAR: Final = "far"
NEAR_THREADS: Final = 4
WAITING_S: Final = 60
"""For so long a ring counts as waiting; one that nobody took by then is rung again."""
ANSWERS_S: Final = 5
CONNECTS_S: Final = 2
LOOKS_S: Final = 5
STOP_MS: Final = 20_000
POLL_MS: Final = 1_000

Run = Callable[[str, float], None]
"""Does a job that was rung then, in seconds since 1970."""


class Broker:
    """Rings jobs in whichever worker takes them; in a worker, also takes its own share of what is rung."""

    def __init__(self, url: SecretStr, far: Callable[[str], bool]) -> None:
        """Args:
        far: whether a job talks to a far side and may take long.

        Raises:
            Misconfigured: the package for it is not installed, or that is no address.
        """
        self._client, self._lost, brokers = _connected(url, (NEAR, FAR))
        self._brokers = brokers
        self._far = far
        self._run: Run | None = None
        self._actors = {
            queue: dramatiq.actor(broker=broker, actor_name=queue, queue_name=queue)(self._took)
            for queue, broker in brokers.items()
        }
        self._workers: list[dramatiq.Worker] = []
        self._asked: set[str] = set()
        self._wake = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._loop, name="rings", daemon=True)
        self.there: bool | None = None
        """Whether it answered when it was last asked; None: it was not yet."""

    def start(self, run: Run | None = None, threads: int = NEAR_THREADS) -> None:
        """Rings go out from now on; and with `run`, this process does what is rung, so many far jobs at a time."""
        self._run = run
        self._thread.start()
        if run is not None:
            for queue, count in ((NEAR, NEAR_THREADS), (FAR, threads)):
                worker = dramatiq.Worker(self._brokers[queue], worker_threads=count, worker_timeout=POLL_MS)
                self._workers.append(worker)
                worker.start()

    def stop(self) -> None:
        """What runs is finished; what waits is another worker's."""
        with self._wake:
            self._stopped = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()
        for worker in self._workers:
            worker.stop(timeout=STOP_MS)
        self._client.close()

    def ring(self, name: str) -> None:
        """That job looks soon, in one worker; returns at once, whether the broker is there or not."""
        with self._wake:
            self._asked.add(name)
            self._wake.notify()

    def _took(self, name: str) -> None:
        message = CurrentMessage.get_current_message()
        rung_at = message.message_timestamp / 1000 if message is not None else time.time()
        with suppress(self._lost):  # it runs out by itself
            self._client.delete(_mark(name))
        if self._run is not None:
            self._run(name, rung_at)

    def _loop(self) -> None:
        while True:
            with self._wake:
                if not self._asked and not self._stopped:
                    self._wake.wait(LOOKS_S)
                asked, self._asked = self._asked, set()
                if self._stopped and not asked:
                    return
            try:
                for name in sorted(asked, key=lambda one: (self._far(one), one)):
                    if self._client.set(_mark(name), 1, nx=True, ex=WAITING_S):
                        self._actors[FAR if self._far(name) else NEAR].send(name)
                if not asked:
                    self._client.ping()
            except self._lost as fault:
                if self.there is not False:
                    log.warning("broker.lost", extra={"fault": fault})
                self.there = False
            else:
                if self.there is False:
                    log.warning("broker.back")
                self.there = True


def _mark(name: str) -> str:
    return f"{NAMESPACE}:waiting:{name}"


def _connected(url: SecretStr, queues: Sequence[str]) -> "tuple[Any, type[Exception], dict[str, RedisBroker]]":
    """The client, what it raises, and a broker for each queue: dramatiq gives a broker's threads to all its queues."""
    try:
        import redis
        from dramatiq.brokers.redis import RedisBroker
    except ImportError:
        raise Misconfigured(
            "ORDERHUB_BROKER_URL is set, and the package redis is not installed: pip install 'orderhub[machines]'"
        ) from None
    try:
        client = redis.Redis.from_url(
            url.get_secret_value(), socket_timeout=ANSWERS_S, socket_connect_timeout=CONNECTS_S
        )
    except ValueError:
        raise Misconfigured("ORDERHUB_BROKER_URL: expected redis://[:PASSWORD@]HOST[:PORT][/NUMBER]") from None
    brokers = {
        queue: RedisBroker(client=client, namespace=NAMESPACE, middleware=[CurrentMessage()])  # type: ignore[no-untyped-call]
        for queue in queues
    }
    return client, redis.RedisError, brokers
