"""The configuration file: what it gives, and every fault of it by file, line and path."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from shutil import copytree

import pytest

from hub.errors import Misconfigured
from hub.settings import SHIPPED, ConfigurationFaults, Fault, faults, load_settings

GOOD = """\
entities:
  - slug: main
    name: Main Street Trading, Inc.
    currency: USD
    timezone: America/New_York
channels:
  - slug: shopify
    system: shopify
    entity: main
    currency: USD
    timezone: America/New_York
    secrets:
      webhook: SHOPIFY_WEBHOOK_SECRET
erp:
  slug: ledger
  system: ledger
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Puts a text into hub.yaml of an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def put(text: str) -> Path:
        file = tmp_path / "hub.yaml"
        file.write_text(text)
        return file

    return put


def printed(file: Path, environ: dict[str, str] | None = None) -> list[str]:
    return [str(fault) for fault in faults(file, environ or {})]


def test_the_shipped_configuration_has_no_fault() -> None:
    assert faults(None, {}) == []


def test_the_shipped_configuration_is_one_shopify_channel_and_the_ledger(tmp_path: Path) -> None:
    settings = load_settings(None, tmp_path, {})

    assert [(part.slug, part.system, part.entity, part.currency) for part in settings.channels] == [
        ("shopify", "shopify", "main", "USD")
    ]
    assert [(part.slug, part.currency, part.timezone) for part in settings.entities] == [
        ("main", "USD", "America/New_York")
    ]
    assert (settings.erp.slug, settings.erp.system) == ("ledger", "ledger")
    assert settings.config == SHIPPED


def test_by_default_unpaid_orders_are_held_and_neither_edit_window_nor_credit_limit_is(write: Write) -> None:
    holds = load_settings(write(GOOD), None, {}).holds

    assert (holds.require_capture.on, holds.require_capture.b2b) == (True, False)
    assert holds.edit_window_minutes == 0
    assert holds.credit.on is False
    assert (holds.unmapped_item, holds.missing_rate, holds.price.on) == (True, True, True)


def test_a_channel_says_when_it_goes_live(write: Write) -> None:
    text = GOOD.replace("    secrets:", "    go_live: 2026-03-01\n    secrets:")

    channel = load_settings(write(text), None, {}).channel("shopify")

    assert channel.go_live == date(2026, 3, 1)


def test_a_fraction_is_the_decimal_that_was_written(write: Write) -> None:
    text = GOOD + "holds: {price: {tolerance_percent: 0.10}}\n"

    percent = load_settings(write(text), None, {}).holds.price.tolerance_percent

    assert (percent, str(percent)) == (Decimal("0.10"), "0.10")


# --- where things are ---------------------------------------------------------------------------------------------


def test_the_option_names_the_home_before_the_environment_does(tmp_path: Path) -> None:
    environ = {"ORDERHUB_HOME": str(tmp_path / "from-environment")}

    assert load_settings(None, tmp_path / "from-option", environ).home == tmp_path / "from-option"
    assert load_settings(None, None, environ).home == tmp_path / "from-environment"


def test_without_a_word_the_home_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert load_settings(None, None, {}).home == tmp_path / ".orderhub"


def test_the_process_environment_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORDERHUB_HOME", "/nowhere")
    monkeypatch.setenv("ORDERHUB_CONFIG", "/nowhere/hub.yaml")

    assert load_settings(None, None, {}).home == tmp_path / ".orderhub"


def test_the_environment_names_another_configuration(write: Write) -> None:
    file = write(GOOD.replace("slug: shopify", "slug: us"))

    settings = load_settings(None, None, {"ORDERHUB_CONFIG": str(file)})

    assert [channel.slug for channel in settings.channels] == ["us"]


def test_embedded_hub_inbox_and_ledger_are_a_file_each(tmp_path: Path) -> None:
    stores = load_settings(None, tmp_path, {}).stores

    assert stores.hub.url.get_secret_value() == f"sqlite:///{tmp_path}/hub.db"
    assert stores.inbox.url.get_secret_value() == f"sqlite:///{tmp_path}/inbox.db"
    assert stores.ledger.url.get_secret_value() == f"sqlite:///{tmp_path}/ledger.db"


def test_on_postgresql_hub_inbox_and_ledger_are_a_schema_each(tmp_path: Path) -> None:
    environ = {"ORDERHUB_DATABASE_URL": "postgresql://hub:pw@db/hub"}

    stores = load_settings(None, tmp_path, environ).stores

    assert [store.schema for store in (stores.hub, stores.inbox, stores.ledger)] == ["hub", "inbox", "ledger"]
    assert stores.hub.url.get_secret_value() == "postgresql+psycopg://hub:pw@db/hub"


def test_a_database_of_another_kind_is_a_fault_that_does_not_tell_its_password(write: Write) -> None:
    found = printed(write(GOOD), {"ORDERHUB_DATABASE_URL": "mysql://hub:hunter2@db/hub"})

    assert found == ["environment:1: ORDERHUB_DATABASE_URL: expected postgresql://USER@HOST/DATABASE"]


def test_a_named_file_lies_beside_the_configuration(write: Write, tmp_path: Path) -> None:
    (tmp_path / "rates-2026.yaml").write_text("EUR: 1.08\n")

    settings = load_settings(write(GOOD + "files: {rates: rates-2026.yaml}\n"), None, {})

    assert settings.files.rates == tmp_path / "rates-2026.yaml"
    assert settings.files.items == SHIPPED.parent / "items.yaml"


# --- faults -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (
            "    entity: main\n    currency: USD",
            "    entity: main\n    currency: USDX",
            "hub.yaml:10: channels[0].currency: not an ISO 4217 currency: 'USDX'",
        ),
        (
            "entity: main",
            "entity: mian",
            "hub.yaml:9: channels[0].entity: no such entity: 'mian'; there is main",
        ),
        (
            "    entity: main\n",
            "",
            "hub.yaml:7: channels[0].entity: required, not given",
        ),
        (
            "    system: shopify",
            "    system: shopfy",
            "hub.yaml:8: channels[0].system: no plugin for it: 'shopfy'; installed: shopify",
        ),
        (
            "    entity: main\n",
            "    entity: main\n    overlays:\n      po_number:\n        - note[?name=='PO']\n        - note[?\n",
            (
                "hub.yaml:13: channels[0].overlays.po_number[1]: not JMESPath: 'note[?': Invalid jmespath expression: "
                'Incomplete expression: "note[?" ^'
            ),
        ),
        (
            "    entity: main\n",
            "    entity: main\n    overlays: {claimed_total_minor: total}\n",
            (
                "hub.yaml:10: channels[0].overlays.claimed_total_minor: input should be 'po_number', "
                "'promised_ship_by', 'promised_delivery_by', 'business', 'ship_method', 'customer_class' or 'source': "
                "'claimed_total_minor'"
            ),
        ),
        (
            "    entity: main\n",
            "    entity: main\n    go_liv: 2026-01-01\n",
            "hub.yaml:10: channels[0].go_liv: no such setting; did you mean 'go_live'?",
        ),
        (
            "  - slug: shopify",
            "  - slug: Shopify US",
            "hub.yaml:7: channels[0].slug: not a slug: 'Shopify US'; expected at most 20 of a-z, 0-9 and '-'",
        ),
        (
            "  - slug: shopify",
            "  - slug: erp",
            "hub.yaml:7: channels[0].slug: 'erp' is the hub's own word for the ERP: name another",
        ),
        (
            "    entity: main\n",
            "    entity: main\n    ships: nobody\n",
            "hub.yaml:10: channels[0].ships: input should be 'channel', 'erp' or 'warehouse': 'nobody'",
        ),
        (
            "slug: ledger",
            "slug: shopify",
            "hub.yaml:15: erp.slug: used twice: 'shopify'",
        ),
        (
            "  system: ledger\n",
            "  system: ledger\n  zzz: 4\n",
            "hub.yaml:17: erp.zzz: no such setting",
        ),
        (
            "  system: ledger\n",
            "  system: ledger\n  slug: again\n",
            "hub.yaml:17: erp.slug: given twice, first on line 15",
        ),
        (
            "  system: ledger\n",
            "  system: ledger\nfiles:\n  items: price-list.yaml\n",
            "hub.yaml:18: files.items: no such file: price-list.yaml",
        ),
        (
            "    name: Main Street Trading, Inc.\n",
            "    name: Main Street Trading, Inc.\n    chart: our-chart.yaml\n",
            "hub.yaml:4: entities[0].chart: no such file: our-chart.yaml",
        ),
    ],
)
def test_a_fault_is_named_with_line_and_path(write: Write, good: str, bad: str, expected: str) -> None:
    assert good in GOOD

    assert printed(write(GOOD.replace(good, bad, 1))) == [expected]


def test_a_hub_without_a_channel_is_a_fault(write: Write) -> None:
    text = GOOD[: GOOD.index("channels:")] + "channels: []\n" + GOOD[GOOD.index("erp:") :]

    assert printed(write(text)) == ["hub.yaml:6: channels: at least one is needed"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "America", ""])
def test_a_time_zone_that_does_not_exist_is_a_fault(write: Write, zone: str) -> None:
    found = printed(write(GOOD.replace("America/New_York", f"'{zone}'", 1)))

    assert found == [
        f"hub.yaml:5: entities[0].timezone: not a time zone: {zone!r}; expected one like 'America/New_York'"
    ]


def test_all_faults_are_named_at_once_in_the_order_of_their_lines(write: Write) -> None:
    text = GOOD.replace("currency: USD", "currency: USDX").replace("entity: main", "entity: other")
    text += "holds:\n  price: {tolerance_minor: -1}\n  credit_limits: {}\n"

    found = [(fault.line, fault.path) for fault in faults(write(text), {})]

    assert found == [
        (4, "entities[0].currency"),
        (9, "channels[0].entity"),
        (10, "channels[0].currency"),
        (18, "holds.price.tolerance_minor"),
        (19, "holds.credit_limits"),
    ]


def test_loading_refuses_a_faulty_file_with_all_its_faults(write: Write) -> None:
    file = write(GOOD.replace("currency: USD", "currency: USDX"))

    with pytest.raises(ConfigurationFaults) as refused:
        load_settings(file, None, {})

    assert refused.value.faults == (
        Fault("hub.yaml", 4, "entities[0].currency", "not an ISO 4217 currency: 'USDX'"),
        Fault("hub.yaml", 10, "channels[0].currency", "not an ISO 4217 currency: 'USDX'"),
    )
    assert str(refused.value) == (
        "hub.yaml:4: entities[0].currency: not an ISO 4217 currency: 'USDX'\n"
        "hub.yaml:10: channels[0].currency: not an ISO 4217 currency: 'USDX'"
    )


def test_two_channels_of_one_slug_are_a_fault_at_the_second(write: Write) -> None:
    second = "  - {slug: shopify, system: shopify, entity: main, currency: EUR, timezone: Europe/Paris}\n"

    assert printed(write(GOOD.replace("erp:\n", second + "erp:\n"))) == [
        "hub.yaml:14: channels[1].slug: used twice: 'shopify'"
    ]


def test_a_broken_file_that_is_named_is_pointed_at_in_that_file(write: Write, tmp_path: Path) -> None:
    (tmp_path / "items.yaml").write_text("- sku: A\n- sku: [B\n")

    [found] = faults(write(GOOD + "files: {items: items.yaml}\n"), {})

    assert (found.file, found.line) == ("items.yaml", 3)
    assert found.message.startswith("not YAML: ")


@pytest.mark.parametrize("text", ["entities: [\n", "a: b: c\n", "entities: !!python/object:os.system {}\n", "\x00"])
def test_what_is_not_yaml_is_one_fault(write: Write, text: str) -> None:
    [found] = faults(write(text), {})

    assert found.message.startswith("not YAML: ")


def test_a_file_that_swallows_itself_is_a_fault_and_not_a_hang(write: Write) -> None:
    [found] = faults(write("entities: &all [*all, *all]\n"), {})

    assert found.message.startswith("not YAML: ")


@pytest.mark.parametrize("text", ["", "[]\n", "just words\n"])
def test_a_file_of_another_shape_is_a_fault(write: Write, text: str) -> None:
    assert faults(write(text), {}) != []


def test_a_missing_file_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert printed(tmp_path / "none.yaml") == ["none.yaml:1: cannot be read: No such file or directory"]


# --- secrets ------------------------------------------------------------------------------------------------------


def test_a_secret_in_the_file_is_a_fault_that_does_not_repeat_it(write: Write) -> None:
    [found] = printed(write(GOOD.replace("SHOPIFY_WEBHOOK_SECRET", "shpss_0123456789abcdef")))

    assert found == (
        "hub.yaml:13: channels[0].secrets.webhook: expected the name of an environment variable, "
        "like SHOPIFY_WEBHOOK_SECRET, never a secret"
    )


@pytest.mark.parametrize(
    "line", ["secrets: shpss_0123456789abcdef", "secrets: [shpss_0123456789abcdef]", "secret: shpss_0123456789abcdef"]
)
def test_a_secret_in_the_wrong_place_is_not_repeated_either(write: Write, line: str) -> None:
    text = GOOD.replace("    secrets:\n      webhook: SHOPIFY_WEBHOOK_SECRET\n", f"    {line}\n")

    found = printed(write(text))

    assert len(found) == 1
    assert found[0].startswith("hub.yaml:12: channels[0].secret")
    assert "shpss_0123456789abcdef" not in found[0]


def test_an_unset_secret_is_a_fault_only_for_an_ability_that_needs_it(write: Write) -> None:
    file = write(GOOD)

    assert faults(file, {}) == []
    assert faults(file, {}, {"shopify": ["webhook"]}) == [
        Fault(
            "hub.yaml",
            13,
            "channels[0].secrets.webhook",
            "the environment variable SHOPIFY_WEBHOOK_SECRET is not set",
        )
    ]
    assert faults(file, {"SHOPIFY_WEBHOOK_SECRET": "s3cret"}, {"shopify": ["webhook"]}) == []


def test_a_needed_secret_without_a_variable_is_a_fault(write: Write) -> None:
    [found] = faults(write(GOOD), {}, {"ledger": ["token"]})

    assert str(found) == "hub.yaml:14: erp.secrets.token: needed, and no environment variable is named for it"


def test_a_secret_is_had_by_name_and_has_no_repr(write: Write) -> None:
    environ = {"SHOPIFY_WEBHOOK_SECRET": "s3cret", "ORDERHUB_DATABASE_URL": "postgresql://hub:hunter2@db/hub"}

    settings = load_settings(write(GOOD), None, environ)

    assert settings.secret(settings.channel("shopify"), "webhook").get_secret_value() == "s3cret"
    for text in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.stores)):
        assert "s3cret" not in text
        assert "hunter2" not in text


def test_using_a_secret_that_is_not_set_says_which_variable_to_set(write: Write) -> None:
    settings = load_settings(write(GOOD), None, {})

    with pytest.raises(Misconfigured, match="set the environment variable SHOPIFY_WEBHOOK_SECRET, or"):
        settings.secret(settings.channel("shopify"), "webhook")


def test_a_secret_may_stand_in_a_mounted_file_and_is_read_anew_each_time(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "webhook-secret"
    settings = load_settings(write(GOOD), None, {"SHOPIFY_WEBHOOK_SECRET_FILE": str(file)})

    with pytest.raises(Misconfigured, match="cannot be read"):
        settings.secret(settings.channel("shopify"), "webhook")
    file.write_text("first\n")
    first = settings.secret(settings.channel("shopify"), "webhook").get_secret_value()
    file.write_text("second")
    second = settings.secret(settings.channel("shopify"), "webhook").get_secret_value()

    assert (first, second) == ("first", "second")


def test_an_unknown_channel_is_refused_with_those_that_exist(write: Write) -> None:
    settings = load_settings(write(GOOD), None, {})

    with pytest.raises(Misconfigured, match=r"no 'shopfy' among the channels of .*: shopify"):
        settings.channel("shopfy")


def test_a_home_may_bring_its_own_configuration(tmp_path: Path) -> None:
    copytree(SHIPPED.parent, tmp_path, dirs_exist_ok=True)
    own = SHIPPED.read_text().replace("name: Main Street Trading, Inc.", "name: Of the home")
    (tmp_path / "hub.yaml").write_text(own)

    assert load_settings(None, tmp_path, {}).entities[0].name == "Of the home"
    assert load_settings(None, tmp_path, {}, of_home=False).config == SHIPPED
    assert load_settings(SHIPPED, tmp_path, {}).config == SHIPPED
    assert load_settings(None, tmp_path, {"ORDERHUB_CONFIG": str(SHIPPED)}).config == SHIPPED


def test_who_ships_recognises(write: Write) -> None:
    file = write(GOOD.replace("    secrets:\n", "    ships: erp\n    policies: {recognise: delivery}\n    secrets:\n"))

    [fault] = printed(file)

    assert "what the ERP ships is recognised by its own policies" in fault
