"""The two ways in: what an assertion and a signature say, how long a token is used, and what a refusal costs."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
import respx
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from erp_adapters.netsuite.auth import Keys, authorization, base_string
from hub.errors import AuthExpired, Misconfigured, RateLimited, Retryable
from tests.erp_adapters.netsuite.wired import (
    RECORDS,
    TOKENS,
    Time,
    connected,
    ec_key,
    pem,
    refused,
    rsa_key,
    secrets,
    token,
)

ORDER = f"{RECORDS}/salesOrder/7"
LOGIN = refused(401, "INVALID_LOGIN", "Invalid login attempt.")


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


def found() -> httpx.Response:
    return httpx.Response(200, json={"id": "7"})


def asked(call: Any) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.request.content.decode()).items()}


def vectors(shared_contracts: Path) -> tuple[Keys, dict[str, Any]]:
    sheet = json.loads((shared_contracts / "netsuite/tba-signature-vectors.json").read_text())
    names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
    return Keys(*(SecretStr(sheet[name]) for name in names)), sheet


# --- signatures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "rest-get-record"),
        (1, "restlet-post-with-query"),
        (2, "suiteql-post-sandbox"),
        (3, "upsert-put-eid-replace"),
    ],
)
def test_a_signature_is_the_vendors_own(shared_contracts: Path, index: int, name: str) -> None:
    keys, sheet = vectors(shared_contracts)
    vector = sheet["vectors"][index]

    header = authorization(
        keys,
        vector["realm"],
        vector["method"],
        vector["base_url"],
        vector["query"],
        nonce=sheet["nonce"],
        timestamp=int(sheet["timestamp"]),
    )

    assert vector["name"] == name
    assert header == vector["authorization_header"]


def test_every_vector_of_the_sheet_is_tried(shared_contracts: Path) -> None:
    assert len(vectors(shared_contracts)[1]["vectors"]) == 4


@pytest.mark.parametrize("index", range(4))
def test_what_is_signed_is_the_vendors_own(shared_contracts: Path, index: int) -> None:
    keys, sheet = vectors(shared_contracts)
    vector = sheet["vectors"][index]
    oauth = {
        "oauth_consumer_key": keys.consumer_key.get_secret_value(),
        "oauth_nonce": sheet["nonce"],
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": sheet["timestamp"],
        "oauth_token": keys.token_id.get_secret_value(),
        "oauth_version": "1.0",
    }

    said = base_string(vector["method"], vector["base_url"], [*oauth.items(), *vector["query"].items()])

    assert said == vector["base_string"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:8701/a", "GET&http%3A%2F%2F127.0.0.1%3A8701%2Fa&"),
        ("https://HOST.example:443/a", "GET&https%3A%2F%2Fhost.example%2Fa&"),
    ],
)
def test_a_port_is_signed_where_it_is_not_the_usual_one(address: str, expected: str) -> None:
    assert base_string("get", address, []) == expected


def test_every_attempt_is_signed_anew(time: Time, wire: respx.MockRouter) -> None:
    route = wire.get(ORDER).mock(side_effect=[httpx.Response(503), found()])

    connected(time, auth="token").get("salesOrder", "7", expand=True)

    first, second = (call.request.headers["authorization"] for call in route.calls)
    assert 'OAuth realm="1234567_SB1", oauth_consumer_key="planted-consumer", oauth_nonce="nonce1"' in first
    assert 'oauth_nonce="nonce2"' in second
    assert re.findall(r'oauth_signature="([^"]+)"', first) != re.findall(r'oauth_signature="([^"]+)"', second)


def test_the_account_in_a_signature_is_upper_case_with_an_underscore(time: Time, wire: respx.MockRouter) -> None:
    route = wire.get(ORDER).mock(return_value=found())

    connected(time, auth="token", account="1234567-sb1").get("salesOrder", "7")

    assert route.calls.last.request.headers["authorization"].startswith('OAuth realm="1234567_SB1", ')


def test_a_refused_signature_is_tried_anew_and_then_taken_for_overload(time: Time, wire: respx.MockRouter) -> None:
    route = wire.get(ORDER).mock(return_value=LOGIN)

    with pytest.raises(Retryable) as raised:
        connected(time, auth="token").get("salesOrder", "7")

    assert route.call_count == 2
    assert raised.value.after_s == 60.0


def test_a_signature_that_stays_refused_is_no_longer_good(time: Time, wire: respx.MockRouter) -> None:
    wire.get(ORDER).mock(return_value=LOGIN)
    client = connected(time, auth="token")

    for _ in range(2):
        with pytest.raises(Retryable):
            client.get("salesOrder", "7")
        time.sleep(60.0)

    with pytest.raises(AuthExpired, match="Login Audit Trail"):
        client.get("salesOrder", "7")


def test_a_success_between_two_refusals_says_that_the_token_is_good(time: Time, wire: respx.MockRouter) -> None:
    wire.get(ORDER).mock(side_effect=[LOGIN, LOGIN, found(), LOGIN, LOGIN])
    client = connected(time, auth="token")

    with pytest.raises(Retryable):
        client.get("salesOrder", "7")
    time.sleep(600.0)
    client.get("salesOrder", "7")

    with pytest.raises(Retryable):
        client.get("salesOrder", "7")


# --- certificate -----------------------------------------------------------------------------------------------------


def test_a_token_is_bought_with_an_assertion_of_the_certificate(time: Time, wire: respx.MockRouter) -> None:
    bought = wire.post(TOKENS).mock(return_value=token())
    route = wire.get(ORDER).mock(return_value=found())

    connected(time).get("salesOrder", "7")

    form = asked(bought.calls.last)
    assertion = form["client_assertion"]
    claims = jwt.decode(
        assertion,
        ec_key().public_key(),
        algorithms=["ES256"],
        audience=TOKENS,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert form["grant_type"] == "client_credentials"
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert jwt.get_unverified_header(assertion) == {"alg": "ES256", "kid": "planted-certificate", "typ": "JWT"}
    assert claims == {
        "iss": "planted-client",
        "scope": ["rest_webservices"],
        "aud": TOKENS,
        "iat": 1793620800,
        "exp": 1793621400,
        "jti": "nonce1",
    }
    assert route.calls.last.request.headers["authorization"] == "Bearer bearer-1"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (rsa_key(), "PS256"),
        (ec_key(), "ES256"),
        (ec_key(ec.SECP384R1), "ES384"),
        (ec_key(ec.SECP521R1), "ES512"),
    ],
)
def test_the_key_says_what_it_signs_by(time: Time, wire: respx.MockRouter, key: Any, algorithm: str) -> None:
    bought = wire.post(TOKENS).mock(return_value=token())
    wire.get(ORDER).mock(return_value=found())

    connected(time, given=secrets() | {"private_key": pem(key)}).get("salesOrder", "7")

    assertion = asked(bought.calls.last)["client_assertion"]
    assert jwt.get_unverified_header(assertion)["alg"] == algorithm
    jwt.decode(
        assertion,
        key.public_key(),
        algorithms=[algorithm],
        audience=TOKENS,
        options={"verify_exp": False, "verify_iat": False},
    )


@pytest.mark.parametrize(
    ("form", "scope"),
    [("list", ["rest_webservices", "restlets"]), ("text", "rest_webservices,restlets")],
)
def test_scopes_are_named_in_either_form(time: Time, wire: respx.MockRouter, form: str, scope: object) -> None:
    bought = wire.post(TOKENS).mock(return_value=token())
    wire.get(ORDER).mock(return_value=found())

    connected(time, scope_form=form, scopes=["rest_webservices", "restlets"]).get("salesOrder", "7")

    assertion = asked(bought.calls.last)["client_assertion"]
    assert jwt.decode(assertion, options={"verify_signature": False})["scope"] == scope


def test_a_token_url_of_its_own_is_asked_and_is_the_audience(time: Time, wire: respx.MockRouter) -> None:
    url = "https://login.example/token"
    bought = wire.post(url).mock(return_value=token())
    wire.get(ORDER).mock(return_value=found())

    connected(time, token_url=url).get("salesOrder", "7")

    assertion = asked(bought.calls.last)["client_assertion"]
    assert jwt.decode(assertion, options={"verify_signature": False})["aud"] == url


def test_a_key_on_one_line_has_its_line_ends_written_out(time: Time, wire: respx.MockRouter) -> None:
    wire.post(TOKENS).mock(return_value=token())
    wire.get(ORDER).mock(return_value=found())
    one_line = pem(ec_key()).replace("\n", "\\n")

    assert connected(time, given=secrets() | {"private_key": one_line}).get("salesOrder", "7") is not None


@pytest.mark.parametrize("key", ["no key at all", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_key_that_is_none_is_a_fault_of_the_configuration(time: Time, wire: respx.MockRouter, key: str) -> None:
    with pytest.raises(Misconfigured, match="secret private_key: not a PEM") as raised:
        connected(time, given=secrets() | {"private_key": key}).get("salesOrder", "7")

    assert "AAAA" not in str(raised.value)


@pytest.mark.parametrize(("life", "used_s"), [(3600, 2880), ("3600", 2880), (600, 480), ("soon", 2880), (0, 2880)])
def test_a_token_is_used_for_four_fifths_of_its_life(
    time: Time, wire: respx.MockRouter, life: object, used_s: int
) -> None:
    bought = wire.post(TOKENS).mock(side_effect=[token("one", expires_in=life), token("two")])
    route = wire.get(ORDER).mock(return_value=found())
    client = connected(time)

    client.get("salesOrder", "7")
    time.sleep(used_s - 1)
    client.get("salesOrder", "7")
    assert bought.call_count == 1
    time.sleep(1)
    client.get("salesOrder", "7")

    assert [call.request.headers["authorization"] for call in route.calls] == ["Bearer one", "Bearer one", "Bearer two"]


def test_threads_that_come_at_once_share_one_purchase(time: Time, wire: respx.MockRouter) -> None:
    begun = threading.Barrier(4)
    bought = wire.post(TOKENS).mock(return_value=token())
    wire.get(ORDER).mock(return_value=found())
    client = connected(time, requests=4)

    def get() -> None:
        begun.wait(10)
        client.get("salesOrder", "7")

    threads = [threading.Thread(target=get) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert bought.call_count == 1


def test_a_refused_token_is_bought_anew_once(time: Time, wire: respx.MockRouter) -> None:
    wire.post(TOKENS).mock(side_effect=[token("one"), token("two")])
    route = wire.get(ORDER).mock(side_effect=[LOGIN, found()])

    assert connected(time).get("salesOrder", "7") is not None

    assert [call.request.headers["authorization"] for call in route.calls] == ["Bearer one", "Bearer two"]


def test_a_write_is_sent_again_after_a_refused_token_for_it_was_not_taken(time: Time, wire: respx.MockRouter) -> None:
    wire.post(TOKENS).mock(return_value=token())
    route = wire.patch(ORDER).mock(side_effect=[LOGIN, httpx.Response(204)])

    connected(time).patch("salesOrder", "7", {"memo": "x"})

    assert route.call_count == 2


def test_a_new_token_that_is_refused_too_halts(time: Time, wire: respx.MockRouter) -> None:
    wire.post(TOKENS).mock(return_value=token())
    route = wire.get(ORDER).mock(return_value=LOGIN)

    with pytest.raises(AuthExpired, match="Login Audit Trail"):
        connected(time).get("salesOrder", "7")

    assert route.call_count == 2


def test_without_a_token_nothing_is_asked(time: Time, wire: respx.MockRouter) -> None:
    bought = wire.post(TOKENS).respond(400, json={"error": "invalid_grant"})
    route = wire.post(f"{RECORDS}/salesOrder")

    with pytest.raises(AuthExpired, match="Client Credentials Setup"):
        connected(time).post("salesOrder", {})

    assert (bought.call_count, route.call_count) == (1, 0)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(503), Retryable),
        (httpx.Response(429), RateLimited),
        (httpx.Response(200, json={"token_type": "Bearer"}), Retryable),
        (httpx.Response(200, content=b"<html>"), Retryable),
        (httpx.ConnectError("refused"), Retryable),
        (httpx.ReadTimeout("slow"), Retryable),
    ],
)
def test_a_token_service_that_is_down_leaves_a_write_unsent_and_not_in_doubt(
    time: Time, wire: respx.MockRouter, answer: Any, error: type[Exception]
) -> None:
    wire.post(TOKENS).mock(side_effect=[answer] * 4)
    route = wire.post(f"{RECORDS}/salesOrder")

    with pytest.raises(error):
        connected(time).post("salesOrder", {})

    assert route.call_count == 0
