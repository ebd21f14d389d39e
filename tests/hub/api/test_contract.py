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
from tests.hub.cli.test_payouts import PAYOUT, TOLD

EXAMPLES = 12  # an operation
KNOWN = (
    ("/api/payouts/{channel}/{payout}", {"channel": "shopify", "payout": "3"}),
    ("/api/records/{id}", {"id": 1}),
    ("/api/metrics/{period}", {"period": "2026-10"}),
    ("/api/cutoff/{period}", {"period": "2026-10"}),
)
"""What a drawn request hits by chance alone."""

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
    _ask_what_is_there(described, address, headers)

    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()

        @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None, database=None)
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate(checks=CHECKS, headers=headers)

        ask()
        tried.append(operation.label)

    assert len(tried) == 48
    assert [record for record in caplog.records if record.getMessage() == "api.fault"] == []


def _ask_what_is_there(described: Any, address: str, headers: dict[str, str]) -> None:
    """A payout, a check and a run: what is answered of them is held to its description too."""
    with httpx.Client(base_url=address, headers=headers) as client:
        for content in ({"transactions": TOLD}, PAYOUT):
            client.post("/api/channels/shopify/import", json=content).raise_for_status()
        client.post("/api/completeness", json={"period": "2026-10", "prove": True}).raise_for_status()
        client.post("/api/reconciliations", json={"period": "2026-10"}).raise_for_status()
        run = client.get("/api/reconciliations").json()["runs"][0]
        orders = [one["order"] for one in client.get("/api/orders?limit=500").json()["orders"]]
    of_orders = ("/api/orders/{channel}/{order}", "/api/orders/{channel}/{order}/timeline")
    asked = [*KNOWN, ("/api/reconciliations/{run}", {"run": run})]
    asked += [(path, {"channel": "shopify", "order": order}) for path in of_orders for order in orders]
    for path, filled in asked:
        case = described[path]["GET"].Case(path_parameters=filled)
        assert case.call_and_validate(checks=CHECKS, headers=headers).status_code == 200


def test_the_description_names_who_may_and_every_refusal(stranger: httpx.Client) -> None:
    described = stranger.get("/api/openapi.json").json()
    operation = described["paths"]["/api/reconciliations/{run}/sign"]["post"]

    assert operation["x-roles"] == ["admin", "finance"]
    assert operation["security"] == [{"token": []}]
    assert {"401", "403", "404", "409", "413", "422", "429", "503"} < set(operation["responses"])
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_every_body_and_every_word_of_a_path_has_an_example_that_is_taken(client: httpx.Client) -> None:
    """What there is none of here is not found, or cannot be done; none is refused for how it is written."""
    described = client.get("/api/openapi.json").json()["paths"]
    asked = 0

    for path, methods in described.items():
        for method, operation in methods.items():
            if "security" not in operation or not path.startswith("/api/"):
                continue
            filled = path
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    filled = filled.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
            content = operation.get("requestBody", {}).get("content", {})
            needed = {
                p["name"]: "klarna" for p in operation.get("parameters", ()) if p["in"] == "query" and p["required"]
            }
            if method == "get":
                answer = client.get(filled, params=needed)
            elif "application/json" in content and "import" not in path:
                answer = client.request(method, filled, json=content["application/json"]["example"], params=needed)
            else:
                [example] = [one["example"] for one in content.values()] or [""]
                answer = client.request(method, filled, content=example, params=needed)
            assert answer.status_code in (200, 201, 202, 404, 409), (path, answer.text)
            asked += 1

    assert asked == 48
