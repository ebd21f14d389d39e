"""sign: a person vouches for a reconciliation; what changes afterwards is told by the next run."""

import json
from pathlib import Path
from typing import Final

from hub.errors import Misconfigured
from hub.model.reconciliation import Reconciliation, Signed
from hub.steps.hub import Hub
from hub.steps.reconcile import REPORT_JSON, rerun
from hub.steps.showing import RUNS
from hub.store import audit, signoffs

NAME_CHARACTERS_MAX: Final = 100


def sign(hub: Hub, run: Path, by: str, note: str = "") -> Signed:
    """The run stands as what was closed: `by` vouches for it.

    Args:
        run: the folder of a run in this home, or its name.
        note: why it is signed although it is not complete or leaves something unexplained; wanted then.

    Raises:
        Misconfigured: no such run, its files are not what it wrote, it is signed already, or a note is wanted.
    """
    folder = run if run.is_dir() else hub.settings.home / RUNS / run
    if folder.resolve().parent != (hub.settings.home / RUNS).resolve():
        raise Misconfigured(f"sign: {folder} is no run of this home: see {hub.settings.home / RUNS}")
    if not by.strip() or len(by) > NAME_CHARACTERS_MAX:
        raise Misconfigured("sign: say who signs, with --as NAME")
    found = rerun(folder)
    _vouch(folder, found, note)
    now = hub.clock()
    signed = Signed(found.period, found.run, found.digest, by.strip(), now, note.strip())
    with hub.writing() as connection, connection.begin():
        standing = signoffs.standing(connection, found.period)
        if standing is not None and standing.digest == found.digest:
            raise Misconfigured(
                f"sign: {found.run} stands signed by {standing.by} since {standing.at:%Y-%m-%d %H:%M} UTC"
            )
        signoffs.add(connection, signed)
        audit.note(
            connection, now, signed.by, "reconcile.sign", found.period, {"run": found.run, "digest": found.digest}
        )
    return signed


def _vouch(folder: Path, found: Reconciliation, note: str) -> None:
    try:
        reported = json.loads((folder / REPORT_JSON).read_text(encoding="utf-8"))["digest"]
    except (OSError, ValueError, KeyError) as error:
        raise Misconfigured(f"sign: {folder / REPORT_JSON} cannot be read: {error}") from None
    if found.altered or reported != found.digest:
        raise Misconfigured(f"sign: the files of {found.run} are not what the run wrote; reconcile anew and sign that")
    unexplained = any(found.sales.unexplained_minor.values()) or any(found.payments.unexplained_minor.values())
    unexplained = unexplained or (found.books is not None and found.books.is_unexplained)
    if (unexplained or not found.complete) and not note.strip():
        what = "leaves amounts unexplained" if unexplained else "is not complete"
        raise Misconfigured(f"sign: {found.run} {what}; say with --note why it is signed all the same")
