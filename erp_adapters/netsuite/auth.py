"""How the hub proves to NetSuite who it is: by a certificate (OAuth 2.0), or by a token of its own (OAuth 1.0a).

certificate  secrets `client_id`, `certificate_id`, `private_key`: an assertion signed with the key buys a bearer token
             of an hour. There is no refresh token: another is asked for when four fifths of its life are over.
token        secrets `consumer_key`, `consumer_secret`, `token_id`, `token_secret` ("TBA"): each request is signed. From
             2027.1 no new integration of this kind can be made (vendor); those that are go on.
"""

import binascii
import hmac
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from erp_adapters.netsuite.errors import error_of
from erp_adapters.netsuite.options import Options
from hub.errors import AuthExpired, HubError, Misconfigured, RateLimited, Rejected, Retryable
from hub.http import Answer, Http, Safety
from hub.ports import ErpConfig

TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path
ASSERTION_S: Final = 600  # of an assertion's life; an hour at most (vendor)
LIFE_S: Final = 3600.0  # of a token that does not say
USED_SHARE: Final = 0.8  # of its life
OVERLOAD_S: Final = 120.0  # a refused signature is taken for overload until this has passed without a success
OVERLOAD_AFTER_S: Final = 60.0
CURVES: Final[Mapping[int, str]] = {256: "ES256", 384: "ES384", 521: "ES512"}

Nonce = Callable[[], str]
"""6 to 64 letters and digits that were never used before."""


class Credentials(Protocol):
    """Safe to use from any thread."""

    def sign(self, method: str, address: str, params: Mapping[str, str]) -> str:
        """The Authorization header of one attempt; of the next one, another.

        Raises:
            AuthExpired: these credentials are no longer good.
            Retryable: the service that gives tokens does not answer.
            Misconfigured: a secret is missing, or is none.
        """

    def refused(self, authorization: str) -> None:
        """The header was answered with 401: it is not used again."""

    def accepted(self) -> None:
        """NetSuite knew who asked."""

    def refusal(self, error: AuthExpired) -> HubError:
        """What it means that also the second header was answered with 401."""


def credentials_of(config: ErpConfig, options: Options, http: Http, nonce: Nonce) -> Credentials:
    """The account's way in, as its options name it."""
    match options.auth:
        case "certificate":
            return Certificate(config, options, http, nonce)
        case "token":
            return Token(config, options, http, nonce)


# --- OAuth 2.0, client credentials with a certificate ---------------------------------------------------------------


class Certificate:
    def __init__(self, config: ErpConfig, options: Options, http: Http, nonce: Nonce) -> None:
        self._config = config
        self._http = http
        self._nonce = nonce
        self._url = options.token_url or http.base + TOKEN_PATH
        self._scope: list[str] | str = (
            list(options.scopes) if options.scope_form == "list" else ",".join(options.scopes)
        )
        self._lock = threading.Lock()
        self._bearer: SecretStr | None = None
        self._until: datetime | None = None

    def __repr__(self) -> str:
        return f"Certificate({self._config.slug})"

    def sign(self, method: str, address: str, params: Mapping[str, str]) -> str:
        # Under the lock: whoever comes while a token is asked for waits for that one.
        with self._lock:
            now = self._config.clock()
            if self._bearer is None or self._until is None or now >= self._until:
                token, life_s = self._bought(now)
                self._bearer = SecretStr(f"Bearer {token}")
                self._until = now + timedelta(seconds=life_s * USED_SHARE)
            return self._bearer.get_secret_value()

    def refused(self, authorization: str) -> None:
        with self._lock:
            if self._bearer is not None and self._bearer.get_secret_value() == authorization:
                self._bearer = None  # unless another thread has a new one already

    def accepted(self) -> None:
        pass

    def refusal(self, error: AuthExpired) -> HubError:
        return error

    def _bought(self, now: datetime) -> tuple[str, float]:
        """A new token and its life in seconds."""
        assertion = self._assertion(now)
        self._http.hide(assertion)
        try:
            # One attempt: the call that the token is for is the one that tries again.
            answer = self._http.call(
                "POST",
                self._url,
                safety=Safety.READ,
                form={
                    "grant_type": "client_credentials",
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    "client_assertion": assertion,
                },
                headers={"accept": "application/json"},
                attempts=1,
                judge=self._over_limit,
            )
        except (AuthExpired, Rejected) as error:
            raise AuthExpired(f"{error}; {CERTIFICATE_REMEDY}") from None
        given = answer.document
        token = given.get("access_token") if isinstance(given, dict) else None
        if not isinstance(token, str) or not token:
            raise Retryable(f"{self._config.slug}: the token service answered without a token")
        self._http.hide(token)
        return token, _seconds(given.get("expires_in"))

    def _over_limit(self, answer: Answer) -> HubError | None:
        """The account had no request to spare: nothing is wrong with the certificate."""
        error = error_of(answer, what="asking for a token", safety=Safety.READ, http=self._http)
        return error if isinstance(error, RateLimited) else None

    def _assertion(self, now: datetime) -> str:
        key, algorithm = self._key()
        at = int(now.timestamp())
        claims = {
            "iss": self._config.secrets("client_id").get_secret_value(),
            "scope": self._scope,
            "aud": self._url,
            "iat": at,
            "exp": at + ASSERTION_S,
            "jti": self._nonce(),
        }
        headers = {"kid": self._config.secrets("certificate_id").get_secret_value()}
        return jwt.encode(claims, key, algorithm=algorithm, headers=headers)

    def _key(self) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, str]:
        """The private key and what it signs by; read anew each time, so that a mounted file may be renewed."""
        pem = self._config.secrets("private_key").get_secret_value()
        self._http.hide(pem)
        try:
            # A variable of one line has its line ends written out.
            key = load_pem_private_key(pem.replace("\\n", "\n").encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Misconfigured(f"{self._config.slug}: secret private_key: not a PEM without a password") from None
        if isinstance(key, RSAPrivateKey):
            return key, "PS256"
        if isinstance(key, EllipticCurvePrivateKey) and key.curve.key_size in CURVES:
            return key, CURVES[key.curve.key_size]
        raise Misconfigured(f"{self._config.slug}: secret private_key: expected RSA, or EC on P-256, P-384 or P-521")


def _seconds(said: Any) -> float:
    """A token's life, told as number or text."""
    try:
        life_s = float(said) if isinstance(said, str | int) and not isinstance(said, bool) else LIFE_S
    except ValueError:
        return LIFE_S
    return life_s if 0 < life_s < float("inf") else LIFE_S


# --- OAuth 1.0a, a signature a request ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Keys:
    """The four secrets of a token and its integration."""

    consumer_key: SecretStr
    consumer_secret: SecretStr
    token_id: SecretStr
    token_secret: SecretStr


class Token:
    def __init__(self, config: ErpConfig, options: Options, http: Http, nonce: Nonce) -> None:
        self._config = config
        self._realm = options.realm
        self._http = http
        self._nonce = nonce
        self._lock = threading.Lock()
        self._refused_since: datetime | None = None

    def __repr__(self) -> str:
        return f"Token({self._config.slug})"

    def sign(self, method: str, address: str, params: Mapping[str, str]) -> str:
        names = ("consumer_key", "consumer_secret", "token_id", "token_secret")
        keys = Keys(*(self._config.secrets(name) for name in names))
        self._http.hide(*(getattr(keys, name).get_secret_value() for name in names))
        at = int(self._config.clock().timestamp())
        return authorization(keys, self._realm, method, address, params, nonce=self._nonce(), timestamp=at)

    def refused(self, authorization: str) -> None:
        with self._lock:
            if self._refused_since is None:
                self._refused_since = self._config.clock()

    def accepted(self) -> None:
        with self._lock:
            self._refused_since = None

    def refusal(self, error: AuthExpired) -> HubError:
        """An overloaded account also answers INVALID_LOGIN (julbrs/netsuite-api-client issue 26): one is no proof."""
        with self._lock:
            since = self._refused_since
        if since is not None and (self._config.clock() - since).total_seconds() >= OVERLOAD_S:
            return error
        return Retryable(f"{error}; or the account is overloaded: this is tried again first", OVERLOAD_AFTER_S)


def authorization(
    keys: Keys,
    realm: str,
    method: str,
    address: str,
    params: Mapping[str, str],
    *,
    nonce: str,
    timestamp: int,
) -> str:
    """The Authorization header of one request (RFC 5849, HMAC-SHA256); its body is not signed.

    Args:
        address: scheme, host and path as sent, without a query.
        params: the query, not encoded.
    """
    oauth = {
        "oauth_consumer_key": keys.consumer_key.get_secret_value(),
        "oauth_nonce": nonce,
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_timestamp": str(timestamp),
        "oauth_token": keys.token_id.get_secret_value(),
        "oauth_version": "1.0",
    }
    base = base_string(method, address, [*oauth.items(), *params.items()])
    key = f"{_encoded(keys.consumer_secret.get_secret_value())}&{_encoded(keys.token_secret.get_secret_value())}"
    signature = binascii.b2a_base64(hmac.digest(key.encode(), base.encode(), sha256), newline=False).decode()
    parts = {"realm": realm, **oauth, "oauth_signature": signature}
    return "OAuth " + ", ".join(f'{name}="{_encoded(value)}"' for name, value in parts.items())


def base_string(method: str, address: str, params: Iterable[tuple[str, str]]) -> str:
    """What is signed: method, address and every parameter, each encoded by itself and once more together."""
    url = urlsplit(address)
    host = (url.hostname or "").lower()
    if url.port is not None and url.port != {"https": 443, "http": 80}.get(url.scheme):
        host += f":{url.port}"
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in params)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join((method.upper(), _encoded(f"{url.scheme}://{host}{url.path}"), _encoded(joined)))


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")


CERTIFICATE_REMEDY: Final = (
    "check in NetSuite (Setup > Integration > OAuth 2.0 Client Credentials Setup) that the certificate is mapped to "
    "the integration, a user and a role, and has not ended; a sandbox that was refreshed needs a new one. "
    "If the assertion's scope is refused, try options.scope_form"
)
