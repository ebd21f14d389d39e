"""Headers are kept as JSON that any reader takes."""

import json

import pytest

from hub.store.inbox import _written


@pytest.mark.parametrize("headers", [{}, {"x-topic": 'a "b" \\ ü \x00 \ud83d\ude00', "x-ü": ""}])
def test_headers_are_written_as_json_writes_them(headers: dict[str, str]) -> None:
    assert _written(headers) == json.dumps(headers)
