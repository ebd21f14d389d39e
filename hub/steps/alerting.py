"""alert: what somebody is to be told of is found by the figures, kept in the store, and told once, by mail and webhook.

A notice is told at least once and as a rule once: it is claimed, told with no transaction open, and marked. A process
that is killed between the last two leaves it to be told again, under the same id.
"""

import hashlib
import hmac
import json
import logging
import smtplib
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Final

from hub.errors import HubError
from hub.http import Http, Safety
from hub.model.money import Currency, format_minor
from hub.settings import Alerts, Called, Mail
from hub.steps.hub import Hub
from hub.steps.measuring import Measures, measured
from hub.store import alerts
from hub.store.alerts import Condition, Notice
from hub.store.schema import moment

log = logging.getLogger(__name__)

MONEY_HELD: Final = "money_held"
IN_DOUBT: Final = "in_doubt"
SILENT_CHANNEL: Final = "silent_channel"
LATE_CURSOR: Final = "late_cursor"
MISSING_ORDERS: Final = "missing_orders"
OF_INBOX: Final = (SILENT_CHANNEL, LATE_CURSOR)
OF_STORE: Final = (MONEY_HELD, IN_DOUBT, MISSING_ORDERS)

MAIL: Final = "mail"
WEBHOOK: Final = "webhook"
LATE_S_MIN: Final = 300
"""A cursor is not late before, however quick its beat is."""
LEASE_S: Final = 120
TALK_S: Final = 30.0  # of silence of a mail server
AGAIN_S: Final = 60  # after the first failure, then twice as long each time
AGAIN_S_MAX: Final = 3_600
NOTICES_MAX: Final = 200  # told in one go


def alert(hub: Hub) -> int:
    """What the figures say now is on record, and who is to know was told; how many notices went out."""
    rules = hub.settings.alerts
    found = measured(hub)
    if found.hub is None:
        return 0  # there is nowhere to remember that somebody was told; /readyz and orderhub_up say so
    looked_at = (*OF_STORE, *(OF_INBOX if found.inbox is not None else ()))
    receivers = [name for name, one in ((MAIL, rules.mail), (WEBHOOK, rules.webhook)) if one is not None]
    with hub.writing() as connection, connection.begin():
        began, ended = alerts.keep(connection, list(conditions(rules, found)), looked_at, receivers, hub.clock())
    for key in began:
        log.warning("alert.opened", extra={"alert": key})
    for key in ended:
        log.warning("alert.resolved", extra={"alert": key})
    return _tell_all(hub, receivers) if receivers else 0


def conditions(rules: Alerts, found: Measures) -> Iterator[Condition]:
    """What the rules want to be told of, by these figures."""
    if found.hub is not None:
        for currency, minor in sorted(found.hub.held_minor.items()):
            most = rules.money_held_minor.get(Currency(currency))
            if most is not None and minor >= most:
                yield Condition(MONEY_HELD, currency, f"{format_minor(minor, currency)} are held by open exceptions")
        for one in found.hub.targets:
            if rules.in_doubt_minutes is not None and one.oldest_in_doubt is not None:
                age_s = _age_s(one.oldest_in_doubt, found.at)
                if age_s >= rules.in_doubt_minutes * 60:
                    words = f"{one.in_doubt} writes to {one.target} are in doubt, the oldest for {_long(age_s)}"
                    yield Condition(IN_DOUBT, one.target, words)
        for check in found.checks:
            if rules.missing_orders is not None and check.missing >= rules.missing_orders:
                words = f"{check.missing} orders of channel {check.channel} are missing: see orderhub completeness"
                yield Condition(MISSING_ORDERS, check.channel, words)
    if found.inbox is None:
        return
    for channel, received_at in sorted(found.inbox.last_received.items()):
        quiet = rules.quiet_minutes.get(channel)
        age_s = _age_s(received_at, found.at)
        if quiet is not None and age_s >= quiet * 60:
            yield Condition(SILENT_CHANNEL, channel, f"nothing came of channel {channel} for {_long(age_s)}")
    for (channel, stream), age_s in _late(
        rules, found, {(x.channel, x.stream): moment(x.moved_at) for x in found.inbox.cursors}
    ):
        yield Condition(LATE_CURSOR, f"{channel}/{stream}", f"{stream} of {channel} were not read for {_long(age_s)}")
    for (channel, stream), age_s in _late(rules, found, found.never_read):
        words = f"{stream} of {channel} were never read, and are to be for {_long(age_s)}"
        yield Condition(LATE_CURSOR, f"{channel}/{stream}", words)


def _late(
    rules: Alerts, found: Measures, since: Mapping[tuple[str, str], datetime]
) -> Iterator[tuple[tuple[str, str], float]]:
    """The streams that are not read since so long that it is too long, by their beats."""
    for of, at in sorted(since.items()):
        beat_s = found.beats_s.get(of)
        age_s = (found.at - at).total_seconds()
        if rules.late_cursor_beats is None or beat_s is None:
            continue
        if age_s >= max(LATE_S_MIN, rules.late_cursor_beats * beat_s):
            yield of, age_s


def _tell_all(hub: Hub, receivers: list[str]) -> int:
    told = 0
    for _ in range(NOTICES_MAX):
        now = hub.clock()
        with hub.writing() as connection, connection.begin():
            notice = alerts.claim(connection, receivers, now, LEASE_S)
        if notice is None:
            break
        told += _tell(hub, notice)
    return told


def _tell(hub: Hub, notice: Notice) -> bool:
    rules = hub.settings.alerts
    named = {"alert": f"{notice.kind}:{notice.subject}", "receiver": notice.receiver, "state": notice.phase}
    try:
        if notice.receiver == MAIL and rules.mail is not None:
            _mail(hub, rules.mail, notice)
        elif rules.webhook is not None:
            _call(hub, rules.webhook, notice)
    except (HubError, OSError, smtplib.SMTPException) as fault:
        wait_s = min(AGAIN_S * 2 ** (notice.attempts - 1), AGAIN_S_MAX)
        log.warning("alert.untold", extra={**named, "again_in_s": wait_s, "attempts": notice.attempts, "fault": fault})
        with hub.writing() as connection, connection.begin():
            alerts.tell_again(connection, notice, hub.clock() + timedelta(seconds=wait_s))
        return False
    with hub.writing() as connection, connection.begin():
        alerts.told(connection, notice, hub.clock())
    log.info("alert.told", extra=named)
    return True


def _mail(hub: Hub, mail: Mail, notice: Notice) -> None:
    message = EmailMessage()
    over = "over: " if notice.phase == alerts.RESOLVED else ""
    message["Subject"] = f"[orderhub] {over}{notice.kind.replace('_', ' ')}: {notice.subject}"
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Date"] = notice.resolved_at or notice.opened_at
    message["Message-ID"] = f"<orderhub-alert-{notice.id}@{mail.sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.phase == alerts.RESOLVED:
        message["In-Reply-To"] = f"<orderhub-alert-{notice.alert_id}-opened@{mail.sender.partition('@')[2]}>"
    message.set_content(f"{_said(notice)}\n\nSince {notice.opened_at:%Y-%m-%d %H:%M} UTC. See orderhub status.\n")
    trusted = ssl.create_default_context(cafile=str(mail.ca) if mail.ca else None)
    server: smtplib.SMTP
    if mail.tls == "tls":
        server = smtplib.SMTP_SSL(mail.server, mail.port, timeout=TALK_S, context=trusted)
    else:
        server = smtplib.SMTP(mail.server, mail.port, timeout=TALK_S)
    with server:
        if mail.tls == "starttls":
            server.starttls(context=trusted)  # raises where the server has none: nothing is said in the open
        if mail.user is not None and mail.password is not None:
            secret = hub.settings.variable(mail.password, "alerts need the mail server's password")
            server.login(mail.user, secret.get_secret_value())
        server.send_message(message, mail.sender, list(mail.to))


def _call(hub: Hub, called: Called, notice: Notice) -> None:
    body = json.dumps(
        {
            "id": notice.id,
            "state": notice.phase,
            "kind": notice.kind,
            "subject": notice.subject,
            "words": _said(notice),
            "opened_at": notice.opened_at.isoformat(),
            "resolved_at": notice.resolved_at.isoformat() if notice.resolved_at else None,
        }
    ).encode()
    secret = hub.settings.variable(called.secret, "alerts need the key of their webhook's seal").get_secret_value()
    at = str(int(hub.clock().timestamp()))
    headers = {
        "content-type": "application/json",
        "x-orderhub-delivery": notice.id,
        "x-orderhub-timestamp": at,
        "x-orderhub-signature": seal(secret, at, body),
    }
    http = Http(called.address, clock=hub.clock, sleep=hub.sleep, who="alerts", attempts=1)
    http.hide(secret)
    try:
        http.call("POST", http.base, safety=Safety.KEYED, headers=headers, content=body, parse=False)
    finally:
        http.close()


def seal(secret: str, at: str, body: bytes) -> str:
    """The hex HMAC-SHA256 over the timestamp, a full stop and the body."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def _said(notice: Notice) -> str:
    return f"It is over: {notice.words}." if notice.phase == alerts.RESOLVED else f"{notice.words}."


def _age_s(at: str, now: datetime) -> float:
    return (now - moment(at)).total_seconds()


def _long(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
