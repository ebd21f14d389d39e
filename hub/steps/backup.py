"""backup and restore: the stores as of one moment, and what a hub that was put back cannot know.

See docs/decisions/0037-backups.md.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from sqlalchemy import Engine, make_url
from sqlalchemy.engine import URL

from hub.errors import Misconfigured
from hub.settings import Settings, Store
from hub.steps.hub import Clock
from hub.store import restoring, snapshots
from hub.store.engine import connect
from hub.store.schema import moment, stamp

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
PARTS: Final = ("inbox", "hub", "ledger")
"""In the order of their moments: what the inbox says was taken in is in the hub, what it sent is there."""
RUNS: Final = "runs"
OWN_FILES: Final = ("*.yaml", "*.json")
"""The home's own configuration, where it has one."""
STAGE: Final = "restoring"
DUMP: Final = "orderhub.dump"
BYTES_MORE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Saved:
    """A backup, as its manifest says."""

    taken_at: datetime
    files: dict[str, str]  # digest by name
    versions: dict[str, str]  # of the stores
    bytes: int


@dataclass(frozen=True, slots=True)
class Restored:
    taken_at: datetime | None  # None: the databases were put back by their own tools
    in_doubt: int  # steps that are looked for before they are sent


def backup(settings: Settings, folder: Path, clock: Clock) -> Saved:
    """The folder holds the home's stores as they are now, its reconciliations and its own configuration.

    Whatever else runs goes on meanwhile.

    Raises:
        Misconfigured: there is no hub in this home, the folder is not empty, or PostgreSQL holds the stores.
    """
    paths = _files(settings, folder)
    if not paths["hub"].is_file() or not paths["inbox"].is_file():
        raise Misconfigured(f"there is no hub in {settings.home}: name its --home")
    _must_be_empty(folder, "a backup has a folder of its own")
    _must_fit(folder, [path for path in paths.values() if path.is_file()])
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _written(settings, folder, paths, clock())
    except BaseException:
        for path in folder.iterdir():
            _remove(path)
        if made:
            folder.rmdir()
        raise


def _written(settings: Settings, folder: Path, paths: dict[str, Path], now: datetime) -> Saved:
    snapshots.copy([(path, folder / f"{part}.db") for part, path in paths.items() if path.is_file()])
    for path in _own_files(settings.home):
        shutil.copy2(path, folder / path.name)
    if (settings.home / RUNS).is_dir():
        shutil.copytree(settings.home / RUNS, folder / RUNS)
    files = {name: snapshots.digest(folder / name) for name in _names(folder)}
    versions = {part: snapshots.version(folder / f"{part}.db", part) for part in ("hub", "inbox")}
    saved = Saved(now, files, versions, sum((folder / name).stat().st_size for name in files))
    written = {
        "format": FORMAT, "taken_at": stamp(now), "versions": saved.versions, "bytes": saved.bytes, "files": files,
    }  # fmt: skip
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    for path in (
        *(folder / name for name in files),
        manifest,
        *(at for at in folder.rglob("*") if at.is_dir()),
        folder,
    ):
        snapshots.flush(path)
    return saved


def restore(settings: Settings, folder: Path, clock: Clock) -> Restored:
    """The empty home is as it was backed up, and knows that it was put back: what is not settled is looked for first.

    Raises:
        Misconfigured: the home is not empty, or the backup is not whole.
    """
    _files(settings, folder)
    saved = _read(folder)
    home = settings.home
    _must_be_empty(home, "a backup is put back into an empty home")
    stage = home / STAGE
    stage.mkdir(parents=True, mode=0o700)
    try:
        for name in saved.files:
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(folder / name, stage / name)
        doubted = _marked({part: Store(_url(stage / f"{part}.db"), None) for part in ("hub", "inbox")}, saved, clock)
        for path in sorted(stage.iterdir(), key=lambda one: one.name == "hub.db"):  # last: without it there is no hub
            if path.is_file():
                snapshots.flush(path)
            path.rename(home / path.name)
        stage.rmdir()
        snapshots.flush(home)
    except BaseException:
        for name in (STAGE, *{Path(name).parts[0] for name in saved.files}):
            _remove(home / name)
        raise
    return Restored(saved.taken_at, doubted)


def restored_in_place(settings: Settings, clock: Clock) -> Restored:
    """The stores, put back by the database's own tools, know it: what is not settled is looked for first."""
    return Restored(None, _marked({"hub": settings.stores.hub, "inbox": settings.stores.inbox}, None, clock))


@contextmanager
def _opened(stores: dict[str, Store]) -> Iterator[tuple[Engine, Engine]]:
    hub = connect(stores["hub"].url.get_secret_value(), "hub", stores["hub"].schema)
    inbox = connect(stores["inbox"].url.get_secret_value(), "inbox", stores["inbox"].schema)
    try:
        yield hub, inbox
    finally:
        hub.dispose()
        inbox.dispose()


def _marked(stores: dict[str, Store], saved: Saved | None, clock: Clock) -> int:
    with _opened(stores) as (hub, inbox):
        with (
            hub.connect() as told,
            inbox.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            restoring.spare_records(told, connection)
        with hub.connect().execution_options(writes=True) as connection, connection.begin():
            return restoring.restored(connection, saved.taken_at if saved else None, clock())


def _files(settings: Settings, folder: Path) -> dict[str, Path]:
    """The stores' files, in the order in which they are copied.

    Raises:
        Misconfigured: PostgreSQL holds them, with the commands to use instead.
    """
    stores = {part: getattr(settings.stores, part) for part in PARTS}
    urls = {part: make_url(store.url.get_secret_value()) for part, store in stores.items()}
    if all(url.get_backend_name() == "sqlite" and url.database for url in urls.values()):
        return {part: Path(str(url.database)) for part, url in urls.items()}
    raise Misconfigured(_by_its_own_tools(urls["hub"], [store.schema for store in stores.values()], folder / DUMP))


def _by_its_own_tools(url: URL, schemas: Sequence[str | None], dump: Path) -> str:
    """One dump is one snapshot of all schemas."""
    address = url.set(drivername="postgresql", password=None).render_as_string()
    only = " ".join(f"--schema={schema}" for schema in schemas if schema is not None)
    return (
        "the stores are in PostgreSQL: its own tools take them as of one moment and put them back\n"
        f"backup:  pg_dump --format=custom {only} --file={dump} {address}\n"
        f"restore: pg_restore --exit-on-error --no-owner --dbname={address} {dump}\n"
        "after that, before anything is started: orderhub restore --in-place"
    )


def _read(folder: Path) -> Saved:
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misconfigured(f"{folder} is no backup, or one that was broken off: it has no {MANIFEST}") from None
    except ValueError as fault:
        raise Misconfigured(f"{folder / MANIFEST} cannot be read: {fault}") from None
    if told.get("format") != FORMAT:
        raise Misconfigured(f"{folder} was made by another version of orderhub: restore it with that one")
    saved = Saved(moment(told["taken_at"]), dict(told["files"]), dict(told["versions"]), int(told["bytes"]))
    for name, digest in saved.files.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise Misconfigured(f"{folder / MANIFEST} names a file outside the backup: {name}")
        if not (folder / name).is_file() or snapshots.digest(folder / name) != digest:
            raise Misconfigured(f"{folder / name} is not what was backed up: take another backup")
    return saved


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _own_files(home: Path) -> list[Path]:
    return sorted(path for pattern in OWN_FILES for path in home.glob(pattern) if path.is_file())


def _must_be_empty(folder: Path, why: str) -> None:
    if folder.exists() and (not folder.is_dir() or any(one.name != "lost+found" for one in folder.iterdir())):
        raise Misconfigured(f"{folder} is not empty: {why}")


def _must_fit(folder: Path, files: Sequence[Path]) -> None:
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    needed = sum(file.stat().st_size for file in files) + BYTES_MORE
    if shutil.disk_usage(there).free < needed:
        raise Misconfigured(f"there is no room in {there} for a backup of {needed // 2**20} MB")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _url(file: Path) -> SecretStr:
    return SecretStr(f"sqlite:///{file}")
