"""Setting single values in a JSON document by the paths that problems name, all other text kept to the letter."""

import json
import re
from typing import Any, Final

from hub.errors import Misconfigured

_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_MARK: Final = "\ue000"
_MARKED: Final = re.compile(f'"{_MARK}([^"]*){_MARK}"')


def with_values(content: bytes, values: dict[str, str]) -> bytes:
    """The document with these values at their paths (`line_items[2].price`); numbers keep their literal text.

    Args:
        values: by path; text where text stood before, else JSON, and what is not JSON counts as text.

    Raises:
        Misconfigured: the document is not JSON, or a path leads nowhere in it.
    """
    try:
        document = json.loads(content, parse_float=_marked, parse_int=_marked)
    except ValueError as error:
        raise Misconfigured(f"the record is not JSON, so no path leads into it: {error}; give a whole --file") from None
    for path, text in values.items():
        _set(document, path, text)
    return _MARKED.sub(lambda found: found[1], json.dumps(document, ensure_ascii=False)).encode()


def _marked(literal: str) -> str:
    return f"{_MARK}{literal}{_MARK}"


def _in_kind(before: Any, text: str) -> Any:
    if isinstance(before, str) and not before.startswith(_MARK):
        return text
    try:
        return json.loads(text, parse_float=_marked, parse_int=_marked)
    except ValueError:
        return text


def _set(document: Any, path: str, text: str) -> None:
    steps = [found[1] if found[1] is not None else int(found[2]) for found in _STEP.finditer(path.removeprefix("$"))]
    if not steps:
        raise Misconfigured(f"no path: {path!r}; write one like line_items[2].price")
    place = document
    for step in steps[:-1]:
        place = _inside(place, step, path)
    last = steps[-1]
    match place, last:
        case dict(), str():
            place[last] = _in_kind(place.get(last), text)
        case list(), int() if last < len(place):
            place[last] = _in_kind(place[last], text)
        case _:
            raise Misconfigured(f"the path {path!r} leads nowhere in the record")


def _inside(place: Any, step: str | int, path: str) -> Any:
    try:
        return place[step]
    except (KeyError, IndexError, TypeError):
        raise Misconfigured(f"the path {path!r} leads nowhere in the record") from None
