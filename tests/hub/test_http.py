"""The one HTTP client: what it retries, what it bounds, and what class each failure has."""

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import respx

from hub.errors import AuthExpired, HubError, InDoubt, Misconfigured, RateLimited, Rejected, Retryable
from hub.http import Answer, Http, Safety

BASE = "https://shop.example"
TOKEN = "shpat_0123456789abcdef"
NO = {"code": "no", "field": "", "remedy": ""}


class Time:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.waits: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def http(time: Time) -> Http:
    http = Http(BASE, clock=time.clock, sleep=time.sleep, who="shop")
    http.hide(TOKEN)
    return http


@respx.mock
def test_a_fraction_in_an_answer_is_the_decimal_that_was_written(http: Http) -> None:
    respx.post(f"{BASE}/a").respond(content=b'{"amount": 43.10}')

    answer = http.call("POST", "/a", safety=Safety.READ)

    assert answer.document == {"amount": Decimal("43.10")}


@respx.mock
def test_a_read_is_tried_again_until_it_is_answered(http: Http, time: Time) -> None:
    route = respx.get(f"{BASE}/a").mock(
        side_effect=[
            httpx.Response(503),
            httpx.ReadTimeout("slow"),
            httpx.Response(200, content=b'{"cut'),
            httpx.Response(200, json=[1]),
        ]
    )

    answer = http.call("GET", "/a", safety=Safety.READ)

    assert answer.document == [1]
    assert route.call_count == 4
    assert all(wait > 0 for wait in time.waits)


@respx.mock
def test_retry_after_is_obeyed_in_seconds_and_as_a_date(http: Http, time: Time) -> None:
    respx.get(f"{BASE}/a").mock(
        side_effect=[
            httpx.Response(429, headers={"Retry-After": "7.5"}),
            httpx.Response(429, headers={"Retry-After": "Sun, 01 Nov 2026 12:00:17 GMT"}),
            httpx.Response(200, json={}),
        ]
    )

    http.call("GET", "/a", safety=Safety.READ)

    assert time.waits == [7.5, 9.5]


@respx.mock
def test_a_long_pause_is_for_the_caller_to_keep(http: Http, time: Time) -> None:
    respx.get(f"{BASE}/a").respond(429, headers={"Retry-After": "120"})

    with pytest.raises(RateLimited) as caught:
        http.call("GET", "/a", safety=Safety.READ)

    assert caught.value.after_s == 120
    assert time.waits == []


@pytest.mark.parametrize(
    "failure",
    [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("gone"), httpx.Response(500), httpx.Response(200, text="no")],
)
@respx.mock
def test_a_write_without_an_answer_is_in_doubt_and_never_sent_again(
    http: Http, failure: httpx.Response | Exception
) -> None:
    route = respx.post(f"{BASE}/a").mock(side_effect=[failure, httpx.Response(200, json={})])

    with pytest.raises(InDoubt):
        http.call("POST", "/a", safety=Safety.WRITE)

    assert route.call_count == 1


@respx.mock
def test_a_write_that_never_left_is_sent_again(http: Http) -> None:
    route = respx.post(f"{BASE}/a").mock(side_effect=[httpx.ConnectError("refused"), httpx.Response(200, json={})])

    http.call("POST", "/a", safety=Safety.WRITE)

    assert route.call_count == 2


@respx.mock
def test_a_keyed_write_is_sent_again_and_stays_in_doubt_when_the_last_try_never_left(http: Http) -> None:
    route = respx.post(f"{BASE}/a").mock(side_effect=[httpx.ReadTimeout("slow"), *[httpx.ConnectError("refused")] * 3])

    with pytest.raises(InDoubt):
        http.call("POST", "/a", safety=Safety.KEYED)

    assert route.call_count == 4


@pytest.mark.parametrize(
    ("status", "error"),
    [(301, Rejected), (400, Rejected), (401, AuthExpired), (403, Rejected), (429, RateLimited), (502, Retryable)],
)
@respx.mock
def test_each_refusal_has_its_class(http: Http, status: int, error: type[HubError]) -> None:
    respx.get(f"{BASE}/a").respond(status, headers={"location": "https://elsewhere.example"})

    with pytest.raises(error):
        http.call("GET", "/a", safety=Safety.READ)


@respx.mock
def test_a_body_without_an_end_is_not_read_to_it(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.http.BODY_BYTES_MAX", 1000)
    respx.get(f"{BASE}/a").respond(content=b"x" * 1001)

    with pytest.raises(Retryable, match="a body of more than 1000 bytes"):
        http.call("GET", "/a", safety=Safety.READ)


@respx.mock
def test_no_secret_stands_in_an_error_a_repr_or_a_log(http: Http, caplog: pytest.LogCaptureFixture) -> None:
    respx.post(f"{BASE}/a").respond(400, text=f"bad token {TOKEN} in header")
    caplog.set_level(logging.DEBUG)

    with pytest.raises(Rejected) as caught:
        http.call("POST", f"/a?key={TOKEN}", safety=Safety.WRITE, headers={"x-token": TOKEN})

    assert str(caught.value) == "shop: POST /a: 400: bad token … in header"
    assert caught.value.__cause__ is None
    assert TOKEN not in repr(http)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "address",
    [
        *("http://shop.example", "http://shop.test.example", "http://test", "http://.test"),
        *("shop.example", "https://me:pw@shop.example", "file:///etc/passwd", "https://["),
    ],
)
def test_an_address_that_would_give_secrets_away_is_refused(address: str, time: Time) -> None:
    with pytest.raises(Misconfigured) as caught:
        Http(address, clock=time.clock, sleep=time.sleep, who="shop")

    assert "pw" not in str(caught.value).replace("password", "")


def test_a_name_for_tests_alone_is_called_without_tls(time: Time) -> None:
    assert Http("http://shop.test:8790", clock=time.clock, sleep=time.sleep, who="shop").base == "http://shop.test:8790"


@respx.mock
def test_a_file_that_broke_off_is_fetched_again_from_its_beginning(http: Http) -> None:
    def broken() -> httpx.Response:
        def body() -> object:
            yield b'{"id":1}\n{"id'
            raise httpx.ReadError("reset")

        return httpx.Response(200, content=body())  # type: ignore[arg-type]

    respx.get("https://files.example/result").mock(
        side_effect=[broken(), httpx.Response(200, content=b'{"id":1}\n\n{"id":2}')]
    )

    with http.file("https://files.example/result") as lines:
        twice = [list(lines()), list(lines())]

    assert twice == [[b'{"id":1}', b'{"id":2}']] * 2


# --- signed and judged -----------------------------------------------------------------------------------------------


@respx.mock
def test_headers_of_an_attempt_are_asked_for_before_each(http: Http) -> None:
    route = respx.get(f"{BASE}/a").mock(side_effect=[httpx.Response(503), httpx.Response(200, json=[])])
    signatures = iter(["first", "second"])

    http.call("GET", "/a", safety=Safety.READ, headers={"accept": "x"}, sign=lambda: {"signature": next(signatures)})

    assert [call.request.headers["signature"] for call in route.calls] == ["first", "second"]
    assert [call.request.headers["accept"] for call in route.calls] == ["x", "x"]


@respx.mock
def test_a_judge_says_what_a_refusal_is_and_is_retried_by_its_class(http: Http) -> None:
    route = respx.post(f"{BASE}/a").mock(
        side_effect=[httpx.Response(400, json={"code": "BUSY"}), httpx.Response(200, json=[1])]
    )

    def judge(answer: Answer) -> HubError | None:
        return RateLimited("busy") if answer.document == {"code": "BUSY"} else None

    assert http.call("POST", "/a", safety=Safety.WRITE, judge=judge).document == [1]
    assert route.call_count == 2


@respx.mock
def test_what_a_judge_leaves_open_is_decided_by_its_status(http: Http) -> None:
    respx.post(f"{BASE}/a").respond(403, content=b"<html>")
    seen: list[object] = []

    def judge(answer: Answer) -> HubError | None:
        seen.append(answer.document)
        return None

    with pytest.raises(Rejected) as raised:
        http.call("POST", "/a", safety=Safety.WRITE, judge=judge)

    assert raised.value.code == "http_403"
    assert seen == [None]


@respx.mock
def test_a_judge_is_not_asked_of_what_was_wanted(http: Http) -> None:
    respx.get(f"{BASE}/a").respond(404, json={})

    answer = http.call("GET", "/a", safety=Safety.READ, wanted=(404,), judge=lambda _: Rejected("no", **NO))

    assert answer.status == 404
