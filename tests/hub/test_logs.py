"""Log lines: what may stand in one, and that nothing else does."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from hub.errors import Misconfigured, Retryable
from hub.logs import Words, about, fault_of, log_to, without_login

PLANTED = "Zqxv Planted"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    levels = {name: logging.getLogger(name).level for name in ("hub", "connectors", "erp_adapters", "mappings")}
    log_to(handler, as_json=True, level=logging.INFO)
    yield out
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def last(lines: io.StringIO) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lines.getvalue().splitlines()[-1])
    return found


log = logging.getLogger("hub.somewhere")


def test_a_line_is_one_object_with_its_event_and_fields(lines: io.StringIO) -> None:
    log.info("send.done", extra={"channel": "shopify", "order": "5500000000001", "step": 7, "ref": None})

    line = last(lines)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info", "event": "send.done", "channel": "shopify", "order": "5500000000001", "step": 7,
    }  # fmt: skip


def test_what_is_called_in_a_block_says_what_the_block_is_about(lines: io.StringIO) -> None:
    with about(step=7, document="so-shopify-1"), about(channel="shopify"):
        log.info("http.call", extra={"status": 204})
    log.info("http.call", extra={"status": 200})

    inside, after = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert (inside["step"], inside["document"], inside["channel"], inside["status"]) == (
        7,
        "so-shopify-1",
        "shopify",
        204,
    )
    assert "step" not in after


@pytest.mark.parametrize(
    "extra",
    [
        {"email": f"{PLANTED}@example.com"},
        {"customer": PLANTED},
        {"order": f"{PLANTED}@example.com"},
        {"request": PLANTED},
        {"ref": PLANTED},
        {"fault": PLANTED},
        {"fault": ValueError(PLANTED)},
        {"fault": Retryable(f"netsuite: POST: 500: no customer {PLANTED}")},
    ],
    ids=str,
)
def test_what_is_no_field_of_ours_and_what_a_far_side_said_stays_out(lines: io.StringIO, extra: dict[str, Any]) -> None:
    log.warning("send.rejected", extra=extra)

    assert last(lines)["event"] == "send.rejected"
    assert "Zqxv" not in lines.getvalue()


def test_a_fault_is_told_by_class_and_place_and_never_by_its_words(lines: io.StringIO) -> None:
    try:
        int(PLANTED)
    except ValueError:
        log.exception("job.failed")

    assert last(lines)["fault"].startswith("ValueError at test_logs.py:")
    assert "Zqxv" not in lines.getvalue()


def test_what_the_hub_itself_says_of_its_configuration_is_told(lines: io.StringIO) -> None:
    log.error("webhook.refused", extra={"fault": Misconfigured("shopify needs its webhook secret")})

    assert last(lines)["fault"] == "Misconfigured shopify needs its webhook secret"


def test_a_librarys_warning_is_told_by_where_it_was_logged(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("could not read %s", PLANTED)

    line = last(lines)
    assert (line["event"], line["logger"]) == ("log", "some.library")
    assert "Zqxv" not in lines.getvalue()


def test_a_line_cannot_be_broken_or_forged_by_what_is_logged(lines: io.StringIO) -> None:
    log.info("capture.stored", extra={"key": 'a\n{"event": "send.done"}', "topic": "\x1b[31m"})

    assert len(lines.getvalue().splitlines()) == 1
    assert (last(lines)["key"], last(lines)["topic"]) == ("…", "…")


def test_a_fault_begins_no_line_and_steers_no_terminal() -> None:
    """Our own words may hold a name that a file or a channel chose."""
    fault = Misconfigured("no item \x1b[2J\norderhub: all is well\r\x9b31m\u2028x")
    record = logging.makeLogRecord({"name": "hub.somewhere", "msg": "send.fault", "fault": fault})

    assert Words().format(record) == "orderhub: send.fault fault=Misconfigured no item [2J orderhub: all is well 31m x"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "cannot reach postgresql+psycopg://hub:hush@db/orders?x=1 now",
            "cannot reach postgresql+psycopg://…@db/orders?x=1 now",
        ),
        ("redis://:hu@sh/a:b@cache:6379/0", "redis://…@cache:6379/0"),
        ("host=db user=hub password=hush dbname=x", "host=db user=hub password=… dbname=x"),
        ("https://shop.example/a?token=hush&b=1", "https://shop.example/a?token=…&b=1"),
        ("see https://shop.example/a", "see https://shop.example/a"),
    ],
)
def test_an_address_is_told_without_who_logs_in_there(said: str, told: str) -> None:
    assert without_login(said) == told


def test_a_fault_in_our_own_words_names_no_password() -> None:
    assert fault_of(Misconfigured("no store at postgresql://hub:hush@db/x: check it")) == (
        "Misconfigured no store at postgresql://…@db/x: check it"
    )
