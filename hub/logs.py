"""Log lines: events with fields, as JSON for machines or as words for people; no secret and no personal datum in them.

What may stand in a line is a list (FIELDS), not what must not: names of ours, ids, counts, codes. Of a fault its class
and where it arose are told, and its words only where the hub alone chose them: what a far side said may repeat what it
was told. A message of somebody else's library shows as where it was logged, its arguments never.
"""

import json
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hub.errors import Altered, Forged, HubError, Misconfigured

ROOTS: Final = ("hub", "connectors", "erp_adapters", "mappings")
"""Loggers of ours; of others only warnings are told."""

FIELDS: Final = frozenset(
    "channel record key topic order intent step document action target job outcome stream source kind code field "
    "status what who request ref records documents orders steps pages new count attempts again_in_s after_s seconds "
    "registered location payout version asked served header operation method path alert receiver worker "
    "state part address fault".split()
)
"""What may stand in a line, beside the event and its moment."""

TEXT_CHARS_MAX: Final = 200
ITEMS_MAX: Final = 50
FRAMES_MAX: Final = 3
HIDDEN: Final = "…"

_PLAIN: Final = re.compile(r"[\w.:,;/{}#=+*() -]*")
"""Ids, codes and routes; no `@`, no quotes."""
_LOGIN: Final = re.compile(r"://\S*@")  # a password may hold any sign, an @ too
_PASSWORD: Final = re.compile(r"(\b(?:password|passwd|pwd|sslpassword|secret|token)=)[^\s&;]+", re.IGNORECASE)
_EVENT: Final = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_TEXT: Final = frozenset({"request", "ref", "key", "address"})  # which far sides and senders choose: ids or nothing
_ID: Final = re.compile(r"[A-Za-z0-9_.:,/=+-]*")
_ABOUT: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Lines that are logged in this block, by whatever is called in it, bear these fields too."""
    token = _ABOUT.set({**(_ABOUT.get() or {}), **fields})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def event_of(record: logging.LogRecord) -> dict[str, Any]:
    """The line as its fields, without what must not stand in one."""
    ours = record.name.split(".")[0] in ROOTS
    named = isinstance(record.msg, str) and not record.args and _EVENT.fullmatch(record.msg)
    found: dict[str, Any] = {"event": record.msg if ours and named else "log"}
    if not (ours and named):
        found |= {"logger": record.name, "at": f"{record.filename}:{record.lineno}"}
    if ours:
        given = {**(_ABOUT.get() or {}), **vars(record)}
        found |= {
            name: _allowed(name, given[name]) for name in sorted(FIELDS & given.keys()) if given[name] is not None
        }
    if record.exc_info and record.exc_info[1] is not None:
        found["fault"] = fault_of(record.exc_info[1])
    return found


def fault_of(fault: BaseException) -> str:
    """What went wrong, in words of ours alone: its class, its code, where it arose."""
    words = [type(fault).__name__]
    if isinstance(fault, Misconfigured | Altered | Forged):
        words.append(_one_line(str(fault)))
    elif isinstance(fault, HubError) and fault.summary:
        words.append(_one_line(fault.summary))
    code = getattr(fault, "code", None) or getattr(getattr(fault, "orig", None), "sqlstate", None)
    if isinstance(code, str) and _ID.fullmatch(code):
        words.append(f"code {code}")
    if not isinstance(fault, HubError):
        frames = traceback.extract_tb(fault.__traceback__)[-FRAMES_MAX:]
        words.append("at " + " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in reversed(frames)))
    return " ".join(words)


def _one_line(text: str) -> str:
    """Without what would begin another line, or steer a terminal."""
    plain = "".join(sign if sign.isprintable() else " " for sign in without_login(text))
    return " ".join(plain.split())[:TEXT_CHARS_MAX]


def without_login(text: str) -> str:
    """The text, in each address nothing of who logs in there, nor a password in its query."""
    return _PASSWORD.sub(rf"\1{HIDDEN}", _LOGIN.sub(f"://{HIDDEN}@", text))


class Json(logging.Formatter):
    """A line as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"at": f"{at[:-6]}Z", "level": record.levelname.lower(), **event_of(record)})


class Words(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        event, *fields = event_of(record).items()
        return " ".join(["orderhub:", str(event[1]), *(f"{name}={value}" for name, value in fields)])


def log_to(handler: logging.StreamHandler[Any], *, as_json: bool, level: int) -> None:
    """All lines of the hub from that level on go there, and warnings of its libraries; what stood there before goes."""
    handler.setFormatter(Json() if as_json else Words())
    handler.set_name("orderhub")
    root = logging.getLogger()
    for before in [one for one in root.handlers if one.get_name() == "orderhub"]:
        root.removeHandler(before)
    root.addHandler(handler)
    for name in ROOTS:
        logging.getLogger(name).setLevel(level)


def _allowed(name: str, value: Any) -> Any:
    if name == "fault":
        return fault_of(value) if isinstance(value, BaseException) else HIDDEN
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_allowed(name, one) for one in value[:ITEMS_MAX]]
    text = str(value)[:TEXT_CHARS_MAX]
    return text if (_ID if name in _TEXT else _PLAIN).fullmatch(text) else HIDDEN
