"""Tokens of an identity provider: which are accepted, and what they allow."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from adapters.clocks import ManualClock
from adapters.identity import JwtIdentityProvider
from adapters.identity.signing_keys import MAX_AGE_SECONDS, MIN_AGE_SECONDS
from application.errors import StorageUnavailable, Unauthenticated
from domain.access import Access, Scope
from domain.ids import Owner
from entrypoints.settings import ConfigurationError, Settings
from tests.unit.http_service import Service, configured

ISSUER, AUDIENCE = "https://id.example.org/", "flask-tasks"
EC, ED, OTHER = generate_private_key(SECP256R1()), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = {
    "ec": {**json.loads(ECAlgorithm.to_jwk(EC.public_key())), "kid": "ec"},
    "ed": {**json.loads(OKPAlgorithm.to_jwk(ED.public_key())), "kid": "ed"},
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def key_set(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [*KEYS.values(), {"kty": "unknown"}, {"kty": "oct", "k": "c2VjcmV0"}]}))
    return path


@pytest.fixture
def provider(clock: ManualClock, key_set: Path) -> JwtIdentityProvider:
    return JwtIdentityProvider(ISSUER, AUDIENCE, str(key_set), "scope", clock)


@pytest.fixture
def sign(clock: ManualClock) -> Callable[..., str]:
    def sign(key: Any = ED, algorithm: str = "EdDSA", kid: str | None = "ed", **claims: Any) -> str:
        """A token that expires in a minute; a claim that is None is left out."""
        usual = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ana",
            "exp": clock.now().timestamp() + 60,
            "scope": "read submit",
        }
        whole = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(whole, key, algorithm, {"kid": kid} if kid else None)

    return sign


def test_a_token_gives_the_access_of_its_scopes(provider: JwtIdentityProvider, sign: Callable[..., str]):
    read_and_submit = Access(owner=Owner("sub:ana"), scopes=frozenset({Scope.READ, Scope.SUBMIT}))
    assert provider.access(sign()) == provider.access(sign(EC, "ES256", "ec")) == read_and_submit
    own = provider.access(sign(scope=["read", "own", "else", 5]))
    assert own == Access(owner=Owner("sub:ana"), scopes=frozenset({Scope.READ}), own_only=True)
    assert provider.access(sign(scope=None)).scopes == frozenset()


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example.org/"},
        {"aud": "another-service"},
        {"exp": None},
        {"sub": None},
        {"sub": "x" * 201},
        {"key": OTHER},
        {"kid": "another"},
        {"kid": None},
        {"key": "secret" * 6, "algorithm": "HS256", "kid": None},
        {"key": None, "algorithm": "none"},
        {"exp": "soon"},
    ],
    ids=str,
)
def test_a_wrong_token_is_refused(provider: JwtIdentityProvider, sign: Callable[..., str], wrong: Mapping[str, Any]):
    with pytest.raises(Unauthenticated):
        provider.access(sign(**wrong))


@pytest.mark.parametrize("text", ["", "a.b.c", "ey", "…", "ft_" + "x" * 5000])
def test_a_text_that_is_no_token_is_refused(provider: JwtIdentityProvider, text: str):
    with pytest.raises(Unauthenticated):
        provider.access(text)


def test_a_token_is_accepted_until_it_expires_by_the_clock_of_the_service(
    provider: JwtIdentityProvider, sign: Callable[..., str], clock: ManualClock
):
    token = sign()
    later = sign(nbf=clock.now().timestamp() + 30, exp=clock.now().timestamp() + 600)
    provider.access(token)
    with pytest.raises(Unauthenticated, match="not valid yet"):
        provider.access(later)
    clock.move(69)
    provider.access(token)
    provider.access(later)
    clock.move(1)
    with pytest.raises(Unauthenticated, match="expired"):
        provider.access(token)


def test_a_new_key_is_read_soon_and_an_old_one_is_forgotten(
    provider: JwtIdentityProvider, sign: Callable[..., str], clock: ManualClock, key_set: Path
):
    key_set.write_text(json.dumps({"keys": [KEYS["ec"]]}))
    provider.access(sign(EC, "ES256", "ec"))
    key_set.write_text(json.dumps({"keys": [KEYS["ed"]]}))
    with pytest.raises(Unauthenticated, match="unknown key"):
        provider.access(sign())
    clock.move(MIN_AGE_SECONDS)
    assert provider.access(sign()) == provider.access(sign(kid=None))
    with pytest.raises(Unauthenticated, match="unknown key"):
        provider.access(sign(EC, "ES256", "ec", sub="ben"))


def test_keys_that_cannot_be_read_again_stay_and_without_any_the_service_is_unavailable(
    provider: JwtIdentityProvider, sign: Callable[..., str], clock: ManualClock, key_set: Path
):
    whole = key_set.read_text()
    for broken in ("", "[]", '{"keys": 5}', '{"keys": [5]}', "{"):
        key_set.write_text(broken)
        with pytest.raises(StorageUnavailable):
            provider.access(sign())
        clock.move(MIN_AGE_SECONDS)
    key_set.write_text(whole)
    provider.access(sign())
    key_set.unlink()
    clock.move(MAX_AGE_SECONDS)
    provider.access(sign())


def test_the_api_accepts_tokens_beside_keys_and_is_never_open(
    key_set: Path, clock: ManualClock, sign: Callable[..., str]
):
    given = configured(jwt_issuer=ISSUER, jwt_audience=AUDIENCE, jwt_key_set=str(key_set)).given
    service = Service(given, clock=clock, has_own_app=True)
    assert service.client.get("/tasks").status_code == 401
    assert service.client.get("/tasks", headers={"Authorization": f"Bearer {sign()}"}).status_code == 200
    assert service.client.get("/keys", headers={"Authorization": f"Bearer {sign()}"}).status_code == 403
    assert service.client.get("/tasks", headers={"Authorization": "Bearer ft_x"}).status_code == 401


def test_the_settings_of_a_provider_are_given_together():
    with pytest.raises(ConfigurationError, match="JWT_AUDIENCE is not set: it must be the audience"):
        Settings.from_environment({"JWT_ISSUER": ISSUER, "JWT_KEY_SET": "keys.json"})
