"""Cuts a file into the records in it, each as its literal bytes, so that money text survives exactly.

A file is read as Latin-1, one character a byte: JSON's structure is ASCII, so slices of the text are slices of the
file, and bad bytes in one record trouble no other. A record is parsed here only to find its end and its id.
"""

import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from hub.model.facts import Source
from hub.model.problems import Problem
from hub.model.records import Received
from hub.ports import Unreadable
from mappings.shopify.kinds import ENVELOPES, OTHERS

FILE_BYTES_MAX: Final = 200_000_000
RECORD_BYTES_MAX: Final = 10_000_000
WINDOW_BYTES: Final = 262_144  # parsed at once, at first, of a file that is larger than a record may be
DEPTH_MAX: Final = 6  # envelopes around a record: a list, data, orders, edges, node …
KEY_CHARS_MAX: Final = 180  # of a delivery's id; with a digest behind it the inbox has room for 200

_SPACE = re.compile(r"[ \t\r\n]*")
_KEY = re.compile(r'"((?:[^"\\]|\\.){0,200})"[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_SECRETS: Final = ("hmac", "token", "authorization", "cookie", "secret")
_PLACES: Final = frozenset(("data", "edges", "node", "nodes", "body"))
_OPENINGS: Final = (frozenset(ENVELOPES) | _PLACES) - {"order_edit"}
_RECORD_WORDS: Final = frozenset(  # what has one of these is a record itself, even without an id
    (
        "line_items total_price created_at updated_at order_id currency refund_line_items "
        "lineItems totalPriceSet createdAt __parentId"
    ).split()
)
# Numbers stay text: no limit of digits, no float; nothing here looks at them but ids.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)

Item = Received | Unreadable
Walk = Generator[Item, None, int | None]  # returns where the value ends, None where that cannot be told


class _Bad(Exception):
    """Not JSON, or too much of it for one record."""


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a record."""

    topic: str = ""
    delivery: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    graphql: bool = False
    depth: int = 0


def cut(channel: str, content: bytes, received_at: datetime) -> Iterator[Item]:
    """The records of one file, in its order; a fault in one does not stop the next."""
    if len(content) > FILE_BYTES_MAX:
        yield _unreadable("$", f"a file of {len(content)} bytes; at most {FILE_BYTES_MAX} are read at once: split it")
        return
    yield from _Cutter(channel, content, received_at).top()


class _Cutter:
    def __init__(self, channel: str, content: bytes, received_at: datetime) -> None:
        self.channel = channel
        self.received_at = received_at
        self.text = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        self.count = 0  # of records cut out so far

    def top(self) -> Iterator[Item]:
        """One value, or JSON lines: values one after the other."""
        at, first, line, counted = self._skip(0), True, 1, 0
        if at == len(self.text):
            yield _unreadable("$", "the file is empty")
        while at < len(self.text):
            line += self.text.count("\n", counted, at)
            counted = at
            resume = self.text.find("\n{", at)
            path = "" if first and resume < 0 else f"line {line}"
            before = self.count
            if self.text[at] not in "{[":
                yield _unreadable(path or "$", f"not JSON: begins with {self.text[at : at + 20]!r}")
                end = None
            else:
                end = yield from self._value(at, path, _Around(), resume)
            if end is None:
                if resume < 0 or self.count > before:
                    return  # nothing to go on at, or a list that broke off, whose records are not to come twice
                end = resume + 1
            at, first = self._skip(end), False

    def _value(self, at: int, path: str, around: _Around, resume: int = -1) -> Walk:
        if self.text[at] == "[" and around.depth < DEPTH_MAX:
            return (yield from self._list(at, path, around))
        if self.text[at] != "{":
            deep = self.text[at] == "["
            reason = "nested too deeply" if deep else f"not an object: begins with {self.text[at : at + 20]!r}"
            yield _unreadable(path or "$", reason)
            return self._end_of(at)
        if len(self.text) - at > RECORD_BYTES_MAX and self._first_key(at) in _OPENINGS:
            return (yield from self._members(at, path, self._inside(around, {})))
        try:
            value, end = self._parsed(at)
        except _Bad as bad:
            if self._first_key(at) in _OPENINGS and around.depth < DEPTH_MAX:
                return (yield from self._members(at, path, self._inside(around, {})))
            yield _unreadable(path or "$", str(bad))
            lost = self._matched(at)
            return None if lost is None or 0 <= resume < lost else lost
        if around.depth < DEPTH_MAX and isinstance(value, dict) and _is_envelope(value):
            yield from self._members(at, path, self._inside(around, value))
        else:
            yield self._record(at, end, value, around)
        return end

    def _list(self, at: int, path: str, around: _Around) -> Walk:
        around = replace(around, depth=around.depth + 1)
        at, index = self._skip(at + 1), 0
        while self.text[at : at + 1] != "]":
            here = f"{path}[{index}]"
            if at >= len(self.text):
                yield _unreadable(here, "the file ends inside the list")
                return None
            end = yield from self._value(at, here, around)
            if end is None:
                return None
            at = self._skip(end)
            if self.text[at : at + 1] == ",":
                at, index = self._skip(at + 1), index + 1
            elif self.text[at : at + 1] != "]":
                ends = at >= len(self.text)
                yield _unreadable(f"{path}[{index + 1}]", "the file ends inside the list" if ends else "no comma here")
                return None
        return at + 1

    def _members(self, at: int, path: str, around: _Around) -> Walk:
        """The members of an envelope: records in those that hold some, the rest skipped."""
        at = self._skip(at + 1)
        while self.text[at : at + 1] != "}":
            key = _KEY.match(self.text, at)
            if key is None:
                ends = at >= len(self.text)
                yield _unreadable(path or "$", "the file ends inside the object" if ends else "no member name here")
                return None
            name, at = key[1], key.end()
            here = f"{path}.{name}" if path else name
            if at < len(self.text) and self.text[at] in "{[" and (name in ENVELOPES or name in _PLACES):
                if name == "data":
                    inside = replace(around, graphql=True)
                elif name in ENVELOPES:
                    inside = replace(around, topic=_topic(name, around.graphql))
                else:
                    inside = around
                end = yield from self._value(at, here, inside)
            else:
                end = self._end_of(at)
                if end is None:
                    yield _unreadable(here, "not JSON, or the file ends in it")
            if end is None:
                return None
            at = self._skip(end)
            if self.text[at : at + 1] == ",":
                at = self._skip(at + 1)
            elif self.text[at : at + 1] != "}":
                ends = at >= len(self.text)
                yield _unreadable(path or "$", "the file ends inside the object" if ends else f"no comma after {name}")
                return None
        return at + 1

    def _inside(self, around: _Around, envelope: dict[str, Any]) -> _Around:
        """What the envelope says of the record in it."""
        around = replace(around, depth=around.depth + 1)
        if "body" not in envelope:
            return around
        given = envelope.get("headers")
        headers = {
            str(name).lower(): value
            for name, value in (given.items() if isinstance(given, dict) else ())
            if isinstance(value, str) and not any(word in str(name).lower() for word in _SECRETS)
        }
        topic = envelope.get("topic") or headers.get("x-shopify-topic")
        delivery = headers.get("x-shopify-webhook-id", "")
        return replace(
            around,
            topic=topic if isinstance(topic, str) else "",
            delivery=delivery[:KEY_CHARS_MAX],
            headers=tuple(headers.items()),
        )

    def _record(self, at: int, end: int, value: Any, around: _Around) -> Received:
        self.count += 1
        body = self.text[at:end].encode("latin-1")
        topic, key = around.topic, around.delivery
        if not topic and isinstance(value, dict):
            topic = next((name for name in value if name in OTHERS), "") if "id" not in value else ""
        digest = sha256(body).hexdigest()[:16]
        if key:  # a retry carries the same body; another body under the same id is another record
            key = f"{key}:{digest}"
        else:
            given, stamp = None, None
            if isinstance(value, dict):
                given, stamp = value.get("id"), value.get("updated_at", value.get("updatedAt"))
            identity = given.rpartition("/")[2][:40] if isinstance(given, str) else ""
            said = stamp[:40] if isinstance(stamp, str) else ""
            key = f"{topic or 'record'}:{identity}:{said}:{digest}"
        return Received(self.channel, key, topic, Source.FILE, body, self.received_at, dict(around.headers))

    def _parsed(self, at: int) -> tuple[Any, int]:
        """The value that begins here, and where it ends; of a large file only as much as one record may be."""
        left, window = len(self.text) - at, WINDOW_BYTES
        if left <= RECORD_BYTES_MAX:
            return self._decoded(self.text, at)
        while True:
            window = min(window, RECORD_BYTES_MAX)
            try:
                value, end = self._decoded(self.text[at : at + window], 0)
            except _Bad:
                if window == RECORD_BYTES_MAX:
                    break
                window *= 8
            else:
                return value, at + end
        end_of = self._matched(at)
        if end_of is None or end_of - at > RECORD_BYTES_MAX:
            raise _Bad(f"a record of more than {RECORD_BYTES_MAX} bytes, or cut off")
        return self._decoded(self.text[at:end_of], 0)

    def _decoded(self, text: str, at: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            cut_off = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
            reason = "the file ends in the middle of it" if cut_off else f"{error.msg} at byte {error.pos}"
            raise _Bad(f"not JSON: {reason}") from None
        except RecursionError:
            raise _Bad("nested too deeply") from None

    def _end_of(self, at: int) -> int | None:
        try:
            return self._parsed(at)[1]
        except _Bad:
            return self._matched(at) if self.text[at : at + 1] in ("{", "[") else None

    def _matched(self, at: int) -> int | None:
        """Where the brackets that open here are closed again, whatever is between; None where they are not."""
        depth = 0
        for token in _TOKEN.finditer(self.text, at):
            sign = token[0][0]
            if sign in "{[":
                depth += 1
            elif sign in "}]":
                depth -= 1
                if depth <= 0:
                    return token.end()
        return None

    def _first_key(self, at: int) -> str:
        key = _KEY.match(self.text, self._skip(at + 1))
        return key[1] if key is not None else ""

    def _skip(self, at: int) -> int:
        space = _SPACE.match(self.text, at)
        return space.end() if space is not None else at


def _is_envelope(value: dict[str, Any]) -> bool:
    if "id" in value or _RECORD_WORDS & value.keys() or value.get("errors"):
        return False
    if isinstance(value.get("body"), dict):
        return "topic" in value or "headers" in value
    held = [value[key] for key in value if key in ENVELOPES and key != "order_edit"]
    if isinstance(data := value.get("data"), dict):
        held = [data[key] for key in data if key in ENVELOPES or key in _PLACES]
        held = [item for item in held if not isinstance(item, dict) or _holds_records(item)]
    held += [value[key] for key in ("nodes", "edges", "node") if key in value]
    return any(isinstance(item, (dict, list)) and item != {} for item in held)


def _holds_records(node: dict[str, Any]) -> bool:
    """A GraphQL node that can be told, or a connection of such."""
    return "id" in node or "nodes" in node or "edges" in node


def _topic(name: str, graphql: bool) -> str:
    if not graphql:
        return name
    return "order_node" if ENVELOPES[name] == "order" else ""


def _unreadable(path: str, message: str) -> Unreadable:
    return Unreadable(Problem(path, message, "unreadable"))
