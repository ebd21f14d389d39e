"""orderhub check: the secrets by which alerts are told."""

from pathlib import Path

import pytest

from tests.hub.cli.shop import Orderhub
from tests.hub.cli.test_bank import configured

TOLD = {
    "mail": {
        "server": "smtp.example.com",
        "sender": "hub@example.com",
        "to": ["orders@example.com"],
        "user": "hub",
        "password": "SMTP_PASSWORD",
    },
    "webhook": {"address": "https://example.com/alerts", "secret": "ALERT_WEBHOOK_SECRET"},
}


def test_a_secret_of_alerts_that_is_not_set_is_named(
    orderhub: Orderhub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hush")
    monkeypatch.delenv("ALERT_WEBHOOK_SECRET", raising=False)

    ran = orderhub("check", "--config", configured(tmp_path, alerts=TOLD))

    assert ran.status == 1
    assert "alerts: webhook: " in ran.err
    assert "set the environment variable ALERT_WEBHOOK_SECRET, or ALERT_WEBHOOK_SECRET_FILE" in ran.err
    assert "SMTP_PASSWORD" not in ran.err


def test_secrets_of_alerts_that_are_set_are_well(
    orderhub: Orderhub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hush")
    monkeypatch.setenv("ALERT_WEBHOOK_SECRET", "hush")

    answer = orderhub.json("check", "--config", configured(tmp_path, alerts=TOLD))

    assert answer["faults"] == []
    assert {"alerts: mail", "alerts: webhook"} <= set(answer["checked"])
