"""The API held to its own description: drawn requests of every operation, well formed and not."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import load_all_checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.model.access import Role
from hub.steps.hub import Hub
from tests.hub.api.conftest import Shown

EXAMPLES = 12  # an operation

load_all_checks()
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_answer_is_as_described(
    address: str, shown: Shown, with_orders: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    described = schemathesis.openapi.from_url(f"{address}/api/openapi.json").include(path_regex="^/api/")
    headers = {"Authorization": shown(Role.ADMIN)}
    tried = []

    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()

        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None, database=None)
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate(checks=CHECKS, headers=headers)

        ask()
        tried.append(operation.label)

    assert len(tried) == 27
    assert [record for record in caplog.records if record.getMessage() == "api.fault"] == []


def test_the_description_names_who_may_and_every_refusal(stranger: httpx.Client) -> None:
    described = stranger.get("/api/openapi.json").json()
    operation = described["paths"]["/api/reconciliations/{run}/sign"]["post"]

    assert operation["x-roles"] == ["admin", "finance"]
    assert operation["security"] == [{"token": []}]
    assert {"401", "403", "404", "409", "413", "422", "429", "503"} < set(operation["responses"])
    assert "HTTPValidationError" not in described["components"]["schemas"]
