"""An ASGI application served on a loopback socket for the time of a block."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

STARTS_S = 20


@contextmanager
def served(app: Any, config: uvicorn.Config | None = None) -> Iterator[str]:
    """The application's base URL; it is stopped in order when the block ends.

    Args:
        config: how it is served, where that is what the test is about.

    Raises:
        TimeoutError: it did not start.
    """
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        server = Server(config or uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="served")
        thread.start()
        try:
            if not started.wait(STARTS_S):
                raise TimeoutError("the application did not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
