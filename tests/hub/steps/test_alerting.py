"""Alerts: what somebody is told of, once when it begins and once when it is over; over real SMTP and HTTP servers."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from sqlalchemy import update

from hub.settings import Alerts, Called, Mail, longest_wait_s
from hub.steps import turns
from hub.steps.alerting import alert, conditions, seal
from hub.steps.erp_changes import pull_erp
from hub.steps.hub import Hub
from hub.steps.measuring import Measures, measured
from hub.store import inbox
from hub.store.schema import alert_notice, cursor, stamp
from hub.store.views.completeness import Checked
from hub.store.views.gauges import Cursor, HubGauges, InboxGauges, TargetGauges
from tests.conftest import Clock
from tests.hub.steps.conftest import OpenHub

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
QUIET = HubGauges((), {}, {}, None, 0, 0, {})


def measures(inbox: InboxGauges | None = None, hub: HubGauges = QUIET, **beats_s: float) -> Measures:
    return Measures(NOW, inbox, hub, None, {("shopify", name): every for name, every in beats_s.items()}, None)


def told_of(rules: Alerts, found: Measures) -> list[str]:
    return [one.key for one in conditions(rules, found)]


# --- what is a condition ----------------------------------------------------------------------------------------------


def test_money_held_is_told_of_by_currency_from_its_threshold_on() -> None:
    rules = Alerts.model_validate({"money_held_minor": {"USD": 100_000, "EUR": 100_000}})
    held = replace(QUIET, held_minor={"USD": 100_000, "EUR": 99_999, "GBP": 5_000_000})

    assert told_of(rules, measures(hub=held)) == ["money_held:USD"]
    assert [one.words for one in conditions(rules, measures(hub=held))] == ["1,000.00 USD are held by open exceptions"]


def test_what_is_long_in_doubt_is_told_of_by_target() -> None:
    def doubt(minutes: int) -> HubGauges:
        sent = stamp(NOW - timedelta(minutes=minutes))
        return replace(QUIET, targets=(TargetGauges("erp", in_doubt=2, oldest_in_doubt=sent),))

    assert told_of(Alerts(in_doubt_minutes=60), measures(hub=doubt(60))) == ["in_doubt:erp"]
    assert told_of(Alerts(in_doubt_minutes=60), measures(hub=doubt(59))) == []
    assert told_of(Alerts(in_doubt_minutes=None), measures(hub=doubt(6000))) == []


def test_a_channel_is_silent_after_its_own_declared_time() -> None:
    heard = InboxGauges(0, None, {"shopify": stamp(NOW - timedelta(hours=4)), "portal": stamp(NOW)}, (), {})

    assert told_of(Alerts(quiet_minutes={"shopify": 240, "portal": 1}), measures(heard)) == ["silent_channel:shopify"]
    assert told_of(Alerts(quiet_minutes={"shopify": 241}), measures(heard)) == []
    assert told_of(Alerts(), measures(heard)) == []


@pytest.mark.parametrize(
    ("beat_s", "age_s", "late"), [(60, 600, True), (60, 599, False), (5, 299, False), (5, 300, True)]
)
def test_a_cursor_is_late_after_ten_beats_and_five_minutes(beat_s: int, age_s: int, late: bool) -> None:
    read = InboxGauges(0, None, {}, (Cursor("shopify", "orders", stamp(NOW - timedelta(seconds=age_s))),), {})

    assert told_of(Alerts(), measures(read, orders=beat_s)) == (["late_cursor:shopify/orders"] if late else [])


def test_orders_that_a_check_found_missing_are_told_of_by_channel_from_the_threshold_on() -> None:
    one = Checked("shopify", "2026-11-01", "2026-11-02", stamp(NOW), 142_318, 2, 5, 0, "1f0c")
    found = replace(measures(), checks=(one, replace(one, channel="portal", missing=0)))

    assert told_of(Alerts(), found) == ["missing_orders:shopify"]
    assert told_of(Alerts(missing_orders=3), found) == []
    assert told_of(Alerts(missing_orders=None), found) == []
    assert [one.words for one in conditions(Alerts(), found)] == [
        "2 orders of channel shopify are missing: see orderhub completeness"
    ]


@pytest.mark.parametrize(("age_s", "late"), [(600, True), (599, False)])
def test_a_stream_that_was_never_read_is_late_as_one_that_was_read_then(age_s: int, late: bool) -> None:
    since = {("shopify", "orders"): NOW - timedelta(seconds=age_s)}
    found = replace(measures(InboxGauges(0, None, {}, (), {}), orders=60), never_read=since)

    assert [(one.key, one.words) for one in conditions(Alerts(), found)] == [
        ("late_cursor:shopify/orders", "orders of shopify were never read, and are to be for 10 min")
    ][: int(late)]


def test_the_erps_changes_are_told_of_when_they_are_never_read_and_when_they_are_read_late(
    hub: Hub, utc: Clock
) -> None:
    """The ERP's own stream, by the schedule that rings for it and the cursor that its pull leaves."""
    turns.ring_due(hub, {"pull erp": lambda now: now + timedelta(seconds=60)})
    utc.pass_time(seconds=601)
    never = [one.key for one in conditions(Alerts(), measured(hub))]
    pull_erp(hub)
    read = [one.key for one in conditions(Alerts(), measured(hub))]
    utc.pass_time(seconds=601)
    late = [one.words for one in conditions(Alerts(), measured(hub))]

    assert (never, read) == (["late_cursor:ledger/changes"], [])
    assert late == ["changes of ledger were not read for 10 min"]


@pytest.mark.parametrize(
    ("every", "beat_s"),
    [(60, 60), (3_600, 3_600), ("*/15 * * * *", 900), ("0 8,20 * * *", 43_200), ("0 0 1 * *", 31 * 86_400)],
)
def test_a_beat_is_the_configured_one_of_a_cron_expression_its_longest_wait(every: int | str, beat_s: int) -> None:
    assert longest_wait_s(every, "UTC", NOW) == beat_s


# --- who is told, and how often ---------------------------------------------------------------------------------------


@dataclass
class Listener:
    """What came to a real HTTP server."""

    address: str = ""
    answers: list[int] = field(default_factory=list)  # to give next; else 204
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def states(self) -> list[str]:
        return [json.loads(body)["state"] for _, body in self.came]


@pytest.fixture
def listener() -> Iterator[Listener]:
    kept = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.came.append(({name.lower(): text for name, text in self.headers.items()}, body))
            self.send_response(kept.answers.pop(0) if kept.answers else 204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.address = f"http://127.0.0.1:{server.server_port}/alerts"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def watching(hub: Hub, **receivers: Any) -> Hub:
    """The hub with a rule that a late cursor breaks, and somebody to be told."""
    rules = Alerts.model_validate({"late_cursor_beats": 10, **receivers})
    secrets = {"ALERT_KEY": SecretStr("hush"), "SMTP_PASSWORD": SecretStr("hush-mail")}
    settings = hub.settings.model_copy(update={"alerts": rules, "secret_values": secrets})
    channel = settings.channels[0].model_copy(update={"address": "https://main-street.myshopify.com"})
    return replace(hub, settings=settings.model_copy(update={"channels": (channel,)}))


def calling(listener: Listener) -> dict[str, Any]:
    return {"webhook": Called(address=listener.address, secret="ALERT_KEY")}


def read_then(hub: Hub, at: datetime) -> None:
    """The channel's orders were read then, and never since."""
    inbox.put_page(hub.inbox, [], "shopify", "orders", "{}", at)


def test_a_condition_is_told_once_and_its_end_once(hub: Hub, utc: Clock, listener: Listener) -> None:
    hub = watching(hub, **calling(listener))
    read_then(hub, utc.now)
    utc.pass_time(hours=9)

    told = [alert(hub) for _ in range(3)]
    read_then(hub, utc.now)
    told += [alert(hub) for _ in range(3)]

    assert told == [1, 0, 0, 1, 0, 0]
    assert listener.states() == ["opened", "resolved"]


def test_what_is_told_is_sealed_and_has_an_id_for_life(hub: Hub, utc: Clock, listener: Listener) -> None:
    hub = watching(hub, **calling(listener))
    read_then(hub, utc.now)
    utc.pass_time(hours=9)
    listener.answers = [503]

    alert(hub)
    utc.pass_time(seconds=59)
    alert(hub)
    before = len(listener.came)
    utc.pass_time(seconds=1)
    alert(hub)

    assert before == 1  # not tried again at once
    [(first, _), (headers, body)] = listener.came
    assert first["x-orderhub-delivery"] == headers["x-orderhub-delivery"] == "1-opened"
    assert headers["x-orderhub-signature"] == seal("hush", headers["x-orderhub-timestamp"], body)
    assert json.loads(body) == {
        "id": "1-opened",
        "state": "opened",
        "kind": "late_cursor",
        "subject": "shopify/orders",
        "words": "orders of shopify were not read for 9 h.",
        "opened_at": "2026-11-02T21:00:00+00:00",
        "resolved_at": None,
    }


def test_a_restart_tells_nothing_again(open_one: OpenHub, utc: Clock, listener: Listener) -> None:
    hub = watching(open_one(), **calling(listener))
    read_then(hub, utc.now)
    utc.pass_time(hours=9)
    alert(hub)

    alert(watching(open_one(), **calling(listener)))

    assert listener.states() == ["opened"]


def test_two_processes_at_once_tell_once(open_one: OpenHub, utc: Clock, listener: Listener) -> None:
    hubs = [watching(open_one(), **calling(listener)) for _ in range(2)]
    read_then(hubs[0], utc.now)
    utc.pass_time(hours=9)
    start = threading.Barrier(4)

    def look(hub: Hub) -> None:
        start.wait()
        alert(hub)

    threads = [threading.Thread(target=look, args=(hub,)) for hub in hubs * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert listener.states() == ["opened"]


def test_a_process_that_is_gone_between_claim_and_telling_leaves_it_to_the_next(
    hub: Hub, utc: Clock, listener: Listener
) -> None:
    hub = watching(hub, **calling(listener))
    read_then(hub, utc.now)
    utc.pass_time(hours=9)
    alert(hub)
    with hub.writing() as connection, connection.begin():  # as the claim left it, the answer never noted
        until = stamp(utc.now + timedelta(seconds=120))
        connection.execute(update(alert_notice).values(told_at=None, due_at=until))

    at_once = alert(hub)
    utc.pass_time(seconds=120)
    later = alert(hub)

    assert (at_once, later) == (0, 1)
    assert {headers["x-orderhub-delivery"] for headers, _ in listener.came} == {"1-opened"}


def test_the_end_is_told_only_to_who_knows_of_the_beginning(hub: Hub, utc: Clock, listener: Listener) -> None:
    hub = watching(hub, **calling(listener))
    read_then(hub, utc.now)
    utc.pass_time(hours=9)
    listener.answers = [500, 500]

    alert(hub)
    read_then(hub, utc.now)
    alert(hub)
    between = listener.states()
    utc.pass_time(seconds=60)
    alert(hub)
    utc.pass_time(seconds=120)
    read_then(hub, utc.now)
    alert(hub)

    assert between == ["opened"]
    assert listener.states() == ["opened", "opened", "opened", "resolved"]


def test_while_the_inbox_is_down_no_cursor_is_said_to_be_well_again(hub: Hub, utc: Clock, listener: Listener) -> None:
    hub = watching(hub, **calling(listener))
    read_then(hub, utc.now)
    utc.pass_time(hours=9)
    alert(hub)
    with hub.inbox.connect() as connection:
        cursor.drop(connection)
        connection.commit()

    alert(hub)

    assert listener.states() == ["opened"]
    found = measured(hub).hub
    assert found is not None
    assert found.alerts == {"late_cursor": 1}


# --- by mail ----------------------------------------------------------------------------------------------------------


@dataclass
class Post:
    """A mail server's letters."""

    letters: list[tuple[str, list[str], bytes, bool]] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802  the library's name for it
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.letters.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 OK"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    unencrypted = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted))
    return files


@contextmanager
def post_office(post: Post, certificate: tuple[Path, Path] | None) -> Iterator[int]:
    """A real SMTP server on a port of this machine."""
    options: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": _known}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    controller = Controller(post, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def _known(server: Any, session: Any, envelope: Any, mechanism: str, auth_data: Any) -> AuthResult:
    good = isinstance(auth_data, LoginPassword) and auth_data == LoginPassword(b"hub", b"hush-mail")
    return AuthResult(success=good, handled=False)


def mailing(port: int, ca: Path | None) -> dict[str, Any]:
    given = {"server": "127.0.0.1", "port": port, "sender": "hub@example.com", "to": ["ops@example.com"], "ca": ca}
    return {"mail": Mail.model_validate({**given, "user": "hub", "password": "SMTP_PASSWORD"})}


def test_a_letter_tells_it_over_tls(hub: Hub, utc: Clock, certificate: tuple[Path, Path]) -> None:
    post = Post()
    with post_office(post, certificate) as port:
        hub = watching(hub, **mailing(port, certificate[0]))
        read_then(hub, utc.now)
        utc.pass_time(hours=9)
        told = [alert(hub), alert(hub)]
        read_then(hub, utc.now)
        told.append(alert(hub))

    assert told == [1, 0, 1]
    [(sender, to, first, sealed), (_, _, second, _)] = post.letters
    assert (sender, to, sealed) == ("hub@example.com", ["ops@example.com"], True)
    opened, over = (message_from_bytes(one, policy=policy.default) for one in (first, second))
    assert opened["subject"] == "[orderhub] late cursor: shopify/orders"
    assert opened["message-id"] == "<orderhub-alert-1-opened@example.com>"
    assert "orders of shopify were not read for 9 h." in str(opened.get_content())
    assert over["subject"] == "[orderhub] over: late cursor: shopify/orders"
    assert over["in-reply-to"] == "<orderhub-alert-1-opened@example.com>"


def test_a_server_that_seals_nothing_is_told_nothing(
    hub: Hub, utc: Clock, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    post = Post()
    with post_office(post, None) as port:
        hub = watching(hub, **mailing(port, certificate[0]))
        read_then(hub, utc.now)
        utc.pass_time(hours=9)
        told = alert(hub)

    assert told == 0
    assert post.letters == []
    assert "alert.untold" in caplog.text
    assert "hush-mail" not in caplog.text


def test_a_server_that_another_vouches_for_is_told_nothing(
    hub: Hub, utc: Clock, certificate: tuple[Path, Path]
) -> None:
    post = Post()
    with post_office(post, certificate) as port:
        hub = watching(hub, **mailing(port, None))
        read_then(hub, utc.now)
        utc.pass_time(hours=9)

        assert alert(hub) == 0
    assert post.letters == []
