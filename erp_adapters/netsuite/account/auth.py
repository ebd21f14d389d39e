"""Who calls: OAuth 2.0 with a certificate, or token-based authentication (OAuth 1.0a with HMAC-SHA256)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from erp_adapters.netsuite.account.errors import Refused, bad_login, no_permission
from erp_adapters.netsuite.account.records import KINDS, kind_of

TOKEN_S: Final = 3600
ASSERTION_S_MAX: Final = 3600
SKEW_S: Final = 300
NONCE: Final = re.compile(r"[A-Za-z0-9]{6,64}")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA_BITS: Final = (3072, 4096)
CURVES: Final = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
LEVELS: Final = {"none": 0, "view": 1, "create": 2, "edit": 3, "full": 4}


@dataclass(slots=True)
class Role:
    """What an integration may do: a level for each record type, and the permissions that are of no type."""

    name: str
    permissions: dict[str, str] = field(default_factory=dict)
    rest: bool = True  # REST Web Services
    suiteql: bool = True  # SuiteAnalytics Workbook
    approve_returns: bool = True

    def check(self, kind: str, level: str) -> None:
        """The role may.

        Raises:
            Refused: it may not.
        """
        if LEVELS[self.permissions.get(kind, "none")] < LEVELS[level]:
            raise no_permission(kind_of(kind).label, level.capitalize())


def integration_role() -> Role:
    """The role that a set-up guide asks for: everything on documents, view on lists."""
    permissions = {
        name: "full" if kind.transaction or kind.group == "entity" else "view" for name, kind in KINDS.items()
    }
    return Role("orderhub integration", permissions)


@dataclass(slots=True)
class Credentials:
    """What was set up for one integration: certificates by their id, and tokens by theirs."""

    client_id: str = field(default="6794a3086e4f61a120350d01b8527aed3631472ef33412212495be65a8fc8d4c")
    certificates: dict[str, str] = field(default_factory=dict)  # id -> PEM, of a certificate or of a public key
    consumer_key: str = "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4"
    consumer_secret: str = field(default="d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5", repr=False)
    tokens: dict[str, str] = field(
        default_factory=lambda: {
            "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc": (
                "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295"
            )
        },
        repr=False,
    )


class Auth:
    """Gives out tokens and lets callers in; every caller has the one role."""

    def __init__(self, account: str, credentials: Credentials, role: Role, chance: random.Random) -> None:
        self.account, self.credentials, self.role, self._chance = account, credentials, role, chance
        self.tokens: dict[str, datetime] = {}  # bearer -> its end
        self.revoked = False
        self._nonces: set[str] = set()

    # --- OAuth 2.0 ------------------------------------------------------------------------------------------------

    def grant(self, form: Mapping[str, str], url: str, now: datetime) -> tuple[int, dict[str, Any]]:
        """The answer of the token service at this address."""
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            return 400, {"error": "invalid_request"}
        fault = self._assertion_fault(form["client_assertion"], url, now)
        if fault is not None or self.revoked:
            return 401, {"error": "invalid_client", "error_description": fault or "revoked"}
        token = f"{self._chance.getrandbits(256):064x}"
        self.tokens[token] = now + timedelta(seconds=TOKEN_S)
        return 200, {"access_token": token, "expires_in": str(TOKEN_S), "token_type": "bearer"}

    def expire_all(self, now: datetime) -> None:
        """Every token that was given out ends now."""
        self.tokens = dict.fromkeys(self.tokens, now)

    def _assertion_fault(self, assertion: str, url: str, now: datetime) -> str | None:
        try:
            signed, _, seal = assertion.rpartition(".")
            header, claims = (json.loads(_unbase64(part)) for part in signed.split("."))
            signature = _unbase64(seal)
        except (ValueError, binascii.Error):
            return "the assertion is no JWT"
        algorithm = str(header.get("alg"))
        if algorithm not in ("PS256", "PS384", "PS512", *CURVES) or header.get("typ") != "JWT":
            return f"algorithm {algorithm} is not supported"
        certificate = self.credentials.certificates.get(str(header.get("kid")))
        if certificate is None:
            return "no certificate of this id"
        if claims.get("iss") != self.credentials.client_id:
            return "iss is not a client of this account"
        if claims.get("aud") != url:
            return "aud is not the token service"
        if "rest_webservices" not in _scopes(claims.get("scope")):
            return "scope has no rest_webservices"
        try:
            issued, ends = float(claims["iat"]), float(claims["exp"])
        except (KeyError, TypeError, ValueError):
            return "iat and exp are wanted"
        moment = now.timestamp()
        if ends - issued > ASSERTION_S_MAX or ends <= moment or issued > moment + SKEW_S:
            return "the assertion is not valid now"
        if not _sealed(certificate, algorithm, signed.encode(), signature):
            return "the signature is not of this certificate"
        return None

    # --- every request --------------------------------------------------------------------------------------------

    def admit(self, method: str, url: str, query: Sequence[tuple[str, str]], header: str, now: datetime) -> Role:
        """The caller's role.

        Args:
            url: without its query.

        Raises:
            Refused: nobody we know, or not any more.
        """
        if self.revoked:
            raise bad_login()
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "bearer":
            ends = self.tokens.get(rest.strip())
            if ends is None or ends <= now:
                raise bad_login()
        elif scheme == "OAuth":
            self._check_signed(method, url, query, rest, now)
        else:
            raise bad_login()
        if not self.role.rest:
            raise no_permission("REST Web Services", "Full")
        return self.role

    def _check_signed(
        self, method: str, url: str, query: Sequence[tuple[str, str]], header: str, now: datetime
    ) -> None:
        given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
        nonce, secret = given.get("oauth_nonce", ""), self.credentials.tokens.get(given.get("oauth_token", ""))
        try:
            old = abs(now.timestamp() - int(given.get("oauth_timestamp", ""))) > SKEW_S
        except ValueError:
            raise bad_login() from None
        if (
            secret is None
            or old
            or given.get("realm") != self.account.upper().replace("-", "_")
            or given.get("oauth_consumer_key") != self.credentials.consumer_key
            or given.get("oauth_signature_method") != "HMAC-SHA256"
            or not NONCE.fullmatch(nonce)
            or nonce in self._nonces
        ):
            raise bad_login()
        signed = [(name, value) for name, value in given.items() if name not in ("realm", "oauth_signature")]
        expected = signature(method, url, [*signed, *query], self.credentials.consumer_secret, secret)
        if not hmac.compare_digest(expected, given.get("oauth_signature", "")):
            raise bad_login()
        self._nonces.add(nonce)


def base_string(method: str, url: str, parameters: Sequence[tuple[str, str]]) -> str:
    """What token-based authentication signs."""
    pairs = sorted((_enc(name), _enc(value)) for name, value in parameters)
    return "&".join((method.upper(), _enc(url), _enc("&".join(f"{name}={value}" for name, value in pairs))))


def signature(method: str, url: str, parameters: Sequence[tuple[str, str]], consumer: str, token: str) -> str:
    key = f"{_enc(consumer)}&{_enc(token)}".encode()
    seal = hmac.new(key, base_string(method, url, parameters).encode(), hashlib.sha256)
    return base64.b64encode(seal.digest()).decode()


def _enc(text: str) -> str:
    return quote(text, safe="-._~")


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _scopes(scope: Any) -> list[str]:
    """The scopes of a claim, a list or a text with commas."""
    if isinstance(scope, list):
        return [str(one) for one in scope]
    return [one.strip() for one in re.split(r"[,\s]+", str(scope or ""))]


def _sealed(pem: str, algorithm: str, signed: bytes, seal: bytes) -> bool:
    held = pem.encode()
    if b"BEGIN CERTIFICATE" in held:
        key: object = x509.load_pem_x509_certificate(held).public_key()
    else:
        key = serialization.load_pem_public_key(held)
    digest = HASHES[algorithm[2:]]
    try:
        if algorithm.startswith("PS") and isinstance(key, rsa.RSAPublicKey) and key.key_size in RSA_BITS:
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.AUTO)
            key.verify(seal, signed, pss, digest)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and CURVES.get(algorithm) == key.curve.name:
            half = (key.key_size + 7) // 8
            if len(seal) != 2 * half:
                return False
            pair = encode_dss_signature(int.from_bytes(seal[:half]), int.from_bytes(seal[half:]))
            key.verify(pair, signed, ec.ECDSA(digest))
            return True
    except InvalidSignature:
        return False
    return False


__all__ = ["Auth", "Credentials", "Refused", "Role", "base_string", "integration_role", "signature"]
