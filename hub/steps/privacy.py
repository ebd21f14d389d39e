"""privacy: personal data is taken away by rule or on demand, told on demand, and what stands on facts stays as it is.

Orders, facts, events, documents, digests and the audit trail are untouched: they name a party by its reference. A
redaction is a rule that goes on standing: what was received before it stays purged however often it is read again,
and `purge` carries out what was still under way when it was asked for.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from hub.model.documents import DocumentKey, DocumentKind, document_key
from hub.model.order import ACCOUNT, PARTY
from hub.ports import ErasesParties
from hub.steps.hub import Hub
from hub.store import audit, purging
from hub.store.engine import scrub
from hub.store.personal import NO_ORDER, OF_CUSTOMER, OF_ORDER, WHOLE_CHANNEL
from hub.store.purging import PartyKey, RawRecord, Rule
from hub.store.schema import stamp

STANDING: Final = "redactions that stand"
BODIES_TOLD_MAX: Final = 1_000  # raw records of one person, in an export


@dataclass(slots=True)
class Purged:
    """What went, or would go, of one channel by one rule."""

    channel: str
    rule: str  # for people and the audit trail: "received before 2026-08-01", "customer 7"
    parties: int = 0
    records: int = 0  # whose bodies went
    size_bytes: int = 0  # of them
    messages: int = 0  # that echoed a record
    spared: int = 0  # parties and bodies old enough, but of orders that wait for something
    not_advanced: int = 0  # records that would go but wait to be read
    erp_customers: int | None = None  # names erased in the ERP; None: it has no ability to, its own retention governs

    @property
    def anything(self) -> bool:
        return bool(self.parties or self.records or self.messages or self.erp_customers)


@dataclass(slots=True)
class _Scope:
    """What goes of a channel; an order or customer with the moment until when."""

    channel: str
    rule: str
    until: str  # nothing received later goes
    orders: Mapping[str, str] | None = None  # None: all
    customers: Mapping[str, str] = field(default_factory=dict)  # by the channel's id
    spares: bool = False  # what belongs to an order that waits for something
    parties: bool = True
    records: bool = True

    def covers(self, order_id: str, account: str, received_at: str) -> bool:
        """Whether a party of that order, or of that account under no order, goes."""
        if self.orders is None:
            return received_at <= self.until
        named = self.customers.get(account.removeprefix(ACCOUNT)) if order_id == NO_ORDER else self.orders.get(order_id)
        return named is not None and received_at <= named


def purge(
    hub: Hub, channels: Iterable[str], by: str, *, older_than_days: int | None = None, dry_run: bool = False
) -> list[Purged]:
    """What these channels' retention no longer allows is gone, and what standing redactions cover.

    Orders that wait for something (held, an open exception, a document not yet in the ERP) keep theirs until they are
    through; records not yet advanced are left alone.

    Args:
        older_than_days: in place of the configured retention.
    """
    now = hub.clock()
    done = []
    for slug in channels:
        scopes = _retention(hub, slug, now, older_than_days)
        with hub.store.connect() as connection:
            scopes += _standing(purging.rules(connection, slug), slug)
        done += [_purge(hub, scope, now, by, dry_run=dry_run) for scope in scopes]
    return done


def redact_customer(
    hub: Hub, channel: str, customer: str, order_ids: Collection[str], by: str, *, dry_run: bool = False
) -> Purged:
    """Nothing personal of this customer is held any more: of the account, these orders and all others that it placed.

    Args:
        customer: the channel's id.
        order_ids: the channel's, such as a privacy request names; orders known to be the customer's are added.
    """
    now = hub.clock()
    at = stamp(now)
    with hub.store.connect() as connection:
        found = set(order_ids) | purging.orders_of(connection, channel, _erp_customer(channel, customer))
    rules = [Rule(channel, OF_CUSTOMER, f"{ACCOUNT}{customer}", at)]
    rules += [Rule(channel, OF_ORDER, order, at) for order in sorted(found)]
    scope = _Scope(channel, f"customer {customer}", at, dict.fromkeys(found, at), {customer: at})
    return _purge(hub, scope, now, by, rules=rules, dry_run=dry_run)


def redact_channel(hub: Hub, channel: str, by: str, *, dry_run: bool = False) -> Purged:
    """Nothing personal that this channel ever sent is held any more."""
    now = hub.clock()
    rules = [Rule(channel, WHOLE_CHANNEL, "", stamp(now))]
    return _purge(hub, _Scope(channel, "the whole channel", stamp(now)), now, by, rules=rules, dry_run=dry_run)


def customer_data(hub: Hub, channel: str, customer: str, order_ids: Collection[str] = ()) -> dict[str, Any]:
    """What the hub holds of one person, JSON-ready: parties, orders and the raw records as they were received."""
    until = stamp(hub.clock())
    with hub.store.connect() as connection:
        found = set(order_ids) | purging.orders_of(connection, channel, _erp_customer(channel, customer))
        parties = purging.held_of(connection, channel, found, [f"{ACCOUNT}{customer}"])
    scope = _Scope(channel, "", until, dict.fromkeys(found, until), {customer: until})
    records = [one for part in _matching(hub, scope) for one in part][:BODIES_TOLD_MAX]
    bodies = dict(purging.bodies(hub.inbox, [one.id for one in records]))
    return {
        "channel": channel,
        "customer": customer,
        "erp_customer": _erp_customer(channel, customer),
        "orders": sorted(found),
        "parties": [
            {"order": order or None, "received_at": at, **PARTY.dump_python(party, mode="json", exclude_defaults=True)}
            for order, party, at in parties
        ],
        "records": [
            {
                "id": one.id,
                "order": one.order_id,
                "received_at": one.received_at,
                "body": bodies[one.id].decode("utf-8", "backslashreplace"),
            }
            for one in records
        ],
    }


def scrub_stores(hub: Hub) -> bool:
    """What was purged is not in the databases' files either; False: somebody was reading, run it again later."""
    clean = [scrub(hub.store), scrub(hub.inbox)]
    if isinstance(hub.erp, ErasesParties):
        clean.append(hub.erp.scrub())
    return all(clean)


def _retention(hub: Hub, slug: str, now: datetime, older_than_days: int | None) -> list[_Scope]:
    """The scopes of a channel's retention: one where both kinds of data have the same."""
    kept = hub.settings.channel(slug).retention
    parties_days = older_than_days if older_than_days is not None else kept.parties_days
    bodies_days = older_than_days if older_than_days is not None else kept.bodies_days
    scopes = []
    for days, of_parties, of_records in (
        (parties_days, True, parties_days == bodies_days),
        (bodies_days if bodies_days != parties_days else None, False, True),
    ):
        if days is not None:
            until = now - timedelta(days=days)
            rule = f"received before {until:%Y-%m-%d %H:%M}Z"
            scopes.append(_Scope(slug, rule, stamp(until), spares=True, parties=of_parties, records=of_records))
    return scopes


def _standing(rules: Collection[Rule], slug: str) -> list[_Scope]:
    """The scopes of what was redacted: of the whole channel, and of customers and orders, which may be later."""
    whole = [rule.until for rule in rules if rule.kind == WHOLE_CHANNEL]
    scopes = [_Scope(slug, STANDING, max(whole))] if whole else []
    orders = {rule.subject: rule.until for rule in rules if rule.kind == OF_ORDER}
    customers = {rule.subject.removeprefix(ACCOUNT): rule.until for rule in rules if rule.kind == OF_CUSTOMER}
    if orders or customers:
        scopes.append(_Scope(slug, STANDING, max(*orders.values(), *customers.values(), ""), orders, customers))
    return scopes


def _purge(hub: Hub, scope: _Scope, now: datetime, by: str, *, rules: Collection[Rule] = (), dry_run: bool) -> Purged:
    purged = Purged(scope.channel, scope.rule, not_advanced=purging.due(hub.inbox, scope.channel, scope.until))
    if rules and not dry_run:
        with hub.writing() as connection, connection.begin():
            purging.add_rules(connection, list(rules))
    accounts = _empty_parties(hub, scope, purged, stamp(now), dry_run=dry_run) if scope.parties else set()
    if scope.records:
        _empty_records(hub, scope, purged, stamp(now), dry_run=dry_run)
    if dry_run:
        return purged
    subject = _subject(scope, rules)
    if rules or purged.anything:
        detail = {name: value for name, value in asdict(purged).items() if name not in ("channel", "erp_customers")}
        _note(hub, now, by, "redact" if rules else "purge", subject, detail)
    if unnamed := accounts | _without_name(hub, scope):  # last: an ERP that cannot be reached stops nothing else
        keys = sorted({_erp_customer(scope.channel, one) for one in unnamed})
        purged.erp_customers = hub.erp.erase(keys) if isinstance(hub.erp, ErasesParties) else None
        if purged.erp_customers:
            _note(hub, now, by, "erase", subject, {"erp": hub.settings.erp.slug, "customers": keys})
    return purged


def _note(hub: Hub, now: datetime, by: str, action: str, subject: str, detail: Mapping[str, Any]) -> None:
    with hub.writing() as connection, connection.begin():
        audit.note(connection, now, by, action, subject, detail)


def _empty_parties(hub: Hub, scope: _Scope, purged: Purged, at: str, *, dry_run: bool) -> set[str]:
    """The parties are purged; the accounts, by the channel's id, of which nothing is known any more."""
    accounts = None if scope.orders is None else [f"{ACCOUNT}{one}" for one in scope.customers]
    with hub.store.connect() as connection:
        old = [
            key
            for key, received_at in purging.parties(connection, scope.channel, scope.until, scope.orders, accounts)
            if scope.covers(key[0], key[1], received_at)
        ]
    gone_accounts: set[str] = set()
    for start in range(0, len(old), purging.ROWS_AT_ONCE):
        part = old[start : start + purging.ROWS_AT_ONCE]
        with hub.writing() as connection, connection.begin():
            spared = purging.waiting(connection, scope.channel, {key[0] for key in part}) if scope.spares else set()
            gone: list[PartyKey] = [key for key in part if key[0] not in spared]
            purged.spared += len(part) - len(gone)
            purged.parties += len(gone)
            if not dry_run:
                purging.overwriting(connection)
                purging.empty_parties(connection, scope.channel, gone, at)
                touched = {key[1] for key in gone if key[0] == NO_ORDER}
                gone_accounts |= touched - purging.known_by_name(connection, scope.channel, touched)
    return {one.removeprefix(ACCOUNT) for one in gone_accounts}


def _without_name(hub: Hub, scope: _Scope) -> set[str]:
    """The scope's customers of whom nothing is known any more: also those whose purge was cut short before."""
    asked = {f"{ACCOUNT}{one}" for one in scope.customers}
    with hub.store.connect() as connection:
        known = purging.known_by_name(connection, scope.channel, asked)
    return {one.removeprefix(ACCOUNT) for one in asked - known}


def _empty_records(hub: Hub, scope: _Scope, purged: Purged, at: str, *, dry_run: bool) -> None:
    for part in _matching(hub, scope):
        spared: set[str] = set()
        if scope.spares:
            with hub.store.connect() as connection:
                spared = purging.waiting(connection, scope.channel, {_named(one) for one in part})
        gone = [one for one in part if _named(one) not in spared]
        purged.spared += len(part) - len(gone)
        purged.records += len(gone)
        purged.size_bytes += sum(one.size_bytes for one in gone)
        if dry_run or not gone:
            continue
        with hub.writing() as connection, connection.begin():  # first: a body still there is met again by the next run
            purging.overwriting(connection)
            names = {_named(one) for one in gone} | {f"record-{one.id}" for one in gone}
            purged.messages += purging.silence(connection, scope.channel, names)
        with hub.inbox.connect().execution_options(writes=True) as connection, connection.begin():
            purging.overwriting(connection)
            purging.empty_records(connection, [one.id for one in gone], at)


def _matching(hub: Hub, scope: _Scope) -> Iterable[list[RawRecord]]:
    """The advanced records with a body that the scope covers, in parts.

    A record that names no order, or that did not translate, goes where its bytes hold the customer's id as a whole
    word: rather one too many of those than one too few.
    """
    mentions = {
        customer: (re.compile(rb"(?<![0-9A-Za-z])" + re.escape(customer.encode()) + rb"(?![0-9A-Za-z])"), until)
        for customer, until in scope.customers.items()
    }
    for part in purging.records(hub.inbox, scope.channel, scope.until):
        if scope.orders is None:
            yield part
            continue
        found = [one for one in part if one.received_at <= scope.orders.get(one.order_id or "", "")]
        certain = {one.id for one in found}
        doubtful = {
            one.id: one for one in part if one.id not in certain and (one.order_id is None or one.outcome == "held")
        }
        if mentions:
            for id, raw in purging.bodies(hub.inbox, sorted(doubtful)):
                one = doubtful[id]
                if any(one.received_at <= until and word.search(raw) for word, until in mentions.values()):
                    found.append(one)
        if found:
            yield found


def _named(one: RawRecord) -> str:
    """What an exception on the record would be filed under."""
    return one.order_id if one.order_id is not None else f"record-{one.id}"


def _subject(scope: _Scope, rules: Collection[Rule]) -> str:
    customer = next((rule.subject for rule in rules if rule.kind == OF_CUSTOMER), None)
    return f"{scope.channel}/{customer}" if customer else scope.channel


def _erp_customer(channel: str, customer: str) -> DocumentKey:
    return document_key(DocumentKind.CUSTOMER, channel, customer)
