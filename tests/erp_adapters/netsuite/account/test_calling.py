"""Who is let in, how many at once, what is done later, and what goes wrong on the way."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from erp_adapters.netsuite import simulator
from erp_adapters.netsuite.account.auth import base_string, signature
from erp_adapters.netsuite.account.faults import ConnectionLost
from erp_adapters.netsuite.account.http import App
from erp_adapters.netsuite.account.world import Switches
from hub.testing.conformance.bench import Fault

TOKEN = "/services/rest/auth/oauth2/v1/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(app: App, **more: Any) -> dict[str, Any]:
    now = int(app.world.now().timestamp())
    return {
        "iss": app.auth.credentials.client_id,
        "scope": ["rest_webservices"],
        "aud": app.base_url + TOKEN,
        "iat": now,
        "exp": now + 3600,
        **more,
    }


def assertion(app: App, claimed: Mapping[str, Any], **header: str) -> str:
    """An assertion by the account's certificate (ES256)."""
    head = {"typ": "JWT", "alg": "ES256", "kid": simulator.CERTIFICATE_ID, **header}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(dict(claimed)).encode())}"
    key = serialization.load_pem_private_key(simulator.private_key().encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{b64(r.to_bytes(32) + s.to_bytes(32))}"


def ask(app: App, sealed: str) -> tuple[int, Any]:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": sealed,
    }
    answer = app.handle("POST", TOKEN, "", FORM, urlencode(form).encode())
    return answer.status, json.loads(answer.body)


@pytest.fixture
def app(time: Any) -> App:
    return simulator.opened(time, on_hand=100)


def get(app: App, headers: Mapping[str, str], path: str = "/services/rest/record/v1/customer", query: str = "") -> int:
    return app.handle("GET", path, query, headers).status


# --- OAuth 2.0 --------------------------------------------------------------------------------------------------------


def test_a_good_assertion_gets_a_token_for_an_hour(app: App, time: Any) -> None:
    status, granted = ask(app, assertion(app, claims(app)))
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}

    assert (status, granted["expires_in"], get(app, bearer)) == (200, "3600", 200)
    time.passes(3599)
    assert get(app, bearer) == 200
    time.passes(1)
    assert get(app, bearer) == 401


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://example.com/token"},
        {"iss": "someone"},
        {"scope": "restlets"},
        {"exp": 1},
        {"iat": 1},
        {"exp": "soon"},
    ],
)
def test_an_assertion_with_a_wrong_claim_gets_none(app: App, change: dict[str, Any]) -> None:
    assert ask(app, assertion(app, claims(app, **change)))[0] == 401


def test_scopes_are_a_list_or_a_text(app: App) -> None:
    assert ask(app, assertion(app, claims(app, scope="restlets, rest_webservices")))[0] == 200


def test_an_assertion_longer_than_an_hour_gets_none(app: App) -> None:
    now = int(app.world.now().timestamp())

    assert ask(app, assertion(app, claims(app, exp=now + 3601)))[0] == 401


def test_a_wrong_seal_or_an_unknown_certificate_gets_none(app: App) -> None:
    good = assertion(app, claims(app))
    head, body, seal = good.split(".")
    changed = b64(base64.urlsafe_b64decode(body + "==").replace(b"rest_webservices", b"rest_webservicez"))

    assert ask(app, f"{head}.{changed}.{seal}")[0] == 401
    assert ask(app, assertion(app, claims(app), kid="other"))[0] == 401
    assert ask(app, "no.jwt")[0] == 401


@pytest.mark.parametrize(("algorithm", "status"), [("PS256", 200), ("RS256", 401)])
def test_of_the_rsa_seals_only_pss_is_taken(app: App, algorithm: str, status: int) -> None:
    key = rsa.generate_private_key(65537, 3072)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    app.auth.credentials.certificates["rsa"] = public.decode()
    head = {"typ": "JWT", "alg": algorithm, "kid": "rsa"}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims(app)).encode())}".encode()
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    seal = key.sign(signed, pss if algorithm == "PS256" else padding.PKCS1v15(), hashes.SHA256())

    assert ask(app, f"{signed.decode()}.{b64(seal)}")[0] == status


# --- token-based authentication ---------------------------------------------------------------------------------------


def test_signatures_are_those_of_the_vectors(shared_contracts: Path) -> None:
    read = json.loads((shared_contracts / "netsuite" / "tba-signature-vectors.json").read_text())

    for vector in read["vectors"]:
        parameters = [
            ("oauth_consumer_key", read["consumer_key"]),
            ("oauth_nonce", vector.get("nonce", read["nonce"])),
            ("oauth_signature_method", "HMAC-SHA256"),
            ("oauth_timestamp", vector.get("timestamp", read["timestamp"])),
            ("oauth_token", read["token_id"]),
            ("oauth_version", "1.0"),
            *vector["query"].items(),
        ]
        made = signature(
            vector["method"], vector["base_url"], parameters, read["consumer_secret"], read["token_secret"]
        )
        assert base_string(vector["method"], vector["base_url"], parameters) == vector["base_string"], vector["name"]
        assert made == vector["signature"], vector["name"]
    assert len(read["vectors"]) == 4


def signed(app: App, path: str, query: str = "", **change: str) -> dict[str, str]:
    """The header of a signed GET; the signature is computed here, by hand."""
    credentials = app.auth.credentials
    ((token, secret),) = credentials.tokens.items()
    oauth = {
        "oauth_consumer_key": credentials.consumer_key,
        "oauth_nonce": "fjaLirsIcCGVZWzBX0pg",
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(int(app.world.now().timestamp())),
        "oauth_token": token,
        "oauth_version": "1.0",
        **change,
    }
    realm = oauth.pop("realm", "1234567_SB1")

    def enc(text: str) -> str:
        return quote(text, safe="")

    pairs = [*oauth.items(), *(tuple(part.split("=")) for part in query.split("&") if part)]
    joined = "&".join(sorted(f"{enc(name)}={enc(value)}" for name, value in pairs))
    base = f"GET&{enc(app.base_url + path)}&{enc(joined)}"
    key = f"{credentials.consumer_secret}&{secret}"
    seal = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()
    listed = ", ".join(f'{name}="{enc(value)}"' for name, value in {**oauth, "oauth_signature": seal}.items())
    return {"Authorization": f'OAuth realm="{realm}", {listed}'}


CUSTOMERS = "/services/rest/record/v1/customer"


def test_a_signed_request_is_let_in_once(app: App) -> None:
    header = signed(app, CUSTOMERS, "limit=10&offset=20")

    assert get(app, header, CUSTOMERS, "limit=10&offset=20") == 200
    assert get(app, header, CUSTOMERS, "limit=10&offset=20") == 401  # a nonce is good once
    assert get(app, signed(app, CUSTOMERS, oauth_nonce="another0"), CUSTOMERS, "limit=10") == 401  # query unsigned


@pytest.mark.parametrize(
    "change",
    [
        {"realm": "1234567-sb1"},
        {"oauth_timestamp": "1508242306"},
        {"oauth_signature_method": "HMAC-SHA1"},
        {"oauth_nonce": "short"},
        {"oauth_token": "0000"},
        {"oauth_consumer_key": "0000"},
    ],
)
def test_a_signed_request_with_a_wrong_part_is_not(app: App, change: dict[str, str]) -> None:
    assert get(app, signed(app, CUSTOMERS, **change)) == 401


def test_nobody_is_let_in_without_credentials(app: App) -> None:
    answer = app.handle("GET", CUSTOMERS, "", {})

    assert (answer.status, b"INVALID_LOGIN" in answer.body) == (401, True)


# --- permissions ------------------------------------------------------------------------------------------------------


def test_a_role_may_do_record_by_record_what_it_may(caller: Any, customer: str) -> None:
    permissions = caller.app.auth.role.permissions
    permissions["customerDeposit"] = "create"
    permissions["invoice"] = "none"
    deposit = caller.made("customerDeposit", {"customer": {"id": customer}, "payment": 5})

    assert caller.refused("GET", f"/record/v1/customerDeposit/{deposit}")[:2] == (403, "INSUFFICIENT_PERMISSION")
    assert caller.refused("DELETE", f"/record/v1/customerDeposit/{deposit}")[0] == 403
    assert caller.refused("GET", "/record/v1/invoice")[0] == 403
    assert caller.refused("POST", "/record/v1/account", {"acctNumber": "1"})[0] == 403


def test_a_query_wants_its_header_and_its_permission(caller: Any) -> None:
    body = {"q": "SELECT id FROM location"}
    transient = {"Prefer": "transient"}

    assert caller.refused("POST", "/query/v1/suiteql", body)[0] == 400
    page = json.loads(caller.call("POST", "/query/v1/suiteql", body, transient, query="limit=1").body)
    assert (page["count"], page["totalResults"], page["hasMore"]) == (1, 2, True)
    caller.app.auth.role.suiteql = False
    assert caller.refused("POST", "/query/v1/suiteql", body, headers=transient)[0] == 403


def test_the_catalogue_shows_custom_fields_and_only_what_the_role_sees(caller: Any) -> None:
    caller.app.auth.role.permissions["invoice"] = "none"

    answer = caller.call("GET", "/record/v1/metadata-catalog", query="select=salesOrder,invoice")

    schemas = json.loads(answer.body)["components"]["schemas"]
    assert "custbody_orderhub_order" in schemas["salesOrder"]["properties"]
    assert "custcol_orderhub_line" in schemas["salesOrder-itemElement"]["properties"]
    assert "invoice" not in schemas


# --- governance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("429", (429, "CONCURRENCY_LIMIT_EXCEEDED")),
        ("400", (400, "CONCURRENCY_LIMIT_EXCEEDED")),
        ("401", (401, "INVALID_LOGIN")),
    ],
)
def test_more_at_once_than_the_account_takes_are_turned_away_undone(
    caller: Any, form: str, said: tuple[int, str]
) -> None:
    caller.world.switches.concurrency_form = form
    caller.app.governance.others = 15

    refused = caller.refused("POST", "/record/v1/customer", {"companyName": "Ada"})

    assert refused[:2] == said
    assert list(caller.world.every("customer")) == []
    caller.app.governance.others = 14
    caller.made("customer", {"companyName": "Ada"})


def test_the_title_of_too_many_is_still_bad_request(caller: Any) -> None:
    caller.app.faults.fail(Fault.RATE_LIMITED)

    body = json.loads(caller.call("GET", "/record/v1/customer").body)

    assert (body["title"], body["status"], body["o:errorCode"]) == ("Bad Request", 429, "USER_ERROR")


# --- asynchronous -----------------------------------------------------------------------------------------------------


def test_an_asynchronous_request_is_done_once_for_its_key(caller: Any, time: Any) -> None:
    headers = {"Prefer": "respond-async", "X-NetSuite-Idempotency-Key": "cac827ea-3543-4cda-add2-bae634326c27"}
    accepted = caller.call("POST", "/record/v1/customer", {"companyName": "Ada"}, headers)
    again = caller.call("POST", "/record/v1/customer", {"companyName": "Ada"}, headers)
    pending = caller.seen_job = json.loads(caller.call("GET", "/async/v1/job/1").body)

    time.passes(2)

    done = json.loads(caller.call("GET", "/async/v1/job/1").body)
    result = caller.call("GET", "/async/v1/job/1/task/1/result")
    assert (accepted.status, accepted.headers["Location"]) == (202, "/services/rest/async/v1/job/1")
    assert (again.status, again.headers["Location"]) == (400, "/services/rest/async/v1/job/1")
    assert json.loads(again.body)["o:errorDetails"][0]["o:errorCode"] == "IDEMPOTENCY_ERROR"
    assert (pending["completed"], done["completed"]) == (False, True)
    assert (result.status, "/customer/" in result.headers["Location"]) == (204, True)
    assert len(list(caller.world.every("customer"))) == 1


def test_an_idempotency_key_means_nothing_to_a_synchronous_request(caller: Any) -> None:
    headers = {"X-NetSuite-Idempotency-Key": "cac827ea-3543-4cda-add2-bae634326c27"}

    for name in ("Ada", "Bo"):
        assert caller.call("POST", "/record/v1/customer", {"companyName": name}, headers).status == 204

    assert len(list(caller.world.every("customer"))) == 2


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "made"), [(Fault.LOST_BEFORE, 0), (Fault.LOST_AFTER, 1)])
def test_an_answer_is_lost_before_or_after_the_commit(caller: Any, fault: Fault, made: int) -> None:
    caller.app.faults.fail_write(fault)

    with pytest.raises(ConnectionLost):
        caller.call("POST", "/record/v1/customer", {"companyName": "Ada"})

    assert len(list(caller.world.every("customer"))) == made


@pytest.mark.parametrize(("fault", "made"), [(Fault.SERVER_ERROR, 0), (Fault.FAILED_AFTER, 1)])
def test_a_server_fault_says_nothing_of_what_was_done(caller: Any, fault: Fault, made: int) -> None:
    caller.app.faults.fail_write(fault)

    said = caller.refused("POST", "/record/v1/customer", {"companyName": "Ada"})

    assert said[:2] == (500, "UNEXPECTED_ERROR")
    assert len(list(caller.world.every("customer"))) == made


def test_a_late_commit_comes_after_the_look_that_found_nothing(caller: Any, time: Any) -> None:
    caller.app.faults.late_s = (600, 600)
    caller.app.faults.fail_write(Fault.LATE_COMMIT)
    with pytest.raises(ConnectionLost):
        caller.call("POST", "/record/v1/customer", {"companyName": "Ada", "externalId": "c-1"})

    before = caller.call("GET", "/record/v1/customer/eid:c-1").status
    time.passes(900)
    after = caller.seen("customer/eid:c-1")

    assert before == 404
    assert after["dateCreated"] == "2026-03-10T12:10:00Z"


def test_a_late_commit_whose_key_is_taken_by_then_does_nothing(caller: Any, time: Any) -> None:
    body = {"companyName": "Ada", "externalId": "c-1"}
    caller.app.faults.fail_write(Fault.LATE_COMMIT)
    with pytest.raises(ConnectionLost):
        caller.call("POST", "/record/v1/customer", body)
    caller.made("customer", body)

    time.passes(900)
    caller.app.tick()

    assert len(list(caller.world.every("customer"))) == 1


def test_an_expired_token_is_a_bad_login_and_nothing_was_done(caller: Any) -> None:
    caller.app.faults.fail(Fault.TOKEN_EXPIRED)

    assert caller.refused("POST", "/record/v1/customer", {"companyName": "Ada"})[:2] == (401, "INVALID_LOGIN")
    assert caller.refused("GET", "/record/v1/customer")[0] == 401
    assert list(caller.world.every("customer")) == []


def test_broken_answers_server_faults_and_healing(caller: Any) -> None:
    caller.app.faults.fail(Fault.SERVER_ERROR)
    caller.app.faults.fail(Fault.BROKEN_ANSWER)
    caller.app.faults.fail(Fault.REVOKED)
    caller.app.faults.standing.clear()

    fault = caller.refused("GET", "/record/v1/customer")
    broken = caller.call("GET", "/record/v1/customer")

    assert fault[:2] == (500, "UNEXPECTED_ERROR")
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.body)
    assert caller.call("GET", "/record/v1/customer").status == 200


def test_faults_at_random_are_those_of_the_seed(time: Any) -> None:
    def run() -> list[object]:
        app = simulator.opened(time, seed=5, on_hand=1)
        app.auth.tokens["good"] = datetime(2030, 1, 1, tzinfo=UTC)
        app.faults.preset("hostile")
        met: list[object] = []
        for _ in range(200):
            try:
                met.append(get(app, {"Authorization": "Bearer good"}))
            except ConnectionLost:
                met.append("lost")
        return met

    first = run()

    assert first == run()
    assert {200, 429, 500, "lost"} <= set(first)


# --- on a socket ------------------------------------------------------------------------------------------------------


def test_the_account_answers_on_a_socket_and_in_process_alike(app: App) -> None:
    app.auth.tokens["good"] = datetime(2030, 1, 1, tzinfo=UTC)
    headers = {"Authorization": "Bearer good"}
    with (
        simulator.served(app) as address,
        httpx.Client(base_url=address, headers=headers, trust_env=False) as client,
    ):
        made = client.post("/services/rest/record/v1/customer", json={"companyName": "Ada", "externalId": "c-1"})
        with httpx.Client(transport=simulator.Transport(app), base_url=address, headers=headers) as inside:
            seen = inside.get("/services/rest/record/v1/customer/eid:c-1")
        app.faults.fail_write(Fault.LOST_AFTER)
        with pytest.raises(httpx.TransportError):
            client.post("/services/rest/record/v1/customer", json={"companyName": "Bo"})
        app.faults.fail(Fault.CUT_SHORT)
        with pytest.raises(httpx.TransportError):
            client.get("/services/rest/record/v1/customer")

    assert (made.status_code, made.content) == (204, b"")
    assert made.headers["Location"] == f"{address}/services/rest/record/v1/customer/{seen.json()['id']}"
    assert len(list(app.world.every("customer"))) == 2


# --- many at once -----------------------------------------------------------------------------------------------------


def until(together: threading.Barrier) -> Callable[[float], None]:
    """A pause that lasts until so many requests are under way."""

    def pause(_: float) -> None:
        together.wait()

    return pause


def test_requests_are_under_way_together_up_to_the_limit(time: Any) -> None:
    together = threading.Barrier(3, timeout=10)
    app = simulator.opened(time, switches=Switches(concurrency_limit=3), pause=until(together))
    app.auth.tokens["good"] = datetime(2030, 1, 1, tzinfo=UTC)

    with ThreadPoolExecutor(3) as pool:
        statuses = list(pool.map(lambda _: get(app, {"Authorization": "Bearer good"}), range(3)))

    assert (statuses, app.governance.most, app.governance.in_flight) == ([200, 200, 200], 3, 0)


def test_one_key_sent_by_many_at_once_makes_one_record(time: Any) -> None:
    together = threading.Barrier(8, timeout=10)
    app = simulator.opened(time, switches=Switches(unique_entity_names=False), pause=until(together))
    app.auth.tokens["good"] = datetime(2030, 1, 1, tzinfo=UTC)
    body = json.dumps({"companyName": "Ada", "externalId": "c-1"}).encode()

    def post(_: int) -> int:
        return app.handle("POST", CUSTOMERS, "", {"Authorization": "Bearer good"}, body).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(post, range(8)))

    assert statuses == [204] + [400] * 7
    assert len(list(app.world.every("customer"))) == 1
