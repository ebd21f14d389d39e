"""The API held to its own description: drawn requests of every operation, well formed and not."""

import logging

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.model.access import Role
from hub.steps.hub import Hub
from tests.hub.api.conftest import Shown

load_all_checks()
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def api_schema(address: str, shown: Shown, with_orders: Hub) -> BaseSchema:
    schema = schemathesis.openapi.from_url(f"{address}/api/openapi.json").include(path_regex="^/api/")
    schema.config.update(headers={"Authorization": shown(Role.ADMIN)})
    return schema


schema = schemathesis.pytest.from_fixture("api_schema")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@schema.parametrize()
@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
def test_every_answer_is_as_described(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    case.call_and_validate(checks=CHECKS)

    assert [record.getMessage() for record in caplog.records if record.getMessage() == "api.fault"] == []


def test_the_description_names_who_may_and_every_refusal(stranger: httpx.Client) -> None:
    described = stranger.get("/api/openapi.json").json()
    operation = described["paths"]["/api/reconciliations/{run}/sign"]["post"]

    assert operation["x-roles"] == ["admin", "finance"]
    assert operation["security"] == [{"token": []}]
    assert {"401", "403", "404", "409", "413", "422", "429", "503"} < set(operation["responses"])
    assert "HTTPValidationError" not in described["components"]["schemas"]
